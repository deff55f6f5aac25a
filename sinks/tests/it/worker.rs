//! The whole way: records of `alerts` on an embedded broker, a worker, a destination, the topic `parked`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chorus_model::{Alert, Severity, cloudevents};
use chorus_runtime::config::Kafka;
use chorus_runtime::health::Health;
use chorus_runtime::mock::Embedded;
use chorus_runtime::tools::{Feeder, read_to_end};
use chorus_runtime::topics::Topic;
use chorus_runtime::worker::Shared;
use chorus_runtime::{Control, Input, Marks, Metrics, Role, Worker};
use chorus_sinks::delivery::open_at;
use chorus_sinks::{DeliverTask, Settings};
use serde_json::json;
use tempfile::TempDir;

use crate::receiver::{Received, Receiver, status, until};
use crate::samples::{self, HURRY, KEY_HEX, alert, parked, secret_file};

fn alerts() -> Topic {
    Topic { name: "alerts".into(), partitions: 2 }
}

fn feed(kafka: &Kafka, alerts_in_order: &[Alert]) {
    let mut feeder = Feeder::connect(kafka, "test").unwrap();
    for (number, alert) in alerts_in_order.iter().enumerate() {
        let origin = format!("anomalies/0/{number}/0");
        let headers = [
            (cloudevents::HEADER_TYPE, cloudevents::TYPE_ALERT.as_bytes()),
            (cloudevents::HEADER_ORIGIN, origin.as_bytes()),
        ];
        feeder.send(&alerts(), alert.alert_id.as_bytes(), &headers, &samples::json(alert)).unwrap();
    }
    feeder.flush(Duration::from_secs(10)).unwrap();
}

fn embedded() -> (Embedded, Kafka) {
    let topics = [alerts(), parked()];
    let broker = Embedded::start(topics.iter().map(|topic| (&*topic.name, topic.partitions))).unwrap();
    let settings = json!({"bootstrap": broker.bootstrap(), "assignment": {"by": "ordinal", "ordinal": 0, "of": 1}});
    let kafka = serde_json::from_value(settings).unwrap();
    (broker, kafka)
}

/// A worker that delivers.
struct Deliver {
    metrics: Arc<Metrics>,
    control: Control,
    worker: JoinHandle<anyhow::Result<()>>,
    _secrets: TempDir,
}

impl Deliver {
    fn start(kafka: &Kafka, receiver: &Receiver, change: impl FnOnce(&mut Settings)) -> Self {
        let secrets = TempDir::new().unwrap();
        let mut settings = Settings::new("centre", &receiver.url());
        settings.key_file = Some(secret_file(&secrets, KEY_HEX));
        change(&mut settings);
        let metrics = Arc::new(Metrics::new().unwrap());
        let delivery = open_at("desk", &settings, &metrics, parked(), None, HURRY).unwrap();
        let role = Role {
            name: "deliver",
            group: "chorus-deliver-desk".to_owned(),
            from: alerts(),
            input: Input::Derived,
            marks: Marks::None,
            snapshots: None,
            deliveries: delivery.deliveries(),
            workers: 1,
        };
        let control = Control::default();
        let runtime = tokio::runtime::Handle::current();
        let shared = Shared { kafka: kafka.clone(), metrics: Arc::clone(&metrics), control: control.clone(), runtime };
        let health = Health::new("deliver", &kafka.bootstrap);
        let worker =
            Worker::new(role, 0, &shared, health, move |_, _| DeliverTask::new(Arc::clone(&delivery))).unwrap();
        Self { metrics, control, worker: std::thread::spawn(move || worker.run()), _secrets: secrets }
    }

    fn end(self) {
        self.control.stop();
        self.worker.join().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_at_which_a_destination_fails_stop_no_other_however_often_they_are_revised() {
    let (_broker, kafka) = embedded();
    // As many bad alerts as requests may be under way, with more revisions behind each than a worker reads at a time; then
    // the others.
    let bad = (1..=35).flat_map(|revision| (0..16).map(move |id| alert(&format!("bad-{id}"), revision)));
    let good = (0..40).map(|id| alert(&format!("good-{id}"), 1));
    feed(&kafka, &bad.chain(good).collect::<Vec<_>>());
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let receiver = Receiver::start(move |_, request| {
        let fails = request.header("idempotency-key").starts_with("bad") && !mended.load(Ordering::SeqCst);
        status(if fails { 500 } else { 201 })
    });
    let deliver = Deliver::start(&kafka, &receiver, |settings| settings.deliveries = 16);
    let acknowledged = || deliver.metrics.deliveries.with_label_values(&["desk", "acknowledged"]).get();
    until("all others are there", || acknowledged() == 40).await;
    is_mended.store(true, Ordering::SeqCst);
    until("every record has a fate", || deliver.metrics.balance() == (600, 600)).await;
    deliver.end();
    for id in 0..16 {
        let sent = |request: &&Received| {
            request.status == 201 && request.header("idempotency-key").starts_with(&format!("bad-{id}:"))
        };
        let revisions: Vec<_> = receiver
            .requests()
            .iter()
            .filter(sent)
            .map(|request| request.header("chorus-revision").to_owned())
            .collect();
        assert_eq!(revisions, (1..=35).map(|revision| revision.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_failures_each_alert_arrives_in_order_and_every_record_has_one_fate() {
    let (_broker, kafka) = embedded();
    // Ten alerts with six revisions each, their records mixed; the fourth of each is refused, one record is a drill.
    let mut records: Vec<Alert> =
        (1..=6).flat_map(|revision| (0..10).map(move |id| alert(&format!("alert-{id}"), revision))).collect();
    records.push(Alert { is_test: true, ..alert("alert-drill", 1) });
    records.push(Alert { severity: Severity::Info, ..alert("alert-info", 1) });
    feed(&kafka, &records);
    // Two of three requests fail, so that alerts overtake each other, and would overtake themselves.
    let receiver = Receiver::start(|number, request| match request.header("chorus-revision") {
        _ if number % 3 != 0 => status([503, 429, 500][number % 3]),
        "4" => status(422),
        _ => status(201),
    });

    let deliver = Deliver::start(&kafka, &receiver, |settings| settings.min_severity = Severity::Low);
    let metrics = Arc::clone(&deliver.metrics);
    until("every record has a fate", || metrics.balance() == (62, 62)).await;
    deliver.end();

    let mut arrived: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for request in receiver.requests().iter().filter(|request| [201, 422].contains(&request.status)) {
        let alert: Alert = serde_json::from_slice(&request.body).unwrap();
        arrived.entry(alert.alert_id).or_default().push(alert.revision);
    }
    assert_eq!(arrived.len(), 10);
    assert!(arrived.values().all(|revisions| *revisions == [1, 2, 3, 4, 5, 6]), "{arrived:?}");
    let fates: BTreeMap<(String, String), u64> =
        metrics.fates().into_iter().map(|(_, _, fate, reason, count)| ((fate, reason), count)).collect();
    let count = |fate: &str, reason: &str| fates.get(&(fate.to_owned(), reason.to_owned())).copied().unwrap_or(0);
    assert_eq!((count("forwarded", ""), count("rejected", "refused")), (50, 10), "{fates:?}");
    assert_eq!((count("filtered", "drill"), count("filtered", "below_severity")), (1, 1));

    let mut refused = Vec::new();
    read_to_end(&kafka, "tests", &parked(), |record| {
        assert_eq!((record.header("destination"), record.header("status")), (Some("desk"), Some("422")));
        let alert: Alert = serde_json::from_slice(&record.value).unwrap();
        assert_eq!((alert.revision, alert.alert_id.as_bytes()), (4, &*record.key));
        refused.push(alert.alert_id);
    })
    .unwrap();
    refused.sort_unstable();
    assert_eq!(refused, (0..10).map(|id| format!("alert-{id}")).collect::<Vec<_>>());
}
