//! ONVIF events: WS-Notification and metadata streams in XML, python zeep's rendering of them in JSON, Axis's events on MQTT.
//!
//! `UtcTime` is UTC with or without its `Z` (trap 2). `Initialized` is a statement of how things are, made at every
//! subscription (trap 20): [`Phase::Sync`], with the remark `standing` when an alarm stands (trap 6). A notification names
//! its device only on Axis; elsewhere the connector does.

mod read;
mod topics;

use chorus_model::{DeviceScheme, Kind, Outcome, Phase};

use self::read::{MAX_MESSAGES, Message, Operation};
use self::topics::{Door, Meaning};
use super::{doc, http, ident, text, time};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "onvif";

/// Items that hold something about a person. Named when present.
const PERSONAL: [&str; 12] = [
    "Card",
    "CardNumber",
    "CredentialHolderName",
    "CredentialToken",
    "FaceImage",
    "IdentifierValue",
    "Image",
    "PIN",
    "Pin",
    "PlateNumber",
    "UserName",
    "pin",
];

/// Items of the source that say which part of the device speaks.
const CHANNEL: [&str; 16] = [
    "VideoSourceToken",
    "VideoSourceConfigurationToken",
    "VideoSource",
    "Source",
    "DoorToken",
    "AccessPointToken",
    "InputToken",
    "AlarmInToken",
    "RelayToken",
    "AreaToken",
    "Token",
    "sensor",
    "port",
    "channel",
    "camera",
    "disk_id",
];

/// Items whose boolean tells whether a property holds.
const STATE: [&str; 14] = [
    "state",
    "logicalstate",
    "active",
    "detected",
    "failed",
    "critical",
    "tamper",
    "tampering",
    "open",
    "lost",
    "alert",
    "disruption",
    "triggered",
    "limit_exceeded",
];

/// True for XML or JSON that looks like a notification.
pub fn sniff(bytes: &[u8]) -> bool {
    let bytes = http::body(bytes);
    const HEAD: usize = 8192;
    let any = |needles: &[&str]| needles.iter().any(|needle| text::contains(bytes, needle.as_bytes(), HEAD));
    match text::first_byte(bytes) {
        Some(b'<') => any(&["www.onvif.org", "docs.oasis-open.org/wsn", "NotificationMessage", "<tt:"]),
        Some(b'{' | b'[') => any(&["\"tns1:", "\"onvif:", "\"axis:", "\"tnsaxis:"]),
        _ => false,
    }
}

/// Reads every notification of a record.
///
/// # Errors
/// When nothing can be read from it.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let bytes = http::body(raw.bytes);
    let payload = text::decode(bytes);
    let mut messages = Vec::new();
    let mut empty = "no_notification";
    let read = if text::first_byte(bytes) == Some(b'<') {
        read::from_xml(payload.text.trim_start(), &mut messages).and_then(|rest| {
            if rest.frames {
                empty = "analytics_frame";
            }
            if rest.frames || rest.known_root { Ok(()) } else { Err(Reason::NotThisFormat) }
        })
    } else {
        documents(&payload.text, &mut messages)
    };
    if messages.is_empty() {
        read?;
        pieces.push(Piece::Filtered(empty));
        return Ok(());
    }
    for message in &messages {
        notification(message, payload.flag, pieces);
    }
    // What came before the break counts.
    if let Err(reason) = read {
        pieces.push(Piece::Rejected(reason));
    }
    Ok(())
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<doc::Table> {
    let row = |(names, meaning): &(&[&str], Meaning)| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        std::iter::once(names.join(", ")).chain(meaning.says()).collect::<Vec<_>>()
    };
    let topics = doc::Table {
        title: "Topics by how they begin, without prefixes and in lower case; the longest that fits counts",
        columns: &["topic", "kind", "phase"],
        rows: topics::TOPICS.iter().map(row).collect(),
    };
    let items = doc::Table {
        title: "Data items of the rule engine; they win over the topic",
        columns: &["item", "kind", "phase"],
        rows: topics::ITEMS.iter().map(row).collect(),
    };
    vec![topics, items, doc::left_behind(PERSONAL)]
}

fn documents(text: &str, messages: &mut Vec<Message>) -> Result<(), Reason> {
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        read::from_json(&value.map_err(|error| super::chorus::syntax(&error))?, messages)?;
        if messages.len() > MAX_MESSAGES {
            return Err(Reason::TooLarge);
        }
    }
    Ok(())
}

/// Turns a notification into its pieces.
fn notification(message: &Message, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let Some(topic) = message.topic.as_deref().map(topics::local_names).filter(|topic| !topic.is_empty()) else {
        return pieces.push(Piece::Rejected(Reason::MissingField));
    };
    let facts = match facts(&topic, message) {
        Ok(facts) => facts,
        Err(piece) => return pieces.push(piece),
    };
    for fact in facts {
        let mut observation = observe(&topic, message, &fact);
        observation.flags.extend(flag);
        pieces.push(Piece::Event(Box::new(observation)));
    }
}

/// One thing that a notification says.
struct Fact {
    kind: Kind,
    /// Whether it lasts, for what can last.
    holds: Option<bool>,
    class: Option<&'static str>,
}

impl Fact {
    const fn new(kind: Kind, holds: Option<bool>) -> Self {
        Self { kind, holds, class: None }
    }
}

/// What a notification says, or the one piece that it is instead.
fn facts(topic: &str, message: &Message) -> Result<Vec<Fact>, Piece> {
    let rejected = |reason| Err(Piece::Rejected(reason));
    let named = message.data.iter().find_map(|(name, _)| topics::by_item(name));
    let meaning = match topics::by_topic(topic) {
        Some(meaning) if topic.starts_with("ruleengine/") => named.unwrap_or(meaning),
        Some(meaning) => meaning,
        None if topic.starts_with("ruleengine/") && named.is_some() => named.unwrap_or(Meaning::ByItem),
        None => return rejected(Reason::UnknownCode),
    };
    match meaning {
        Meaning::Property(kind) => Ok(vec![Fact::new(kind, holds(message))]),
        Meaning::Object(class) => {
            Ok(vec![Fact { class: Some(class), ..Fact::new(Kind::ObjectDetected, holds(message)) }])
        }
        Meaning::Event(kind) => Ok(vec![Fact::new(kind, None)]),
        Meaning::ClassList => Ok(classes(message)),
        Meaning::Door(door) => door_facts(door, item(&message.data, "State").unwrap_or_default()),
        Meaning::ByItem => rejected(Reason::UnknownCode),
        Meaning::Filtered(word) => Err(Piece::Filtered(word)),
    }
}

/// The boolean of a property.
fn holds(message: &Message) -> Option<bool> {
    let states = message.data.iter().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        STATE.contains(&name.as_str()) || name.starts_with("is")
    });
    states.into_iter().find_map(|(_, value)| boolean(value))
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "active" | "on" => Some(true),
        "false" | "0" | "inactive" | "off" => Some(false),
        _ => None,
    }
}

/// One fact per class that is seen; no class left ends them all.
fn classes(message: &Message) -> Vec<Fact> {
    let list = item(&message.data, "ClassTypes");
    let mut facts: Vec<Fact> = Vec::new();
    for word in list.unwrap_or_default().split([' ', ',', ';']).filter(|word| !word.is_empty()) {
        let class = topics::class(word);
        if !facts.iter().any(|fact| fact.class == class) {
            facts.push(Fact { class, ..Fact::new(Kind::ObjectDetected, Some(true)) });
        }
    }
    if facts.is_empty() {
        facts.push(Fact::new(Kind::ObjectDetected, list.map(|_| false).or_else(|| holds(message))));
    }
    facts
}

/// The class that set off a rule, when it is one.
fn only_class(message: &Message) -> Option<&'static str> {
    let list = message.data.iter().find(|(name, _)| name.eq_ignore_ascii_case("classtypes"));
    list.and_then(|(_, class)| topics::class(class))
}

/// The states of a door. `Normal` says that it is neither forced nor held open any more, so it ends both.
fn door_facts(door: Door, state: &str) -> Result<Vec<Fact>, Piece> {
    let one = |kind, holds| Ok(vec![Fact::new(kind, holds)]);
    match (door, state.to_ascii_lowercase().as_str()) {
        (_, "") => Err(Piece::Rejected(Reason::MissingField)),
        (_, "unknown" | "notsupported") => Err(Piece::Filtered("unknown_state")),
        (Door::Alarm, "dooropentoolong") => one(Kind::DoorHeldOpen, Some(true)),
        (Door::Alarm, "doorforcedopen") => one(Kind::DoorForced, Some(true)),
        (Door::Alarm, "normal") => {
            Ok(vec![Fact::new(Kind::DoorForced, Some(false)), Fact::new(Kind::DoorHeldOpen, Some(false))])
        }
        (Door::Physical, "open") => one(Kind::DoorOpened, None),
        (Door::Physical, "closed") => one(Kind::DoorClosed, None),
        (Door::Physical | Door::Lock, "fault" | "lockfault") => one(Kind::GateFault, Some(true)),
        (Door::Lock, "unlocked") => one(Kind::GateState, Some(true)),
        (Door::Lock, "locked") => one(Kind::GateState, Some(false)),
        // A lock that opens is the gate's state; a mode that forbids passage ends it.
        (Door::Mode, "accessed" | "unlocked" | "lockedopen") => one(Kind::GateState, Some(true)),
        (Door::Mode, "locked" | "blocked" | "lockeddown" | "doublelocked") => one(Kind::GateState, Some(false)),
        (Door::Tamper, "tamperdetected") => one(Kind::CameraTamper, Some(true)),
        (Door::Tamper, "notintamper") => one(Kind::CameraTamper, Some(false)),
        (Door::Fault, "faultdetected") => one(Kind::GateFault, Some(true)),
        (Door::Fault, "notinfault") => one(Kind::GateFault, Some(false)),
        _ => Err(Piece::Rejected(Reason::BadValue)),
    }
}

/// A property that is initialised is a statement, one that is deleted has ended. Without an operation there is no promise
/// that an end will follow, so what holds is a pulse.
fn phase(operation: Option<Operation>, holds: Option<bool>) -> Phase {
    match (operation, holds) {
        (Some(Operation::Initialized), _) => Phase::Sync,
        (Some(Operation::Deleted), _) | (_, Some(false)) => Phase::End,
        (Some(Operation::Changed), Some(true)) => Phase::Start,
        (Some(Operation::Changed), None) | (None, _) => Phase::Pulse,
    }
}

fn observe(topic: &str, message: &Message, fact: &Fact) -> Observation {
    let (device_id, scheme) = match (&message.producer, &message.mac) {
        (Some(uuid), _) => (uuid.clone(), DeviceScheme::Uuid),
        (None, Some(mac)) => (mac.clone(), DeviceScheme::Mac),
        (None, None) => (String::new(), DeviceScheme::Own),
    };
    let mut observation = Observation::new(device_id, scheme, fact.kind);
    observation.phase = phase(message.operation, fact.holds);
    if observation.phase == Phase::Sync && fact.holds == Some(true) {
        observation.flags.push("standing");
    }
    observation.object_class = fact.class.or_else(|| match fact.kind {
        Kind::VehiclePassed => Some("vehicle"),
        Kind::ObjectDetected | Kind::IntrusionArea | Kind::IntrusionLine | Kind::Loitering => only_class(message),
        _ => None,
    });
    observation.channel = CHANNEL.iter().find_map(|name| item(&message.source, name)).and_then(ident::label);
    observation.zone = zone(message, &mut observation.flags);
    observation.device_kind = device_kind(topic);
    observation.outcome = match fact.kind {
        Kind::AccessGranted => Some(Outcome::Granted),
        Kind::AccessDenied => Some(Outcome::Denied),
        _ => None,
    };
    if fact.kind == Kind::CountFlow {
        observation.count = item(&message.data, "Count").and_then(|count| count.parse().ok());
    }
    if matches!(fact.kind, Kind::AccessDenied | Kind::AccessDuress) {
        observation.credential = credential(message);
    }
    observation.time = match (&message.utc_time, message.millis) {
        (Some(text), _) => time::iso_utc(text),
        (None, Some(millis)) => time::epoch_millis(millis),
        (None, None) => DeviceTime::Missing,
    };
    for (name, _) in message.source.iter().chain(&message.data) {
        if let Some(personal) = PERSONAL.iter().find(|personal| *personal == name) {
            observation.drop_field(*personal);
        }
    }
    observation.native_id = native_id(topic, &observation);
    observation
}

/// The rule; of an Axis application the camera. Its profile is left out: each of its events comes a second time, some
/// microseconds later, as that of a profile `ANY`, and the two must be one (trap 10).
fn zone(message: &Message, flags: &mut Vec<&'static str>) -> Option<String> {
    let rule = ["Rule", "RuleName", "areaid"].iter().find_map(|name| item(&message.source, name));
    if let Some(rule) = rule.and_then(ident::label) {
        return Some(rule);
    }
    let (_, profile) = message.topic.as_deref()?.split_once("CameraApplicationPlatform/")?.1.split_once('/')?;
    if profile.ends_with("ANY") {
        flags.push("axis_global");
    }
    let end = profile.find("Profile").or_else(|| profile.find("Scenario")).unwrap_or(profile.len());
    profile.get(..end).and_then(ident::token)
}

fn device_kind(topic: &str) -> Option<&'static str> {
    match topic.split('/').next()? {
        "door" | "accesscontrol" | "accesspoint" => Some("door"),
        "videosource" | "ruleengine" | "videoanalytics" | "cameraapplicationplatform" => Some("camera"),
        _ => None,
    }
}

/// What was refused: the credential's token, else what was read from it; never a PIN.
fn credential(message: &Message) -> Option<Credential> {
    let is_pin = item(&message.data, "IdentifierType").is_some_and(|kind| kind.to_ascii_lowercase().contains("pin"));
    ["CredentialToken", "Card", "IdentifierValue"].iter().find_map(|name| {
        let value = item(&message.data, name).and_then(Credential::new);
        if *name == "IdentifierValue" && is_pin { None } else { value }
    })
}

/// Axis alone names its producer: producer, topic, source and the millisecond. Kind, phase, channel and zone are added at the
/// border.
fn native_id(topic: &str, observation: &Observation) -> Option<String> {
    if observation.scheme == DeviceScheme::Own {
        return None;
    }
    let DeviceTime::Zoned(instant, _) = observation.time else { return None };
    // The steps behind are profiles and instances of a service.
    let steps = if topic.starts_with("cameraapplicationplatform/") { 2 } else { 3 };
    let topic: Vec<&str> = topic.split('/').take(steps).collect();
    let topic = ident::token(&topic.join("/"))?;
    let class = observation.object_class.unwrap_or_default();
    let (device, channel) = (&observation.device_id, observation.channel.as_deref().unwrap_or_default());
    Some(format!("{device}/{topic}/{channel}/{class}/{}", instant.as_millis()))
}

/// The value of an item.
fn item<'m>(items: &'m [(String, String)], name: &str) -> Option<&'m str> {
    items.iter().find(|(item, _)| item == name).map(|(_, value)| value.as_str())
}
