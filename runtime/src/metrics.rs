//! Every metric of Chorus, declared once: help, unit, labels. `prometheus` is used here alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chorus_model::Severity;
use chorus_model::place::UNKNOWN_COUNTY;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::Fate;

mod counted;
mod held;
mod share;

pub use held::{DeliveryMetrics, FeedMetrics};
pub(crate) use share::Holding;

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
    /// Bytes of them.
    pub snapshot_bytes: IntCounterVec,
    /// How long ago the last one was written, while there is something to write.
    pub snapshot_age: GaugeVec,
    /// Keys that a role remembers something of.
    pub state_keys: IntGaugeVec,
    /// Devices that rules on silence listen for.
    pub devices: IntGaugeVec,
    /// Partitions given or taken.
    pub rebalances: IntCounterVec,
    /// Turns of a worker that took too long.
    pub stalls: IntCounterVec,
    /// Workers that began anew within the process.
    pub work_restarts: IntCounterVec,
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
            snapshot_bytes: counter(
                "chorus_snapshot_bytes_total",
                "Bytes of the states that snapshots wrote, before compression.",
                &["role"],
            )?,
            snapshot_age: gauge(
                "chorus_snapshot_age_seconds",
                "Since when a partition's state has changed and no snapshot was written: a restart now replays so much. Alert when it is \
                 many times `snapshot_every`.",
                &["role", "partition"],
            )?,
            state_keys: whole(
                "chorus_state_keys",
                "Places, and devices without a place, that a role remembers something of; counted with each snapshot.",
                &["role"],
            )?,
            devices: whole(
                "chorus_devices",
                "Devices that rules on silence listen for, by whether they are heard: heard, silent; counted with each snapshot, once \
                 for each rule.",
                &["health"],
            )?,
            rebalances: counter(
                "chorus_rebalances_total",
                "How often a role was given partitions or had to give some back. Alert when it does not come to rest.",
                &["role"],
            )?,
            stalls: counter(
                "chorus_stalls_total",
                "Turns of a worker that took more than 5 s: its liveness hangs on them.",
                &["role"],
            )?,
            work_restarts: counter(
                "chorus_work_restarts_total",
                "Workers that began anew from the committed offset without a restart of the process.",
                &["role"],
            )?,
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
                "Alerts that stand in the centre, by desk (the county) and severity; from the first of a desk on.",
                &["desk", "severity"],
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
        for of_role in [&self.commit_failures, &self.rebalances, &self.stalls, &self.work_restarts] {
            of_role.with_label_values(&[role]);
        }
        for fate in [Fate::Forwarded, Fate::Duplicate].iter().chain(fates) {
            self.fates.with_label_values(&[role, topic, fate.as_str(), fate.reason()]);
        }
    }

    /// The alerts that stand in the centre, by (desk, severity): what is not there is 0. The desk for places whose county is not known
    /// is always there.
    pub fn say_open(&self, open: &BTreeMap<(String, String), i64>) {
        use prometheus::core::Collector;
        let mut desks: BTreeSet<String> = open.keys().map(|(desk, _)| desk.clone()).collect();
        desks.insert(UNKNOWN_COUNTY.to_owned());
        for family in self.open_alerts.collect() {
            let labels = family.get_metric().iter().flat_map(|metric| metric.get_label());
            desks.extend(labels.filter(|label| label.name() == "desk").map(|label| label.value().to_owned()));
        }
        for (desk, severity) in desks.iter().flat_map(|desk| Severity::ALL.map(|severity| (desk, severity.as_str()))) {
            let count = open.get(&(desk.clone(), severity.to_owned())).copied().unwrap_or(0);
            self.open_alerts.with_label_values(&[desk.as_str(), severity]).set(count);
        }
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

    #[test]
    fn a_desk_without_open_alerts_is_at_0_and_every_severity_of_it_is_there() {
        let metrics = Metrics::new().unwrap();
        let open = |desk: &str| BTreeMap::from([((desk.to_owned(), "high".to_owned()), 3)]);
        metrics.say_open(&open("360102"));
        metrics.say_open(&open("360111"));
        let text = metrics.render().unwrap();
        for (desk, severity, count) in [("360102", "high", 0), ("360102", "low", 0), ("360111", "high", 3)] {
            let line = format!("chorus_center_open_alerts{{desk=\"{desk}\",severity=\"{severity}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
    }
}
