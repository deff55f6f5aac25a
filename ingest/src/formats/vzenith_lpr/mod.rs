//! Plate cameras of lift barriers: the Vzenith family and those that speak alike (Qianyi, Alphadigi), over HTTP, TCP and MQTT.
//!
//! | what | becomes |
//! |---|---|
//! | `AlarmInfoPlate`, `ivs_result`: `PlateResult` | `vehicle.passed`; by `triggerType` 64 and 65 `vehicle.dwell` start and end, 66 `vehicle.wrong_way` |
//! | `AlarmGioIn` (`gpio_in`) | `input.changed`: `value` 0 is the end; the zone is `source`, from zero |
//! | `barr_gate_status` | `gate.state`: 1 open is start, 0 closed is end; a controller that is cut off starts `gate.fault`, and each word from one that is not ends it (trap 7) |
//! | heartbeat (a form, JSON, `keep_alive`, a TCP frame) | `device.heartbeat` |
//! | serial data, snapshots, answers | filtered |
//! | `Timeval.sec`, `usec` | the time; `dec…` and `timeString` are local, and years away contradict it (trap 3) |
//! | `isoffline` 1 | a replay (trap 9) |
//! | `plateid` (`id`, `unique_id`) with the time | the native identity |
//! | `serialno`, `sn`; else the address | the device |
//!
//! Left behind: plates in whatever coding, pictures, their paths (which hold the plate), names, users and passwords. A plate is
//! no credential here. `_无_` is flagged `no_plate`. Records that answer a camera are filtered: an answer can open a barrier,
//! and nothing of one goes on (trap 21).

mod form;
mod result;

use chorus_model::{DeviceScheme, Kind, Phase};

use self::result::Sender;
use super::json::{self, Object};
use super::{http, ident, text};
use crate::observation::{Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "vzenith-lpr";

/// The most events of one record.
const MAX_EVENTS: usize = 1_000;

/// Fields that hold, or may hold, something about a person, or a secret; sorted.
const PERSONAL: &[&str] = &[
    "deviceName",
    "device_name",
    "imageFile",
    "imageFragmentFile",
    "imageFragmentPath",
    "imagePath",
    "license",
    "pass_wd",
    "plate",
    "user_data",
    "user_name",
];

/// True for a frame, a form or JSON of this family.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 8_192;
    const NAMES: [&[u8]; 7] = [
        b"\"AlarmInfoPlate\"",
        b"\"AlarmGioIn\"",
        b"\"PlateResult\"",
        b"\"SerialData\"",
        b"\"TriggerImage\"",
        b"\"Response_AlarmInfoPlate\"",
        b"\"barr_gate_status\"",
    ];
    let body = http::body(bytes).trim_ascii_start();
    let has = |needle: &[u8]| text::contains(body, needle, HEAD);
    match text::first_byte(body) {
        Some(b'{' | b'[') => {
            NAMES.into_iter().any(has)
                || (has(b"\"sn\"") && (has(b"\"keep_alive\"") || has(b"\"gpio_in\"") || has(b"\"serial_data\"")))
                || (has(b"\"heartbeat\"") && has(b"\"serialno\""))
        }
        _ => frame_length(body).is_some() || form::is_form(body.get(..HEAD.min(body.len())).unwrap_or(body)),
    }
}

/// Reads frames, a form, or JSON.
///
/// # Errors
/// None: what is nothing of this format is no piece, or a refused one.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let body = http::body(raw.bytes).trim_ascii_start();
    if frame_length(body).is_some() {
        frames(body, pieces);
    } else if matches!(text::first_byte(body), Some(b'{' | b'[')) {
        documents(body, pieces);
    } else if form::is_form(body) {
        let payload = text::decode(body);
        pieces.push(of_form(&form::read(&payload.text), payload.flag));
    }
    Ok(())
}

/// The length of the frame that begins here, without its head of eight bytes: `VZ`, kind, number, length.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let head: &[u8; 8] = bytes.first_chunk()?;
    let [b'V', b'Z', 0..=2, _, a, b, c, d] = *head else { return None };
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()
}

fn frames(mut bytes: &[u8], pieces: &mut Vec<Piece>) {
    while let Some(length) = frame_length(bytes) {
        if pieces.len() >= MAX_EVENTS {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        let is_heartbeat = bytes.get(2) == Some(&1);
        let behind = bytes.get(8..).unwrap_or_default();
        let (content, rest) = match behind.split_at_checked(length) {
            Some(cut) => cut,
            None if is_heartbeat => (behind, &b""[..]),
            None => return pieces.push(Piece::Rejected(Reason::Truncated)),
        };
        if is_heartbeat {
            let heartbeat = Observation::new("", DeviceScheme::Own, Kind::DeviceHeartbeat);
            pieces.push(Piece::Event(Box::new(heartbeat)));
        } else if content.is_empty() {
            pieces.push(Piece::Filtered("answer"));
        } else {
            let before = pieces.len();
            documents(content, pieces);
            pieces.extend((pieces.len() == before).then_some(Piece::Rejected(Reason::BadSyntax)));
        }
        bytes = rest;
    }
    if !bytes.trim_ascii().is_empty() {
        pieces.push(Piece::Rejected(Reason::BadSyntax));
    }
}

/// JSON, perhaps with a picture behind it, perhaps more behind the zero that ends a text in C.
fn documents(bytes: &[u8], pieces: &mut Vec<Piece>) {
    let picture = memchr::memmem::find(bytes, b"\xff\xd8\xff");
    let text = bytes.get(..picture.unwrap_or(bytes.len())).unwrap_or(bytes);
    let before = pieces.len();
    for (index, part) in text.split(|byte| *byte == 0).enumerate() {
        // What is no JSON behind a zero is a picture of another kind.
        if index > 0 && !matches!(text::first_byte(part), Some(b'{' | b'[')) {
            continue;
        }
        if pieces.len() > MAX_EVENTS {
            break;
        }
        json::noted_each(&text::decode(part), MAX_EVENTS, PERSONAL, pieces, |object, pieces| {
            let piece = of_document(object, pieces)?;
            pieces.push(piece);
            Ok(())
        });
    }
    if picture.is_some()
        && let Some(Piece::Event(observation)) = pieces.get_mut(before..).and_then(<[Piece]>::last_mut)
    {
        observation.drop_field("picture");
    }
}

/// One document: a push, a message of a broker around it, or the plain result of a TCP client. What it
/// says besides goes to `pieces`.
fn of_document(root: &Object<'_>, pieces: &mut Vec<Piece>) -> Result<Piece, Reason> {
    if root.has("Response_AlarmInfoPlate") || root.has("state_code") {
        return Ok(Piece::Filtered("answer"));
    }
    let mut sender = Sender::of(root);
    let Some(payload) = root.object("payload") else { return of_push(root, root, &sender, pieces) };
    // A message of a broker: its own time counts where the event has none.
    sender.sent = root.integer("timestamp");
    let name = root.text("name").or_else(|| payload.text("type")).unwrap_or_default();
    if name.ends_with("reply") || payload.has("code") {
        return Ok(Piece::Filtered("answer"));
    }
    let body = payload.object("body").unwrap_or_default();
    match name.as_ref() {
        "keep_alive" => {
            sender.sent = body.integer("timestamp").or(sender.sent);
            Ok(heartbeat(&sender))
        }
        "barr_gate_status" => result::gate(&body, &sender, pieces),
        "snapshot" => Ok(Piece::Filtered("picture")),
        "serial_data" => Ok(Piece::Filtered("serial_data")),
        // Brokers' messages leave out what says the same as their name.
        "gpio_in" if !body.has("AlarmGioIn") => result::input(&body, &sender.or(&body)),
        "ivs_result" if body.has("license") => Ok(result::plate(&body, &body, &sender.or(&body))),
        _ => of_push(&body, root, &sender, pieces),
    }
}

fn of_push(body: &Object<'_>, root: &Object<'_>, sender: &Sender, pieces: &mut Vec<Piece>) -> Result<Piece, Reason> {
    if let Some(alarm) = body.object("AlarmInfoPlate") {
        let plate = alarm.object("result").and_then(|result| result.object("PlateResult"));
        return Ok(result::plate(&plate.ok_or(Reason::MissingField)?, &alarm, &sender.or(&alarm)));
    }
    if let Some(plate) = body.object("PlateResult") {
        return Ok(result::plate(&plate, body, &sender.or(body)));
    }
    if let Some(alarm) = body.object("AlarmGioIn") {
        return result::input(&alarm, &sender.or(&alarm));
    }
    if let Some(own) = body.object("heartbeat") {
        return Ok(heartbeat(&sender.or(&own)));
    }
    if body.has("SerialData") {
        return Ok(Piece::Filtered("serial_data"));
    }
    if body.has("TriggerImage") {
        return Ok(Piece::Filtered("picture"));
    }
    if body.has("gate_status") {
        return result::gate(body, sender, pieces);
    }
    Err(if root.has("cmd") || root.has("name") { Reason::UnknownCode } else { Reason::NotThisFormat })
}

fn heartbeat(sender: &Sender) -> Piece {
    let mut observation = sender.observation(Kind::DeviceHeartbeat, Phase::Pulse);
    observation.device_kind = None;
    observation.time = sender.time();
    Piece::Event(Box::new(observation))
}

fn of_form(form: &form::Form<'_>, flag: Option<&'static str>) -> Piece {
    let sender = Sender {
        serial: form.serial.and_then(ident::token),
        address: form.address.and_then(result::address),
        channel: None,
        sent: None,
    };
    let mut piece = heartbeat(&sender);
    if let Piece::Event(observation) = &mut piece {
        for name in &form.personal {
            observation.drop_field(*name);
        }
        observation.flags.extend(flag);
    }
    piece
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
