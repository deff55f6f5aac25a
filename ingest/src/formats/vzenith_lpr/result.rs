//! What a camera recognised, what its inputs did, how its barrier stands, and who it is.

use chorus_model::{DeviceScheme, Kind, Phase, TimePrecision};
use jiff::civil;

use super::super::json::Object;
use super::super::{ident, time};
use crate::observation::{DeviceTime, Observation, Piece, Reason};

/// Who speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    pub(super) serial: Option<String>,
    pub(super) address: Option<String>,
    pub(super) channel: Option<String>,
    /// When the message was sent, in seconds or milliseconds since 1970.
    pub(super) sent: Option<i64>,
}

impl Sender {
    /// As an object names it.
    pub(super) fn of(object: &Object<'_>) -> Self {
        let serial = object.text_of(&["serialno", "sn", "serialNo"]);
        Self {
            // Some write their serial number with blanks in it.
            serial: serial.and_then(|serial| ident::token(&serial.split_whitespace().collect::<Vec<_>>().join("-"))),
            address: object.text("ipaddr").and_then(|text| address(&text)),
            channel: object.ordinal("channel"),
            sent: None,
        }
    }

    /// As an object within names it, else as before.
    pub(super) fn or(&self, object: &Object<'_>) -> Self {
        let own = Self::of(object);
        Self {
            serial: own.serial.or_else(|| self.serial.clone()),
            address: own.address.or_else(|| self.address.clone()),
            channel: own.channel.or_else(|| self.channel.clone()),
            sent: self.sent,
        }
    }

    /// The time of the message.
    pub(super) fn time(&self) -> DeviceTime {
        self.sent.and_then(time::epoch).unwrap_or_default()
    }

    /// An observation of this device.
    pub(super) fn observation(&self, kind: Kind, phase: Phase) -> Observation {
        let (id, scheme, by_address) = match (&self.serial, &self.address) {
            (Some(serial), _) => (serial.clone(), DeviceScheme::Serial, false),
            (None, Some(address)) => (address.clone(), DeviceScheme::Own, true),
            (None, None) => (String::new(), DeviceScheme::Own, false),
        };
        let mut observation = Observation::new(id, scheme, kind);
        observation.phase = phase;
        observation.device_kind = Some("gate");
        observation.channel.clone_from(&self.channel);
        observation.flags.extend(by_address.then_some("device_by_address"));
        observation
    }
}

/// An address that says which device it is.
pub(super) fn address(text: &str) -> Option<String> {
    let address: std::net::IpAddr = text.parse().ok()?;
    (!address.is_unspecified() && !address.is_loopback()).then(|| address.to_string())
}

/// A recognition; `around` is what the result stands in.
pub(super) fn plate(plate: &Object<'_>, around: &Object<'_>, sender: &Sender) -> Piece {
    let trigger = plate.integer("triggerType");
    let (kind, phase) = match trigger {
        Some(64) => (Kind::VehicleDwell, Phase::Start),
        Some(65) => (Kind::VehicleDwell, Phase::End),
        Some(66) => (Kind::VehicleWrongWay, Phase::Pulse),
        _ => (Kind::VehiclePassed, Phase::Pulse),
    };
    let mut observation = sender.observation(kind, phase);
    observation.object_class = Some("vehicle");
    observation.time = match when(plate, around) {
        DeviceTime::Missing => sender.time(),
        read => read,
    };
    observation.zone = around.ordinal("rule_id").or_else(|| around.ordinal("ruleId"));
    observation.is_replay = ["isoffline", "is_offline"]
        .iter()
        .any(|name| plate.truth(name) == Some(true) || around.truth(name) == Some(true));
    observation.flags.extend(match trigger {
        Some(2) => Some("triggered_by_input"),
        Some(4) => Some("triggered_by_software"),
        _ => None,
    });
    observation.flags.extend(match plate.integer("direction") {
        Some(1) => Some("direction_left"),
        Some(2) => Some("direction_right"),
        Some(3) => Some("direction_up"),
        Some(4) => Some("direction_down"),
        _ => None,
    });
    // In plain text or in base64.
    let no_plate =
        plate.text("license").is_none_or(|license| matches!(license.as_ref(), "_无_" | "无车牌" | "X+aXoF8="));
    observation.flags.extend(no_plate.then_some("no_plate"));
    observation.native_id = native_id(plate, around, &observation);
    Piece::Event(Box::new(observation))
}

/// The camera's own number begins again after a reset, so it counts together with the time.
fn native_id(plate: &Object<'_>, around: &Object<'_>, observation: &Observation) -> Option<String> {
    let counter = plate.ordinal("plateid").or_else(|| around.ordinal("plateid")).or_else(|| around.ordinal("id"));
    let unique = || plate.text("unique_id").or_else(|| around.text("unique_id")).and_then(|id| ident::token(&id));
    Some(format!("{}/{}", counter.or_else(unique)?, time::stamp(observation.time)?))
}

/// The instant, checked against the local parts beside it.
fn when(plate: &Object<'_>, around: &Object<'_>) -> DeviceTime {
    let stamp = plate.object("timeStamp").or_else(|| around.object("timeStamp"));
    let stamp = stamp.map(|stamp| stamp.object("Timeval").unwrap_or(stamp)).unwrap_or_default();
    let micros = stamp.integer("usec").filter(|micros| (1..1_000_000).contains(micros));
    let precision = if micros.is_some() { TimePrecision::Ms } else { TimePrecision::Second };
    let at = stamp.integer("sec").and_then(time::seconds);
    let at = at.map(|at| at.plus(chorus_model::Span::from_millis(micros.unwrap_or(0) / 1_000)));
    let texts = around.text("timeString").or_else(|| plate.text("timeString"));
    let local = parts(&stamp).or_else(|| match time::iso(&texts?) {
        DeviceTime::Local(local, _) => Some(local),
        DeviceTime::Zoned(..) | DeviceTime::Contradictory(..) | DeviceTime::Missing => None,
    });
    match (at, local) {
        (Some(at), Some(local)) if time::offset_minutes(local, at).is_none() => {
            DeviceTime::Contradictory(at, precision)
        }
        (Some(at), _) => DeviceTime::Zoned(at, precision),
        (None, Some(local)) => DeviceTime::Local(local, TimePrecision::Second),
        (None, None) => DeviceTime::Missing,
    }
}

/// The local time in parts.
fn parts(stamp: &Object<'_>) -> Option<civil::DateTime> {
    let part = |name: &str| i8::try_from(stamp.integer(name)?).ok();
    let year = i16::try_from(stamp.integer("decyear")?).ok().filter(|year| *year >= 2_000)?;
    civil::DateTime::new(
        year,
        part("decmon")?,
        part("decday")?,
        part("dechour")?,
        part("decmin")?,
        part("decsec").unwrap_or(0),
        0,
    )
    .ok()
}

/// An input of the camera.
///
/// # Errors
/// [`Reason::MissingField`] when it does not say which input, or how it stands. How deep it stands differs.
pub(super) fn input(alarm: &Object<'_>, sender: &Sender) -> Result<Piece, Reason> {
    let result = alarm.object("result");
    let trigger = result.as_ref().unwrap_or(alarm).object("TriggerResult");
    let trigger = trigger.as_ref().or(result.as_ref()).unwrap_or(alarm);
    let source = trigger.ordinal("source").ok_or(Reason::MissingField)?;
    let phase = match trigger.integer("value").ok_or(Reason::MissingField)? {
        0 => Phase::End,
        1 => Phase::Start,
        // There and back.
        _ => Phase::Pulse,
    };
    let mut observation = sender.observation(Kind::InputChanged, phase);
    observation.zone = Some(source);
    observation.time = sender.time();
    Ok(Piece::Event(Box::new(observation)))
}

/// How the barrier stands. That its controller is connected ends what began when it was cut off.
///
/// # Errors
/// [`Reason::MissingField`] when it does not say how it stands.
pub(super) fn gate(body: &Object<'_>, sender: &Sender, pieces: &mut Vec<Piece>) -> Result<Piece, Reason> {
    let tell = |kind: Kind, phase: Phase, flag: &'static str| {
        let mut observation = sender.observation(kind, phase);
        observation.zone = body.ordinal("gate_ctrl_id");
        observation.time = sender.time();
        observation.flags.push(flag);
        Piece::Event(Box::new(observation))
    };
    match body.integer("connect_status") {
        Some(0) => return Ok(tell(Kind::GateFault, Phase::Start, "disconnected")),
        Some(1) => pieces.push(tell(Kind::GateFault, Phase::End, "connected")),
        _ => {}
    }
    Ok(match body.integer("gate_status").ok_or(Reason::MissingField)? {
        0 => tell(Kind::GateState, Phase::End, "closed"),
        1 => tell(Kind::GateState, Phase::Start, "open"),
        // On its way, or nowhere.
        _ => Piece::Filtered("gate_between"),
    })
}
