//! How a role runs: consume in order, one fate per record, origins, frontiers, produce, commit, snapshots, rebalance,
//! metrics, health, shutdown. `rdkafka` and `prometheus` are used in this room alone.

pub mod canary;
pub mod clock;
pub mod config;
mod consumer;
pub mod control;
mod dispatch;
pub mod fate;
mod ffi;
pub mod health;
pub mod http;
pub mod inspect;
mod ledger;
pub mod log;
mod marks;
pub mod metrics;
pub mod mock;
mod producer;
pub mod range;
pub mod record;
pub mod registry;
mod restore;
pub mod secret;
mod slot;
mod snapshot;
mod take;
pub mod task;
pub mod tools;
pub mod topics;
mod watermark;
pub mod worker;

pub use control::Control;
pub use fate::Fate;
pub use marks::{Marks, STEP as FRONTIER_STEP};
pub use metrics::Metrics;
pub use record::Record;
pub use snapshot::Snapshots;
pub use task::{Deferred, Done, Job, Output, Parked, Size, Task, Verdict};
pub use worker::{Input, Role, Worker};
