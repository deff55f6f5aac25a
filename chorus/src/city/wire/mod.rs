//! The wire formats, as devices write them. Every function takes the instant; none keeps a state.

pub(super) mod ga1400;
pub(super) mod gb28181;
pub(super) mod isapi;
pub(super) mod onvif;
pub(super) mod own;
pub(super) mod sia;

use chorus_model::Timestamp;
use jiff::civil;

use super::rhythm::CHINA;

/// The civil time of Nanchang, in whole seconds: what nearly every device writes.
pub(crate) fn local(at: Timestamp) -> civil::DateTime {
    civil_time(at, CHINA)
}

/// The civil time of Greenwich, in whole seconds.
fn utc(at: Timestamp) -> civil::DateTime {
    civil_time(at, jiff::tz::Offset::UTC)
}

fn civil_time(at: Timestamp, offset: jiff::tz::Offset) -> civil::DateTime {
    let second = Timestamp::from_micros(at.as_micros().div_euclid(1_000_000) * 1_000_000);
    second.to_jiff().map_or(civil::DateTime::ZERO, |instant| offset.to_datetime(instant))
}

/// `yyyyMMddHHmmss` in Nanchang.
fn local_digits(at: Timestamp) -> String {
    let time = local(at);
    let (year, month, day) = (time.year(), time.month(), time.day());
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", time.hour(), time.minute(), time.second())
}

/// A running number of a device that needs no memory: tenths of milliseconds since 2026.
fn serial(at: Timestamp) -> i64 {
    const YEAR_2026: i64 = 1_767_225_600_000_000;
    (at.as_micros() - YEAR_2026).max(0) / 100
}
