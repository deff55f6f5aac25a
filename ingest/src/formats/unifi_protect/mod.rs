//! UniFi Protect: events of the recorder, as lists, single objects, or messages that add and update them.
//!
//! | what | becomes |
//! |---|---|
//! | `type` of an event | the kind, by the table in `types.rs` |
//! | an event without `end`; with it | start; pulse at its start, for it was told when it was over |
//! | an update of an event that the same record told: without `end`, with it | continue, end |
//! | an update of another record that names type, device and `end` | end; with `start` the start before it, which is a repeat where it was told |
//! | an update of another record that does not | filtered as `partial_update`: nothing here remembers what it is about |
//! | a card or finger scanned | outcome unknown, never granted (trap 12) |
//! | a device's `state` | `device.online`, `device.offline` |
//!
//! Connectors have to send whole events: merge what the recorder sends as a change into what it sent before, and send `id`,
//! `type`, `device` and `start` with every update. What the recorder sends of an end names only the id: alone, it ends nothing.
//!
//! Times are milliseconds since 1970. The event's id is the native identity, an end's with its time, another update's with
//! the number that it has (`newUpdateId`), else with what it recognised. The device is the camera,
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
    json::noted_each(&payload, MAX_EVENTS, PERSONAL, pieces, |object, pieces| of_document(object, &mut known, pieces));
    Ok(())
}

/// What the events of a record were, so that its updates can be read.
type Known = HashMap<String, Observation>;

/// An event or a device, and what a message around it says of it.
struct Item<'i> {
    object: &'i Object<'i>,
    action: Option<&'i Object<'i>>,
    /// It was told before; the number of the change, where it has one.
    is_update: bool,
    update: Option<String>,
}

impl Item<'_> {
    fn text(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.object.text(name).or_else(|| self.action.and_then(|action| action.text(name)))
    }
}

fn of_document(root: &Object<'_>, known: &mut Known, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let update = |message: &Object<'_>| message.text("newUpdateId").and_then(|id| ident::token(&id));
    // A message: of the public interface, or of the recorder's own.
    if let Some(object) = root.object("item") {
        let is_update = root.text("type").as_deref() == Some("update");
        return of_item(&Item { object: &object, action: None, is_update, update: update(root) }, known, pieces);
    }
    if let Some(action) = root.object("action") {
        let object = ["data", "payload"].iter().find_map(|name| root.object(name)).unwrap_or_default();
        let is_update = action.text("action").as_deref() == Some("update");
        let update = update(&action);
        return of_item(&Item { object: &object, action: Some(&action), is_update, update }, known, pieces);
    }
    of_item(&Item { object: root, action: None, is_update: false, update: None }, known, pieces)
}

fn of_item(item: &Item<'_>, known: &mut Known, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    match item.text("modelKey").as_deref() {
        Some("event") => {}
        None if item.object.has("type") && item.object.has("start") => {}
        None => return Err(Reason::NotThisFormat),
        Some(model) => {
            pieces.push(of_device(item, model));
            return Ok(());
        }
    }
    let id = item.text("id").and_then(|id| ident::token(&id));
    let word = item.object.text("type");
    // What names no type is a change, whatever the message calls it.
    let begun = id.as_ref().filter(|_| item.is_update || word.is_none()).and_then(|id| known.get(id));
    match (begun, word) {
        (Some(begun), _) => pieces.push(told(updated(begun.clone(), item))),
        (None, Some(word)) => of_event(item, &word, id, known, pieces)?,
        (None, None) => pieces.push(Piece::Filtered("partial_update")),
    }
    Ok(())
}

fn told(observation: Observation) -> Piece {
    Piece::Event(Box::new(observation))
}

/// A device's own state.
fn of_device(item: &Item<'_>, model: &str) -> Piece {
    let connected = item.object.truth("isConnected");
    let kind = match item.object.text("state").as_deref() {
        Some("CONNECTED") => Kind::DeviceOnline,
        Some("DISCONNECTED") => Kind::DeviceOffline,
        None if connected == Some(true) => Kind::DeviceOnline,
        None if connected == Some(false) => Kind::DeviceOffline,
        _ => return Piece::Filtered("device_update"),
    };
    let device = item.text("id").and_then(|id| ident::token(&id)).unwrap_or_default();
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = (model == "camera").then_some("camera");
    told(observation)
}

/// What has begun, as an update changes it. Each change has an identity of its own, or it would be a repeat of the first.
fn updated(mut observation: Observation, item: &Item<'_>) -> Observation {
    let class = detected(item.object).iter().find_map(|word| types::class(word));
    observation.object_class = class.or(observation.object_class);
    let end = item.object.integer("end").and_then(|at| Some((at, time::epoch(at)?)));
    observation.phase = if end.is_some() { Phase::End } else { Phase::Continue };
    observation.time = end.map_or(observation.time, |(_, at)| at);
    let change = end.map(|(at, _)| at.to_string()).or_else(|| item.update.clone()).or_else(|| class.map(str::to_owned));
    if let (Some(id), Some(change)) = (&mut observation.native_id, change) {
        *id = format!("{id}/{change}");
    }
    observation
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

fn of_event(
    item: &Item<'_>,
    word: &str,
    id: Option<String>,
    known: &mut Known,
    pieces: &mut Vec<Piece>,
) -> Result<(), Reason> {
    let object = item.object;
    let metadata = object.object("metadata").unwrap_or_default();
    let found = detected(object);
    let (kind, is_lasting, remark) = match meaning(word, &found, &metadata)? {
        Ok(meaning) => meaning,
        Err(word) => {
            pieces.push(Piece::Filtered(word));
            return Ok(());
        }
    };
    let (device, device_kind) = device(object, &metadata);
    if item.is_update && device.is_empty() && !object.has("start") {
        pieces.push(Piece::Filtered("partial_update"));
        return Ok(());
    }
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = device_kind;
    let start = object.integer("start").and_then(time::epoch);
    let end = object.integer("end").and_then(time::epoch);
    // What has its end is one happening; in an update its start may have been told, which the end then must close.
    let is_ended = is_lasting && item.is_update && end.is_some();
    observation.phase = if is_lasting && (end.is_none() || is_ended) { Phase::Start } else { Phase::Pulse };
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
    let over = is_ended.then(|| told(updated(observation.clone(), item)));
    pieces.extend((!is_ended || object.has("start")).then(|| told(observation)));
    pieces.extend(over);
    Ok(())
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
