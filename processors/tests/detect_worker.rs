//! `detect` as it runs: a worker on a broker, stopped in the middle and started again.
#![allow(clippy::disallowed_methods)] // the clock limits how long the test waits; nothing in it is data

use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::{Anomaly, AnomalyStatus, FrontierMark, Timestamp, cloudevents};
use chorus_processors::detect::{DetectTask, Detector, FATES, Roster, RuleSet, SOURCE, Setup};
use chorus_runtime::config::{Assignment, Kafka};
use chorus_runtime::health::Health;
use chorus_runtime::mock::Embedded;
use chorus_runtime::registry::{Handle, Registry};
use chorus_runtime::tools::{Feeder, Owned, read_to_end};
use chorus_runtime::topics::Topic;
use chorus_runtime::worker::Shared;
use chorus_runtime::{Control, Input, Marks, Metrics, Role, Snapshots, Worker};

const RULES: &str = r#"
rules:
  - {id: both, when: sequence, first: {kinds: [door.forced]}, then: {kinds: [intrusion.area]}, within: 5m, summary: {zh: z, en: e}}
  - {id: lost, when: sequence, feed: gate, first: {kinds: [video.loss]}, without: {kinds: [device.online]}, within: 2m, summary: {zh: z, en: e}}
"#;
/// 2026-01-05T00:00:00Z.
const START: i64 = 1_767_571_200_000_000;

struct City {
    _broker: Embedded,
    kafka: Kafka,
    events: Topic,
    anomalies: Topic,
    snapshots: Topic,
    metrics: Arc<Metrics>,
    runtime: tokio::runtime::Runtime,
}

impl City {
    fn new() -> Self {
        let topic = |name: &str, partitions: i32| Topic { name: name.into(), partitions };
        let broker = Embedded::start([("events", 2), ("anomalies", 2), ("snapshots", 2)].into_iter()).unwrap();
        let kafka = Kafka {
            bootstrap: broker.bootstrap(),
            linger: chorus_model::Span::ZERO,
            compression: "none".to_owned(),
            fetch_wait: chorus_model::Span::from_millis(10),
            assignment: Assignment::Ordinal { ordinal: 0, of: 1 },
            session_timeout: chorus_model::Span::from_secs(30),
            properties: std::collections::BTreeMap::new(),
            property_files: std::collections::BTreeMap::new(),
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        metrics.declare("detect", "events", FATES);
        Self {
            _broker: broker,
            kafka,
            events: topic("events", 2),
            anomalies: topic("anomalies", 2),
            snapshots: topic("snapshots", 2),
            metrics,
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap(),
        }
    }

    fn feed(&self, records: &[(&str, &str, String, String)]) {
        let mut feeder = Feeder::connect(&self.kafka, "test").unwrap();
        for (key, kind, origin, value) in records {
            let headers = [
                (cloudevents::HEADER_TYPE, kind.as_bytes()),
                (cloudevents::HEADER_SOURCE, b"/chorus/ingest/gate".as_slice()),
                (cloudevents::HEADER_ORIGIN, origin.as_bytes()),
            ];
            feeder.send(&self.events, key.as_bytes(), &headers, value.as_bytes()).unwrap();
        }
        feeder.flush(Duration::from_secs(10)).unwrap();
    }

    /// Runs the role until `done`, then stops it in order.
    fn run_until(&self, done: impl Fn(&Self) -> bool) {
        let control = Control::default();
        let shared = Shared {
            kafka: self.kafka.clone(),
            metrics: Arc::clone(&self.metrics),
            control: control.clone(),
            runtime: self.runtime.handle().clone(),
        };
        let role = Role {
            name: "detect",
            group: "detect".to_owned(),
            from: self.events.clone(),
            input: Input::Derived,
            marks: Marks::Forward { input: "events".into(), to: self.anomalies.clone(), of: 2 },
            snapshots: Some(Snapshots { topic: self.snapshots.clone(), every: Duration::from_millis(50) }),
            deliveries: 0,
            workers: 1,
        };
        let rules = RuleSet::parse(&[("rules.yaml", RULES)]).unwrap();
        let setup = Setup::new(rules, Roster::default(), Handle::fixed(Registry::default())).unwrap();
        let anomalies = self.anomalies.clone();
        let open =
            move |_: &str, partition| DetectTask::new(Detector::new(setup.clone(), partition, 2), anomalies.clone());
        let health = Health::new("detect-0", &self.kafka.bootstrap);
        let worker = Worker::new(role, 0, &shared, health, open).unwrap();
        let thread = std::thread::spawn(move || worker.run());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done(self) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(done(self), "not within 30 s: {:?}", self.metrics.fates());
        control.stop();
        thread.join().unwrap().unwrap();
    }

    fn read(&self, topic: &Topic) -> Vec<Owned> {
        let mut records = Vec::new();
        read_to_end(&self.kafka, "tests", topic, |record| records.push(record)).unwrap();
        records
    }

    fn anomalies(&self) -> Vec<(Owned, Anomaly)> {
        let is_anomaly = |record: &Owned| record.header(cloudevents::HEADER_TYPE) == Some(cloudevents::TYPE_ANOMALY);
        let records = self.read(&self.anomalies).into_iter().filter(is_anomaly);
        records.map(|record| (record.clone(), serde_json::from_slice(&record.value).unwrap())).collect()
    }
}

fn event(kind: &str, secs: i64, offset: i64) -> (&'static str, &'static str, String, String) {
    let at = Timestamp::from_micros(START + secs * 1_000_000);
    let value = format!(
        r#"{{"schema_version":1,"event_id":"{offset:032x}","source_format":"chorus","device":{{"id":"door-1","scheme":"own"}},
        "place":{{"id":"v1","type":"village","division_code":"360111003004","resolved":true}},"kind":"{kind}","phase":"start",
        "severity":"high","severity_source":"type","event_time":"{at}","time_quality":"zoned","received_at":"{at}",
        "is_replay":false,"is_test":false,"integrity":"unchecked"}}"#
    );
    ("v1", cloudevents::TYPE_EVENT, format!("raw.gate/0/{offset}/0"), value)
}

fn mark(secs: i64) -> (&'static str, &'static str, String, String) {
    let before = vec![(0, Timestamp::from_micros(START + secs * 1_000_000))];
    let value = serde_json::to_string(&FrontierMark::new("gate", 1, before)).unwrap();
    ("v1", cloudevents::TYPE_FRONTIER, String::new(), value)
}

#[test]
fn a_sequence_that_a_restart_cuts_in_two_is_found_and_nothing_is_told_twice() {
    let city = City::new();
    let bad = ("v1", cloudevents::TYPE_EVENT, "raw.gate/0/2/0".to_owned(), "{}".to_owned());
    city.feed(&[event("door.forced", 0, 0), event("video.loss", 1, 1), bad, mark(10), event("count.flow", 11, 3)]);
    let has_snapshot = |city: &City| city.read(&city.snapshots).iter().any(|record| record.key == b"detect/1/v1");
    city.run_until(|city| city.metrics.balance() == (5, 5) && has_snapshot(city));
    assert!(city.anomalies().is_empty());

    // The second life gets a repeat of the log's tail as well, as a restarted ingest would write it.
    city.feed(&[event("video.loss", 1, 1), event("intrusion.area", 60, 4), mark(121), mark(122)]);
    city.run_until(|city| city.anomalies().len() >= 2);
    city.run_until(|city| city.metrics.balance().0 >= 9);
    let found = city.anomalies();
    let told: Vec<_> = found.iter().map(|(_, anomaly)| (&*anomaly.rule, anomaly.status)).collect();
    assert_eq!(told, [("both", AnomalyStatus::Firing), ("lost", AnomalyStatus::Firing)]);
    for (record, anomaly) in &found {
        assert_eq!(record.key, b"360111");
        assert_eq!(record.header(cloudevents::HEADER_ID), Some(anomaly.anomaly_id.as_str()));
        assert_eq!(record.header(cloudevents::HEADER_SOURCE), Some(SOURCE));
        assert_eq!(record.header(cloudevents::HEADER_KIND), Some(&*anomaly.kind));
        assert!(record.header(cloudevents::HEADER_ORIGIN).is_some_and(|origin| origin.starts_with("events/")));
    }
    let count = |fate: &str, reason: &str| {
        city.metrics.fates().iter().filter(|row| row.2 == fate && row.3 == reason).map(|row| row.4).sum::<u64>()
    };
    assert_eq!((count("forwarded", ""), count("duplicate", "")), (1, 1));
    assert_eq!((count("filtered", "bad_event"), count("filtered", "no_rule")), (1, 1));
    let (read, fates) = city.metrics.balance();
    assert_eq!(read, fates);
}
