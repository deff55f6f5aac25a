//! Which alerts a destination gets. Pure, and without memory: an alert is judged by what this revision says.

use chorus_model::{Alert, Severity};

/// Less grave than the destination wants.
pub const BELOW_SEVERITY: &str = "below_severity";
/// A drill, and the destination is a real desk.
pub const DRILL: &str = "drill";
/// The record is no alert.
pub const BAD_ALERT: &str = "bad_alert";

/// What a destination wants.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Nothing below.
    pub min_severity: Severity,
    /// Drills as well.
    pub drills: bool,
}

impl Route {
    /// Why the alert is not for this destination; `None` when it is.
    #[must_use]
    pub fn filters(&self, alert: &Alert) -> Option<&'static str> {
        if alert.is_test && !self.drills {
            return Some(DRILL);
        }
        (alert.severity < self.min_severity).then_some(BELOW_SEVERITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destinations::samples;

    #[test]
    fn a_destination_gets_what_is_grave_enough_and_drills_only_on_demand() {
        let desk = Route { min_severity: Severity::High, drills: false };
        let range = Route { min_severity: Severity::High, drills: true };
        let alert = |severity, is_test| Alert { severity, is_test, ..samples::alert() };
        let table = [
            (desk, alert(Severity::Critical, false), None),
            (desk, alert(Severity::High, false), None),
            (desk, alert(Severity::Medium, false), Some(BELOW_SEVERITY)),
            (desk, alert(Severity::Critical, true), Some(DRILL)),
            (desk, alert(Severity::Info, true), Some(DRILL)),
            (range, alert(Severity::Critical, true), None),
            (range, alert(Severity::Info, true), Some(BELOW_SEVERITY)),
        ];
        for (route, alert, expected) in table {
            assert_eq!(route.filters(&alert), expected, "{route:?} {} {}", alert.severity.as_str(), alert.is_test);
        }
    }
}
