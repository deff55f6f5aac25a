//! Prometheus Alertmanager, API v2 (`POST /api/v2/alerts`).
//!
//! Labels are an alert's identity there. All but `severity` stay as they are over an alert's life; what changes (kind,
//! summary, revision) goes into annotations. When the severity changes, the copies under the others are ended in the same
//! request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chorus_model::{Alert, AlertStatus, Severity, Span, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Serialize;

use super::{Form, Message, Outgoing, Problem, sensitive};
use crate::Settings;

/// The type's name.
pub const NAME: &str = "alertmanager";
pub(super) const KEYS: &[&str] = &["bearer_file", "basic_file", "hold"];

/// How long a standing alert stands there without another word.
const HOLD: Span = Span::from_secs(24 * 3_600);
/// An end lies at least this far in the past. An end that Alertmanager's clock has not reached yet is none to it: merged
/// with what it knows, the later end (`hold`) would win.
const CLOCK_MARGIN: Span = Span::from_secs(30);

struct Alertmanager {
    authorization: Option<HeaderValue>,
    hold: Span,
    /// Nothing below has ever fired there.
    least: Severity,
}

impl std::fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alertmanager").field("hold", &self.hold).field("least", &self.least).finish_non_exhaustive()
    }
}

pub(super) fn open(settings: &Settings) -> Result<Box<dyn Form>, Problem> {
    let hold = settings.hold.unwrap_or(HOLD);
    if hold < Span::from_secs(60) {
        return Err(("hold", "must be at least 1m".to_owned()));
    }
    let authorization = match (&settings.bearer_file, &settings.basic_file) {
        (Some(_), Some(_)) => return Err(("basic_file", "cannot stand beside bearer_file".to_owned())),
        (Some(file), None) => Some(bearer(file)?),
        (None, Some(file)) => Some(basic(file)?),
        (None, None) => None,
    };
    Ok(Box::new(Alertmanager { authorization, hold, least: settings.min_severity }))
}

fn read(key: &'static str, file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file).map_err(|error| (key, format!("{}: {error}", file.display())))?;
    Ok(text.trim().to_owned())
}

fn bearer(file: &Path) -> Result<HeaderValue, Problem> {
    let token = read("bearer_file", file)?;
    let value = if token.is_empty() { None } else { sensitive(&format!("Bearer {token}")) };
    value.ok_or_else(|| ("bearer_file", format!("{}: expected one token", file.display())))
}

fn basic(file: &Path) -> Result<HeaderValue, Problem> {
    let pair = read("basic_file", file)?;
    let value = if pair.contains(':') { sensitive(&format!("Basic {}", STANDARD.encode(pair))) } else { None };
    value.ok_or_else(|| ("basic_file", format!("{}: expected user:password", file.display())))
}

/// One alert in the form of API v2.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: BTreeMap<&'static str, &'a str>,
    annotations: &'a BTreeMap<&'static str, Cow<'a, str>>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

impl Form for Alertmanager {
    fn path(&self) -> &'static str {
        "/api/v2/alerts"
    }

    fn message(&self, outgoing: &Outgoing, now: Timestamp) -> Message {
        let alert = &outgoing.alert;
        let annotations = annotations(alert);
        // An end before the start is refused as a whole.
        let ended = alert.ends_at.unwrap_or(alert.updated_at).min(now.minus(CLOCK_MARGIN)).max(alert.starts_at);
        let post = |severity: Severity, ends_at: Timestamp| Posted {
            labels: labels(alert, severity),
            annotations: &annotations,
            starts_at: alert.starts_at,
            ends_at,
        };
        let mut posted = vec![match alert.status {
            AlertStatus::Firing => post(alert.severity, now.plus(self.hold).max(alert.starts_at)),
            AlertStatus::Resolved => post(alert.severity, ended),
        }];
        if alert.revision > 1 {
            let others = Severity::ALL.into_iter().filter(|other| *other != alert.severity && *other >= self.least);
            posted.extend(others.map(|other| post(other, ended)));
        }
        let mut headers = HeaderMap::new();
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        // Maps with text keys always become JSON; an empty body would be refused, parked and seen.
        Message { headers, body: serde_json::to_vec(&posted).unwrap_or_default() }
    }
}

fn labels(alert: &Alert, severity: Severity) -> BTreeMap<&'static str, &str> {
    let mut labels = BTreeMap::from([
        ("alertname", "ChorusAlert"),
        ("alert_id", alert.alert_id.as_str()),
        ("severity", severity.as_str()),
        ("place", &*alert.place.id),
        ("place_kind", alert.place.kind.as_str()),
        ("county", alert.place.county()),
        ("division_code", alert.place.division_code.as_deref().unwrap_or_default()),
    ]);
    // To Alertmanager an empty label is none; some versions refuse it.
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn annotations(alert: &Alert) -> BTreeMap<&'static str, Cow<'_, str>> {
    let mut rules: Vec<&str> = Vec::new();
    for reason in &alert.reasons {
        if !rules.contains(&&*reason.rule) {
            rules.push(&reason.rule);
        }
    }
    let mut annotations = BTreeMap::from([
        ("kind", Cow::from(&*alert.kind)),
        ("summary_zh", Cow::from(&alert.summary.zh)),
        ("summary_en", Cow::from(&alert.summary.en)),
        ("place_name", Cow::from(&*alert.place.name)),
        ("revision", Cow::from(alert.revision.to_string())),
        ("rules", Cow::from(rules.join(","))),
    ]);
    if alert.is_test {
        annotations.insert("drill", Cow::from("true"));
    }
    annotations
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use chorus_model::place::UNKNOWN_COUNTY;

    use super::*;
    use crate::destinations::samples;

    const NOW: &str = "2026-11-25T09:00:00Z";

    fn post(alert: &Alert) -> Vec<Value> {
        post_from(alert, Severity::Info)
    }

    fn post_from(alert: &Alert, least: Severity) -> Vec<Value> {
        let form = Alertmanager { authorization: None, hold: HOLD, least };
        let message = form.message(&samples::outgoing(alert), NOW.parse().unwrap());
        serde_json::from_slice(&message.body).unwrap()
    }

    fn resolved() -> Alert {
        let mut alert = Alert { status: AlertStatus::Resolved, revision: 2, ..samples::alert() };
        alert.ends_at = Some("2026-11-25T08:30:00Z".parse().unwrap());
        alert
    }

    #[test]
    fn a_standing_alert_has_the_shape_of_api_v2() {
        let expected = json!([{
            "labels": {
                "alertname": "ChorusAlert", "alert_id": "0f3b", "severity": "high", "place": "hospital-7",
                "place_kind": "hospital", "county": "360102", "division_code": "360102001",
            },
            "annotations": {
                "kind": "fire.alarm", "summary_zh": "走廊火警", "summary_en": "fire in a corridor",
                "place_name": "第七医院", "revision": "1", "rules": "hospital-fire",
            },
            "startsAt": "2026-11-25T08:00:00Z",
            "endsAt": "2026-11-26T09:00:00Z",
        }]);
        assert_eq!(Value::from(post(&samples::alert())), expected);
    }

    #[test]
    fn a_resolved_alert_ends_when_its_last_reason_did() {
        let posted = post(&resolved());
        assert_eq!(posted.len(), 5);
        for copy in posted {
            assert_eq!(copy["endsAt"], "2026-11-25T08:30:00Z");
        }
    }

    #[test]
    fn a_later_revision_ends_the_copies_under_every_other_severity() {
        let posted = post(&Alert { revision: 3, severity: Severity::Critical, ..samples::alert() });
        let standing: Vec<_> = posted.iter().filter(|copy| copy["endsAt"].as_str().unwrap() > NOW).collect();
        assert_eq!(standing.len(), 1);
        assert_eq!(standing[0]["labels"]["severity"], "critical");
        let mut severities: Vec<_> = posted.iter().map(|copy| copy["labels"]["severity"].as_str().unwrap()).collect();
        severities.sort_unstable();
        assert_eq!(severities, ["critical", "high", "info", "low", "medium"]);
    }

    #[test]
    fn what_was_never_sent_there_is_not_ended_there() {
        let posted = post_from(&Alert { revision: 2, ..samples::alert() }, Severity::High);
        let severities: Vec<_> = posted.iter().map(|copy| &copy["labels"]["severity"]).collect();
        assert_eq!(severities, ["high", "critical"]);
    }

    #[test]
    fn all_labels_but_severity_stay_over_an_alerts_life() {
        let labels_of = |alert: &Alert| {
            let mut labels = post(alert)[0]["labels"].clone();
            labels.as_object_mut().unwrap().remove("severity");
            labels
        };
        let mut later = Alert { revision: 7, severity: Severity::Low, kind: "door.forced".into(), ..resolved() };
        later.summary.en = "something else".to_owned();
        later.reasons.clear();
        assert_eq!(labels_of(&samples::alert()), labels_of(&later));
    }

    #[test]
    fn an_end_is_past_on_a_clock_that_is_late_and_never_before_the_start() {
        let mut alert = resolved();
        alert.ends_at = Some("2026-11-25T09:00:10Z".parse().unwrap());
        assert_eq!(post(&alert)[0]["endsAt"], "2026-11-25T08:59:30Z");
        alert.starts_at = "2026-11-25T08:59:50Z".parse().unwrap();
        assert_eq!(post(&alert)[0]["endsAt"], "2026-11-25T08:59:50Z");
        alert.ends_at = None;
        alert.updated_at = "2026-11-25T08:59:55Z".parse().unwrap();
        assert!(post(&alert).iter().all(|copy| copy["endsAt"] == "2026-11-25T08:59:50Z"));
    }

    #[test]
    fn a_place_without_a_division_has_a_county_and_no_empty_label() {
        let mut alert = samples::alert();
        alert.place.division_code = None;
        let posted = post(&alert);
        assert_eq!(posted[0]["labels"]["county"], UNKNOWN_COUNTY);
        assert!(posted[0]["labels"].get("division_code").is_none());
    }

    #[test]
    fn a_drill_is_marked_without_becoming_another_alert() {
        let drill = Alert { is_test: true, ..samples::alert() };
        assert_eq!(post(&drill)[0]["annotations"]["drill"], "true");
        assert_eq!(post(&drill)[0]["labels"], post(&samples::alert())[0]["labels"]);
    }

    #[test]
    fn credentials_come_from_files_and_are_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "me:hunter2\n").unwrap();
        let mut settings = Settings::new(NAME, "http://a");
        settings.basic_file = Some(file.clone());
        let form = open(&settings).unwrap();
        let message = form.message(&samples::outgoing(&samples::alert()), NOW.parse().unwrap());
        let value = message.headers.get(AUTHORIZATION).unwrap();
        assert_eq!(value.to_str().unwrap(), "Basic bWU6aHVudGVyMg==");
        assert!(!format!("{value:?} {form:?}").contains("bWU6"));
        settings.bearer_file = Some(file);
        assert_eq!(open(&settings).unwrap_err().0, "basic_file");
    }
}
