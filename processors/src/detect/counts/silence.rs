//! Zeros in a row that cannot be chance: the device is dead, which is another thing than a quiet day.

use serde::{Deserialize, Serialize};

/// The chance of such a run that is believed to be chance.
const CHANCE: f64 = 1e-7;
/// The dispersion of a run's sum is bounded, or a wild series could never be called dead.
const MOST_DISPERSION: f64 = 0.3;
/// A run must be this much longer than the longest that was nothing, and have so many rows and seconds.
const LONGER: f64 = 1.5;
const LEAST_ROWS: u32 = 3;
const LEAST_SPAN: i64 = 2 * 3_600;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Silence {
    /// When the run of zeros that goes on began.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(rename = "n")]
    rows: u32,
    #[serde(rename = "e")]
    expected: f64,
    /// The rows of the longest run that ended without having been told.
    #[serde(rename = "l")]
    longest: u32,
    #[serde(rename = "t")]
    is_told: bool,
}

/// A device that has fallen silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silent {
    pub(super) from: i64,
    pub(super) expected: f64,
}

impl Silence {
    /// True from the row that told it to the last zero.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// Looks at the next row; the silence when this row makes it certain. `usual` is the middle count of such a row.
    pub(super) fn row(&mut self, at: i64, count: f64, usual: f64, dispersion: f64) -> Option<Silent> {
        if count > 0.0 {
            if !self.is_told {
                self.longest = self.longest.max(self.rows);
            }
            *self = Self { longest: self.longest, ..Self::default() };
            return None;
        }
        let from = *self.from.get_or_insert(at);
        self.rows = self.rows.saturating_add(1);
        self.expected += usual;
        if self.is_told || self.rows < LEAST_ROWS || at - from < LEAST_SPAN {
            return None;
        }
        // The whole run shares one factor: no chance of many small chances.
        let dispersion = dispersion.clamp(1e-3, MOST_DISPERSION);
        let chance = (1.0 + dispersion * self.expected).powf(-1.0 / dispersion);
        self.is_told = chance < CHANCE && f64::from(self.rows) > LONGER * f64::from(self.longest);
        self.is_told.then_some(Silent { from, expected: self.expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: impl Iterator<Item = f64>, usual: f64) -> usize {
        let mut silence = Silence::default();
        (0..).zip(rows).filter_map(|(row, count)| silence.row(row * 3_600, count, usual, 0.1)).count()
    }

    #[test]
    fn a_dead_device_is_told_once_however_long_it_is_dead() {
        let rows = (0..2_000).map(|row| if (200..1_500).contains(&row) { 0.0 } else { 40.0 });
        assert_eq!(told(rows, 40.0), 1);
    }

    #[test]
    fn a_place_that_is_closed_as_usual_is_not_dead() {
        assert_eq!(told((0..2_000).map(|_| 0.0), 0.0), 0);
        let nights = (0..2_000).map(|row| if row % 24 < 9 { 0.0 } else { 100.0 });
        assert_eq!(told(nights.clone(), 0.1), 0);
    }
}
