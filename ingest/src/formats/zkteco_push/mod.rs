//! ZKTeco push (iclock): what terminals and door controllers post, as recorded requests or as bodies alone.
//!
//! | request | becomes |
//! |---|---|
//! | `cdata`, table `rtlog` | one event a line, by the number in `event` (table in `codes.rs`) |
//! | table `transaction` (also as `tabledata`) | the same, stored: replays |
//! | table `ATTLOG` | an attempt with an unknown outcome, never granted (trap 12): neither its fields nor a document that we read say how it ended |
//! | table `rtstate` | a statement of state, phase sync: each door's contact, each alarm bit (1 forced, 2 tamper, 4 and 8 duress, 16 held open), which stands (remark `standing`, so it alerts once); without any, `device.heartbeat` |
//! | `getrequest`, `ping` | `device.heartbeat` |
//! | `cdata` by GET, `registry` | `device.online`, sync: the terminal introduces itself, at each reconnection |
//! | operator logs, rosters, options, pictures, answers to commands | filtered (trap 11) |
//!
//! The device is `SN`; the channel is the door (`eventaddr`), or the zone is the input. Times are local (trap 1). `index` with
//! the time is the native identity, and shows gaps. A line that lies more than five minutes before the newest of its record
//! was stored while the terminal was cut off (trap 9). A line without `event` is an attempt with an unknown outcome, never
//! granted (trap 12).
//!
//! A state without alarms ends none: it comes every few seconds, and ends for each door and alarm would be most of what is
//! written. What is stated to be shut ends a door held open; other alarms that only `rtstate` tells of are told once.
//!
//! Left behind: numbers of persons and cards, names, temperatures, masks. A card, else a person's number, is the credential.

mod codes;
mod request;

use chorus_model::{DeviceScheme, Kind, Outcome, Phase, TimePrecision};
use jiff::civil;

use self::codes::Meaning;
use self::request::{Request, Row, Subject};
use super::{UNKNOWN_ATTEMPT, ident, text, time};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "zkteco-push";

/// The most lines of one record.
const MAX_LINES: usize = 1_000;

/// What is older than this, compared with the newest line beside it, was stored.
const STORED_MINUTES: i64 = 5;

/// Fields that hold, or may hold, something about a person.
const PERSONAL: [&str; 9] =
    ["cardno", "convtemperature", "idnum", "maskflag", "name", "password", "photo", "pin", "temperature"];

/// True for a request to a terminal's server, or for lines of its events.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 2_048;
    let has = |needle: &[u8]| text::contains(bytes, needle, HEAD);
    let is_text = text::first_byte(bytes).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    is_text
        && (has(b"/iclock/")
            || (has(b"eventaddr=") && has(b"time="))
            || (has(b"sensor=") && has(b"relay="))
            || (has(b"time_second=") && has(b"eventtype=")))
}

/// Reads a request or a body.
///
/// # Errors
/// When it is neither.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    let request = Request::of(&payload.text);
    let serial = request.serial.and_then(ident::token);
    match request.subject {
        Subject::Events => lines(&request, pieces, |row| event(row, serial.as_deref(), false)),
        Subject::Stored => lines(&request, pieces, |row| event(row, serial.as_deref(), true)),
        Subject::Attendance => attendance(&request, serial.as_deref(), pieces),
        Subject::State => states(&request, serial.as_deref(), pieces),
        Subject::Poll => pieces.push(told(terminal(serial.as_deref(), Kind::DeviceHeartbeat))),
        Subject::Hello => {
            let mut observation = terminal(serial.as_deref(), Kind::DeviceOnline);
            observation.phase = Phase::Sync;
            pieces.push(told(observation));
        }
        Subject::Filtered(word) => pieces.push(Piece::Filtered(word)),
        Subject::Unknown if payload.text.contains("/iclock/") => return Err(Reason::UnknownCode),
        Subject::Unknown => return Err(Reason::NotThisFormat),
    }
    if pieces.is_empty() {
        pieces.push(Piece::Filtered("empty_list"));
    }
    mark_stored(pieces);
    for piece in pieces {
        if let (Piece::Event(observation), Some(flag)) = (piece, payload.flag) {
            observation.flags.push(flag);
        }
    }
    Ok(())
}

fn told(observation: Observation) -> Piece {
    Piece::Event(Box::new(observation))
}

fn terminal(serial: Option<&str>, kind: Kind) -> Observation {
    let scheme = if serial.is_some() { DeviceScheme::Serial } else { DeviceScheme::Own };
    Observation::new(serial.unwrap_or_default(), scheme, kind)
}

/// The lines of a body that hold anything, up to the limit.
fn each_line(request: &Request<'_>, pieces: &mut Vec<Piece>, mut read: impl FnMut(&str, &mut Vec<Piece>)) {
    for line in request.body.lines().filter(|line| !line.trim().is_empty()) {
        if pieces.len() >= MAX_LINES {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        read(line, pieces);
    }
}

fn lines(request: &Request<'_>, pieces: &mut Vec<Piece>, read: impl Fn(&Row<'_>) -> Result<Piece, Reason>) {
    each_line(request, pieces, |line, pieces| {
        let row = Row::of(line);
        let piece = if row.is_empty() { Err(Reason::BadSyntax) } else { read(&row) };
        pieces.push(piece.unwrap_or_else(Piece::Rejected));
    });
}

/// One event.
fn event(row: &Row<'_>, serial: Option<&str>, stored: bool) -> Result<Piece, Reason> {
    let code = row.get("event").or_else(|| row.get("eventtype"));
    let (kind, phase, remark) = match code {
        Some(code) => match codes::by_code(number(code).ok_or(Reason::BadValue)?).ok_or(Reason::UnknownCode)? {
            Meaning::Event(kind, phase, remark) => (kind, phase, remark),
            Meaning::Filtered(word) => return Ok(Piece::Filtered(word)),
        },
        None if credential(row).is_some() => (UNKNOWN_ATTEMPT, Phase::Pulse, Some("outcome_missing")),
        None => return Err(Reason::MissingField),
    };
    let mut observation = terminal(serial, kind);
    observation.phase = phase;
    observation.device_kind = Some("door");
    observation.time = when(row);
    observation.is_replay = stored;
    observation.flags.extend(remark);
    let place = ["eventaddr", "doorid"].iter().find_map(|name| row.integer(name)).filter(|place| *place > 0);
    let place = place.map(|place| place.to_string());
    if kind == Kind::InputChanged {
        observation.zone = place;
    } else {
        observation.channel = place;
    }
    observation.outcome = match kind {
        _ if code.is_none() => Some(Outcome::Unknown),
        Kind::AccessGranted => Some(Outcome::Granted),
        Kind::AccessDenied => Some(Outcome::Denied),
        _ => None,
    };
    if matches!(kind, Kind::AccessGranted | Kind::AccessDenied | Kind::AccessDuress) {
        observation.credential = credential(row);
        observation.flags.extend(match row.get("inoutstatus").or_else(|| row.get("inoutstate")) {
            Some("0") => Some("entry"),
            Some("1") => Some("exit"),
            _ => None,
        });
    }
    let personal = |name: &&&str| row.get(name).is_some_and(|value| !matches!(value, "0" | "255"));
    for name in PERSONAL.iter().filter(personal) {
        observation.drop_field(*name);
    }
    observation.native_seq = row.get("index").and_then(|index| index.parse().ok());
    observation.native_id = native_id(&observation, code);
    Ok(told(observation))
}

/// Digits and nothing else: a sign before a zero lets nobody in.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Number, time and what happened: the number alone begins again after a reset, and some firmware always sends 0.
fn native_id(observation: &Observation, code: Option<&str>) -> Option<String> {
    let (number, at) = (observation.native_seq?, time::stamp(observation.time)?);
    Some(format!("{number}/{at}/{}", code.unwrap_or("-")))
}

fn credential(row: &Row<'_>) -> Option<Credential> {
    ["cardno", "pin"].iter().find_map(|name| Credential::new(row.get(name)?))
}

/// `time`, or the packed seconds of a stored event.
fn when(row: &Row<'_>) -> DeviceTime {
    if let Some(text) = row.get("time") {
        return time::iso(text);
    }
    let packed = row.integer("time_second").and_then(unpack);
    packed.map_or(DeviceTime::Missing, |local| DeviceTime::Local(local, TimePrecision::Second))
}

/// Seconds since 2000 in a calendar where every month has 31 days.
fn unpack(packed: i64) -> Option<civil::DateTime> {
    let part = |value: i64| i8::try_from(value).ok();
    let days = packed / 86_400;
    let year = i16::try_from(days / 31 / 12).ok()?.checked_add(2_000)?;
    let (month, day) = (part(days / 31 % 12 + 1)?, part(days % 31 + 1)?);
    let (hour, minute, second) = (part(packed / 3_600 % 24)?, part(packed / 60 % 60)?, part(packed % 60)?);
    civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Number, time, direction, method, apart by tabs. How it was tried to prove who it was is told, and not whether it was proven.
fn attendance(request: &Request<'_>, serial: Option<&str>, pieces: &mut Vec<Piece>) {
    each_line(request, pieces, |line, pieces| {
        let mut fields = line.trim_end().split('\t');
        let (Some(pin), Some(at)) = (fields.next(), fields.next()) else {
            return pieces.push(Piece::Rejected(Reason::BadSyntax));
        };
        let mut observation = terminal(serial, UNKNOWN_ATTEMPT);
        observation.device_kind = Some("door");
        observation.outcome = Some(Outcome::Unknown);
        observation.flags.push("outcome_missing");
        observation.time = time::iso(at);
        if observation.time == DeviceTime::Missing {
            return pieces.push(Piece::Rejected(Reason::BadValue));
        }
        observation.flags.push("attendance");
        observation.credential = Credential::new(pin);
        if observation.credential.is_some() {
            observation.drop_field("pin");
        }
        pieces.push(told(observation));
    });
}

/// Statements of state: two bits of contact and a byte of alarms for each door.
fn states(request: &Request<'_>, serial: Option<&str>, pieces: &mut Vec<Piece>) {
    each_line(request, pieces, |line, pieces| {
        let row = Row::of(line);
        if ["sensor", "relay", "alarm"].iter().all(|name| row.get(name).is_none()) {
            return pieces.push(Piece::Rejected(Reason::MissingField));
        }
        // What cannot be read is no sign that all is well.
        let (sensors, alarms) = match (bytes(row.get("sensor")), bytes(row.get("alarm"))) {
            (Ok(sensors), Ok(alarms)) => (sensors, alarms),
            (Err(reason), _) | (_, Err(reason)) => return pieces.push(Piece::Rejected(reason)),
        };
        let mut state = |kind: Kind, door: usize, remark: Option<&'static str>| {
            let mut observation = terminal(serial, kind);
            observation.phase = Phase::Sync;
            observation.flags.extend(remark);
            observation.device_kind = Some("door");
            observation.time = when(&row);
            observation.channel = Some(door.to_string());
            pieces.push(told(observation));
        };
        let mut any = false;
        let contacts: Vec<u8> = sensors.iter().flat_map(|byte| [0, 2, 4, 6].map(|shift| byte >> shift & 3)).collect();
        for (door, contact) in contacts.iter().enumerate() {
            let kind = match contact {
                1 => Kind::DoorClosed,
                2 => Kind::DoorOpened,
                _ => continue,
            };
            any = true;
            state(kind, door + 1, None);
        }
        for (door, alarms) in alarms.into_iter().enumerate() {
            let mut last = None;
            for kind in codes::ALARMS.iter().filter(|(bit, _)| alarms & bit != 0).map(|(_, kind)| *kind) {
                if last.replace(kind) != Some(kind) {
                    any = true;
                    // A door that is shut is held open no more, though the bit may stay: it would begin and end each time.
                    let is_over = kind == Kind::DoorHeldOpen && contacts.get(door) == Some(&1);
                    state(kind, door + 1, (!is_over).then_some("standing"));
                }
            }
        }
        if !any {
            let mut observation = terminal(serial, Kind::DeviceHeartbeat);
            observation.time = when(&row);
            pieces.push(told(observation));
        }
    });
}

/// The bytes of a hexadecimal bitmap, none when there is no bitmap.
///
/// # Errors
/// When it is no bitmap, or one of more than 64 doors.
fn bytes(bitmap: Option<&str>) -> Result<Vec<u8>, Reason> {
    const DOORS: usize = 64;
    let digits = bitmap.unwrap_or_default();
    if digits.len() > 2 * DOORS {
        return Err(Reason::TooLarge);
    }
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
    hex::decode(padded).map_err(|_| Reason::BadValue)
}

/// Marks what lies long before the newest line of the same record. A clock that is nonsense is no measure for the others.
fn mark_stored(pieces: &mut [Piece]) {
    let clock = |piece: &Piece| match piece {
        Piece::Event(observation) => match observation.time {
            DeviceTime::Local(at, _) => Some(at).filter(|at| (2_000..2_100).contains(&at.year())),
            DeviceTime::Zoned(..) | DeviceTime::Contradictory(..) | DeviceTime::Missing => None,
        },
        Piece::Filtered(_) | Piece::Rejected(_) => None,
    };
    let Some(newest) = pieces.iter().filter_map(clock).max() else { return };
    for piece in pieces {
        let Some(at) = clock(piece) else { continue };
        if let Piece::Event(observation) = piece
            && newest.duration_since(at).as_secs() > STORED_MINUTES * 60
        {
            observation.is_replay = true;
        }
    }
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![codes::table(), super::doc::left_behind(PERSONAL)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_seconds_have_months_of_31_days() {
        let packed = ((26 * 12 + 10) * 31 + 23) * 86_400 + 8 * 3_600 + 5 * 60 + 9;
        assert_eq!(unpack(packed), Some(civil::date(2026, 11, 24).at(8, 5, 9, 0)));
        assert_eq!(unpack(-1), None);
        assert_eq!(unpack(i64::MAX), None);
    }
}
