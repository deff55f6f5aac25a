//! The event types of UniFi Protect.

use chorus_model::Kind;

/// What a type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It begins and ends.
    Lasting(Kind),
    /// It has no length; a remark in a closed word may go with it.
    Pulse(Kind, Option<&'static str>),
    /// Something was recognised: the detected types tell what.
    Smart(Kind),
    /// A sound was recognised: the detected types tell which.
    Audio,
    /// A card, a finger: who, and not how it ended.
    Scan,
    /// A door was opened, or not: the metadata tell.
    DoorAccess,
    /// An alarm of a sensor: the metadata tell which.
    Alarm,
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Meaning::{Alarm, Audio, DoorAccess, Filtered, Lasting, Pulse, Scan, Smart};

/// The meaning of a type, if it is known.
pub(super) fn by_word(word: &str) -> Option<Meaning> {
    Some(match word {
        "motion" | "sensorMotion" | "lightMotion" | "alarmHubMotion" => Lasting(Kind::MotionDetected),
        "smartDetectZone" => Smart(Kind::ObjectDetected),
        "smartDetectLine" => Smart(Kind::IntrusionLine),
        "smartDetectLoiterZone" => Smart(Kind::Loitering),
        "smartAudioDetect" => Audio,
        "nfcCardScanned" | "fingerprintIdentified" => Scan,
        "doorAccess" => DoorAccess,
        "sensorAlarm" => Alarm,
        "sensorOpened" | "alarmHubEntryOpened" => Pulse(Kind::DoorOpened, None),
        "sensorClosed" | "alarmHubEntryClosed" => Pulse(Kind::DoorClosed, None),
        "doorlockOpened" => Pulse(Kind::GateState, Some("unlocked")),
        "doorlockClosed" => Pulse(Kind::GateState, Some("locked")),
        "sensorButtonPressed" | "alarmHubButtonPress" | "relayInputChanged" => Pulse(Kind::InputChanged, None),
        "sensorWaterLeak" => Lasting(Kind::EnvironmentAlarm),
        "sensorExtremeValues" => Pulse(Kind::EnvironmentAlarm, None),
        "alarmHubSmoke" => Lasting(Kind::FireAlarm),
        "alarmHubGlassBreak" => Pulse(Kind::IntrusionZone, Some("glass_break")),
        "sensorTamper" | "alarmHubTamper" => Lasting(Kind::CameraTamper),
        "sensorBatteryLow" | "doorlockBatteryLow" | "alarmHubBatteryLow" => Pulse(Kind::DeviceFault, Some("power")),
        "driveFailed" | "driveSlow" | "corruptedDbRecovered" => Pulse(Kind::DeviceFault, Some("storage")),
        "poorConnection" | "consolidatedPoorConnection" | "cameraUtilizationLimitExceeded" => {
            Pulse(Kind::DeviceFault, Some("network"))
        }
        "disconnect" | "cameraDisconnected" | "deviceDisconnected" | "networkDeviceOffline" | "offline" | "off" => {
            Pulse(Kind::DeviceOffline, None)
        }
        "cameraConnected" | "deviceConnected" => Pulse(Kind::DeviceOnline, None),
        "cameraRebooted" | "deviceRebooted" | "reboot" | "cameraPowerCycling" => {
            Pulse(Kind::DeviceOnline, Some("restarted"))
        }
        "sensorSmokeTest" => Filtered("test"),
        "ring" | "ringDisruptedConditions" => Filtered("doorbell"),
        "faceGroupDetected" => Filtered("face_record"),
        // What users do, and where they are (trap 11).
        "access"
        | "userLeft"
        | "userArrived"
        | "videoExported"
        | "videoDeleted"
        | "recordingDeleted"
        | "microphoneDisabled"
        | "devicesPasswordUpdated" => Filtered("operator_log"),
        "provision"
        | "factoryReset"
        | "update"
        | "fwUpdate"
        | "applicationUpdate"
        | "applicationUpdatable"
        | "deviceUpdatable"
        | "multipleDeviceUpdatable"
        | "deviceAdopted"
        | "deviceUnadopted"
        | "unadoptedDeviceDiscovered"
        | "multipleUnadoptedDeviceDiscovered"
        | "ufvDiscovered"
        | "hotplug"
        | "installed"
        | "recordingModeChanged"
        | "globalRecordingModeChanged"
        | "recordingScheduleChanged"
        | "nvrSettingsChanged"
        | "nonScheduledRecording"
        | "recordingOff"
        | "resolutionLowered"
        | "consolidatedResolutionLowered"
        | "streamRecovery"
        | "cameraUtilizationLimitReached"
        | "alarmHubRelaySwitched"
        | "alarmHubBatteryConnected" => Filtered("configuration"),
        _ => return None,
    })
}

/// The class of a detected type; none for faces.
pub(super) fn class(word: &str) -> Option<&'static str> {
    match word {
        "person" => Some("person"),
        "vehicle" | "car" | "licensePlate" => Some("vehicle"),
        "animal" | "pet" => Some("animal"),
        "package" => Some("package"),
        _ => None,
    }
}

/// What a recognised sound, or a sensor's alarm, is about; none for what is no safety event.
pub(super) fn sound(word: &str) -> Option<Kind> {
    match word {
        "alrmSmoke" | "smoke_cmonx" | "smoke" | "SMOKE" => Some(Kind::FireAlarm),
        "alrmCmonx" | "CO" | "co" => Some(Kind::EnvironmentAlarm),
        "alrmGlassBreak" | "alrmBurglar" | "glassBreak" => Some(Kind::IntrusionZone),
        _ => None,
    }
}
