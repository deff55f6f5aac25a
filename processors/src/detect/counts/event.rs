//! Is something going on that does not belong to the time of the week? A two-state filter over sums of half an hour.
//!
//! In the usual state a sum is negative binomial around its usual rate; in the event state a wide excess comes on top (Ihler,
//! Hutchins and Smyth 2006, made causal and with over-dispersion). A second filter of the same form looks for a lack.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::detect::stats::ln_gamma;

/// Rows are added up over this span, seconds, when they are finer.
const SPAN: i64 = 1_800;
/// The chance that an event begins or ends with a row.
const BEGINS: f64 = 0.02;
const ENDS: f64 = 0.25;
/// An event brings about so many more, and so much more of the usual.
const EXCESS: f64 = 12.0;
const EXCESS_SHARE: f64 = 0.4;
/// What is left of the usual rate in a lack.
const LEFT: f64 = 0.25;
/// One row alone counts for at most, and against at most, in nats.
const MOST_FOR: f64 = 12.0;
const MOST_AGAINST: f64 = -6.0;
/// The same for the filter that asks whether it is beyond all measure.
const MOST_GROSS: f64 = 400.0;
/// Bounds of the dispersion a: the variance is m + a m².
const LEAST_DISPERSION: f64 = 0.002;
const MOST_DISPERSION: f64 = 0.5;
const FIRST_DISPERSION: f64 = 0.05;
/// The share of the learnt dispersion that is used: it is learnt below a low quantile, where it looks larger.
const DISPERSION_SHARE: f64 = 0.4;
/// Half of the rows below the usual rate lie within so many standard deviations of it.
const HALF_WITHIN: f64 = 0.55;
const LEAST_MEAN: f64 = 3.0;

/// One of the two-state filters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Filter {
    /// The chance that the state holds.
    #[serde(rename = "p")]
    chance: f64,
    /// Since when it is more likely than not.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    began: Option<i64>,
    #[serde(rename = "s")]
    seen: f64,
    #[serde(rename = "e")]
    expected: f64,
}

/// What a filter believes after a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    /// The log of the odds that the state holds, in nats.
    pub(super) odds: f64,
    pub(super) began: i64,
    /// Counted and expected since it began.
    pub(super) seen: f64,
    pub(super) expected: f64,
}

impl Filter {
    fn prior(&self) -> f64 {
        self.chance * (1.0 - ENDS) + (1.0 - self.chance) * BEGINS
    }

    fn step(&mut self, evidence: f64, at: i64, count: f64, rate: f64) -> Belief {
        let prior = self.prior();
        let odds = (prior / (1.0 - prior)).ln() + evidence;
        self.chance = (1.0 / (1.0 + (-odds).exp())).min(1.0 - 1e-9);
        if odds <= 0.0 {
            (self.began, self.seen, self.expected) = (None, 0.0, 0.0);
            return Belief { odds, began: at, seen: count, expected: rate };
        }
        let began = *self.began.get_or_insert(at);
        self.seen += count;
        self.expected += rate;
        Belief { odds, began, seen: self.seen, expected: self.expected }
    }

    fn miss(&mut self) {
        self.chance = self.prior();
    }
}

/// What all filters believe after a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beliefs {
    pub(super) event: Belief,
    /// The event filter without a bound on what one row says.
    pub(super) gross: Belief,
    pub(super) lack: Belief,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Events {
    #[serde(rename = "e")]
    event: Filter,
    #[serde(rename = "g")]
    gross: Filter,
    #[serde(rename = "l")]
    lack: Filter,
    /// The log of the dispersion, and the rows that it was learnt from.
    #[serde(rename = "d")]
    dispersion: f64,
    #[serde(rename = "n")]
    rows: f64,
    /// When, how many and how many usually, of the last half-hour.
    #[serde(rename = "r")]
    recent: VecDeque<(i64, f64, f64)>,
}

impl Events {
    pub(super) fn new() -> Self {
        let filter = Filter { chance: BEGINS, ..Filter::default() };
        Self {
            event: filter.clone(),
            gross: filter.clone(),
            lack: filter,
            dispersion: FIRST_DISPERSION.ln(),
            rows: 0.0,
            recent: VecDeque::new(),
        }
    }

    pub(super) fn dispersion(&self) -> f64 {
        (self.dispersion.exp() * DISPERSION_SHARE).clamp(LEAST_DISPERSION, MOST_DISPERSION)
    }

    pub(super) fn miss(&mut self) {
        for filter in [&mut self.event, &mut self.gross, &mut self.lack] {
            filter.miss();
        }
    }

    pub(super) fn row(&mut self, at: i64, step: i64, count: f64, rate: f64) -> Beliefs {
        self.recent.push_back((at, count, rate));
        while self.recent.front().is_some_and(|(first, ..)| at - first >= SPAN.max(step)) {
            self.recent.pop_front();
        }
        let (sum, usual) = self.recent.iter().fold((0.0, 0.0), |(sum, usual), row| (sum + row.1, usual + row.2));
        let over = self.dispersion() * usual * usual;
        let excess = EXCESS + EXCESS_SHARE * usual;
        let normal = ln_chance(sum, usual, usual + over);
        let event = ln_chance(sum, usual + excess, usual + excess + excess * excess + over) - normal;
        let left = LEFT * usual;
        let lack = ln_chance(sum, left, left + over * LEFT) - normal;
        // The other states are so wide that they would explain what lies on the wrong side as well.
        let (event, lack) = if sum > usual { (event, lack.min(0.0)) } else { (event.min(0.0), lack) };
        let bounded = |evidence: f64, most: f64| evidence.clamp(MOST_AGAINST, most);
        let beliefs = Beliefs {
            event: self.event.step(bounded(event, MOST_FOR), at, count, rate),
            gross: self.gross.step(bounded(event, MOST_GROSS), at, count, rate),
            lack: self.lack.step(bounded(lack, MOST_GROSS), at, count, rate),
        };
        self.learn(sum, usual, step);
        beliefs
    }

    /// Moves the dispersion so that half of the rows below the usual rate lie where they should: rows above may be events.
    fn learn(&mut self, sum: f64, usual: f64, step: i64) {
        if usual <= LEAST_MEAN || sum >= usual {
            return;
        }
        let weight = (step as f64 / SPAN as f64).min(1.0); // overlapping sums say the same several times
        self.rows += weight;
        let pace = (6.0 / (self.rows + 200.0)).max(0.005) * weight;
        let deviation = (usual - sum) / (usual + self.dispersion() * usual * usual).sqrt();
        self.dispersion += if deviation > HALF_WITHIN { pace } else { -pace };
        self.dispersion = self.dispersion.clamp(LEAST_DISPERSION.ln(), MOST_DISPERSION.ln());
    }
}

/// The log of the chance of a count under a negative binomial distribution.
fn ln_chance(count: f64, mean: f64, variance: f64) -> f64 {
    let over = variance - mean;
    if over < 1e-6 * mean {
        return count * mean.ln() - mean - ln_gamma(count + 1.0);
    }
    let size = mean * mean / over;
    ln_gamma(count + size) - ln_gamma(size) - ln_gamma(count + 1.0)
        + size * (size / (size + mean)).ln()
        + count * (mean / (size + mean)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_add_up_to_one() {
        for (mean, variance) in [(3.0, 3.0), (10.0, 25.0), (0.3, 0.5)] {
            let sum: f64 = (0..400).map(|count| ln_chance(f64::from(count), mean, variance).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{mean} {variance}: {sum}");
        }
    }

    #[test]
    fn an_event_is_believed_within_two_rows_and_forgotten_after_it() {
        let mut events = Events::new();
        let run = |events: &mut Events, from: i64, count: f64| {
            (from..from + 4).fold(None, |_, row| Some(events.row(row * 1_800, 1_800, count, 10.0))).unwrap()
        };
        assert!(run(&mut events, 0, 12.0).event.odds < 0.0);
        let during = run(&mut events, 4, 60.0);
        assert!(during.event.odds > 8.0 && during.event.began == 4 * 1_800 && during.event.seen == 240.0);
        assert!(run(&mut events, 8, 9.0).event.odds < 0.0);
    }

    #[test]
    fn a_lack_is_believed_when_little_is_left_of_much() {
        let mut events = Events::new();
        let told = (0..3).fold(None, |_, row| Some(events.row(row * 3_600, 3_600, 10.0, 400.0))).unwrap();
        assert!(told.lack.odds > 20.0 && told.event.odds < 0.0, "{told:?}");
    }
}
