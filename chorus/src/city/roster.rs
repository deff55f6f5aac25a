//! The roster of the city's duties.

use chorus_model::Timestamp;

use super::City;

impl City {
    /// The roster for a city that starts at `start`.
    #[must_use]
    pub fn roster_yaml(_start: Timestamp) -> String {
        String::new()
    }
}
