//! Records counted: what was read equals the sum of the fates, at any moment.

use std::sync::PoisonError;

use prometheus::IntCounterVec;

use super::Metrics;
use crate::Fate;

impl Metrics {
    /// Adds what a worker counted: each record's read and fate in one step.
    pub(crate) fn add(&self, role: &str, topic: &str, counts: &[(Fate, u64)]) {
        let _equal = self.equal.lock().unwrap_or_else(PoisonError::into_inner);
        for (fate, count) in counts {
            self.read.with_label_values(&[role, topic]).inc_by(*count);
            self.fates.with_label_values(&[role, topic, fate.as_str(), fate.reason()]).inc_by(*count);
        }
    }

    /// Read, and the sum of fates, over all roles and topics.
    #[must_use]
    pub fn balance(&self) -> (u64, u64) {
        let _equal = self.equal.lock().unwrap_or_else(PoisonError::into_inner);
        (total(&self.read), total(&self.fates))
    }

    /// Every fate of every role: (role, topic, fate, reason, count).
    #[must_use]
    pub fn fates(&self) -> Vec<(String, String, String, String, u64)> {
        use prometheus::core::Collector;
        let mut rows = Vec::new();
        for family in self.fates.collect() {
            for metric in family.get_metric() {
                let label = |name: &str| {
                    metric.get_label().iter().find(|l| l.name() == name).map_or("", |l| l.value()).to_owned()
                };
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a counter of whole records
                let count = metric.get_counter().get_value() as u64;
                rows.push((label("role"), label("topic"), label("fate"), label("reason"), count));
            }
        }
        rows
    }
}

fn total(counter: &IntCounterVec) -> u64 {
    use prometheus::core::Collector;
    let families = counter.collect();
    let metrics = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a counter of whole records
    metrics.map(|metric| metric.get_counter().get_value() as u64).sum()
}
