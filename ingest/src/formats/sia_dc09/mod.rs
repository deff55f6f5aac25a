//! SIA DC-09: alarm panels over IP, with SIA DC-03 (`SIA-DCS`) or Contact ID (`ADM-CID`) inside.
//!
//! `LF crc length "SIA-DCS" seq Rreceiver Lprefix #account [data][xdata…] _HH:MM:SS,MM-DD-YYYY CR`. A record may hold several
//! frames, and a data block several codes; each code is an event, in their order.
//!
//! | part | becomes |
//! |---|---|
//! | `SIA-DCS` | per code by the table in `codes.rs`; restores are ends, tests are heartbeats with `is_test`, `O` is a replay |
//! | `ADM-CID` | by the table of Contact ID; its qualifier gives the phase |
//! | `NULL` | `device.heartbeat`, encrypted or not: the account stands in clear (trap 5) |
//! | `*SIA-DCS`, `*ADM-CID` | refused as encrypted: Chorus holds no keys |
//! | `ACK`, `NAK`, `DUH`, `RSP` | filtered: the receiver's answers |
//! | CRC or length wrong | strict: refused; lenient: read, `integrity` failed. A decimal length over a right CRC passes, flagged |
//! | account | the device; a user number is a person and leaves as a pseudonym at most; zones are kept as they are written |
//! | `L`, `R` | where they are not zero they are a part of the device: `1234/L5/R2`. An account is unique only within them |
//! | time | UTC though it does not say so (trap 2); `H` (when it happened) before the frame's own (when it was sent) |
//! | xdata `X`, `Y` | the position; texts, names and addresses are named and left |
//!
//! The poll of an Osborne-Hoffman receiver (`SR0001L0001 … [ID…]`), which comes over the same line, is a heartbeat as well.

mod block;
mod codes;
mod frame;

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Geo, Integrity, Kind, Outcome, Phase};

use self::codes::Number;
use self::frame::{Check, Frame};
use super::{contact_id, doc, ident};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "sia-dc09";

/// The most frames and codes of one record.
const MAX_PIECES: usize = 1_000;

/// Extended data about people and their addresses, by its letter.
const PERSONAL: [(char, &str); 6] =
    [('I', "alarm_text"), ('L', "location"), ('O', "building"), ('R', "room"), ('S', "site"), ('V', "verification")];

/// True when a frame begins within the first bytes, or a poll is all there is.
pub fn sniff(bytes: &[u8]) -> bool {
    frame::looks_like(bytes) || frame::frames(bytes).next().and_then(poll).is_some()
}

/// Reads every frame of a record.
///
/// # Errors
/// When the record is one frame, and that cannot be read.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    for bytes in frame::frames(raw.bytes) {
        if pieces.len() >= MAX_PIECES {
            pieces.push(Piece::Rejected(Reason::TooLarge));
            break;
        }
        if let Err(reason) = one(bytes, raw.strict, pieces) {
            pieces.push(Piece::Rejected(reason));
        }
    }
    match pieces.as_slice() {
        [Piece::Rejected(reason)] => {
            let reason = *reason;
            pieces.clear();
            Err(reason)
        }
        _ => Ok(()),
    }
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<doc::Table> {
    vec![codes::table(), doc::left_behind(PERSONAL.iter().map(|(_, name)| *name).chain(["text", "user"]))]
}

/// What every event of a frame shares.
struct Common {
    device: String,
    identity: Option<String>,
    sequence: Option<u64>,
    time: DeviceTime,
    integrity: Integrity,
    geo: Option<Geo>,
    flags: Vec<&'static str>,
    dropped: Vec<&'static str>,
}

fn one(bytes: &[u8], strict: bool, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    if let Some(account) = poll(bytes) {
        pieces.push(event(panel(account, Kind::DeviceHeartbeat)));
        return Ok(());
    }
    let frame = frame::read(bytes)?;
    match frame.token.as_str() {
        "ACK" | "NAK" | "DUH" | "RSP" => {
            pieces.push(Piece::Filtered("answer"));
            return Ok(());
        }
        "NULL" | "SIA-DCS" | "ADM-CID" => {}
        _ => return Err(Reason::UnknownCode),
    }
    let is_null = frame.token == "NULL";
    if frame.encrypted && !is_null {
        return Err(Reason::Encrypted);
    }
    if strict && frame.check == Check::Failed {
        return Err(Reason::BadIntegrity);
    }
    if is_null {
        let mut heartbeat = common(&frame, "", &[], &frame.rest).start(0, Kind::DeviceHeartbeat, Phase::Pulse);
        heartbeat.flags.extend(frame.encrypted.then_some("encrypted"));
        pieces.push(event(heartbeat));
        return Ok(());
    }
    let (blocks, tail) = frame::brackets(&frame.rest)?;
    let (data, extended) = blocks.split_first().ok_or(Reason::Truncated)?;
    let (account, data) = account_of(data);
    let common = common(&frame, account, extended, tail);
    if frame.token == "ADM-CID" {
        pieces.push(event(contact(data, &common)?));
        return Ok(());
    }
    codes(data, common, pieces)
}

fn event(observation: Observation) -> Piece {
    Piece::Event(Box::new(observation))
}

fn panel(account: String, kind: Kind) -> Observation {
    let mut observation = Observation::new(account, DeviceScheme::SiaAccount, kind);
    observation.device_kind = Some("panel");
    observation
}

/// The account of an Osborne-Hoffman poll: `SR`, receiver, `L`, line, the account filled up with `X`, an id in brackets.
fn poll(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.strip_prefix("SR")?;
    let (head, id) = text.strip_suffix(']')?.split_once("[ID")?;
    let (lines, account) = head.trim_end().split_once(' ')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (receiver, line) = lines.split_once('L')?;
    if !digits(receiver) || !digits(line) || !digits(id) {
        return None;
    }
    ident::token(account.trim().trim_end_matches('X'))
}

/// The account in front of the data, and the data.
fn account_of(data: &str) -> (&str, &str) {
    match data.strip_prefix('#') {
        Some(data) => data.split_once('|').unwrap_or((data, "")),
        None => ("", data.strip_prefix('|').unwrap_or(data)),
    }
}

fn common(frame: &Frame<'_>, account_of_data: &str, extended: &[&str], tail: &str) -> Common {
    let mut flags: Vec<&'static str> = frame.flag.into_iter().collect();
    let of_data = ident::token(account_of_data).unwrap_or_default();
    if !of_data.is_empty() && !frame.account.is_empty() && of_data != frame.account {
        flags.push("account_contradictory");
    }
    let device = if frame.account.is_empty() { of_data } else { frame.account.clone() };
    let integrity = match frame.check {
        Check::Ok => Integrity::Ok,
        Check::OkDecimal => {
            flags.push("decimal_length");
            Integrity::Ok
        }
        Check::Failed => Integrity::Failed,
    };
    let of = |letter: char| extended.iter().find_map(|block| block.strip_prefix(letter));
    let sent = tail.rfind('_').and_then(|at| tail.get(at + 1..)).map(frame::utc).unwrap_or_default();
    let happened = of('H').map(frame::utc).unwrap_or_default();
    let time = if happened == DeviceTime::Missing { sent } else { happened };
    // The sequence number comes round again after 9999: without the time it is no identity.
    let identity = match (frame.sequence, time) {
        (Some(sequence), DeviceTime::Zoned(instant, _)) if !device.is_empty() => {
            Some(format!("{device}{}/{sequence:04}/{instant}", way(frame)))
        }
        _ => None,
    };
    let geo = of('Y').and_then(|text| degrees(text, 'N', 'S')).zip(of('X').and_then(|text| degrees(text, 'E', 'W')));
    let present = |letter: char| of(letter).is_some_and(|text| !text.trim().is_empty());
    Common {
        device,
        identity,
        sequence: frame.sequence,
        time,
        integrity,
        geo: geo.map(|(lat, lon)| Geo { lat, lon, datum: Cow::Borrowed("unknown") }),
        flags,
        dropped: PERSONAL.iter().filter(|(letter, _)| present(*letter)).map(|(_, name)| *name).collect(),
    }
}

/// Prefix and receiver where the panel was given any: two receivers may have given out the same account, and a repeat is
/// one only on the same way. The device is the account, as it stands in the registry. Behind an automation receiver (the
/// account stands in the data only) the letters number receiver and line, which do not belong to the panel.
fn way(frame: &Frame<'_>) -> String {
    if frame.account.is_empty() {
        return String::new();
    }
    let given = [("/L", &frame.prefix), ("/R", &frame.receiver)].into_iter().filter(|(_, number)| !number.is_empty());
    given.flat_map(|(letter, number)| [letter, number.as_str()]).collect()
}

/// Degrees, a letter for the hemisphere, minutes: `006E07.7777777`.
fn degrees(text: &str, positive: char, negative: char) -> Option<f64> {
    let text = text.trim();
    let at = text.find([positive, negative])?;
    let whole: u16 = text.get(..at)?.parse().ok()?;
    let minutes: f64 = text.get(at + 1..)?.parse().ok()?;
    if !(0.0..60.0).contains(&minutes) {
        return None;
    }
    let size = f64::from(whole) + minutes / 60.0;
    Some(if text.get(at..).is_some_and(|rest| rest.starts_with(negative)) { -size } else { size })
}

impl Common {
    /// The event with this index in its frame.
    fn start(&self, index: usize, kind: Kind, phase: Phase) -> Observation {
        let mut observation = panel(self.device.clone(), kind);
        observation.phase = phase;
        observation.time = self.time;
        observation.native_seq = self.sequence;
        // Two codes of one frame may be alike but for what may not be told: the second is no repeat of the first.
        observation.native_id = self.identity.as_ref().map(|identity| match index {
            0 => identity.clone(),
            _ => format!("{identity}/{index}"),
        });
        observation.integrity = self.integrity;
        observation.geo.clone_from(&self.geo);
        observation.flags.clone_from(&self.flags);
        for name in &self.dropped {
            observation.drop_field(*name);
        }
        observation.outcome = match (kind, phase) {
            (Kind::AccessGranted, _) => Some(Outcome::Granted),
            (Kind::AccessDenied, Phase::Start | Phase::Pulse) => Some(Outcome::Denied),
            _ => None,
        };
        observation
    }
}

/// The codes of SIA DC-03.
fn codes(data: &str, common: Common, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let block = block::read(data);
    if block.items.is_empty() {
        return Err(Reason::MissingField);
    }
    for (index, item) in block.items.iter().enumerate() {
        if pieces.len() >= MAX_PIECES {
            return Err(Reason::TooLarge);
        }
        let Some(meaning) = item.meaning else {
            pieces.push(Piece::Rejected(Reason::UnknownCode));
            continue;
        };
        let mut observation = common.start(index, meaning.kind, meaning.phase);
        observation.is_test = meaning.is_test;
        observation.is_replay = item.is_old;
        observation.flags.extend(meaning.remark);
        observation.channel = number(item.area);
        match meaning.number {
            Number::Zone => observation.zone = number(item.number),
            Number::Area => observation.channel = number(item.number).or(number(item.area)),
            Number::Door => {
                observation.zone = number(item.area);
                observation.channel = number(item.number);
            }
            Number::User | Number::Nothing => {}
        }
        let user = if meaning.number == Number::User && !item.number.is_empty() { item.number } else { item.user };
        person(user, &mut observation);
        if block.has_text {
            observation.drop_field("text");
        }
        pieces.push(event(observation));
    }
    Ok(())
}

/// An event of Contact ID: qualifier and code, partition, zone or user.
fn contact(data: &str, common: &Common) -> Result<Observation, Reason> {
    let digits: String = data.chars().filter(char::is_ascii_digit).collect();
    let fits = data.chars().all(|c| c.is_ascii_digit() || c.is_ascii_whitespace());
    if !fits || !matches!(digits.len(), 4 | 6 | 9) {
        return Err(if data.trim().is_empty() { Reason::MissingField } else { Reason::BadValue });
    }
    let field = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let qualifier: u16 = field(0, 1).parse().map_err(|_| Reason::BadValue)?;
    let code: u16 = field(1, 4).parse().map_err(|_| Reason::BadValue)?;
    let meaning = contact_id::by_code(code).ok_or(Reason::UnknownCode)?;
    let phase = contact_id::phase(qualifier, meaning.kind).ok_or(Reason::BadValue)?;
    let mut observation = common.start(0, meaning.kind, phase);
    observation.is_test = meaning.is_test;
    observation.flags.extend(contact_id::arming(qualifier, code));
    observation.channel = number(field(4, 6));
    if contact_id::names_a_user(code) {
        person(field(6, 9), &mut observation);
    } else {
        observation.zone = number(field(6, 9));
    }
    Ok(observation)
}

/// A zone, area or door as it is written; zeros are none, and so is what no panel counts to.
fn number(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    (text.len() <= LONGEST && text.bytes().any(|byte| byte != b'0')).then(|| text.to_owned())
}

/// A user is a person: a pseudonym where a credential was used, nothing where the panel only lives.
fn person(user: &str, observation: &mut Observation) {
    let Some(credential) = Credential::new(user) else { return };
    if observation.kind == Kind::DeviceHeartbeat {
        observation.drop_field("user");
    } else {
        observation.credential = Some(credential);
    }
}
