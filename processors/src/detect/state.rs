//! What the detector remembers of one key, and how a rule's part of it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{PlaceRef, Timestamp};
use serde::{Deserialize, Serialize};

use super::devices::Recent;
use super::finding::Turn;
use super::rules::{Rule, RuleSet, When};
use super::timers::{Frontiers, LEAST, Passed, Wake};
use super::withdraw::Held;
use super::world::World;
use super::{absence, baseline, count, flap, immediate, sequence, silence, value};

/// Everything known of one key (a place, or a device whose place is not known).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyState {
    /// The offset of the record that was applied last.
    #[serde(rename = "o")]
    pub(crate) offset: i64,
    #[serde(rename = "p")]
    pub(crate) place: PlaceRef,
    #[serde(rename = "d", default, skip_serializing_if = "Recent::is_empty")]
    pub(crate) recent: Recent,
    #[serde(rename = "r", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rules: BTreeMap<Arc<str>, RuleState>,
}

impl KeyState {
    pub(crate) fn new(place: PlaceRef) -> Self {
        Self { offset: -1, place, recent: Recent::default(), rules: BTreeMap::new() }
    }

    /// True when nothing but the offset is worth keeping.
    pub(crate) fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.rules.is_empty()
    }

    /// Forgets everything but the offset.
    pub(crate) fn clear(&mut self) {
        self.recent = Recent::default();
        self.rules.clear();
    }

    /// The state of a rule, begun if there is none.
    pub(crate) fn of(&mut self, rule: &Rule) -> &mut RuleState {
        self.rules.entry(Arc::clone(&rule.id)).or_insert_with(|| RuleState::new(&rule.when))
    }

    /// Takes out the state of a rule that has nothing left to remember.
    pub(crate) fn tidy(&mut self, rule: &Rule) {
        if self.rules.get(&rule.id).is_some_and(RuleState::is_empty) {
            self.rules.remove(&rule.id);
        }
    }

    /// Every deadline, the earliest of each feed's.
    pub(crate) fn wakes(&self, key: &str, rules: &RuleSet, world: &World, frontiers: Frontiers<'_>) -> Vec<Wake> {
        let of_rules = self.rules.iter().filter_map(|(id, state)| {
            let rule = rules.rule(id)?;
            let feed = rule.feed();
            let at = state.wake(rule, key, world, frontiers.since(&feed))?;
            Some((feed, at))
        });
        let mut wakes: Vec<Wake> = of_rules.collect();
        wakes.extend(self.recent.wake().map(|at| (Arc::from(LEAST), at)));
        wakes
    }
}

/// What one rule remembers of one key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RuleState {
    Immediate(immediate::State),
    Count(count::State),
    Sequence(sequence::State),
    Absence(absence::State),
    Silence(silence::State),
    Baseline(baseline::State),
    Value(value::State),
    Flap(flap::State),
}

impl RuleState {
    pub(crate) fn new(when: &When) -> Self {
        match when {
            When::Immediate { .. } => Self::Immediate(immediate::State::default()),
            When::Count { .. } => Self::Count(count::State::default()),
            When::Sequence { .. } => Self::Sequence(sequence::State::default()),
            When::Absence { .. } => Self::Absence(absence::State::default()),
            When::Silence { .. } => Self::Silence(silence::State::default()),
            When::Baseline { .. } => Self::Baseline(baseline::State::default()),
            When::Value { .. } => Self::Value(value::State::default()),
            When::Flap { .. } => Self::Flap(flap::State::default()),
        }
    }

    pub(super) fn fits(&self, when: &When) -> bool {
        matches!(
            (self, when),
            (Self::Immediate(_), When::Immediate { .. })
                | (Self::Count(_), When::Count { .. })
                | (Self::Sequence(_), When::Sequence { .. })
                | (Self::Absence(_), When::Absence { .. })
                | (Self::Silence(_), When::Silence { .. })
                | (Self::Baseline(_), When::Baseline { .. })
                | (Self::Value(_), When::Value { .. })
                | (Self::Flap(_), When::Flap { .. })
        )
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Immediate(state) => state.is_empty(),
            Self::Count(state) => state.is_empty(),
            Self::Sequence(state) => state.is_empty(),
            Self::Absence(state) => state.is_empty(),
            Self::Silence(state) => state.is_empty(),
            Self::Baseline(state) => state.is_empty(),
            Self::Value(state) => state.is_empty(),
            Self::Flap(state) => state.is_empty(),
        }
    }

    /// Everything that the rule's feed received before the frontier is in: judges what was waiting for that.
    pub(crate) fn pass(&mut self, rule: &Rule, world: &World, passed: Passed, turn: &mut Turn<'_>) {
        let frontier = passed.frontier;
        match self {
            Self::Immediate(state) => state.pass(rule, frontier, turn),
            Self::Count(state) => state.pass(rule, frontier, turn),
            Self::Sequence(state) => state.pass(rule, frontier, turn),
            Self::Absence(state) => state.pass(rule, world, passed, turn),
            Self::Silence(state) => state.pass(rule, world, passed, turn),
            Self::Baseline(state) => state.pass(rule, passed, turn),
            Self::Value(_) => {}
            Self::Flap(state) => state.pass(rule, frontier, turn),
        }
    }

    /// The conditions that were told to hold and not to be over.
    pub(super) fn held(&self, rule: &Rule) -> Vec<Held> {
        match self {
            Self::Immediate(state) => state.held(),
            Self::Count(state) => state.held(),
            Self::Sequence(state) => state.held(),
            Self::Absence(state) => state.held(rule),
            Self::Silence(state) => state.held(rule),
            Self::Baseline(state) => state.held(rule),
            Self::Value(_) => Vec::new(), // tells what it sees, and remembers nothing of it
            Self::Flap(state) => state.held(),
        }
    }

    /// Forgets which conditions hold, and nothing else: what still holds is told anew.
    pub(super) fn release(&mut self) {
        match self {
            Self::Immediate(state) => state.release(),
            Self::Count(state) => state.release(),
            Self::Sequence(state) => state.release(),
            Self::Absence(state) => state.release(),
            Self::Silence(state) => state.release(),
            Self::Baseline(state) => state.release(),
            Self::Value(_) => {}
            Self::Flap(state) => state.release(),
        }
    }

    /// Of a rule on silent devices: how many are heard, how many silent.
    pub(crate) fn devices(&self, rule: &Rule) -> (usize, usize) {
        match self {
            Self::Silence(state) => state.health(rule),
            _ => (0, 0),
        }
    }

    /// When it wants to be passed next, in the time of the rule's feed.
    pub(crate) fn wake(&self, rule: &Rule, key: &str, world: &World, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Immediate(state) => state.wake(rule),
            Self::Count(state) => state.wake(rule),
            Self::Sequence(state) => state.wake(rule),
            Self::Absence(state) => state.wake(rule, key, world, since),
            Self::Silence(state) => state.wake(rule, key, world, since),
            Self::Baseline(state) => state.wake(rule),
            Self::Value(_) => None,
            Self::Flap(state) => state.wake(rule),
        }
    }
}
