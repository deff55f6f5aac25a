//! Two clocks in one record: an instant since 1970 and a local time without an offset.

use chorus_model::Timestamp;
use jiff::civil;

/// A zone is within this of a quarter of an hour.
const SLACK_SECONDS: i64 = 120;

/// An instant from seconds since 1970; none for a clock that was never set (before 2000) or is nonsense (after 2100).
pub(crate) fn seconds(epoch: i64) -> Option<Timestamp> {
    (946_684_800..=4_102_444_800).contains(&epoch).then(|| Timestamp::from_millis(epoch * 1_000))
}

/// An instant from seconds or milliseconds since 1970, by their size.
pub(crate) fn seconds_or_millis(epoch: i64) -> Option<Timestamp> {
    seconds(epoch).or_else(|| seconds(epoch / 1_000).map(|_| Timestamp::from_millis(epoch)))
}

/// How many minutes a local clock is ahead of an instant, when that is an offset that a zone can have; none when the two
/// contradict one another.
pub(crate) fn offset_minutes(clock: civil::DateTime, at: Timestamp) -> Option<i64> {
    let as_utc = jiff::tz::TimeZone::UTC.to_timestamp(clock).ok()?;
    let ahead = as_utc.as_second() - at.as_micros().div_euclid(1_000_000);
    let quarters = (ahead + 450).div_euclid(900);
    let is_zone = (ahead - quarters * 900).abs() <= SLACK_SECONDS && (-48..=56).contains(&quarters);
    is_zone.then_some(quarters * 15)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(seconds(0), None);
        assert_eq!(seconds(3_600), None);
        assert_eq!(seconds_or_millis(1_795_478_400_250).unwrap().to_string(), "2026-11-24T00:00:00.25Z");
    }
}
