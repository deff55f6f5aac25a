//! The closed list of what an event can be, its phase and its severity (feeds guide, section 5).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is. Ordered: `Info < Low < Medium < High < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, never worth waking anybody.
    Info,
    /// A small deviation.
    Low,
    /// To be looked at today.
    Medium,
    /// To be looked at now.
    High,
    /// Life or limb.
    Critical,
}

impl Severity {
    /// All severities, the lowest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in JSON, metrics and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Where in its life the thing is that an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It began.
    Start,
    /// It ended; closes what the start opened.
    End,
    /// It happened and has no length.
    Pulse,
    /// It still lasts (a repeat or an update of what was started).
    Continue,
    /// A statement of how things are, made at (re)connection; never counts as a happening.
    Sync,
}

impl Phase {
    /// The word used in JSON and in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Pulse => "pulse",
            Self::Continue => "continue",
            Self::Sync => "sync",
        }
    }
}

/// A word that is not in the closed list.
#[derive(Debug, thiserror::Error)]
#[error("unknown kind: not in the closed list of event kinds")]
pub struct KindError;

macro_rules! kinds {
    ($($variant:ident $name:literal $severity:ident $doc:literal)*) => {
        /// What happened. A closed list: a new kind is a new version of the event schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Kind {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            /// The whole list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in JSON, headers, rules and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The severity that the type alone gives, before any rule.
            #[must_use]
            pub const fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// One sentence on what the kind means.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }

        impl FromStr for Kind {
            type Err = KindError;
            fn from_str(text: &str) -> Result<Self, KindError> {
                match text { $($name => Ok(Self::$variant),)* _ => Err(KindError) }
            }
        }
    };
}

kinds! {
    AccessGranted "access.granted" Info "A credential was accepted."
    AccessDenied "access.denied" Low "A credential was refused."
    AccessDuress "access.duress" Critical "A credential was used under duress."
    DoorOpened "door.opened" Info "A door opened."
    DoorClosed "door.closed" Info "A door closed."
    DoorForced "door.forced" High "A door was opened without permission."
    DoorHeldOpen "door.held_open" Medium "A door stayed open too long."
    AccessTailgating "access.tailgating" Medium "More than one passed on one permission."
    ExitRequested "exit.requested" Info "An exit button was pressed."
    GateState "gate.state" Info "A gate or barrier changed its state."
    GateFault "gate.fault" Medium "A gate or barrier does not work."
    VehiclePassed "vehicle.passed" Info "A vehicle passed; no plate is kept."
    VehicleWrongWay "vehicle.wrong_way" Low "A vehicle went against the direction."
    VehicleDwell "vehicle.dwell" Low "A vehicle stood too long."
    InputChanged "input.changed" Info "A digital input changed; its meaning is the installer's."
    PanicButton "panic.button" Critical "A panic or one-key alarm was pressed."
    DuressSilent "duress.silent" Critical "A silent hold-up or duress alarm."
    MedicalCall "medical.call" High "A nurse or medical call."
    PatientDeviceAlarm "patient_device.alarm" Medium "A device at a patient raised an alarm; ward level only."
    IntrusionZone "intrusion.zone" High "A burglary zone of an alarm panel."
    IntrusionArea "intrusion.area" Medium "Something entered a guarded area."
    IntrusionLine "intrusion.line" Medium "Something crossed a guarded line."
    Loitering "loitering" Medium "Somebody stayed around."
    ObjectLeft "object.left" Medium "An object was left."
    ObjectRemoved "object.removed" Medium "An object was taken away."
    ObjectDetected "object.detected" Info "An object of a class was seen."
    CrowdDensity "crowd.density" Low "A crowd is dense."
    CountFlow "count.flow" Info "A count of passages."
    MotionDetected "motion.detected" Low "Motion in the picture."
    FireAlarm "fire.alarm" Critical "Fire, smoke or heat."
    FireFault "fire.fault" Medium "A fault of a fire system."
    FireLaneBlocked "fire.lane_blocked" Medium "A fire lane is blocked."
    EnvironmentAlarm "environment.alarm" Medium "Water, gas or temperature."
    TagSos "tag.sos" High "A worn tag called for help."
    TagFall "tag.fall" High "A worn tag fell."
    TagExit "tag.exit" Critical "An infant tag left its ward."
    TagTamper "tag.tamper" High "An infant tag was cut or taken off."
    ScreeningAlarm "screening.alarm" High "A security screening found something."
    PatrolCheckin "patrol.checkin" Info "A patrol reached a point."
    PatrolMissed "patrol.missed" Medium "A patrol did not reach a point."
    ReportEvent "report.event" Medium "A grid worker reported something."
    ReportAllSafe "report.all_safe" Info "A grid worker reported that all is safe."
    ReportMissing "report.missing" Medium "A due report did not come."
    OccupancyChanged "occupancy.changed" Info "The occupancy of a ward changed."
    ArmingChanged "arming.changed" Info "An alarm system was armed or disarmed."
    DeviceHeartbeat "device.heartbeat" Info "A device is there."
    DeviceOffline "device.offline" Medium "A device was reported unreachable."
    DeviceOnline "device.online" Info "A device was reported reachable again."
    DeviceFault "device.fault" Medium "A disk, power, clock or storage fault."
    VideoLoss "video.loss" Medium "A camera lost its picture."
    CameraTamper "camera.tamper" Medium "A camera was covered, turned or opened."
    ExternalWarning "external.warning" Medium "A warning from outside (weather, authorities)."
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_in_json_and_text() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), *kind);
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("door.exploded".parse::<Kind>().is_err());
    }
}
