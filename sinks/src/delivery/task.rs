//! The task of a role that delivers.

use std::sync::Arc;

use chorus_runtime::{Output, Record, Task, Verdict};

use super::Delivery;

/// The work on one partition of `alerts`. Without state: what a destination already has, it tells by the idempotency key.
#[derive(Debug)]
pub struct DeliverTask {
    delivery: Arc<Delivery>,
}

impl DeliverTask {
    /// For one partition, to this destination.
    #[must_use]
    pub fn new(delivery: Arc<Delivery>) -> Self {
        Self { delivery }
    }
}

impl Task for DeliverTask {
    fn process(&mut self, record: &Record<'_>, _: &mut Output<'_>) -> Verdict {
        self.delivery.take(record.value().unwrap_or_default())
    }
}
