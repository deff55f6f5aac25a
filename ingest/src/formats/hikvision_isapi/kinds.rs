//! The `eventType` words of cameras and recorders.

use chorus_model::Kind;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It begins and ends: `eventState` gives the phase.
    Lasting(Kind),
    /// It has no length.
    Pulse(Kind),
    /// `active` is a loss of picture, `inactive` is the stream's heartbeat (trap 5).
    VideoLoss,
    /// Another event lasts; `relationEvent` names it.
    Duration,
    /// Codes of an access controller.
    Access,
    /// Contact ID of an alarm panel.
    ContactId,
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Meaning::{Access, ContactId, Duration, Filtered, Lasting, Pulse, VideoLoss};

/// The words, in lower case, with what they say.
#[rustfmt::skip]
pub(super) const WORDS: &[(&[&str], Meaning)] = &[
    (&["vmd", "motiondetection", "pir", "rapidmove"], Lasting(Kind::MotionDetected)),
    (&["linedetection"], Lasting(Kind::IntrusionLine)),
    (&["fielddetection", "regionentrance", "regionexiting", "regionexit"], Lasting(Kind::IntrusionArea)),
    (&["loitering"], Lasting(Kind::Loitering)),
    (&["unattendedbaggage"], Lasting(Kind::ObjectLeft)),
    (&["attendedbaggage"], Lasting(Kind::ObjectRemoved)),
    (&["group", "personqueuedetection"], Lasting(Kind::CrowdDensity)),
    (&["parking"], Lasting(Kind::VehicleDwell)),
    (&["mixedtargetdetection", "peopledetection", "multiradartargetevent"], Lasting(Kind::ObjectDetected)),
    (&["onekeyalarm", "emergencyalarm", "callhelp"], Lasting(Kind::PanicButton)),
    (&["shelteralarm", "tamperdetection", "scenechangedetection", "defocus"], Lasting(Kind::CameraTamper)),
    (&["firedetection", "smokedetection", "smokeandfiredetection"], Lasting(Kind::FireAlarm)),
    (&["fireescapedetection"], Lasting(Kind::FireLaneBlocked)),
    (&["tma", "tmpa", "thermometry", "temperature"], Lasting(Kind::EnvironmentAlarm)),
    (&["io", "wlsensor"], Lasting(Kind::InputChanged)),
    (&["diskfull", "hdfull", "diskerror", "hderror", "highhdtemperature", "hdimpact", "hdbadblock", "severehdfailure",
       "raidexception", "recordingfailure", "recordexception", "badvideo", "videomismatch", "illaccess", "ipconflict",
       "voltageinstable", "poepowerexception", "spareexception"], Lasting(Kind::DeviceFault)),
    (&["nicbroken"], Lasting(Kind::DeviceOffline)),
    (&["anpr", "vehicledetection"], Pulse(Kind::VehiclePassed)),
    (&["pdc", "peoplecounting"], Pulse(Kind::CountFlow)),
    (&["heartbeat"], Pulse(Kind::DeviceHeartbeat)),
    (&["videoloss"], VideoLoss),
    (&["duration"], Duration),
    (&["accesscontrollerevent"], Access),
    (&["cidevent"], ContactId),
    // Nothing of a face passes, not even that there was one.
    (&["facedetection", "facesnap", "facecapture", "facesnapmatch", "alarmresult", "humanattribute", "humanrecognition"],
     Filtered("face_record")),
    (&["audioexception"], Filtered("audio")),
    (&["voicetalkevent", "doorbell", "callsignal"], Filtered("doorbell")),
];

/// The meaning of a word, whatever its case.
pub(super) fn by_word(word: &str) -> Option<Meaning> {
    let word = word.trim();
    let found = WORDS.iter().find(|(words, _)| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
    found.map(|(_, meaning)| *meaning)
}

impl Meaning {
    /// For the page of the format: kind and phase.
    pub(super) fn says(self) -> [String; 2] {
        let [kind, phase] = match self {
            Lasting(kind) => [kind.as_str(), "by `eventState`: start, continue, end"],
            Pulse(kind) => [kind.as_str(), "pulse"],
            VideoLoss => ["video.loss, device.heartbeat", "active: start; inactive: the stream's heartbeat"],
            Duration => ["of each `relationEvent`", "continue"],
            Access => ["by major and minor code", ""],
            ContactId => ["by the code of Contact ID", "by its qualifier"],
            Filtered(word) => return [format!("filtered: {word}"), String::new()],
        };
        [kind.to_owned(), phase.to_owned()]
    }
}
