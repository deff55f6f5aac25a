//! The roster of the city: one duty, due soon after the start, so that a viewer sees what a missing report looks like.

use chorus_model::{Span, Timestamp};

use super::City;
use super::script::DUE_AT;
use super::wire;

impl City {
    /// The id of the communities' duty to report that all is safe.
    pub const DUTY: &str = "community-all-safe";

    /// The roster for a city that starts at `start`: every community owes its all-clear 14 seconds later, rounded up to a
    /// whole second, on that one day. A run of more than a day has no second one, for nobody would report.
    #[must_use]
    pub fn roster_yaml(start: Timestamp) -> String {
        let due = wire::local(start.plus(DUE_AT).plus(Span::from_micros(999_999)));
        format!(
            "# Made by the simulated city: the all-clear of its communities is due {DUE_AT} after its start.\n\
             duties:\n  - id: {}\n    kinds: [community]\n    due: \"{}\"\n    opens: 1h\n    days: [\"{}\"]\n\
             # Nobody walks the simulated villages; the shipped rules name the duty.\n  \
             - id: village-night-patrol\n    kinds: [village]\n    due: \"03:00\"\n    days: [\"2100-01-01\"]\n",
            Self::DUTY,
            due.time(),
            due.date(),
        )
    }
}
