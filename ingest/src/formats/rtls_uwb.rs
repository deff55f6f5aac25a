//! UWB locating gateways: what they publish of themselves, of anchors, of worn tags and wristbands.
//!
//! | `content` | becomes |
//! |---|---|
//! | `heartbeat` | `device.heartbeat`; with `UWB HW Com OK` or `UWB Joined` "no", `device.fault` (trap 6) |
//! | `motion info fall` | `tag.fall`: `happen` "yes" is the start, "no" the end |
//! | any with `SOS` that is set, or in its name | `tag.sos` |
//! | `5V status` of a gateway or an anchor | `device.fault` (power): "no" is the start, "yes" the end |
//! | `gateway reset done`, `motion info system on`, `MQTT connected` | `device.online` |
//! | health values, sleep, steps, positions, configuration, answers | filtered: nothing of a body, and no track of a person |
//!
//! The device is the wristband's MAC, else the node's `id`, else the gateway's. There is no time: `stamp(sec)` runs from the
//! tag's own start, so the time of receipt counts. `serial no` is a running number without a time, so no identity.

use chorus_model::{DeviceScheme, Kind, Phase};

use super::json::{self, Object};
use super::{ident, text};
use crate::observation::{Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "rtls-uwb";

/// The most messages of one record.
const MAX_EVENTS: usize = 1_000;

/// Fields that hold, or may hold, something about a person's body or whereabouts; sorted.
const PERSONAL: &[&str] =
    &["SpO2", "bp diast", "bp syst", "connected AP", "hr", "move", "name", "position", "skin temp", "steps", "wear"];

/// True for JSON that names a gateway.
pub fn sniff(bytes: &[u8]) -> bool {
    matches!(text::first_byte(bytes), Some(b'{' | b'[')) && text::contains(bytes, b"\"gateway id\"", 2_048)
}

/// Reads messages.
///
/// # Errors
/// None: what is no message is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    json::one_each(&payload, MAX_EVENTS, PERSONAL, pieces, of_message);
    Ok(())
}

fn of_message(message: &Object<'_>) -> Result<Piece, Reason> {
    let content = message.text("content").ok_or(Reason::NotThisFormat)?;
    if !message.has("gateway id") {
        return Err(Reason::NotThisFormat);
    }
    if message.truth("SOS") == Some(true) {
        return Ok(told(message, Kind::TagSos, Phase::Start, None));
    }
    if content.to_ascii_lowercase().split_whitespace().any(|word| word == "sos") {
        let phase = if message.truth("happen") == Some(false) { Phase::End } else { Phase::Start };
        return Ok(told(message, Kind::TagSos, phase, None));
    }
    let says_no = |name: &str| message.truth(name) == Some(false);
    let switched = |name: &str| match message.truth(name) {
        Some(true) => Ok(Phase::Start),
        Some(false) => Ok(Phase::End),
        None => Err(Reason::MissingField),
    };
    Ok(match content.as_ref() {
        "heartbeat" | "gateway topic" if says_no("UWB HW Com OK") || says_no("UWB Joined") => {
            told(message, Kind::DeviceFault, Phase::Pulse, Some("part_offline"))
        }
        "heartbeat" | "gateway topic" => told(message, Kind::DeviceHeartbeat, Phase::Pulse, None),
        "motion info fall" => told(message, Kind::TagFall, switched("happen")?, None),
        "5V status" => match switched("5V plugged")? {
            Phase::Start => told(message, Kind::DeviceFault, Phase::End, Some("power")),
            _ => told(message, Kind::DeviceFault, Phase::Start, Some("power")),
        },
        "gateway reset done" | "motion info system on" => {
            told(message, Kind::DeviceOnline, Phase::Pulse, Some("restarted"))
        }
        "MQTT connected" | "WiFi connected" => told(message, Kind::DeviceOnline, Phase::Pulse, None),
        "location" | "pos changed" => Piece::Filtered("position"),
        "info" => Piece::Filtered("status"),
        "300B" | "diaper DV1" => Piece::Filtered("health_values"),
        _ if content.starts_with("motion info ") => Piece::Filtered("health_values"),
        _ if content.contains("config") || content.contains("ssidChange") => Piece::Filtered("configuration"),
        _ if content.starts_with("ack from ") || content.starts_with("fail from ") => Piece::Filtered("answer"),
        _ if content.starts_with("ble scanned") => Piece::Filtered("status"),
        _ => return Err(Reason::UnknownCode),
    })
}

fn told(message: &Object<'_>, kind: Kind, phase: Phase, remark: Option<&'static str>) -> Piece {
    let (device, scheme) = device(message);
    let mut observation = Observation::new(device, scheme, kind);
    observation.phase = phase;
    observation.device_kind = match message.text("node").as_deref() {
        Some("TAG") => Some("tag"),
        Some("ANCHOR") => Some("anchor"),
        Some("GW") => Some("gateway"),
        _ if scheme == DeviceScheme::Mac => Some("tag"),
        _ => None,
    };
    observation.native_seq = message.integer("serial no").and_then(|number| u64::try_from(number).ok());
    observation.flags.extend(remark);
    Piece::Event(Box::new(observation))
}

/// The wristband, else the node, else the gateway. Ids of nodes and of gateways are apart by a word before them.
fn device(message: &Object<'_>) -> (String, DeviceScheme) {
    if let Some(mac) = message.text("MAC").and_then(|mac| ident::mac(&mac)) {
        return (mac, DeviceScheme::Mac);
    }
    let node = match message.text("node").as_deref() {
        Some("TAG") => Some("tag"),
        Some("ANCHOR") => Some("anchor"),
        _ => None,
    };
    let of_node = node.and_then(|node| Some(format!("{node}-{}", message.integer("id")?)));
    let of_gateway = || message.text("gateway id").and_then(|id| ident::token(&id)).map(|id| format!("gateway-{id}"));
    (of_node.or_else(of_gateway).unwrap_or_default(), DeviceScheme::Own)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_personal_fields_are_sorted() {
        assert!(super::PERSONAL.is_sorted());
    }
}
