//! The counts of the last eight weeks by time of the day.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::detect::pack;

pub(super) const DAY: i64 = 86_400;
/// A finer history than this is not kept, seconds.
const FINEST: i64 = 1_800;
/// Days that are kept.
const KEPT: usize = 56;
/// A day is judged by at most so many parts.
const MOST_PARTS: usize = 24;

/// One day: the mean count of a row in each bin, not a number where there was none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Day {
    #[serde(rename = "d")]
    pub(super) number: i64,
    #[serde(rename = "m", with = "pack::f32s")]
    means: Vec<f32>,
}

impl Day {
    fn new(number: i64, bins: usize) -> Self {
        Self { number, means: vec![f32::NAN; bins] }
    }

    pub(super) fn mean(&self, bin: usize) -> Option<f64> {
        self.means.get(bin).copied().filter(|mean| !mean.is_nan()).map(f64::from)
    }

    /// True when it was seen and something was counted.
    fn is_alive(&self) -> bool {
        self.means.iter().any(|mean| *mean > 0.0)
    }

    /// Saturday or Sunday.
    pub(super) fn is_weekend(number: i64) -> bool {
        (number + 3).rem_euclid(7) >= 5 // the epoch was a Thursday
    }
}

/// Closed days and the one that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct History {
    /// Seconds from row to row.
    #[serde(rename = "s")]
    step: i64,
    #[serde(rename = "d")]
    days: VecDeque<Day>,
    #[serde(rename = "t")]
    today: Day,
    /// Rows in each bin of today.
    #[serde(rename = "r")]
    rows: Vec<u32>,
}

impl History {
    pub(super) fn new(step: i64, first_day: i64) -> Self {
        let bins = Self::bins_for(step);
        Self { step, days: VecDeque::new(), today: Day::new(first_day, bins), rows: vec![0; bins] }
    }

    fn bins_for(step: i64) -> usize {
        usize::try_from(DAY / step.clamp(FINEST, DAY)).unwrap_or(1).max(1)
    }

    /// Bins of a day.
    pub(super) fn bins(&self) -> usize {
        self.rows.len()
    }

    /// Parts of a day, each a whole number of bins.
    pub(super) fn parts(&self) -> usize {
        (1..=MOST_PARTS).rev().find(|parts| self.bins().is_multiple_of(*parts)).unwrap_or(1)
    }

    /// Rows in a part of the day, when none is missing.
    pub(super) fn rows_of_part(&self) -> f64 {
        DAY as f64 / self.parts() as f64 / self.step as f64
    }

    pub(super) fn bin(&self, at: i64) -> usize {
        let bins = i64::try_from(self.bins()).unwrap_or(1);
        usize::try_from(at.rem_euclid(DAY) * bins / DAY).unwrap_or(0)
    }

    pub(super) fn today(&self) -> &Day {
        &self.today
    }

    /// The closed days in which something was counted, the latest first.
    pub(super) fn past(&self) -> impl Iterator<Item = &Day> + Clone {
        self.days.iter().rev()
    }

    /// Closes the running day when `day` is another one. True when it was.
    pub(super) fn turn_to(&mut self, day: i64) -> bool {
        if day == self.today.number {
            return false;
        }
        let bins = self.bins();
        let closed = std::mem::replace(&mut self.today, Day::new(day, bins));
        if closed.is_alive() {
            self.days.push_back(closed);
        }
        if self.days.len() > KEPT {
            self.days.pop_front();
        }
        self.rows = vec![0; bins];
        true
    }

    pub(super) fn learn(&mut self, at: i64, count: f64) {
        let bin = self.bin(at);
        if let (Some(mean), Some(rows)) = (self.today.means.get_mut(bin), self.rows.get_mut(bin)) {
            *rows += 1;
            *mean = if *rows == 1 { count as f32 } else { *mean + (count as f32 - *mean) / *rows as f32 };
        }
    }

    /// Takes out what was learnt from `from` on: it was a dead device, not a quiet place.
    pub(super) fn forget_since(&mut self, from: i64) {
        let (day, bin) = (from.div_euclid(DAY), self.bin(from));
        for kept in self.days.iter_mut().chain([&mut self.today]).filter(|kept| kept.number >= day) {
            let first = if kept.number == day { bin } else { 0 };
            kept.means.iter_mut().skip(first).for_each(|mean| *mean = f32::NAN);
        }
        let first = if self.today.number == day { bin } else { 0 };
        self.rows.iter_mut().skip(first).for_each(|rows| *rows = 0);
        self.days.retain(Day::is_alive);
    }

    /// The count of a part of a day, made up for bins that are missing; `None` when all are.
    pub(super) fn part(&self, day: &Day, part: usize) -> Option<f64> {
        let width = self.bins() / self.parts();
        let means: Vec<f64> = (part * width..(part + 1) * width).filter_map(|bin| day.mean(bin)).collect();
        let sum: f64 = means.iter().sum();
        (!means.is_empty()).then(|| sum / means.len() as f64 * self.rows_of_part())
    }
}
