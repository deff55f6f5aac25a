//! Conditions whose rule is there no more, or does not follow them any more: what only an end would have ended is told to be over.
//!
//! A desk must not keep an alert that nobody can end but by hand. What ends by being quiet is left to that.

use std::sync::Arc;

use chorus_model::{Anomaly, AnomalyStatus, PlaceRef, Severity, Text, Timestamp};

use super::cel::Condition;
use super::finding::{Finding, Tip, Turn};
use super::rules::{Rule, RuleSet, When};
use super::state::{KeyState, RuleState};

/// A condition that was told to hold and not to be over.
pub(super) struct Held {
    pub(super) by: String,
    pub(super) kind: Arc<str>,
    pub(super) devices: Vec<Arc<str>>,
    pub(super) from: Timestamp,
    pub(super) count: f64,
    pub(super) is_test: bool,
}

impl Held {
    fn end(self, rule: &Rule, at: Timestamp, turn: &mut Turn<'_>) {
        let why = Text {
            zh: "规则已撤换，不再跟踪".to_owned(), en: "its rule does not follow it any more".to_owned()
        };
        let finding = Finding {
            by: &self.by,
            status: AnomalyStatus::Resolved,
            kind: &self.kind,
            severity: Severity::Medium,
            devices: &self.devices,
            from: self.from,
            to: at.max(self.from),
            count: self.count,
            expected: None,
            why: Some(why),
            evidence: &[],
            tip: Tip::deadline(at),
            is_test: self.is_test,
        };
        turn.tell(rule, finding);
    }
}

/// Ends what a rule holds and only an end would end.
fn end_all(state: &RuleState, rule: &Rule, at: Timestamp, turn: &mut Turn<'_>) {
    if rule.quiet_after.is_none() {
        state.held(rule).into_iter().for_each(|held| held.end(rule, at, turn));
    }
}

/// Rules that leave: by them what stood was found.
pub(super) struct Leaving {
    pub(super) version: Arc<str>,
    pub(super) rules: Arc<RuleSet>,
    /// When others were published.
    pub(super) at: Timestamp,
}

impl KeyState {
    /// Drops what the rules of `new` cannot go on with, and returns the end of what would stand for ever; those of before a restart
    /// are not known. `None` when nothing has changed.
    pub(super) fn change_rules(
        &mut self,
        key: &str,
        place: &PlaceRef,
        leaving: Option<&Leaving>,
        new: &RuleSet,
    ) -> Option<Vec<Anomaly>> {
        let before = self.rules.len();
        let mut is_changed = false;
        let mut turn = leaving.map(|leaving| Turn { version: &leaving.version, key, place, out: Vec::new() });
        self.rules.retain(|id, state| {
            let old = leaving.and_then(|leaving| Some((leaving, leaving.rules.rule(id)?)));
            let new = new.rule(id).filter(|new| state.fits(&new.when));
            let stays = new.is_some_and(|new| old.is_none_or(|(_, old)| goes_on(old, new, place)));
            // A desk has been told that what stands is never over by being quiet.
            let is_held = new.is_some_and(|new| new.quiet_after.is_none());
            if let (Some((leaving, rule)), Some(turn)) = (old.filter(|_| !stays || !is_held), &mut turn)
                && rule.quiet_after.is_none()
            {
                end_all(state, rule, leaving.at, turn);
                state.release();
                is_changed = true;
            }
            stays && !state.is_empty()
        });
        (is_changed || self.rules.len() < before).then(|| turn.map(|turn| turn.out).unwrap_or_default())
    }

    /// Forgets everything but the offset, and returns the end of what nobody will follow any more.
    pub(super) fn give_up(&mut self, version: &Arc<str>, key: &str, rules: &RuleSet, at: Timestamp) -> Vec<Anomaly> {
        let mut turn = Turn { version, key, place: &self.place, out: Vec::new() };
        for (id, state) in &self.rules {
            if let Some(rule) = rules.rule(id) {
                end_all(state, rule, at, &mut turn);
            }
        }
        let ended = turn.out;
        self.clear();
        ended
    }
}

/// True when what a rule remembers means the same to its new form, and whatever it waits for can still come to it.
fn goes_on(old: &Rule, new: &Rule, place: &PlaceRef) -> bool {
    let is_shown = new.applies_at(place) && (only_at(new).is_none() || only_at(new) == only_at(old));
    old.by == new.by && old.feed == new.feed && is_shown && sees_as_much(old, new)
}

/// The one place that the rule's condition can be true at.
fn only_at(rule: &Rule) -> Option<&Arc<str>> {
    rule.condition.as_ref().and_then(Condition::place)
}

fn sees_as_much(old: &Rule, new: &Rule) -> bool {
    match (&old.when, &new.when) {
        (When::Immediate { kinds }, When::Immediate { kinds: new })
        | (When::Count { kinds, .. }, When::Count { kinds: new, .. }) => covers(new, kinds),
        (When::Flap { kind, opposite, .. }, When::Flap { kind: new, opposite: other, .. }) => {
            kind == new && opposite == other
        }
        (
            When::Sequence { first, second, without, .. },
            When::Sequence { first: new_first, second: new_second, without: is_without, .. },
        ) => {
            let covers = covers(&new_first.kinds, &first.kinds) && covers(&new_second.kinds, &second.kinds);
            covers && without == is_without
        }
        (When::Absence { kinds, duty, .. }, When::Absence { kinds: new, duty: new_duty, .. }) => {
            covers(new, kinds) && duty == new_duty
        }
        (When::Silence { of, devices, .. }, When::Silence { of: new_of, devices: new, .. }) => {
            of == new_of && covers(new, devices)
        }
        (When::Baseline { kinds, settings }, When::Baseline { kinds: new, settings: new_settings }) => {
            kinds == new && settings.slot == new_settings.slot
        }
        (When::Value { .. }, When::Value { .. }) => true,
        _ => false,
    }
}

fn covers<T: PartialEq>(new: &[T], old: &[T]) -> bool {
    old.iter().all(|one| new.contains(one))
}
