//! What a detector finds in the events of one place.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PlaceRef, Severity, Timestamp};

/// A sentence in the two languages of the desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Whether the condition holds or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnomalyStatus {
    /// It holds (again).
    Firing,
    /// It has ended.
    Resolved,
}

/// From how many places on the same is one thing. Neighbours are the places of one administrative division.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Together {
    /// The division of the finding's place at the level that the rule names: 6 digits for a county, 9 for a street, 12 for a
    /// community.
    pub division: Arc<str>,
    /// So many places.
    pub places: u16,
    /// How near in time it must begin, or be found, at them.
    pub within: crate::Span,
}

/// One finding of one rule or detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// 1.
    pub schema_version: u16,
    /// Derived from the condition and the event (or deadline) that tipped it.
    pub anomaly_id: String,
    /// The condition: rule, place and whatever else keeps two conditions apart (device, zone). A repeat and the end of the
    /// same condition carry the same one.
    pub condition: String,
    /// Holds, or has ended.
    pub status: AnomalyStatus,
    /// The rule that found it.
    pub rule: Arc<str>,
    /// The hash of the rules (and rosters) in force.
    pub rules_version: Arc<str>,
    /// What it is, as the rule names it: an event kind, or `anomaly.silence`, `anomaly.rate_spike`, …
    pub kind: Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub place: PlaceRef,
    /// Which devices took part.
    pub devices: Vec<Arc<str>>,
    /// From when, in the time of windows.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// How many events, or what was measured.
    pub count: f64,
    /// What was expected instead, where the detector has an expectation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// Ids of the events that show it, the latest last, at most [`MAX_EVIDENCE`].
    pub evidence: Vec<String>,
    /// For the desk.
    pub summary: Text,
    /// Receipt of the raw record that tipped it, or the deadline that passed.
    pub tipped_at: Timestamp,
    /// How far time had passed where its events stand: everything that their partition received before this was in. What fuse ends by
    /// time it ends by this, however late it comes to read it. Absent while that was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontier: Option<Timestamp>,
    /// How long without a repeat until the condition counts as over; absent when only an end ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_after: Option<crate::Span>,
    /// When the same at neighbouring places is to be one alert; absent when the rule does not ask for it, or the division of
    /// the place is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
    /// A drill: goes all the way and is never shown as real.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_test: bool,
}

/// The most evidence that one reason carries.
pub const MAX_EVIDENCE: usize = 16;
