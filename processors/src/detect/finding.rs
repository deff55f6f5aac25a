//! From a finding to an anomaly: ids, summaries, and the episodes that keep a storm from becoming a flood.

use std::sync::{Arc, OnceLock};

use chorus_model::anomaly::MAX_EVIDENCE;
use chorus_model::{Anomaly, AnomalyStatus, Passage, PlaceRef, Severity, Span, Text, Timestamp, id};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::event_id::EventId;
use super::rules::Rule;
use super::seen::Seen;

/// What a summary may name.
pub(crate) const PLACEHOLDERS: [&str; 9] =
    ["place", "kind", "devices", "count", "from", "to", "expected", "within", "why"];
/// A condition that goes on is told again after this time, or when its count has doubled.
pub(crate) const RETELL: Span = Span::from_secs(60);

/// The most devices that an anomaly names.
const MOST_DEVICES: usize = 64;

/// The city's own time zone.
pub(crate) fn zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(|| TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)).clone()
}

/// An instant in the city's own time.
pub(crate) fn local(instant: Timestamp) -> Option<jiff::civil::DateTime> {
    Some(zone().to_datetime(instant.to_jiff()?))
}

/// What tipped an anomaly: an event or a deadline.
#[derive(Clone, Debug)]
pub(crate) struct Tip {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
}

impl Tip {
    pub(crate) fn event(seen: &Seen<'_>) -> Self {
        Self { id: seen.event.event_id.clone(), at: seen.event.received_at }
    }

    pub(crate) fn deadline(at: Timestamp) -> Self {
        Self { id: at.to_string(), at }
    }
}

/// What a handler writes its findings to.
pub(crate) struct Turn<'a> {
    pub(crate) version: &'a Arc<str>,
    pub(crate) key: &'a str,
    pub(crate) place: &'a PlaceRef,
    pub(crate) out: Vec<Anomaly>,
}

/// Says of each anomaly of a record how far time had passed.
pub(crate) fn stamp(anomalies: &mut [Anomaly], passage: Passage) {
    for anomaly in anomalies {
        anomaly.frontier = passage.at(anomaly.tipped_at);
    }
}

/// One finding of a rule.
pub(crate) struct Finding<'a> {
    pub(crate) by: &'a str,
    pub(crate) status: AnomalyStatus,
    /// The kind unless the rule names one.
    pub(crate) kind: &'a str,
    /// The severity unless the rule names one.
    pub(crate) severity: Severity,
    pub(crate) devices: &'a [Arc<str>],
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) count: f64,
    pub(crate) expected: Option<f64>,
    /// In words, where a detector has some.
    pub(crate) why: Option<Text>,
    pub(crate) evidence: &'a [String],
    pub(crate) tip: Tip,
    pub(crate) is_test: bool,
}

impl Turn<'_> {
    pub(crate) fn tell(&mut self, rule: &Rule, finding: Finding<'_>) {
        let condition = format!("{}|{}|{}", rule.id, self.key, finding.by);
        let status = match finding.status {
            AnomalyStatus::Firing => "firing",
            AnomalyStatus::Resolved => "resolved",
        };
        let kind = rule.kind.clone().unwrap_or_else(|| Arc::from(finding.kind));
        let why = |of: fn(&Text) -> &str| finding.why.as_ref().map_or("-", of);
        let (zh, en) = (why(|why| &why.zh), why(|why| &why.en));
        let fill = |text: &str, why: &str| fill(text, rule, &kind, &finding, why);
        let latest = finding.evidence.len().saturating_sub(MAX_EVIDENCE);
        self.out.push(Anomaly {
            schema_version: 1,
            anomaly_id: id::derive(&[&condition, status, &finding.tip.id]),
            condition,
            status: finding.status,
            rule: Arc::clone(&rule.id),
            rules_version: Arc::clone(self.version),
            summary: Text { zh: fill(&rule.summary.zh, zh), en: fill(&rule.summary.en, en) },
            kind,
            severity: rule.severity.unwrap_or(finding.severity),
            place: self.place.clone(),
            devices: finding.devices.iter().take(MOST_DEVICES).cloned().collect(),
            from: finding.from,
            to: finding.to,
            count: finding.count,
            expected: finding.expected,
            evidence: finding.evidence.get(latest..).unwrap_or_default().to_vec(),
            tipped_at: finding.tip.at,
            frontier: None,
            quiet_after: rule.quiet_after,
            together: rule.together.and_then(|together| together.of(self.place)),
            is_test: finding.is_test,
        });
    }
}

/// Fills the placeholders, all but `{place}`, which fuse fills with the registry's name.
fn fill(text: &str, rule: &Rule, kind: &str, finding: &Finding<'_>, why: &str) -> String {
    let number = |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    let time = |at: Timestamp| local(at).map_or_else(String::new, |at| at.strftime("%m-%d %H:%M").to_string());
    let replaced = |text: String, name: &str, value: &dyn Fn() -> String| {
        if text.contains(name) { text.replace(name, &value()) } else { text }
    };
    let mut filled = replaced(text.to_owned(), "{kind}", &|| kind.to_owned());
    filled = replaced(filled, "{devices}", &|| names(finding.devices));
    filled = replaced(filled, "{count}", &|| number(finding.count));
    filled = replaced(filled, "{from}", &|| time(finding.from));
    filled = replaced(filled, "{to}", &|| time(finding.to));
    filled = replaced(filled, "{expected}", &|| finding.expected.map_or_else(|| "-".to_owned(), number));
    filled = replaced(filled, "{why}", &|| why.to_owned());
    replaced(filled, "{within}", &|| rule.within().map_or_else(|| "-".to_owned(), |span| span.to_string()))
}

fn names(devices: &[Arc<str>]) -> String {
    let shown = devices.iter().take(3).map(|device| &**device).collect::<Vec<_>>().join(", ");
    match devices.len() {
        0 => "-".to_owned(),
        1..=3 => shown,
        more => format!("{shown} +{}", more - 3),
    }
}

/// A condition that holds, from its first event on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Episode {
    #[serde(rename = "f")]
    pub(crate) from: Timestamp,
    #[serde(rename = "t")]
    pub(crate) to: Timestamp,
    /// Receipt of the latest event.
    #[serde(rename = "l")]
    pub(crate) last: Timestamp,
    #[serde(rename = "n")]
    pub(crate) count: u64,
    #[serde(rename = "d")]
    pub(crate) devices: Vec<Arc<str>>,
    #[serde(rename = "e")]
    pub(crate) evidence: Vec<EventId>,
    #[serde(rename = "s")]
    pub(crate) severity: Severity,
    #[serde(rename = "k")]
    pub(crate) kind: Arc<str>,
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_test: bool,
    /// The count that was told last.
    #[serde(rename = "tn")]
    told: u64,
    /// Until when it lasted when it was told last.
    #[serde(rename = "tt")]
    told_to: Timestamp,
    /// What tipped it then.
    #[serde(rename = "ta")]
    told_at: Timestamp,
}

impl Episode {
    pub(crate) fn begin(seen: &Seen<'_>, kind: &str) -> Self {
        let event = seen.event;
        Self {
            from: seen.at,
            to: seen.at,
            last: event.received_at,
            count: 1,
            devices: vec![Arc::clone(seen.device)],
            evidence: vec![EventId::from(&*event.event_id)],
            severity: event.severity,
            kind: kind.into(),
            is_test: event.is_test,
            told: 0,
            told_to: seen.at,
            told_at: event.received_at,
        }
    }

    /// Puts what came before its first event in front; called from the latest to the earliest.
    pub(crate) fn precede(&mut self, at: Timestamp, event_id: &EventId, device: &Arc<str>) {
        self.from = self.from.min(at);
        self.to = self.to.max(at);
        self.count += 1;
        if self.evidence.len() < MAX_EVIDENCE {
            self.evidence.insert(0, event_id.clone());
        }
        if !self.devices.contains(device) && self.devices.len() < MAX_EVIDENCE {
            self.devices.insert(0, Arc::clone(device));
        }
    }

    pub(crate) fn add(&mut self, seen: &Seen<'_>) {
        let event = seen.event;
        self.from = self.from.min(seen.at);
        self.to = self.to.max(seen.at);
        self.last = self.last.max(event.received_at);
        self.count += 1;
        self.severity = self.severity.max(event.severity);
        if !self.devices.contains(seen.device) && self.devices.len() < MAX_EVIDENCE {
            self.devices.push(Arc::clone(seen.device));
        }
        self.show(&event.event_id);
    }

    /// Its end has come: that is no further happening, but it is evidence.
    pub(crate) fn end(&mut self, seen: &Seen<'_>) {
        self.to = self.to.max(seen.at);
        self.last = self.last.max(seen.event.received_at);
        self.show(&seen.event.event_id);
    }

    fn show(&mut self, event_id: &str) {
        if self.evidence.len() >= MAX_EVIDENCE {
            self.evidence.remove(0);
        }
        self.evidence.push(event_id.into());
    }

    /// True when the event is too late to belong to it.
    pub(crate) fn is_over(&self, at: Timestamp, quiet: Option<Span>) -> bool {
        quiet.is_some_and(|quiet| at > self.to.plus(quiet))
    }

    /// True when there is enough news to tell it again.
    pub(crate) fn has_news(&self) -> bool {
        self.count >= self.told.saturating_mul(2) || self.to >= self.told_to.plus(RETELL)
    }

    /// When untold repeats are told even if nothing more comes; else when a quiet condition is forgotten.
    pub(crate) fn wake(&self, quiet: Option<Span>) -> Option<Timestamp> {
        let retell = (self.count > self.told).then(|| self.told_at.plus(RETELL));
        retell.or_else(|| quiet.map(|quiet| self.last.plus(quiet)))
    }

    /// Tells untold repeats when their time has come. True when the episode is over and can be forgotten.
    pub(crate) fn pass(
        &mut self,
        rule: &Rule,
        by: &str,
        quiet: Option<Span>,
        passed: impl Fn(Timestamp) -> bool,
        turn: &mut Turn<'_>,
    ) -> bool {
        let retell = self.told_at.plus(RETELL);
        if self.count > self.told && passed(retell) {
            self.tell(rule, by, AnomalyStatus::Firing, Tip::deadline(retell), turn);
        }
        self.count == self.told && quiet.is_some_and(|quiet| passed(self.last.plus(quiet)))
    }

    pub(crate) fn tell(&mut self, rule: &Rule, by: &str, status: AnomalyStatus, tip: Tip, turn: &mut Turn<'_>) {
        (self.told, self.told_to, self.told_at) = (self.count, self.to, tip.at);
        let evidence: Vec<String> = self.evidence.iter().map(EventId::to_string).collect();
        turn.tell(
            rule,
            Finding {
                by,
                status,
                kind: &self.kind,
                severity: self.severity,
                devices: &self.devices,
                from: self.from,
                to: self.to,
                count: self.count as f64,
                expected: None,
                why: None,
                evidence: &evidence,
                tip,
                is_test: self.is_test,
            },
        );
    }
}
