//! Logs and errors say what happened, never what was said or what it takes to say it.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chorus_model::Alert;
use chorus_runtime::{Fate, Metrics};
use chorus_sinks::Settings;
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

use crate::receiver::{Answer, Receiver, status};
use crate::samples::{HURRY, KEY_HEX, Opened, alert, json, parked, secret_file};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What no line may hold: the key in either form, signatures, and words of the alert.
const FORBIDDEN: [&str; 9] = [
    "orchard-otter",
    "6f7263686172642d",
    "sha256=",
    "token-of-the-duty-room",
    "path-with-a-secret",
    "maternity",
    "红谷滩",
    "infant tag",
    "婴儿",
];

#[tokio::test]
async fn no_log_line_holds_a_payload_a_key_or_an_address_even_at_trace() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone());
    // Of the whole process: a place in the code that another test's thread reaches first, without a subscriber, would be
    // remembered as one that nobody listens to. What the other tests log may not hold these words either.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let hanging = Answer { status: 200, after: Duration::from_secs(60), ..Answer::default() };
    let receiver = Receiver::answering(vec![status(503), hanging, status(201), status(422)]);
    let mut pace = HURRY;
    pace.breaker_after = 1;
    let url = format!("{}/path-with-a-secret", receiver.url());
    let opened = Opened::centre_with(&url, pace, |settings| settings.timeout = "100ms".parse().unwrap());
    assert_eq!(opened.job(&alert("a1", 1)).await.fate, Fate::Forwarded);
    assert_eq!(opened.job(&alert("a1", 2)).await.fate, Fate::Rejected("refused"));
    let nameless = json(&Alert { alert_id: String::new(), ..alert("a1", 1) });
    drop(opened.delivery.take(&nameless));
    drop(opened.delivery.take(br#"{"summary": "infant tag"}"#));

    let secrets = TempDir::new().unwrap();
    let mut settings = Settings::new("alertmanager", &url);
    settings.bearer_file = Some(secret_file(&secrets, "token-of-the-duty-room"));
    let alertmanager = Opened::open(&settings, HURRY, secrets);
    assert_eq!(alertmanager.job(&alert("a2", 1)).await.fate, Fate::Rejected("refused"));

    let text = lines.text();
    for word in ["destination is down", "destination is up again", "tried again", "refused and parked", "no alert"] {
        assert!(text.contains(word), "{word:?} is said");
    }
    let shown =
        format!("{text}{opened:?}{alertmanager:?}", opened = opened.delivery, alertmanager = alertmanager.delivery);
    for word in FORBIDDEN {
        assert!(!shown.contains(word), "{word:?} in {}", shown.lines().find(|l| l.contains(word)).unwrap_or_default());
    }
}

#[test]
fn no_error_holds_a_key_or_an_address() {
    let secrets = TempDir::new().unwrap();
    let file = secret_file(&secrets, "orchard-otter");
    let open = |settings: &Settings| {
        let error = chorus_sinks::open("desk", settings, &Metrics::new().unwrap(), parked(), None).unwrap_err();
        format!("{error} {error:?} {settings:?}", settings = settings.problems("desk"))
    };
    let mut short = Settings::new("centre", "http://a/path-with-a-secret");
    short.key_file = Some(file.clone());
    let mut wrong = Settings::new("alertmanager", "http://a/path-with-a-secret");
    wrong.basic_file = Some(file.clone());
    let mut credentials = Settings::new("centre", "http://token-of-the-duty-room@a");
    std::fs::write(&file, KEY_HEX).unwrap();
    credentials.key_file = Some(file.clone());
    let late = open(&credentials);
    std::fs::write(&file, "orchard-otter").unwrap();
    for (text, key) in [(late, "url"), (open(&short), "key_file"), (open(&wrong), "basic_file")] {
        assert!(text.contains(&format!("destinations.desk.{key}: ")), "{text}");
        assert!(FORBIDDEN.iter().all(|word| !text.contains(word)), "{text}");
    }
}
