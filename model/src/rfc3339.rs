//! The text of an instant, written and read without a formatter: an event carries four of them, and a general calendar's
//! way through each costs as much as all of its other fields. Only the years 0 to 9999 in UTC; the rest is the calendar's.

use crate::Timestamp;

const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;
/// 0000-01-01T00:00:00Z to 9999-12-30T22:00:00Z, where the calendar ends, in microseconds since 1970.
const YEARS: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_207_200_000_000;
/// `2026-11-24T08:00:00.000123Z`.
const LONGEST: usize = 27;

/// RFC 3339 with `Z`, and as many digits of the second as are not zero at the end.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339 {
    text: [u8; LONGEST],
    length: usize,
}

impl Rfc3339 {
    /// The text of an instant; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn of(instant: Timestamp) -> Option<Self> {
        let micros = instant.as_micros();
        if !YEARS.contains(&micros) {
            return None;
        }
        let (year, month, day) = date_of(micros.div_euclid(DAY));
        let in_day = micros.rem_euclid(DAY);
        let (second, fraction) = (in_day / SECOND, in_day % SECOND);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], second / 3_600);
        put(&mut text[14..16], second / 60 % 60);
        put(&mut text[17..19], second % 60);
        if fraction == 0 {
            text[19] = b'Z';
            return Some(Self { text, length: 20 });
        }
        put(&mut text[20..26], fraction);
        let mut length = LONGEST;
        while text[length - 2] == b'0' {
            length -= 1;
        }
        text[length - 1] = b'Z';
        Some(Self { text, length })
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// As bytes, all of them ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

/// Writes a number into all of `place`, with zeros before it.
fn put(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// The Gregorian date of a day since 1970-01-01: years that begin in March, in eras of 400 (146,097 days).
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

/// The day since 1970-01-01 of a Gregorian date.
const fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - (month <= 2) as i64;
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Reads the form that [`Rfc3339`] writes, with 0 to 6 digits of the second; `None` for any other, right or wrong.
pub(crate) fn read(text: &[u8]) -> Option<Timestamp> {
    let (head, tail) = text.split_at_checked(19)?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *head else {
        return None;
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?);
    let valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None; // a leap second, or nothing at all: the calendar knows
    }
    let fraction = match tail {
        [b'Z'] => 0,
        [b'.', digits @ .., b'Z'] if (1..=6).contains(&digits.len()) => {
            let missing = u32::try_from(6 - digits.len()).ok()?;
            number(digits)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let seconds = day_of(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let micros = seconds * SECOND + fraction;
    YEARS.contains(&micros).then_some(Timestamp::from_micros(micros))
}

fn number(digits: &[u8]) -> Option<i64> {
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instants of every era, month end and fraction, from a small generator with a fixed seed.
    fn instants() -> impl Iterator<Item = i64> {
        let ends = [YEARS.start, YEARS.start + 1, -1, 0, 1, 951_782_400_000_000, 951_868_799_999_999, YEARS.end - 1];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let span = u64::try_from(YEARS.end - YEARS.start).unwrap();
            let micros = YEARS.start + i64::try_from(state % span).unwrap();
            // As coarse as devices are: whole seconds, milliseconds, microseconds.
            let step = [SECOND, 1_000, 1][usize::try_from(state >> 60).unwrap() % 3];
            Some(micros.div_euclid(step) * step)
        };
        ends.into_iter().chain(std::iter::from_fn(random).take(50_000).filter(|micros| YEARS.contains(micros)))
    }

    #[test]
    fn it_is_the_calendars_text_and_comes_back_as_the_same_instant() {
        for micros in instants() {
            let text = Rfc3339::of(Timestamp::from_micros(micros)).unwrap();
            let calendar = jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
            assert_eq!(text.as_str(), calendar);
            assert_eq!(read(text.as_bytes()), Some(Timestamp::from_micros(micros)), "{calendar}");
        }
        assert!(Rfc3339::of(Timestamp::from_micros(YEARS.end)).is_none());
        assert!(Rfc3339::of(Timestamp::from_micros(YEARS.start - 1)).is_none());
    }

    #[test]
    fn what_is_read_here_is_what_the_calendar_reads() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2024-02-29T23:59:59.5Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567Z",
            "2026-01-01T00:00:00.12x4Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+08:00",
            "2026-01-01t00:00:00z",
            "2026-01-01 00:00:00Z",
            "9999-12-31T23:59:59Z",
            "",
        ] {
            let calendar = text.parse::<jiff::Timestamp>().ok().map(Timestamp::from);
            if let Some(instant) = read(text.as_bytes()) {
                assert_eq!(Some(instant), calendar, "{text}");
            }
            assert_eq!(text.parse::<Timestamp>().ok(), calendar, "{text}");
        }
    }
}
