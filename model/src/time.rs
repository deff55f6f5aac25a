//! Instants and durations. Both count microseconds, the finest step that any format of ours carries.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::rfc3339::{self, Rfc3339};

/// How far the clocks of the city are ahead of UTC: eight hours, all year.
pub const CITY_AHEAD: Span = Span::from_secs(8 * 3_600);

/// An instant in UTC, microseconds since 1970-01-01T00:00:00Z. In JSON: RFC 3339 with `Z` and 0 to 6 fraction digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 instant with an offset.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 time with an offset")]
pub struct TimestampError;

impl Timestamp {
    /// The instant before every record.
    pub const MIN: Self = Self(i64::MIN);

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the epoch, the unit of Kafka's record timestamps.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant moved by a span, which may be negative. Saturates at the ends of time.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Seconds since 1970 on the clocks of the city, which are [`CITY_AHEAD`] of UTC.
    #[must_use]
    pub const fn city_seconds(self) -> i64 {
        self.plus(CITY_AHEAD).0.div_euclid(1_000_000)
    }

    /// The instant at which the clocks of the city show so many seconds since 1970. Saturates.
    #[must_use]
    pub const fn from_city_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000)).minus(CITY_AHEAD)
    }

    /// This instant moved back by a span. Saturates.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this instant is; negative when it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The same instant as a [`jiff::Timestamp`], for calendars; `None` outside the years -9999 to 9999.
    #[must_use]
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = Rfc3339::of(*self) {
            return f.write_str(text.as_str());
        }
        match self.to_jiff() {
            Some(instant) => write!(f, "{instant}"),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if let Some(instant) = rfc3339::read(text.as_bytes()) {
            return Ok(instant);
        }
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| TimestampError)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Rfc3339::of(*self) {
            Some(text) => serializer.serialize_str(text.as_str()),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time such as 2026-11-24T08:00:00Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC"})
    }
}

/// A length of time in microseconds. In configuration and rules: `250ms`, `90s`, `5m`, `1h 30m`, `2d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

/// A text that is no length of time.
#[derive(Debug, thiserror::Error)]
#[error("not a length of time: write it as 250ms, 90s, 5m, 1h 30m or 2d")]
pub struct SpanError;

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// From seconds.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds; negative spans point into the past.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds as a float, the unit of Prometheus.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a span of 285 years still has microsecond precision
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// For `std`'s timers; a negative span becomes zero.
    #[must_use]
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(u64::try_from(self.0).unwrap_or(0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", jiff::SignedDuration::from_micros(self.0))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        // jiff leaves days out of its absolute durations, since a day may have 23 hours; here a day is 24 hours.
        if let Some(days) = text.trim().strip_suffix('d')
            && let Ok(days) = days.trim().parse::<i64>()
        {
            return days.checked_mul(86_400_000_000).map(Self).ok_or(SpanError);
        }
        let duration: jiff::SignedDuration = text.trim().parse().map_err(|_| SpanError)?;
        i64::try_from(duration.as_micros()).map(Self).map_err(|_| SpanError)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "a length of time: 250ms, 90s, 5m, 1h 30m, 2d"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_its_microseconds_through_json() {
        let instant: Timestamp = "2026-11-24T08:00:00.000123+08:00".parse().unwrap();
        let json = serde_json::to_string(&instant).unwrap();
        assert_eq!(json, "\"2026-11-24T00:00:00.000123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), instant);
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        assert!("2026-11-24T08:00:00".parse::<Timestamp>().is_err());
    }

    #[test]
    fn spans_read_like_a_person_writes_them() {
        assert_eq!("90s".parse::<Span>().unwrap(), Span::from_secs(90));
        assert_eq!("1h 30m".parse::<Span>().unwrap(), Span::from_secs(5_400));
        assert_eq!("250ms".parse::<Span>().unwrap(), Span::from_millis(250));
        assert_eq!("2d".parse::<Span>().unwrap(), Span::from_secs(172_800));
        assert!("soon".parse::<Span>().is_err());
        let span = Span::from_millis(90_500);
        assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
    }
}
