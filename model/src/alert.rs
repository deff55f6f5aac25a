//! What is pushed: one thing that a desk can act on, with revisions. The JSON of the public faces.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::place::county_of;
use crate::{PlaceKind, Severity, Text, Timestamp};

/// Whether the alert still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It stands.
    Firing,
    /// Every reason for it has ended.
    Resolved,
}

impl AlertStatus {
    /// The word used in JSON and queries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// The place as a desk wants to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertPlace {
    /// The registry's id, or the device's when its place is not known.
    pub id: Arc<str>,
    /// The registry's name, or the id.
    pub name: Arc<str>,
    /// What sort of place.
    pub kind: PlaceKind,
    /// Administrative division, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_code: Option<Arc<str>>,
}

impl AlertPlace {
    /// The county; see [`county_of`].
    #[must_use]
    pub fn county(&self) -> &str {
        county_of(self.division_code.as_deref())
    }
}

/// Why the alert stands: one condition that a rule found, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The rule.
    pub rule: Arc<str>,
    /// What it found.
    pub kind: Arc<str>,
    /// Holds, or has ended.
    pub status: AlertStatus,
    /// Which devices took part.
    pub devices: Vec<Arc<str>>,
    /// At which places, at most 32, where the alert is about a whole division; absent otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Arc<str>>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// How many events, or what was measured.
    pub count: f64,
    /// What was expected instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// Event ids, the latest last.
    pub evidence: Vec<String>,
    /// For the desk.
    pub summary: Text,
}

/// Where the case stands in the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    /// Came in; nobody has it.
    Reported,
    /// Somebody has it.
    Acknowledged,
    /// Somebody is on the way.
    Dispatched,
    /// Dealt with.
    Resolved,
    /// Checked.
    Verified,
    /// Filed.
    Closed,
}

/// What people did with it; added by the centre, never by the pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Where it stands.
    pub state: IncidentState,
    /// Since when.
    pub since: Timestamp,
}

/// One alert at one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// 1.
    pub schema_version: u16,
    /// Derived from the first anomaly.
    pub alert_id: String,
    /// 1 for the first, and one more with every change.
    pub revision: u32,
    /// Stands or resolved.
    pub status: AlertStatus,
    /// The kind of its worst reason.
    pub kind: Arc<str>,
    /// The worst of its reasons.
    pub severity: Severity,
    /// Where.
    pub place: AlertPlace,
    /// When the first reason began.
    pub starts_at: Timestamp,
    /// When the last change happened, in the time of the log.
    pub updated_at: Timestamp,
    /// When the last reason ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// For the desk.
    pub summary: Text,
    /// Why, the first first.
    pub reasons: Vec<Reason>,
    /// Receipt of the raw record (or the deadline) that tipped this revision; latency is measured from here.
    pub tipped_at: Timestamp,
    /// A drill: never shown to the desk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_test: bool,
    /// The alert about the whole division that has taken over what this one began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// What people did with it; only the centre adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
}

impl Alert {
    /// The key by which receivers recognise a repeat: `alert_id:revision`.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}:{}", self.alert_id, self.revision)
    }
}
