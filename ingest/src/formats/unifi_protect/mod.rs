//! UniFi Protect: events of the recorder, as lists, single objects, or messages that add and update them.
//!
//! | what | becomes |
//! |---|---|
//! | `type` of an event | the kind, by the table in `types.rs` |
//! | an event without `end`; with it | start; pulse at its start, for it was told when it was over |
//! | an update of an event that the same record told: without `end`, with it | continue, end |
//! | an update alone | filtered: it names neither type nor device |
//! | a card or finger scanned | outcome unknown, never granted (trap 12) |
//! | a device's `state` | `device.online`, `device.offline` |
//!
//! Times are milliseconds since 1970. The event's id is the native identity, an update's with its end. The device is the camera,
//! else the device or sensor that the metadata name; names are scrambled in some firmware, so only ids count. Left behind: users,
//! cards, fingers, plates, faces, names, thumbnails.

mod types;

use std::collections::HashMap;

use chorus_model::{DeviceScheme, Kind, Outcome, Phase};

use self::types::Meaning;
use super::json::{self, Object};
use super::{UNKNOWN_ATTEMPT, ident, text, time};
use crate::observation::{Credential, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "unifi-protect";

/// The most events of one record.
const MAX_EVENTS: usize = 4_000;

/// Fields that hold, or may hold, something about a person; sorted.
const PERSONAL: &[&str] = &[
    "detectedThumbnails",
    "doorName",
    "faces",
    "firstName",
    "heatmap",
    "lastName",
    "licensePlate",
    "lightName",
    "name",
    "nfcId",
    "sensorName",
    "thumbnail",
    "ulpId",
    "uniqueId",
    "user",
    "userId",
    "userName",
];

/// True for JSON of the recorder's models.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 8_192;
    matches!(text::first_byte(bytes), Some(b'{' | b'['))
        && (text::contains(bytes, b"\"modelKey\"", HEAD) || text::contains(bytes, b"\"smartDetectTypes\"", HEAD))
}

/// Reads events and messages about them.
///
/// # Errors
/// None: what is neither is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    let mut known = HashMap::new();
    json::one_each(&payload, MAX_EVENTS, PERSONAL, pieces, |document| of_document(document, &mut known));
    Ok(())
}

/// What the events of a record were, so that its updates can be read.
type Known = HashMap<String, Observation>;

fn of_document(root: &Object<'_>, known: &mut Known) -> Result<Piece, Reason> {
    // A message: of the public interface, or of the recorder's own.
    if let Some(item) = root.object("item") {
        return of_item(&item, None, known);
    }
    if let Some(action) = root.object("action") {
        let item = ["data", "payload"].iter().find_map(|name| root.object(name)).unwrap_or_default();
        return of_item(&item, Some(&action), known);
    }
    of_item(root, None, known)
}

fn of_item(item: &Object<'_>, action: Option<&Object<'_>>, known: &mut Known) -> Result<Piece, Reason> {
    let text = |name: &str| item.text(name).or_else(|| action.and_then(|action| action.text(name)));
    match text("modelKey").as_deref() {
        Some("event") => {}
        None if item.has("type") && item.has("start") => {}
        None => return Err(Reason::NotThisFormat),
        Some(model) => return Ok(of_device(item, action, model)),
    }
    let id = text("id").and_then(|id| ident::token(&id));
    match item.text("type") {
        Some(word) => of_event(item, &word, id, known),
        None => Ok(of_update(item, id.as_deref(), known)),
    }
}

/// A device's own state.
fn of_device(item: &Object<'_>, action: Option<&Object<'_>>, model: &str) -> Piece {
    let connected = item.truth("isConnected");
    let kind = match item.text("state").as_deref() {
        Some("CONNECTED") => Kind::DeviceOnline,
        Some("DISCONNECTED") => Kind::DeviceOffline,
        None if connected == Some(true) => Kind::DeviceOnline,
        None if connected == Some(false) => Kind::DeviceOffline,
        _ => return Piece::Filtered("device_update"),
    };
    let id = item.text("id").or_else(|| action.and_then(|action| action.text("id")));
    let device = id.and_then(|id| ident::token(&id)).unwrap_or_default();
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = (model == "camera").then_some("camera");
    Piece::Event(Box::new(observation))
}

/// An update that tells no more than what changed.
fn of_update(item: &Object<'_>, id: Option<&str>, known: &mut Known) -> Piece {
    let Some(begun) = id.and_then(|id| known.get(id)) else { return Piece::Filtered("partial_update") };
    let mut observation = begun.clone();
    if let Some(class) = detected(item).iter().find_map(|word| types::class(word)) {
        observation.object_class = Some(class);
    }
    match item.integer("end").and_then(time::epoch) {
        Some(end) => {
            observation.phase = Phase::End;
            observation.time = end;
        }
        None => observation.phase = Phase::Continue,
    }
    Piece::Event(Box::new(observation))
}

/// A kind, whether it has an end, and a remark.
type Said = (Kind, bool, Option<&'static str>);

/// What a type, with what was found and the metadata, says; or why it is no event.
fn meaning(word: &str, found: &[String], metadata: &Object<'_>) -> Result<Result<Said, &'static str>, Reason> {
    let unknown = (UNKNOWN_ATTEMPT, false, Some("outcome_missing"));
    Ok(Ok(match types::by_word(word).ok_or(Reason::UnknownCode)? {
        Meaning::Filtered(word) => return Ok(Err(word)),
        Meaning::Lasting(kind) => (kind, true, None),
        Meaning::Pulse(kind, flag) => (kind, false, flag),
        Meaning::Smart(_) if !found.is_empty() && found.iter().all(|word| word == "face") => {
            return Ok(Err("face_record"));
        }
        Meaning::Smart(kind) => (kind, true, None),
        Meaning::Audio => match found.iter().find_map(|word| types::sound(word)) {
            Some(kind) => (kind, true, None),
            None => return Ok(Err("audio")),
        },
        Meaning::Alarm => {
            let told = member(metadata, "alarmType").or_else(|| found.first().cloned());
            let kind = told.map_or(Some(Kind::FireAlarm), |word| types::sound(&word));
            (kind.ok_or(Reason::UnknownCode)?, true, None)
        }
        Meaning::Scan => unknown,
        Meaning::DoorAccess => match metadata.truth("openSuccess") {
            Some(true) => (Kind::AccessGranted, false, None),
            Some(false) => (Kind::AccessDenied, false, None),
            None => unknown,
        },
    }))
}

fn of_event(item: &Object<'_>, word: &str, id: Option<String>, known: &mut Known) -> Result<Piece, Reason> {
    let metadata = item.object("metadata").unwrap_or_default();
    let found = detected(item);
    let (kind, is_lasting, remark) = match meaning(word, &found, &metadata)? {
        Ok(meaning) => meaning,
        Err(word) => return Ok(Piece::Filtered(word)),
    };
    let (device, device_kind) = device(item, &metadata);
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = device_kind;
    let start = item.integer("start").and_then(time::epoch);
    let end = item.integer("end").and_then(time::epoch);
    observation.phase = if is_lasting && end.is_none() { Phase::Start } else { Phase::Pulse };
    observation.time = start.or(end).unwrap_or_default();
    observation.object_class = found.iter().find_map(|word| types::class(word));
    observation.outcome = match kind {
        _ if remark == Some("outcome_missing") => Some(Outcome::Unknown),
        Kind::AccessGranted => Some(Outcome::Granted),
        Kind::AccessDenied => Some(Outcome::Denied),
        _ => None,
    };
    if matches!(kind, Kind::AccessGranted | Kind::AccessDenied) {
        observation.credential = credential(&metadata);
    }
    observation.flags.extend(remark);
    observation.native_id.clone_from(&id);
    if let Some(id) = id {
        known.insert(id, observation.clone());
    }
    Ok(Piece::Event(Box::new(observation)))
}

/// What was recognised.
fn detected(item: &Object<'_>) -> Vec<String> {
    const MOST: usize = 16;
    let words = item.list("smartDetectTypes").into_iter().take(MOST);
    words.filter_map(json::text).map(std::borrow::Cow::into_owned).collect()
}

/// A member of the metadata; some wrap it into an object with a `text`.
fn member(metadata: &Object<'_>, name: &str) -> Option<String> {
    let wrapped = metadata.object(name).and_then(|object| object.text("text").map(std::borrow::Cow::into_owned));
    wrapped.or_else(|| metadata.text(name).map(std::borrow::Cow::into_owned))
}

/// Who saw it, and what that is.
fn device(item: &Object<'_>, metadata: &Object<'_>) -> (String, Option<&'static str>) {
    if let Some(camera) = item.text_of(&["camera", "cameraId"]).and_then(|id| ident::token(&id)) {
        return (camera, Some("camera"));
    }
    if let Some(device) = item.text("device").and_then(|id| ident::token(&id)) {
        return (device, None);
    }
    let named = ["sensorId", "lightId", "doorlockId", "deviceId"];
    let device = named.iter().find_map(|name| member(metadata, name)).and_then(|id| ident::token(&id));
    (device.unwrap_or_default(), None)
}

/// The card, else the person's id at the site.
fn credential(metadata: &Object<'_>) -> Option<Credential> {
    let within = |holder: &str, name: &str| {
        metadata.object(holder).and_then(|object| object.text(name).and_then(|id| Credential::new(&id)))
    };
    within("nfc", "nfcId")
        .or_else(|| within("nfc", "ulpId"))
        .or_else(|| within("fingerprint", "ulpId"))
        .or_else(|| metadata.text("uniqueId").and_then(|id| Credential::new(&id)))
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![super::doc::left_behind(PERSONAL.iter().copied())]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_personal_fields_are_sorted() {
        assert!(super::PERSONAL.is_sorted());
    }
}
