//! Alarms of devices at patients: IHE PCD-04 as ORU^R40, and as the ORU^R01 of its first years.
//!
//! Each OBR is one alarm; the OBX below it are its facets. The first that is no facet names the alarm, the next what it is
//! about. Values of patients stand among them and are not read.

use chorus_model::{DeviceScheme, Kind, Phase, Severity, SeveritySource};

use super::super::{ident, time};
use super::message::Segment;
use super::tables::{self, Facet};
use crate::observation::{DeviceTime, Observation};

/// `MDC_EVT_ALARM`.
const ALARM: &str = "196616";
/// `MDC_EVT_ACTIVE`, in two prints: a gateway that says that it is there, in the clothes of an alarm (trap 5).
const ACTIVE: [&str; 2] = ["258047", "196614"];

/// An OBR with its OBX. Some senders leave the OBR out.
pub(super) struct Group<'m> {
    order: Option<Segment<'m>>,
    observations: Vec<Segment<'m>>,
}

impl<'m> Group<'m> {
    pub(super) fn new(order: Option<Segment<'m>>) -> Self {
        Self { order, observations: Vec::new() }
    }

    pub(super) fn push(&mut self, observation: Segment<'m>) {
        self.observations.push(observation);
    }

    /// True when this is an alarm and no measurement: it says so, or has an alarm's phase or state; in a message that is an
    /// alert by its type, any event is one.
    pub(super) fn is_alarm(&self, is_alert: bool) -> bool {
        let code = self.order.map(|order| order.component(4, 1)).unwrap_or_default();
        let name = self.order.map(|order| order.component(4, 2)).unwrap_or_default();
        let is_event = |segment: &Segment<'m>| {
            matches!(facet(segment), Some(Facet::Phase | Facet::State))
                || segment.component(3, 1) == ALARM
                || is_alert && segment.component(3, 2).starts_with("MDC_EVT_")
        };
        code == ALARM || name == "MDC_EVT_ALARM" || self.observations.iter().any(is_event)
    }

    /// The alarm, or the heartbeat that looks like one. Ward, identity and what was left behind are the caller's.
    pub(super) fn read(&self) -> Observation {
        let mut facts = Facts::default();
        for segment in &self.observations {
            facts.take(segment);
        }
        let is_heartbeat = (ACTIVE.contains(&facts.code) || facts.name == "MDC_EVT_ACTIVE")
            && facts.priority.is_none_or(|priority| priority == Severity::Info);
        let kind = if is_heartbeat { Kind::DeviceHeartbeat } else { Kind::PatientDeviceAlarm };
        let mut observation = Observation::new("", DeviceScheme::Hl7Location, kind);
        observation.device_kind = facts.device_kind;
        observation.phase = if is_heartbeat { Phase::Pulse } else { facts.phase() };
        observation.time = self.time(observation.phase);
        if let Some((id, _)) = self.equipment() {
            observation.channel = Some(id);
        }
        if is_heartbeat {
            return observation;
        }
        observation.zone = facts.zone();
        observation.severity = facts.priority.map(|severity| (severity, SeveritySource::Device));
        observation.flags.extend(facts.remarks);
        observation
    }

    /// OBR-7; of an end OBR-8, where it is told; else the first time of an observation.
    fn time(&self, phase: Phase) -> DeviceTime {
        let fields: &[usize] = if phase == Phase::End { &[8, 7] } else { &[7, 22] };
        let of_order = fields.iter().filter_map(|field| Some(self.order?.component(*field, 1)));
        let of_facets = self.observations.iter().map(|segment| segment.component(14, 1));
        let mut times = of_order.chain(of_facets).map(time::digits);
        times.find(|time| *time != DeviceTime::Missing).unwrap_or_default()
    }

    /// The device at the bed: the id that it gives to itself, else its instance (OBX-18). Of that the first part is the
    /// device's own; the third may be its maker's, and the same for all.
    pub(super) fn equipment(&self) -> Option<(String, DeviceScheme)> {
        let systems = self.observations.iter().filter(|segment| facet(segment) == Some(Facet::System));
        let own = systems.map(|segment| segment.component(5, 1)).find_map(equipment_id);
        own.or_else(|| {
            self.observations.iter().find_map(|segment| {
                let mut instances = segment.repetitions(18).map(|instance| {
                    [1, 3].into_iter().find_map(|part| equipment_id(segment.component_of(instance, part)))
                });
                instances.find_map(|id| id)
            })
        })
    }
}

fn facet(segment: &Segment<'_>) -> Option<Facet> {
    tables::facet(segment.component(3, 1), segment.component(3, 2))
}

fn equipment_id(text: &str) -> Option<(String, DeviceScheme)> {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    if let Some(uuid) = ident::uuid(text) {
        return Some((uuid, DeviceScheme::Uuid));
    }
    ident::token(text).map(|serial| (serial, DeviceScheme::Serial))
}

/// What the facets of one alarm say.
#[derive(Default)]
struct Facts<'m> {
    code: &'m str,
    name: &'m str,
    /// What the alarm is about, by its code.
    about: &'m str,
    phase: &'m str,
    state: &'m str,
    priority: Option<Severity>,
    device_kind: Option<&'static str>,
    remarks: Vec<&'static str>,
}

impl<'m> Facts<'m> {
    /// Said twice is said once.
    fn remark(&mut self, word: Option<&'static str>) {
        self.remarks.extend(word.filter(|word| !self.remarks.contains(word)));
    }

    fn take(&mut self, segment: &Segment<'m>) {
        let (code, name) = (segment.component(3, 1), segment.component(3, 2));
        self.device_kind = self.device_kind.or_else(|| tables::device_kind(name));
        let value = segment.component(5, 1);
        match facet(segment) {
            Some(Facet::Phase) => self.phase = value,
            Some(Facet::State) => self.state = value,
            Some(Facet::Priority) => self.priority = tables::priority(value).or(self.priority),
            Some(Facet::Type) => self.remark(tables::alarm_type(value)),
            Some(Facet::Inactivation) => self.remark(tables::inactivation(value)),
            Some(Facet::Source) => self.about = value,
            Some(Facet::Text | Facet::System) => {}
            // A device that only stands around the alarm.
            None if name.starts_with("MDC_DEV_") => {}
            None if self.code.is_empty() && self.name.is_empty() => {
                // What is only called an alarm says in its value which.
                let in_value = code == ALARM || name == "MDC_EVT_ALARM";
                let of_value = (value, segment.component(5, 2));
                (self.code, self.name) = if in_value && of_value != ("", "") { of_value } else { (code, name) };
                // Priority and type may stand in the first facet's flags: `H~PM~SP`.
                for word in segment.repetitions(8) {
                    self.priority = self.priority.or(if word.len() == 2 { tables::priority(word) } else { None });
                    self.remark(tables::alarm_type(word));
                }
            }
            None if self.about.is_empty() => self.about = code,
            None => {}
        }
    }

    /// The phase; where it is not told, the state.
    fn phase(&mut self) -> Phase {
        let state = self.state.to_ascii_lowercase().replace("off", "inactive");
        match self.phase.to_ascii_lowercase().as_str() {
            "start" if state == "inactive" => {
                self.remarks.push("phase_contradictory");
                Phase::Start
            }
            "start" => Phase::Start,
            "end" | "reset" => Phase::End,
            "continue" | "update" | "present" | "escalate" | "de-escalate" if state == "inactive" => Phase::End,
            "continue" | "update" | "present" | "escalate" | "de-escalate" => Phase::Continue,
            "" if state == "active" => Phase::Start,
            // What is latched is over, and waits for somebody to see it.
            "" if state == "inactive" || state == "latched" => Phase::End,
            _ => Phase::Pulse,
        }
    }

    /// Alarm and what it is about: two limits at one bed are two alarms.
    fn zone(&self) -> Option<String> {
        let alarm = if matches!(self.code, "" | "0") { self.name } else { self.code };
        let alarm = ident::token(alarm)?;
        match ident::token(self.about).filter(|about| about != "0") {
            Some(about) => ident::token(&format!("{alarm}/{about}")),
            None => Some(alarm),
        }
    }
}
