//! HL7 v2: what a hospital's systems say of wards (ADT) and of devices at patients (IHE PCD-04).
//!
//! A record holds one message or many: bare, in blocks of MLLP (one that is not closed is flagged `block_open`), in batches (FHS,
//! BHS); segments end in CR or LF. Delimiters are
//! those of MSH-1 and MSH-2. Almost everything here is about patients, so little is kept: what happened, in which ward,
//! when, how urgent.
//!
//! | message | becomes |
//! |---|---|
//! | ADT A01, A02, A03, A06, A07, A11 to A13, A21, A22, A52, A53 | `occupancy.changed` of the ward, with a remark (`admitted`, …) |
//! | ADT with another trigger | filtered: `registration`, `planned`, `tracking`, `patient_record`, … |
//! | ORU^R40, and ORU^R01 whose OBR is `MDC_EVT_ALARM` or whose OBX hold an alarm's phase | `patient_device.alarm`, one for each OBR; phase by 68165 or 68481, else by the state |
//! | the same with `MDC_EVT_ACTIVE` of no priority | `device.heartbeat`: a gateway's sign of life in an alarm's clothes (trap 5) |
//! | other OBR, other ORU | filtered as `observation` |
//! | ACK and answers, queries, orders, records | filtered |
//! | types of no chapter | refused as unknown; segments without a header: a field is missing |
//!
//! The device is the ward with its facility (`PV1-3.1/PV1-3.4`), scheme `hl7_location`; of an alarm without a ward, the device
//! at the bed, which else is the channel. The zone of an alarm is its code and what it is about. Room and bed stay behind:
//! they are a patient. Severity is the priority: PH high, PM medium, PL low, PN and PI info.
//!
//! Times are local unless they have an offset (trap 1): EVN-6 (occurred), EVN-2 (recorded); OBR-7, of an end OBR-8; MSH-7 only
//! where there is none (flag `message_time`), for messages come days late (flag `sent_late`). The identity is MSH-4, MSH-3, MSH-10 and MSH-7. MSH-11
//! `T` and `D` are tests, its modes `A`, `R` and `I` replays. A charset that MSH-18 declares counts when it has single bytes
//! and the text is no UTF-8.

mod alarm;
mod message;
mod tables;

use chorus_model::{DeviceScheme, Kind};

use self::alarm::Group;
use self::message::{Message, Part, Segment};
use super::{ident, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "hl7v2";

/// The most messages and alarms of one record.
const MAX_PIECES: usize = 1_000;

/// Segments that tell of people. Named when they say anything.
const PERSONAL: [&str; 21] = [
    "PID", "PD1", "NK1", "MRG", "PV2", "AL1", "DG1", "PR1", "GT1", "IN1", "IN2", "IN3", "ACC", "ROL", "PRT", "NTE",
    "DB1", "IAM", "CON", "ARV", "ORC",
];

/// Fields of PV1 that name doctors and visits.
const VISIT: [(usize, &str); 6] =
    [(7, "PV1-7"), (8, "PV1-8"), (9, "PV1-9"), (17, "PV1-17"), (19, "PV1-19"), (52, "PV1-52")];

/// True when a header of a message, a batch or a file stands at the start.
pub fn sniff(bytes: &[u8]) -> bool {
    let bytes = message::without_mark(bytes);
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != message::BLOCK_BEGINS);
    start.and_then(|start| bytes.get(start..)).is_some_and(|bytes| message::is_header(message::without_mark(bytes)))
}

/// Reads every message of a record.
///
/// # Errors
/// When the record is one message, and that cannot be read.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    if !sniff(raw.bytes) {
        return Err(Reason::NotThisFormat);
    }
    let bytes = message::without_mark(raw.bytes);
    let (parts, is_batch) = message::parts(bytes);
    let is_open = memchr::memrchr(message::BLOCK_BEGINS, bytes) > memchr::memrchr(message::BLOCK_ENDS, bytes);
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.into_iter().enumerate() {
        if pieces.len() >= MAX_PIECES {
            pieces.push(Piece::Rejected(Reason::TooLarge));
            break;
        }
        let read = match part {
            Part::Message(bytes) => {
                let is_cut = is_open && index == last;
                Message::of(bytes).ok_or(Reason::Truncated).and_then(|message| one(&message, is_cut, pieces))
            }
            Part::Stray => Err(Reason::MissingField),
        };
        pieces.extend(read.err().map(Piece::Rejected));
    }
    match pieces.as_slice() {
        [] if is_batch => pieces.push(Piece::Filtered("empty_batch")),
        _ => {}
    }
    Ok(())
}

/// What every event of a message shares.
struct Envelope<'m> {
    header: Segment<'m>,
    event: Option<Segment<'m>>,
    visit: Option<Segment<'m>>,
    dropped: Vec<&'static str>,
    flag: Option<&'static str>,
    /// Its block of MLLP is not closed: what came last may be missing.
    is_cut: bool,
}

fn one<'m>(message: &'m Message<'m>, is_cut: bool, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let mut segments = message.segments();
    let header = segments.next().ok_or(Reason::Truncated)?;
    let mut envelope = Envelope { header, event: None, visit: None, dropped: Vec::new(), flag: message.flag, is_cut };
    let mut groups: Vec<Group<'m>> = Vec::new();
    for segment in segments {
        match segment.name {
            "EVN" => envelope.event = envelope.event.or(Some(segment)),
            "PV1" => envelope.visit(segment),
            "OBR" => groups.push(Group::new(Some(segment))),
            "OBX" => {
                envelope.note("OBX-5", !segment.field(5).is_empty());
                if groups.is_empty() {
                    groups.push(Group::new(None));
                }
                if let Some(group) = groups.last_mut() {
                    group.push(segment);
                }
            }
            name => {
                let personal = PERSONAL.iter().find(|personal| **personal == name);
                if let Some(personal) = personal {
                    envelope.note(personal, segment.says_anything());
                }
            }
        }
    }
    let of_event = envelope.event.map(|event| event.component(1, 1)).unwrap_or_default();
    let trigger = Some(header.component(9, 2)).filter(|trigger| !trigger.is_empty()).unwrap_or(of_event);
    match header.component(9, 1) {
        "" => Err(Reason::MissingField),
        "ADT" => envelope.movement(trigger, pieces),
        "ORU" => envelope.alarms(&groups, trigger == "R40", pieces),
        other => {
            pieces.push(Piece::Filtered(tables::other(other).ok_or(Reason::UnknownCode)?));
            Ok(())
        }
    }
}

impl<'m> Envelope<'m> {
    fn note(&mut self, name: &'static str, is_present: bool) {
        if is_present && !self.dropped.contains(&name) {
            self.dropped.push(name);
        }
    }

    fn visit(&mut self, segment: Segment<'m>) {
        for (field, name) in VISIT {
            self.note(name, !segment.field(field).is_empty());
        }
        self.note("PV1-3", !segment.component(3, 2).is_empty() || !segment.component(3, 3).is_empty());
        self.visit = self.visit.or(Some(segment));
    }

    fn movement(&self, trigger: &str, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        if trigger.is_empty() {
            return Err(Reason::MissingField);
        }
        let remark = match tables::movement(trigger).ok_or(Reason::UnknownCode)? {
            Ok(remark) => remark,
            Err(why) => {
                pieces.push(Piece::Filtered(why));
                return Ok(());
            }
        };
        let mut observation = Observation::new(self.ward(), DeviceScheme::Hl7Location, Kind::OccupancyChanged);
        observation.device_kind = Some("ward");
        observation.flags.push(remark);
        observation.time = self.event.map(|event| of_event(&event)).unwrap_or_default();
        pieces.push(self.finish(observation, 0));
        Ok(())
    }

    fn alarms(&self, groups: &[Group<'m>], is_alert: bool, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        if groups.is_empty() {
            return Err(Reason::MissingField);
        }
        let alarms: Vec<&Group<'m>> = groups.iter().filter(|group| group.is_alarm(is_alert)).collect();
        if alarms.is_empty() {
            pieces.push(Piece::Filtered("observation"));
        }
        for (index, group) in alarms.into_iter().enumerate() {
            if pieces.len() >= MAX_PIECES {
                return Err(Reason::TooLarge);
            }
            let mut observation = group.read();
            observation.device_id = self.ward();
            if observation.device_id.is_empty()
                && let Some((id, scheme)) = group.equipment().or_else(|| self.gateway())
            {
                (observation.device_id, observation.scheme, observation.channel) = (id, scheme, None);
            }
            pieces.push(self.finish(observation, index));
        }
        Ok(())
    }

    /// Point of care and facility; empty for none.
    fn ward(&self) -> String {
        let Some(visit) = self.visit else { return String::new() };
        let [ward, facility] = [1, 4].map(|part| ident::label(&visit.unescape(visit.component(3, part))));
        match (ward, facility) {
            (Some(ward), Some(facility)) => format!("{ward}/{facility}"),
            (Some(ward), None) => ward,
            (None, _) => String::new(),
        }
    }

    /// The sender, where it names itself by an EUI-64.
    fn gateway(&self) -> Option<(String, DeviceScheme)> {
        let names = [self.header.component(3, 1), self.header.component(3, 2)];
        let eui =
            names.into_iter().find(|name| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some((eui.to_owned(), DeviceScheme::Serial))
    }

    fn finish(&self, mut observation: Observation, index: usize) -> Piece {
        let sent = time::digits(self.header.component(7, 1));
        if observation.time == DeviceTime::Missing && sent != DeviceTime::Missing {
            observation.time = sent;
            observation.flags.push("message_time");
        }
        observation.flags.extend(time::order(observation.time, sent));
        observation.native_id = self.identity(index);
        observation.native_seq = self.header.component(13, 1).parse().ok();
        observation.is_test = matches!(self.header.component(11, 1), "T" | "D");
        observation.is_replay = matches!(self.header.component(11, 2), "A" | "R" | "I");
        for name in &self.dropped {
            observation.drop_field(*name);
        }
        observation.flags.extend(self.flag);
        observation.flags.extend(self.is_cut.then_some("block_open"));
        Piece::Event(Box::new(observation))
    }

    /// A message that is sent again keeps its control id and its time. Some senders count from 1 each day.
    fn identity(&self, index: usize) -> Option<String> {
        let control = ident::token(self.header.field(10))?;
        let sent = Some(self.header.component(7, 1)).filter(|sent| time::digits(sent) != DeviceTime::Missing);
        let sent = sent.unwrap_or_default();
        let [facility, application] =
            [4, 3].map(|field| ident::token(self.header.component(field, 1)).unwrap_or_default());
        Some(format!("{facility}/{application}/{control}/{sent}/{index}"))
    }
}

/// EVN-6 (occurred), else EVN-2 (recorded).
fn of_event(event: &Segment<'_>) -> DeviceTime {
    let times = [6, 2].map(|field| time::digits(event.component(field, 1)));
    times.into_iter().find(|time| *time != DeviceTime::Missing).unwrap_or_default()
}

/// The tables of the format's page.
pub(super) fn pages() -> Vec<super::doc::Table> {
    vec![tables::page(), super::doc::left_behind(PERSONAL)]
}
