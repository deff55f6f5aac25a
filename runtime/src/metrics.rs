//! Every metric of Chorus, declared once: help, unit, labels. `prometheus` is used here alone.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chorus_model::{Kind, Span};
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::Fate;

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Held while a worker adds reads and fates, and while they are gathered, so that their sums are always equal.
    equal: Mutex<()>,
    read: IntCounterVec,
    fates: IntCounterVec,
    /// Repeats that a restart reads quietly to rebuild its state; not part of read or fates.
    pub replayed: IntCounterVec,
    /// Age of the last record taken while there are more; 0 when caught up.
    pub lag: GaugeVec,
    /// Rejects by feed, format and reason.
    pub rejects: IntCounterVec,
    /// Receipt of the record that tipped an alert to the destination's acknowledgement.
    pub latency: HistogramVec,
    /// Attempts at a destination by outcome.
    pub deliveries: IntCounterVec,
    /// Whether a destination answers.
    pub destination_up: IntGaugeVec,
    /// How far a feed's frontier is behind the clock, where it is written.
    pub frontier_age: GaugeVec,
    /// Partitions that a role holds.
    pub assigned: IntGaugeVec,
    /// Commits that were refused.
    pub commit_failures: IntCounterVec,
    /// Snapshots written.
    pub snapshots: IntCounterVec,
    /// Events by kind, at the border.
    pub events: IntCounterVec,
    /// Events whose device is not in the registry.
    pub unresolved: IntCounterVec,
    /// What the centre answered to deliveries.
    pub center_deliveries: IntCounterVec,
    /// Alerts that stand in the centre.
    pub open_alerts: IntGaugeVec,
    /// How long the oldest alert has waited for somebody to acknowledge it.
    pub unacknowledged: IntGaugeVec,
    /// Records of canaries that ingest forwarded.
    pub canary_records: IntCounterVec,
    /// Canaries that Kafka has taken.
    pub canary_sent: IntCounterVec,
    /// Canaries that were not sent, since Kafka had not taken the one before.
    pub canary_failures: IntCounterVec,
    /// Receipt of the latest canary that a destination acknowledged.
    pub canary_acknowledged: GaugeVec,
    /// Receipt of a canary to the destination's acknowledgement.
    pub canary_latency: HistogramVec,
    /// When the process began: a crash loop is a start time that changes.
    started: GaugeVec,
}

/// Seconds from receipt to acknowledgement: 5 ms to 5 minutes.
const LATENCY_BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

impl Metrics {
    /// Declares everything.
    ///
    /// # Errors
    /// When two metrics carry one name, which a test would have shown.
    pub fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<IntCounterVec> {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<GaugeVec> {
            let metric = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let whole = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<IntGaugeVec> {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let options = HistogramOpts::new(
            "chorus_alert_latency_seconds",
            "Time from the receipt of the raw record that tipped an alert to the acknowledgement of the destination.",
        );
        let latency = HistogramVec::new(options.buckets(LATENCY_BUCKETS.to_vec()), &["destination"])?;
        registry.register(Box::new(latency.clone()))?;
        let options = HistogramOpts::new(
            "chorus_canary_latency_seconds",
            "Time from the receipt of a canary's record to the acknowledgement of the destination.",
        );
        let canary_latency = HistogramVec::new(options.buckets(LATENCY_BUCKETS.to_vec()), &["destination"])?;
        registry.register(Box::new(canary_latency.clone()))?;
        let metrics = Self {
            equal: Mutex::new(()),
            read: counter(
                "chorus_records_read_total",
                "Records read by a role from a topic. Equals the sum of chorus_records_total, always.",
                &["role", "topic"],
            )?,
            fates: counter(
                "chorus_records_total",
                "Records by how they ended: forwarded, filtered, rejected, duplicate. Alert when the sum differs from read.",
                &["role", "topic", "fate", "reason"],
            )?,
            replayed: counter(
                "chorus_records_replayed_total",
                "Records read again after a start to rebuild state, without any output.",
                &["role", "topic"],
            )?,
            lag: gauge(
                "chorus_lag_seconds",
                "Age of the last record taken while more are waiting; 0 when caught up.",
                &["role", "topic", "partition"],
            )?,
            rejects: counter(
                "chorus_rejects_total",
                "Records, or parts of records, that were sealed and put aside. Alert when it rises.",
                &["feed", "format", "reason"],
            )?,
            latency,
            deliveries: counter(
                "chorus_deliveries_total",
                "Attempts at a destination by outcome: acknowledged, retried, refused.",
                &["destination", "outcome"],
            )?,
            destination_up: whole(
                "chorus_destination_up",
                "1 while deliveries to a destination go, 0 while its breaker holds them. Alert when 0 for minutes.",
                &["destination"],
            )?,
            frontier_age: gauge(
                "chorus_frontier_age_seconds",
                "How far the frontier of a raw partition is behind the clock. Alert when it grows.",
                &["feed", "partition"],
            )?,
            assigned: whole("chorus_partitions_assigned", "Partitions that a role holds.", &["role", "topic"])?,
            commit_failures: counter(
                "chorus_commit_failures_total",
                "Commits that were refused; the records are read again and recognised as repeats.",
                &["role"],
            )?,
            snapshots: counter("chorus_snapshots_total", "Snapshots of state that were written.", &["role"])?,
            events: counter("chorus_events_total", "Events made by ingest, by kind.", &["feed", "kind"])?,
            unresolved: counter(
                "chorus_place_unresolved_total",
                "Events whose device is not in the registry; processed and flagged.",
                &["feed"],
            )?,
            center_deliveries: counter(
                "chorus_center_deliveries_total",
                "Deliveries that the centre took or refused: stored, known, gap, canary, refused.",
                &["outcome"],
            )?,
            open_alerts: whole(
                "chorus_center_open_alerts",
                "Alerts that stand in the centre, by severity.",
                &["severity"],
            )?,
            unacknowledged: whole(
                "chorus_center_unacknowledged_seconds",
                "Since when the oldest alert of a severity waits for somebody to acknowledge it, looked up every minute; 0 \
                 when none does. Alert when it is long for a critical one.",
                &["severity"],
            )?,
            canary_records: counter(
                "chorus_canary_records_total",
                "Records of canaries among those that ingest read: what is left is what devices said. Not part of \
                 chorus_events_total.",
                &["topic"],
            )?,
            canary_sent: counter(
                "chorus_canary_sent_total",
                "Canaries that Kafka has taken. Alert when it stands still.",
                &["feed"],
            )?,
            canary_failures: counter(
                "chorus_canary_failures_total",
                "Canaries that were not sent, since Kafka had not taken the one before.",
                &["feed"],
            )?,
            canary_acknowledged: gauge(
                "chorus_canary_acknowledged_seconds",
                "Receipt of the latest canary that the destination acknowledged, in seconds since 1970; 0 for none since the \
                 process began. Alert when it is minutes ago: the chain is broken.",
                &["destination", "feed", "county"],
            )?,
            canary_latency,
            started: gauge(
                "chorus_start_time_seconds",
                "When the process began, in seconds since 1970, by its version. Alert when it changes again and again.",
                &["version"],
            )?,
            registry,
        };
        let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        metrics.started.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(began);
        Ok(metrics)
    }

    /// Makes the series of a role exist at 0.
    pub fn declare(&self, role: &str, topic: &str, fates: &[Fate]) {
        self.read.with_label_values(&[role, topic]);
        self.replayed.with_label_values(&[role, topic]);
        self.assigned.with_label_values(&[role, topic]);
        self.commit_failures.with_label_values(&[role]);
        for fate in [Fate::Forwarded, Fate::Duplicate].iter().chain(fates) {
            self.fates.with_label_values(&[role, topic, fate.as_str(), fate.reason()]);
        }
    }

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

    /// The text that Prometheus scrapes.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn render(&self) -> anyhow::Result<String> {
        let families = {
            let _equal = self.equal.lock().unwrap_or_else(PoisonError::into_inner);
            self.registry.gather()
        };
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(String::from_utf8(text)?)
    }
}

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

fn total(counter: &IntCounterVec) -> u64 {
    use prometheus::core::Collector;
    let families = counter.collect();
    let metrics = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a counter of whole records
    metrics.map(|metric| metric.get_counter().get_value() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_is_the_sum_of_fates_and_series_exist_from_the_start() {
        let metrics = Metrics::new().unwrap();
        metrics.declare("ingest", "raw.gate", &[Fate::Rejected("truncated")]);
        let text = metrics.render().unwrap();
        assert!(
            text.contains(
                r#"chorus_records_total{fate="rejected",reason="truncated",role="ingest",topic="raw.gate"} 0"#
            )
        );
        metrics.add("ingest", "raw.gate", &[(Fate::Forwarded, 3), (Fate::Rejected("truncated"), 2)]);
        assert_eq!(metrics.balance(), (5, 5));
    }
}
