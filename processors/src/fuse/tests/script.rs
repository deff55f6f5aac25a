//! A small language for timelines.
//!
//! One line a record: `SECOND VERB …`. `10 fire door@school-1 high x3 dev=a,b quiet=60s from=2 test` is an anomaly of the
//! condition and rule `door` at that place (`in=5`: all before that second was in), `20 end door@school-1` its end, `30 pass` a frontier at that second. A place `?`
//! is one that is not known; `together=3,10m` asks for one alert about the county. What comes out is one line a revision: `10 A.1 firing high door: door` — the second of its
//! `updated_at`, the alert by a letter, its revision, status, severity, kind and reasons, `-door` for one that has ended;
//! `@` and the division where it is about one, `>B` where B has taken over.

use std::sync::Arc;

use chorus_model::{
    Alert, AlertStatus, Anomaly, AnomalyStatus, PlaceKind, PlaceRef, Severity, Span, Text, Timestamp, Together, id,
};
use chorus_runtime::Fate;
use chorus_runtime::registry::{Handle, Place, Registry};

use crate::fuse::{Fuser, Settings};

/// One record of the log.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Anomaly(Box<Anomaly>),
    Frontier(Timestamp),
}

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Span::from_secs(second))
}

pub(super) fn fuser() -> Fuser {
    let place = |id: &str, name: &str| Place {
        id: id.into(),
        name: Some(name.into()),
        kind: PlaceKind::School,
        division_code: Some("360102".into()),
        lat: None,
        lon: None,
        calendar: None,
    };
    let registry = Registry::from_parts(vec![place("school-1", "Willow School")], Vec::new()).unwrap();
    Fuser::new(&Settings::default(), Handle::fixed(registry))
}

fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.as_str() == word)
}

/// An anomaly of the condition and rule `rule` at second `at`.
pub(super) fn anomaly(at: i64, status: AnomalyStatus, rule: &str, place: &str) -> Anomaly {
    let resolved = place != "?";
    let condition = format!("{rule}|{place}");
    Anomaly {
        schema_version: 1,
        anomaly_id: id::derive(&[&condition, &at.to_string(), if status == AnomalyStatus::Firing { "f" } else { "r" }]),
        condition,
        status,
        rule: rule.into(),
        rules_version: "v1".into(),
        kind: rule.into(),
        severity: Severity::Medium,
        place: PlaceRef {
            id: resolved.then(|| place.into()),
            kind: PlaceKind::School,
            division_code: resolved.then(|| "360102001".into()),
            resolved,
        },
        devices: vec!["dev-1".into()],
        from: second(at),
        to: second(at),
        count: 1.0,
        expected: None,
        evidence: vec![format!("{rule}-{at}")],
        summary: Text { zh: format!("{{place}}：{rule}"), en: format!("{rule} at {{place}}") },
        tipped_at: second(at),
        frontier: None,
        quiet_after: None,
        together: None,
        is_test: false,
    }
}

fn parse(line: &str) -> Record {
    let mut words = line.split_whitespace();
    let at: i64 = words.next().unwrap().parse().unwrap();
    let status = match words.next().unwrap() {
        "pass" => return Record::Frontier(second(at)),
        "fire" => AnomalyStatus::Firing,
        "end" => AnomalyStatus::Resolved,
        verb => panic!("no verb: {verb}"),
    };
    let (rule, place) = words.next().unwrap().split_once('@').unwrap();
    let mut made = anomaly(at, status, rule, place);
    for word in words {
        if let Some(severity) = severity(word) {
            made.severity = severity;
        } else if let Some(devices) = word.strip_prefix("dev=") {
            made.devices = devices.split(',').map(Arc::from).collect();
        } else if let Some(span) = word.strip_prefix("quiet=") {
            made.quiet_after = Some(span.parse().unwrap());
        } else if let Some((places, within)) = word.strip_prefix("together=").and_then(|rest| rest.split_once(',')) {
            let (places, within) = (places.parse().unwrap(), within.parse().unwrap());
            let division = made.place.division_code.as_deref().map(|code| code[..6].into());
            made.together = division.map(|division| Together { division, places, within });
        } else if let Some(frontier) = word.strip_prefix("in=") {
            made.frontier = Some(second(frontier.parse().unwrap()));
        } else if let Some(from) = word.strip_prefix("from=") {
            made.from = second(from.parse().unwrap());
        } else if let Some(count) = word.strip_prefix('x') {
            made.count = count.parse().unwrap();
        } else if word == "test" {
            made.is_test = true;
            made.condition.push_str("|test");
        } else {
            panic!("no such word: {word}");
        }
    }
    Record::Anomaly(Box::new(made))
}

/// What came of a log.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) alerts: Vec<Alert>,
    /// Of the anomalies, in the order of the log.
    pub(super) fates: Vec<Fate>,
    letters: Vec<String>,
}

impl Story {
    pub(super) fn of(log: &[Record]) -> Self {
        let mut fuser = fuser();
        let mut story = Self::default();
        for (offset, record) in (0..).zip(log) {
            match record {
                Record::Frontier(frontier) => story.alerts.extend(fuser.advance(*frontier, offset)),
                Record::Anomaly(anomaly) => match fuser.process(anomaly, offset) {
                    Ok(alerts) => {
                        story.alerts.extend(alerts);
                        story.fates.push(Fate::Forwarded);
                    }
                    Err(fate) => story.fates.push(fate),
                },
            }
        }
        story
    }

    fn letter(&mut self, id: &str) -> char {
        if !self.letters.iter().any(|known| known == id) {
            self.letters.push(id.to_owned());
        }
        let letter = self.letters.iter().position(|known| known == id).unwrap();
        char::from(b'A' + u8::try_from(letter).unwrap())
    }

    fn line(&mut self, alert: &Alert) -> String {
        let letter = self.letter(&alert.alert_id);
        let wide = if alert.reasons.iter().any(|r| !r.places.is_empty()) {
            format!(" @{}", alert.place.id)
        } else {
            String::new()
        };
        let part_of = alert.part_of.as_ref().map_or(String::new(), |id| format!(" >{}", self.letter(id)));
        let reason = |r: &chorus_model::Reason| match r.status {
            AlertStatus::Firing => r.rule.to_string(),
            AlertStatus::Resolved => format!("-{}", r.rule),
        };
        let at = alert.updated_at.since(second(0)).as_micros() / 1_000_000;
        format!(
            "{at} {letter}.{} {} {} {}: {}{wide}{part_of}{}",
            alert.revision,
            alert.status.as_str(),
            alert.severity.as_str(),
            alert.kind,
            alert.reasons.iter().map(reason).collect::<Vec<_>>().join(" "),
            if alert.is_test { " (test)" } else { "" }
        )
    }
}

/// Plays a script.
pub(super) fn play(script: &str) -> Story {
    Story::of(&script.lines().filter(|line| !line.trim().is_empty()).map(parse).collect::<Vec<_>>())
}

/// Plays a script and compares every revision.
#[track_caller]
pub(super) fn tells(script: &str, expected: &[&str]) -> Story {
    let mut story = play(script);
    let lines: Vec<String> = story.alerts.clone().iter().map(|alert| story.line(alert)).collect();
    assert_eq!(lines, expected);
    story
}
