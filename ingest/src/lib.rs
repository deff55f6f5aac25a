//! Raw records of feeds to canonical events. The border for people's data is here.
#![forbid(unsafe_code)]
// Foreign bytes are read here: nothing may panic on them.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod border;
pub mod feeds;
pub mod formats;
pub mod normalize;
pub mod observation;
mod pseudonym;
pub mod seal;
pub mod task;
