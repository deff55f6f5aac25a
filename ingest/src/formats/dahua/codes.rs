//! What the words and numbers of Dahua mean.

use chorus_model::Kind;

use super::super::doc;

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It begins and ends: `action` gives the phase. A class of object and a remark may go with it.
    Lasting(Kind, Option<&'static str>, Option<&'static str>),
    /// It has no length.
    Pulse(Kind, Option<&'static str>, Option<&'static str>),
    /// An attempt at a door: `Status` and `ErrorCode` tell how it ended.
    Access,
    /// A fingerprint: number 0 is refused.
    Fingerprint,
    /// A door's contact: `Status` tells which way.
    Door,
    /// The light of a door station's key: `State` tells why.
    KeyLight,
    /// A sensor of an indoor station: `SenseMethod` tells which.
    Sensor,
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Meaning::{Access, Door, Filtered, Fingerprint, KeyLight, Lasting, Pulse, Sensor};

const fn lasting(kind: Kind) -> Meaning {
    Lasting(kind, None, None)
}

const fn remark(kind: Kind, flag: &'static str) -> Meaning {
    Lasting(kind, None, Some(flag))
}

/// The codes of the event manager in lower case, with what they say.
#[rustfmt::skip]
const WORDS: &[(&[&str], Meaning)] = &[
    (&["videomotion", "motiondetect", "pirvideomotion", "pirmotion", "piralarm", "intelliframe"],
     lasting(Kind::MotionDetected)),
    (&["smartmotionhuman"], Lasting(Kind::MotionDetected, Some("person"), None)),
    (&["smartmotionvehicle"], Lasting(Kind::MotionDetected, Some("vehicle"), None)),
    (&["movedetection"], remark(Kind::MotionDetected, "fast_movement")),
    (&["fightdetection"], remark(Kind::MotionDetected, "violent_motion")),
    (&["crosslinedetection"], lasting(Kind::IntrusionLine)),
    (&["crossfencedetection", "climbdetection"], remark(Kind::IntrusionLine, "climb_over")),
    (&["crossregiondetection", "radarregiondetection"], lasting(Kind::IntrusionArea)),
    (&["wanderdetection", "staydetection"], lasting(Kind::Loitering)),
    (&["leftdetection"], lasting(Kind::ObjectLeft)),
    (&["takenawaydetection"], lasting(Kind::ObjectRemoved)),
    (&["rioterdetection", "crowddetection", "queuenumdetection", "mannumdetection"], lasting(Kind::CrowdDensity)),
    (&["parkingdetection", "trafficparking"], Lasting(Kind::VehicleDwell, Some("vehicle"), None)),
    (&["tumbledetection", "falldetection"], remark(Kind::TagFall, "by_camera")),
    (&["taildetection"], lasting(Kind::AccessTailgating)),
    (&["firedetection", "firewarning", "heatimagingfire"], lasting(Kind::FireAlarm)),
    (&["smokedetection", "smokingsensor"], remark(Kind::FireAlarm, "smoke")),
    (&["heatimagingtemper", "temperaturealarm", "hightemperature", "lowtemperature"],
     remark(Kind::EnvironmentAlarm, "temperature")),
    (&["numberstat", "humannumberstat"], Pulse(Kind::CountFlow, None, None)),
    (&["videoloss"], lasting(Kind::VideoLoss)),
    (&["videoblind"], lasting(Kind::CameraTamper)),
    (&["videounfocus"], remark(Kind::CameraTamper, "defocus")),
    (&["videoabnormaldetection", "scenechange", "sensechange", "cameramove"],
     remark(Kind::CameraTamper, "scene_change")),
    (&["chassisintruded", "tamper", "antitamper"], lasting(Kind::CameraTamper)),
    (&["alarmlocal", "alarmextended", "alarmnet", "alarmipc", "alarmlocaltimeout"], lasting(Kind::InputChanged)),
    (&["urgencybutton", "emergencycall"], lasting(Kind::PanicButton)),
    (&["passiveinfrared", "alarmbypass"], lasting(Kind::IntrusionZone)),
    (&["accesscontrol", "_accesscontrol_"], Access),
    (&["fingerprintcheck"], Fingerprint),
    (&["doorstatus"], Door),
    (&["backkeylight"], KeyLight),
    (&["profilealarmtransmit"], Sensor),
    (&["breakin"], lasting(Kind::DoorForced)),
    (&["doornotclosed", "notclose", "dooropentimeout"], lasting(Kind::DoorHeldOpen)),
    (&["duress"], Pulse(Kind::AccessDuress, None, None)),
    (&["repeatenter"], Pulse(Kind::AccessDenied, None, Some("anti_passback"))),
    (&["malicious", "maliciousaccesscontrol"], Pulse(Kind::AccessDenied, None, Some("max_attempts"))),
    (&["armmodechange", "areaarmmodechange"], Pulse(Kind::ArmingChanged, None, Some("audit"))),
    (&["trafficjunction", "trafficgate", "traffictollgate", "trafficmanualsnap", "trafficcarmeasurement",
       "platedetect", "vehiclerecognition"], Pulse(Kind::VehiclePassed, Some("vehicle"), None)),
    (&["trafficoverspeed"], Pulse(Kind::VehiclePassed, Some("vehicle"), Some("overspeed"))),
    (&["trafficretrograde", "trafficwrongroute"], Pulse(Kind::VehicleWrongWay, Some("vehicle"), None)),
    (&["trafficpedestrain"], Pulse(Kind::ObjectDetected, Some("person"), None)),
    (&["storagefailure", "storagenotexist", "storagelowspace", "storageerror", "hotspare"],
     remark(Kind::DeviceFault, "storage")),
    (&["ipconflict", "macconflict"], remark(Kind::DeviceFault, "network")),
    (&["loginfailure", "userlockevent"], remark(Kind::DeviceFault, "illegal_login")),
    (&["powerfault", "batterylowpower", "lowbattery"], remark(Kind::DeviceFault, "power")),
    (&["fanspeed", "cpuovertemperature"], remark(Kind::DeviceFault, "cooling")),
    (&["netabort", "devicedisconnect"], lasting(Kind::DeviceOffline)),
    (&["reboot", "systemstartup"], Pulse(Kind::DeviceOnline, None, Some("restarted"))),
    (&["heartbeat", "keepalive"], Pulse(Kind::DeviceHeartbeat, None, None)),
    // Nothing of a face passes, not even that there was one; nor what a person looks like.
    (&["facedetection", "facerecognition", "facefeatureabstract", "faceanalysis", "humantrait", "facesnap"],
     Filtered("face_record")),
    (&["audiomutation", "audioanomaly", "audiointensity"], Filtered("audio")),
    (&["invite", "ignoreinvite", "callnoanswered", "_callnoanswer_", "phonecalldetect", "hungupphone",
       "passivehungup", "hungup", "cancelcall", "callsnap", "requestcallstate", "_dotalkaction_", "videotalk",
       "sip_invite"], Filtered("doorbell")),
    (&["doorcard", "accesssnap", "accessidentify"], Filtered("authentication_step")),
    (&["doorcontrol"], Filtered("operator_log")),
    (&["timechange", "ntpadjusttime", "dgserrortime"], Filtered("clock")),
    (&["sipregisterresult", "rtspsessiondisconnect", "clientconnection", "networkchange", "apconnect",
       "netmonitorabort", "newfile", "updatefile", "remoteip"], Filtered("network")),
    (&["backlighton", "backlightoff", "keeplighton", "lefunctionstatussync", "infraredstate"], Filtered("indicator")),
    (&["configchange", "systemstate", "recordchange", "recorddelete", "upgradestate", "autoadjustment"],
     Filtered("configuration")),
    (&["videomotioninfo", "mdresult", "firewarninginfo", "storagechange", "storageformat", "ptzstatus",
       "positionstatus", "traffictallysnap"], Filtered("data")),
    (&["trafficparkingspaceparking", "trafficparkingspacenoparking", "parkingspacedetection"],
     Filtered("parking_space")),
];

/// The meaning of a code of the event manager, whatever its case.
pub(super) fn by_word(word: &str) -> Option<Meaning> {
    let found = WORDS.iter().find(|(words, _)| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
    found.map(|(_, meaning)| *meaning)
}

/// The tables of the format's page.
pub(super) fn tables() -> [doc::Table; 2] {
    let words = WORDS.iter().map(|(words, meaning)| std::iter::once(words.join(", ")).chain(meaning.says()).collect());
    let number = |number: u32| Some((number, by_number(i64::from(number))?.says().to_vec()));
    [
        doc::Table { title: "`Code`, in any case", columns: &["code", "kind", "phase", "flag"], rows: words.collect() },
        doc::Table {
            title: "Alarm types of the platform",
            columns: &["number", "kind", "phase", "flag"],
            rows: doc::ranges((0..2_000).filter_map(number), |number| number.to_string()),
        },
    ]
}

impl Meaning {
    /// For the page of the format: kind, phase, flag.
    fn says(self) -> [String; 3] {
        let of_class =
            |kind: Kind, class: Option<&str>| class.map_or(kind.to_string(), |class| format!("{kind} ({class})"));
        let [kind, phase, flag] = match self {
            Lasting(kind, class, flag) => return [of_class(kind, class), "by `action`".to_owned(), doc::cell(flag)],
            Pulse(kind, class, flag) => return [of_class(kind, class), "pulse".to_owned(), doc::cell(flag)],
            Filtered(word) => return [format!("filtered: {word}"), String::new(), String::new()],
            Access => ["access.granted, access.denied", "by `Status` and `ErrorCode`", ""],
            Fingerprint => ["access.granted, access.denied", "number 0 is refused", ""],
            Door => ["door.opened, door.closed", "by `Status`", ""],
            KeyLight => ["by `State`", "", ""],
            Sensor => ["by `SenseMethod`", "by `action`", ""],
        };
        [kind.to_owned(), phase.to_owned(), flag.to_owned()]
    }
}

/// What a sensor of an indoor station watches.
pub(super) fn by_sense_method(method: &str) -> Kind {
    match method.to_ascii_lowercase().as_str() {
        "urgencybutton" | "emergencybutton" => Kind::PanicButton,
        "smokingsensor" | "smokesensor" => Kind::FireAlarm,
        "gassensor" | "floodssensor" | "watersensor" => Kind::EnvironmentAlarm,
        "callbutton" => Kind::MedicalCall,
        _ => Kind::IntrusionZone,
    }
}

/// The alarm types of the platform (DSS, ICC). Below 300 they are the platform's own; from 300 on, those of intelligent
/// devices, 300 above the number that the maker's device SDK gives them. Both are known from the SDK's headers only.
pub(super) fn by_number(number: i64) -> Option<Meaning> {
    Some(match number {
        1 => lasting(Kind::VideoLoss),
        2 => lasting(Kind::InputChanged),
        3 => lasting(Kind::MotionDetected),
        4 => lasting(Kind::CameraTamper),
        5 | 6 => remark(Kind::DeviceFault, "storage"),
        13 | 16 => lasting(Kind::DeviceOffline),
        41 | 44 | 47 => Pulse(Kind::AccessDuress, None, None),
        42 | 45 | 51 => Pulse(Kind::AccessGranted, None, None),
        43 | 46 | 52 => Pulse(Kind::AccessDenied, None, None),
        53 => remark(Kind::DeviceFault, "contact"),
        54 => lasting(Kind::DoorForced),
        55 | 56 => Pulse(Kind::DoorClosed, None, None),
        57 => Pulse(Kind::DoorOpened, None, None),
        60 => lasting(Kind::DoorHeldOpen),
        81 => lasting(Kind::IntrusionZone),
        82 | 312 => lasting(Kind::FireAlarm),
        302 => lasting(Kind::IntrusionLine),
        303 => lasting(Kind::IntrusionArea),
        305 => lasting(Kind::ObjectLeft),
        306 | 307 => lasting(Kind::Loitering),
        308 => lasting(Kind::ObjectRemoved),
        309 => remark(Kind::MotionDetected, "fast_movement"),
        310 => lasting(Kind::AccessTailgating),
        311 => lasting(Kind::CrowdDensity),
        313 => remark(Kind::FireAlarm, "smoke"),
        314 => remark(Kind::MotionDetected, "violent_motion"),
        315 | 316 => Pulse(Kind::CountFlow, None, None),
        317..=320 => lasting(Kind::CameraTamper),
        323 => Pulse(Kind::VehiclePassed, Some("vehicle"), None),
        326 | 579 => Filtered("face_record"),
        856 => lasting(Kind::CrowdDensity),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_guide_have_their_kinds_whatever_their_case() {
        for (word, kind) in [
            ("VideoMotion", Kind::MotionDetected),
            ("CrossLineDetection", Kind::IntrusionLine),
            ("CROSSREGIONDETECTION", Kind::IntrusionArea),
            ("AlarmLocal", Kind::InputChanged),
            ("VideoLoss", Kind::VideoLoss),
            ("VideoBlind", Kind::CameraTamper),
            ("BreakIn", Kind::DoorForced),
            ("StorageFailure", Kind::DeviceFault),
        ] {
            assert!(matches!(by_word(word), Some(Lasting(known, _, _)) if known == kind), "{word}");
        }
        assert_eq!(by_word("AccessControl"), Some(Access));
        assert_eq!(by_word("DoorStatus"), Some(Door));
        assert_eq!(by_word("SomeFutureEvent"), None);
    }
}
