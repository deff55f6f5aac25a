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
    /// Canaries, which are neither: they prove the way.
    pub canaries: bool,
}

impl Route {
    /// Why the alert is not for this destination; `None` when it is.
    #[must_use]
    pub fn filters(&self, alert: &Alert) -> Option<&'static str> {
        if alert.canary().is_some() {
            return (!self.canaries).then_some(DRILL);
        }
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
        let desk = Route { min_severity: Severity::High, drills: false, canaries: false };
        let range = Route { drills: true, ..desk };
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

    #[test]
    fn a_canary_goes_where_it_is_wanted_whatever_else_is() {
        let quiet = Route { min_severity: Severity::Critical, drills: false, canaries: true };
        let mut alert = samples::alert();
        (alert.is_test, alert.severity, alert.kind) = (true, Severity::Info, "canary".into());
        alert.place.id = "canary-gate-360102".into();
        assert_eq!(quiet.filters(&alert), None);
        assert_eq!(Route { drills: true, canaries: false, ..quiet }.filters(&alert), Some(DRILL));
        // What only looks like one is an alert as any other.
        alert.is_test = false;
        assert_eq!(quiet.filters(&alert), Some(BELOW_SEVERITY));
    }
}
