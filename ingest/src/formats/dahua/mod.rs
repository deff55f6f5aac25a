//! Dahua: the event manager's attach stream, door stations, event uploads, the platform (DSS, ICC), plate cameras (ITSAPI).
//!
//! | form | its device | its channel |
//! |---|---|---|
//! | `Code=…;action=…;index=…;data={…}`, in parts of a multipart stream or lines that follow one another | the connector: the stream names none | `index`, from zero |
//! | `Events[0].Code=…` lines of a snapshot stream | the connector | `Index` |
//! | `client.notifyEventStream`; one event of a door station over MQTT; an uploaded event | `serialNumber`, else the connector | `Index`, or the door |
//! | platform message with `alarmType` and `alarmStat` | `deviceCode`, else the first part of `nodeCode` | the last part of `nodeCode` |
//! | ITSAPI `Picture`, `KeepAlive` | `DeviceID` | the lane is the zone |
//!
//! | what | becomes |
//! |---|---|
//! | the code, or the platform's number | the kind, by the tables in `codes.rs` |
//! | `Start`, `Stop`, `Pulse`; `alarmStat` 1, 2 | start, end, pulse (trap 7) |
//! | `RealUTC`, else `UTC` with `UTCMS`; `LocaleTime` only where there is no other | the time. The two may differ by a zone, never by what is none: that is contradictory (trap 3) |
//! | `AccessControl` without `Status` and `ErrorCode` | outcome unknown, never granted (trap 12) |
//! | a part `Heartbeat` | `device.heartbeat` |
//! | calls, lights, clocks, connections, faces, sounds | filtered |
//!
//! A door station over MQTT tells its code in the topic; where the record has no topic either, the code is told from what
//! only one code sends, else the record is refused. Details that are broken JSON do not cost the event (flag
//! `data_unreadable`). Left behind: cards, users, passwords, rooms, plates, pictures and their addresses, names.

mod codes;
mod fields;
mod platform;

use chorus_model::{DeviceScheme, Kind};

use self::fields::Told;
use super::json::{self, Object};
use super::multipart::cut_line;
use super::{http, ident, text};
use crate::observation::{Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "dahua";

/// The most events of one record.
const MAX_EVENTS: usize = 1_000;

/// True for a stream of events, or JSON that holds one.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 4_096;
    let body = http::body(bytes);
    let has = |needle: &[u8]| text::contains(body, needle, HEAD);
    match text::first_byte(body) {
        Some(b'{' | b'[') => {
            has(b"client.notifyEventStream")
                || has(b"\"alarmStat\"")
                || (has(b"\"SnapInfo\"") && has(b"\"Plate\""))
                || (has(b"\"Active\"") && has(b"\"DeviceID\"") && has(b"eepAlive"))
                || (has(b"\"Action\"") && (has(b"\"Code\"") || (has(b"\"Data\"") && !has(b"\"specversion\""))))
        }
        _ => {
            (has(b"Code=") && has(b"action="))
                || (has(b"Events[0].") && has(b"Code="))
                || body.trim_ascii().eq_ignore_ascii_case(b"heartbeat")
                || (body.trim_ascii_start().starts_with(b"--myboundary") && !has(b"<"))
        }
    }
}

/// Reads a piece of a stream, or JSON.
///
/// # Errors
/// None: what is nothing of this format is no piece, or a refused one.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let body = http::body(raw.bytes);
    if matches!(text::first_byte(body), Some(b'{' | b'[')) {
        let payload = text::decode(body);
        json::each(&payload.text, MAX_EVENTS, pieces, |root, pieces| {
            of_document(root, payload.flag, pieces);
            Ok(())
        });
    } else {
        Stream { rest: body, stray: false, silent: true }.read(pieces);
    }
    Ok(())
}

/// One JSON document, of whichever kind.
fn of_document(root: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    if root.has("alarmStat") || root.has("info") || root.has("alarmType") {
        return platform::read(root, flag, pieces);
    }
    if root.has("Picture") || root.has("Active") {
        return pieces.push(platform::its(root, flag).unwrap_or_else(Piece::Rejected));
    }
    // A message of a broker that was recorded with its topic.
    if let (Some(topic), Some(payload)) = (root.text("topic"), root.object("payload")) {
        let serial = fields::serial(&payload);
        return pieces.push(of_json(&payload, fields::code_of_topic(&topic), serial, flag));
    }
    let serial = fields::serial(root);
    let holder = root.object("params");
    let listed = ["eventList", "Events"].iter().find_map(|name| {
        let list = holder.as_ref().map(|holder| holder.list(name)).filter(|list| !list.is_empty());
        list.or_else(|| Some(root.list(name)).filter(|list| !list.is_empty()))
    });
    let Some(events) = listed else { return pieces.push(of_json(root, None, serial, flag)) };
    for event in events {
        if pieces.len() >= MAX_EVENTS {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        let piece = Object::read(event.get())
            .map_or_else(Piece::Rejected, |object| of_json(&object, None, serial.clone(), flag));
        pieces.push(piece);
    }
}

/// One event in JSON: `Code`, `Action`, `Index`, `Data`.
fn of_json(
    event: &Object<'_>,
    of_topic: Option<&'static str>,
    serial: Option<String>,
    flag: Option<&'static str>,
) -> Piece {
    let data = event.object("Data").or_else(|| event.object("data"));
    let stated = event.text_of(&["Code", "code"]);
    let code = match (&stated, of_topic, &data) {
        (Some(code), _, _) => Some(code.as_ref()),
        (None, Some(code), _) => Some(code),
        (None, None, Some(data)) => fields::code_of_data(data),
        (None, None, None) if !event.has("Action") => return Piece::Rejected(Reason::NotThisFormat),
        (None, None, None) => None,
    };
    let Some(code) = code else { return Piece::Rejected(Reason::MissingField) };
    let action = event.text_of(&["Action", "action"]);
    let index = event.text_of(&["Index", "index"]);
    let told = Told {
        code,
        action: action.as_deref(),
        index: index.as_deref(),
        // An uploaded event may have its details beside its code.
        data: data.as_ref().unwrap_or(event),
        serial,
    };
    finish(told.read(), event, flag)
}

fn finish(read: Result<Piece, Reason>, told: &Object<'_>, flag: Option<&'static str>) -> Piece {
    let mut piece = read.unwrap_or_else(Piece::Rejected);
    if let Piece::Event(observation) = &mut piece {
        told.note_personal(fields::PERSONAL, observation);
        observation.flags.extend(flag);
    }
    piece
}

/// The lines of a stream: boundaries, heads of parts, events with details over several lines, pictures.
struct Stream<'a> {
    rest: &'a [u8],
    /// The part holds text that is nothing.
    stray: bool,
    /// The part has told nothing yet.
    silent: bool,
}

impl<'a> Stream<'a> {
    fn read(mut self, pieces: &mut Vec<Piece>) {
        while !self.rest.is_empty() {
            if pieces.len() >= MAX_EVENTS {
                return pieces.push(Piece::Rejected(Reason::TooLarge));
            }
            let (line, behind) = cut_line(self.rest);
            let words = line.trim_ascii();
            if is_event(words) {
                let indent = line.len() - line.trim_ascii_start().len();
                let segment = self.take(indent, line.len(), behind);
                events(segment, pieces);
                self.silent = false;
                continue;
            }
            if words.starts_with(b"Events[") {
                let segment = self.take(0, line.len(), behind);
                snapshots(segment, pieces);
                self.silent = false;
                continue;
            }
            self.rest = behind;
            if words.eq_ignore_ascii_case(b"heartbeat") {
                let heartbeat = Observation::new("", DeviceScheme::Own, Kind::DeviceHeartbeat);
                self.tell(Piece::Event(Box::new(heartbeat)), pieces);
            } else if words.starts_with(b"\xff\xd8") {
                note_picture(pieces);
                self.rest = skip_to_boundary(behind);
                self.silent = false;
            } else if words.starts_with(b"--") {
                self.end_part(pieces);
            } else if !words.is_empty() && !is_header(words) {
                self.stray = true;
            }
        }
        self.end_part(pieces);
    }

    fn tell(&mut self, piece: Piece, pieces: &mut Vec<Piece>) {
        self.silent = false;
        pieces.push(piece);
    }

    /// A part that held text and told nothing is refused.
    fn end_part(&mut self, pieces: &mut Vec<Piece>) {
        if self.stray && self.silent {
            pieces.push(Piece::Rejected(Reason::NotThisFormat));
        }
        (self.stray, self.silent) = (false, true);
    }

    /// Takes an event with what belongs to it: its own line and, where it has details, those up to the next event or boundary.
    fn take(&mut self, from: usize, line: usize, behind: &'a [u8]) -> &'a [u8] {
        let whole = self.rest;
        let own = whole.get(..line).unwrap_or(whole);
        let more = if has_details(own) { details_end(behind) } else { 0 };
        let (segment, rest) = whole.split_at_checked(line + more).unwrap_or((whole, b""));
        self.rest = rest;
        segment.get(from..).unwrap_or(segment)
    }
}

fn is_event(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"Code="))
}

fn has_details(line: &[u8]) -> bool {
    line.starts_with(b"Events[") || memchr::memmem::find(line, b"data=").is_some()
}

/// Where the details end that go on behind a line.
fn details_end(behind: &[u8]) -> usize {
    let mut rest = behind;
    while !rest.is_empty() {
        let (line, next) = cut_line(rest);
        let words = line.trim_ascii_start();
        if words.starts_with(b"--") || is_event(words) {
            break;
        }
        rest = next;
    }
    behind.len() - rest.len()
}

fn skip_to_boundary(bytes: &[u8]) -> &[u8] {
    let start = memchr::memmem::find(bytes, b"\n--").map_or(bytes.len(), |at| at + 1);
    bytes.get(start..).unwrap_or_default()
}

fn is_header(line: &[u8]) -> bool {
    let is_name =
        |name: &[u8]| !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    line.starts_with(b"HTTP/") || memchr::memchr(b':', line).and_then(|at| line.get(..at)).is_some_and(is_name)
}

fn note_picture(pieces: &mut Vec<Piece>) {
    let last = pieces.iter_mut().rev().find_map(|piece| match piece {
        Piece::Event(observation) => Some(observation),
        Piece::Filtered(_) | Piece::Rejected(_) => None,
    });
    match last {
        Some(observation) => observation.drop_field("picture"),
        None => pieces.push(Piece::Filtered("picture")),
    }
}

/// The event of a segment; and those that stand behind its details on the same line, for some firmware forgets the break.
fn events(segment: &[u8], pieces: &mut Vec<Piece>) {
    let payload = text::decode(segment);
    let mut rest = payload.text.as_ref();
    loop {
        let (piece, behind) = event(rest, payload.flag);
        pieces.push(piece);
        rest = behind.trim_start();
        if !is_event(rest.as_bytes()) {
            return;
        }
        if pieces.len() >= MAX_EVENTS {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
    }
}

/// One event of the stream, with its details; and what stands behind them.
fn event<'t>(text: &'t str, flag: Option<&'static str>) -> (Piece, &'t str) {
    let (head, details) = match text.find("data=") {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 5..)),
        None => (text, None),
    };
    let member = |name: &str| {
        let mut members = head.split(';').filter_map(|member| member.split_once('='));
        members.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    // Details that are broken are gone, with what follows them; the event is not.
    let read = details.and_then(|details| {
        let mut stream = serde_json::Deserializer::from_str(details).into_iter::<&serde_json::value::RawValue>();
        let first = stream.next()?.ok()?;
        Some((first.get(), details.get(stream.byte_offset()..)?))
    });
    let (json, behind) = read.unwrap_or_default();
    let Some(code) = member("Code").and_then(ident::token) else {
        return (Piece::Rejected(Reason::MissingField), behind);
    };
    let data = Object::read(json).ok();
    let unreadable = details.is_some_and(|details| !details.trim().is_empty()) && data.is_none();
    let data = data.unwrap_or_default();
    let told = Told { code: &code, action: member("action"), index: member("index"), data: &data, serial: None };
    let mut piece = finish(told.read(), &data, flag);
    if let (Piece::Event(observation), true) = (&mut piece, unreadable) {
        observation.flags.push("data_unreadable");
    }
    (piece, behind)
}

/// The lines of a snapshot stream, `Events[n].path=value`: each number is one event, its fields by the last word of the path.
fn snapshots(segment: &[u8], pieces: &mut Vec<Piece>) {
    let payload = text::decode(segment);
    let mut events: Vec<(u32, serde_json::Map<String, serde_json::Value>)> = Vec::new();
    for line in payload.text.lines() {
        let Some((number, field)) = line.trim().strip_prefix("Events[").and_then(|rest| rest.split_once("].")) else {
            continue;
        };
        let (Ok(number), Some((path, value))) = (number.parse(), field.split_once('=')) else { continue };
        if events.last().is_none_or(|(last, _)| *last != number) {
            if pieces.len() + events.len() >= MAX_EVENTS {
                pieces.push(Piece::Rejected(Reason::TooLarge));
                break;
            }
            events.push((number, serde_json::Map::new()));
        }
        if let Some((_, fields)) = events.last_mut() {
            let name = path.rsplit('.').next().unwrap_or(path);
            fields.entry(name).or_insert_with(|| value.trim().into());
        }
    }
    for (_, fields) in events {
        let json = serde_json::Value::Object(fields).to_string();
        let piece = match Object::read(&json) {
            Ok(event) => of_json(&event, None, None, payload.flag),
            Err(reason) => Piece::Rejected(reason),
        };
        pieces.push(piece);
    }
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    let left = super::doc::left_behind(fields::PERSONAL.iter().copied());
    codes::tables().into_iter().chain([left]).collect()
}
