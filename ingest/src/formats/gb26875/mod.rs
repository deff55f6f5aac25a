//! GB/T 26875.3: what the transmission device of a fire alarm system sends to a city's monitoring centre.
//!
//! `@@`, serial, version, time of sending, sender, receiver, length, command, data, sum, `##`; numbers begin with their
//! lowest byte. A record may hold several frames, bytes or hexadecimal text; a frame may hold several objects, and each is
//! an event or more, in their order.
//!
//! | command, type | becomes |
//! |---|---|
//! | 2 without data | `device.heartbeat` |
//! | 1 system, 2 part, 21 the device itself | bit 1 `fire.alarm`; fault, shielded, supervisory, power, bus and lines `fire.fault` with a remark; started, feedback and delayed `input.changed`. One event per kind |
//! | 1, 2, 21 without any of these bits | `fire.alarm` and `fire.fault` end: what was is over (trap 7). Bit 0 alone means nothing: real panels leave it clear in a true fire, so that is no test (flag `test_state`) |
//! | 4, 24 operations | reset and cleared end `fire.alarm`, of every part of the system (4) or of the device (24), for their remark says so; by hand starts it; tests are heartbeats with `is_test`; an answer to the centre's call (24) is `patrol.checkin`; muted, confirmed: filtered |
//! | 8, 28 clocks | `device.heartbeat`: they are sent to be heard from |
//! | 3 measurements, 5 and 25 versions, 6, 7 and 26 how it is set up | filtered |
//! | command 5, an answer to the centre's question | a statement, [`Phase::Sync`] (trap 20), with the remark `standing`; `device.heartbeat` from a device that is well; old operations are replays |
//! | commands 1, 3, 4, 6 and the types 61 to 91 | filtered: the centre's side of the talk |
//! | other commands and types | refused as unknown |
//!
//! The device is the sender's address as a decimal number, of 6 bytes; 0 is none. `channel` is the system (`type.address`),
//! `zone` the part (`area.number`). Times are local (trap 1): the object's own; the time of sending only where there is none
//! (flag `frame_time`). A frame sent long after what it tells of, or before it, is flagged (`sent_late`,
//! `told_before_it_happened`) and no replay: a panel's clock
//! may be wrong, and a fire is not to be put aside for that. What the sum or the length contradicts is refused when strict,
//! else `integrity` failed. The text beside a part and the operator's number are left behind.

mod frame;
mod tables;

use chorus_model::{DeviceScheme, Integrity, Kind, Phase};

use self::frame::{Frame, Frames, little};
use self::tables::{Bit, Operation};
use super::{text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "gb-t-26875";

/// The most frames and objects of one record.
const MAX_PIECES: usize = 1_000;
/// The bytes of a time.
const TIME: usize = 6;

/// True for a start mark, in bytes or in hexadecimal digits.
pub fn sniff(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    bytes.starts_with(b"@@") || is_hexadecimal(bytes)
}

fn is_hexadecimal(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 64;
    let fits = |byte: &u8| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace();
    text::contains(bytes, b"4040", 4) && bytes.iter().take(LOOKED_AT).all(fits)
        || text::contains(bytes, b"40 40 ", 6) && bytes.iter().take(LOOKED_AT).all(fits)
}

/// Reads every frame of a record.
///
/// # Errors
/// When the record is one frame, and that cannot be read.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let bytes = raw.bytes.trim_ascii_start();
    if is_hexadecimal(bytes) {
        let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        frames(&hex::decode(digits).map_err(|_| Reason::BadSyntax)?, raw.strict, pieces);
    } else if bytes.starts_with(b"@@") || memchr::memmem::find(bytes, b"@@").is_some() {
        frames(bytes, raw.strict, pieces);
    } else {
        return Err(Reason::NotThisFormat);
    }
    Ok(())
}

fn frames(bytes: &[u8], strict: bool, pieces: &mut Vec<Piece>) {
    for frame in Frames::of(bytes) {
        if pieces.len() >= MAX_PIECES {
            pieces.push(Piece::Rejected(Reason::TooLarge));
            return;
        }
        let read = frame.and_then(|frame| one(&frame, strict, pieces));
        pieces.extend(read.err().map(Piece::Rejected));
    }
}

fn one(frame: &Frame<'_>, strict: bool, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    if strict && !frame.is_sound {
        return Err(Reason::BadIntegrity);
    }
    match frame.command {
        1 => pieces.push(Piece::Filtered("command")),
        2 if frame.data.is_empty() => {
            let mut heartbeat = observe(frame, Kind::DeviceHeartbeat, frame.sent);
            heartbeat.native_id = identity(frame, 0, frame.sent);
            pieces.push(event(heartbeat));
        }
        2 | 5 => return data(frame, pieces),
        3 | 6 => pieces.push(Piece::Filtered("answer")),
        4 => pieces.push(Piece::Filtered("request")),
        _ => return Err(Reason::UnknownCode),
    }
    Ok(())
}

fn data(frame: &Frame<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let (kind, rest) = frame.data.split_first().ok_or(Reason::Truncated)?;
    let size = match kind {
        1 | 4 => 4,
        2 => 40,
        8 | 24 => 2,
        21 => 1,
        28 => 0,
        3 => return filtered("measurement", pieces),
        5 | 25 => return filtered("version", pieces),
        6 | 7 | 26 => return filtered("configuration", pieces),
        61..=91 => return filtered("request", pieces),
        _ => return Err(Reason::UnknownCode),
    };
    let (count, objects) = rest.split_first().ok_or(Reason::Truncated)?;
    let count = usize::from(*count);
    // Some devices leave the times out.
    let has_times = size == 0 || objects.len() != count * size;
    let step = if has_times { size + TIME } else { size };
    let chunks = objects.chunks_exact(step);
    let is_cut = !chunks.remainder().is_empty();
    let is_miscounted = chunks.len() != count;
    let is_missing = chunks.len() < count || chunks.len() == 0;
    for (index, object) in chunks.enumerate() {
        if pieces.len() >= MAX_PIECES {
            return Err(Reason::TooLarge);
        }
        let (body, time) = object.split_at_checked(size).ok_or(Reason::Truncated)?;
        let object = Object { frame, kind: *kind, index, body, time: frame::time(time), is_miscounted };
        object.read(pieces);
    }
    if is_cut || is_missing { Err(Reason::Truncated) } else { Ok(()) }
}

fn filtered(word: &'static str, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    pieces.push(Piece::Filtered(word));
    Ok(())
}

fn event(observation: Observation) -> Piece {
    Piece::Event(Box::new(observation))
}

/// One object of a frame.
struct Object<'o> {
    frame: &'o Frame<'o>,
    kind: u8,
    index: usize,
    body: &'o [u8],
    time: DeviceTime,
    is_miscounted: bool,
}

impl Object<'_> {
    fn read(&self, pieces: &mut Vec<Piece>) {
        let byte = |at: usize| self.body.get(at).copied().unwrap_or_default();
        match self.kind {
            1 => self.status(frame::word(self.body, 2), tables::SYSTEM, pieces),
            2 => self.status(frame::word(self.body, 7), tables::PART, pieces),
            21 => self.status(u16::from(byte(0)), tables::DEVICE, pieces),
            4 => self.operations(byte(2), byte(3), pieces),
            24 => self.operations(byte(0), byte(1), pieces),
            _ => pieces.push(event(self.start(Kind::DeviceHeartbeat, Phase::Pulse))),
        }
    }

    /// One event for each kind that a status word names; the end of all when it names none.
    fn status(&self, word: u16, bits: &[Bit], pieces: &mut Vec<Piece>) {
        let is_answer = self.frame.command == 5;
        let mut facts: Vec<(Kind, Vec<&'static str>)> = Vec::new();
        for (_, kind, remark) in bits.iter().filter(|(bit, ..)| word & 1 << bit != 0) {
            match facts.iter_mut().find(|(known, _)| known == kind) {
                Some((_, remarks)) => remarks.extend(remark),
                None => facts.push((*kind, remark.iter().copied().collect())),
            }
        }
        let is_quiet = facts.is_empty();
        if is_quiet && is_answer && self.kind == 21 {
            return pieces.push(event(self.start(Kind::DeviceHeartbeat, Phase::Pulse)));
        }
        if is_quiet {
            facts.extend([(Kind::FireAlarm, Vec::new()), (Kind::FireFault, Vec::new())]);
        } else if self.kind == 1 && word & tables::RESET != 0 && facts.iter().all(|(kind, _)| *kind != Kind::FireAlarm)
        {
            // The system was reset and does not burn: whatever else it tells of.
            let mut over = self.start(Kind::FireAlarm, Phase::End);
            over.flags.push("reset");
            pieces.push(event(over));
        }
        for (kind, remarks) in facts {
            let phase = match kind {
                _ if is_answer => Phase::Sync,
                _ if is_quiet => Phase::End,
                // Nothing promises that an end will follow.
                Kind::InputChanged => Phase::Pulse,
                _ => Phase::Start,
            };
            let mut observation = self.start(kind, phase);
            observation.flags.extend((is_answer && !is_quiet).then_some("standing"));
            observation.flags.extend((word & 1 == 0).then_some("test_state"));
            observation.flags.extend((self.kind == 1 && word & tables::RESET != 0).then_some("reset"));
            observation.flags.extend(remarks);
            pieces.push(event(observation));
        }
    }

    /// One event for each thing that somebody did; one that happens twice over is one.
    fn operations(&self, bits: u8, operator: u8, pieces: &mut Vec<Piece>) {
        let before = pieces.len();
        let mut done: Vec<(Kind, Phase)> = Vec::new();
        let mut word = "no_operation";
        for bit in (0..8).filter(|bit| bits & 1 << bit != 0) {
            let (kind, phase, remark, is_test) = match tables::operation(bit, self.kind == 24) {
                Some(Operation::Event(kind, phase, remark)) => (kind, phase, remark, false),
                Some(Operation::Test(remark)) => (Kind::DeviceHeartbeat, Phase::Pulse, remark, true),
                Some(Operation::Filtered(why)) => {
                    word = why;
                    continue;
                }
                None => continue,
            };
            if done.contains(&(kind, phase)) {
                continue;
            }
            done.push((kind, phase));
            let mut observation = self.start(kind, phase);
            observation.flags.push(remark);
            observation.is_test = is_test;
            // What is answered has been told before, or was done long ago.
            observation.is_replay = self.frame.command == 5;
            if operator != 0 {
                observation.drop_field("operator");
            }
            pieces.push(event(observation));
        }
        if pieces.len() == before {
            pieces.push(Piece::Filtered(word));
        }
    }

    /// An event of this object, with everything but what its bits say.
    fn start(&self, kind: Kind, phase: Phase) -> Observation {
        let time = if self.time == DeviceTime::Missing { self.frame.sent } else { self.time };
        let mut observation = observe(self.frame, kind, time);
        observation.phase = phase;
        observation.native_id = identity(self.frame, self.index, time);
        if self.time == DeviceTime::Missing && time != DeviceTime::Missing {
            observation.flags.push("frame_time");
        }
        observation.flags.extend(time::order(self.time, self.frame.sent));
        if self.is_miscounted {
            observation.flags.push("object_count_wrong");
        }
        if matches!(self.kind, 1 | 2 | 4 | 8) {
            observation.channel = Some(format!("{}.{}", little(self.body, 0, 1), little(self.body, 1, 1)));
        }
        if self.kind == 2 {
            observation.zone = Some(format!("{}.{}", little(self.body, 3, 2), little(self.body, 5, 2)));
            observation.flags.extend(self.body.get(2).copied().and_then(tables::part));
            if self.body.get(9..).is_some_and(|text| text.iter().any(|byte| !matches!(byte, 0 | b' ' | 0xff))) {
                observation.drop_field("description");
            }
        }
        observation
    }
}

fn observe(frame: &Frame<'_>, kind: Kind, time: DeviceTime) -> Observation {
    let device = if frame.source == 0 { String::new() } else { frame.source.to_string() };
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = Some("panel");
    observation.time = time;
    observation.native_seq = Some(u64::from(frame.serial));
    observation.integrity = if frame.is_sound { Integrity::Ok } else { Integrity::Failed };
    observation.flags.extend(frame.is_resized.then_some("length_wrong"));
    observation
}

/// A frame that is sent again keeps its serial; that counts from 0 after each connection, so the time belongs to it.
fn identity(frame: &Frame<'_>, index: usize, time: DeviceTime) -> Option<String> {
    let DeviceTime::Local(at, _) = time else { return None };
    Some(format!("{}/{}/{index}/{at}", frame.source, frame.serial))
}

/// The tables of the format's page.
pub(super) fn pages() -> Vec<super::doc::Table> {
    tables::pages()
}
