//! The border: an observation becomes a canonical event, and nothing about a person passes.
//!
//! Fields pass by allow-list: an [`Event`] has no place for a name, a plate or a card number, and the one identifier that an
//! [`Observation`] may carry leaves here as a keyed pseudonym (HMAC-SHA-256), scoped to the place and changing each day.

use std::borrow::Cow;
use std::sync::Arc;

use chorus_model::event::SCHEMA_VERSION;
use chorus_model::{
    Device, DeviceScheme, Event, Geo, Kind, PlaceRef, Severity, SeveritySource, Span, TimePrecision, TimeQuality,
    Timestamp, id,
};
use chorus_runtime::registry::Registry;
use jiff::tz::TimeZone;

use crate::observation::{DeviceTime, Observation, Reason};
use crate::pseudonym;

/// How a feed's sources are read.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The zone of times without one.
    pub zone: TimeZone,
    /// Its name, for the event.
    pub zone_name: Arc<str>,
    /// A device time may be this long before receipt.
    pub past: Span,
    /// And this long after it.
    pub future: Span,
    /// Refuse what fails the format's own check.
    pub strict: bool,
}

/// What is known of the record that an observation was read from.
#[derive(Clone, Copy, Debug)]
pub struct Receipt<'a> {
    /// The format it was read as.
    pub format: &'static str,
    /// The connector, as the record's header names it; what is no identifier is left at the border.
    pub source: Option<&'a str>,
    /// The broker's timestamp.
    pub received_at: Timestamp,
    /// The origin of the event, as text: the identity of what has none of its own.
    pub origin: &'a str,
}

/// Turns observations into events.
#[derive(Clone, Debug)]
pub struct Border {
    policy: Policy,
    pseudonyms: Option<Arc<[u8]>>,
}

/// China with its sea, roughly: what lies outside is a mistake (trap 18).
const LATITUDES: std::ops::RangeInclusive<f64> = 3.0..=54.0;
const LONGITUDES: std::ops::RangeInclusive<f64> = 73.0..=136.0;

/// The longest channel, zone or device id that passes; longer texts are no identifiers.
const LONGEST_ID: usize = 128;

impl Border {
    /// A border with a feed's policy. Without a key for pseudonyms, credentials are dropped.
    #[must_use]
    pub fn new(policy: Policy, pseudonyms: Option<Arc<[u8]>>) -> Self {
        Self { policy, pseudonyms }
    }

    /// Whether sources are read strictly.
    #[must_use]
    pub fn strict(&self) -> bool {
        self.policy.strict
    }

    /// The canonical event.
    ///
    /// # Errors
    /// [`Reason::MissingField`] when neither the record nor the connector names the device.
    pub fn admit(&self, seen: Observation, receipt: &Receipt<'_>, registry: &Registry) -> Result<Event, Reason> {
        let mut flags: Vec<Cow<'static, str>> = seen.flags.iter().map(|flag| Cow::Borrowed(*flag)).collect();
        let mut dropped = seen.dropped;
        let named = connector(receipt.source);
        if named.is_none() && receipt.source.is_some_and(|source| !source.is_empty()) {
            flags.push("source_unusable".into());
        }
        let (device_id, scheme) = device_identity(seen.device_id, seen.scheme, named)?;
        let channel = seen.channel.and_then(bounded);
        let entry = registry.device(&device_id, channel.as_deref());
        let place = match entry.and_then(|entry| registry.place(&entry.place)) {
            Some(place) => place.to_ref(),
            None => {
                flags.push("place_unresolved".into());
                PlaceRef::default()
            }
        };
        let time = self.time(seen.time, receipt.received_at);
        if let Some(flag) = time.flag {
            flags.push(flag.into());
        }
        let geo = seen.geo.and_then(|geo| checked(geo, &mut flags));
        let device = Device {
            kind: entry.and_then(|entry| entry.kind.clone()).or_else(|| seen.device_kind.map(Arc::from)),
            id: device_id,
            scheme,
            channel: channel.map(Arc::from),
        };
        let zone = seen.zone.and_then(bounded);
        let native_id = seen.native_id.and_then(bounded);
        let event_id =
            event_id(receipt, &device, native_id.as_deref(), seen.kind, seen.phase.as_str(), zone.as_deref());
        // Free text in an identity makes it no worse as one, but it may not travel.
        let native_id = native_id.filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()));
        let (severity, severity_source) = severity(seen.kind, seen.severity);
        let scope = place.id.as_deref().unwrap_or(&device.id);
        let subject_ref = seen.credential.as_ref().and_then(|credential| {
            dropped.push("credential".into());
            pseudonym::of(self.pseudonyms.as_ref()?, scope, receipt.received_at, credential)
        });
        Ok(Event {
            schema_version: SCHEMA_VERSION,
            event_id,
            source_format: receipt.format.into(),
            source_id: named.map(Arc::from),
            native_id,
            native_seq: seen.native_seq,
            device,
            place,
            kind: seen.kind,
            phase: seen.phase,
            object_class: seen.object_class.map(Cow::Borrowed),
            count: seen.count,
            outcome: seen.outcome,
            zone,
            severity,
            severity_source,
            event_time: time.at,
            time_precision: time.precision,
            time_quality: time.quality,
            assumed_zone: time.assumed.then(|| Arc::clone(&self.policy.zone_name)),
            received_at: receipt.received_at,
            produced_at: None,
            is_replay: seen.is_replay,
            is_test: seen.is_test,
            integrity: seen.integrity,
            geo,
            subject_ref,
            pii_dropped: dropped,
            raw_ref: None,
            flags,
        })
    }

    fn time(&self, time: DeviceTime, received_at: Timestamp) -> EventTime {
        let (at, precision, quality, assumed) = match time {
            DeviceTime::Missing => return EventTime::missing(),
            DeviceTime::Zoned(at, precision) => (at, precision, TimeQuality::Zoned, false),
            DeviceTime::Contradictory(at, precision) => (at, precision, TimeQuality::Contradictory, false),
            DeviceTime::Local(local, precision) => match self.policy.zone.to_timestamp(local) {
                Ok(at) => (at.into(), precision, TimeQuality::AssumedZone, true),
                Err(_) => return EventTime { flag: Some("time_out_of_range"), ..EventTime::missing() },
            },
        };
        let plausible = at >= received_at.minus(self.policy.past) && at <= received_at.plus(self.policy.future);
        let quality = if plausible { quality } else { TimeQuality::Implausible };
        EventTime { at: Some(at), precision: Some(precision), quality, assumed, flag: None }
    }
}

struct EventTime {
    at: Option<Timestamp>,
    precision: Option<TimePrecision>,
    quality: TimeQuality,
    assumed: bool,
    flag: Option<&'static str>,
}

impl EventTime {
    const fn missing() -> Self {
        Self { at: None, precision: None, quality: TimeQuality::Missing, assumed: false, flag: None }
    }
}

fn device_identity(id: String, scheme: DeviceScheme, source: Option<&str>) -> Result<(Arc<str>, DeviceScheme), Reason> {
    match bounded(id) {
        Some(id) => Ok((id.into(), scheme)),
        None => match source {
            Some(source) => Ok((source.into(), DeviceScheme::Own)),
            None => Err(Reason::MissingField),
        },
    }
}

fn bounded(text: String) -> Option<String> {
    is_identifier(&text).then_some(text)
}

/// The connector's name, unless the header holds what is no identifier.
#[must_use]
pub fn connector(header: Option<&str>) -> Option<&str> {
    header.filter(|source| is_identifier(source))
}

/// One line of at most [`LONGEST_ID`] bytes.
fn is_identifier(text: &str) -> bool {
    let is_plain = || text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    !text.is_empty() && text.len() <= LONGEST_ID && (is_plain() || !text.chars().any(char::is_control))
}

fn checked(geo: Geo, flags: &mut Vec<Cow<'static, str>>) -> Option<Geo> {
    if LATITUDES.contains(&geo.lat) && LONGITUDES.contains(&geo.lon) {
        return Some(geo);
    }
    flags.push("geo_out_of_range".into());
    None
}

/// The type decides; the device's own level counts only for the kinds that leave it open, and for an input, whose meaning is
/// the installer's.
fn severity(kind: Kind, of_device: Option<(Severity, SeveritySource)>) -> (Severity, SeveritySource) {
    let open = matches!(kind, Kind::PatientDeviceAlarm | Kind::ReportEvent | Kind::ExternalWarning);
    match of_device {
        Some(given) if open || kind == Kind::InputChanged => given,
        _ if open => (kind.default_severity(), SeveritySource::Default),
        _ => (kind.default_severity(), SeveritySource::Type),
    }
}

fn event_id(
    receipt: &Receipt<'_>,
    device: &Device,
    native_id: Option<&str>,
    kind: Kind,
    phase: &str,
    zone: Option<&str>,
) -> String {
    match native_id {
        // One native identity may hold several happenings (a keepalive with faulty children), hence kind, phase and zone.
        Some(native) => {
            let channel = device.channel.as_deref().unwrap_or_default();
            let zone = zone.unwrap_or_default();
            id::derive(&["native", receipt.format, &device.id, channel, native, kind.as_str(), phase, zone])
        }
        None => id::derive(&["origin", receipt.origin]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Credential;

    fn border(key: Option<&[u8]>) -> Border {
        let policy = Policy {
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            zone_name: "Asia/Shanghai".into(),
            past: Span::from_secs(86_400),
            future: Span::from_secs(300),
            strict: false,
        };
        Border::new(policy, key.map(Arc::from))
    }

    fn receipt(received_at: &str) -> Receipt<'static> {
        Receipt {
            format: "chorus",
            source: Some("connector-1"),
            received_at: received_at.parse().unwrap(),
            origin: "raw.gate/0/1/0",
        }
    }

    fn seen() -> Observation {
        Observation::new("gate-1", DeviceScheme::Own, Kind::AccessDenied)
    }

    fn admit(seen: Observation, received_at: &str, key: Option<&[u8]>) -> Event {
        border(key).admit(seen, &receipt(received_at), &Registry::default()).unwrap()
    }

    #[test]
    fn trap_01_an_unzoned_time_takes_the_sources_zone_and_says_so() {
        let mut observation = seen();
        let local = jiff::civil::date(2026, 11, 24).at(8, 0, 0, 0);
        observation.time = DeviceTime::Local(local, TimePrecision::Second);
        let event = admit(observation, "2026-11-24T00:00:05Z", None);
        assert_eq!(event.event_time.unwrap().to_string(), "2026-11-24T00:00:00Z");
        assert_eq!(event.time_quality, TimeQuality::AssumedZone);
        assert_eq!(event.assumed_zone.as_deref(), Some("Asia/Shanghai"));
    }

    #[test]
    fn trap_03_a_panel_that_lives_in_2012_neither_moves_time_nor_loses_its_alarm() {
        let mut observation = seen();
        observation.time = DeviceTime::Zoned("2012-01-13T02:15:14Z".parse().unwrap(), TimePrecision::Second);
        let event = admit(observation, "2026-11-24T00:00:05Z", None);
        assert_eq!(event.time_quality, TimeQuality::Implausible);
        assert!(event.event_time.is_some());
        assert_eq!(event.effective_time(), event.received_at);
    }

    #[test]
    fn trap_15_a_pseudonym_is_keyed_and_holds_for_one_place_and_one_day() {
        let subject = |device: &str, at: &str, key: &[u8]| {
            let mut observation = seen();
            observation.device_id = device.to_owned();
            observation.credential = Credential::new("12345678");
            admit(observation, at, Some(key)).subject_ref.unwrap()
        };
        let (day, next) = ("2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z");
        let first = subject("gate-1", day, b"key");
        assert_eq!(first, subject("gate-1", "2026-11-24T23:00:00Z", b"key"));
        assert_ne!(first, subject("gate-1", next, b"key"));
        assert_ne!(first, subject("gate-2", day, b"key"));
        assert_ne!(first, subject("gate-1", day, b"other"));
    }

    #[test]
    fn without_a_key_a_credential_is_dropped_and_named() {
        let mut observation = seen();
        observation.credential = Credential::new("12345678");
        let event = admit(observation, "2026-11-24T00:00:05Z", None);
        assert_eq!(event.subject_ref, None);
        assert_eq!(event.pii_dropped, ["credential"]);
    }

    #[test]
    fn a_source_that_is_no_identifier_names_nothing_and_costs_only_what_has_no_other_name() {
        let long = "s".repeat(LONGEST_ID + 1);
        for source in [long.as_str(), "two\nlines"] {
            let receipt = Receipt { source: Some(source), ..receipt("2026-11-24T00:00:05Z") };
            let event = border(None).admit(seen(), &receipt, &Registry::default()).unwrap();
            assert_eq!(event.source_id, None);
            assert!(event.flags.contains(&"source_unusable".into()), "{:?}", event.flags);
            let nameless = Observation { device_id: String::new(), ..seen() };
            assert_eq!(border(None).admit(nameless, &receipt, &Registry::default()).unwrap_err(), Reason::MissingField);
        }
        let longest = "s".repeat(LONGEST_ID);
        let receipt = Receipt { source: Some(&longest), ..receipt("2026-11-24T00:00:05Z") };
        let event = border(None).admit(seen(), &receipt, &Registry::default()).unwrap();
        assert_eq!(event.source_id.as_deref(), Some(longest.as_str()));
    }

    #[test]
    fn trap_17_a_device_outside_the_registry_is_processed_and_flagged() {
        let event = admit(seen(), "2026-11-24T00:00:05Z", None);
        assert!(!event.place.resolved);
        assert_eq!(event.flags, ["place_unresolved"]);
        assert_eq!(event.key(), "gate-1");
    }

    #[test]
    fn trap_18_an_impossible_position_is_dropped_and_flagged() {
        let mut observation = seen();
        observation.geo = Some(Geo { lat: 115.8, lon: 28.6, datum: "unknown".into() });
        let event = admit(observation, "2026-11-24T00:00:05Z", None);
        assert_eq!(event.geo, None);
        assert!(event.flags.contains(&"geo_out_of_range".into()));
    }

    #[test]
    fn trap_19_the_type_decides_the_severity_before_the_device_does() {
        let mut observation = seen();
        observation.severity = Some((Severity::Critical, SeveritySource::Device));
        assert_eq!(admit(observation, "2026-11-24T00:00:05Z", None).severity, Severity::Low);
    }

    #[test]
    fn trap_19_a_level_counts_where_the_type_means_nothing() {
        let mut observation = Observation::new("alarm-input-1", DeviceScheme::Own, Kind::InputChanged);
        observation.severity = Some((Severity::High, SeveritySource::Device));
        let event = admit(observation, "2026-11-24T00:00:05Z", None);
        assert_eq!((event.severity, event.severity_source), (Severity::High, SeveritySource::Device));
    }

    #[test]
    fn trap_10_a_native_identity_gives_the_same_id_wherever_the_record_lies() {
        let id = |origin: &'static str, native: Option<&str>| {
            let mut observation = seen();
            observation.native_id = native.map(str::to_owned);
            let receipt = Receipt { origin, ..receipt("2026-11-24T00:00:05Z") };
            border(None).admit(observation, &receipt, &Registry::default()).unwrap().event_id
        };
        assert_eq!(id("raw.gate/0/1/0", Some("9")), id("raw.gate/0/7/0", Some("9")));
        assert_ne!(id("raw.gate/0/1/0", None), id("raw.gate/0/7/0", None));
    }
}
