//! The fields that are read, from XML and JSON alike. What is not named here never leaves a document.

use super::super::{http, ident, text, xml};
use crate::observation::{Credential, Reason};

/// Longer element names are an attack, not a device.
const MAX_NAME: usize = 128;
/// The most notifications of one document; one more is read, so that the caller sees that there are more.
pub(super) const MAX_NOTICES: usize = 1_000;
/// The most relations of one `duration`.
const MAX_RELATIONS: usize = 16;

/// Fields that hold, or may hold, something about a person. Named when present, never read.
pub(super) const PERSONAL: [&str; 36] = [
    "FaceRect",
    "IDCardNo",
    "QRCodeInfo",
    "URL",
    "attendanceStatus",
    "backgroundImage",
    "bkgUrl",
    "cardNo",
    "channelName",
    "currTemperature",
    "deviceName",
    "employeeNo",
    "employeeNoString",
    "eventPush",
    "faceID",
    "faceInfo",
    "faceURL",
    "faceUrl",
    "gender",
    "idNum",
    "licensePlate",
    "name",
    "netUser",
    "originalLicensePlate",
    "pName",
    "phoneNo",
    "phoneNumber",
    "picName",
    "pictureURL",
    "plateNo",
    "plateNumber",
    "thermalURL",
    "userName",
    "vehicleListName",
    "visibleLightURL",
    "visitorName",
];

/// `eventState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Unsaid,
    Active,
    Inactive,
}

/// One notification, as far as it may be known.
#[derive(Default)]
pub(super) struct Notice {
    pub(super) event_type: Option<String>,
    pub(super) state: State,
    pub(super) post_count: u64,
    pub(super) is_replay: bool,
    mac: Option<String>,
    uuid: Option<String>,
    serial: Option<String>,
    address: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) dyn_channel: Option<String>,
    pub(super) date_time: Option<String>,
    /// Digits, local.
    pub(super) abs_time: Option<String>,
    pub(super) event_uuid: Option<String>,
    pub(super) relations: Vec<String>,
    pub(super) region: Option<String>,
    pub(super) input: Option<String>,
    pub(super) target: Option<&'static str>,
    pub(super) lane: Option<String>,
    pub(super) direction: Option<&'static str>,
    pub(super) passages: Option<i64>,
    pub(super) major: Option<u32>,
    pub(super) minor: Option<u32>,
    pub(super) door: Option<String>,
    pub(super) serial_no: Option<u64>,
    card: Option<Credential>,
    employee: Option<Credential>,
    pub(super) cid_code: Option<String>,
    pub(super) cid_zone: Option<String>,
    pub(super) dropped: Vec<&'static str>,
}

/// Who speaks, by the steadiest name that the notice gives.
pub(super) enum Device {
    Mac(String),
    Uuid(String),
    Serial(String),
    Address(String),
    Unnamed,
}

impl Notice {
    /// The device: addresses move (DHCP, NAT), so they come last.
    pub(super) fn device(&self) -> Device {
        if let Some(mac) = &self.mac {
            return Device::Mac(mac.clone());
        }
        if let Some(uuid) = &self.uuid {
            return ident::uuid(uuid).map_or_else(|| Device::Serial(uuid.clone()), Device::Uuid);
        }
        if let Some(serial) = &self.serial {
            return Device::Serial(serial.clone());
        }
        self.address.clone().map_or(Device::Unnamed, Device::Address)
    }

    /// The card, else the number of the person, for the pseudonym.
    pub(super) fn take_credential(&mut self) -> Option<Credential> {
        self.card.take().or_else(|| self.employee.take())
    }

    /// Notes that a field is there.
    pub(super) fn saw(&mut self, name: &str) {
        if let Some(known) = PERSONAL.iter().find(|personal| **personal == name)
            && !self.dropped.contains(known)
        {
            self.dropped.push(known);
        }
    }

    /// Reads a field by its name and that of the element around it; the first one counts.
    pub(super) fn take(&mut self, parent: &str, name: &str, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let root = matches!(parent, "" | "EventNotificationAlert" | "InfoList" | "Plate");
        match name {
            "eventType" if root => first(&mut self.event_type, ident::token(value)),
            "eventState" if root => {
                self.state = match value.to_ascii_lowercase().as_str() {
                    "active" => State::Active,
                    "inactive" => State::Inactive,
                    _ => State::Unsaid,
                }
            }
            "activePostCount" if root => self.post_count = value.parse().unwrap_or(0),
            "isDataRetransmission" => self.is_replay |= value == "true",
            "currentEvent" => self.is_replay |= value == "false",
            "macAddress" if root => first(&mut self.mac, ident::mac(value)),
            "deviceUUID" => first(&mut self.uuid, ident::token(value)),
            "shortSerialNumber" | "serialNumber" => first(&mut self.serial, ident::token(value)),
            "ipAddress" if root => first(&mut self.address, address(value)),
            "channelID" if root => first(&mut self.channel, ident::token(value)),
            "dynChannelID" if root => first(&mut self.dyn_channel, ident::token(value)),
            "dateTime" | "time" if root => first(&mut self.date_time, short(value)),
            "absTime" | "captureTime" => first(&mut self.abs_time, short(value)),
            "UUID" if root => first(&mut self.event_uuid, ident::uuid(value)),
            "relationEvent" if self.relations.len() < MAX_RELATIONS => self.relations.extend(ident::token(value)),
            "regionID" => first(&mut self.region, ident::token(value)),
            "inputIOPortID" => first(&mut self.input, ident::token(value)),
            "detectionTarget" | "targetType" => first(&mut self.target, target(value)),
            "line" if parent == "ANPR" => first(&mut self.lane, ident::token(value)),
            "direction" if matches!(parent, "ANPR" | "Plate") => first(&mut self.direction, direction(value)),
            "enter" | "exit" if parent == "peopleCounting" => {
                let passages = value.parse::<u32>().map(i64::from).unwrap_or(0);
                self.passages = Some(self.passages.unwrap_or(0) + passages);
            }
            _ if matches!(parent, "AccessControllerEvent" | "InfoList") => self.take_access(name, value),
            "standardCIDcode" if parent == "CIDEvent" => first(&mut self.cid_code, ident::token(value)),
            "zone" if parent == "CIDEvent" => first(&mut self.cid_zone, ident::token(value)),
            _ => {}
        }
    }

    fn take_access(&mut self, name: &str, value: &str) {
        match name {
            "majorEventType" | "major" => first(&mut self.major, code(value)),
            "subEventType" | "minor" => first(&mut self.minor, code(value)),
            "doorNo" => first(&mut self.door, ident::token(value)),
            "serialNo" => first(&mut self.serial_no, value.parse().ok()),
            "cardNo" => first(&mut self.card, Credential::new(value)),
            "employeeNoString" | "employeeNo" => first(&mut self.employee, Credential::new(value)),
            _ => {}
        }
    }
}

/// Keeps the first value that says something.
fn first<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// Text that is only ever parsed.
fn short(text: &str) -> Option<String> {
    (text.len() <= MAX_NAME).then(|| text.to_owned())
}

/// A code: decimal, or hexadecimal behind `0x`.
fn code(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// An address that says which device it is.
fn address(text: &str) -> Option<String> {
    let address: std::net::IpAddr = text.parse().ok()?;
    (!address.is_unspecified() && !address.is_loopback()).then(|| address.to_string())
}

fn target(text: &str) -> Option<&'static str> {
    match text {
        "human" | "person" => Some("person"),
        "vehicle" => Some("vehicle"),
        "nonMotorVehicle" | "nonmotor" => Some("nonmotor"),
        "animal" => Some("animal"),
        _ => None,
    }
}

fn direction(text: &str) -> Option<&'static str> {
    match text {
        "forward" => Some("direction_forward"),
        "reverse" | "back" | "backward" => Some("direction_reverse"),
        _ => None,
    }
}

/// What a document held.
pub(super) enum Document {
    /// Notifications pushed by the device.
    Notices(Vec<Notice>),
    /// Stored records that were asked for: access events of the search, plates of the poll.
    Polled(Vec<Notice>),
    /// An answer of the device, without an event.
    Answer,
}

/// Reads one XML document.
pub(super) fn from_xml(document: &str) -> Result<Document, Reason> {
    let mut root = String::new();
    let mut notice = Notice::default();
    let mut plates = Vec::new();
    xml::walk(document, |path, node| {
        let name = path.name();
        match node {
            xml::Node::Open(_) => {
                if name.len() > MAX_NAME {
                    return Err(Reason::TooLarge);
                }
                if root.is_empty() {
                    name.clone_into(&mut root);
                }
                notice.saw(name);
            }
            xml::Node::Close { text } => {
                notice.take(path.as_str().rsplit('/').nth(1).unwrap_or_default(), name, text);
                if root == "Plates" && name == "Plate" && plates.len() <= MAX_NOTICES {
                    plates.push(std::mem::take(&mut notice));
                }
            }
        }
        Ok(())
    })?;
    match root.as_str() {
        "EventNotificationAlert" => Ok(Document::Notices(vec![notice])),
        "Plates" => Ok(Document::Polled(plates)),
        "ResponseStatus" => Ok(Document::Answer),
        _ => Err(Reason::NotThisFormat),
    }
}

/// True for bytes that look like this format.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let bytes = http::body(bytes);
    const HEAD: usize = 4096;
    let has = |needle: &[u8]| text::contains(bytes, needle, HEAD);
    match text::first_byte(bytes) {
        Some(b'{' | b'[') => {
            has(b"\"AcsEvent\"")
                || has(b"\"AccessControllerEvent\"")
                || has(b"\"CIDEvent\"")
                || (has(b"\"eventType\"") && has(b"\"dateTime\"") && !has(b"OnEventNotify"))
        }
        Some(b'<') => has(b"EventNotificationAlert") || has(b"<Plates"),
        // The stream begins in the middle of things: a boundary, or the answer's own head.
        Some(b'-' | b'H') => {
            has(b"EventNotificationAlert")
                || (has(b"\"eventType\"") && (has(b"\"eventState\"") || has(b"\"dateTime\"")))
        }
        _ => false,
    }
}
