//! The canonical event (feeds guide, section 6). Absent is absent: never `null`, never an empty text.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Kind, Phase, PlaceRef, Severity, Timestamp};

/// The version of the event's schema.
pub const SCHEMA_VERSION: u16 = 1;

/// What a device id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceScheme {
    /// 20 digits of GB/T 28181 or GA/T 1400.
    Gb28181,
    /// A MAC address, lower case with colons.
    Mac,
    /// A maker's serial number.
    Serial,
    /// A UUID.
    Uuid,
    /// An account of SIA DC-09.
    SiaAccount,
    /// A location of HL7 v2 (PV1-3).
    Hl7Location,
    /// The connector's or Chorus's own name for it.
    Own,
}

impl DeviceScheme {
    /// The word used in JSON and in the registry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gb28181 => "gb28181",
            Self::Mac => "mac",
            Self::Serial => "serial",
            Self::Uuid => "uuid",
            Self::SiaAccount => "sia_account",
            Self::Hl7Location => "hl7_location",
            Self::Own => "own",
        }
    }
}

/// What spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its id in the scheme below.
    pub id: Arc<str>,
    /// What the id is.
    pub scheme: DeviceScheme,
    /// Which channel, door, reader or lane of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<str>>,
    /// What it is: `gate`, `door`, `camera`, `panel`, `button`, `phone`, … as the registry or the format says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Arc<str>>,
}

/// How an access attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Let through.
    Granted,
    /// Refused.
    Denied,
    /// The record does not say; never taken for granted.
    Unknown,
}

/// Where the severity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeveritySource {
    /// From the kind.
    Type,
    /// From the device's own level, where the kind leaves it open.
    Device,
    /// Neither says.
    Default,
}

/// How fine the device's time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimePrecision {
    /// A day.
    Date,
    /// A minute.
    Minute,
    /// A second.
    Second,
    /// A fraction of a second.
    Ms,
}

/// How far the device's time can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// It came with an offset, or its format is defined in UTC.
    Zoned,
    /// It came without one; the source's configured zone was taken.
    AssumedZone,
    /// There was none.
    Missing,
    /// It is outside the window of plausibility around receipt: kept, not used for windows.
    Implausible,
    /// The record holds two times that disagree: kept, not used for windows.
    Contradictory,
}

/// What the format's own check (CRC, length, sum) said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Integrity {
    /// It holds.
    Ok,
    /// The format has none, or it was not looked at.
    Unchecked,
    /// It does not hold; accepted because the source is read leniently.
    Failed,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// `wgs84`, `gcj02`, `bd09` or `unknown`: no format states it.
    pub datum: Cow<'static, str>,
}

/// One thing that happened at a place, in the form that every feed is turned into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u16,
    /// 32 hexadecimal digits, from the native identity where the format has one, else from the origin.
    pub event_id: String,
    /// The wire format that it came in.
    pub source_format: Cow<'static, str>,
    /// The connector that received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Arc<str>>,
    /// The identity that the device itself gave to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// The device's own running number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_seq: Option<u64>,
    /// What spoke.
    pub device: Device,
    /// Where.
    pub place: PlaceRef,
    /// What.
    pub kind: Kind,
    /// Beginning, end, …
    pub phase: Phase,
    /// `person`, `vehicle`, `nonmotor`, … for detections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_class: Option<Cow<'static, str>>,
    /// How many, where the record counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// For access attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Zone, region or line within the device's sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: SeveritySource,
    /// When it happened, by the device's clock, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Timestamp>,
    /// How fine that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_precision: Option<TimePrecision>,
    /// How far it can be trusted.
    pub time_quality: TimeQuality,
    /// The zone that was taken for a time without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_zone: Option<Arc<str>>,
    /// When the broker took the raw record.
    pub received_at: Timestamp,
    /// When ingest wrote the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub produced_at: Option<Timestamp>,
    /// Sent again or late by the device (stored while it was cut off).
    pub is_replay: bool,
    /// A drill or a periodic test.
    pub is_test: bool,
    /// What the format's own check said.
    pub integrity: Integrity,
    /// Where exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// A keyed pseudonym of the credential, scoped to the place and the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_ref: Option<String>,
    /// Names of the fields that were left at the border; never their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pii_dropped: Vec<Cow<'static, str>>,
    /// Where the sealed raw bytes are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_ref: Option<String>,
    /// Remarks in closed words, such as `place_unresolved`, `lossy_text`, `geo_out_of_range`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Cow<'static, str>>,
}

impl Event {
    /// The time for windows: the device's own where it is plausible and finer than a day, else that of receipt.
    #[must_use]
    pub fn effective_time(&self) -> Timestamp {
        match (self.time_quality, self.event_time) {
            // The start of a day stands for the day; nothing happened at that midnight.
            _ if self.time_precision == Some(TimePrecision::Date) => self.received_at,
            (TimeQuality::Zoned | TimeQuality::AssumedZone, Some(time)) => time,
            _ => self.received_at,
        }
    }

    /// The key of the event on Kafka: the place, or the device when its place is not known.
    #[must_use]
    pub fn key(&self) -> &str {
        self.place.id.as_deref().unwrap_or(&self.device.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_to(precision: TimePrecision) -> Event {
        let json = serde_json::json!({
            "schema_version": SCHEMA_VERSION, "event_id": "1", "source_format": "grid-case",
            "device": {"id": "grid-1", "scheme": "own"}, "place": PlaceRef::default(), "kind": "report.event",
            "phase": "pulse", "severity": "medium", "severity_source": "type",
            "event_time": "2026-11-23T16:00:00Z", "time_precision": precision, "time_quality": "assumed_zone",
            "received_at": "2026-11-24T02:00:00Z", "is_replay": false, "is_test": false, "integrity": "unchecked",
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_known_to_the_day_only_happened_at_no_midnight() {
        let to_the_minute = known_to(TimePrecision::Minute);
        assert_eq!(Some(to_the_minute.effective_time()), to_the_minute.event_time);
        let to_the_day = known_to(TimePrecision::Date);
        assert_eq!(to_the_day.effective_time(), to_the_day.received_at);
        assert!(to_the_day.event_time.is_some());
    }
}
