//! Which alerts a destination gets. Pure, and without memory: an alert is judged by what this revision says.

use chorus_model::{Alert, Severity, canary};

/// Less grave than the destination wants.
pub const BELOW_SEVERITY: &str = "below_severity";
/// A drill, and the destination is a real desk.
pub const DRILL: &str = "drill";
/// A canary, and the destination takes none.
pub const CANARY: &str = "canary";
/// The record is no alert.
pub const BAD_ALERT: &str = "bad_alert";

/// What a destination wants.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Nothing below.
    pub min_severity: Severity,
    /// Drills as well.
    pub drills: bool,
    /// Canaries, whatever the other two say.
    pub canaries: bool,
}

impl Route {
    /// Why the alert is not for this destination; `None` when it is.
    #[must_use]
    pub fn filters(&self, alert: &Alert) -> Option<&'static str> {
        if canary::of_alert(alert).is_some() {
            return (!self.canaries).then_some(CANARY);
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
        let desk = Route { min_severity: Severity::High, drills: false, canaries: true };
        let range = Route { min_severity: Severity::High, drills: true, canaries: false };
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
    fn a_canary_goes_by_its_own_setting_whatever_drills_and_severity_say() {
        for (drills, canaries) in [(false, true), (true, true), (false, false), (true, false)] {
            let route = Route { min_severity: Severity::Critical, drills, canaries };
            assert_eq!(route.filters(&samples::canary()), (!canaries).then_some(CANARY), "{route:?}");
            // A drill of another rule that joined the canary's alert is a drill, and what is real is real.
            let mut joined = samples::canary();
            joined.reasons.extend(samples::alert().reasons);
            assert_eq!(route.filters(&joined), Some(if drills { BELOW_SEVERITY } else { DRILL }), "{route:?}");
            let real = Alert { is_test: false, severity: Severity::Critical, ..samples::canary() };
            assert_eq!(route.filters(&real), None, "{route:?}");
        }
    }
}
