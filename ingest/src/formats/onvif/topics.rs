//! Topics, by their local names: `tns1:RuleEngine/tnsajax:MotionDetector/Detection` is `ruleengine/motiondetector/detection`.

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
    let steps: Vec<&str> = topic.trim().split('/').map(|step| step.rsplit(':').next().unwrap_or(step).trim()).collect();
    steps.join("/").to_ascii_lowercase()
}

/// The meaning of a topic in local names.
pub(super) fn by_topic(topic: &str) -> Option<Meaning> {
    let steps: Vec<&str> = topic.split('/').collect();
    Some(match steps.as_slice() {
        ["accesscontrol", rest @ ..] => access_control(rest)?,
        ["accesspoint", "state", "tampering", ..] => Property(Kind::CameraTamper),
        ["accesspoint" | "credential" | "schedule" | "authenticationprofile" | "configuration", ..] => {
            Filtered("configuration")
        }
        // PINs and card numbers on their way to a decision that comes as an event of its own.
        ["idpoint", ..] => Filtered("access_request"),
        ["door", "state", rest @ ..] => Meaning::Door(door(rest)?),
        ["door", "jammed" | "fault", ..] => Property(Kind::GateFault),
        ["device", rest @ ..] => device(rest)?,
        ["videosource", rest @ ..] => video_source(rest)?,
        ["ruleengine" | "videoanalytics", rest @ ..] => rule_engine(rest)?,
        ["cameraapplicationplatform", application, ..] => axis_application(application)?,
        ["storage", "alert" | "disruption", ..] => Property(Kind::DeviceFault),
        ["storage", ..] => Filtered("recording_state"),
        ["recordingconfig" | "recordinghistory", ..] => Filtered("recording_state"),
        ["ptzcontroller" | "ptz", ..] => Filtered("ptz_state"),
        ["audiosource" | "audioanalytics" | "mediaclip", ..] => Filtered("audio"),
        ["media" | "lightcontrol" | "light" | "monitoring" | "advancedsecurity", ..] => Filtered("configuration"),
        ["useralarm", rest @ ..] => user_alarm(rest)?,
        ["virtualinput" | "recurringpulse" | "scheduledevent", ..] => Filtered("schedule"),
        _ => return None,
    })
}

fn access_control(steps: &[&str]) -> Option<Meaning> {
    Some(match steps.first().copied()? {
        "accessgranted" => Event(Kind::AccessGranted),
        "denied" => Event(Kind::AccessDenied),
        "duress" => Event(Kind::AccessDuress),
        // What follows a grant: it has been counted already.
        "accesstaken" => Filtered("access_taken"),
        "accessnottaken" => Filtered("access_not_taken"),
        "request" => Filtered("access_request"),
        _ => return None,
    })
}

fn door(steps: &[&str]) -> Option<Door> {
    Some(match steps.first().copied()? {
        "dooralarm" => Door::Alarm,
        "doormode" => Door::Mode,
        "doorphysicalstate" => Door::Physical,
        "lockphysicalstate" | "doublelockphysicalstate" => Door::Lock,
        "doortamper" => Door::Tamper,
        "doorfault" => Door::Fault,
        _ => return None,
    })
}

fn device(steps: &[&str]) -> Option<Meaning> {
    Some(match steps {
        // `AlarmIn` is one maker's name for the same.
        ["trigger", "digitalinput" | "alarmin", ..] => Property(Kind::InputChanged),
        ["trigger", "relay", ..] => Property(Kind::GateState),
        ["hardwarefailure", "temperaturecritical" | "temperature", ..] => Property(Kind::EnvironmentAlarm),
        ["hardwarefailure", ..] => Property(Kind::DeviceFault),
        ["sensor", "pir", ..] => Property(Kind::MotionDetected),
        ["io", "outputport" | "output", ..] => Property(Kind::GateState),
        ["io", ..] => Property(Kind::InputChanged),
        ["casing", "open", ..] | ["tampering", ..] | ["shockdetected", ..] => Property(Kind::CameraTamper),
        ["network", "lost", ..] => Property(Kind::DeviceOffline),
        ["network", "ethernetbroken" | "ipconflict", ..] => Property(Kind::DeviceFault),
        ["ringpowerlimitexceeded" | "poweroverlimit" | "fan" | "heater", ..] => Property(Kind::DeviceFault),
        ["status" | "network" | "operationmode" | "hardware", ..] => Filtered("system_state"),
        _ => return None,
    })
}

/// What makers put under `UserAlarm`.
fn user_alarm(steps: &[&str]) -> Option<Meaning> {
    Some(match steps {
        ["iva", "humanshapedetect", ..] => Object("person"),
        ["videolost" | "videoloss", ..] => Property(Kind::VideoLoss),
        ["videomove" | "videomotion", ..] => Property(Kind::MotionDetected),
        ["videomask" | "videoblind", ..] => Property(Kind::CameraTamper),
        ["illegalaccess", ..] => Property(Kind::DeviceFault),
        ["iva", ..] => return None,
        _ => Filtered("schedule"),
    })
}

fn video_source(steps: &[&str]) -> Option<Meaning> {
    Some(match steps.first().copied()? {
        "signalloss" | "connectionfailed" => Property(Kind::VideoLoss),
        "globalscenechange" | "imagetooblurry" | "imagetoodark" | "imagetoobright" | "tampering"
        | "tamperingdetection" => Property(Kind::CameraTamper),
        "motionalarm" => Property(Kind::MotionDetected),
        "daynightvision" | "livestreamaccessed" | "abr" | "autofocus" => Filtered("video_state"),
        _ => return None,
    })
}

fn rule_engine(steps: &[&str]) -> Option<Meaning> {
    Some(match steps {
        ["linedetector", ..] => Event(Kind::IntrusionLine),
        ["fielddetector", ..] => Property(Kind::IntrusionArea),
        ["loiteringdetector", ..] => Property(Kind::Loitering),
        ["cellmotiondetector", "motion", ..]
        | ["motionregiondetector" | "motiondetector" | "motiondetection" | "videomotiondetection" | "vmd3", ..] => {
            Property(Kind::MotionDetected)
        }
        ["countaggregation", ..] => Event(Kind::CountFlow),
        ["tamperdetector" | "maskalarm", ..] => Property(Kind::CameraTamper),
        ["objectdetection", ..] => ClassList,
        ["recognition", "licenseplate", ..] => Event(Kind::VehiclePassed),
        ["recognition", "face", ..] | ["myruledetector", "facedetect", ..] | ["facedetector" | "facedetection", ..] => {
            Filtered("face_record")
        }
        ["myruledetector", "peopledetect", ..] => Object("person"),
        ["myruledetector", "vehicledetect", ..] => Object("vehicle"),
        ["myruledetector", "dogcatdetect", ..] => Object("animal"),
        ["myruledetector", "visitor", ..] => Filtered("doorbell"),
        // The item wins over these (one maker says People and means IsVehicle); where it says nothing, the topic does.
        ["peopledetector", ..] => Object("person"),
        ["vehicledetector", ..] => Object("vehicle"),
        ["petdetector", ..] => Object("animal"),
        ["cellmotiondetector" | "tpsmarteventdetector", ..] => ByItem,
        _ => return None,
    })
}

fn axis_application(name: &str) -> Option<Meaning> {
    Some(match name {
        "vmd" => Property(Kind::MotionDetected),
        "motionguard" => Property(Kind::IntrusionArea),
        "fenceguard" => Property(Kind::IntrusionLine),
        "loiteringguard" => Property(Kind::Loitering),
        "objectanalytics" => Property(Kind::ObjectDetected),
        _ => return None,
    })
}

/// What the name of a data item of the rule engine says; it wins over the topic.
pub(super) fn by_item(name: &str) -> Option<Meaning> {
    Some(match name.to_ascii_lowercase().as_str() {
        "ismotion" => Property(Kind::MotionDetected),
        "isinside" | "isintrusion" => Property(Kind::IntrusionArea),
        "islinecross" => Property(Kind::IntrusionLine),
        "isloitering" => Property(Kind::Loitering),
        "istamper" => Property(Kind::CameraTamper),
        "ispeople" | "isperson" | "ishuman" => Object("person"),
        "isvehicle" | "iscar" => Object("vehicle"),
        "ispet" | "isanimal" => Object("animal"),
        _ => return None,
    })
}

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
