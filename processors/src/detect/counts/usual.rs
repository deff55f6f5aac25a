//! What is usual today, by time of the day: made once a day from the days before.

use super::history::{Day, History};

/// Of the usual rate of a bin: the quantile of the days that is taken. A low one: half the evenings may hold an event.
const LOW: f64 = 0.3;
/// The same of the bin alone, without its neighbours: where a shift begins on the stroke of eight, that is no event.
const LOW_ALONE: f64 = 0.2;
/// Days of the same weekday, and of the same kind (weekday, weekend), that the rate is made from.
const SAME_WEEKDAY: usize = 8;
const SAME_KIND: usize = 10;
/// So many days of the same weekday weigh as much as all of the same kind.
const EVEN: f64 = 15.0;
/// Bins to either side that count as well, seconds, where rows are finer than an hour.
const REACH: i64 = 3_600;
/// A bin's rate is at least a quarter of the mean, or so many in half an hour; a few people in an empty hall are no event.
const LEAST_RATE: f64 = 1.0;
const LEAST_ADDED: f64 = 0.1;
/// The same three for the parts of a day.
const PART_SAME_KIND: usize = 20;
const PART_EVEN: f64 = 4.0;
/// Days that the mean is made from.
const MEAN_DAYS: usize = 28;

/// The usual of one day.
#[derive(Clone, Debug, Default)]
pub(super) struct Usual {
    /// A low but usual count of a row, by bin.
    pub(super) rates: Vec<f64>,
    /// The middle count of each part of the day, by part; `None` where nothing is known.
    pub(super) parts: Vec<Option<f64>>,
    /// The same for the other kind of day.
    pub(super) other_parts: Vec<Option<f64>>,
}

/// The quantile of unsorted numbers, interpolated.
pub(super) fn quantile(mut numbers: Vec<f64>, share: f64) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let position = share * numbers.len().checked_sub(1)? as f64;
    let index = position.floor() as usize;
    let (low, high) = (*numbers.get(index)?, *numbers.get(index + 1).or(numbers.last())?);
    Some(low + (high - low) * position.fract())
}

/// The middle of unsorted numbers.
pub(super) fn middle(numbers: Vec<f64>) -> Option<f64> {
    quantile(numbers, 0.5)
}

fn mixed(own: Option<f64>, own_days: usize, kind: Option<f64>, even: f64) -> Option<f64> {
    let weight = own_days as f64 / (own_days as f64 + even);
    match (own, kind) {
        (Some(own), Some(kind)) => Some(weight * own + (1.0 - weight) * kind),
        (own, kind) => own.or(kind),
    }
}

impl Usual {
    /// For the day of this number, from the days before it. `step` is the length of a row in seconds; rates are raised by the
    /// factor of the latest days.
    pub(super) fn new(history: &History, day: i64, step: i64, raised: f64) -> Self {
        let weekday = |other: &Day| other.number.rem_euclid(7) == day.rem_euclid(7);
        let weekend = Day::is_weekend(day);
        let kind = |other: &Day| Day::is_weekend(other.number) == weekend;
        let parts = |own: bool| {
            let part = |part: usize| {
                let of = |is_in: &dyn Fn(&Day) -> bool, days: usize| -> Vec<f64> {
                    let days = history.past().filter(|day| is_in(day)).take(days);
                    days.filter_map(|day| history.part(day, part)).collect()
                };
                if !own {
                    return middle(of(&|day| !kind(day), PART_SAME_KIND));
                }
                let same = of(&weekday, SAME_WEEKDAY);
                let days = same.len();
                mixed(middle(same), days, middle(of(&kind, PART_SAME_KIND)), PART_EVEN)
            };
            (0..history.parts()).map(part).collect()
        };
        let mut rates = rates(history, step, &weekday, &kind);
        rates.iter_mut().for_each(|rate| *rate *= raised);
        Self { rates, parts: parts(true), other_parts: parts(false) }
    }

    pub(super) fn rate(&self, bin: usize) -> f64 {
        self.rates.get(bin).copied().unwrap_or(LEAST_ADDED)
    }
}

fn rates(history: &History, step: i64, weekday: &dyn Fn(&Day) -> bool, kind: &dyn Fn(&Day) -> bool) -> Vec<f64> {
    let bins = history.bins();
    let reach = if step < REACH { usize::try_from(REACH).unwrap_or(0) * bins / 86_400 } else { 0 };
    let recent = history.past().take(MEAN_DAYS).flat_map(|day| (0..bins).filter_map(|bin| day.mean(bin)));
    let (sum, count) = recent.fold((0.0, 0_u32), |(sum, count), mean| (sum + mean, count + 1));
    let mean = sum / f64::from(count.max(1));
    let share = (step as f64 / 1_800.0).min(1.0);
    let least = (mean / 4.0).min(LEAST_RATE * share);
    let around = |bin: usize, reach: usize, low: f64, is_in: &dyn Fn(&Day) -> bool, days: usize| {
        let (mut means, mut used) = (Vec::new(), 0);
        for day in history.past().filter(|day| is_in(day)) {
            let before = means.len();
            means.extend((0..=2 * reach).filter_map(|offset| day.mean((bin + bins + offset - reach) % bins)));
            used += usize::from(means.len() > before);
            if used == days {
                break;
            }
        }
        (quantile(means, low), used)
    };
    let rate = |bin: usize| {
        let low = |reach: usize, low: f64| {
            let (own, days) = around(bin, reach, low, weekday, SAME_WEEKDAY);
            let (of_kind, _) = around(bin, reach, low, kind, SAME_KIND);
            mixed(own, days, of_kind, EVEN).unwrap_or(mean)
        };
        low(reach, LOW).max(low(0, LOW_ALONE)).max(least) + LEAST_ADDED * share
    };
    (0..bins).map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_on_every_other_evening_do_not_become_usual() {
        let mut history = History::new(1_800, 0);
        for row in 0..48 * 42 {
            let (day, slot) = (row / 48, row % 48);
            history.turn_to(day);
            let event = day % 2 == 0 && (36..40).contains(&slot);
            history.learn(row * 1_800, if event { 80.0 } else { 10.0 });
        }
        history.turn_to(42);
        let usual = Usual::new(&history, 42, 1_800, 1.0);
        assert!(usual.rates.iter().all(|rate| *rate < 15.0), "{:?}", usual.rates);
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.25), Some(1.5));
        assert_eq!(quantile(Vec::new(), 0.5), None);
    }
}
