//! Messages of the platform (DSS, ICC) and of plate cameras (ITSAPI).

use chorus_model::{DeviceScheme, Kind, Outcome, Phase};

use super::super::json::Object;
use super::super::{ident, time};
use super::codes::{self, Meaning};
use super::{MAX_EVENTS, fields};
use crate::observation::{Observation, Piece, Reason};

/// Reads an alarm, or the list of them that a message holds.
pub(super) fn read(root: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let listed = root.list("info");
    if listed.is_empty() {
        return pieces.push(alarm(root, flag).unwrap_or_else(Piece::Rejected));
    }
    for info in listed {
        if pieces.len() >= MAX_EVENTS {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        let read = Object::read(info.get()).and_then(|told| alarm(&told, flag));
        pieces.push(read.unwrap_or_else(Piece::Rejected));
    }
}

fn alarm(info: &Object<'_>, flag: Option<&'static str>) -> Result<Piece, Reason> {
    // The details come as an object, or as JSON in a text.
    let details = ["extData", "extend"]
        .iter()
        .any(|name| info.get(name).is_some_and(|json| json.get().contains("faceRecognition")));
    if info.has("faceRecognitionInfo") || details {
        return Ok(Piece::Filtered("face_record"));
    }
    let number = info.integer("alarmType").ok_or(Reason::MissingField)?;
    let ended = info.integer("alarmStat") == Some(2);
    let (kind, phase, remark) = match codes::by_number(number).ok_or(Reason::UnknownCode)? {
        Meaning::Lasting(kind, _, remark) if ended => (kind, Phase::End, remark),
        Meaning::Lasting(kind, _, remark) => (kind, Phase::Start, remark),
        Meaning::Pulse(..) if ended => return Ok(Piece::Filtered("cleared")),
        Meaning::Pulse(kind, _, remark) => (kind, Phase::Pulse, remark),
        Meaning::Filtered(word) => return Ok(Piece::Filtered(word)),
        Meaning::Access | Meaning::Fingerprint | Meaning::Door | Meaning::KeyLight | Meaning::Sensor => {
            return Err(Reason::UnknownCode);
        }
    };
    let node = info.text("nodeCode").unwrap_or_default();
    let mut parts = node.split('$');
    let of_node = parts.next().and_then(ident::token);
    let device = info.text("deviceCode").and_then(|code| ident::token(&code)).or(of_node);
    let mut observation = Observation::new(device.unwrap_or_default(), DeviceScheme::Own, kind);
    observation.phase = phase;
    let channel = parts.next_back().map(str::to_owned);
    let channel = channel.or_else(|| info.text_of(&["channelSeq", "channelId"]).map(Into::into));
    observation.channel = channel.and_then(|channel| ident::token(&channel));
    observation.time = info.text("alarmDate").map(|date| time::any(&date)).unwrap_or_default();
    observation.native_id = info.text("alarmCode").and_then(|code| ident::token(code.trim_matches(['{', '}'])));
    observation.outcome = match kind {
        Kind::AccessGranted => Some(Outcome::Granted),
        Kind::AccessDenied => Some(Outcome::Denied),
        _ => None,
    };
    observation.flags.extend(remark);
    observation.flags.extend(flag);
    info.note_personal(fields::PERSONAL, &mut observation);
    Ok(Piece::Event(Box::new(observation)))
}

/// A plate camera's picture, or its sign of life.
///
/// # Errors
/// When it is neither.
pub(super) fn its(root: &Object<'_>, flag: Option<&'static str>) -> Result<Piece, Reason> {
    if root.text("Active").is_some_and(|word| word.eq_ignore_ascii_case("keepAlive")) {
        let device = fields::serial(root);
        let scheme = if device.is_some() { DeviceScheme::Serial } else { DeviceScheme::Own };
        let heartbeat = Observation::new(device.unwrap_or_default(), scheme, Kind::DeviceHeartbeat);
        return Ok(Piece::Event(Box::new(heartbeat)));
    }
    let picture = root.object("Picture").ok_or(Reason::NotThisFormat)?;
    let snap = picture.object("SnapInfo").ok_or(Reason::MissingField)?;
    let device = fields::serial(&snap);
    let scheme = if device.is_some() { DeviceScheme::Serial } else { DeviceScheme::Own };
    let mut observation = Observation::new(device.unwrap_or_default(), scheme, Kind::VehiclePassed);
    observation.device_kind = Some("camera");
    observation.object_class = Some("vehicle");
    observation.time = snap.text_of(&["AccurateTime", "SnapTime"]).map(|text| time::iso(&text)).unwrap_or_default();
    observation.zone = snap.ordinal("LanNo").or_else(|| snap.ordinal("LaneNo"));
    observation.flags.extend(snap.text("Direction").and_then(|way| fields::heading(&way)));
    observation.flags.extend(flag);
    root.note_personal(fields::PERSONAL, &mut observation);
    Ok(Piece::Event(Box::new(observation)))
}
