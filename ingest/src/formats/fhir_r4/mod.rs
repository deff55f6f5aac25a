//! FHIR R4 in JSON: what a hospital's subscriptions push of beds and devices. One resource, a bundle of them, or one a line.
//!
//! | resource | becomes |
//! |---|---|
//! | Encounter of a ward: arrived, triaged, in progress, on leave, finished | `occupancy.changed` of its location, with a remark |
//! | Encounter that is ambulatory, at home, virtual or in the field; planned, cancelled | filtered |
//! | Location with a bed status (v2-0116) | `occupancy.changed` with a remark; without one filtered |
//! | Device, DeviceMetric: online, offline, disconnected, on, off | `device.online`, `device.offline`, `device.fault`, which the reason online ends as well (trap 7); without a state filtered |
//! | Communication, CommunicationRequest: an alert that a device sent | `patient_device.alarm`, severity from its priority; others filtered |
//! | Flag on a place or a device | `report.event`, active start, inactive end; on a patient filtered: it has no ward |
//! | Parameters or SubscriptionStatus of a subscription | `device.heartbeat` when it is a heartbeat (trap 5), else filtered |
//! | every other resource of R4 | filtered |
//! | a type that is not of R4 | refused as unknown |
//!
//! The device is the id of the location or device that is referred to; what is `contained` has none that outlives its resource. A
//! display is a text and never taken for a name. Times have a zone or are days, and a day stays a day; `meta.lastUpdated`
//! comes last (flag `updated_time`). The identity is type, id and version. `text` is a rendered copy of everything, so it goes
//! first (trap 13); subjects, participants, payloads, names, notes and reasons stay behind as well.

mod types;

use chorus_model::{DeviceScheme, Kind, Phase, Severity, SeveritySource};

use super::json::{self, Object};
use super::{ident, text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "fhir-r4";

/// The most resources of one record.
const MAX_RESOURCES: usize = 1_000;
/// Bundles in bundles.
const MAX_DEPTH: usize = 3;

/// Members that tell of people, in any resource.
const PERSONAL: &[&str] = &[
    "text",
    "contained",
    "subject",
    "patient",
    "participant",
    "recipient",
    "requester",
    "author",
    "asserter",
    "performer",
    "payload",
    "note",
    "name",
    "alias",
    "description",
    "address",
    "telecom",
    "contact",
    "position",
    "owner",
    "reasonCode",
    "reasonReference",
    "diagnosis",
    "hospitalization",
    "identifier",
    "code",
    "topic",
    "about",
    "managingOrganization",
];

/// True for JSON that names the type of a resource.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 8_192;
    const MEMBER: &[u8] = b"\"resourceType\"";
    if text::first_byte(bytes) != Some(b'{') {
        return false;
    }
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    memchr::memmem::find(head, MEMBER).and_then(|at| head.get(at + MEMBER.len()..)).is_some_and(|rest| {
        let value = rest.trim_ascii_start().strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        matches!(value, [b'"', first, ..] if first.is_ascii_uppercase())
    })
}

/// Reads every resource of a record.
///
/// # Errors
/// None: what is no resource is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    json::each(&payload.text, MAX_RESOURCES, pieces, |object, pieces| resource(object, payload.flag, 0, None, pieces));
    Ok(())
}

fn resource(
    object: &Object<'_>,
    flag: Option<&'static str>,
    depth: usize,
    bundled_at: Option<DeviceTime>,
    pieces: &mut Vec<Piece>,
) -> Result<(), Reason> {
    let kind = object.text("resourceType").ok_or(Reason::NotThisFormat)?;
    if kind == "Bundle" {
        bundle(object, flag, depth, pieces);
        return Ok(());
    }
    let reader = Resource { object, kind: &kind, flag, bundled_at };
    pieces.extend(reader.mended());
    pieces.push(reader.read().unwrap_or_else(Piece::Rejected));
    Ok(())
}

fn bundle(bundle: &Object<'_>, flag: Option<&'static str>, depth: usize, pieces: &mut Vec<Piece>) {
    let at = bundle.text("timestamp").map(|at| time::iso(&at));
    let entries = bundle.list("entry");
    if entries.is_empty() {
        pieces.push(Piece::Filtered("empty_bundle"));
    }
    for entry in entries {
        if depth >= MAX_DEPTH || pieces.len() >= MAX_RESOURCES {
            pieces.push(Piece::Rejected(Reason::TooLarge));
            return;
        }
        let read = Object::read(entry.get()).and_then(|entry| match entry.get("resource") {
            Some(inner) => resource(&Object::read(inner.get())?, flag, depth + 1, at, pieces),
            // An entry that says what was deleted has none.
            None => {
                pieces.push(Piece::Filtered("no_resource"));
                Ok(())
            }
        });
        pieces.extend(read.err().map(Piece::Rejected));
    }
}

/// One resource.
struct Resource<'r> {
    object: &'r Object<'r>,
    kind: &'r str,
    flag: Option<&'static str>,
    /// When the bundle around it was put together.
    bundled_at: Option<DeviceTime>,
}

impl Resource<'_> {
    fn read(&self) -> Result<Piece, Reason> {
        match self.kind {
            "Encounter" => self.encounter(),
            "Location" => self.location(),
            "Device" => self.state(types::device(&self.status(), &self.reason()), self.id(), None),
            "DeviceMetric" => {
                let status = self.object.text("operationalStatus").unwrap_or_default();
                let device = reference(self.object, "source").or_else(|| reference(self.object, "parent"));
                self.state(types::metric(&status), device.map(|(_, id)| id), self.id())
            }
            "Communication" | "CommunicationRequest" => self.communication(),
            "Flag" => self.flagged(),
            "Parameters" | "SubscriptionStatus" => self.subscription(),
            other => types::other(other).map(Piece::Filtered).ok_or(Reason::UnknownCode),
        }
    }

    fn status(&self) -> String {
        self.object.text("status").unwrap_or_default().into_owned()
    }

    fn id(&self) -> Option<String> {
        self.object.text("id").and_then(|id| ident::token(&id))
    }

    /// A patient is, or is no more, in a bed of a ward.
    fn encounter(&self) -> Result<Piece, Reason> {
        let status = self.status();
        let class = self.object.object("class").and_then(|class| class.text("code")).unwrap_or_default();
        let remark = match types::encounter(&status) {
            Some(Ok(_)) if types::is_outpatient(&class) => return Ok(Piece::Filtered("outpatient")),
            Some(Ok(remark)) => remark,
            Some(Err(why)) => return Ok(Piece::Filtered(why)),
            None if status.is_empty() => return Err(Reason::MissingField),
            None => return Err(Reason::BadValue),
        };
        let locations: Vec<Object<'_>> = self.object.objects("location").collect();
        // Where the patient is now; else where he was last.
        let active = locations.iter().find(|location| location.text("status").as_deref() == Some("active"));
        let location = active.or(locations.last());
        let ward = location.and_then(|location| reference(location, "location")).map(|(_, id)| id);
        let mut observation = self.observe(ward, DeviceScheme::Hl7Location, Kind::OccupancyChanged);
        observation.device_kind = Some("ward");
        observation.flags.push(remark);
        let bound = if status == "finished" { "end" } else { "start" };
        let of_stay = location.filter(|_| bound == "start").and_then(|location| period(location, bound));
        Ok(self.finish(observation, of_stay.or_else(|| period(self.object, bound))))
    }

    /// A bed is, or is no more, in use.
    fn location(&self) -> Result<Piece, Reason> {
        let Some(status) = self.object.object("operationalStatus") else {
            return Ok(Piece::Filtered("location_record"));
        };
        let code = status.text("code").ok_or(Reason::MissingField)?;
        let remark = types::bed(&code).ok_or(Reason::UnknownCode)?;
        let mut observation = self.observe(self.id(), DeviceScheme::Hl7Location, Kind::OccupancyChanged);
        observation.device_kind = Some("ward");
        observation.flags.push(remark);
        Ok(self.finish(observation, None))
    }

    /// Why a device is in its state.
    fn reason(&self) -> String {
        self.object.objects("statusReason").find_map(|reason| coding(&reason)).unwrap_or_default()
    }

    /// A device that says that it is online is ready and connected: its fault is over.
    fn mended(&self) -> Option<Piece> {
        let is_online = self.kind == "Device" && self.reason() == "online" && self.status() != "entered-in-error";
        is_online.then(|| {
            let mut over = self.observe(self.id(), DeviceScheme::Own, Kind::DeviceFault);
            over.phase = Phase::End;
            self.finish(over, None)
        })
    }

    /// A device, or a channel of one, tells of itself.
    fn state(
        &self,
        state: Option<types::State>,
        device: Option<String>,
        channel: Option<String>,
    ) -> Result<Piece, Reason> {
        let (kind, phase, remark) = match state.ok_or(Reason::BadValue)? {
            Ok(state) => state,
            Err(why) => return Ok(Piece::Filtered(why)),
        };
        let mut observation = self.observe(device, DeviceScheme::Own, kind);
        observation.phase = phase;
        observation.channel = channel;
        observation.flags.extend(remark);
        Ok(self.finish(observation, None))
    }

    /// Only what a device itself sends as an alert; what people write to each other is theirs.
    fn communication(&self) -> Result<Piece, Reason> {
        let status = self.status();
        let phase = match status.as_str() {
            "" => return Err(Reason::MissingField),
            "entered-in-error" => return Ok(Piece::Filtered("entered_in_error")),
            "revoked" | "stopped" => Phase::End,
            _ => Phase::Pulse,
        };
        let categories = self.object.objects("category");
        let is_alert =
            categories.filter_map(|category| coding(&category)).any(|code| code.eq_ignore_ascii_case("alert"));
        let sender = reference(self.object, "sender").filter(|(kind, _)| kind == "Device" || kind == "DeviceMetric");
        let Some((_, device)) = sender.filter(|_| is_alert) else { return Ok(Piece::Filtered("communication")) };
        let mut observation = self.observe(Some(device), DeviceScheme::Own, Kind::PatientDeviceAlarm);
        observation.phase = phase;
        let priority = self.object.text("priority").and_then(|word| types::priority(&word));
        observation.severity = priority.map(|severity: Severity| (severity, SeveritySource::Device));
        let sent = self.object.text_of(&["sent", "authoredOn", "received"]).map(|at| time::iso(&at));
        Ok(self.finish(observation, sent))
    }

    fn flagged(&self) -> Result<Piece, Reason> {
        let phase = match self.status().as_str() {
            "active" => Phase::Start,
            "inactive" => Phase::End,
            "entered-in-error" => return Ok(Piece::Filtered("entered_in_error")),
            "" => return Err(Reason::MissingField),
            _ => return Err(Reason::BadValue),
        };
        let subject = reference(self.object, "subject");
        let Some((kind, id)) = subject.filter(|(kind, _)| matches!(kind.as_str(), "Location" | "Device")) else {
            return Ok(Piece::Filtered("patient_record"));
        };
        let scheme = if kind == "Location" { DeviceScheme::Hl7Location } else { DeviceScheme::Own };
        let mut observation = self.observe(Some(id), scheme, Kind::ReportEvent);
        observation.phase = phase;
        // A place may have several flags at once.
        observation.zone = self.id();
        let bound = if phase == Phase::End { "end" } else { "start" };
        Ok(self.finish(observation, period(self.object, bound)))
    }

    /// The status that comes with a notification: in R4 as parameters.
    fn subscription(&self) -> Result<Piece, Reason> {
        let mut kind = self.object.text("type").map(std::borrow::Cow::into_owned);
        let mut subscription = reference(self.object, "subscription");
        for parameter in self.object.objects("parameter") {
            match parameter.text("name").as_deref() {
                Some("type") => {
                    kind = parameter.text_of(&["valueCode", "valueString"]).map(std::borrow::Cow::into_owned)
                }
                Some("subscription") => subscription = reference(&parameter, "valueReference"),
                _ => {}
            }
        }
        match kind.as_deref() {
            Some("heartbeat") => {}
            Some("handshake") => return Ok(Piece::Filtered("handshake")),
            _ => return Ok(Piece::Filtered("subscription_status")),
        }
        let id = subscription.map(|(_, id)| id);
        let observation = self.observe(id, DeviceScheme::Own, Kind::DeviceHeartbeat);
        Ok(self.finish(observation, self.bundled_at))
    }

    fn observe(&self, device: Option<String>, scheme: DeviceScheme, kind: Kind) -> Observation {
        let device = device.unwrap_or_default();
        let scheme = if ident::uuid(&device).is_some() { DeviceScheme::Uuid } else { scheme };
        Observation::new(device, scheme, kind)
    }

    fn finish(&self, mut observation: Observation, at: Option<DeviceTime>) -> Piece {
        let meta = self.object.object("meta");
        let updated = meta.as_ref().and_then(|meta| meta.text("lastUpdated")).map(|at| time::iso(&at));
        observation.time = at.unwrap_or_default();
        if observation.time == DeviceTime::Missing
            && let Some(updated) = updated.filter(|updated| *updated != DeviceTime::Missing)
        {
            observation.time = updated;
            observation.flags.push("updated_time");
        }
        observation.native_id = self.identity(meta.as_ref(), observation.time);
        let is_test = |tag: Object<'_>| tag.text("code").as_deref() == Some("HTEST");
        observation.is_test = meta.is_some_and(|meta| meta.objects("tag").any(is_test));
        for name in self.object.present(PERSONAL) {
            observation.drop_field(name);
        }
        observation.flags.extend(self.flag);
        Piece::Event(Box::new(observation))
    }

    /// A version is told once. Without it, what is told is as old as its time; without that too, nothing tells a repeat.
    fn identity(&self, meta: Option<&Object<'_>>, at: DeviceTime) -> Option<String> {
        let id = self.id()?;
        let version = meta.and_then(|meta| meta.text("versionId")).and_then(|version| ident::token(&version));
        let version = version.or_else(|| time::stamp(at))?;
        Some(format!("{}/{id}/{}/{version}", self.kind, ident::token(&self.status()).unwrap_or_default()))
    }
}

/// Type and id that a member refers to: `Location/1`, also behind an address or before a version. What is contained has no id
/// that outlives its resource.
fn reference(object: &Object<'_>, member: &str) -> Option<(String, String)> {
    let reference = object.object(member)?.text("reference")?;
    if let Some(uuid) = reference.strip_prefix("urn:uuid:").and_then(ident::uuid) {
        let kind = object.object(member)?.text("type").unwrap_or_default().into_owned();
        return Some((kind, uuid));
    }
    let path = reference.split("/_history/").next()?;
    let (rest, id) = path.rsplit_once('/')?;
    let kind = rest.rsplit('/').next()?;
    Some((kind.to_owned(), ident::token(id)?))
}

/// The start or the end of a period.
fn period(object: &Object<'_>, bound: &str) -> Option<DeviceTime> {
    let at = object.object("period")?.text(bound)?;
    Some(time::iso(&at)).filter(|at| *at != DeviceTime::Missing)
}

/// The first code of a concept.
fn coding(concept: &Object<'_>) -> Option<String> {
    concept.objects("coding").find_map(|coding| coding.text("code").map(std::borrow::Cow::into_owned))
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![super::doc::left_behind(PERSONAL.iter().copied())]
}
