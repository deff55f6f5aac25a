//! Times as devices write them, as fine as they are written: a date is a date, and no midnight is made up for it.

use chorus_model::{TimePrecision, Timestamp};
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use crate::observation::DeviceTime;

/// Two times of one record may differ by this much without saying anything.
const TOLERANCE_MINUTES: i64 = 10;

/// A zone is within this of a quarter of an hour.
const SLACK_SECONDS: i64 = 120;

/// ISO 8601 down to where the text goes: `2026-11-24`, `2026-11-24 08:30`, `2026-11-24T08:30:15.5+08:00`; dates also with
/// slashes, with Chinese units, and without their zeros (`2026/1/4 8:05`). Without an offset it is local. A month or a year
/// alone is [`DeviceTime::Missing`]: too coarse for an event.
pub(crate) fn iso(text: &str) -> DeviceTime {
    let text = text.trim();
    match strict_iso(text) {
        DeviceTime::Missing => respelt(text).map_or(DeviceTime::Missing, |text| strict_iso(&text)),
        read => read,
    }
}

/// The same time in the spelling of ISO 8601; none when it cannot be one.
fn respelt(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    let plain = text.replace(['/', '年', '月'], "-").replace('日', " ").replace(['时', '分'], ":").replace('秒', "");
    let (date, rest) = plain.trim().split_once(['T', ' ']).unwrap_or((plain.trim(), ""));
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    if date.next().is_some() || year.len() != 4 {
        return None;
    }
    let (clock, offset) = rest.find(['+', '-', 'Z']).and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let (sign, hours) = offset.split_at_checked(1).unwrap_or_default();
    let (clock, hours) = (filled(clock.trim().trim_end_matches(':')), filled(hours));
    let apart = if clock.is_empty() { "" } else { "T" };
    Some(format!("{year}-{month:0>2}-{day:0>2}{apart}{clock}{sign}{hours}"))
}

/// Numbers between colons, with the zeros that they lack.
fn filled(clock: &str) -> String {
    let numbers = clock.split(':').map(|number| {
        let is_short = number.find('.').unwrap_or(number.len()) == 1;
        format!("{}{number}", if is_short { "0" } else { "" })
    });
    numbers.collect::<Vec<_>>().join(":")
}

fn strict_iso(text: &str) -> DeviceTime {
    if text.len() <= 10 {
        return text.parse::<civil::Date>().map_or(DeviceTime::Missing, date);
    }
    let clock = text.split(['T', 't', ' ']).nth(1).unwrap_or_default();
    let clock = clock.split(['Z', 'z', '+', '-', '[']).next().unwrap_or_default();
    let precision = match (clock.contains('.'), clock.matches(':').count()) {
        (true, _) => TimePrecision::Ms,
        // Of a clock without colons only its length tells.
        (false, 0) if clock.len() >= 6 => TimePrecision::Second,
        (false, 0 | 1) => TimePrecision::Minute,
        (false, _) => TimePrecision::Second,
    };
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return DeviceTime::Zoned(instant.into(), precision);
    }
    text.parse::<civil::DateTime>().map_or(DeviceTime::Missing, |local| DeviceTime::Local(local, precision))
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
    at_offset(local, Offset::UTC, precision)
}

fn at_offset(local: civil::DateTime, offset: Offset, precision: TimePrecision) -> DeviceTime {
    let instant = TimeZone::fixed(offset).to_timestamp(local);
    instant.map_or(DeviceTime::Missing, |at| DeviceTime::Zoned(at.into(), precision))
}

/// A day of the local calendar. The instant that stands for it is its start; its precision says that it is none.
fn date(date: civil::Date) -> DeviceTime {
    DeviceTime::Local(date.at(0, 0, 0, 0), TimePrecision::Date)
}

/// Digits down to where they go: `yyyyMMdd[HH[mm[ss[.f]]]][+zzzz]`, the fraction also without its point. Without an offset it
/// is local.
pub(crate) fn digits(text: &str) -> DeviceTime {
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
    match zone.map(offset) {
        None => DeviceTime::Local(local, precision),
        // The zone of a day says nothing.
        Some(_) if precision == TimePrecision::Date => DeviceTime::Local(local, precision),
        Some(Some(offset)) => at_offset(local, offset, precision),
        Some(None) => DeviceTime::Missing,
    }
}

fn civil_of(digits: &str, fraction: &str) -> Option<(civil::DateTime, TimePrecision)> {
    let part = |from: usize| digits.get(from..from + 2)?.parse::<i8>().ok();
    let precision = match (digits.len(), fraction.is_empty()) {
        (8, true) => TimePrecision::Date,
        (10 | 12, true) => TimePrecision::Minute,
        (14, true) => TimePrecision::Second,
        (14, false) | (15..=23, true) => TimePrecision::Ms,
        _ => return None,
    };
    let fraction = digits.get(14..).filter(|behind| !behind.is_empty()).unwrap_or(fraction);
    let day = civil::Date::new(digits.get(..4)?.parse().ok()?, part(4)?, part(6)?).ok()?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    let or_zero = |from: usize| if digits.len() > from { part(from) } else { Some(0) };
    let clock = civil::Time::new(or_zero(8)?, or_zero(10)?, or_zero(12)?, nanos).ok()?;
    Some((day.to_datetime(clock), precision))
}

/// `+0800`, `+08:00`, `+08`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at_checked(1)?;
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let minutes = digits.get(2..).filter(|minutes| !minutes.is_empty()).unwrap_or("0");
    let seconds = digits.get(..2)?.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// What senders write who keep to no one form: seconds or milliseconds since 1970, digits in a row, ISO 8601, also with blanks
/// within.
pub(crate) fn any(text: &str) -> DeviceTime {
    let text = text.trim();
    let whole = text.split('.').next().unwrap_or_default();
    let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    match whole.len() {
        9 | 10 if is_number => fractional(text).unwrap_or_default(),
        13 if is_number => whole.parse().ok().and_then(epoch).unwrap_or_default(),
        _ if is_number => digits(text),
        _ => match iso(text) {
            DeviceTime::Missing if text.contains('T') => iso(&text.split_whitespace().collect::<String>()),
            read => read,
        },
    }
}

/// Milliseconds since 1970, whatever they are.
pub(crate) fn epoch_millis(millis: i64) -> DeviceTime {
    DeviceTime::Zoned(Timestamp::from_millis(millis), TimePrecision::Ms)
}

/// An instant from seconds since 1970; none for a clock that was never set (before 2000) or is nonsense (after 2100).
pub(crate) fn seconds(epoch: i64) -> Option<Timestamp> {
    (946_684_800..=4_102_444_800).contains(&epoch).then(|| Timestamp::from_millis(epoch * 1_000))
}

/// A time from seconds or milliseconds since 1970, by their size.
pub(crate) fn epoch(number: i64) -> Option<DeviceTime> {
    let of_seconds = seconds(number).map(|at| DeviceTime::Zoned(at, TimePrecision::Second));
    of_seconds.or_else(|| seconds(number / 1_000).map(|_| epoch_millis(number)))
}

/// Seconds since 1970 with a fraction, to the microsecond.
pub(crate) fn fractional(text: &str) -> Option<DeviceTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let at = seconds(whole.parse().ok()?)?;
    // With an exponent the point is not where it stands.
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let at = Timestamp::from_micros(at.as_micros() + digits.parse::<i64>().ok()?);
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    Some(DeviceTime::Zoned(at, if is_whole { TimePrecision::Second } else { TimePrecision::Ms }))
}

/// The time as it stands in an identity; none when there is none.
pub(crate) fn stamp(time: DeviceTime) -> Option<String> {
    match time {
        DeviceTime::Zoned(at, _) | DeviceTime::Contradictory(at, _) => Some(at.to_string()),
        DeviceTime::Local(at, _) => Some(at.to_string()),
        DeviceTime::Missing => None,
    }
}

/// How many minutes a local clock is ahead of an instant, when that is an offset that a zone can have; none when the two
/// contradict one another.
pub(crate) fn offset_minutes(clock: civil::DateTime, at: Timestamp) -> Option<i64> {
    let as_utc = TimeZone::UTC.to_timestamp(clock).ok()?;
    let ahead = as_utc.as_second() - at.as_micros().div_euclid(1_000_000);
    let quarters = (ahead + 450).div_euclid(900);
    let is_zone = (ahead - quarters * 900).abs() <= SLACK_SECONDS && (-48..=56).contains(&quarters);
    is_zone.then_some(quarters * 15)
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
    fn trap_01_a_time_without_an_offset_is_local_and_as_fine_as_it_is_written() {
        for (text, want) in [
            ("2026-11-24", local(0, 0, 0, TimePrecision::Date)),
            ("2026/11/24", local(0, 0, 0, TimePrecision::Date)),
            ("2026-11-24 08:30", local(8, 30, 0, TimePrecision::Minute)),
            ("2026-11-24T08:30:15", local(8, 30, 15, TimePrecision::Second)),
            ("2026-11-24T08:30+08:00", zoned("2026-11-24T00:30:00Z", TimePrecision::Minute)),
            ("2026-11-24T08:30:15-00:00", zoned("2026-11-24T08:30:15Z", TimePrecision::Second)),
            ("2026-11-24T08:30:15.5Z", zoned("2026-11-24T08:30:15.5Z", TimePrecision::Ms)),
            ("20261124T083015+0800", zoned("2026-11-24T00:30:15Z", TimePrecision::Second)),
            ("2026/11/24 8:30:15", local(8, 30, 15, TimePrecision::Second)),
            ("2026/11/24 8:30", local(8, 30, 0, TimePrecision::Minute)),
            ("2026年11月24日", local(0, 0, 0, TimePrecision::Date)),
            ("2026年11月24日 8时30分", local(8, 30, 0, TimePrecision::Minute)),
            ("2026年11月24日08时30分15秒", local(8, 30, 15, TimePrecision::Second)),
        ] {
            assert_eq!(iso(text), want, "{text}");
        }
        for (text, want) in [
            ("20261124", local(0, 0, 0, TimePrecision::Date)),
            ("20261124+0100", local(0, 0, 0, TimePrecision::Date)),
            ("202611240830", local(8, 30, 0, TimePrecision::Minute)),
            ("20261124083015", local(8, 30, 15, TimePrecision::Second)),
            ("202611240830+0800", zoned("2026-11-24T00:30:00Z", TimePrecision::Minute)),
            ("202611240830+08:00", zoned("2026-11-24T00:30:00Z", TimePrecision::Minute)),
            ("20261124083015500+0800", zoned("2026-11-24T00:30:15.5Z", TimePrecision::Ms)),
            ("2026112408301550+08", zoned("2026-11-24T00:30:15.5Z", TimePrecision::Ms)),
            ("20261124083015.5-0530", zoned("2026-11-24T14:00:15.5Z", TimePrecision::Ms)),
        ] {
            assert_eq!(digits(text), want, "{text}");
        }
    }

    #[test]
    fn trap_01_a_time_without_its_zeros_is_the_time_that_it_would_be_with_them() {
        for text in
            ["2026-11-04T15:38:05+8:00", "2026/11/4 15:38:5+8:0", "2026-11-4T7:38:5Z", "2026-11-04 15:38:05+08:00"]
        {
            assert_eq!(iso(text), zoned("2026-11-04T07:38:05Z", TimePrecision::Second), "{text}");
        }
        let at = civil::date(2026, 1, 4).at(7, 38, 5, 500_000_000);
        assert_eq!(iso("2026/1/4 7:38:5.5"), DeviceTime::Local(at, TimePrecision::Ms));
        assert_eq!(iso("2026-1-4"), date(civil::date(2026, 1, 4)));
        for text in ["2026-1", "2026-1-4-1 7:38:5", "26-1-4 7:38:5", "2026-1-4 7:38:5:9", "2026-1-4 a:b:c"] {
            assert_eq!(iso(text), DeviceTime::Missing, "{text}");
        }
    }

    #[test]
    fn trap_02_unzoned_utc_stays_utc() {
        assert_eq!(iso_utc("2023-08-09T07:38:35"), zoned("2023-08-09T07:38:35Z", TimePrecision::Second));
    }

    #[test]
    fn one_reader_tells_the_forms_apart() {
        for (text, want) in [
            ("1795478400", zoned("2026-11-24T00:00:00Z", TimePrecision::Second)),
            ("1795478400.0", zoned("2026-11-24T00:00:00Z", TimePrecision::Second)),
            ("1795478400.25", zoned("2026-11-24T00:00:00.25Z", TimePrecision::Ms)),
            ("1795478400250", zoned("2026-11-24T00:00:00.25Z", TimePrecision::Ms)),
            ("20261124083015", local(8, 30, 15, TimePrecision::Second)),
            ("2026/11/24 08:30:15", local(8, 30, 15, TimePrecision::Second)),
            ("2026-11-24T08: 30: 15+08:00", zoned("2026-11-24T00:30:15Z", TimePrecision::Second)),
            ("0", DeviceTime::Missing),
            ("0000000000", DeviceTime::Missing),
        ] {
            assert_eq!(any(text), want, "{text}");
        }
    }

    #[test]
    fn trap_03_two_clocks_may_differ_by_a_zone_only() {
        let at: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let clock = |hour: i8, minute: i8| civil::date(2026, 11, 24).at(hour, minute, 0, 0);
        assert_eq!(offset_minutes(clock(8, 0), at), Some(480));
        assert_eq!(offset_minutes(clock(5, 31), at), Some(330));
        assert_eq!(offset_minutes(clock(8, 7), at), None);
        assert_eq!(offset_minutes(clock(15, 0), at), None);
    }

    #[test]
    fn a_clock_that_was_never_set_says_nothing() {
        assert_eq!((seconds(0), seconds(3_600), epoch(0)), (None, None, None));
        assert_eq!(epoch(1_795_478_400_250), Some(zoned("2026-11-24T00:00:00.25Z", TimePrecision::Ms)));
        assert_eq!((fractional("x"), fractional("12.5"), stamp(DeviceTime::Missing)), (None, None, None));
        assert_eq!((fractional("1795478400.5e2"), fractional("1795478400.x")), (None, None));
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
    fn nonsense_and_what_is_too_coarse_is_missing_and_never_now() {
        for text in [
            "",
            "2026",
            "2026-11",
            "202611",
            "20261324",
            "2026-13-24",
            "soon",
            "20261124083015+8",
            "南昌南昌",
            "99999999999999",
            "2023080907383x",
            "24-11-26",
            "24/11/2026 08:30:00",
            "0000-00-00 00:00:00",
        ] {
            assert_eq!(
                (iso(text), digits(text), any(text)),
                (DeviceTime::Missing, DeviceTime::Missing, DeviceTime::Missing),
                "{text}"
            );
        }
    }
}
