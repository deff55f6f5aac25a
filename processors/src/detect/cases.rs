//! Test cases that stand beside rules: events in, expected anomalies out (`*.test.yaml`).
//!
//! A case runs through the same detector as the live events do; its frontiers follow the receipt of its events.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chorus_model::event::SCHEMA_VERSION;
use chorus_model::{
    Anomaly, AnomalyStatus, Device, DeviceScheme, Event, Integrity, Kind, Outcome, Phase, PlaceRef, Severity,
    SeveritySource, Span, TimeQuality, Timestamp, id,
};
use chorus_runtime::registry::{self, Handle, Registry};
use serde::Deserialize;

use super::load::RuleError;
use super::replay::Replay;
use super::roster::Roster;
use super::rules::RuleSet;
use super::setup::Setup;

/// The feeds whose time a case lets pass, beside those that its rules and events name.
const FEEDS: [&str; 5] = ["school", "hospital", "gate", "camera", "grid"];
/// Monday, 2026-01-05, 08:00 in Nanchang: where a case begins unless it says otherwise.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);
/// The most events that a case may make by repetition.
const MOST_EVENTS: usize = 100_000;

/// How one test case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The file that it stands in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What was wrong, one line each; empty when it passed.
    pub failures: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    places: Vec<registry::Place>,
    #[serde(default)]
    devices: Vec<registry::Device>,
    cases: Vec<CaseText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    #[serde(default)]
    start: Option<Timestamp>,
    events: Vec<EventText>,
    /// Time passes until here after the start; without it until the last event.
    #[serde(default)]
    until: Option<Span>,
    /// Looks at these rules alone.
    #[serde(default)]
    only: Vec<String>,
    expect: Vec<Expected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventText {
    at: Span,
    kind: Kind,
    device: String,
    #[serde(default)]
    feed: Option<String>,
    #[serde(default)]
    phase: Option<Phase>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    outcome: Option<Outcome>,
    #[serde(default)]
    object_class: Option<String>,
    #[serde(default)]
    count: Option<i64>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    native_id: Option<String>,
    #[serde(default)]
    is_test: bool,
    /// Stored by the device and received so long after it happened.
    #[serde(default)]
    replayed_after: Option<Span>,
    #[serde(default)]
    standing: bool,
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    every: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    rule: String,
    place: String,
    status: AnomalyStatus,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    count: Option<f64>,
    #[serde(default)]
    is_test: bool,
}

impl Expected {
    fn is(&self, anomaly: &Anomaly) -> bool {
        let place = anomaly.place.id.as_deref().or_else(|| anomaly.devices.first().map(|device| &**device));
        *anomaly.rule == *self.rule
            && place == Some(self.place.as_str())
            && anomaly.status == self.status
            && anomaly.is_test == self.is_test
            && self.severity.is_none_or(|severity| anomaly.severity == severity)
            && self.kind.as_deref().is_none_or(|kind| *anomaly.kind == *kind)
            && self.count.is_none_or(|count| (anomaly.count - count).abs() < 0.005)
    }
}

/// Runs the test cases of a directory against its own rules and roster.
///
/// # Errors
/// When rules, roster or a case file cannot be read. A case that fails is no error.
pub fn run_tests(dir: &Path) -> Result<Vec<Case>, RuleError> {
    let roster_file = dir.join("roster.yaml");
    let mut cases = Vec::new();
    for file in case_files(dir)? {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file).map_err(|problem| error(&name, ".", problem.to_string()))?;
        let document: serde_json::Value =
            serde_saphyr::from_str(&text).map_err(|problem| error(&name, ".", problem.to_string()))?;
        let read: File = serde_path_to_error::deserialize(&document)
            .map_err(|problem| error(&name, &problem.path().to_string(), problem.into_inner().to_string()))?;
        let registry = || {
            Registry::from_parts(read.places.clone(), read.devices.clone())
                .map_err(|problem| error(&name, "devices", problem.to_string()))
        };
        for (index, case) in read.cases.iter().enumerate() {
            let rules = RuleSet::load(&[dir.to_owned()])?;
            if let Some(unknown) = case.named_rules().find(|rule| rules.rule(rule).is_none()) {
                return Err(error(&name, &format!("cases[{index}]"), format!("no rule `{unknown}` in this directory")));
            }
            let roster = if roster_file.exists() { Roster::load(&roster_file)? } else { Roster::default() };
            let setup = Setup::new(rules, roster, Handle::fixed(registry()?))?;
            let failures = case.run(setup, registry()?);
            cases.push(Case { file: name.clone(), name: case.name.clone(), failures });
        }
    }
    Ok(cases)
}

fn error(file: &str, path: &str, message: impl Into<String>) -> RuleError {
    RuleError { file: file.to_owned(), rule: None, path: path.to_owned(), message: message.into() }
}

fn case_files(dir: &Path) -> Result<Vec<std::path::PathBuf>, RuleError> {
    let unreadable = |problem: std::io::Error| error(&dir.display().to_string(), ".", problem.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".test.yaml") || name.ends_with(".test.yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl CaseText {
    fn named_rules(&self) -> impl Iterator<Item = &str> {
        self.only.iter().map(String::as_str).chain(self.expect.iter().map(|expected| expected.rule.as_str()))
    }

    /// What differs from the expected, in words.
    fn run(&self, setup: Setup, registry: Registry) -> Vec<String> {
        let found = self.anomalies(setup, &registry);
        let mut missing: Vec<&Expected> = self.expect.iter().collect();
        let mut failures = Vec::new();
        for anomaly in &found {
            match missing.iter().position(|expected| expected.is(anomaly)) {
                Some(index) => drop(missing.remove(index)),
                None => failures.push(format!("not expected: {}", describe(anomaly))),
            }
        }
        for expected in missing {
            let status = if expected.status == AnomalyStatus::Firing { "firing" } else { "resolved" };
            failures.push(format!("did not come: {} at {}, {status}", expected.rule, expected.place));
        }
        failures
    }

    /// What the rules find, less repeats of a condition that already holds.
    fn anomalies(&self, setup: Setup, registry: &Registry) -> Vec<Anomaly> {
        let start = self.start.unwrap_or(START);
        let events = self.events(start, registry);
        let of_events = events.iter().map(|(feed, _)| feed.as_str()).filter(|feed| !feed.is_empty());
        let mut replay = Replay::new(setup, FEEDS.into_iter().chain(of_events));
        let mut found = replay.advance(start);
        for (feed, event) in &events {
            found.extend(replay.advance(event.received_at));
            found.extend(replay.event(feed, event));
        }
        let last = events.last().map_or(start, |(_, event)| event.received_at);
        let end = self.until.map_or(last, |until| start.plus(until).max(last));
        found.extend(replay.advance(end.plus(Span::from_micros(1))));
        let mut states: BTreeMap<String, AnomalyStatus> = BTreeMap::new();
        found.retain(|anomaly| {
            let is_looked_at = self.only.is_empty() || self.only.iter().any(|rule| **rule == *anomaly.rule);
            is_looked_at && states.insert(anomaly.condition.clone(), anomaly.status) != Some(anomaly.status)
        });
        found
    }

    /// The events in the order of receipt, each with its feed.
    fn events(&self, start: Timestamp, registry: &Registry) -> Vec<(String, Event)> {
        let mut events = Vec::new();
        for text in &self.events {
            for n in 0..i64::from(text.times.unwrap_or(1)) {
                if events.len() >= MOST_EVENTS {
                    break;
                }
                let step = Span::from_micros(text.every.unwrap_or(Span::ZERO).as_micros().saturating_mul(n));
                let event = text.event(start.plus(text.at).plus(step), events.len(), registry);
                events.push((text.feed.clone().unwrap_or_default(), event));
            }
        }
        events.sort_by_key(|(_, event)| event.received_at);
        events
    }
}

impl EventText {
    fn event(&self, at: Timestamp, number: usize, registry: &Registry) -> Event {
        let listed = registry.device(&self.device, self.channel.as_deref());
        let place = listed.and_then(|device| registry.place(&device.place));
        let event_id = match &self.native_id {
            Some(native) => id::derive(&["native", &self.device, native]),
            None => id::derive(&["case", &number.to_string()]),
        };
        Event {
            schema_version: SCHEMA_VERSION,
            event_id,
            source_format: "chorus".into(),
            source_id: None,
            native_id: self.native_id.clone(),
            native_seq: None,
            device: Device {
                id: self.device.as_str().into(),
                scheme: DeviceScheme::Own,
                channel: self.channel.as_deref().map(Arc::from),
                kind: listed.and_then(|device| device.kind.clone()),
            },
            place: place.map_or_else(PlaceRef::default, |place| place.to_ref()),
            kind: self.kind,
            phase: self.phase.unwrap_or(Phase::Pulse),
            object_class: self.object_class.clone().map(Into::into),
            count: self.count,
            outcome: self.outcome,
            zone: self.zone.clone(),
            severity: self.severity.unwrap_or_else(|| self.kind.default_severity()),
            severity_source: SeveritySource::Type,
            event_time: Some(at),
            time_precision: None,
            time_quality: TimeQuality::Zoned,
            assumed_zone: None,
            received_at: self.replayed_after.map_or(at, |after| at.plus(after)),
            produced_at: None,
            is_replay: self.replayed_after.is_some(),
            is_test: self.is_test,
            integrity: Integrity::Unchecked,
            geo: None,
            subject_ref: self.subject.clone(),
            pii_dropped: Vec::new(),
            raw_ref: None,
            flags: if self.standing { vec!["standing".into()] } else { Vec::new() },
        }
    }
}

fn describe(anomaly: &Anomaly) -> String {
    let status = if anomaly.status == AnomalyStatus::Firing { "firing" } else { "resolved" };
    let place = anomaly.place.id.as_deref().unwrap_or("(no place)");
    format!("{} at {place}, {status}: {} ({})", anomaly.rule, anomaly.kind, anomaly.summary.en)
}
