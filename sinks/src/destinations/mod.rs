//! What is sent where: an alert to a message. A destination is one file and one row of [`DESTINATIONS`].
//!
//! The code here is pure: it reads no clock and sends nothing, so that each attempt can be made anew and looked at in a test.

pub mod alertmanager;
pub mod centre;

use std::fmt;

use chorus_model::{Alert, Timestamp};
use reqwest::header::{HeaderMap, HeaderValue};

use crate::Settings;

/// A setting that cannot be used: (key, message). Never shows a secret.
pub type Problem = (&'static str, String);

/// One type of destination.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the settings.
    pub name: &'static str,
    /// The keys that it has beyond those that all have.
    pub keys: &'static [&'static str],
    /// Whether it takes canaries unless the settings say otherwise.
    pub canary: bool,
    /// Reads its secrets and settles its form.
    ///
    /// # Errors
    /// The key that is missing or cannot be used.
    pub open: fn(&Settings) -> Result<Box<dyn Form>, Problem>,
}

/// Every type of destination.
pub static DESTINATIONS: &[Kind] = &[
    Kind { name: centre::NAME, keys: centre::KEYS, canary: true, open: centre::open },
    // It knows no canaries: whatever stands there may page somebody, every minute.
    Kind { name: alertmanager::NAME, keys: alertmanager::KEYS, canary: false, open: alertmanager::open },
];

/// The type with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Kind> {
    DESTINATIONS.iter().find(|kind| kind.name == name)
}

/// The names of all types.
#[must_use]
pub fn names() -> Vec<&'static str> {
    DESTINATIONS.iter().map(|kind| kind.name).collect()
}

/// How alerts look at a destination.
pub trait Form: fmt::Debug + Send + Sync {
    /// Where it takes them, below the configured address.
    fn path(&self) -> &'static str;

    /// The message for one attempt at `now`.
    fn message(&self, outgoing: &Outgoing, now: Timestamp) -> Message;
}

/// An alert on its way out.
pub struct Outgoing {
    /// What it says.
    pub alert: Alert,
    /// Its JSON as it stands in the log.
    pub json: Vec<u8>,
    /// By which a receiver recognises a repeat, fit for a header.
    pub idempotency_key: HeaderValue,
}

impl Outgoing {
    /// Reads a record of `alerts`; `None` when it is no alert, or one without an id that fits into a header.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let alert: Alert = serde_json::from_slice(json).ok()?;
        if alert.alert_id.is_empty() || !alert.alert_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let idempotency_key = HeaderValue::try_from(alert.idempotency_key()).ok()?;
        Some(Self { alert, json: json.to_owned(), idempotency_key })
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("idempotency_key", &self.idempotency_key).finish_non_exhaustive()
    }
}

/// What one attempt posts: JSON with headers.
pub struct Message {
    /// Beyond `Content-Type: application/json`; secrets among them are marked sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// A header value that no log may show.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
pub(crate) mod samples {
    use chorus_model::alert::{AlertPlace, AlertStatus};
    use chorus_model::{Alert, PlaceKind, Reason, Severity, Text};

    use super::Outgoing;

    /// A standing alert at revision 1.
    pub(crate) fn alert() -> Alert {
        let text = |zh: &str, en: &str| Text { zh: zh.to_owned(), en: en.to_owned() };
        Alert {
            schema_version: 1,
            alert_id: "0f3b".to_owned(),
            revision: 1,
            status: AlertStatus::Firing,
            kind: "fire.alarm".into(),
            severity: Severity::High,
            place: AlertPlace {
                id: "hospital-7".into(),
                name: "第七医院".into(),
                kind: PlaceKind::Hospital,
                division_code: Some("360102001".into()),
            },
            starts_at: "2026-11-25T08:00:00Z".parse().unwrap(),
            updated_at: "2026-11-25T08:00:05Z".parse().unwrap(),
            ends_at: None,
            summary: text("走廊火警", "fire in a corridor"),
            reasons: vec![Reason {
                rule: "hospital-fire".into(),
                kind: "fire.alarm".into(),
                status: AlertStatus::Firing,
                devices: vec!["panel-1".into()],
                places: Vec::new(),
                from: "2026-11-25T08:00:00Z".parse().unwrap(),
                to: "2026-11-25T08:00:05Z".parse().unwrap(),
                count: 1.0,
                expected: None,
                evidence: vec!["e1".to_owned()],
                summary: text("火警", "fire"),
            }],
            tipped_at: "2026-11-25T08:00:05Z".parse().unwrap(),
            is_test: false,
            part_of: None,
            incident: None,
        }
    }

    /// A canary's at revision 1.
    pub(crate) fn canary() -> Alert {
        let mut alert = Alert { is_test: true, severity: Severity::Info, kind: "device.heartbeat".into(), ..alert() };
        alert.place.id = "canary-gate-360102".into();
        alert.place.kind = PlaceKind::Other;
        for reason in &mut alert.reasons {
            reason.rule = chorus_model::canary::NAME.into();
        }
        alert
    }

    /// As it comes out of the log.
    pub(crate) fn outgoing(alert: &Alert) -> Outgoing {
        Outgoing::read(&serde_json::to_vec(alert).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_alert_or_has_no_usable_id_is_not_sent() {
        for id in ["", "a b", "a\r\nX-Evil: 1", "告警"] {
            let alert = Alert { alert_id: id.to_owned(), ..samples::alert() };
            assert!(Outgoing::read(&serde_json::to_vec(&alert).unwrap()).is_none(), "{id:?}");
        }
        assert!(Outgoing::read(b"").is_none());
        assert!(Outgoing::read(b"{}").is_none());
    }

    #[test]
    fn neither_an_alert_nor_a_message_shows_itself() {
        let outgoing = samples::outgoing(&samples::alert());
        let message = Message { headers: HeaderMap::new(), body: outgoing.json.clone() };
        let shown = format!("{outgoing:?} {message:?}");
        assert!(shown.contains("0f3b:1") && !shown.contains("hospital") && !shown.contains("fire"), "{shown}");
    }
}
