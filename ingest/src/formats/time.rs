//! Times as devices write them.

use chorus_model::{TimePrecision, Timestamp};
use jiff::civil;

use crate::observation::DeviceTime;

/// ISO 8601 with or without an offset: `2024-11-19T16:53:28+01:00`, `2023-08-09T07:38:35`, `2023-08-09 07:38:35.123`.
/// Without an offset the time is local. Numbers may lack their zeros and dates may have slashes: `2023/8/9 7:38:35+8:00`.
/// Anything else, and a date alone, is [`DeviceTime::Missing`].
pub(crate) fn iso(text: &str) -> DeviceTime {
    let text = text.trim();
    let precision = if text.contains('.') { TimePrecision::Ms } else { TimePrecision::Second };
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return DeviceTime::Zoned(instant.into(), precision);
    }
    match text.parse::<civil::DateTime>() {
        Ok(local) if text.len() > 10 => DeviceTime::Local(local, precision),
        Ok(_) => DeviceTime::Missing,
        Err(_) => padded(text).map_or(DeviceTime::Missing, |text| strict(&text, precision)),
    }
}

fn strict(text: &str, precision: TimePrecision) -> DeviceTime {
    let zoned = text.parse::<jiff::Timestamp>().map(|instant| DeviceTime::Zoned(instant.into(), precision));
    let local = || text.parse::<civil::DateTime>().map(|local| DeviceTime::Local(local, precision));
    zoned.or_else(|_| local()).unwrap_or_default()
}

/// A time with every number filled up with zeros, if it has date and clock at all.
fn padded(text: &str) -> Option<String> {
    const LONGEST: usize = 40;
    if text.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut date = date.split(['-', '/']);
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let (clock, offset) = match rest.find(['+', '-', 'Z']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    let mut clock = clock.trim().split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    let (sign, hours) = offset.split_at_checked(1).unwrap_or_default();
    let offset = match hours.split_once(':') {
        Some((hours, minutes)) => format!("{sign}{hours:0>2}:{minutes:0>2}"),
        None => offset.to_owned(),
    };
    let extra = date.next().is_some() || clock.next().is_some();
    (!extra && year.len() == 4).then(|| {
        let seconds =
            if second.find('.').unwrap_or(second.len()) == 1 { format!("0{second}") } else { second.to_owned() };
        format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{seconds}{offset}")
    })
}

/// As [`iso`], in a format that is defined in UTC: a time without an offset is UTC all the same (trap 2).
pub(crate) fn iso_utc(text: &str) -> DeviceTime {
    match iso(text) {
        DeviceTime::Local(local, precision) => utc(local, precision),
        other => other,
    }
}

/// A civil time that is UTC by the format's definition.
pub(crate) fn utc(local: civil::DateTime, precision: TimePrecision) -> DeviceTime {
    match jiff::tz::TimeZone::UTC.to_timestamp(local) {
        Ok(instant) => DeviceTime::Zoned(instant.into(), precision),
        Err(_) => DeviceTime::Missing,
    }
}

/// Digits without separators, local: `yyyyMMddHHmmss`, optionally with milliseconds behind.
pub(crate) fn digits(text: &str) -> DeviceTime {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return DeviceTime::Missing;
    }
    let field = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i16>().ok());
    let part = |from: usize, to: usize| field(from, to).and_then(|value| i8::try_from(value).ok());
    let millis = if text.len() >= 17 { field(14, 17).unwrap_or(0) } else { 0 };
    let precision = if text.len() >= 17 { TimePrecision::Ms } else { TimePrecision::Second };
    let read = || {
        civil::DateTime::new(
            field(0, 4)?,
            part(4, 6)?,
            part(6, 8)?,
            part(8, 10)?,
            part(10, 12)?,
            part(12, 14)?,
            i32::from(millis) * 1_000_000,
        )
        .ok()
    };
    read().map_or(DeviceTime::Missing, |local| DeviceTime::Local(local, precision))
}

/// Milliseconds since the epoch.
pub(crate) fn epoch_millis(millis: i64) -> DeviceTime {
    DeviceTime::Zoned(Timestamp::from_millis(millis), TimePrecision::Ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_01_a_time_without_an_offset_is_local() {
        let local = civil::date(2023, 8, 9).at(7, 38, 35, 0);
        assert_eq!(iso("2023-08-09T07:38:35"), DeviceTime::Local(local, TimePrecision::Second));
        assert_eq!(digits("20230809073835"), DeviceTime::Local(local, TimePrecision::Second));
    }

    #[test]
    fn trap_01_a_time_without_its_zeros_is_the_time_that_it_would_be_with_them() {
        let instant: Timestamp = "2023-08-09T07:38:05Z".parse().unwrap();
        for text in
            ["2023-08-09T15:38:05+8:00", "2023/8/9 15:38:5+8:0", "2023-8-9T7:38:5Z", "2023-08-09 15:38:05+08:00"]
        {
            assert_eq!(iso(text), DeviceTime::Zoned(instant, TimePrecision::Second), "{text}");
        }
        let local = civil::date(2023, 8, 9).at(7, 38, 5, 500_000_000);
        assert_eq!(iso("2023/8/9 7:38:5.5"), DeviceTime::Local(local, TimePrecision::Ms));
        for text in
            ["2023-8", "2023-8-9-1 7:38:5", "2023-8-9 7:38", "23-8-9 7:38:5", "2023-8-9 7:38:5:9", "2023-8-9 a:b:c"]
        {
            assert_eq!(iso(text), DeviceTime::Missing, "{text}");
        }
    }

    #[test]
    fn trap_02_unzoned_utc_stays_utc() {
        let instant = "2023-08-09T07:38:35Z".parse().unwrap();
        assert_eq!(iso_utc("2023-08-09T07:38:35"), DeviceTime::Zoned(instant, TimePrecision::Second));
    }

    #[test]
    fn nonsense_is_missing_and_never_now() {
        for text in ["", "2023", "2023-08-09", "99999999999999", "20231309073835", "soon", "2023080907383x"] {
            assert_eq!(iso(text), DeviceTime::Missing, "{text}");
            assert_eq!(digits(text), DeviceTime::Missing, "{text}");
        }
    }
}
