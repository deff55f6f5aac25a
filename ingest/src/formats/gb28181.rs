//! GB/T 28181 MANSCDP: the XML bodies of SIP MESSAGE and NOTIFY, with or without the SIP head in front.
//!
//! The declared charset is doubted (they declare GB2312 and send GBK, GB18030 or UTF-8), so is `Content-Length`. An alarm's
//! kind comes from (`AlarmMethod`, `AlarmType`) alone, see `kind_of`: never from the free text, never from the priority.
//!
//! | message | becomes |
//! |---|---|
//! | Notify/Alarm | the kind of its method and type; `EventType` 1 and 2 of types 5 and 6 are start and end |
//! | Notify/Keepalive | `device.heartbeat`; Status ERROR and every faulty child in `Info` a `device.fault` beside it (trap 6) |
//! | Notify/Catalog | per item by `Event`: ON, OFF, VLOST, DEFECT; ADD, DEL and UPDATE are no safety events |
//! | Response/Catalog | per item `device.online` or `device.offline` as a sync: it never counts as a happening (trap 20) |
//! | Notify/MobilePosition | filtered: Chorus keeps nobody's track |
//! | Notify/MediaStatus | filtered: 121 is the end of a playback, not an alarm |
//! | all other responses, queries and commands | filtered |

use std::borrow::Cow;

use chorus_model::{Geo, Kind, Phase, SeveritySource};

use super::gb_device::observation;
use super::gb28181_alarm::{self, kind_of, severity};
use super::xml::Node;
use super::{doc, text, time, xml};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "gb-t-28181";

/// The most items of a catalogue, and the most faulty children of a keepalive, that one record may hold.
const MAX_ITEMS: usize = 10_000;

/// Elements of a catalogue item that hold names, addresses or secrets.
const ITEM_PERSONAL: [&str; 5] = ["Name", "Address", "IPAddress", "Password", "Owner"];

/// One message: the document's root element and what is read from it.
#[derive(Default)]
struct Message {
    root: Root,
    command: String,
    device: String,
    serial: Option<u64>,
    status: String,
    alarm: Alarm,
    children: Vec<String>,
    items: Vec<Item>,
    closed_items: usize,
    too_many: bool,
    complete: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Root {
    #[default]
    Other,
    Notify,
    Response,
    /// A query or a control command, on its way to a device.
    Command,
}

#[derive(Default)]
struct Alarm {
    priority: String,
    method: String,
    kind: String,
    event: String,
    time: String,
    longitude: Option<f64>,
    latitude: Option<f64>,
    described: bool,
}

/// What an item of a catalogue says; none for what is no safety event.
type Happening = Result<Option<(Kind, Phase)>, Reason>;

/// One device of a catalogue.
#[derive(Default)]
struct Item {
    device: String,
    event: String,
    status: String,
    dropped: Vec<&'static str>,
}

/// True for XML with a `CmdType`, with or without a SIP head.
pub fn sniff(bytes: &[u8]) -> bool {
    match text::first_byte(bytes) {
        Some(b'<') => text::contains(bytes, b"<CmdType>", 2_048),
        Some(b'M' | b'N' | b'S') => {
            let body = [&b"MANSCDP"[..], b"manscdp", b"<CmdType>"];
            text::contains(bytes, b"SIP/2.0", 512) && body.iter().any(|word| text::contains(bytes, word, 4_096))
        }
        _ => false,
    }
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<doc::Table> {
    vec![gb28181_alarm::table(), doc::left_behind(ITEM_PERSONAL.into_iter().chain(["AlarmDescription"]))]
}

/// Reads one message.
///
/// # Errors
/// When it is no MANSCDP, or broken before anything that has a meaning of its own.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let Some(body) = body(raw.bytes)? else {
        pieces.push(Piece::Filtered("sip_without_body"));
        return Ok(());
    };
    let payload = text::decode(body);
    let mut message = Message::default();
    let walked = xml::walk(&payload.text, |path, node| {
        match node {
            Node::Open(_) if path.depth() > 1 => message.open(path),
            // One record is one message: a second one is not mixed into the first.
            Node::Open(_) if message.complete => return Err(Reason::BadSyntax),
            Node::Open(_) => message.root = root(path.name()),
            Node::Close { text } => message.close(path, text),
        }
        Ok(())
    });
    // The item in which the message was cut off.
    message.items.truncate(message.closed_items);
    if let Err(reason) = walked
        && !message.complete
        && message.items.is_empty()
    {
        return Err(reason);
    }
    let before = pieces.len();
    message.tell(pieces)?;
    // A catalogue that was cut off (UDP) still tells of the devices that it got to; so does a message with junk behind.
    pieces.extend(walked.err().map(Piece::Rejected));
    if let Some(flag) = payload.flag {
        for piece in pieces.iter_mut().skip(before) {
            if let Piece::Event(observation) = piece {
                observation.flags.push(flag);
            }
        }
    }
    Ok(())
}

/// The XML without the SIP head; `None` for SIP that carries no body.
fn body(bytes: &[u8]) -> Result<Option<&[u8]>, Reason> {
    if text::first_byte(bytes) == Some(b'<') {
        return Ok(Some(bytes));
    }
    if !text::contains(bytes, b"SIP/2.0", 1_024) {
        return Err(Reason::NotThisFormat);
    }
    // The head names addresses as `<sip:…>`, so the XML begins at the first `<` behind the blank line only.
    let windows = memchr::memmem::find(bytes, b"\r\n\r\n");
    let unix = memchr::memmem::find(bytes, b"\n\n");
    let end = match (windows, unix) {
        (Some(windows), Some(unix)) => windows.min(unix),
        (Some(end), None) | (None, Some(end)) => end,
        (None, None) => return Err(Reason::Truncated),
    };
    let behind = bytes.get(end..).unwrap_or_default();
    match memchr::memchr(b'<', behind) {
        Some(start) => Ok(behind.get(start..)),
        None if behind.iter().all(u8::is_ascii_whitespace) => Ok(None),
        None => Err(Reason::NotThisFormat),
    }
}

fn root(name: &str) -> Root {
    match name {
        "Notify" => Root::Notify,
        "Response" => Root::Response,
        "Query" | "Control" => Root::Command,
        _ => Root::Other,
    }
}

impl Message {
    fn open(&mut self, path: &xml::Path) {
        if path.ends_with("DeviceList/Item") {
            if self.items.len() < MAX_ITEMS {
                self.items.push(Item::default());
            } else {
                self.too_many = true;
            }
        }
    }

    fn close(&mut self, path: &xml::Path, text: &str) {
        let Some((_, inner)) = path.as_str().split_once('/') else {
            self.complete = self.root != Root::Other;
            return;
        };
        match inner {
            "CmdType" => text.clone_into(&mut self.command),
            "SN" => self.serial = text.parse().ok(),
            "DeviceID" => text.clone_into(&mut self.device),
            "Status" => text.clone_into(&mut self.status),
            "AlarmPriority" => text.clone_into(&mut self.alarm.priority),
            "AlarmMethod" => text.clone_into(&mut self.alarm.method),
            "AlarmTime" => text.clone_into(&mut self.alarm.time),
            "AlarmDescription" => self.alarm.described = !text.is_empty(),
            "Longitude" => self.alarm.longitude = text.parse().ok(),
            "Latitude" => self.alarm.latitude = text.parse().ok(),
            // The standard puts the type under `Info`; some devices do not.
            "Info/AlarmType" | "AlarmType" => text.clone_into(&mut self.alarm.kind),
            "Info/AlarmTypeParam/EventType" | "AlarmTypeParam/EventType" => text.clone_into(&mut self.alarm.event),
            "Info/DeviceID" if self.children.len() < MAX_ITEMS => self.children.push(text.to_owned()),
            "Info/DeviceID" => self.too_many = true,
            "DeviceList/Item" => self.closed_items = self.items.len(),
            _ if !self.too_many => self.close_item(inner, text),
            _ => {}
        }
    }

    fn close_item(&mut self, inner: &str, text: &str) {
        let (Some(field), Some(item)) = (inner.strip_prefix("DeviceList/Item/"), self.items.last_mut()) else { return };
        match field {
            "DeviceID" => text.clone_into(&mut item.device),
            "Event" => text.clone_into(&mut item.event),
            "Status" => text.clone_into(&mut item.status),
            _ if text.is_empty() => {}
            _ => item.dropped.extend(ITEM_PERSONAL.into_iter().find(|name| *name == field)),
        }
    }

    /// What the message says.
    fn tell(&self, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        match (self.root, self.command.as_str()) {
            (Root::Other, _) => return Err(Reason::NotThisFormat),
            (_, "") => return Err(Reason::MissingField),
            (Root::Notify, "Alarm") => pieces.push(Piece::Event(Box::new(self.alarm()?))),
            (Root::Notify, "Keepalive") => self.keepalive(pieces)?,
            (Root::Notify, "Catalog") => self.catalog(pieces, Item::notice),
            (Root::Response, "Catalog") => self.catalog(pieces, Item::listed),
            (Root::Notify, "MediaStatus") => pieces.push(Piece::Filtered("media_status")),
            (Root::Notify, "MobilePosition") => pieces.push(Piece::Filtered("position")),
            (Root::Notify, "Broadcast" | "UploadSnapShotFinished" | "VideoUploadNotify" | "DeviceUpgradeResult") => {
                pieces.push(Piece::Filtered("device_notice"))
            }
            (Root::Notify, _) => return Err(Reason::UnknownCode),
            (Root::Response, _) => pieces.push(Piece::Filtered("query_response")),
            (Root::Command, _) => pieces.push(Piece::Filtered("command")),
        }
        if self.too_many {
            pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        Ok(())
    }

    fn alarm(&self) -> Result<Observation, Reason> {
        let alarm = &self.alarm;
        let kind = kind_of(&alarm.method, &alarm.kind)?;
        let mut observation = observation(&self.device, kind)?;
        observation.native_seq = self.serial;
        observation.time = time::iso(&alarm.time);
        // SN begins anew at every reboot: without the time it is no identity.
        let identified = observation.time != DeviceTime::Missing && !self.device.is_empty();
        observation.native_id =
            self.serial.filter(|_| identified).map(|serial| format!("{}/{serial}/{}", self.device, alarm.time));
        if matches!(kind, Kind::IntrusionArea | Kind::IntrusionLine) {
            observation.phase = match alarm.event.as_str() {
                "1" => Phase::Start,
                "2" => Phase::End,
                _ => Phase::Pulse,
            };
        }
        // The priority is a hint only: it speaks where method and type say nothing.
        if kind == Kind::InputChanged {
            observation.severity = severity(&alarm.priority).map(|severity| (severity, SeveritySource::Device));
        }
        observation.geo = alarm
            .latitude
            .zip(alarm.longitude)
            .filter(|(lat, lon)| *lat != 0.0 || *lon != 0.0)
            .map(|(lat, lon)| Geo { lat, lon, datum: Cow::Borrowed("unknown") });
        if alarm.described {
            observation.drop_field("AlarmDescription");
        }
        Ok(observation)
    }

    fn keepalive(&self, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        let mut heartbeat = observation(&self.device, Kind::DeviceHeartbeat)?;
        heartbeat.native_seq = self.serial;
        pieces.push(Piece::Event(Box::new(heartbeat)));
        let ill = self.status.eq_ignore_ascii_case("ERROR").then_some(self.device.as_str());
        for device in ill.into_iter().chain(self.children.iter().map(String::as_str).filter(|child| !child.is_empty()))
        {
            pieces.push(match observation(device, Kind::DeviceFault) {
                Ok(mut fault) => {
                    // Every keepalive says it again, as long as it lasts.
                    fault.phase = Phase::Continue;
                    fault.native_seq = self.serial;
                    Piece::Event(Box::new(fault))
                }
                Err(reason) => Piece::Rejected(reason),
            });
        }
        Ok(())
    }

    fn catalog(&self, pieces: &mut Vec<Piece>, read: fn(&Item) -> Happening) {
        if self.items.is_empty() {
            pieces.push(Piece::Filtered("catalog_empty"));
        }
        for item in &self.items {
            pieces.push(item.tell(read, self.serial).unwrap_or_else(Piece::Rejected));
        }
    }
}

impl Item {
    fn tell(&self, read: fn(&Self) -> Happening, serial: Option<u64>) -> Result<Piece, Reason> {
        let Some((kind, phase)) = read(self)? else { return Ok(Piece::Filtered("catalog_change")) };
        if self.device.is_empty() {
            return Err(Reason::MissingField);
        }
        let mut observation = observation(&self.device, kind)?;
        observation.phase = phase;
        observation.native_seq = serial;
        for field in &self.dropped {
            observation.drop_field(*field);
        }
        Ok(Piece::Event(Box::new(observation)))
    }

    /// An item of a notification: something happened to it. One without `Event` is the list again.
    fn notice(&self) -> Happening {
        match self.event.to_ascii_uppercase().as_str() {
            "ON" => Ok(Some((Kind::DeviceOnline, Phase::Pulse))),
            "OFF" => Ok(Some((Kind::DeviceOffline, Phase::Pulse))),
            "VLOST" => Ok(Some((Kind::VideoLoss, Phase::Pulse))),
            "DEFECT" => Ok(Some((Kind::DeviceFault, Phase::Pulse))),
            "ADD" | "DEL" | "UPDATE" => Ok(None),
            "" => self.listed(),
            _ => Err(Reason::UnknownCode),
        }
    }

    /// An item of a list: how things are. Areas and groups have no status.
    fn listed(&self) -> Happening {
        match self.status.to_ascii_uppercase().as_str() {
            "ON" | "OK" | "ONLINE" => Ok(Some((Kind::DeviceOnline, Phase::Sync))),
            "OFF" | "OFFLINE" => Ok(Some((Kind::DeviceOffline, Phase::Sync))),
            "" => Ok(None),
            _ => Err(Reason::UnknownCode),
        }
    }
}
