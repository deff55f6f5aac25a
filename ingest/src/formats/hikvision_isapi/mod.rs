//! Hikvision ISAPI: `EventNotificationAlert` in XML and JSON, pushed or from the alert stream (multipart), and the stored
//! access events of an `AcsEvent` search.
//!
//! Several documents may follow one another; each is read on its own. Names are matched without their namespace, of which
//! there are five. A part that is a picture is left at the border and named on the event before it.

mod access;
mod json;
mod kinds;
mod notice;

use chorus_model::{DeviceScheme, Kind, Outcome, Phase};

use self::notice::{Device, Document, Notice, State};
use super::{contact_id, doc, http, multipart, text, time};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "hikvision-isapi";

/// The most notifications of one record.
const MAX_PIECES: usize = notice::MAX_NOTICES;

/// True for XML, JSON or multipart that holds a notification of this kind.
pub fn sniff(bytes: &[u8]) -> bool {
    notice::sniff(bytes)
}

/// Reads every document of a body.
///
/// # Errors
/// When the body is one document, and that cannot be read.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let mut pictures = false;
    for part in multipart::parts(http::body(raw.bytes)) {
        if pieces.len() >= MAX_PIECES {
            pieces.push(Piece::Rejected(Reason::TooLarge));
            break;
        }
        match part {
            multipart::Part::Text(body) => documents(body, pieces),
            multipart::Part::Binary => pictures |= !note_picture(pieces),
            multipart::Part::Other => pieces.push(Piece::Rejected(Reason::NotThisFormat)),
            multipart::Part::TooLarge => pieces.push(Piece::Rejected(Reason::TooLarge)),
        }
        if pictures {
            pictures = !note_picture(pieces);
        }
    }
    if let [Piece::Rejected(reason)] = pieces.as_slice()
        && matches!(reason, Reason::BadSyntax | Reason::Truncated | Reason::NotThisFormat | Reason::TooLarge)
    {
        let reason = *reason;
        pieces.clear();
        return Err(reason);
    }
    if pieces.is_empty() && pictures {
        pieces.push(Piece::Filtered("picture"));
    }
    Ok(())
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<doc::Table> {
    let row = |(words, meaning): &(&[&str], kinds::Meaning)| {
        std::iter::once(words.join(", ")).chain(meaning.says()).collect::<Vec<_>>()
    };
    let words = doc::Table {
        title: "`eventType`, in any case",
        columns: &["word", "kind", "phase"],
        rows: kinds::WORDS.iter().map(row).collect(),
    };
    vec![words, access::table(), doc::left_behind(notice::PERSONAL)]
}

/// Names the picture on the event that it belongs to; false when there is none yet.
fn note_picture(pieces: &mut [Piece]) -> bool {
    let last = pieces.iter_mut().rev().find_map(|piece| match piece {
        Piece::Event(observation) => Some(observation),
        Piece::Filtered(_) | Piece::Rejected(_) => None,
    });
    match last {
        Some(observation) => {
            observation.drop_field("picture");
            true
        }
        None => false,
    }
}

/// Reads documents that follow one another.
fn documents(mut body: &[u8], pieces: &mut Vec<Piece>) {
    while let Some(start) = text::first_byte(body) {
        if pieces.len() >= MAX_PIECES {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        match start {
            b'<' => {
                let (document, rest) = multipart::first_xml(body);
                body = rest;
                let payload = text::decode(document);
                push(notice::from_xml(payload.text.trim_start()), payload.flag, pieces);
            }
            b'{' | b'[' => return json_documents(body, pieces),
            _ => return pieces.push(Piece::Rejected(Reason::BadSyntax)),
        }
    }
}

fn json_documents(body: &[u8], pieces: &mut Vec<Piece>) {
    let payload = text::decode(body);
    for value in serde_json::Deserializer::from_str(&payload.text).into_iter::<json::Json>() {
        if pieces.len() >= MAX_PIECES {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        match value {
            Ok(json::Json(document)) => push(document, payload.flag, pieces),
            Err(error) => return pieces.push(Piece::Rejected(super::chorus::syntax(&error))),
        }
    }
}

fn push(document: Result<Document, Reason>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let (notices, polled) = match document {
        Ok(Document::Notices(notices)) => (notices, false),
        Ok(Document::Polled(notices)) => (notices, true),
        Ok(Document::Answer) => return pieces.push(Piece::Filtered("answer")),
        Err(reason) => return pieces.push(Piece::Rejected(reason)),
    };
    if notices.is_empty() {
        return pieces.push(Piece::Filtered("no_match"));
    }
    for mut notice in notices {
        if pieces.len() >= MAX_PIECES {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        notice.is_replay |= polled;
        if polled && notice.event_type.is_none() {
            let word = if notice.major.is_some() { "AccessControllerEvent" } else { "ANPR" };
            notice.event_type = Some(word.to_owned());
        }
        read(notice, flag, pieces);
    }
}

/// Turns a notice into its pieces: one, but for a `duration` of several events.
fn read(mut notice: Notice, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let Some(word) = notice.event_type.take() else {
        return pieces.push(Piece::Rejected(Reason::MissingField));
    };
    if kinds::by_word(&word) != Some(kinds::Meaning::Duration) {
        return pieces.push(one(&word, &mut notice, flag).unwrap_or_else(Piece::Rejected));
    }
    let relations = std::mem::take(&mut notice.relations);
    if relations.is_empty() {
        return pieces.push(Piece::Rejected(Reason::MissingField));
    }
    // What is reported by its duration has begun before, whatever the count says.
    notice.post_count = notice.post_count.max(2);
    for relation in relations {
        pieces.push(one(&relation, &mut notice, flag).unwrap_or_else(Piece::Rejected));
    }
}

fn one(word: &str, notice: &mut Notice, flag: Option<&'static str>) -> Result<Piece, Reason> {
    let mut observation = match kinds::by_word(word).ok_or(Reason::UnknownCode)? {
        kinds::Meaning::Lasting(kind) => of_camera(kind, lasting(notice), notice),
        kinds::Meaning::Pulse(kind) => of_camera(kind, Phase::Pulse, notice),
        kinds::Meaning::VideoLoss if notice.state == State::Active => {
            of_camera(Kind::VideoLoss, lasting(notice), notice)
        }
        // Which of the two it is, only the state tells.
        kinds::Meaning::VideoLoss if notice.state == State::Unsaid => return Err(Reason::MissingField),
        kinds::Meaning::VideoLoss => of_camera(Kind::DeviceHeartbeat, Phase::Pulse, notice),
        kinds::Meaning::Access => match of_access(notice)? {
            Ok(observation) => observation,
            Err(word) => return Ok(Piece::Filtered(word)),
        },
        kinds::Meaning::ContactId => of_panel(notice)?,
        kinds::Meaning::Filtered(word) => return Ok(Piece::Filtered(word)),
        // A duration of durations says nothing.
        kinds::Meaning::Duration => return Err(Reason::BadValue),
    };
    observation.native_id = native_id(notice, &observation);
    observation.flags.extend(flag);
    Ok(Piece::Event(Box::new(observation)))
}

/// The phase of what has a length; a count above one repeats what has begun (trap 8).
fn lasting(notice: &Notice) -> Phase {
    match notice.state {
        State::Unsaid => Phase::Pulse,
        State::Inactive => Phase::End,
        State::Active if notice.post_count > 1 => Phase::Continue,
        State::Active => Phase::Start,
    }
}

fn of_camera(kind: Kind, phase: Phase, notice: &Notice) -> Observation {
    let mut observation = base(kind, phase, notice);
    observation.device_kind = (kind != Kind::DeviceHeartbeat && kind != Kind::InputChanged).then_some("camera");
    observation.object_class = notice.target;
    observation.count = notice.passages.filter(|_| kind == Kind::CountFlow);
    observation.zone = match kind {
        Kind::InputChanged => notice.input.clone(),
        Kind::VehiclePassed => notice.lane.clone(),
        _ => notice.region.clone(),
    };
    if kind == Kind::VehiclePassed {
        observation.object_class = Some("vehicle");
        observation.flags.extend(notice.direction);
    }
    observation
}

/// An access event, or the word for why it is none.
fn of_access(notice: &mut Notice) -> Result<Result<Observation, &'static str>, Reason> {
    let codes = notice.major.zip(notice.minor).ok_or(Reason::MissingField)?;
    let (kind, phase, remark) = match access::by_code(codes.0, codes.1).ok_or(Reason::UnknownCode)? {
        access::Meaning::Event(kind, phase, remark) => (kind, phase, remark),
        access::Meaning::Filtered(word) => return Ok(Err(word)),
    };
    let mut observation = base(kind, phase, notice);
    observation.device_kind = Some("door");
    if notice.door.is_some() {
        observation.channel.clone_from(&notice.door);
    }
    observation.outcome = outcome(kind);
    observation.flags.extend(remark);
    if kind == Kind::ArmingChanged {
        observation.flags.push("audit");
    } else {
        observation.credential = notice.take_credential();
    }
    Ok(Ok(observation))
}

/// An event of an alarm panel. The first digit of the code is Contact ID's qualifier; `type` and `eventState` say "alarm" on
/// a restore as well, so they are not asked (trap 7).
fn of_panel(notice: &Notice) -> Result<Observation, Reason> {
    let digits = notice.cid_code.as_deref().ok_or(Reason::MissingField)?;
    let number: u16 = digits.parse().map_err(|_| Reason::BadValue)?;
    let (qualifier, code) = (number / 1_000, number % 1_000);
    let meaning = contact_id::by_code(code).ok_or(Reason::UnknownCode)?;
    let phase = contact_id::phase(qualifier, meaning.kind).ok_or(Reason::BadValue)?;
    let mut observation = base(meaning.kind, phase, notice);
    observation.device_kind = Some("panel");
    // The field is called zone, and holds the user where the code is about one.
    if !contact_id::names_a_user(code) {
        observation.zone.clone_from(&notice.cid_zone);
    } else if let Some(user) = notice.cid_zone.as_deref().and_then(Credential::new) {
        match meaning.kind {
            Kind::DeviceHeartbeat => observation.drop_field("user"),
            _ => observation.credential = Some(user),
        }
    }
    observation.outcome = outcome(meaning.kind);
    observation.is_test = meaning.is_test;
    observation.flags.extend(contact_id::arming(qualifier, code));
    Ok(observation)
}

fn outcome(kind: Kind) -> Option<Outcome> {
    match kind {
        Kind::AccessGranted => Some(Outcome::Granted),
        Kind::AccessDenied => Some(Outcome::Denied),
        _ => None,
    }
}

/// What every notice gives alike.
fn base(kind: Kind, phase: Phase, notice: &Notice) -> Observation {
    let (device_id, scheme, by_address) = match notice.device() {
        Device::Mac(id) => (id, DeviceScheme::Mac, false),
        Device::Uuid(id) => (id, DeviceScheme::Uuid, false),
        Device::Serial(id) => (id, DeviceScheme::Serial, false),
        Device::Address(id) => (id, DeviceScheme::Own, true),
        Device::Unnamed => (String::new(), DeviceScheme::Own, false),
    };
    let mut observation = Observation::new(device_id, scheme, kind);
    observation.phase = phase;
    observation.channel = notice.channel.clone().or_else(|| notice.dyn_channel.clone());
    observation.time = when(notice);
    observation.native_seq = notice.serial_no;
    observation.is_replay = notice.is_replay;
    if by_address {
        observation.flags.push("device_by_address");
    }
    for name in &notice.dropped {
        observation.drop_field(*name);
    }
    observation
}

fn when(notice: &Notice) -> DeviceTime {
    let stated = notice.date_time.as_deref().map(time::iso).unwrap_or_default();
    if stated != DeviceTime::Missing {
        return stated;
    }
    let Some(digits) = notice.abs_time.as_deref() else { return DeviceTime::Missing };
    match time::digits(digits) {
        DeviceTime::Missing => time::iso(digits),
        read => read,
    }
}

/// Device, running number and time (the number alone begins again after a reset); else, for what has no length, device and
/// the UUID of the passage. A device without a name is named by its connector, at the border.
fn native_id(notice: &Notice, observation: &Observation) -> Option<String> {
    let device = &observation.device_id;
    if let Some(number) = notice.serial_no {
        return match observation.time {
            DeviceTime::Zoned(instant, _) | DeviceTime::Contradictory(instant, _) => {
                Some(format!("{device}/{number}/{instant}"))
            }
            DeviceTime::Local(local, _) => Some(format!("{device}/{number}/{local}")),
            DeviceTime::Missing => None,
        };
    }
    let uuid = notice.event_uuid.as_deref().filter(|_| observation.phase == Phase::Pulse)?;
    Some(format!("{device}/{uuid}"))
}
