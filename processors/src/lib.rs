//! Detectors and rules (`detect`: events to anomalies) and fusion (`fuse`: anomalies to alerts).
//!
//! Both are pure functions of the log: no clock, no randomness, and an order of outputs that depends on the log alone.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod backtest;
pub mod detect;
pub mod fuse;
mod ledger;
