//! `fuse` in a worker, on the embedded broker: what goes in by `anomalies` comes out by `alerts`, over a restart too.
#![allow(clippy::disallowed_methods)] // the clock limits how long the test waits; nothing in it is data

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chorus_model::{
    Alert, AlertStatus, Anomaly, AnomalyStatus, FrontierMark, PlaceKind, PlaceRef, Severity, Span, Text, Timestamp,
    cloudevents, partition::partition_for,
};
use chorus_processors::fuse::{FATES, FuseTask, Settings};
use chorus_runtime::config::{Assignment, Kafka};
use chorus_runtime::health::Health;
use chorus_runtime::mock::Embedded;
use chorus_runtime::registry::{Handle, Registry};
use chorus_runtime::tools::{Feeder, Owned, read_to_end};
use chorus_runtime::topics::Topic;
use chorus_runtime::worker::Shared;
use chorus_runtime::{Control, Input, Marks, Metrics, Role, Snapshots, Worker};

const PATIENCE: Duration = Duration::from_secs(30);

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Span::from_secs(second))
}

fn anomaly(at: i64, status: AnomalyStatus) -> Anomaly {
    Anomaly {
        schema_version: 1,
        anomaly_id: format!("anomaly-{at}"),
        condition: "door|school-1|".into(),
        status,
        rule: "door".into(),
        rules_version: "v1".into(),
        kind: "door.forced".into(),
        severity: Severity::High,
        place: PlaceRef {
            id: Some("school-1".into()),
            kind: PlaceKind::School,
            division_code: Some("360102".into()),
            resolved: true,
        },
        devices: vec!["door-1".into()],
        from: second(at),
        to: second(at),
        count: 1.0,
        expected: None,
        evidence: vec!["event-1".into()],
        summary: Text { zh: "{place}".into(), en: "{place}".into() },
        tipped_at: second(at),
        frontier: None,
        quiet_after: Some(Span::from_secs(60)),
        together: None,
        is_test: false,
    }
}

struct City {
    _broker: Embedded,
    kafka: Kafka,
    anomalies: Topic,
    alerts: Topic,
    snapshots: Topic,
    feeder: Feeder,
    written: u32,
    metrics: Arc<Metrics>,
    runtime: tokio::runtime::Runtime,
}

impl City {
    fn start() -> Self {
        let topic = |name: &str, partitions| Topic { name: name.into(), partitions };
        let (anomalies, alerts, snapshots) = (topic("anomalies", 1), topic("alerts", 4), topic("snapshots", 1));
        let all = [&anomalies, &alerts, &snapshots].map(|topic| (&*topic.name, topic.partitions));
        let broker = Embedded::start(all.into_iter()).unwrap();
        let kafka: Kafka = serde_json::from_value(serde_json::json!({"bootstrap": broker.bootstrap()})).unwrap();
        let kafka = Kafka { assignment: Assignment::Ordinal { ordinal: 0, of: 1 }, ..kafka };
        let feeder = Feeder::connect(&kafka, "test").unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        metrics.declare("fuse", "anomalies", FATES);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { _broker: broker, kafka, anomalies, alerts, snapshots, feeder, written: 0, metrics, runtime }
    }

    fn write(&mut self, kind: &str, value: &[u8]) {
        let origin = format!("events/0/{}/0", self.written);
        self.written += 1;
        let headers = [(cloudevents::HEADER_TYPE, kind.as_bytes()), (cloudevents::HEADER_ORIGIN, origin.as_bytes())];
        self.feeder.send(&self.anomalies, b"360102", &headers, value).unwrap();
        self.feeder.flush(PATIENCE).unwrap();
    }

    fn work(&self, control: &Control) -> JoinHandle<anyhow::Result<()>> {
        let shared = Shared {
            kafka: self.kafka.clone(),
            metrics: Arc::clone(&self.metrics),
            control: control.clone(),
            runtime: self.runtime.handle().clone(),
        };
        let role = Role {
            name: "fuse",
            group: "fuse".into(),
            from: self.anomalies.clone(),
            input: Input::Derived,
            marks: Marks::None,
            snapshots: Some(Snapshots { topic: self.snapshots.clone(), every: Duration::from_millis(1) }),
            deliveries: 0,
            workers: 1,
        };
        let alerts = self.alerts.clone();
        let health = Health::new("fuse-0", &self.kafka.bootstrap);
        std::thread::spawn(move || {
            let open = move |_: &str, _| {
                let registry = Handle::fixed(Registry::default());
                FuseTask::new(&Settings::default(), registry, alerts.clone())
            };
            Worker::new(role, 0, &shared, health, open)?.run()
        })
    }

    fn wait_for_alerts(&self, number: usize) -> Vec<Owned> {
        let start = Instant::now();
        loop {
            let mut found = Vec::new();
            read_to_end(&self.kafka, "tests", &self.alerts, |record| found.push(record)).unwrap();
            if found.len() >= number {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{} of {number} alerts", found.len());
        }
    }
}

#[test]
fn revisions_of_an_alert_go_on_over_a_restart_in_the_partition_of_their_place() {
    let mut city = City::start();
    let control = Control::default();
    let worker = city.work(&control);
    let first = serde_json::to_vec(&anomaly(0, AnomalyStatus::Firing)).unwrap();
    city.write(cloudevents::TYPE_ANOMALY, &first);
    city.write(cloudevents::TYPE_ANOMALY, b"{\"no\": \"anomaly\"}");
    city.write("chorus.other.v1", &first);
    city.wait_for_alerts(1);
    let start = Instant::now();
    while city.metrics.balance().0 < 3 || city.metrics.snapshots.with_label_values(&["fuse"]).get() == 0 {
        assert!(start.elapsed() < PATIENCE, "no snapshot was written");
        std::thread::yield_now();
    }
    control.stop();
    worker.join().unwrap().unwrap();

    let control = Control::default();
    let worker = city.work(&control);
    let mark = FrontierMark::new("events", 1, vec![(0, second(61))]);
    city.write(cloudevents::TYPE_FRONTIER, &serde_json::to_vec(&mark).unwrap());
    city.wait_for_alerts(2);
    let again = serde_json::to_vec(&anomaly(70, AnomalyStatus::Firing)).unwrap();
    city.write(cloudevents::TYPE_ANOMALY, &again);
    let found = city.wait_for_alerts(3);
    control.stop();
    worker.join().unwrap().unwrap();

    let alerts: Vec<Alert> = found.iter().map(|record| serde_json::from_slice(&record.value).unwrap()).collect();
    let told: Vec<_> = alerts.iter().map(|alert| (alert.revision, alert.status)).collect();
    assert_eq!(told, [(1, AlertStatus::Firing), (2, AlertStatus::Resolved), (3, AlertStatus::Firing)]);
    assert!(alerts.iter().all(|alert| alert.alert_id == alerts[0].alert_id));
    for (record, alert) in found.iter().zip(&alerts) {
        assert_eq!(record.partition, partition_for(b"school-1", 4));
        assert_eq!(record.key, b"school-1");
        assert_eq!(record.header(cloudevents::HEADER_TYPE), Some(cloudevents::TYPE_ALERT));
        assert_eq!(record.header(cloudevents::HEADER_ID), Some(alert.idempotency_key().as_str()));
        assert_eq!(record.header(cloudevents::HEADER_KIND), Some(alert.status.as_str()));
    }
    let replayed = city.metrics.replayed.with_label_values(&["fuse", "anomalies"]).get();
    assert!(replayed < 3, "the second life began at the log's beginning, not at the snapshot");
    let fates = city.metrics.fates();
    let bad = fates.iter().find(|(_, _, _, reason, _)| reason == "bad_anomaly").unwrap();
    assert_eq!(bad.4, 2);
    let (read, sum) = city.metrics.balance();
    assert_eq!(read, sum);
}
