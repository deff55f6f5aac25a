//! Is a whole day higher or lower than usual, or does it look like a day of the other kind? Judged at its last row.
//!
//! The day is cut into blocks of at least forty expected counts. Their log ratios to the usual give a level (the precise blocks
//! weigh more) and a shape (0 is like a day of its own kind, 1 like one of the other: a Monday that looks like a Sunday). Both
//! are measured against those of the last weeks.

use serde::{Deserialize, Serialize};

use super::history::{Day, History};
use super::usual::{Usual, middle};
use crate::detect::pack;

/// A block has at least so many expected counts.
const BLOCK: f64 = 40.0;
/// What is added to both sides of a ratio: so many, and this share of the mean part of the day.
const ADDED: f64 = 1.0;
const ADDED_SHARE: f64 = 0.02;
/// A day needs this share of its parts.
const NEEDED: f64 = 0.79;
/// Days that the spread of a block is made from, and what it is taken for with none; the least spread.
const SPREAD_DAYS: usize = 20;
const FIRST_SPREAD: f64 = 0.2;
const LEAST_SPREAD: f64 = 0.05;
/// The share of the spread that is the block's own; the rest is pooled.
const OWN: f64 = 0.5;
/// Judged days of the same kind that a level and a shape are measured against; the share of their middle that is taken off.
const MEASURED_DAYS: usize = 40;
const ADAPTED: f64 = 0.7;
/// So many days of a kind in a row on one side of their middle are a new level: what all of them share is not told again.
const SETTLED_DAYS: usize = 3;
/// What they share by chance, in standard deviations.
const SETTLED: f64 = 1.5;
/// The most that the usual rate is raised by for such days, as a logarithm.
const MOST_RAISED: f64 = 1.5;
/// The spread of level and shape that is believed at first, worth so many days.
const PRIOR_LEVEL: f64 = 0.06;
const PRIOR_SHAPE: f64 = 0.1;
const PRIOR_DAYS: f64 = 6.0;
/// Weighted difference of the kinds of day below which a shape says nothing.
const LEAST_CONTRAST: f64 = 20.0;
const MOST_SHAPE: f64 = 20.0;

/// The middle absolute deviation of a normal variable is this share of its standard deviation.
const DEVIATION: f64 = 1.482_6;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Days {
    /// Levels and shapes of judged days, of weekdays and of weekends, the latest last.
    #[serde(rename = "l")]
    levels: [Past; 2],
    #[serde(rename = "s")]
    shapes: [Past; 2],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Past(#[serde(with = "pack::f64s")] Vec<f64>);

/// What a day amounts to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement {
    /// How many standard deviations, of level and shape together.
    pub(super) deviations: f64,
    pub(super) is_high: bool,
    /// The shape has more to say than the level.
    pub(super) is_other_kind: bool,
    pub(super) seen: f64,
    pub(super) expected: f64,
}

impl Past {
    /// The middle of the past and its standard deviation, where `prior` is believed until there are days; `None` before the first.
    fn usual(&self, prior: f64) -> Option<(f64, f64)> {
        let center = middle(self.0.clone())?;
        let spread = DEVIATION * middle(self.0.iter().map(|past| (past - center).abs()).collect()).unwrap_or(0.0);
        let days = self.0.len() as f64;
        let variance = (days * spread * spread + PRIOR_DAYS * prior * prior) / (days + PRIOR_DAYS);
        Some((ADAPTED * center, variance.sqrt()))
    }

    /// How far `value` is from the middle of the past, in standard deviations.
    fn deviation(&self, value: f64, prior: f64) -> f64 {
        let Some((center, deviation)) = self.usual(prior) else { return value / prior };
        let off = value - center;
        let settled = self.settled(center, deviation);
        // A return from a new level to the old one is no news either.
        let news = if off * settled > 0.0 { off.signum() * (off.abs() - settled.abs()).max(0.0) } else { off };
        news / deviation
    }

    /// What the latest days have in common beyond `center` and more than `chance`; 0 when they are too few.
    fn settled(&self, center: f64, chance: f64) -> f64 {
        if self.0.len() < SETTLED_DAYS {
            return 0.0;
        }
        let latest = self.0.iter().rev().take(SETTLED_DAYS).map(|past| past - center);
        let least = latest.clone().fold(f64::INFINITY, f64::min);
        let most = latest.fold(f64::NEG_INFINITY, f64::max);
        (least - SETTLED * chance).max(0.0) + (most + SETTLED * chance).min(0.0)
    }

    fn learn(&mut self, value: f64) {
        self.0.push(value);
        if self.0.len() > MEASURED_DAYS {
            self.0.remove(0);
        }
    }
}

/// A stretch of the day.
#[derive(Clone, Debug, Default)]
struct Block {
    parts: Vec<usize>,
    seen: f64,
    expected: f64,
    /// Expected if it were a day of the other kind.
    other: f64,
}

fn blocks(today: &[Option<f64>], usual: &Usual) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::<Block>::new(), Block::default());
    for (part, ((seen, expected), other)) in today.iter().zip(&usual.parts).zip(&usual.other_parts).enumerate() {
        let (Some(seen), Some(expected)) = (*seen, *expected) else { continue };
        open.parts.push(part);
        open.seen += seen;
        open.expected += expected;
        open.other += other.unwrap_or(expected);
        if open.expected >= BLOCK {
            blocks.push(std::mem::take(&mut open));
        }
    }
    match blocks.last_mut() {
        Some(last) => {
            last.parts.append(&mut open.parts);
            last.seen += open.seen;
            last.expected += open.expected;
            last.other += open.other;
        }
        None if !open.parts.is_empty() => blocks.push(open),
        None => {}
    }
    blocks
}

impl Days {
    /// How much more than usual the latest days of this kind all were, as a factor of 1 or more.
    pub(super) fn raised(&self, day: i64) -> f64 {
        let levels = self.levels.get(usize::from(Day::is_weekend(day)));
        let settled = levels.and_then(|levels| {
            let (center, deviation) = levels.usual(PRIOR_LEVEL)?;
            Some(levels.settled(center, deviation))
        });
        settled.unwrap_or(0.0).clamp(0.0, MOST_RAISED).exp()
    }

    /// Judges the day that runs, and learns from it; `None` when too little was seen of it.
    pub(super) fn judge(&mut self, history: &History, usual: &Usual) -> Option<Judgement> {
        let day = history.today();
        let today: Vec<Option<f64>> = (0..history.parts()).map(|part| history.part(day, part)).collect();
        let counted = today.iter().flatten().count() as f64;
        if counted < NEEDED * today.len() as f64 || today.iter().flatten().all(|count| *count == 0.0) {
            return None;
        }
        let blocks = blocks(&today, usual);
        let mean = usual.parts.iter().flatten().sum::<f64>() / today.len() as f64;
        let added = ADDED + ADDED_SHARE * mean;
        let ratio = |count: f64, expected: f64| ((count + added) / (expected + added)).ln();
        let spreads = spreads(history, usual, &blocks, &ratio);
        let pooled = middle(spreads.iter().map(|spread| spread * spread).collect())?;
        let (mut weight, mut level, mut contrast, mut shape) = (0.0, 0.0, 0.0, 0.0);
        for (block, spread) in blocks.iter().zip(&spreads) {
            let variance = (OWN * spread * spread + (1.0 - OWN) * pooled).max(LEAST_SPREAD * LEAST_SPREAD);
            let precision = 1.0 / (variance + 1.0 / (block.expected + added));
            let (own, other) = (ratio(block.seen, block.expected), ratio(block.other, block.expected));
            weight += precision;
            level += precision * own;
            contrast += precision * other * other;
            shape += precision * other * own;
        }
        level /= weight;
        shape /= contrast.max(1e-9);
        let kind = usize::from(Day::is_weekend(day.number));
        let prior = (PRIOR_LEVEL * PRIOR_LEVEL + 1.0 / weight).sqrt();
        let levels = self.levels.get_mut(kind)?;
        let level_deviation = levels.deviation(level, prior);
        levels.learn(level);
        let shapes = self.shapes.get_mut(kind)?;
        let mut shape_deviation = 0.0;
        if contrast >= LEAST_CONTRAST {
            shape_deviation = shapes.deviation(shape, PRIOR_SHAPE).clamp(0.0, MOST_SHAPE);
            shapes.learn(shape);
        }
        Some(Judgement {
            deviations: level_deviation.hypot(shape_deviation),
            is_high: level_deviation > 0.0,
            is_other_kind: shape_deviation > level_deviation.abs(),
            seen: blocks.iter().map(|block| block.seen).sum(),
            expected: blocks.iter().map(|block| block.expected).sum(),
        })
    }
}

/// How far the blocks of past days of the same kind lie from the usual, each day's own level taken off.
fn spreads(history: &History, usual: &Usual, blocks: &[Block], ratio: &dyn Fn(f64, f64) -> f64) -> Vec<f64> {
    let weekend = Day::is_weekend(history.today().number);
    let days = history.past().filter(|day| Day::is_weekend(day.number) == weekend).take(SPREAD_DAYS);
    let days: Vec<(Vec<Option<f64>>, f64)> = days
        .map(|day| {
            let counts: Vec<Option<f64>> = (0..history.parts()).map(|part| history.part(day, part)).collect();
            let ratios = counts.iter().zip(&usual.parts).filter_map(|(count, usual)| Some(ratio((*count)?, (*usual)?)));
            let level = middle(ratios.collect()).unwrap_or(0.0);
            (counts, level)
        })
        .collect();
    let spread = |block: &Block| {
        let deviations = days.iter().filter_map(|(counts, level)| {
            let seen: Option<f64> = block.parts.iter().map(|part| counts.get(*part).copied().flatten()).sum();
            Some((ratio(seen?, block.expected) - level).abs())
        });
        middle(deviations.collect()).map_or(FIRST_SPREAD, |deviation| DEVIATION * deviation)
    };
    blocks.iter().map(spread).collect()
}
