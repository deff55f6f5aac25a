//! GA/T 1400 (VIID): the JSON that image libraries post to one another.
//!
//! A record is one body: a list of things seen, a notification around such lists, or a keepalive. Senders leave out wrappers,
//! name lists in two ways and write numbers as texts, so the document is walked by the names of its keys, wherever they
//! stand. Pictures in base64 are passed over without being decoded.
//!
//! | object | becomes |
//! |---|---|
//! | `MotorVehicleObject`, and `MotorVehicleEventObject` of public-security platforms | `vehicle.passed`: lane and heading, no plate |
//! | `NonMotorVehicleObject` | `object.detected` of class `nonmotor` |
//! | `PersonObject` | `object.detected` of class `person`, nothing about which |
//! | `FaceObject` | filtered: nothing of a face passes |
//! | `KeepaliveObject` | `device.heartbeat` |
//! | `RegisterObject`, `UnRegisterObject` | `device.online`, `device.offline` |
//! | `APEStatusObject` and its kin | by `IsOnline`: 1 `device.online`, 2 `device.offline`, 9 filtered |
//! | lists of tollgates, devices, lanes, images, files, subscriptions, watch lists; answers; time | filtered |
//!
//! The device is `DeviceID`; where that is empty, the first 20 digits of the source's or the object's id, which are a device
//! by the standard (flag `device_from_id`); else the tollgate. Times are local (trap 1), or milliseconds since 1970. An object
//! id in the standard's form is the native identity; another one only together with the time, for senders count from 1.

use std::fmt;

use chorus_model::Kind;
use jiff::civil;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::chorus::syntax;
use super::ga1400_fields::{Class, Loose, PERSONAL, Role, Seen, role};
use super::json::{Key, passes_over_scalars};
use super::{doc, gb_device, http, ident, text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "ga-t-1400";

/// The most objects of one record.
const MAX_OBJECTS: usize = 1_000;

/// A notification triggered further than this from what it tells of contradicts it. More than a day, since one of the two
/// times may have a zone.
const TRIGGER_TOLERANCE_HOURS: i64 = 48;

/// True for JSON that names one of the standard's lists, objects or ids.
pub fn sniff(bytes: &[u8]) -> bool {
    let bytes = http::body(bytes);
    const HEAD: usize = 8_192;
    const NAMES: [&[u8]; 10] = [
        b"ListObject\"",
        b"ObjectList\"",
        b"\"KeepaliveObject\"",
        b"\"RegisterObject\"",
        b"\"UnRegisterObject\"",
        b"\"SystemTimeObject\"",
        b"MotorVehicleID\"",
        b"\"MotorVehicleEventList\"",
        b"\"PersonID\"",
        b"\"FaceID\"",
    ];
    matches!(text::first_byte(bytes), Some(b'{' | b'[')) && NAMES.iter().any(|name| text::contains(bytes, name, HEAD))
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<doc::Table> {
    vec![doc::left_behind(PERSONAL.iter().copied())]
}

/// Reads one body.
///
/// # Errors
/// Broken JSON in which nothing was read before the break, or JSON of another kind.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(http::body(raw.bytes));
    let mut walk = Walk { pieces, flag: payload.flag, recognised: false, unknown_list: false, full: false };
    let mut json = serde_json::Deserializer::from_str(&payload.text);
    let read = Node { walk: &mut walk, class: None, is_object: false }.deserialize(&mut json).and_then(|()| json.end());
    let Walk { recognised, unknown_list, full, .. } = walk;
    if full {
        pieces.push(Piece::Rejected(Reason::TooLarge));
    }
    match read {
        Err(error) if pieces.is_empty() => return Err(syntax(&error)),
        // What came before the break counts.
        Err(error) => pieces.push(Piece::Rejected(syntax(&error))),
        Ok(()) if !pieces.is_empty() => {}
        Ok(()) if recognised => pieces.push(Piece::Filtered("empty_list")),
        Ok(()) if unknown_list => return Err(Reason::UnknownCode),
        Ok(()) => return Err(Reason::NotThisFormat),
    }
    Ok(())
}

/// What the walk through a document gathers.
struct Walk<'w> {
    pieces: &'w mut Vec<Piece>,
    flag: Option<&'static str>,
    /// A key of the standard was met.
    recognised: bool,
    /// A list was met that the table does not know.
    unknown_list: bool,
    /// There are more objects than a record may hold.
    full: bool,
}

/// One value on the way: a wrapper, a list or a thing.
struct Node<'n, 'w> {
    walk: &'n mut Walk<'w>,
    class: Option<Class>,
    /// The key said that this is a thing, not a list of them.
    is_object: bool,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of GA/T 1400")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { walk, class, is_object } = self;
        loop {
            if walk.pieces.len() >= MAX_OBJECTS {
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    walk.full = true;
                }
                return Ok(());
            }
            if seq.next_element_seed(Node { walk: &mut *walk, class, is_object })?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, class, is_object } = self;
        let before = walk.pieces.len();
        let mut seen = Seen::default();
        let mut wraps = false;
        while let Some(Key(key)) = map.next_key()? {
            let (inner, is_object) = match role(&key) {
                Role::List(inner) => (inner, false),
                Role::Object(inner) => (Some(inner), true),
                Role::Filtered(word) => {
                    map.next_value::<IgnoredAny>()?;
                    (walk.recognised, wraps) = (true, true);
                    walk.pieces.push(Piece::Filtered(word));
                    continue;
                }
                Role::Field => {
                    walk.unknown_list |= key.ends_with("ListObject");
                    seen.take(&key, &mut map)?;
                    continue;
                }
            };
            (walk.recognised, wraps) = (true, true);
            map.next_value_seed(Node { walk: &mut *walk, class: inner.or(class), is_object })?;
        }
        walk.finish(&seen, class, is_object, wraps, before);
        Ok(())
    }

    // A scalar where a thing should be is nothing.
    passes_over_scalars!();
}

impl Walk<'_> {
    /// At the end of an object: it was a thing, or the wrapper of what was read since `before`.
    fn finish(&mut self, seen: &Seen<'_>, class: Option<Class>, is_object: bool, wraps: bool, before: usize) {
        let own = class_by_id(seen);
        if wraps && own.is_none() {
            return contradict(seen, self.pieces.get_mut(before..).unwrap_or_default());
        }
        let Some(class) = class.or(own) else { return };
        self.recognised = true;
        let told = is_object || own.is_some() || device(seen).is_some() || when(seen) != DeviceTime::Missing;
        let piece = if told { thing(class, seen) } else { Err(Reason::MissingField) };
        let mut piece = piece.unwrap_or_else(Piece::Rejected);
        if let Piece::Event(observation) = &mut piece {
            observation.flags.extend(self.flag);
        }
        contradict(seen, std::slice::from_mut(&mut piece));
        self.pieces.push(piece);
    }
}

fn class_by_id(seen: &Seen<'_>) -> Option<Class> {
    let ids = [
        (&seen.motor_id, Class::Motor),
        (&seen.nonmotor_id, Class::NonMotor),
        (&seen.person_id, Class::Person),
        (&seen.face_id, Class::Face),
    ];
    ids.into_iter().find(|(id, _)| id.text().is_some()).map(|(_, class)| class)
}

fn object_id<'s>(seen: &'s Seen<'_>, class: Class) -> Option<&'s str> {
    match class {
        Class::Motor => seen.motor_id.text(),
        Class::NonMotor => seen.nonmotor_id.text(),
        Class::Person => seen.person_id.text(),
        Class::Face => seen.face_id.text(),
        Class::Keepalive | Class::Register | Class::UnRegister | Class::Status => None,
    }
}

/// What one thing says.
fn thing(class: Class, seen: &Seen<'_>) -> Result<Piece, Reason> {
    let (kind, object_class) = match class {
        Class::Motor => (Kind::VehiclePassed, Some("vehicle")),
        Class::NonMotor => (Kind::ObjectDetected, Some("nonmotor")),
        Class::Person => (Kind::ObjectDetected, Some("person")),
        Class::Face => return Ok(Piece::Filtered("face_record")),
        Class::Keepalive => (Kind::DeviceHeartbeat, None),
        Class::Register => (Kind::DeviceOnline, None),
        Class::UnRegister => (Kind::DeviceOffline, None),
        Class::Status => match seen.online.text() {
            Some("1") => (Kind::DeviceOnline, None),
            Some("2") => (Kind::DeviceOffline, None),
            Some(_) => return Ok(Piece::Filtered("device_status")),
            None => return Err(Reason::MissingField),
        },
    };
    let (device_id, from_id) = device(seen).unwrap_or_default();
    let mut observation = gb_device::observation(device_id, kind)?;
    observation.flags.extend(from_id.then_some("device_from_id"));
    observation.object_class = object_class;
    observation.time = when(seen);
    if class == Class::Motor {
        observation.zone = seen.lane.text().and_then(ident::token);
        observation.flags.extend(seen.direction.text().and_then(heading));
    }
    observation.native_id = object_id(seen, class).and_then(ident::token).and_then(|id| identity(id, &observation));
    for name in &seen.dropped {
        observation.drop_field(*name);
    }
    Ok(Piece::Event(Box::new(observation)))
}

/// The device, and whether an id had to be cut for it. None when the record names none: then the connector does.
fn device<'s>(seen: &'s Seen<'_>) -> Option<(&'s str, bool)> {
    let inside = |id: &'s Loose<'_>, length: usize| {
        let digits = id.text().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.get(..20).filter(|_| digits.len() == length).map(|device| (device, true))
    };
    let whole = |id: &'s Loose<'_>| id.text().map(|text| (text, false));
    whole(&seen.device)
        .or_else(|| inside(&seen.source, 41))
        .or_else(|| inside(&seen.motor_id, 48))
        .or_else(|| inside(&seen.nonmotor_id, 48))
        .or_else(|| inside(&seen.person_id, 48))
        .or_else(|| whole(&seen.tollgate))
}

/// When it was seen: it passed, else appeared, else was marked.
fn when(seen: &Seen<'_>) -> DeviceTime {
    let times = [&seen.pass_time, &seen.appear_time, &seen.mark_time];
    let mut read = times.into_iter().filter_map(Loose::text).map(instant);
    read.find(|time| *time != DeviceTime::Missing).unwrap_or_default()
}

/// `yyyyMMddHHmmss`, 13 digits of milliseconds since 1970, or ISO 8601.
fn instant(text: &str) -> DeviceTime {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        13 if digits => text.parse().map(time::epoch_millis).unwrap_or_default(),
        _ if digits => time::digits(text),
        _ => time::iso(text),
    }
}

/// The standard's id holds device, time and number. Another is only as good as the time beside it, and one that could be a
/// plate, a name or the number of an identity card is none.
fn identity(id: String, observation: &Observation) -> Option<String> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    if digits && id.len() == 48 {
        return Some(id);
    }
    let counts = digits && id.len() <= 9;
    let random = ident::uuid(&id).is_some() || (id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let long = digits && id.len() > 20;
    if !(counts || random || long) {
        return None;
    }
    match observation.time {
        DeviceTime::Zoned(at, _) | DeviceTime::Contradictory(at, _) => Some(format!("{id}/{at}")),
        DeviceTime::Local(at, _) => Some(format!("{id}/{at}")),
        DeviceTime::Missing => None,
    }
}

/// `Direction` of the standard: where it heads.
fn heading(code: &str) -> Option<&'static str> {
    match code {
        "1" => Some("heading_east"),
        "2" => Some("heading_west"),
        "3" => Some("heading_south"),
        "4" => Some("heading_north"),
        "5" => Some("heading_northeast"),
        "6" => Some("heading_southwest"),
        "7" => Some("heading_southeast"),
        "8" => Some("heading_northwest"),
        _ => None,
    }
}

/// Flags what a notification contradicts whose `TriggerTime` is years away (trap 3). The time of the thing itself stands.
fn contradict(seen: &Seen<'_>, pieces: &mut [Piece]) {
    let Some(trigger) = seen.trigger_time.text().and_then(|text| clock(instant(text))) else { return };
    for piece in pieces {
        if let Piece::Event(observation) = piece
            && clock(observation.time)
                .is_some_and(|time| time.duration_since(trigger).as_hours().abs() > TRIGGER_TOLERANCE_HOURS)
        {
            observation.flags.push("trigger_time_contradictory");
        }
    }
}

fn clock(time: DeviceTime) -> Option<civil::DateTime> {
    match time {
        DeviceTime::Zoned(at, _) | DeviceTime::Contradictory(at, _) => {
            at.to_jiff().map(|at| jiff::tz::TimeZone::UTC.to_datetime(at))
        }
        DeviceTime::Local(at, _) => Some(at),
        DeviceTime::Missing => None,
    }
}
