//! Times that devices write as far as they know them: a date is a date, and no midnight is made up for it.

use chorus_model::TimePrecision;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::time;
use crate::observation::DeviceTime;

/// ISO 8601 down to where the text goes: `2026-11-24`, `2026-11-24 08:30`, `2026-11-24T08:30:15.5+08:00`; dates also with
/// slashes. Without an offset it is local. A month or a year alone is [`DeviceTime::Missing`]: too coarse for an event.
pub(crate) fn iso(text: &str) -> DeviceTime {
    let text = text.trim();
    let slashed;
    let text = if text.contains('/') {
        slashed = text.replace('/', "-");
        slashed.as_str()
    } else {
        text
    };
    if text.len() <= 10 {
        return text.parse::<civil::Date>().map_or(DeviceTime::Missing, date);
    }
    let clock = text.get(11..).unwrap_or_default();
    let clock = clock.split(['Z', 'z', '+', '-', '[']).next().unwrap_or_default();
    match (time::iso(text), clock.matches(':').count()) {
        (DeviceTime::Zoned(at, _), 0 | 1) => DeviceTime::Zoned(at, TimePrecision::Minute),
        (DeviceTime::Local(at, _), 0 | 1) => DeviceTime::Local(at, TimePrecision::Minute),
        (read, _) => read,
    }
}

/// A day of the local calendar. The instant that stands for it is its start; its precision says that it is none.
pub(crate) fn date(date: civil::Date) -> DeviceTime {
    DeviceTime::Local(date.at(0, 0, 0, 0), TimePrecision::Date)
}

/// Digits down to where they go, as HL7 writes them: `yyyyMMdd[HH[mm[ss[.f]]]][+zzzz]`. Without an offset it is local.
pub(crate) fn compact(text: &str) -> DeviceTime {
    let text = text.trim();
    let (digits, zone) = match text.find(['+', '-']).and_then(|at| text.split_at_checked(at)) {
        Some((digits, zone)) => (digits, Some(zone)),
        None => match text.strip_suffix('Z') {
            Some(digits) => (digits, Some("+0000")),
            None => (text, None),
        },
    };
    let (digits, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return DeviceTime::Missing;
    }
    let Some((local, precision)) = civil_of(digits, fraction) else { return DeviceTime::Missing };
    let offset = zone.map(offset);
    match offset {
        // The zone of a day says nothing.
        None | Some(_) if precision == TimePrecision::Date => DeviceTime::Local(local, precision),
        None => DeviceTime::Local(local, precision),
        Some(Some(offset)) => TimeZone::fixed(offset)
            .to_timestamp(local)
            .map_or(DeviceTime::Missing, |at| DeviceTime::Zoned(at.into(), precision)),
        Some(None) => DeviceTime::Missing,
    }
}

fn civil_of(digits: &str, fraction: &str) -> Option<(civil::DateTime, TimePrecision)> {
    let part = |from: usize| digits.get(from..from + 2)?.parse::<i8>().ok();
    let precision = match (digits.len(), fraction.is_empty()) {
        (8, true) => TimePrecision::Date,
        (10 | 12, true) => TimePrecision::Minute,
        (14, true) => TimePrecision::Second,
        (14, false) => TimePrecision::Ms,
        // Some write the milliseconds without their point.
        (17, true) => TimePrecision::Ms,
        _ => return None,
    };
    let fraction = digits.get(14..).filter(|millis| !millis.is_empty()).unwrap_or(fraction);
    let day = civil::Date::new(digits.get(..4)?.parse().ok()?, part(4)?, part(6)?).ok()?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    let or_zero = |from: usize| if digits.len() > from { part(from) } else { Some(0) };
    let clock = civil::Time::new(or_zero(8)?, or_zero(10)?, or_zero(12)?, nanos).ok()?;
    Some((day.to_datetime(clock), precision))
}

/// `+0800`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at_checked(1)?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.get(..2)?.parse::<i32>().ok()? * 3_600 + digits.get(2..)?.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// How long after `earlier` the other is, in minutes, where both are of one kind: two clocks without a zone are of one place.
fn minutes_between(earlier: DeviceTime, later: DeviceTime) -> Option<i64> {
    match (earlier, later) {
        (DeviceTime::Local(earlier, _), DeviceTime::Local(later, _)) => Some(later.duration_since(earlier).as_mins()),
        (DeviceTime::Zoned(earlier, _), DeviceTime::Zoned(later, _)) => {
            Some(later.since(earlier).as_micros() / 60_000_000)
        }
        _ => None,
    }
}

/// What two times of one record say together: when it happened, and when it was told. Told long after, it came late; told before
/// it happened, one of the clocks is wrong (trap 3). A day is too coarse to be compared.
pub(crate) fn order(happened: DeviceTime, told: DeviceTime) -> Option<&'static str> {
    const TOLERANCE_MINUTES: i64 = 10;
    let is_day = |time| matches!(time, DeviceTime::Local(_, TimePrecision::Date));
    if is_day(happened) || is_day(told) {
        return None;
    }
    match minutes_between(happened, told)? {
        minutes if minutes < -TOLERANCE_MINUTES => Some("told_before_it_happened"),
        minutes if minutes > TOLERANCE_MINUTES => Some("sent_late"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(hour: i8, minute: i8, second: i8, precision: TimePrecision) -> DeviceTime {
        DeviceTime::Local(civil::date(2026, 11, 24).at(hour, minute, second, 0), precision)
    }

    fn zoned(text: &str, precision: TimePrecision) -> DeviceTime {
        DeviceTime::Zoned(text.parse().unwrap(), precision)
    }

    #[test]
    fn a_time_is_as_fine_as_it_is_written() {
        for (text, want) in [
            ("2026-11-24", local(0, 0, 0, TimePrecision::Date)),
            ("2026/11/24", local(0, 0, 0, TimePrecision::Date)),
            ("2026-11-24 08:30", local(8, 30, 0, TimePrecision::Minute)),
            ("2026-11-24T08:30:15", local(8, 30, 15, TimePrecision::Second)),
            ("2026-11-24T08:30+08:00", zoned("2026-11-24T00:30:00Z", TimePrecision::Minute)),
            ("2026-11-24T08:30:15-00:00", zoned("2026-11-24T08:30:15Z", TimePrecision::Second)),
            ("2026-11-24T08:30:15.5Z", zoned("2026-11-24T08:30:15.5Z", TimePrecision::Ms)),
        ] {
            assert_eq!(iso(text), want, "{text}");
        }
        for (text, want) in [
            ("20261124", local(0, 0, 0, TimePrecision::Date)),
            ("20261124+0100", local(0, 0, 0, TimePrecision::Date)),
            ("202611240830", local(8, 30, 0, TimePrecision::Minute)),
            ("20261124083015", local(8, 30, 15, TimePrecision::Second)),
            ("202611240830+0800", zoned("2026-11-24T00:30:00Z", TimePrecision::Minute)),
            ("20261124083015500+0800", zoned("2026-11-24T00:30:15.5Z", TimePrecision::Ms)),
            ("20261124083015.5-0530", zoned("2026-11-24T14:00:15.5Z", TimePrecision::Ms)),
        ] {
            assert_eq!(compact(text), want, "{text}");
        }
    }

    #[test]
    fn trap_03_what_is_told_before_it_happened_or_long_after_is_said_to_be() {
        let at = |minute| local(8, minute, 0, TimePrecision::Second);
        assert_eq!(order(at(0), at(10)), None);
        assert_eq!(order(at(0), at(11)), Some("sent_late"));
        assert_eq!(order(at(10), at(0)), None);
        assert_eq!(order(at(11), at(0)), Some("told_before_it_happened"));
        let day = local(0, 0, 0, TimePrecision::Date);
        assert_eq!((order(day, at(30)), order(DeviceTime::Missing, at(0))), (None, None));
        assert_eq!(order(at(0), zoned("2026-11-24T08:30:00Z", TimePrecision::Second)), None);
    }

    #[test]
    fn what_is_too_coarse_or_no_time_is_missing() {
        for text in ["", "2026", "2026-11", "202611", "20261324", "2026-13-24", "soon", "20261124083015+8", "南昌南昌"]
        {
            assert_eq!(iso(text), DeviceTime::Missing, "{text}");
            assert_eq!(compact(text), DeviceTime::Missing, "{text}");
        }
    }
}
