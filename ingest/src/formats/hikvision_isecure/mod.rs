//! Hikvision iSecure Center (Artemis): `OnEventNotify`, the JSON that the platform posts, up to 50 events at once.
//!
//! | what | becomes |
//! |---|---|
//! | `eventType` | the kind, by the table in `types.rs`; a number or a text |
//! | an event of a linkage rule (`eventDetails`) | one event per detail: the outer type is 0 and the outer source is the rule |
//! | `status` 0, 1, 2 | pulse, start, end |
//! | `status` 3, 4, 5 (pulse again, linkage result, late picture) | continue: the same `eventId` tells more of itself (trap 8) |
//! | `eventLvl` 1, 2, 3 | low, medium, high, where the kind leaves the severity open (trap 19) |
//! | `happenTime` | the time; without an offset it is local (trap 1); later than `sendTime` by more than five minutes it contradicts it |
//! | `srcIndex`, else the parent's (also as `srcParentIdex`) | the device, by the platform's own index |
//! | `eventId`, for a repeat with its time or status | the native identity |
//! | `isHistory` | a replay (trap 9) |
//! | faces, watch lists, postures, positions | filtered |
//!
//! Left behind: names of sources and places, persons, cards, identity papers, plates, pictures and their URLs (which hold
//! tokens), linkage texts. A card, else a person's number, is the credential of an attempt at a door.

mod types;

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Kind, Outcome, Phase, Severity, SeveritySource};

use self::types::Meaning;
use super::json::{self, Object};
use super::{http, ident, text, time};
use crate::observation::{Credential, DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "hikvision-isecure";

/// The most events of one record; the platform sends up to 50.
const MAX_EVENTS: usize = 500;

/// The platform cannot send what has not happened yet; a clock may be this much ahead.
const AHEAD_MINUTES: i64 = 5;

/// Fields that hold, or may hold, something about a person, sorted.
const PERSONAL: &[&str] = &[
    "ExtEventCardNo",
    "ExtEventIDCardPictureURL",
    "ExtEventIdentityCardInfo",
    "ExtEventPersonNo",
    "ExtEventPictureURL",
    "address",
    "bkgUrl",
    "cardNo",
    "certNo",
    "eventName",
    "eventPicUri",
    "faceInfo",
    "faceMatch",
    "faceRecognitionResult",
    "faceUrl",
    "imageUrl",
    "linkageAcion",
    "linkageAction",
    "linkageResult",
    "locationName",
    "name",
    "personCode",
    "personId",
    "personName",
    "phoneNo",
    "picUri",
    "picUrl",
    "pictureUrl",
    "plateNo",
    "refrencePicUrl",
    "regionName",
    "remark",
    "ruleDescription",
    "snappedPicUrl",
    "srcName",
    "vehiclePicUri",
];

/// True for JSON of an event notification.
pub fn sniff(bytes: &[u8]) -> bool {
    let body = http::body(bytes);
    let all = body.len();
    matches!(text::first_byte(body), Some(b'{' | b'['))
        && (text::contains(body, b"\"OnEventNotify\"", all)
            || (text::contains(body, b"\"srcIndex\"", all) && text::contains(body, b"\"happenTime\"", all)))
}

/// Reads the notifications of a body.
///
/// # Errors
/// None: what is no notification is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(http::body(raw.bytes));
    json::each(&payload.text, MAX_EVENTS, pieces, |root, pieces| notification(root, payload.flag, pieces));
    Ok(())
}

/// What a notification says of all its events.
struct Around<'a> {
    ability: Cow<'a, str>,
    sent: DeviceTime,
    is_replay: bool,
    /// How the text was decoded.
    flag: Option<&'static str>,
}

fn notification(root: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    // The parameters may stand without their envelope.
    let inner = root.object("params");
    let params = inner.as_ref().unwrap_or(root);
    let around = Around {
        ability: params.text("ability").unwrap_or_default(),
        sent: params.text("sendTime").map(|sent| time::any(&sent)).unwrap_or_default(),
        is_replay: [root, params].iter().any(|told| told.truth("isHistory") == Some(true)),
        flag,
    };
    if !params.has("events") {
        if !params.has("eventType") || !params.has("srcIndex") {
            return Err(Reason::NotThisFormat);
        }
        // One event of the list, as relays pass it on.
        of_event(params, &around, pieces);
        return Ok(());
    }
    let events = params.list("events");
    if events.is_empty() {
        pieces.push(Piece::Filtered("empty_list"));
    }
    for event in events {
        if pieces.len() >= MAX_EVENTS {
            return Err(Reason::TooLarge);
        }
        match Object::read(event.get()) {
            Ok(outer) => of_event(&outer, &around, pieces),
            Err(reason) => pieces.push(Piece::Rejected(reason)),
        }
    }
    Ok(())
}

/// One event of the list; one of a rule is as many as it has details.
fn of_event(outer: &Object<'_>, around: &Around<'_>, pieces: &mut Vec<Piece>) {
    // What must not pass is looked for once, however many details there are.
    let mut personal = Observation::new("", DeviceScheme::Own, Kind::DeviceHeartbeat);
    outer.note_personal(PERSONAL, &mut personal);
    let finish = |read: Result<Piece, Reason>| {
        let mut piece = read.unwrap_or_else(Piece::Rejected);
        if let Piece::Event(observation) = &mut piece {
            observation.dropped.clone_from(&personal.dropped);
            observation.is_replay = around.is_replay;
            observation.flags.extend(around.flag);
        }
        piece
    };
    let (ability, sent) = (around.ability.as_ref(), around.sent);
    let details = outer.list("eventDetails");
    if details.is_empty() {
        let told = Told { outer, inner: outer, ability, sent, nth: 0 };
        return pieces.push(finish(told.read()));
    }
    for (nth, detail) in details.into_iter().enumerate() {
        if pieces.len() >= MAX_EVENTS {
            return pieces.push(Piece::Rejected(Reason::TooLarge));
        }
        let read = Object::read(detail.get()).and_then(|inner| {
            let own = inner.text("ability");
            Told { outer, inner: &inner, ability: own.as_deref().unwrap_or(ability), sent, nth }.read()
        });
        pieces.push(finish(read));
    }
}

/// What is told of one happening: what happened, and the notification around it (the same where there is no rule).
struct Told<'t, 'a> {
    outer: &'t Object<'a>,
    inner: &'t Object<'a>,
    ability: &'t str,
    sent: DeviceTime,
    nth: usize,
}

impl Told<'_, '_> {
    fn read(&self) -> Result<Piece, Reason> {
        let code = self.inner.integer("eventType").or_else(|| self.outer.integer("eventType"));
        let code = code.ok_or(Reason::MissingField)?;
        let meaning = match types::by_code(code) {
            None if types::is_about_faces(self.ability) => Meaning::Filtered("face_record"),
            known => known.ok_or(Reason::UnknownCode)?,
        };
        let (kind, of_code, remark) = match meaning {
            Meaning::Filtered(word) => return Ok(Piece::Filtered(word)),
            Meaning::Event { kind, phase, flag } => (kind, phase, flag),
        };
        let status = self.inner.integer("status").or_else(|| self.outer.integer("status"));
        let device = self.device();
        let mut observation = Observation::new(device.unwrap_or_default(), DeviceScheme::Own, kind);
        observation.phase = of_code.unwrap_or_else(|| phase(status));
        observation.device_kind = device_kind(self.inner.text("srcType").as_deref());
        observation.time = self.time();
        observation.severity = self.severity();
        observation.outcome = match kind {
            Kind::AccessGranted => Some(Outcome::Granted),
            Kind::AccessDenied => Some(Outcome::Denied),
            _ => None,
        };
        observation.flags.extend(remark);
        self.particulars(&mut observation);
        observation.native_id = self.native_id(status, observation.time);
        Ok(Piece::Event(Box::new(observation)))
    }

    /// Who speaks. A rule is no device, so what stands around a detail counts only when it is none.
    fn device(&self) -> Option<String> {
        let index = |told: &Object<'_>| {
            let names = ["srcIndex", "srcParentIndex", "srcParentIdex"];
            names.iter().find_map(|name| told.text(name).and_then(|index| ident::token(&index)))
        };
        let by_rule = self.outer.text("srcType").as_deref() == Some("eventRule");
        index(self.inner).or_else(|| index(self.outer).filter(|_| !by_rule))
    }

    fn time(&self) -> DeviceTime {
        let mut stated = [self.inner, self.outer].into_iter().filter_map(|told| told.text("happenTime"));
        let happened = stated.find_map(|text| match time::any(&text) {
            DeviceTime::Missing => None,
            read => Some(read),
        });
        match (happened.unwrap_or_default(), self.sent) {
            (DeviceTime::Zoned(at, precision), DeviceTime::Zoned(sent, _)) if is_ahead(at, sent) => {
                DeviceTime::Contradictory(at, precision)
            }
            (read, _) => read,
        }
    }

    fn severity(&self) -> Option<(Severity, SeveritySource)> {
        let level = match self.inner.integer("eventLvl").or_else(|| self.outer.integer("eventLvl"))? {
            1 => Severity::Low,
            2 => Severity::Medium,
            3 => Severity::High,
            _ => return None,
        };
        Some((level, SeveritySource::Device))
    }

    /// What `data` adds, by kind.
    fn particulars(&self, observation: &mut Observation) {
        let Some(data) = self.inner.object("data").or_else(|| self.outer.object("data")) else { return };
        match observation.kind {
            Kind::AccessGranted | Kind::AccessDenied | Kind::AccessDuress => {
                observation.native_seq = data.integer("Seq").and_then(|seq| u64::try_from(seq).ok());
                observation.credential = credential(&data);
                // 0 is the exit, and what is sent when nobody knows.
                observation.flags.extend((data.integer("ExtEventInOut") == Some(1)).then_some("entry"));
            }
            Kind::CountFlow => observation.count = passages(&data),
            Kind::VehiclePassed | Kind::GateState => {
                observation.object_class = (observation.kind == Kind::VehiclePassed).then_some("vehicle");
                let lane = data.text_of(&["roadwayIndex", "laneNo", "laneId"]);
                observation.zone = lane.and_then(|lane| ident::token(&lane));
            }
            _ => of_scene(&data, observation),
        }
    }

    /// The id is the same for the start, the end and all between; a repeat in between is told apart by its time or status.
    fn native_id(&self, status: Option<i64>, at: DeviceTime) -> Option<String> {
        let id = self.outer.text("eventId").and_then(|id| ident::token(&id))?;
        let nth = if self.nth == 0 { String::new() } else { format!("/{}", self.nth) };
        Some(match (status, time::stamp(at)) {
            (Some(3), Some(at)) => format!("{id}{nth}/{at}"),
            (Some(status @ (4 | 5)), _) => format!("{id}{nth}/{status}"),
            _ => format!("{id}{nth}"),
        })
    }
}

const fn phase(status: Option<i64>) -> Phase {
    match status {
        Some(1) => Phase::Start,
        Some(2) => Phase::End,
        Some(3..=5) => Phase::Continue,
        _ => Phase::Pulse,
    }
}

fn device_kind(source: Option<&str>) -> Option<&'static str> {
    match source? {
        "camera" => Some("camera"),
        "door" | "acsDevice" | "reader" => Some("door"),
        "roadway" | "entrance" | "parkspace" => Some("gate"),
        "defence" | "iasDevice" | "subSys" => Some("panel"),
        _ => None,
    }
}

fn is_ahead(at: chorus_model::Timestamp, sent: chorus_model::Timestamp) -> bool {
    at.as_micros().saturating_sub(sent.as_micros()) > AHEAD_MINUTES * 60_000_000
}

/// What a camera's analysis adds: the target and the region, in a list named after the analysis.
fn of_scene(data: &Object<'_>, observation: &mut Observation) {
    const ANALYSES: [&str; 7] =
        ["fielddetection", "linedetection", "regionEntrance", "regionExiting", "loitering", "rapidMove", "parking"];
    let Some(scene) = ANALYSES.iter().find_map(|name| data.object(name)) else { return };
    observation.object_class = match scene.text("detectionTarget").as_deref() {
        Some("human") => Some("person"),
        Some("vehicle") => Some("vehicle"),
        _ => None,
    };
    observation.zone = scene.ordinal("regionID").or_else(|| scene.ordinal("lineID"));
}

/// The card, else the number of the person.
fn credential(data: &Object<'_>) -> Option<Credential> {
    ["ExtEventCardNo", "cardNo", "ExtEventPersonNo", "personId"]
        .iter()
        .find_map(|name| data.text(name).and_then(|number| Credential::new(&number)))
}

/// Those who came and those who went.
fn passages(data: &Object<'_>) -> Option<i64> {
    let counted = data.object("peopleCounting")?;
    let sides = [counted.integer("enter"), counted.integer("leave")];
    if sides == [None, None] {
        return None;
    }
    Some(sides.into_iter().flatten().filter(|side| (0..=i64::from(u32::MAX)).contains(side)).sum())
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![types::table(), super::doc::left_behind(PERSONAL.iter().copied())]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_personal_fields_are_sorted() {
        assert!(super::PERSONAL.is_sorted());
    }
}
