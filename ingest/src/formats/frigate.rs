//! Frigate: what the recorder publishes over MQTT, as payloads, or as objects with `topic` and `payload`.
//!
//! | topic | becomes |
//! |---|---|
//! | `events` | `object.detected`: `new` start, `update` continue, `end` end, from `after`; a false positive is filtered |
//! | `reviews` | the same for the first object of the review, flagged `review` (and `alert`): one view more of the same events |
//! | `available`: `online`, `offline` | `device.online`, `device.offline`; the device is the connector |
//! | `tracked_object_update`, `triggers`, `stats`, camera states | filtered: descriptions, faces, plates and classes of things already told |
//!
//! The device is the camera, the zone the current one, else the last entered. Times are seconds since 1970 with a fraction.
//! The id with the time of the frame is the native identity. Left behind: recognised names (`sub_label`), plates, descriptions,
//! thumbnails.

use chorus_model::{DeviceScheme, Kind, Phase};

use super::json::{self, Object};
use super::{ident, text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "frigate";

/// The most messages of one record.
const MAX_EVENTS: usize = 1_000;

/// Fields that hold, or may hold, something about a person; sorted.
const PERSONAL: &[&str] = &[
    "description",
    "metadata",
    "name",
    "plate",
    "recognized_license_plate",
    "snapshot_path",
    "sub_label",
    "sub_labels",
    "thumb_path",
    "thumbnail",
];

/// True for JSON with an id of this recorder's making.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 65_536;
    let has = |needle: &[u8]| text::contains(bytes, needle, HEAD);
    matches!(text::first_byte(bytes), Some(b'{' | b'['))
        && ((has(b"\"before\"") && has(b"\"camera\"") && has(b"\"start_time\""))
            || (has(b"\"type\"") && (has_id(bytes, b"\"id\"") || has_id(bytes, b"\"event_id\""))))
}

/// True when this key's first value is an id: the seconds of its start, a dash, and six letters.
fn has_id(bytes: &[u8], key: &[u8]) -> bool {
    let value = || {
        let behind = bytes.get(memchr::memmem::find(bytes, key)? + key.len()..)?.trim_ascii_start();
        let quoted = behind.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        std::str::from_utf8(quoted.get(..memchr::memchr(b'"', quoted)?)?).ok()
    };
    value().is_some_and(is_id)
}

fn is_id(text: &str) -> bool {
    let Some((seconds, random)) = text.split_once('-') else { return false };
    let is_number = seconds.contains('.') && seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number && random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Reads messages.
///
/// # Errors
/// None: what is no message is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    if let Some(piece) = word(payload.text.trim()) {
        pieces.push(piece);
        return Ok(());
    }
    json::one_each(&payload, MAX_EVENTS, PERSONAL, pieces, of_document);
    Ok(())
}

/// What a topic says in one word: that the recorder is there, that a camera's switch is on, how many objects are seen.
fn word(text: &str) -> Option<Piece> {
    let kind = match text.trim_matches('"') {
        "online" => Kind::DeviceOnline,
        "offline" => Kind::DeviceOffline,
        "ON" | "OFF" => return Some(Piece::Filtered("status")),
        count if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Some(Piece::Filtered("status"));
        }
        _ => return None,
    };
    Some(Piece::Event(Box::new(Observation::new("", DeviceScheme::Own, kind))))
}

fn of_document(root: &Object<'_>) -> Result<Piece, Reason> {
    if root.has("topic") {
        if let Some(piece) = root.text("payload").and_then(|payload| word(&payload)) {
            return Ok(piece);
        }
        return of_message(&root.object("payload").ok_or(Reason::MissingField)?);
    }
    of_message(root)
}

fn of_message(message: &Object<'_>) -> Result<Piece, Reason> {
    let Some(after) = message.object("after").or_else(|| message.object("before")) else {
        return match message.text("type").as_deref() {
            Some("description") => Ok(Piece::Filtered("description")),
            Some("face") => Ok(Piece::Filtered("face_record")),
            Some("lpr") => Ok(Piece::Filtered("plate")),
            Some("classification") => Ok(Piece::Filtered("classification")),
            _ if message.has("event_id") => Ok(Piece::Filtered("trigger")),
            _ if message.has("cameras") || message.has("detectors") => Ok(Piece::Filtered("status")),
            _ => Err(Reason::NotThisFormat),
        };
    };
    let phase = match message.text("type").as_deref() {
        Some("new") => Phase::Start,
        Some("end") => Phase::End,
        Some("update") => Phase::Continue,
        Some("genai") => return Ok(Piece::Filtered("description")),
        Some(_) => return Err(Reason::UnknownCode),
        None => return Err(Reason::MissingField),
    };
    if after.truth("false_positive") == Some(true) {
        return Ok(Piece::Filtered("false_positive"));
    }
    let data = after.object("data").unwrap_or_default();
    let is_review = after.has("severity");
    let label = after.text("label").or_else(|| data.list("objects").first().and_then(|first| json::text(first)));
    let Some(class) = label.as_deref().map(class) else {
        return if is_review { Ok(Piece::Filtered("audio")) } else { Err(Reason::MissingField) };
    };
    let Some(class) = class else { return Ok(Piece::Filtered("audio")) };
    let camera = after.text("camera").and_then(|camera| ident::token(&camera));
    let mut observation = Observation::new(camera.unwrap_or_default(), DeviceScheme::Own, Kind::ObjectDetected);
    observation.phase = phase;
    observation.device_kind = Some("camera");
    observation.object_class = Some(class);
    observation.zone = zone(&after).or_else(|| zone(&data));
    observation.time = when(&after, phase);
    if is_review {
        observation.flags.push("review");
        observation.flags.extend((after.text("severity").as_deref() == Some("alert")).then_some("alert"));
    }
    let id = after.text("id").and_then(|id| ident::token(&id));
    observation.native_id = id.zip(time::stamp(observation.time)).map(|(id, at)| format!("{id}/{at}"));
    Ok(Piece::Event(Box::new(observation)))
}

/// What a label is; none for sounds.
fn class(label: &str) -> Option<&'static str> {
    Some(match label.trim_end_matches("-verified") {
        "person" => "person",
        "car" | "truck" | "bus" | "motorcycle" | "vehicle" | "license_plate" => "vehicle",
        "bicycle" => "nonmotor",
        "dog" | "cat" | "bird" | "horse" | "cow" | "sheep" | "bear" | "deer" | "animal" => "animal",
        "package" | "amazon" | "usps" | "ups" | "fedex" | "dhl" => "package",
        "bark" | "speech" | "scream" | "yell" | "fire_alarm" | "glass" | "music" | "crying" => return None,
        _ => "other",
    })
}

/// Where it is, else where it last came in.
fn zone(thing: &Object<'_>) -> Option<String> {
    let of = |name: &str, last: bool| {
        let zones = thing.list(name);
        let zone = if last { zones.last() } else { zones.first() };
        zone.and_then(|zone| json::text(zone)).and_then(|zone| ident::token(&zone))
    };
    of("current_zones", false).or_else(|| of("entered_zones", true)).or_else(|| of("zones", false))
}

/// Its beginning, its end, or the frame that an update is of.
fn when(thing: &Object<'_>, phase: Phase) -> DeviceTime {
    let names: &[&str] = match phase {
        Phase::Start => &["start_time", "frame_time"],
        Phase::End => &["end_time", "frame_time", "start_time"],
        Phase::Pulse | Phase::Continue | Phase::Sync => &["frame_time", "end_time", "start_time"],
    };
    names.iter().find_map(|name| thing.text(name).as_deref().and_then(time::fractional)).unwrap_or_default()
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![super::doc::left_behind(PERSONAL.iter().copied())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_personal_fields_are_sorted() {
        assert!(PERSONAL.is_sorted());
    }

    #[test]
    fn an_id_has_its_shape() {
        assert!(is_id("1607123955.475377-mxklsc"));
        for nothing in ["", "a-b", "1607123955-mxklsc", "1607123955.475377-mx", "2026-11-24"] {
            assert!(!is_id(nothing), "{nothing}");
        }
    }
}
