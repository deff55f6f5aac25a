//! Series that are looked up once and held.

use chorus_model::{Kind, Span};
use prometheus::IntCounterVec;

use super::Metrics;

/// The counters of one feed, looked up once: a label look-up per record would cost more than the count.
#[derive(Clone, Debug)]
pub struct FeedMetrics {
    feed: &'static str,
    kinds: Vec<prometheus::IntCounter>,
    unresolved: prometheus::IntCounter,
    canaries: prometheus::IntCounter,
    rejects: IntCounterVec,
}

impl FeedMetrics {
    /// The counters of a feed, which reads this topic, all at 0 until something is counted.
    #[must_use]
    pub fn new(metrics: &Metrics, feed: &'static str, topic: &str) -> Self {
        let count = |kind: &Kind| metrics.events.with_label_values(&[feed, kind.as_str()]);
        Self {
            feed,
            kinds: Kind::ALL.iter().map(count).collect(),
            unresolved: metrics.unresolved.with_label_values(&[feed]),
            canaries: metrics.canary_records.with_label_values(&[topic]),
            rejects: metrics.rejects.clone(),
        }
    }

    /// An event was written.
    pub fn event(&self, kind: Kind, resolved: bool) {
        if let Some(counter) = self.kinds.get(kind as usize) {
            counter.inc();
        }
        if !resolved {
            self.unresolved.inc();
        }
    }

    /// A canary's event was written: it is in none of the other counts, which tell of devices.
    pub fn canary(&self) {
        self.canaries.inc();
    }

    /// A record, or a part of one, was put aside.
    pub fn reject(&self, format: &str, reason: &str) {
        self.rejects.with_label_values(&[self.feed, format, reason]).inc();
    }
}

/// The counters of one destination, looked up once.
#[derive(Clone, Debug)]
pub struct DeliveryMetrics {
    acknowledged: prometheus::IntCounter,
    retried: prometheus::IntCounter,
    refused: prometheus::IntCounter,
    latency: prometheus::Histogram,
    up: prometheus::IntGauge,
}

impl DeliveryMetrics {
    /// The counters of a destination, all at 0 until something is counted; up until it is found down.
    #[must_use]
    pub fn new(metrics: &Metrics, destination: &str) -> Self {
        let attempts = |outcome: &str| metrics.deliveries.with_label_values(&[destination, outcome]);
        let up = metrics.destination_up.with_label_values(&[destination]);
        up.set(1);
        Self {
            acknowledged: attempts("acknowledged"),
            retried: attempts("retried"),
            refused: attempts("refused"),
            latency: metrics.latency.with_label_values(&[destination]),
            up,
        }
    }

    /// The destination has an alert, so long after the record that tipped it.
    pub fn acknowledged(&self, latency: Span) {
        self.acknowledged.inc();
        self.latency.observe(latency.as_secs_f64().max(0.0));
    }

    /// An attempt failed and will be made again.
    pub fn retried(&self) {
        self.retried.inc();
    }

    /// The destination refused an alert.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// Whether it answers.
    pub fn up(&self, answers: bool) {
        self.up.set(i64::from(answers));
    }
}
