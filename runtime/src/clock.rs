//! The clock of the process. Roles read it for what is about themselves: receipt, latency, signatures, age. What they make of a
//! record never depends on it (law 2 of the design), so the room `processors` has no use for it.

use chorus_model::Timestamp;

/// Now, in UTC.
#[must_use]
pub fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}
