//! What the series did at this time of the day: yesterday, the day before, and a week ago.

use serde::{Deserialize, Serialize};

use crate::detect::pack;

/// A bin of the day, seconds.
const BIN: i64 = 1_800;
const BINS_OF_DAY: i64 = 86_400 / BIN;
/// Days ago that today is compared with. To be like one of them is enough: an odd day is no measure for the day after it, and
/// a Saturday is like the last one.
const DAYS_AGO: [i64; 3] = [1, 2, 7];
/// Bins that are kept: a week and one bin to either side.
const KEPT: i64 = 7 * BINS_OF_DAY + 2;
/// Numbers of a bin: least and most value, least and most level.
const WIDTH: i64 = 4;

/// The ranges of value and level by half-hour, of one week.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Days {
    /// The bin entered last.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    newest: Option<i64>,
    /// By bin modulo [`KEPT`]; not a number where nothing was seen. Short numbers: they are kept relative to the first value.
    #[serde(rename = "b", with = "pack::f32s")]
    bins: Vec<f32>,
}

/// Numbers are kept short: what differs by less than this share is the same.
const ROUNDING: f64 = 1e-6;

/// Which pair of a bin's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Value,
    Level,
}

impl Days {
    fn index(bin: i64, number: i64) -> usize {
        usize::try_from(bin.rem_euclid(KEPT) * WIDTH + number).unwrap_or(0)
    }

    fn range(&self, bin: i64, of: Of) -> Option<(f64, f64)> {
        if self.newest.is_none_or(|newest| bin > newest || bin <= newest - KEPT) {
            return None;
        }
        let first = match of {
            Of::Value => 0,
            Of::Level => 2,
        };
        let least = f64::from(*self.bins.get(Self::index(bin, first))?);
        let most = f64::from(*self.bins.get(Self::index(bin, first + 1))?);
        (least <= most).then_some((least, most))
    }

    /// How far `number` lies above (or below, negative) the nearest of the days that it is compared with; 0 when it lies
    /// within the range of one of them, half an hour early or late included.
    pub(super) fn distance(&self, at: i64, number: f64, of: Of) -> f64 {
        let bin = at.div_euclid(BIN);
        let mut nearest: Option<f64> = None;
        for days in DAYS_AGO {
            let then = bin - days * BINS_OF_DAY;
            let ranges = (then - 1..=then + 1).filter_map(|bin| self.range(bin, of));
            let Some((least, most)) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { continue };
            let beyond = number - number.clamp(least, most);
            let rounding = ROUNDING * least.abs().max(most.abs());
            let distance = if beyond.abs() > rounding { beyond } else { 0.0 };
            nearest = Some(match nearest {
                None => distance,
                Some(other) if other * distance <= 0.0 => 0.0, // above one day and below another is between them
                Some(other) if distance.abs() < other.abs() => distance,
                Some(other) => other,
            });
        }
        nearest.unwrap_or(0.0)
    }

    pub(super) fn learn(&mut self, at: i64, value: f64, level: f64) {
        let bin = at.div_euclid(BIN);
        if self.bins.is_empty() {
            self.bins = vec![f32::NAN; usize::try_from(KEPT * WIDTH).unwrap_or(0)];
        }
        let newest = *self.newest.get_or_insert(bin);
        if bin <= newest - KEPT {
            return; // a clock that went back by more than a week
        }
        for passed in (newest + 1..=bin).rev().take(usize::try_from(KEPT).unwrap_or(0)) {
            self.number(passed, |numbers| numbers.fill(f32::NAN));
        }
        self.newest = Some(newest.max(bin));
        self.number(bin, |numbers| {
            if let [least_value, most_value, least_level, most_level] = numbers {
                // `min` and `max` prefer a number to what is not one.
                *least_value = least_value.min(value as f32);
                *most_value = most_value.max(value as f32);
                *least_level = least_level.min(level as f32);
                *most_level = most_level.max(level as f32);
            }
        });
    }

    fn number(&mut self, bin: i64, change: impl FnOnce(&mut [f32])) {
        let first = Self::index(bin, 0);
        if let Some(numbers) = self.bins.get_mut(first..first + usize::try_from(WIDTH).unwrap_or(0)) {
            change(numbers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_day_is_no_measure_for_the_day_after_it() {
        let mut days = Days::default();
        for hour in 0..24 * 9 {
            let value = if (24 * 8..24 * 9).contains(&hour) { 90.0 } else { f64::from(hour % 24) };
            days.learn(i64::from(hour) * 3_600, value, value);
        }
        let tenth = 24 * 9 * 3_600;
        assert_eq!(days.distance(tenth + 5 * 3_600, 5.0, Of::Value), 0.0, "as the day before yesterday");
        assert!(days.distance(tenth + 5 * 3_600, 200.0, Of::Value) > 100.0);
        assert!(days.distance(tenth + 5 * 3_600, -20.0, Of::Level) < -20.0);
    }

    #[test]
    fn a_gap_of_months_leaves_nothing_to_compare_with() {
        let mut days = Days::default();
        (0..24 * 9).for_each(|hour| days.learn(hour * 3_600, 1.0, 1.0));
        days.learn(200 * 86_400, 1.0, 1.0);
        assert_eq!(days.distance(201 * 86_400 + 3_600 * 12, 50.0, Of::Value), 0.0);
        assert_eq!(days.distance(201 * 86_400, 50.0, Of::Value), 49.0);
    }
}
