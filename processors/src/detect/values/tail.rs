//! How surprising a number is among those seen before, from its largest ones alone.

use serde::{Deserialize, Serialize};

use crate::detect::pack;

/// Past values that are kept: the largest.
const KEPT: usize = 16;
/// The shape of the tail beyond them: 0 is an exponential one, more is heavier.
const SHAPE: f64 = 0.07;
/// The scale of the tail is at least this share of the range seen: else the second small step of a flat series is a wonder.
const LEAST_SCALE: f64 = 0.01;
/// No surprise is larger, in decades: the first step of a flat series has no scale at all.
const MOST: f64 = 30.0;

/// The upper tail of one feature (peaks over threshold, as in Siffer et al. 2017, with a fixed shape).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tail {
    /// The largest values, the smallest of them first.
    #[serde(rename = "t", with = "pack::f64s")]
    largest: Vec<f64>,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    least: Option<f64>,
}

impl Tail {
    /// What is usually not passed: the smallest of the largest values.
    pub(super) fn limit(&self) -> Option<f64> {
        self.largest.first().copied().filter(|_| self.largest.len() == KEPT)
    }

    /// The decimal logarithm of the odds against `value`, 0 when it is nothing special. `seen` is how many values came
    /// before; differences of `rounding` are none.
    pub(super) fn surprise(&self, value: f64, seen: f64, rounding: f64) -> f64 {
        let Some(limit) = self.limit().filter(|limit| value > *limit + rounding) else { return 0.0 };
        let (Some(least), Some(most)) = (self.least, self.largest.last().copied()) else { return 0.0 };
        let excess = self.largest.iter().map(|large| large - limit).sum::<f64>() / KEPT as f64;
        let scale = excess.max(LEAST_SCALE * (most - least)).max(rounding).max(f64::MIN_POSITIVE);
        let beyond = (SHAPE * (value - limit) / scale).ln_1p() / std::f64::consts::LN_10 / SHAPE;
        ((seen / KEPT as f64).log10() + beyond).min(MOST)
    }

    pub(super) fn learn(&mut self, value: f64) {
        self.least = Some(self.least.map_or(value, |least| least.min(value)));
        if self.largest.len() == KEPT {
            if self.largest.first().is_some_and(|limit| value <= *limit) {
                return;
            }
            self.largest.remove(0);
        }
        let position = self.largest.partition_point(|large| *large < value);
        self.largest.insert(position, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_extreme_stops_being_surprising() {
        let mut tail = Tail::default();
        (0..1_000).for_each(|number| tail.learn(f64::from(number % 7)));
        let first = tail.surprise(50.0, 1_000.0, 0.0);
        (0..40).for_each(|_| tail.learn(50.0));
        assert!(first > 5.0 && tail.surprise(50.0, 1_040.0, 0.0) == 0.0, "{first}");
    }

    #[test]
    fn surprise_does_not_depend_on_scale_or_offset() {
        let (mut plain, mut moved) = (Tail::default(), Tail::default());
        for number in 0..500 {
            let value = f64::from(number * 37 % 101);
            plain.learn(value);
            moved.learn(value * 3.5 - 1_000.0);
        }
        let (one, other) = (plain.surprise(130.0, 500.0, 0.0), moved.surprise(130.0 * 3.5 - 1_000.0, 500.0, 0.0));
        assert!(one > 1.0 && (one - other).abs() < 1e-9, "{one} {other}");
    }
}
