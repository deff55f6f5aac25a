//! Frontiers: how time passes in Chorus (law 2 of the design).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A statement in the log: everything that `input` received before the named times is in, by input partition.
///
/// `received` means the broker's timestamp of the raw record. The statement is monotone: a reader keeps the greatest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontierMark {
    /// The input: a feed for marks in `events`, the topic `events` for marks in `anomalies`.
    pub input: Arc<str>,
    /// How many partitions the input has. All must have spoken before time passes.
    pub of: i32,
    /// (partition, everything received before this is in).
    pub before: Vec<(i32, Timestamp)>,
    /// (partition, the log has been answering without a break since this). Stated when it changes. Before that nobody could
    /// have been heard: a silence that began earlier may be ours. A reader keeps the greatest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub since: Vec<(i32, Timestamp)>,
}

impl FrontierMark {
    /// The statement that everything received before these times is in.
    #[must_use]
    pub fn new(input: impl Into<Arc<str>>, of: i32, before: Vec<(i32, Timestamp)>) -> Self {
        Self { input: input.into(), of, before, since: Vec::new() }
    }
}

/// The frontiers that one partition of a topic has seen, by input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontierTable {
    inputs: BTreeMap<Arc<str>, Input>,
    /// The greatest least frontier that there ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passed: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Input {
    of: i32,
    before: BTreeMap<i32, Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    since: BTreeMap<i32, Timestamp>,
}

impl Input {
    fn least(&self) -> Option<Timestamp> {
        let spoken = i32::try_from(self.before.len()).unwrap_or(i32::MAX);
        if spoken < self.of { None } else { self.before.values().min().copied() }
    }
}

impl FrontierTable {
    /// Takes a mark in. Returns the input's new frontier when it has moved.
    pub fn advance(&mut self, mark: &FrontierMark) -> Option<Timestamp> {
        let input = self.inputs.entry(Arc::clone(&mark.input)).or_default();
        let was = input.least();
        input.of = input.of.max(mark.of);
        for (partition, before) in &mark.before {
            let known = input.before.entry(*partition).or_insert(Timestamp::MIN);
            *known = (*known).max(*before);
        }
        for (partition, since) in &mark.since {
            let known = input.since.entry(*partition).or_insert(Timestamp::MIN);
            *known = (*known).max(*since);
        }
        let now = input.least();
        self.passed = self.passed.max(self.least());
        if now > was { now } else { None }
    }

    /// How far time has passed: as [`FrontierTable::least`], but it never goes back where an input is heard for the first time or grows.
    #[must_use]
    pub fn passed(&self) -> Option<Timestamp> {
        self.passed
    }

    /// The frontier of one input: the least over its partitions, once every one of them has spoken.
    #[must_use]
    pub fn of(&self, input: &str) -> Option<Timestamp> {
        self.inputs.get(input).and_then(Input::least)
    }

    /// The least frontier over all inputs that have been heard of; none until each of them is complete.
    #[must_use]
    pub fn least(&self) -> Option<Timestamp> {
        self.inputs.values().map(Input::least).min().flatten()
    }

    /// Since when every partition of the input has been listened to without a break; `MIN` when nothing was said of it.
    #[must_use]
    pub fn since(&self, input: &str) -> Timestamp {
        self.inputs.get(input).and_then(|input| input.since.values().max()).copied().unwrap_or(Timestamp::MIN)
    }

    /// Since when every input has been listened to without a break.
    #[must_use]
    pub fn since_all(&self) -> Timestamp {
        self.inputs.values().flat_map(|input| input.since.values()).max().copied().unwrap_or(Timestamp::MIN)
    }

    /// Every input with its frontier.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.inputs.iter().map(|(name, input)| (&**name, input.least()))
    }
}

/// How far time passes with one record of the log. For one that is no mark both are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// [`FrontierTable::passed`] of the partition before the record; none while an input has not spoken yet.
    pub from: Option<Timestamp>,
    /// The same after it; never less.
    pub to: Option<Timestamp>,
}

impl Passage {
    /// That of a record that is no mark.
    #[must_use]
    pub const fn still(at: Option<Timestamp>) -> Self {
        Self { from: at, to: at }
    }

    /// How far time had passed for what is tipped on the way at `tip`. In however few steps a stretch of time is passed, what is tipped
    /// in it gets the same.
    #[must_use]
    pub fn at(self, tip: Timestamp) -> Option<Timestamp> {
        let to = self.to?;
        Some(self.from.map_or(tip, |from| tip.max(from)).min(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(of: i32, before: &[(i32, i64)]) -> FrontierMark {
        let before = before.iter().map(|(p, t)| (*p, Timestamp::from_micros(*t))).collect();
        FrontierMark::new("gate", of, before)
    }

    #[test]
    fn an_input_is_listened_to_since_the_last_of_its_partitions_is() {
        let mut table = FrontierTable::default();
        assert_eq!(table.since("gate"), Timestamp::MIN);
        for (partition, since) in [(0, 20), (1, 50), (0, 30), (1, 40)] {
            let since = vec![(partition, Timestamp::from_micros(since))];
            table.advance(&FrontierMark { since, ..mark(2, &[(partition, 60)]) });
        }
        assert_eq!(table.since("gate"), Timestamp::from_micros(50));
        assert_eq!((table.since("school"), table.since_all()), (Timestamp::MIN, Timestamp::from_micros(50)));
    }

    #[test]
    fn time_passes_only_when_every_raw_partition_has_spoken() {
        let mut table = FrontierTable::default();
        assert_eq!(table.advance(&mark(2, &[(0, 10)])), None);
        assert_eq!(table.of("gate"), None);
        assert_eq!(table.advance(&mark(2, &[(1, 7)])), Some(Timestamp::from_micros(7)));
        assert_eq!(table.least(), Some(Timestamp::from_micros(7)));
    }

    #[test]
    fn what_is_tipped_on_the_way_has_the_time_of_its_tip_within_the_step() {
        let at = Timestamp::from_micros;
        let step = Passage { from: Some(at(10)), to: Some(at(20)) };
        assert_eq!([5, 10, 13, 20, 25].map(|tip| step.at(at(tip))), [10, 10, 13, 20, 20].map(|time| Some(at(time))));
        assert_eq!(Passage::still(Some(at(10))).at(at(13)), Some(at(10)));
        assert_eq!(Passage { from: None, to: Some(at(20)) }.at(at(13)), Some(at(13)));
    }

    #[test]
    fn time_that_has_passed_does_not_come_back_when_an_input_is_new_or_grows() {
        let at = |time| Some(Timestamp::from_micros(time));
        let mut table = FrontierTable::default();
        table.advance(&mark(1, &[(0, 10)]));
        assert_eq!((table.least(), table.passed()), (at(10), at(10)));
        table.advance(&mark(2, &[(0, 20)]));
        assert_eq!((table.least(), table.passed()), (None, at(10)));
        table.advance(&FrontierMark::new("school", 1, vec![(0, Timestamp::from_micros(5))]));
        table.advance(&mark(2, &[(1, 15)]));
        assert_eq!((table.least(), table.passed()), (at(5), at(10)));
        let text = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<FrontierTable>(&text).unwrap(), table);
    }

    #[test]
    fn a_zombies_older_mark_never_moves_time_back() {
        let mut table = FrontierTable::default();
        table.advance(&mark(1, &[(0, 10)]));
        assert_eq!(table.advance(&mark(1, &[(0, 3)])), None);
        assert_eq!(table.of("gate"), Some(Timestamp::from_micros(10)));
    }

    #[test]
    fn a_raw_topic_that_grows_holds_time_until_the_new_partition_speaks() {
        let mut table = FrontierTable::default();
        table.advance(&mark(1, &[(0, 10)]));
        assert_eq!(table.advance(&mark(2, &[(0, 20)])), None);
        assert_eq!(table.of("gate"), None);
        assert_eq!(table.advance(&mark(2, &[(1, 15)])), Some(Timestamp::from_micros(15)));
    }
}
