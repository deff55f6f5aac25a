//! The rhythm of a device that nobody has written down: how much it usually says at each hour, and how far apart.
//!
//! Silence is measured by what was to be expected meanwhile, not by the clock: a night in which nobody comes counts next to nothing, a quarter of an
//! hour at noon a lot. For a device that speaks by chance these gaps are exponential whatever the hour (the time-rescaling theorem of point processes);
//! for one that comes in bursts, their tail is learnt: the mean excess over half an expected event. How long a gap may be
//! comes from that tail, the number of gaps a year and the false alarms that are allowed in it, as a Lomax distribution: the exponential
//! with what is uncertain about its mean, so that few gaps mean patience. And it must be well beyond the longest gaps of the last weeks (but
//! the very longest: that may have been a failure), which covers what is regular but finer than an hour.

use chorus_model::{Span, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::pack;

/// The hours of a weekday and of a day of the weekend.
const CELLS: usize = 48;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24;
const WEEK: i64 = 7 * DAY;
/// The clocks on the wall of the city are eight hours ahead of UTC; the epoch was a Thursday, weeks begin on Monday.
const TO_MONDAY: i64 = 8 + 3 * DAY;
/// An hour's mean is that of about so many days of its kind.
const MEMORY: f64 = 20.0;
/// The weeks that those days are, twice: the memory fades and does not end.
const WEEKS_OF_MEMORY: f64 = 8.0;
/// Gaps are learnt from when the hours of a week are known.
const FIRST_GAPS: i64 = WEEK;
/// Nobody is called silent before; by then every hour was seen in three weeks.
const FIRST_JUDGED: i64 = 3 * WEEK;
const LEAST_GAPS: u32 = 20;
const LEAST_LONG_GAPS: u32 = 5;
/// A gap is long when so many events were to be expected in it: one of a clockwork is, and most of chance are.
const LONG: f64 = 0.5;
/// Means of gaps are over about so many.
const MOST_GAPS: u32 = 1_000;
/// A mean excess below this is not believed: a clockwork may stumble.
const LEAST_EXCESS: f64 = 0.5;
/// Weeks whose longest gaps are remembered, the running one first.
const WEEKS: usize = 7;
/// Nobody is waited for longer, nor is a longer gap measured.
const LONGEST: i64 = 90 * DAY;
const WEEKS_OF_YEAR: f64 = 52.18;

/// What a rule says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Learnt {
    /// False alarms that are allowed in a year of a device.
    pub(crate) a_year: f64,
    /// How far beyond the longest gaps of the last weeks a silence must be.
    pub(crate) factor: f64,
    /// No silence is shorter.
    pub(crate) least: Span,
}

/// What is remembered of one device: 200 bytes, 280 in a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    /// The mean number of events of each hour, the upper half of a 32-bit float; 0 also for an hour that was not seen.
    #[serde(rename = "c", with = "pack::u16s")]
    cells: Vec<u16>,
    /// The hour in which it was first heard; partly seen, so not learnt from.
    #[serde(rename = "f")]
    first: i64,
    /// The hour that is counted.
    #[serde(rename = "h")]
    hour: i64,
    #[serde(rename = "n")]
    count: u32,
    /// Gaps learnt from, at most [`MOST_GAPS`], and the long ones.
    #[serde(rename = "g")]
    gaps: u32,
    #[serde(rename = "l")]
    long_gaps: u32,
    /// The share of long gaps, and by how much they exceed [`LONG`], as the bits of a number.
    #[serde(rename = "s")]
    share: u32,
    #[serde(rename = "e")]
    excess: u32,
    /// The longest gaps by week, like the cells.
    #[serde(rename = "w", with = "pack::u16s")]
    longest: Vec<u16>,
}

/// The upper half of a 32-bit float, rounded: three digits are enough here.
fn shorten(number: f64) -> u16 {
    let bits = (number as f32).to_bits().saturating_add(0x8000);
    u16::try_from(bits >> 16).unwrap_or(u16::MAX)
}

fn lengthen(short: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(short) << 16))
}

/// Moves a mean towards the number that is the `of`-th, of at most [`MOST_GAPS`].
fn towards(mean: &mut u32, number: f64, of: u32) {
    let old = f64::from(f32::from_bits(*mean));
    *mean = ((old + (number - old) / f64::from(of.max(1))) as f32).to_bits();
}

/// Hours of the city since a Monday.
fn hour_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(HOUR) + TO_MONDAY
}

fn start_of(hour: i64) -> Timestamp {
    Timestamp::from_micros((hour - TO_MONDAY).saturating_mul(HOUR))
}

fn is_weekend(hour: i64) -> bool {
    hour.rem_euclid(WEEK) >= 5 * DAY
}

fn cell_of(hour: i64) -> usize {
    let of_day = hour.rem_euclid(DAY) + if is_weekend(hour) { DAY } else { 0 };
    usize::try_from(of_day).unwrap_or(0)
}

impl Rhythm {
    /// Of a device that is heard for the first time.
    pub(crate) fn begin(at: Timestamp) -> Self {
        let hour = hour_of(at);
        Self {
            cells: vec![0; CELLS],
            first: hour,
            hour,
            count: 0,
            gaps: 0,
            long_gaps: 0,
            share: 0,
            excess: 0,
            longest: vec![0; WEEKS],
        }
    }

    fn rate(&self, hour: i64) -> f64 {
        self.cells.get(cell_of(hour)).map_or(0.0, |cell| lengthen(*cell))
    }

    /// Events that are to be expected in a week.
    fn of_week(&self) -> f64 {
        let sum = |cells: Option<&[u16]>| cells.unwrap_or_default().iter().map(|cell| lengthen(*cell)).sum::<f64>();
        5.0 * sum(self.cells.get(..24)) + 2.0 * sum(self.cells.get(24..))
    }

    /// Events that were to be expected from one time to another.
    pub(crate) fn expected(&self, from: Timestamp, to: Timestamp) -> f64 {
        let (first, last) = (hour_of(from), hour_of(to).min(hour_of(from) + LONGEST));
        let mut sum = 0.0;
        for hour in first..=last {
            let (begin, end) = (start_of(hour).max(from), start_of(hour + 1).min(to));
            sum += self.rate(hour) * (end.since(begin).as_micros().max(0) as f64 / HOUR as f64);
        }
        sum
    }

    /// The device was heard, and before that at `last`. `counts` is false for what it stored and sent later; `was_silent`
    /// when it had been called silent.
    pub(crate) fn heard(&mut self, last: Timestamp, at: Timestamp, counts: bool, was_silent: bool, learnt: &Learnt) {
        if at < last {
            return;
        }
        let hour = hour_of(at);
        if hour - self.first >= FIRST_GAPS {
            self.learn_gap(hour, self.expected(last, at), was_silent, learnt);
        }
        self.close_hours(hour, was_silent);
        self.count = self.count.saturating_add(u32::from(counts));
    }

    fn learn_gap(&mut self, hour: i64, gap: f64, was_silent: bool, learnt: &Learnt) {
        let weeks = usize::try_from(hour.div_euclid(WEEK) - self.hour.div_euclid(WEEK)).unwrap_or(0).min(WEEKS);
        for _ in 0..weeks {
            self.longest.rotate_right(1);
            self.longest.iter_mut().take(1).for_each(|longest| *longest = 0);
        }
        if let Some(longest) = self.longest.first_mut() {
            *longest = (*longest).max(shorten(gap)); // positive floats are in the order of their bits
        }
        // What was a failure says little of the tail.
        let most = self.limit(learnt).filter(|_| was_silent).unwrap_or(f64::MAX);
        let excess = gap.min(most) - LONG;
        self.gaps = (self.gaps + 1).min(MOST_GAPS);
        towards(&mut self.share, f64::from(u8::from(excess > 0.0)), self.gaps);
        if excess > 0.0 {
            self.long_gaps = (self.long_gaps + 1).min(MOST_GAPS);
            towards(&mut self.excess, excess, self.long_gaps);
        }
    }

    /// Learns the hours that are over. Those in which it had been called silent are not its rhythm.
    fn close_hours(&mut self, hour: i64, was_silent: bool) {
        if hour <= self.hour {
            return;
        }
        if !was_silent {
            for closed in (self.hour..hour).take(usize::try_from(LONGEST).unwrap_or(0)) {
                let count = if closed == self.hour { self.count } else { 0 };
                self.learn_hour(closed, f64::from(count));
            }
        }
        (self.hour, self.count) = (hour, 0);
    }

    fn learn_hour(&mut self, hour: i64, count: f64) {
        let (seen, of_week) = (hour - self.first, if is_weekend(hour) { 2.0 } else { 5.0 });
        if seen <= 0 {
            return;
        }
        // Days of the kind so far, of which each hour had its own.
        let days = (seen as f64 / WEEK as f64 * of_week).floor() + 1.0;
        let mean = self.rate(hour);
        if let Some(cell) = self.cells.get_mut(cell_of(hour)) {
            *cell = shorten(mean + (count - mean) / days.min(MEMORY));
        }
    }

    /// How many events must have been expected in vain; `None` while too little is known.
    fn limit(&self, learnt: &Learnt) -> Option<f64> {
        let age = self.hour - self.first;
        if age < FIRST_JUDGED || self.gaps < LEAST_GAPS || self.long_gaps < LEAST_LONG_GAPS {
            return None;
        }
        let of_week = self.of_week();
        let number = |bits: u32| f64::from(f32::from_bits(bits));
        let long_a_year = of_week * WEEKS_OF_YEAR * number(self.share);
        // The mean excess is as sure as its gaps are many, and the expected as the events that it was learnt from.
        let learnt_from = of_week * (age as f64 / WEEK as f64).min(WEEKS_OF_MEMORY);
        let sure = f64::from(self.long_gaps).min(learnt_from).max(3.0);
        let odds = (long_a_year / learnt.a_year).max(1.0);
        let tail = LONG + number(self.excess).max(LEAST_EXCESS) * sure * (odds.powf(1.0 / sure) - 1.0);
        let mut longest = self.longest.clone();
        longest.sort_unstable();
        let usual = longest.get(WEEKS - 2).map_or(0.0, |second| lengthen(*second));
        Some(tail.max(usual * learnt.factor))
    }

    /// How long after `last` the device is silent; `None` while too little is known, and where it would take a season.
    pub(crate) fn span(&self, last: Timestamp, learnt: &Learnt) -> Option<Span> {
        let mut left = self.limit(learnt)?;
        let (first, weekly) = (hour_of(last), self.of_week());
        if left > weekly * (LONGEST / WEEK) as f64 {
            return None;
        }
        for hour in first..first + LONGEST {
            let begin = start_of(hour).max(last);
            let hours = start_of(hour + 1).since(begin).as_micros() as f64 / HOUR as f64;
            let here = self.rate(hour) * hours;
            if here >= left && here > 0.0 {
                let within = Span::from_micros((left / here * hours * HOUR as f64) as i64);
                return Some(begin.plus(within).since(last).max(learnt.least));
            }
            left -= here;
        }
        None
    }

    /// Why it is called silent, in words.
    pub(crate) fn why(&self, last: Timestamp, at: Timestamp) -> Text {
        let (gap, expected) = (whole_minutes(at.since(last)), self.expected(last, at));
        Text {
            zh: format!("已 {gap} 无任何消息,往常这段时间约有 {expected:.0} 条"),
            en: format!("nothing for {gap}, in which it usually says something about {expected:.0} times"),
        }
    }
}

fn whole_minutes(span: Span) -> Span {
    const MINUTE: i64 = 60_000_000;
    if span.as_micros() < MINUTE { span } else { Span::from_micros(span.as_micros() / MINUTE * MINUTE) }
}
