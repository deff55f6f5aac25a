//! Rules that fire at once: one event is enough.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chorus_model::{AnomalyStatus, Phase, Timestamp};
use serde::{Deserialize, Serialize};

use super::finding::{Episode, Tip, Turn};
use super::rules::{Rule, When, ended_by};
use super::seen::Seen;
use super::withdraw::Held;

/// Conditions of one rule at one place that can hold at once. A forged stream of fresh zones pushes the oldest out.
pub(crate) const MOST_OPEN: usize = 64;
/// The remark by which a statement of state says that the alarm stands.
const STANDING: &str = "standing";
/// The remarks by which an end says that it is one of everything: somebody reset a panel, or cleared its alarms.
const RESET: [&str; 2] = ["reset", "cleared"];

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Boxed, here and elsewhere: a node of the map has room for eleven, and mostly there is one.
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<String, Box<Episode>>,
    /// Alarms that a statement of state has told of and that have not ended since: told at most once (trap 20).
    #[serde(rename = "s", default, skip_serializing_if = "BTreeSet::is_empty")]
    stated: BTreeSet<String>,
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.stated.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let When::Immediate { kinds } = &rule.when else { return };
        if !kinds.contains(&seen.event.kind) {
            return self.ended_by_another(rule, kinds, seen, turn);
        }
        let Some(by) = rule.by(seen.event) else { return };
        match seen.event.phase {
            Phase::End => self.end_reached(rule, by, seen, turn),
            Phase::Sync => self.state(rule, by, seen, turn),
            Phase::Start | Phase::Pulse | Phase::Continue => self.happen(rule, by, seen, turn),
        }
    }

    /// A device that is back ends its absence, a door that closes ends its standing open.
    fn ended_by_another(&mut self, rule: &Rule, kinds: &[chorus_model::Kind], seen: &Seen<'_>, turn: &mut Turn<'_>) {
        if self.is_empty() {
            return;
        }
        for kind in kinds.iter().filter(|kind| ended_by(**kind) == Some(seen.event.kind)) {
            let mut event = seen.event.clone();
            event.kind = *kind;
            let Some(by) = rule.by(&event) else { continue };
            self.end(rule, &by, seen, turn);
        }
    }

    fn happen(&mut self, rule: &Rule, by: String, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        if !seen.holds(rule.condition.as_ref()) {
            return;
        }
        if let Some(episode) = self.open.get_mut(&by)
            && !episode.is_over(seen.at, rule.quiet_after)
        {
            if seen.is_late && seen.at < episode.from {
                return; // a stored event of an earlier time
            }
            episode.add(seen);
            if episode.has_news() {
                episode.tell(rule, &by, AnomalyStatus::Firing, Tip::event(seen), turn);
            }
            return;
        }
        if seen.is_late {
            return;
        }
        self.stated.remove(&by);
        self.begin(rule, by, seen, turn);
    }

    fn begin(&mut self, rule: &Rule, by: String, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let mut episode = Episode::begin(seen, seen.event.kind.as_str());
        episode.tell(rule, &by, AnomalyStatus::Firing, Tip::event(seen), turn);
        enter(&mut self.open, MOST_OPEN, by, episode); // the end of what goes is told when it comes
    }

    /// A statement of how things are never counts; it may open a standing alarm that is not open, once until its end.
    fn state(&mut self, rule: &Rule, by: String, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let stands = seen.event.flags.iter().any(|flag| flag == STANDING);
        if !stands || seen.is_late || !seen.holds(rule.condition.as_ref()) || !self.stated.insert(by.clone()) {
            return;
        }
        if self.stated.len() > MOST_OPEN {
            self.stated.pop_first();
        }
        if !self.open.contains_key(&by) {
            self.begin(rule, by, seen, turn);
        }
    }

    /// An end; that of a whole panel, or of a system of it, ends every alarm of its kind there.
    fn end_reached(&mut self, rule: &Rule, by: String, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let is_reset = seen.event.flags.iter().any(|flag| RESET.contains(&&**flag));
        let reach = if is_reset { rule.reach(seen.event) } else { None };
        let Some(reach) = reach else { return self.end(rule, &by, seen, turn) };
        self.stated.retain(|key| !key.starts_with(&reach));
        // The key may hold what looks like its own marks, so the episode itself says whose it is.
        let is_its_own = |episode: &Episode| {
            matches!(episode.devices.as_slice(), [device] if device == seen.device)
                && *episode.kind == *seen.event.kind.as_str()
                && episode.is_test == seen.event.is_test
        };
        let reached = self.open.iter().filter(|(key, episode)| key.starts_with(&reach) && is_its_own(episode));
        let mut keys: Vec<String> = reached.map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            keys.push(by);
        }
        for key in keys {
            self.end(rule, &key, seen, turn);
        }
    }

    fn end(&mut self, rule: &Rule, by: &str, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        self.stated.remove(by);
        match self.open.get_mut(by) {
            Some(episode) if seen.at < episode.from => {} // the end of something earlier
            Some(episode) => {
                episode.end(seen);
                episode.tell(rule, by, AnomalyStatus::Resolved, Tip::event(seen), turn);
                self.open.remove(by);
            }
            // Where only an end ends a condition, a desk may still have what was pushed out of the memory here.
            None if rule.quiet_after.is_none() && seen.event.phase == Phase::End => {
                let mut episode = Episode::begin(seen, seen.event.kind.as_str());
                episode.tell(rule, by, AnomalyStatus::Resolved, Tip::event(seen), turn);
            }
            None => {}
        }
    }

    pub(crate) fn pass(&mut self, rule: &Rule, frontier: Timestamp, turn: &mut Turn<'_>) {
        pass_open(&mut self.open, rule, frontier, turn);
    }

    pub(crate) fn wake(&self, rule: &Rule) -> Option<Timestamp> {
        wake_open(&self.open, rule)
    }

    pub(crate) fn release(&mut self) {
        self.open.clear();
        self.stated.clear();
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        held_open(&self.open)
    }
}

/// Puts an episode in. Returns the one that was quiet the longest, which goes when there are too many.
pub(crate) fn enter(
    open: &mut BTreeMap<String, Box<Episode>>,
    most: usize,
    by: String,
    episode: Episode,
) -> Option<(String, Box<Episode>)> {
    let is_full = !open.contains_key(&by) && open.len() >= most;
    let oldest = if is_full { open.iter().min_by_key(|(_, episode)| episode.last) } else { None };
    let gone = oldest.map(|(by, _)| by.clone()).and_then(|by| open.remove_entry(&by));
    open.insert(by, Box::new(episode));
    gone
}

/// As [`enter`], for what is not followed any more once it is gone: where only an end would end it, this is its end.
pub(crate) fn enter_or_end(
    open: &mut BTreeMap<String, Box<Episode>>,
    most: usize,
    (by, episode): (String, Episode),
    rule: &Rule,
    tip: Tip,
    turn: &mut Turn<'_>,
) {
    if let Some((by, mut gone)) = enter(open, most, by, episode)
        && rule.quiet_after.is_none()
    {
        gone.tell(rule, &by, AnomalyStatus::Resolved, tip, turn);
    }
}

/// Tells untold repeats and forgets what is over.
pub(crate) fn pass_open(
    open: &mut BTreeMap<String, Box<Episode>>,
    rule: &Rule,
    frontier: Timestamp,
    turn: &mut Turn<'_>,
) {
    open.retain(|by, episode| !episode.pass(rule, by, rule.quiet_after, |deadline| frontier > deadline, turn));
}

/// What is open.
pub(crate) fn held_open(open: &BTreeMap<String, Box<Episode>>) -> Vec<Held> {
    let held = |by: &str, episode: &Episode| Held {
        by: by.to_owned(),
        kind: Arc::clone(&episode.kind),
        devices: episode.devices.clone(),
        from: episode.from,
        count: episode.count as f64,
        is_test: episode.is_test,
    };
    open.iter().map(|(by, episode)| held(by, episode)).collect()
}

/// The earliest deadline of the open episodes.
pub(crate) fn wake_open(open: &BTreeMap<String, Box<Episode>>, rule: &Rule) -> Option<Timestamp> {
    open.values().filter_map(|episode| episode.wake(rule.quiet_after)).min()
}
