//! The details of an event: how it ended, where, when, and what must not pass.

use chorus_model::{DeviceScheme, Kind, Outcome, Phase, TimePrecision};

use super::super::UNKNOWN_ATTEMPT;
use super::super::json::{self, Object};
use super::super::{ident, time};
use super::codes::{self, Meaning};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Reason};

/// Fields that hold, or may hold, something about a person, or a secret; sorted.
pub(super) const PERSONAL: &[&str] = &[
    "AccessCode",
    "CallID",
    "CardName",
    "CardNo",
    "CitizenIDNo",
    "CustomPassword",
    "DynPWD",
    "FaceURL",
    "FilePath",
    "FtpUrl",
    "ImageInfo",
    "MachineName",
    "Name",
    "Number",
    "Password",
    "Phone",
    "PicName",
    "PlateNumber",
    "RemoteID",
    "RoomNo",
    "RoomNumber",
    "SnapPath",
    "SnapURL",
    "Text",
    "URL",
    "UserID",
    "UserName",
    "VideoPath",
    "alarmPicture",
    "birthday",
    "channelName",
    "deviceName",
    "extData",
    "faceRecognitionInfo",
    "memo",
    "message",
    "name",
    "personName",
    "plateNum",
];

/// One event as it was told.
pub(super) struct Told<'t, 'a> {
    pub(super) code: &'t str,
    pub(super) action: Option<&'t str>,
    pub(super) index: Option<&'t str>,
    pub(super) data: &'t Object<'a>,
    pub(super) serial: Option<String>,
}

/// How the attempt at a door ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Granted,
    Denied,
    Unsaid,
}

impl Told<'_, '_> {
    /// What it says.
    ///
    /// # Errors
    /// When the code is not known, or lacks what it means nothing without.
    pub(super) fn read(self) -> Result<Piece, Reason> {
        let mut flags = Vec::new();
        let mut class = None;
        let (kind, phase) = match codes::by_word(self.code).ok_or(Reason::UnknownCode)? {
            Meaning::Filtered(word) => return Ok(Piece::Filtered(word)),
            Meaning::Lasting(kind, object, flag) => {
                class = object.or_else(|| self.object_class());
                flags.extend(flag);
                (kind, self.phase())
            }
            Meaning::Pulse(kind, object, flag) => {
                class = object;
                flags.extend(flag);
                (kind, Phase::Pulse)
            }
            Meaning::Access => (self.attempt(&mut flags), Phase::Pulse),
            Meaning::Fingerprint => (self.fingerprint(&mut flags), Phase::Pulse),
            Meaning::Door => match self.contact() {
                Some(kind) => (kind, Phase::Pulse),
                None if self.data.has("Status") => return Ok(Piece::Filtered("door_unknown")),
                None => return Err(Reason::MissingField),
            },
            Meaning::KeyLight => match self.data.integer("State") {
                Some(8) => (flag(&mut flags, "unlocked", Kind::GateState), Phase::Start),
                Some(9) => (Kind::AccessDenied, Phase::Pulse),
                Some(11) => (flag(&mut flags, "restarted", Kind::DeviceOnline), Phase::Pulse),
                Some(_) => return Ok(Piece::Filtered("doorbell")),
                None => return Err(Reason::MissingField),
            },
            Meaning::Sensor => {
                (codes::by_sense_method(&self.data.text("SenseMethod").unwrap_or_default()), self.phase())
            }
        };
        Ok(Piece::Event(Box::new(self.observation(kind, phase, class, flags))))
    }

    fn observation(
        self,
        kind: Kind,
        phase: Phase,
        class: Option<&'static str>,
        flags: Vec<&'static str>,
    ) -> Observation {
        let scheme = if self.serial.is_some() { DeviceScheme::Serial } else { DeviceScheme::Own };
        let data = self.data;
        let mut observation = Observation::new(self.serial.clone().unwrap_or_default(), scheme, kind);
        observation.phase = phase;
        observation.object_class = class;
        observation.flags = flags;
        observation.time = when(data, &mut observation.flags);
        observation.channel = self.channel(kind);
        observation.zone = data.ordinal("RuleId").or_else(|| data.ordinal("RuleID"));
        observation.is_replay = ["Offline", "IsOffline", "OffLine"].iter().any(|name| data.truth(name) == Some(true));
        observation.native_seq = sequence(data);
        if is_attempt(kind) {
            observation.device_kind = Some("door");
            observation.outcome = Some(match kind {
                _ if observation.flags.contains(&"outcome_missing") => Outcome::Unknown,
                Kind::AccessGranted => Outcome::Granted,
                _ => Outcome::Denied,
            });
            observation.credential = ["CardNo", "UserID"]
                .iter()
                .find_map(|name| data.text(name).and_then(|number| Credential::new(&number)));
        }
        match kind {
            Kind::CountFlow => observation.count = passages(data),
            Kind::CrowdDensity => {
                let counted = data.integer("ManNum").or_else(|| data.integer("Number"));
                observation.count = counted.filter(is_count);
            }
            Kind::VehiclePassed => {
                observation.zone = data.ordinal("Lane");
                observation
                    .flags
                    .extend(data.text_of(&["JunctionDirection", "Direction"]).and_then(|way| heading(&way)));
            }
            Kind::IntrusionArea => observation.flags.extend(data.text("Direction").and_then(|way| crossing(&way))),
            _ => {}
        }
        observation.native_id = self.native_id(&observation);
        observation
    }

    fn phase(&self) -> Phase {
        match self.action.map(str::to_ascii_lowercase).as_deref() {
            Some("start" | "appear") => Phase::Start,
            Some("stop" | "disappear") => Phase::End,
            Some("state") => Phase::Sync,
            _ => Phase::Pulse,
        }
    }

    /// The door of an attempt, else the index; the stream counts both from zero.
    fn channel(&self, kind: Kind) -> Option<String> {
        let door = ["Door", "DoorNo", "DoorIndex"].iter().find_map(|name| self.data.ordinal(name));
        let of_door = is_attempt(kind) || matches!(kind, Kind::DoorOpened | Kind::DoorClosed);
        let index = || self.index.and_then(json::integer).filter(|index| *index >= 0).map(|index| index.to_string());
        door.filter(|_| of_door).or_else(index)
    }

    fn attempt(&self, flags: &mut Vec<&'static str>) -> Kind {
        let ended = match (self.data.integer("Status"), self.data.integer("ErrorCode")) {
            (Some(0), _) | (_, Some(1..)) => Attempt::Denied,
            (Some(1), _) | (None, Some(0)) => Attempt::Granted,
            _ => Attempt::Unsaid,
        };
        flags.extend(match self.data.text("Type").as_deref() {
            Some("Entry") => Some("entry"),
            Some("Exit") => Some("exit"),
            _ => None,
        });
        match ended {
            Attempt::Granted => Kind::AccessGranted,
            Attempt::Denied => Kind::AccessDenied,
            Attempt::Unsaid => flag(flags, "outcome_missing", UNKNOWN_ATTEMPT),
        }
    }

    fn fingerprint(&self, flags: &mut Vec<&'static str>) -> Kind {
        match self.data.integer("FingerPrintID") {
            Some(0) => Kind::AccessDenied,
            Some(_) => Kind::AccessGranted,
            None => flag(flags, "outcome_missing", UNKNOWN_ATTEMPT),
        }
    }

    fn contact(&self) -> Option<Kind> {
        match self.data.text("Status")?.to_ascii_lowercase().as_str() {
            "open" | "opened" | "1" => Some(Kind::DoorOpened),
            "close" | "closed" | "0" | "2" => Some(Kind::DoorClosed),
            "break" => Some(Kind::DoorForced),
            _ => None,
        }
    }

    fn object_class(&self) -> Option<&'static str> {
        let object = self.data.object("Object").or_else(|| self.data.object("Objects"))?;
        match object.text_of(&["ObjectType", "Category"])?.to_ascii_lowercase().as_str() {
            "human" | "person" => Some("person"),
            "vehicle" | "motor" | "motorvehicle" | "plate" => Some("vehicle"),
            "nonmotor" | "nonmotorvehicle" => Some("nonmotor"),
            "animal" => Some("animal"),
            _ => None,
        }
    }

    /// Code, place, running number and time: the number alone begins again after a restart.
    fn native_id(&self, observation: &Observation) -> Option<String> {
        let number = observation.native_seq?;
        Some(format!("{}/{number}/{}", self.code, time::stamp(observation.time)?))
    }
}

fn flag(flags: &mut Vec<&'static str>, word: &'static str, kind: Kind) -> Kind {
    flags.push(word);
    kind
}

const fn is_attempt(kind: Kind) -> bool {
    matches!(kind, Kind::AccessGranted | Kind::AccessDenied | Kind::AccessDuress)
}

fn sequence(data: &Object<'_>) -> Option<u64> {
    ["RecNo", "EventID", "EventSeq"].iter().find_map(|name| u64::try_from(data.integer(name)?).ok())
}

/// So many can be somewhere.
fn is_count(number: &i64) -> bool {
    (0..=i64::from(u32::MAX)).contains(number)
}

fn passages(data: &Object<'_>) -> Option<i64> {
    let sides = [data.integer("EnteredSubtotal"), data.integer("ExitedSubtotal")];
    let counted = sides.into_iter().flatten().filter(is_count);
    (sides != [None, None]).then(|| counted.sum())
}

pub(super) fn heading(way: &str) -> Option<&'static str> {
    match way {
        "Obverse" | "Approach" => Some("direction_forward"),
        "Reverse" | "Leave" => Some("direction_reverse"),
        _ => None,
    }
}

fn crossing(way: &str) -> Option<&'static str> {
    match way {
        "Enter" => Some("enter"),
        "Leave" => Some("leave"),
        _ => None,
    }
}

/// The serial number of a station; a placeholder of words is none.
pub(super) fn serial(root: &Object<'_>) -> Option<String> {
    root.text_of(&["serialNumber", "SerialNumber", "deviceSN", "DeviceID", "SN"])
        .and_then(|serial| ident::token(&serial))
}

/// The code that a topic names, if any of its levels is one.
pub(super) fn code_of_topic(topic: &str) -> Option<&'static str> {
    const CODES: [&str; 13] = [
        "AccessControl",
        "AlarmLocal",
        "BackKeyLight",
        "BreakIn",
        "CallNoAnswered",
        "DoorStatus",
        "FingerPrintCheck",
        "Invite",
        "ProfileAlarmTransmit",
        "VideoBlind",
        "VideoLoss",
        "VideoMotion",
        "BackLightOn",
    ];
    topic.split('/').find_map(|level| CODES.iter().find(|code| code.eq_ignore_ascii_case(level)).copied())
}

/// The code that alone has these details.
pub(super) fn code_of_data(data: &Object<'_>) -> Option<&'static str> {
    let has = |name: &str| data.has(name);
    if has("FingerPrintID") {
        return Some("FingerPrintCheck");
    }
    if has("CardNo") && (has("Method") || has("ReaderID") || has("Status")) {
        return Some("AccessControl");
    }
    if has("SenseMethod") {
        return Some("ProfileAlarmTransmit");
    }
    if has("CallID") || has("RemoteID") {
        return Some("Invite");
    }
    if has("BeforeModifyTime") || (has("Before") && has("Address")) {
        return Some("TimeChange");
    }
    if has("FtpUrl") {
        return Some("AccessSnap");
    }
    if (has("Success") && has("Date")) || (has("Result") && has("Error")) || has("Device") {
        return Some("NetworkChange");
    }
    has("State").then_some("BackKeyLight")
}

/// The time of an event. `UTC` has an hour of its own in some firmware: there `RealUTC` tells the truth, and where it is
/// absent and the two agree to the second, both are local.
pub(super) fn when(data: &Object<'_>, flags: &mut Vec<&'static str>) -> DeviceTime {
    let local = data.text("LocaleTime").map(|text| time::iso(&text)).unwrap_or_default();
    let real = data.integer("RealUTC").and_then(time::seconds);
    let Some(utc) = real.or_else(|| data.integer("UTC").and_then(time::seconds)) else { return local };
    let millis = data.integer("UTCMS").filter(|millis| (0..1_000).contains(millis));
    let at = utc.plus(chorus_model::Span::from_millis(millis.unwrap_or(0)));
    let precision = if millis.is_some() { TimePrecision::Ms } else { TimePrecision::Second };
    let DeviceTime::Local(local, _) = local else { return DeviceTime::Zoned(at, precision) };
    match time::offset_minutes(local, utc) {
        Some(0) if real.is_none() => DeviceTime::Local(local, TimePrecision::Second),
        Some(480) => DeviceTime::Zoned(at, precision),
        Some(_) => {
            flags.push("local_time_elsewhere");
            DeviceTime::Zoned(at, precision)
        }
        None => DeviceTime::Contradictory(at, precision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_personal_fields_are_sorted() {
        assert!(PERSONAL.is_sorted());
    }
}
