//! How alerts leave Kafka: the topic `alerts` to destinations, in order per alert, until each is acknowledged or refused.
//!
//! `destinations/` says what is sent (one file and one table row each, pure); `delivery/` says whether, when and how often
//! (route, order, breaker, attempt, retry). A destination has a consumer group of its own, so a dead one delays nobody else.
//! `reqwest` is used in this room alone.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod delivery;
pub mod destinations;
pub mod settings;

pub use delivery::{DeliverTask, Delivery, FATES, Pace, open};
pub use settings::{DestinationSettings, Settings};
