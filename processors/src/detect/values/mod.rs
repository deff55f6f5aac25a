//! A streaming detector for numeric series (density, temperature, occupancy, load), with or without season, drift and steps.
//!
//! Eight features of a series (its value, levels, spread, running middles, and how far it is from the same time of the last
//! days), each in both directions, are compared with their own past: the surprise of a feature is how far it lies beyond its
//! largest values so far, as odds. The series is told at the most surprising of them. Whatever repeats stops being surprising, and every
//! alert makes the next one a little harder, so a wild series does not cry all day. Nothing depends on scale or offset,
//! and of time only the time of the day is used, to compare with the days before. See `docs/detection.md`.

mod days;
mod tail;
mod why;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use self::days::{Days, Of};
use self::tail::Tail;
pub use self::why::{Feature, Why};

/// The threshold of every score.
pub const THRESHOLD: f64 = 0.5;
/// The surprise, in decades, that is just an alert.
const ALERT: f64 = 3.35;
/// How much of the threshold every alert adds to it, and over how many rows that is forgotten.
const FATIGUE: f64 = 0.1;
const FATIGUE_ROWS: f64 = 5_000.0;
/// Rows after an alert in which there is no other.
const REST: u32 = 100;
/// The surprises of all features become one by this norm: nearly the largest.
const NORM: f64 = 8.0;
/// Rows that the levels forget in.
const LEVELS: [f64; 4] = [4.0, 16.0, 64.0, 256.0];
/// Rows of the running middles and of the spread.
const SHORT: usize = 9;
const SPREAD: usize = 16;
const LONG: usize = 25;
/// Differences below this share of the numbers themselves are rounding.
const ROUNDING: f64 = 1e-12;

/// The state of one series: about 8 KB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Values {
    /// Rows with a value so far.
    #[serde(rename = "n")]
    seen: u32,
    /// The first value; all others are kept relative to it.
    #[serde(rename = "f")]
    first: f64,
    #[serde(rename = "l")]
    levels: [f64; 4],
    #[serde(rename = "r")]
    recent: VecDeque<f64>,
    #[serde(rename = "d")]
    days: Days,
    /// By feature, upwards and downwards.
    #[serde(rename = "t")]
    tails: Vec<(Tail, Tail)>,
    /// What the alerts so far add to the threshold, as a share of it.
    #[serde(rename = "a")]
    fatigue: f64,
    /// Rows until the next alert may come.
    #[serde(rename = "q")]
    rest: u32,
}

/// What a row amounts to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// From 0 to 1; [`THRESHOLD`] or more is an alert.
    pub score: f64,
    /// What is most surprising; absent when nothing is.
    pub why: Option<Why>,
}

impl Values {
    /// The state before the first row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Scores the next row, then learns from it. `at` is local wall time in seconds; a missing value scores 0 and changes
    /// nothing, and so does one that is no finite number.
    pub fn row(&mut self, at: i64, value: Option<f64>) -> Verdict {
        let Some(value) = value.filter(|value| value.is_finite()) else { return Verdict::default() };
        if self.seen == 0 {
            self.first = value;
            self.tails = vec![Default::default(); Feature::ALL.len()];
        }
        let seen = f64::from(self.seen);
        self.seen = self.seen.saturating_add(1);
        let features = self.features(at, value);
        let rounding = ROUNDING * self.first.abs().max(value.abs());
        let mut sum = 0.0;
        let mut most: Option<(f64, Why)> = None;
        for ((feature, number), (above, below)) in Feature::ALL.into_iter().zip(features).zip(&mut self.tails) {
            for (tail, sign) in [(above, 1.0), (below, -1.0)] {
                let surprise = tail.surprise(number * sign, seen, rounding);
                sum += surprise.powf(NORM);
                if surprise > most.as_ref().map_or(0.0, |(most, _)| *most) {
                    let offset = if feature.is_a_value() { self.first } else { 0.0 };
                    let limit = tail.limit().unwrap_or_default() * sign + offset;
                    most = Some((
                        surprise,
                        Why { feature, is_high: sign > 0.0, seen: number + offset, limit, rows: self.seen },
                    ));
                }
                tail.learn(number * sign);
            }
        }
        let score = self.score(sum.powf(1.0 / NORM));
        Verdict { score, why: most.map(|(_, why)| why) }
    }

    /// In the order of [`Feature::ALL`].
    fn features(&mut self, at: i64, value: f64) -> [f64; 8] {
        let number = value - self.first;
        let count = f64::from(self.seen);
        for (level, rows) in self.levels.iter_mut().zip(LEVELS) {
            *level += (number - *level) * (1.0 / rows).max(1.0 / count);
        }
        let [instant, short, long, base] = self.levels;
        self.recent.push_back(number);
        if self.recent.len() > LONG {
            self.recent.pop_front();
        }
        let ends = self.recent.iter().rev().take(SPREAD).fold((number, number), |(l, m), n| (n.min(l), n.max(m)));
        let same_time = self.days.distance(at, number, Of::Value);
        let same_time_level = self.days.distance(at, short, Of::Level);
        self.days.learn(at, number, short);
        let middles = (self.middle(SHORT), self.middle(LONG));
        [number, instant - long, long - base, ends.1 - ends.0, middles.0, middles.1, same_time, same_time_level]
    }

    /// The middle one of the last values.
    fn middle(&self, rows: usize) -> f64 {
        let mut last: Vec<f64> = self.recent.iter().rev().take(rows).copied().collect();
        last.sort_by(f64::total_cmp);
        last.get(last.len() / 2).copied().unwrap_or_default()
    }

    fn score(&mut self, surprise: f64) -> f64 {
        self.fatigue *= 1.0 - 1.0 / FATIGUE_ROWS;
        let score = surprise / (surprise + ALERT * (1.0 + self.fatigue));
        if self.rest > 0 {
            self.rest -= 1;
            return score.min(THRESHOLD - 1e-3);
        }
        if score >= THRESHOLD {
            self.rest = REST;
            self.fatigue += FATIGUE;
        }
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two weeks of a day with a busy noon, every five minutes, with a little noise.
    fn rows(days: i64) -> impl Iterator<Item = (i64, f64)> {
        (0..days * 288).map(|row| {
            let noon = (-((row % 288 - 144) as f64 / 40.0).powi(2)).exp();
            (row * 300, 20.0 + 30.0 * noon + (row * 7_919 % 101) as f64 / 100.0)
        })
    }

    fn alerts(rows: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, Why)> {
        let mut values = Values::new();
        let scored = rows.map(|(at, value)| (at, values.row(at, Some(value))));
        scored.filter(|(_, v)| v.score >= THRESHOLD).filter_map(|(at, v)| Some((at, v.why?))).collect()
    }

    #[test]
    fn a_busy_hour_at_night_is_told_and_the_same_at_noon_is_not() {
        let night = 12 * 86_400 + 2 * 3_600;
        let odd = |(at, value)| (at, if (night..night + 3_600).contains(&at) { 45.0 } else { value });
        let told = alerts(rows(14).map(odd));
        assert!(told.iter().any(|(at, _)| (night..night + 3_600).contains(at)), "{told:?}");
        let quiet = alerts(rows(14));
        assert!(!quiet.iter().any(|(at, _)| *at >= 10 * 86_400), "{quiet:?}");
    }

    #[test]
    fn a_row_depends_on_the_rows_before_it_alone_and_not_on_scale_or_weeks() {
        let run = |rows: Vec<(i64, f64)>| {
            let mut values = Values::new();
            rows.into_iter().map(|(at, value)| values.row(at, Some(value)).score).collect::<Vec<_>>()
        };
        let whole = run(rows(9).collect());
        assert_eq!(run(rows(5).collect()), whole[..5 * 288]);
        assert_eq!(run(rows(9).map(|(at, v)| (at + 52 * 7 * 86_400, v)).collect()), whole);
        let moved = run(rows(9).map(|(at, v)| (at, v * 3.7 + 11.0)).collect());
        assert!(whole.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    #[test]
    fn state_survives_its_text_in_the_middle_of_a_series() {
        let (mut straight, mut restored) = (Values::new(), Values::new());
        for (row, (at, value)) in rows(9).enumerate() {
            if row % 500 == 0 {
                let text = serde_json::to_string(&restored).unwrap();
                assert!(text.len() < 16_000, "{}", text.len());
                restored = serde_json::from_str(&text).unwrap();
            }
            assert_eq!(straight.row(at, Some(value)).score, restored.row(at, Some(value)).score, "row {row}");
        }
    }

    #[test]
    fn missing_is_not_zero_and_a_flat_series_is_quiet() {
        let mut values = Values::new();
        for row in 0..2_000 {
            let value = (row % 3 > 0).then_some(21.5);
            assert_eq!(values.row(row * 60, value).score, 0.0);
        }
        assert_eq!(values.row(2_000 * 60, Some(f64::NAN)).score, 0.0);
        assert!(values.row(2_001 * 60, Some(25.0)).score >= THRESHOLD);
    }
}
