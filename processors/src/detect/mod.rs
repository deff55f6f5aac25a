//! Events to anomalies.
//!
//! One [`Detector`] works on one input partition. Its state is kept by event key (the place, or the device when the place is not
//! known); each key's state names the offset up to which it has been applied, so that a key restored ahead of the replay skips
//! what it already holds. Windows are on the event's effective time; deadlines are on the time of receipt and are judged only
//! when the frontier has passed them.

mod absence;
mod baseline;
pub mod canary;
mod cases;
mod cel;
mod count;
pub mod counts;
mod devices;
mod engine;
mod event_id;
mod file;
mod finding;
mod flap;
mod guard;
mod immediate;
mod index;
mod load;
mod pack;
mod publication;
pub(crate) mod replay;
pub mod reserved;
mod rhythm;
mod roster;
mod rules;
mod seen;
mod sequence;
mod setup;
mod silence;
mod state;
mod stats;
mod task;
#[cfg(test)]
mod tests;
mod timers;
mod usual;
mod value;
pub mod values;
mod withdraw;
mod world;

use std::path::PathBuf;

use chorus_model::Span;
use chorus_runtime::Fate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use cases::{Case, run_tests};
pub use engine::{Detector, Found};
pub(crate) use finding::stamp;
pub use load::RuleError;
pub use publication::{File, Publication, Refused};
pub use roster::{Roster, RosterError};
pub use rules::{Rule, RuleSet};
pub use setup::Setup;
pub use task::DetectTask;

/// The JSON Schema of rule files, for editors.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(file::File)
}

/// `ce_source` of anomalies.
pub const SOURCE: &str = "/chorus/detect";

/// No rule looks at events of this kind, feed or sort of place.
pub const NO_RULE: Fate = Fate::Filtered("no_rule");
/// A rule looked, and found nothing to say.
pub const NO_ANOMALY: Fate = Fate::Filtered("no_anomaly");
/// The record is no canonical event.
pub const BAD_EVENT: Fate = Fate::Filtered("bad_event");
/// Rules and a roster that came into force, or were in force already.
pub const RULES: Fate = Fate::Filtered("rules");
/// A publication that cannot come into force; the rules before it stay.
pub const BAD_RULES: Fate = Fate::Filtered("bad_rules");
/// Every fate that a record may have here.
pub const FATES: &[Fate] = &[Fate::Forwarded, Fate::Duplicate, NO_RULE, NO_ANOMALY, BAD_EVENT, RULES, BAD_RULES];

/// The section `detect` of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Rule files, and directories of them.
    pub rules: Vec<PathBuf>,
    /// Duties and their calendars; needed by rules of the type `absence`.
    pub roster: Option<PathBuf>,
    /// How often changed state is written; a restart replays one such interval.
    pub snapshot_every: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rules: Vec::new(), roster: None, snapshot_every: Span::from_secs(30) }
    }
}
