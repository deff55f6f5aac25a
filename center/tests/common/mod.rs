//! A centre to speak to, without a socket.
#![allow(dead_code, unused_imports, unreachable_pub, missing_debug_implementations, clippy::missing_panics_doc)]

mod newer;
pub mod scenarios;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{Request, Response, StatusCode};
use chorus_center::{Center, HEADER_IDEMPOTENCY_KEY, HEADER_REVISION, Settings};
use chorus_model::{Alert, AlertPlace, AlertStatus, PlaceKind, Reason, Severity, Text, Timestamp};
use chorus_runtime::Metrics;
use chorus_runtime::secret::{HEADER_SIGNATURE, HEADER_TIMESTAMP, sign};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

pub const KEY: &[u8] = b"a key for tests that is long enough";

pub struct World {
    pub dir: tempfile::TempDir,
    pub settings: Settings,
    pub metrics: Arc<Metrics>,
    pub center: Center,
}

/// Answers of the API.
pub type Answer = (StatusCode, Value);

impl World {
    /// On a database of its own: SQLite where none is given.
    pub async fn new(database: Option<(String, PathBuf)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key_file = dir.path().join("key");
        std::fs::write(&key_file, KEY).unwrap();
        let (database, database_password_file) = match database {
            Some((database, password)) => (database, Some(password)),
            None => (format!("sqlite://{}", dir.path().join("center.db").display()), None),
        };
        let settings = Settings { database, database_password_file, key_file: Some(key_file), ..Settings::default() };
        Self::with(dir, settings).await
    }

    pub async fn with(dir: tempfile::TempDir, settings: Settings) -> Self {
        let metrics = Arc::new(Metrics::new().unwrap());
        let center = chorus_center::open(&settings, Arc::clone(&metrics)).await.unwrap();
        Self { dir, settings, metrics, center }
    }

    /// Another instance on the same database.
    pub async fn second(&self) -> Self {
        Self::with(tempfile::tempdir().unwrap(), self.settings.clone()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.center.router().oneshot(request).await.unwrap()
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Changes the database behind the centre's back.
    pub async fn sql(&self, statement: &'static str) -> u64 {
        let mut options: sqlx::any::AnyConnectOptions = self.settings.database.parse().unwrap();
        if let Some(file) = &self.settings.database_password_file {
            let password = std::fs::read_to_string(file).unwrap();
            options.database_url.set_password(Some(&password)).unwrap();
        }
        let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let done = sqlx::query(statement).execute(&pool).await.unwrap();
        pool.close().await;
        done.rows_affected()
    }

    pub async fn deliver(&self, alert: &Alert) -> Answer {
        self.ask(delivery(alert)).await
    }

    /// Delivers, and holds the outcome against what is expected.
    pub async fn deliver_as(&self, alert: &Alert, outcome: &str) {
        let (status, body) = self.deliver(alert).await;
        let expected = if outcome == "known" { StatusCode::OK } else { StatusCode::CREATED };
        assert_eq!((status, body["outcome"].as_str()), (expected, Some(outcome)), "{body}");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub async fn act(&self, alert_id: &str, action: &str) -> Answer {
        self.post(&format!("/api/v1/alerts/{alert_id}/{action}"), "").await
    }

    pub async fn ids(&self, query: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("/api/v1/alerts{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        ids_of(&body)
    }

    pub async fn stream(&self, last_event_id: Option<&str>) -> Stream {
        let mut request = Request::get("/api/v1/stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The value of a series, by its name and labels as Prometheus writes them.
    pub fn metric(&self, series: &str) -> Option<String> {
        let text = self.metrics.render().unwrap();
        text.lines().find_map(|line| line.strip_prefix(series)).map(|value| value.trim().to_owned())
    }

    pub fn outcomes(&self, outcome: &str) -> String {
        self.metric(&format!("chorus_center_deliveries_total{{outcome=\"{outcome}\"}}")).unwrap_or_default()
    }

    pub fn open(&self, severity: &str) -> String {
        self.metric(&format!("chorus_center_open_alerts{{desk=\"000000\",severity=\"{severity}\"}}"))
            .unwrap_or_default()
    }
}

/// A client of the stream.
pub struct Stream {
    body: BodyDataStream,
    text: String,
}

/// One event: its id, its name and its data.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

impl Stream {
    /// The next event that is not a comment; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((part, rest)) = self.text.split_once("\n\n") {
                let part = part.to_owned();
                self.text = rest.to_owned();
                if !part.starts_with(':') {
                    return Some(event(&part));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.body.next()).await.expect("an event");
            self.text.push_str(std::str::from_utf8(&chunk?.unwrap()).unwrap());
        }
    }

    /// The next event, which is an alert: its number, its id and its revision.
    pub async fn alert(&mut self) -> (i64, String, u64) {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, "alert");
        let id = event.data["alert_id"].as_str().unwrap().to_owned();
        (event.id.parse().unwrap(), id, event.data["revision"].as_u64().unwrap())
    }
}

fn event(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.lines() {
        match line.split_once(": ").unwrap() {
            ("id", value) => value.clone_into(&mut event.id),
            ("event", value) => value.clone_into(&mut event.name),
            ("data", value) => event.data = serde_json::from_str(value).unwrap(),
            (name, _) => panic!("unexpected field {name}"),
        }
    }
    event
}

pub fn ids_of(body: &Value) -> Vec<String> {
    body["alerts"].as_array().unwrap().iter().map(|a| a["alert_id"].as_str().unwrap().to_owned()).collect()
}

pub fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An alert that fires for one reason; each revision is a second later than the one before.
pub fn alert(id: &str, revision: u32) -> Alert {
    let begin: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
    let updated_at = begin.plus(chorus_model::Span::from_secs(i64::from(revision)));
    let summary = Text { zh: format!("第 {revision} 版"), en: format!("revision {revision}") };
    Alert {
        schema_version: 1,
        alert_id: id.to_owned(),
        revision,
        status: AlertStatus::Firing,
        kind: "access.forced".into(),
        severity: Severity::High,
        place: AlertPlace { id: "gate-1".into(), name: "東門".into(), kind: PlaceKind::Village, division_code: None },
        starts_at: begin,
        updated_at,
        ends_at: None,
        summary: summary.clone(),
        reasons: vec![reason("forced", summary)],
        tipped_at: updated_at,
        is_test: false,
        part_of: None,
        incident: None,
    }
}

/// As [`alert`], of a canary.
pub fn canary(id: &str, revision: u32) -> Alert {
    let mut canary = Alert { is_test: true, ..alert(id, revision) };
    canary.place.id = "canary-gate-360102".into();
    canary.reasons = vec![reason(chorus_model::canary::NAME, Text::default())];
    canary
}

pub fn reason(rule: &str, summary: Text) -> Reason {
    let begin: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
    Reason {
        rule: rule.into(),
        kind: "access.forced".into(),
        status: AlertStatus::Firing,
        devices: vec!["door-1".into()],
        places: Vec::new(),
        from: begin,
        to: begin,
        count: 1.0,
        expected: None,
        evidence: vec!["e1".to_owned()],
        summary,
    }
}

/// As [`alert`], over.
pub fn over(id: &str, revision: u32) -> Alert {
    let mut alert = alert(id, revision);
    alert.status = AlertStatus::Resolved;
    alert.ends_at = Some(alert.updated_at);
    for reason in &mut alert.reasons {
        reason.status = AlertStatus::Resolved;
    }
    alert
}

pub fn delivery(alert: &Alert) -> Request<Body> {
    let body = serde_json::to_vec(alert).unwrap();
    signed(&body, KEY, seconds(), &alert.idempotency_key(), &alert.revision.to_string())
}

pub fn signed(body: &[u8], key: &[u8], at: i64, idempotency_key: &str, revision: &str) -> Request<Body> {
    Request::post("/api/v1/deliveries")
        .header("content-type", "application/json")
        .header(HEADER_IDEMPOTENCY_KEY, idempotency_key)
        .header(HEADER_REVISION, revision)
        .header(HEADER_TIMESTAMP, at.to_string())
        .header(HEADER_SIGNATURE, sign(key, at, body))
        .body(Body::from(body.to_owned()))
        .unwrap()
}
