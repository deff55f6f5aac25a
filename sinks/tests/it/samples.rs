//! Alerts, settings and open destinations.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chorus_model::{Alert, AlertPlace, AlertStatus, PlaceKind, Reason, Severity, Text};
use chorus_runtime::canary::Canaries;
use chorus_runtime::clock::now;
use chorus_runtime::registry::{Handle, Place, Registry};
use chorus_runtime::topics::Topic;
use chorus_runtime::{Deferred, Done, Job, Metrics, Verdict};
use chorus_sinks::delivery::Patience;
use chorus_sinks::delivery::open_at;
use chorus_sinks::delivery::retry::Backoff;
use chorus_sinks::{Delivery, Pace, Settings};
use tempfile::TempDir;

/// The key of the signature, as bytes; its file holds it in hexadecimal digits.
pub(crate) const KEY: &[u8] = b"orchard-otter-42-and-a-half-mile";
pub(crate) const KEY_HEX: &str = "6f7263686172642d6f747465722d34322d616e642d612d68616c662d6d696c65";

/// Waits of milliseconds, where a deployment has seconds.
pub(crate) const HURRY: Pace = Pace {
    retry: Backoff { least: Duration::from_millis(1), most: Duration::from_millis(8) },
    breaker_after: 1_000,
    probe: Backoff { least: Duration::from_millis(20), most: Duration::from_millis(40) },
    patience: Patience { failures: 20, time: Duration::from_secs(300) },
};

pub(crate) fn alert(id: &str, revision: u32) -> Alert {
    Alert {
        schema_version: 1,
        alert_id: id.to_owned(),
        revision,
        status: AlertStatus::Firing,
        kind: "tag.exit".into(),
        severity: Severity::Critical,
        place: AlertPlace {
            id: "maternity-3".into(),
            name: "红谷滩妇幼院".into(),
            kind: PlaceKind::Hospital,
            division_code: Some("360113".into()),
        },
        starts_at: "2026-11-25T00:00:00Z".parse().unwrap(),
        updated_at: "2026-11-25T00:00:01Z".parse().unwrap(),
        ends_at: None,
        summary: Text { zh: "婴儿标签离区".to_owned(), en: "an infant tag left its ward".to_owned() },
        reasons: Vec::new(),
        tipped_at: chorus_model::Timestamp::from_millis(now_seconds() * 1_000 - 2_000),
        is_test: false,
        part_of: None,
        incident: None,
    }
}

pub(crate) fn json(alert: &Alert) -> Vec<u8> {
    serde_json::to_vec(alert).unwrap()
}

pub(crate) fn now_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(crate) fn parked() -> Topic {
    Topic { name: "parked".into(), partitions: 1 }
}

/// Those of one feed in one county.
fn canaries() -> Canaries {
    let place: Place = serde_json::from_str(r#"{"id": "school-1", "division_code": "360102"}"#).unwrap();
    let registry = Registry::from_parts(vec![place], Vec::new()).unwrap().with_canaries(&["gate"]).unwrap();
    Canaries { feeds: vec!["gate"], registry: Handle::fixed(registry) }
}

/// The alert of that canary, whose record was received just now.
pub(crate) fn canary(revision: u32) -> Alert {
    let mut canary = Alert { is_test: true, severity: Severity::Info, tipped_at: now(), ..alert("canary", revision) };
    canary.place.id = "canary-gate-360102".into();
    canary.reasons.push(Reason {
        rule: chorus_model::canary::NAME.into(),
        kind: "device.heartbeat".into(),
        status: AlertStatus::Firing,
        devices: vec!["canary-gate-360102".into()],
        places: Vec::new(),
        from: canary.tipped_at,
        to: canary.tipped_at,
        count: 1.0,
        expected: None,
        evidence: Vec::new(),
        summary: Text::default(),
    });
    canary
}

/// An open destination with its metrics and the folder of its secrets.
pub(crate) struct Opened {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) metrics: Metrics,
    _secrets: TempDir,
}

pub(crate) fn secret_file(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("secret");
    std::fs::write(&file, text).unwrap();
    file
}

impl Opened {
    pub(crate) fn centre(url: &str) -> Self {
        Self::centre_with(url, HURRY, |_| {})
    }

    pub(crate) fn centre_with(url: &str, pace: Pace, change: impl FnOnce(&mut Settings)) -> Self {
        let secrets = TempDir::new().unwrap();
        let mut settings = Settings::new("centre", url);
        settings.key_file = Some(secret_file(&secrets, KEY_HEX));
        change(&mut settings);
        Self::open(&settings, pace, secrets)
    }

    pub(crate) fn open(settings: &Settings, pace: Pace, secrets: TempDir) -> Self {
        let metrics = Metrics::new().unwrap();
        let delivery = open_at("desk", settings, &metrics, parked(), Some(canaries()), pace).unwrap();
        Self { delivery, metrics, _secrets: secrets }
    }

    pub(crate) fn job(&self, alert: &Alert) -> Job {
        match self.delivery.take(&json(alert)) {
            Verdict::Deferred(Deferred { key, job }) => {
                assert_eq!(*key, *alert.alert_id);
                job
            }
            Verdict::Settled(fate) => panic!("settled: {fate:?}"),
        }
    }

    /// Delivers in a task of its own, as the runtime does.
    pub(crate) fn start(&self, alert: &Alert) -> tokio::task::JoinHandle<Done> {
        tokio::spawn(self.job(alert))
    }

    pub(crate) fn count(&self, outcome: &str) -> u64 {
        self.metrics.deliveries.with_label_values(&["desk", outcome]).get()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.metrics.destination_up.with_label_values(&["desk"]).get() == 1
    }
}
