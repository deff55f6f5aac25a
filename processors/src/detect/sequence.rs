//! Rules on two steps: A then B, or A without B.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{AnomalyStatus, Phase, Severity, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::event_id::EventId;
use super::finding::{Episode, Tip, Turn};
use super::immediate::{MOST_OPEN, enter_or_end, held_open, pass_open, wake_open};
use super::rules::{Rule, Step, When};
use super::seen::Seen;
use super::withdraw::Held;

/// Halves that wait for their other half, per condition.
const MOST_OF_ONE: usize = 8;
/// What waits for its B, and what stands without: every camera of a place may be dark at once.
const MOST_WITHOUT: usize = 256;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Halves of "A then B".
    #[serde(rename = "h", default, skip_serializing_if = "BTreeMap::is_empty")]
    halves: BTreeMap<String, Vec<Half>>,
    /// A of "A without B", until its deadline has passed.
    #[serde(rename = "p", default, skip_serializing_if = "BTreeMap::is_empty")]
    pending: BTreeMap<String, Box<Pending>>,
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<String, Box<Episode>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Half {
    /// True for B.
    #[serde(rename = "b")]
    is_second: bool,
    #[serde(rename = "a")]
    at: Timestamp,
    #[serde(rename = "g")]
    received: Timestamp,
    #[serde(rename = "e")]
    event_id: EventId,
    #[serde(rename = "d")]
    device: Arc<str>,
    #[serde(rename = "s")]
    severity: Severity,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    #[serde(rename = "e")]
    episode: Episode,
    #[serde(rename = "d")]
    deadline: Timestamp,
    /// B came, but too late: what is told at the deadline ends at once.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    ended: Option<(EventId, Timestamp)>,
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.halves.is_empty() && self.pending.is_empty() && self.open.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let When::Sequence { first, second, without, within } = &rule.when else { return };
        let Some(by) = rule.by(seen.event) else { return };
        let kind = seen.event.kind;
        let is_first = first.kinds.contains(&kind) && seen.happens(first.condition.as_ref());
        if *without {
            // B first: an event that is both ends the old wait and begins a new one.
            if second.kinds.contains(&kind) && ends(first, second, seen) {
                self.come(rule, &by, *within, seen, turn);
            }
            if is_first {
                self.await_second(rule, by, *within, seen, turn);
            }
            return;
        }
        if second.kinds.contains(&kind) && seen.happens(second.condition.as_ref()) {
            self.half(rule, &by, true, *within, seen, turn);
        }
        if is_first {
            self.half(rule, &by, false, *within, seen, turn);
        }
    }

    /// One half of "A then B"; they may arrive in any order.
    fn half(&mut self, rule: &Rule, by: &str, is_second: bool, within: Span, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let event = seen.event;
        let own = EventId::from(&*event.event_id);
        let halves = self.halves.entry(by.to_owned()).or_default();
        let fits = |other: &&Half| {
            let (a, b) = if is_second { (other.at, seen.at) } else { (seen.at, other.at) };
            other.is_second != is_second && other.event_id != own && a <= b && b <= a.plus(within)
        };
        let other = halves.iter().filter(fits).max_by_key(|other| other.at);
        if let Some(other) = other {
            match self.open.get_mut(by) {
                Some(episode) if !episode.is_over(seen.at, rule.quiet_after) => {
                    episode.add(seen);
                    if episode.has_news() {
                        episode.tell(rule, by, AnomalyStatus::Firing, Tip::event(seen), turn);
                    }
                }
                _ => {
                    let mut episode = Episode::begin(seen, event.kind.as_str());
                    episode.precede(other.at, &other.event_id, &other.device);
                    episode.severity = episode.severity.max(other.severity);
                    episode.tell(rule, by, AnomalyStatus::Firing, Tip::event(seen), turn);
                    let new = (by.to_owned(), episode);
                    enter_or_end(&mut self.open, MOST_OPEN, new, rule, Tip::event(seen), turn);
                }
            }
        }
        if halves.len() >= MOST_OF_ONE {
            halves.remove(0);
        }
        halves.push(Half {
            is_second,
            at: seen.at,
            received: event.received_at,
            event_id: own,
            device: Arc::clone(seen.device),
            severity: event.severity,
        });
        let latest = |halves: &Vec<Half>| halves.iter().map(|half| half.received).max();
        if self.halves.len() > MOST_OPEN {
            let oldest = self.halves.iter().min_by_key(|(_, halves)| latest(halves)).map(|(by, _)| by.clone());
            oldest.and_then(|by| self.halves.remove(&by));
        }
    }

    /// A of "A without B".
    fn await_second(&mut self, rule: &Rule, by: String, within: Span, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        if let Some(episode) = self.open.get_mut(&by)
            && !episode.is_over(seen.at, rule.quiet_after)
        {
            episode.add(seen);
            if episode.has_news() {
                episode.tell(rule, &by, AnomalyStatus::Firing, Tip::event(seen), turn);
            }
            return;
        }
        match self.pending.get_mut(&by) {
            Some(pending) if pending.ended.is_none() => return pending.episode.add(seen),
            Some(_) => {
                if let Some(pending) = self.pending.remove(&by) {
                    self.expire(rule, &by, *pending, turn); // its B is known to be late
                }
            }
            None => {}
        }
        if self.pending.len() >= MOST_WITHOUT {
            let oldest = self.pending.iter().min_by_key(|(_, pending)| pending.deadline).map(|(by, _)| by.clone());
            if let Some((by, mut pending)) = oldest.and_then(|by| self.pending.remove_entry(&by)) {
                pending.deadline = pending.deadline.min(seen.event.received_at); // so many at once are not waited for
                self.expire(rule, &by, *pending, turn);
            }
        }
        let episode = Episode::begin(seen, seen.event.kind.as_str());
        let deadline = seen.event.received_at.plus(within);
        self.pending.insert(by, Box::new(Pending { episode, deadline, ended: None }));
    }

    /// B of "A without B".
    fn come(&mut self, rule: &Rule, by: &str, within: Span, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        if let Some(pending) = self.pending.get_mut(by)
            && seen.at >= pending.episode.to
        {
            let in_time = seen.at <= pending.episode.from.plus(within) || seen.event.received_at <= pending.deadline;
            if in_time {
                self.pending.remove(by);
            } else if pending.ended.is_none() {
                pending.episode.end(seen);
                pending.ended = Some((EventId::from(&*seen.event.event_id), seen.event.received_at));
            }
        }
        if self.open.get(by).is_some_and(|episode| seen.at >= episode.from)
            && let Some(mut episode) = self.open.remove(by)
        {
            episode.end(seen);
            episode.tell(rule, by, AnomalyStatus::Resolved, Tip::event(seen), turn);
        }
    }

    fn expire(&mut self, rule: &Rule, by: &str, pending: Pending, turn: &mut Turn<'_>) {
        let mut episode = pending.episode;
        episode.tell(rule, by, AnomalyStatus::Firing, Tip::deadline(pending.deadline), turn);
        match pending.ended {
            Some((id, at)) => episode.tell(rule, by, AnomalyStatus::Resolved, Tip { id: id.to_string(), at }, turn),
            None => {
                episode.last = episode.last.max(pending.deadline); // quiet counts from here
                let tip = Tip::deadline(pending.deadline);
                enter_or_end(&mut self.open, MOST_WITHOUT, (by.to_owned(), episode), rule, tip, turn);
            }
        }
    }

    pub(crate) fn pass(&mut self, rule: &Rule, frontier: Timestamp, turn: &mut Turn<'_>) {
        let due = self.pending.iter().filter(|(_, pending)| frontier > pending.deadline);
        let due: Vec<String> = due.map(|(by, _)| by.clone()).collect();
        for by in due {
            if let Some(pending) = self.pending.remove(&by) {
                self.expire(rule, &by, *pending, turn);
            }
        }
        pass_open(&mut self.open, rule, frontier, turn);
        let kept = rule.kept();
        self.halves.retain(|_, halves| {
            halves.retain(|half| half.received.plus(kept) >= frontier);
            !halves.is_empty()
        });
    }

    pub(crate) fn wake(&self, rule: &Rule) -> Option<Timestamp> {
        let halves = self.halves.values().flatten().map(|half| half.received).min();
        let pending = self.pending.values().map(|pending| pending.deadline).min();
        let halves = halves.map(|received| received.plus(rule.kept()));
        [wake_open(&self.open, rule), pending, halves].into_iter().flatten().min()
    }

    pub(crate) fn release(&mut self) {
        self.open.clear();
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        held_open(&self.open)
    }
}

/// True when the event ends the wait. A statement of state may do so as well ("the camera is there"), unless it is of the very
/// kind that began it.
fn ends(first: &Step, second: &Step, seen: &Seen<'_>) -> bool {
    let says = seen.event.phase != Phase::Sync || !first.kinds.contains(&seen.event.kind);
    says && seen.holds(second.condition.as_ref())
}
