//! Topics, by their local names: `tns1:RuleEngine/tnsajax:MotionDetector/Detection` is `ruleengine/motiondetector/detection`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use chorus_model::Kind;

/// What a topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A boolean tells whether it lasts.
    Property(Kind),
    /// A boolean property of an object class.
    Object(&'static str),
    /// It has no length.
    Event(Kind),
    /// The classes that are seen, as a list of words; empty is none.
    ClassList,
    /// States in words, of a door.
    Door(Door),
    /// Decided by the name of the data item alone.
    ByItem,
    /// Known, and no safety event.
    Filtered(&'static str),
}

/// The states of a door that have words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Alarm,
    Mode,
    Physical,
    Lock,
    Tamper,
    Fault,
}

use Meaning::{ByItem, ClassList, Event, Filtered, Object, Property};

/// The topic as local names, lower case, parted by `/`.
pub(super) fn local_names(topic: &str) -> String {
    let mut names = String::with_capacity(topic.len());
    for (index, step) in topic.trim().split('/').enumerate() {
        if index > 0 {
            names.push('/');
        }
        names.push_str(step.rsplit(':').next().unwrap_or(step).trim());
    }
    names.make_ascii_lowercase();
    names
}

/// Topics by how they begin, in local names; the longest that fits counts.
#[rustfmt::skip]
pub(super) const TOPICS: &[(&[&str], Meaning)] = &[
    (&["accesscontrol/accessgranted"], Event(Kind::AccessGranted)),
    (&["accesscontrol/denied"], Event(Kind::AccessDenied)),
    (&["accesscontrol/duress"], Event(Kind::AccessDuress)),
    // What follows a grant: it has been counted already.
    (&["accesscontrol/accesstaken"], Filtered("access_taken")),
    (&["accesscontrol/accessnottaken"], Filtered("access_not_taken")),
    // PINs and card numbers on their way to a decision that comes as an event of its own.
    (&["accesscontrol/request", "idpoint"], Filtered("access_request")),
    (&["accesspoint/state/tampering"], Property(Kind::CameraTamper)),
    (&["accesspoint", "credential", "schedule", "authenticationprofile", "configuration"], Filtered("configuration")),
    (&["door/state/dooralarm"], Meaning::Door(Door::Alarm)),
    (&["door/state/doormode"], Meaning::Door(Door::Mode)),
    (&["door/state/doorphysicalstate"], Meaning::Door(Door::Physical)),
    (&["door/state/lockphysicalstate", "door/state/doublelockphysicalstate"], Meaning::Door(Door::Lock)),
    (&["door/state/doortamper"], Meaning::Door(Door::Tamper)),
    (&["door/state/doorfault"], Meaning::Door(Door::Fault)),
    (&["door/jammed", "door/fault"], Property(Kind::GateFault)),
    // `AlarmIn` is one maker's name for the same.
    (&["device/trigger/digitalinput", "device/trigger/alarmin"], Property(Kind::InputChanged)),
    (&["device/trigger/relay", "device/io/outputport", "device/io/output"], Property(Kind::GateState)),
    (&["device/io"], Property(Kind::InputChanged)),
    (&["device/hardwarefailure/temperaturecritical", "device/hardwarefailure/temperature"],
     Property(Kind::EnvironmentAlarm)),
    (&["device/hardwarefailure"], Property(Kind::DeviceFault)),
    (&["device/sensor/pir"], Property(Kind::MotionDetected)),
    (&["device/casing/open", "device/tampering", "device/shockdetected"], Property(Kind::CameraTamper)),
    (&["device/network/lost"], Property(Kind::DeviceOffline)),
    (&["device/network/ethernetbroken", "device/network/ipconflict"], Property(Kind::DeviceFault)),
    (&["device/ringpowerlimitexceeded", "device/poweroverlimit", "device/fan", "device/heater"],
     Property(Kind::DeviceFault)),
    (&["device/status", "device/network", "device/operationmode", "device/hardware"], Filtered("system_state")),
    (&["videosource/signalloss", "videosource/connectionfailed"], Property(Kind::VideoLoss)),
    (&["videosource/globalscenechange", "videosource/imagetooblurry", "videosource/imagetoodark",
       "videosource/imagetoobright", "videosource/tampering", "videosource/tamperingdetection"],
     Property(Kind::CameraTamper)),
    (&["videosource/motionalarm"], Property(Kind::MotionDetected)),
    (&["videosource/daynightvision", "videosource/livestreamaccessed", "videosource/abr", "videosource/autofocus"],
     Filtered("video_state")),
    (&["ruleengine/linedetector"], Event(Kind::IntrusionLine)),
    (&["ruleengine/fielddetector"], Property(Kind::IntrusionArea)),
    (&["ruleengine/loiteringdetector"], Property(Kind::Loitering)),
    (&["ruleengine/cellmotiondetector/motion", "ruleengine/motionregiondetector", "ruleengine/motiondetector",
       "ruleengine/motiondetection", "ruleengine/videomotiondetection", "ruleengine/vmd3"],
     Property(Kind::MotionDetected)),
    (&["ruleengine/countaggregation"], Event(Kind::CountFlow)),
    (&["ruleengine/tamperdetector", "ruleengine/maskalarm"], Property(Kind::CameraTamper)),
    (&["ruleengine/objectdetection"], ClassList),
    (&["ruleengine/recognition/licenseplate"], Event(Kind::VehiclePassed)),
    (&["ruleengine/recognition/face", "ruleengine/myruledetector/facedetect", "ruleengine/facedetector",
       "ruleengine/facedetection"], Filtered("face_record")),
    (&["ruleengine/myruledetector/visitor"], Filtered("doorbell")),
    (&["ruleengine/myruledetector/package"], Filtered("parcel")),
    // The item wins over these (one maker says People and means IsVehicle); where it says nothing, the topic does.
    (&["ruleengine/myruledetector/peopledetect", "ruleengine/peopledetector", "useralarm/iva/humanshapedetect"],
     Object("person")),
    (&["ruleengine/myruledetector/vehicledetect", "ruleengine/vehicledetector"], Object("vehicle")),
    (&["ruleengine/myruledetector/dogcatdetect", "ruleengine/petdetector"], Object("animal")),
    (&["ruleengine/cellmotiondetector", "ruleengine/tpsmarteventdetector"], ByItem),
    (&["cameraapplicationplatform/vmd"], Property(Kind::MotionDetected)),
    (&["cameraapplicationplatform/motionguard"], Property(Kind::IntrusionArea)),
    (&["cameraapplicationplatform/fenceguard"], Property(Kind::IntrusionLine)),
    (&["cameraapplicationplatform/loiteringguard"], Property(Kind::Loitering)),
    (&["cameraapplicationplatform/objectanalytics"], Property(Kind::ObjectDetected)),
    (&["storage/alert", "storage/disruption"], Property(Kind::DeviceFault)),
    (&["storage", "recordingconfig", "recordinghistory"], Filtered("recording_state")),
    (&["ptzcontroller", "ptz"], Filtered("ptz_state")),
    (&["audiosource", "audioanalytics", "mediaclip"], Filtered("audio")),
    (&["media", "lightcontrol", "light", "monitoring", "advancedsecurity"], Filtered("configuration")),
    // What makers put under `UserAlarm`; the rest of it are schedules.
    (&["useralarm/videolost", "useralarm/videoloss"], Property(Kind::VideoLoss)),
    (&["useralarm/videomove", "useralarm/videomotion"], Property(Kind::MotionDetected)),
    (&["useralarm/videomask", "useralarm/videoblind"], Property(Kind::CameraTamper)),
    (&["useralarm/illegalaccess"], Property(Kind::DeviceFault)),
    (&["useralarm/iva"], ByItem),
    (&["useralarm", "virtualinput", "recurringpulse", "scheduledevent"], Filtered("schedule")),
];

/// [`TOPICS`], to be asked by name.
static BY_BEGIN: LazyLock<HashMap<&'static str, Meaning>> = LazyLock::new(|| {
    TOPICS.iter().flat_map(|(begins, meaning)| begins.iter().map(|begin| (*begin, *meaning))).collect()
});

/// The meaning of a topic in local names. What stands under `VideoAnalytics` is what others put under `RuleEngine`.
pub(super) fn by_topic(topic: &str) -> Option<Meaning> {
    let topic = match topic.strip_prefix("videoanalytics/") {
        Some(rest) => Cow::Owned(format!("ruleengine/{rest}")),
        None => Cow::Borrowed(topic),
    };
    let mut begin: &str = &topic;
    loop {
        if let Some(meaning) = BY_BEGIN.get(begin) {
            return Some(*meaning);
        }
        begin = begin.rsplit_once('/')?.0;
    }
}

impl Meaning {
    /// For the page of the format: kind and phase.
    pub(super) fn says(self) -> [String; 2] {
        let [kind, phase] = match self {
            Property(kind) => [kind.as_str(), "start, end; sync when it is initialised"],
            Object(class) => {
                return [format!("object.detected ({class})"), "start, end; sync when it is initialised".to_owned()];
            }
            Event(kind) => [kind.as_str(), "pulse; sync when it is initialised"],
            ClassList => ["object.detected", "start per class, end when none is left"],
            Meaning::Door(Door::Alarm) => ["door.forced, door.held_open", "start; `Normal` ends both"],
            Meaning::Door(Door::Mode) => ["gate.state", "start open, end closed"],
            Meaning::Door(Door::Physical) => ["door.opened, door.closed; a fault is gate.fault", "pulse"],
            Meaning::Door(Door::Lock) => ["gate.state; a fault is gate.fault", "start unlocked, end locked"],
            Meaning::Door(Door::Tamper) => ["camera.tamper", "start, end"],
            Meaning::Door(Door::Fault) => ["gate.fault", "start, end"],
            ByItem => ["by the name of the data item", ""],
            Filtered(word) => return [format!("filtered: {word}"), String::new()],
        };
        [kind.to_owned(), phase.to_owned()]
    }
}

/// What the name of a data item of the rule engine says; it wins over the topic.
pub(super) fn by_item(name: &str) -> Option<Meaning> {
    let found = ITEMS.iter().find(|(items, _)| items.iter().any(|item| item.eq_ignore_ascii_case(name)));
    found.map(|(_, meaning)| *meaning)
}

/// Names of data items, in lower case.
pub(super) const ITEMS: &[(&[&str], Meaning)] = &[
    (&["ismotion"], Property(Kind::MotionDetected)),
    (&["isinside", "isintrusion"], Property(Kind::IntrusionArea)),
    (&["islinecross"], Property(Kind::IntrusionLine)),
    (&["isloitering"], Property(Kind::Loitering)),
    (&["istamper"], Property(Kind::CameraTamper)),
    (&["ispeople", "isperson", "ishuman"], Object("person")),
    (&["isvehicle", "iscar"], Object("vehicle")),
    (&["ispet", "isanimal"], Object("animal")),
];

/// An object class in the words of the model; none for what is not an object of its own.
pub(super) fn class(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "human" | "person" | "people" | "face" => "person",
        "vehicle" | "car" | "truck" | "bus" | "licenseplate" => "vehicle",
        "bicycle" | "bike" | "motorcycle" | "motorbike" => "nonmotor",
        "animal" | "pet" | "dog" | "cat" => "animal",
        _ => return None,
    })
}
