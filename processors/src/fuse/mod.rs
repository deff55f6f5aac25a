//! Anomalies to alerts.
//!
//! One [`Fuser`] works on one input partition. Its state is kept by place (by device when the place is not known); each key's
//! state names the offset up to which it has been applied, so that a key restored ahead of the replay skips what it already
//! holds. The first anomaly makes the alert at once; what joins it, or changes what a desk would see, raises the revision.
//!
//! - A new condition joins the alert of its place when it was tipped, or began, within the window of one of the alert's
//!   reasons. Repeats do not stretch that: what has gone on for days does not swallow what begins today.
//! - A repeat is written only when a desk would see a difference: status, severity, devices, or a count that has doubled.
//! - Conditions end by an anomaly that says so, or by being quiet until the frontier has passed: that of all partitions of `events`, or, for
//!   what an anomaly finds at its place, that of its own partition, which the anomaly names. So the alerts of a place do not hang on
//!   which partition detect read first. With the last condition the alert is resolved; for one window more it can be reopened, then it
//!   is forgotten.
//! - Where a rule asks for it, the same at several places of a division is one alert, about the division: see [`area`].
//! - Drills and what is real never share an alert.
//!
//! Every time in an alert comes from the log. Names of places come from the registry as it is when a revision is written.

mod area;
mod engine;
mod names;
mod place;
mod reason;
mod standing;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod timers;

use chorus_model::Span;
use chorus_runtime::Fate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use engine::Fuser;
pub use task::FuseTask;

/// `ce_source` of alerts.
pub const SOURCE: &str = "/chorus/fuse";

/// A repeat in which a desk would see nothing new; the state keeps it.
pub const NO_CHANGE: Fate = Fate::Filtered("no_change");
/// The end of a condition that does not stand.
pub const NOTHING_TO_RESOLVE: Fate = Fate::Filtered("nothing_to_resolve");
/// The record is no anomaly.
pub const BAD_ANOMALY: Fate = Fate::Filtered("bad_anomaly");
/// Every fate that a record may have here.
pub const FATES: &[Fate] = &[Fate::Forwarded, Fate::Duplicate, NO_CHANGE, NOTHING_TO_RESOLVE, BAD_ANOMALY];

/// The most reasons that one alert lists; further conditions are merged into the reason of their rule.
pub const MAX_REASONS: usize = 32;
/// The most conditions that one alert holds, listed or merged; what comes then begins another alert.
pub const MAX_CONDITIONS: usize = 2_048;
/// The most devices that one reason names.
pub const MAX_DEVICES: usize = 32;

/// Begins the keys of areas in snapshots; no place's or device's key does.
const AREA: char = '\u{1}';

/// The section `fuse` of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How near in time anomalies of one place must be to become one alert, and how long a resolved alert can be reopened.
    pub window: Span,
    /// How often changed state is written; a restart replays one such interval.
    pub snapshot_every: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { window: Span::from_secs(300), snapshot_every: Span::from_secs(30) }
    }
}

impl Settings {
    /// What is wrong beyond shape: (path, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.window < Span::ZERO {
            found.push(("fuse.window".to_owned(), "may not be negative".to_owned()));
        }
        if self.snapshot_every <= Span::ZERO {
            found.push(("fuse.snapshot_every".to_owned(), "must be more than nothing".to_owned()));
        }
        found
    }
}
