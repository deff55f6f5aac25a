//! What is usual: counts by time of the week, their middle and their spread.

use serde::{Deserialize, Serialize};

use super::pack;
use super::stats::tails;

/// Weeks that are remembered.
const WEEKS: usize = 8;
/// Values that the spread is estimated from, at most.
const SAMPLE: usize = 512;
/// The median of a chi-square variable with one degree of freedom.
const MEDIAN_OF_SQUARE: f64 = 0.455;
/// Bounds of the dispersion a, where the variance is m + a m².
const LEAST_DISPERSION: f64 = 0.02;
const MOST_DISPERSION: f64 = 4.0;
/// A slot that is usually empty is taken for half an event: one or two are no spike.
const LEAST_MEAN: f64 = 0.5;
/// The largest count that the packing holds.
const LARGEST: u32 = (1 << 30) - 2;

/// Counts of the last weeks by slot of the week; 0 for a slot that was not seen, else the count plus one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct History {
    #[serde(with = "pack::u30s")]
    cells: Vec<u32>,
}

/// What to expect of a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    mean: f64,
    variance: f64,
}

impl History {
    pub(crate) fn new(slots_of_week: i64) -> Self {
        Self { cells: vec![0; usize::try_from(slots_of_week).unwrap_or(1) * WEEKS] }
    }

    fn row(&self, number: i64) -> usize {
        let slots = i64::try_from(self.cells.len() / WEEKS).unwrap_or(1).max(1);
        usize::try_from(number.rem_euclid(slots)).unwrap_or(0)
    }

    fn cell(&mut self, number: i64) -> Option<&mut u32> {
        let slots = i64::try_from(self.cells.len() / WEEKS).unwrap_or(1).max(1);
        let week = usize::try_from(number.div_euclid(slots).rem_euclid(WEEKS as i64)).unwrap_or(0);
        let index = self.row(number) * WEEKS + week;
        self.cells.get_mut(index)
    }

    /// Learns the count of a slot; that of eight weeks before is forgotten.
    pub(crate) fn set(&mut self, number: i64, count: u32) {
        if let Some(cell) = self.cell(number) {
            *cell = count.min(LARGEST) + 1;
        }
    }

    /// Adds what came too late for its slot.
    pub(crate) fn add(&mut self, number: i64, count: u32) {
        if let Some(cell) = self.cell(number).filter(|cell| **cell > 0) {
            *cell = cell.saturating_add(count).min(LARGEST + 1);
        }
    }

    fn counts_of(cells: &[u32]) -> Vec<f64> {
        let mut counts: Vec<f64> = cells.iter().filter(|cell| **cell > 0).map(|cell| f64::from(cell - 1)).collect();
        counts.sort_by(f64::total_cmp);
        counts
    }

    /// What is usual in this slot; `None` with fewer than `min_weeks` counts of it.
    pub(crate) fn usual(&self, number: i64, min_weeks: u32) -> Option<Usual> {
        let row = self.row(number) * WEEKS;
        let counts = Self::counts_of(self.cells.get(row..row + WEEKS)?);
        if counts.len() < usize::try_from(min_weeks).unwrap_or(WEEKS).max(1) {
            return None;
        }
        let mean = middle(&counts);
        let weeks = counts.len() as f64;
        // A mean of few weeks is itself uncertain.
        let variance = mean + self.dispersion() * mean * mean + mean.max(LEAST_MEAN) / weeks;
        Some(Usual { mean, variance })
    }

    /// The dispersion that half of all counts lie within, pooled over the slots.
    fn dispersion(&self) -> f64 {
        let stride = (self.cells.len() / WEEKS).div_ceil(SAMPLE / WEEKS).max(1);
        let mut pairs = Vec::new();
        for row in self.cells.chunks(WEEKS).step_by(stride) {
            let counts = Self::counts_of(row);
            let mean = middle(&counts);
            if counts.len() >= 3 && mean >= 1.0 {
                let weeks = counts.len() as f64;
                let share = (weeks - 1.0) / weeks; // the mean was made from these very counts
                pairs.extend(counts.iter().map(|count| (mean, (count - mean) * (count - mean) / share)));
            }
        }
        let (mut low, mut high) = (LEAST_DISPERSION, MOST_DISPERSION);
        for _ in 0..12 {
            let tried = (low * high).sqrt();
            let mut ratios: Vec<f64> =
                pairs.iter().map(|(mean, square)| square / (mean + tried * mean * mean)).collect();
            let half = ratios.len() / 2;
            let median = if ratios.is_empty() { 0.0 } else { *ratios.select_nth_unstable_by(half, f64::total_cmp).1 };
            if median > MEDIAN_OF_SQUARE { low = tried } else { high = tried }
        }
        high
    }
}

/// The mean without the lowest and the highest of four or more; the middle one of fewer.
fn middle(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        1..=3 => sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
        many => sorted.get(1..many - 1).unwrap_or_default().iter().sum::<f64>() / (many - 2) as f64,
    }
}

impl Usual {
    /// For people: two digits after the point.
    pub(crate) fn expected(self) -> f64 {
        (self.mean * 100.0).round() / 100.0
    }

    fn above(self, count: u32) -> f64 {
        let mean = self.mean.max(LEAST_MEAN);
        tails(f64::from(count), mean, self.variance.max(mean)).0
    }

    /// The least count that is a spike.
    pub(crate) fn limit(self, alpha: f64) -> u32 {
        let is_spike = |count: u32| f64::from(count) > self.mean && self.above(count) < alpha;
        let mut high = 1;
        while !is_spike(high) && high < LARGEST {
            high = high.saturating_mul(2);
        }
        let mut low = high / 2;
        while low + 1 < high {
            let tried = low.midpoint(high);
            if is_spike(tried) { high = tried } else { low = tried }
        }
        high
    }

    /// Up, down, or neither.
    pub(crate) fn direction(self, count: u32, alpha: f64) -> Option<bool> {
        if count >= self.limit(alpha) {
            return Some(true);
        }
        let (_, below) = tails(f64::from(count), self.mean, self.variance);
        (f64::from(count) < self.mean && below < alpha).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven weeks of a slot that counts about `mean`, in a week of 24 slots.
    fn history(mean: u32) -> History {
        let mut history = History::new(24);
        for number in 0..24 * 7 {
            history.set(number, mean + u32::try_from(number * 7 % 5).unwrap());
        }
        history
    }

    #[test]
    fn far_from_the_usual_is_told_in_both_directions_and_near_is_not() {
        let usual = history(98).usual(24 * 7 + 3, 3).unwrap();
        assert!((98.0..103.0).contains(&usual.expected()), "{usual:?}");
        assert_eq!(usual.direction(105, 1e-5), None);
        assert_eq!(usual.direction(300, 1e-5), Some(true));
        assert_eq!(usual.direction(5, 1e-5), Some(false));
        let limit = usual.limit(1e-5);
        assert!(usual.above(limit) < 1e-5 && usual.above(limit - 1) >= 1e-5);
    }

    #[test]
    fn too_few_weeks_say_nothing_and_a_slot_not_seen_is_not_zero() {
        let mut history = History::new(24);
        history.set(3, 50);
        history.set(27, 50);
        assert!(history.usual(51, 3).is_none());
        history.set(51, 0);
        assert_eq!(history.usual(75, 3).unwrap().expected(), 50.0);
    }

    #[test]
    fn an_empty_slot_is_not_alarmed_by_two_events() {
        let mut history = History::new(24);
        (0..24 * 8).for_each(|number| history.set(number, 0));
        let usual = history.usual(24 * 8, 3).unwrap();
        assert_eq!(usual.direction(2, 1e-5), None);
        assert_eq!(usual.direction(0, 1e-5), None);
        assert_eq!(usual.direction(40, 1e-5), Some(true));
    }

    #[test]
    fn one_wild_week_does_not_widen_the_spread() {
        let mut history = history(98);
        let before = history.usual(24 * 7 + 3, 3).unwrap().limit(1e-5);
        (24 * 4..24 * 4 + 3).for_each(|number| history.set(number, 2_000));
        let after = history.usual(24 * 7 + 3, 3).unwrap().limit(1e-5);
        assert!(after <= before + 3, "{before} {after}");
    }
}
