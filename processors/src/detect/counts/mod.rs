//! A detector for counts: people in and out, passages, arrivals.
//!
//! Three questions are asked of every row. Is something going on that does not belong to this time of the week (an event, or a
//! lack)? At the last row of a day: was the whole day unlike its kind? And are these zeros a dead device? Only the past is
//! used; nothing is told in the first two weeks. See `docs/detection.md`.

mod day;
mod event;
mod history;
mod silence;
mod usual;
mod why;

use serde::{Deserialize, Serialize};

use self::day::{Days, Judgement};
use self::event::{Beliefs, Events};
use self::history::{DAY, History};
use self::silence::Silence;
use self::usual::Usual;
pub use self::why::{What, Why};
pub use super::values::THRESHOLD;

/// Days in which nothing is told.
const QUIET_DAYS: i64 = 14;
/// Steps between rows that are looked at before the length of a row is known.
const STEPS: usize = 5;
/// The log odds of an event that are just an alert, and how soft that is.
const EVENT: (f64, f64) = (8.0, 3.0);
/// The same for what is beyond all measure, in either direction.
const GROSS: (f64, f64) = (100.0, 20.0);
/// The same for a lack, in fine rows.
const LACK: (f64, f64) = (25.0, 5.0);
/// The same for the deviation of a whole day.
const WHOLE_DAY: (f64, f64) = (3.4, 1.0);
/// In rows of an hour or more an event only ranks: an hour is too coarse to tell an event from a busy hour. Rows of this
/// length (seconds) and less tell it in full.
const FINE: f64 = 1_800.0;
const COARSE_LOSS: f64 = 0.55;
/// In fine rows what matters in a day was told when it came: the day as a whole must be odder, and ranks behind events.
const FINE_LOSS: f64 = 0.45;
/// The score of a dead device: certain, but no danger.
const SILENT: f64 = 0.55;

/// The state of one series: about 13 KB with rows of half an hour or less, 7 KB with hourly ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// The length of a row in seconds, and the lengths seen until it is known.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    step: Option<i64>,
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<i64>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    model: Option<Model>,
}

/// What a row amounts to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// From 0 to 1; [`THRESHOLD`] or more is an alert.
    pub score: f64,
    /// What speaks for it most; absent when nothing does.
    pub why: Option<Why>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Model {
    #[serde(rename = "s")]
    step: i64,
    /// The first day.
    #[serde(rename = "f")]
    first: i64,
    #[serde(rename = "h")]
    history: History,
    #[serde(rename = "e")]
    events: Events,
    #[serde(rename = "d")]
    days: Days,
    #[serde(rename = "z")]
    silence: Silence,
    /// The day that was judged last, and the one in which an event or a silence was told: that is not told again as a day.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    judged: Option<i64>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    told: Option<i64>,
    /// Today's, made again from the history when it is not there.
    #[serde(skip)]
    usual: Option<Usual>,
}

fn soft(value: f64, (middle, width): (f64, f64)) -> f64 {
    1.0 / (1.0 + (-(value - middle) / width).exp())
}

impl Counts {
    /// The state before the first row; the length of a row is learnt from the first few.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The state before the first row, with rows of `step` seconds.
    #[must_use]
    pub fn with_step(step: i64) -> Self {
        Self { step: Some(step.clamp(1, DAY)), ..Self::default() }
    }

    /// Scores the next row, then learns from it. `at` is local wall time in seconds, the beginning of the row. A missing
    /// count is not zero: nothing is learnt from it.
    pub fn row(&mut self, at: i64, count: Option<f64>) -> Verdict {
        let Some(step) = self.step(at) else { return Verdict::default() };
        let model = self.model.get_or_insert_with(|| Model::new(step, at.div_euclid(DAY)));
        model.row(at, count.filter(|count| count.is_finite() && *count >= 0.0))
    }

    fn step(&mut self, at: i64) -> Option<i64> {
        if self.step.is_none() {
            let length = self.latest.map(|latest| at - latest).filter(|length| *length > 0);
            self.steps.extend(length);
            self.latest = Some(at);
            if self.steps.len() >= STEPS {
                self.steps.sort_unstable();
                self.step = self.steps.get(STEPS / 2).map(|step| (*step).clamp(1, DAY));
                self.steps.clear();
            }
        }
        self.step
    }
}

impl Model {
    fn new(step: i64, first: i64) -> Self {
        Self {
            step,
            first,
            history: History::new(step, first),
            events: Events::new(),
            days: Days::default(),
            silence: Silence::default(),
            judged: None,
            told: None,
            usual: None,
        }
    }

    fn row(&mut self, at: i64, count: Option<f64>) -> Verdict {
        let day = at.div_euclid(DAY);
        let mut verdict = Verdict::default();
        if day > self.history.today().number {
            if self.judged != Some(self.history.today().number) {
                verdict = self.judge(); // its last row did not come
            }
            self.history.turn_to(day);
            self.usual = None;
        }
        let usual = self.usual_today();
        let was_silent = self.silence.is_told();
        let counted = count.map(|count| self.counted(at, count, &usual));
        // A silence takes days out of the history that today's usual was made from.
        self.usual = (self.silence.is_told() == was_silent).then_some(usual);
        match counted {
            Some(counted) if counted.score >= verdict.score => verdict = counted,
            Some(_) => {}
            None => self.events.miss(),
        }
        if at.rem_euclid(DAY) + self.step >= DAY && self.judged != Some(day) {
            let judged = self.judge();
            if judged.score > verdict.score {
                verdict = judged;
            }
        }
        if verdict.score >= THRESHOLD {
            self.told = Some(day);
        }
        verdict
    }

    /// From 0 (rows of half an hour or less) to 1 (an hour or more).
    fn coarse(&self) -> f64 {
        (self.step as f64 / FINE).log2().clamp(0.0, 1.0)
    }

    fn is_quiet(&self, day: i64) -> bool {
        day - self.first < QUIET_DAYS
    }

    /// Takes today's out, or makes it.
    fn usual_today(&mut self) -> Usual {
        let day = self.history.today().number;
        self.usual.take().unwrap_or_else(|| Usual::new(&self.history, day, self.step, self.days.raised(day)))
    }

    fn counted(&mut self, at: i64, count: f64, usual: &Usual) -> Verdict {
        let (day, bin) = (at.div_euclid(DAY), self.history.bin(at));
        let part = bin * self.history.parts() / self.history.bins();
        let of_part = usual.parts.get(part).copied().flatten().unwrap_or(0.0);
        let middle = of_part / self.history.rows_of_part();
        if !self.is_quiet(day)
            && let Some(silent) = self.silence.row(at, count, middle, self.events.dispersion())
        {
            self.history.forget_since(silent.from);
            let (from, to) = (silent.from, at + self.step);
            let why = Why { what: What::Silence, from, to, seen: 0.0, expected: silent.expected };
            return Verdict { score: SILENT, why: Some(why) };
        }
        if self.silence.is_told() {
            self.events.miss();
            return Verdict::default();
        }
        self.history.learn(at, count);
        if self.is_quiet(day) {
            return Verdict::default();
        }
        let rate = usual.rate(bin);
        let beliefs = self.events.row(at, self.step, count, rate);
        self.told_by(&beliefs, at)
    }

    fn told_by(&self, beliefs: &Beliefs, at: i64) -> Verdict {
        let coarse = self.coarse();
        let event = soft(beliefs.event.odds, EVENT) * (1.0 - COARSE_LOSS * coarse);
        let gross = soft(beliefs.gross.odds, GROSS) * coarse;
        let lack = soft(beliefs.lack.odds, LACK) * (1.0 - coarse);
        let (score, what, belief) = if lack > event.max(gross) {
            (lack, What::Lack, beliefs.lack)
        } else {
            (event.max(gross), What::Excess, if gross > event { beliefs.gross } else { beliefs.event })
        };
        let (seen, expected) = (belief.seen, belief.expected);
        let why = Why { what, from: belief.began, to: at + self.step, seen, expected };
        Verdict { score, why: (belief.odds > 0.0).then_some(why) }
    }

    /// The verdict on the day that runs, at its end.
    fn judge(&mut self) -> Verdict {
        let day = self.history.today().number;
        self.judged = Some(day);
        if self.is_quiet(day) || self.silence.is_told() {
            return Verdict::default();
        }
        let usual = self.usual_today();
        let judgement = self.days.judge(&self.history, &usual);
        self.usual = Some(usual);
        let Some(judgement) = judgement else { return Verdict::default() };
        let Judgement { deviations, is_high, is_other_kind, seen, expected } = judgement;
        if self.told == Some(day) && is_high {
            return Verdict::default(); // the crowd was told when it came
        }
        let what = match (is_other_kind, is_high) {
            (true, _) => What::OtherDay,
            (false, true) => What::HighDay,
            (false, false) => What::LowDay,
        };
        let why = Why { what, from: day * DAY, to: (day + 1) * DAY, seen, expected };
        Verdict { score: soft(deviations, WHOLE_DAY) * (1.0 - FINE_LOSS * (1.0 - self.coarse())), why: Some(why) }
    }
}

#[cfg(test)]
mod tests;
