//! Rules on what changes its state too often: online and offline, opened and closed, start and end.
//!
//! A change is a statement that differs from the one before, by the time of the device; the same again is none, however often it is said. Changes
//! are then counted within a window, as a [`count`](super::count) rule does. The condition ends when nothing has changed for as long as
//! the rule says, and that is told.

use std::collections::BTreeMap;

use chorus_model::{Kind, Phase, Timestamp};
use serde::{Deserialize, Serialize};

use super::count;
use super::finding::Turn;
use super::rules::{Rule, When};
use super::seen::Seen;
use super::withdraw::Held;

/// What it is unless the rule names a kind.
const KIND: &str = "anomaly.flapping";
/// Things of one place whose state is remembered for one rule; the one that was quiet the longest goes first.
const MOST_THINGS: usize = 512;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    things: BTreeMap<String, Latest>,
    #[serde(rename = "c", default, skip_serializing_if = "count::State::is_empty")]
    changes: count::State,
}

/// The latest statement on a thing.
#[derive(Debug, Serialize, Deserialize)]
struct Latest {
    #[serde(rename = "a")]
    at: Timestamp,
    #[serde(rename = "g")]
    received: Timestamp,
    /// In the state of the first kind.
    #[serde(rename = "s")]
    is_first: bool,
}

/// Which of the two states the event states; `None` when it tells of no change.
fn stated(kind: Kind, seen: &Seen<'_>) -> Option<bool> {
    let is_first = seen.event.kind == kind;
    match seen.event.phase {
        Phase::Start | Phase::Pulse => Some(is_first),
        Phase::End => Some(!is_first),
        Phase::Continue | Phase::Sync => None,
    }
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.things.is_empty() && self.changes.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let When::Flap { kind, at_least, within, .. } = rule.when else { return };
        let Some(is_first) = stated(kind, seen) else { return };
        if !seen.holds(rule.condition.as_ref()) {
            return;
        }
        let Some(by) = rule.by(seen.event) else { return };
        if self.is_change(&by, is_first, seen) {
            self.changes.happen(rule, KIND, at_least, within, by, seen, turn);
        }
    }

    /// Remembers the state. A statement that is older than the latest says nothing.
    fn is_change(&mut self, by: &str, is_first: bool, seen: &Seen<'_>) -> bool {
        let received = seen.event.received_at;
        if let Some(latest) = self.things.get_mut(by) {
            if seen.at < latest.at {
                return false;
            }
            let was_first = std::mem::replace(&mut latest.is_first, is_first);
            (latest.at, latest.received) = (seen.at, latest.received.max(received));
            return was_first != is_first;
        }
        if self.things.len() >= MOST_THINGS {
            let oldest = self.things.iter().min_by_key(|(_, latest)| latest.received).map(|(by, _)| by.clone());
            oldest.and_then(|by| self.things.remove(&by));
        }
        self.things.insert(by.to_owned(), Latest { at: seen.at, received, is_first });
        true
    }

    pub(crate) fn pass(&mut self, rule: &Rule, frontier: Timestamp, turn: &mut Turn<'_>) {
        self.changes.pass(rule, frontier, turn);
        let kept = rule.kept();
        self.things.retain(|_, latest| latest.received.plus(kept) >= frontier);
    }

    pub(crate) fn wake(&self, rule: &Rule) -> Option<Timestamp> {
        let oldest = self.things.values().map(|latest| latest.received).min();
        [self.changes.wake(rule), oldest.map(|received| received.plus(rule.kept()))].into_iter().flatten().min()
    }

    pub(crate) fn release(&mut self) {
        self.changes.release();
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        self.changes.held()
    }
}
