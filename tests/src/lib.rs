//! The harness of the whole-pipeline tests: a real Kafka, the `chorus` binary as child processes, and an HTTP receiver
//! whose answers a test scripts.
//!
//! Three rules hold throughout. No port is fixed. Nothing sleeps where a condition can be awaited: a bounded loop with
//! pauses of 20 ms ([`wait`]) is the only form of waiting. No child outlives the test process, even one killed by -9
//! ([`child`]).

pub mod alerts;
pub mod child;
pub mod client;
pub mod deployment;
pub mod http;
pub mod kafka;
pub mod port;
pub mod process;
pub mod receiver;
pub mod topics;
pub mod wait;
pub mod wire;

pub use http::http_get;
