//! Rules that fire when so many events come within a window.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{AnomalyStatus, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_id::EventId;
use super::finding::{Episode, Tip, Turn};
use super::immediate::{MOST_OPEN, enter_or_end, held_open, wake_open};
use super::rules::{Rule, When};
use super::seen::{LATE, Seen};
use super::withdraw::Held;

/// Events that wait at one place for one rule, over all its conditions.
const MOST_WAITING: usize = 512;
/// Events that wait for one condition: more than any rule may ask for, so that stored ones may come in any order.
const MOST_OF_ONE: usize = 96;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(rename = "w", default, skip_serializing_if = "BTreeMap::is_empty")]
    waiting: BTreeMap<String, Vec<Waiting>>,
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<String, Box<Episode>>,
}

/// An event that counts, in the order of its own time.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    #[serde(rename = "a")]
    at: Timestamp,
    #[serde(rename = "g")]
    received: Timestamp,
    #[serde(rename = "e")]
    event_id: EventId,
    #[serde(rename = "d")]
    device: Arc<str>,
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let When::Count { at_least, within, .. } = rule.when else { return };
        if !seen.happens(rule.condition.as_ref()) {
            return;
        }
        let Some(by) = rule.by(seen.event) else { return };
        self.happen(rule, seen.event.kind.as_str(), at_least, within, by, seen, turn);
    }

    /// One more. `kind` is what the condition is called when this makes it.
    #[allow(clippy::too_many_arguments)] // what counts and how much of it is for two types of rules to say
    pub(super) fn happen(
        &mut self,
        rule: &Rule,
        kind: &str,
        at_least: usize,
        within: Span,
        by: String,
        seen: &Seen<'_>,
        turn: &mut Turn<'_>,
    ) {
        if let Some(episode) = self.open.get_mut(&by) {
            if !episode.is_over(seen.at, rule.quiet_after) {
                if seen.at >= episode.from.minus(within) {
                    episode.add(seen);
                    if episode.has_news() {
                        episode.tell(rule, &by, AnomalyStatus::Firing, Tip::event(seen), turn);
                    }
                }
                return;
            }
            if let Some(mut old) = self.open.remove(&by)
                && ends_by_quiet(rule)
            {
                end(&mut old, rule, &by, turn);
            }
        }
        let waiting = self.waiting.entry(by.clone()).or_default();
        let position = wait(waiting, seen, within);
        let Some((first, last)) = window(waiting, position, at_least, within) else { return self.bound() };
        let mut episode = Episode::begin(seen, kind);
        let members = waiting.get(first..=last).unwrap_or_default().iter().enumerate().rev();
        for (_, other) in members.filter(|(index, _)| first + index != position) {
            episode.precede(other.at, &other.event_id, &other.device);
        }
        self.waiting.remove(&by);
        episode.tell(rule, &by, AnomalyStatus::Firing, Tip::event(seen), turn);
        enter_or_end(&mut self.open, MOST_OPEN, (by, episode), rule, Tip::event(seen), turn);
    }

    /// Keeps the number of waiting events within the bound: whose latest came first goes first.
    fn bound(&mut self) {
        while self.waiting.values().map(Vec::len).sum::<usize>() > MOST_WAITING {
            let latest = |waiting: &Vec<Waiting>| waiting.iter().map(|one| one.received).max();
            let oldest = self.waiting.iter().min_by_key(|(_, waiting)| latest(waiting)).map(|(by, _)| by.clone());
            if oldest.and_then(|by| self.waiting.remove(&by)).is_none() {
                return;
            }
        }
    }

    pub(crate) fn pass(&mut self, rule: &Rule, frontier: Timestamp, turn: &mut Turn<'_>) {
        self.open.retain(|by, episode| {
            let is_over = episode.pass(rule, by, rule.quiet_after, |deadline| frontier > deadline, turn);
            if is_over && ends_by_quiet(rule) {
                end(episode, rule, by, turn);
            }
            !is_over
        });
        let kept = rule.kept();
        self.waiting.retain(|_, waiting| {
            waiting.retain(|one| one.received.plus(kept) >= frontier);
            !waiting.is_empty()
        });
    }

    pub(crate) fn wake(&self, rule: &Rule) -> Option<Timestamp> {
        let waiting = self.waiting.values().flatten().map(|one| one.received).min();
        [wake_open(&self.open, rule), waiting.map(|received| received.plus(rule.kept()))].into_iter().flatten().min()
    }

    pub(crate) fn release(&mut self) {
        self.open.clear();
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        held_open(&self.open)
    }
}

/// A number of refusals does not end, it is only not repeated; a thing that changes its state has come to rest, and that is told.
fn ends_by_quiet(rule: &Rule) -> bool {
    matches!(rule.when, When::Flap { .. })
}

fn end(episode: &mut Episode, rule: &Rule, by: &str, turn: &mut Turn<'_>) {
    let quiet_from = episode.last.plus(rule.quiet_after.unwrap_or(Span::ZERO));
    episode.tell(rule, by, AnomalyStatus::Resolved, Tip::deadline(quiet_from), turn);
}

/// Enters the event in the order of time and returns its place; drops what waits too long or too much.
fn wait(waiting: &mut Vec<Waiting>, seen: &Seen<'_>, within: Span) -> usize {
    let event = seen.event;
    let oldest = event.received_at.minus(within).minus(LATE);
    waiting.retain(|one| one.received >= oldest);
    if waiting.len() >= MOST_OF_ONE {
        let first = waiting.iter().enumerate().min_by_key(|(_, one)| one.received).map(|(index, _)| index);
        first.map(|index| waiting.remove(index));
    }
    let position = waiting.partition_point(|one| one.at <= seen.at);
    let one = Waiting {
        at: seen.at,
        received: event.received_at,
        event_id: EventId::from(&*event.event_id),
        device: Arc::clone(seen.device),
    };
    waiting.insert(position, one);
    position
}

/// The first window of `at_least` events around `position` that is no longer than `within`, stretched to all within it.
fn window(waiting: &[Waiting], position: usize, at_least: usize, within: Span) -> Option<(usize, usize)> {
    let at = |index: usize| waiting.get(index).map(|one| one.at);
    for first in position.saturating_sub(at_least - 1)..=position {
        let from = at(first)?;
        let last = waiting.partition_point(|one| one.at <= from.plus(within)).saturating_sub(1);
        if last >= position && last + 1 - first >= at_least {
            return Some((first, last));
        }
    }
    None
}
