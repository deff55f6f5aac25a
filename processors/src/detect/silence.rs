//! Rules on what is not heard of any more: a device, or every such device of a place.
//!
//! Judged on the time of receipt and by the frontier, so that nobody is called silent because we are late; after an outage in
//! which nobody could be heard, everybody gets time to speak again. Only a device that was heard of is missed, and a device of the registry that has a heartbeat: that one from the first frontier on.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{AnomalyStatus, Event, Kind, Severity, Span, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Tip, Turn};
use super::rhythm::Rhythm;
use super::rules::{Limit, Of, Rule, When};
use super::seen::Seen;
use super::timers::{Passed, fair_deadline};
use super::withdraw::Held;
use super::world::{Site, World};

/// What it is unless the rule names a kind.
const KIND: &str = "anomaly.silence";
/// Devices of one place that one rule listens for. A forged stream of fresh devices pushes the oldest of its like out.
const MOST_DEVICES: usize = 512;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(rename = "d", default, skip_serializing_if = "BTreeMap::is_empty")]
    devices: BTreeMap<Arc<str>, Watch>,
    /// The whole place has been called silent.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    is_silent: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Watch {
    /// Receipt of its last event, or the frontier from which it is judged.
    #[serde(rename = "l")]
    last: Timestamp,
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    is_silent: bool,
    /// Of a device whose rule learns it.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    rhythm: Option<Box<Rhythm>>,
}

impl Watch {
    fn begin(last: Timestamp) -> Self {
        Self { last, is_silent: false, rhythm: None }
    }

    /// How long the device may be silent; absent when nothing says that (yet).
    fn span(&self, limit: Limit, heartbeat: Option<Span>) -> Option<Span> {
        match limit {
            Limit::Learnt(learnt) => self.rhythm.as_ref()?.span(self.last, &learnt),
            Limit::After(_) | Limit::Missed(_) => limit.span(heartbeat),
        }
    }

    /// When the device is silent; absent when nothing says how long it may be.
    fn deadline(&self, limit: Limit, site: Option<&Site>, device: &str, since: Timestamp) -> Option<Timestamp> {
        let span = self.span(limit, heartbeat(site, device))?;
        Some(fair_deadline(self.last.plus(span), span, since))
    }

    /// The device was heard. Returns when it was heard before, and whether it had been called silent.
    fn hear(&mut self, limit: Limit, event: &Event) -> (Timestamp, bool) {
        let heard = event.received_at;
        let (since, was_silent) = (self.last, std::mem::take(&mut self.is_silent));
        if let Limit::Learnt(learnt) = limit {
            let rhythm = self.rhythm.get_or_insert_with(|| Box::new(Rhythm::begin(heard)));
            rhythm.heard(since, heard, !event.is_replay, was_silent, &learnt);
        }
        self.last = since.max(heard);
        (since, was_silent)
    }

    fn why(&self, at: Timestamp) -> Option<Text> {
        self.rhythm.as_ref().map(|rhythm| rhythm.why(self.last, at))
    }
}

fn heartbeat(site: Option<&Site>, device: &str) -> Option<Span> {
    site.and_then(|site| site.devices.get(device)).and_then(|listed| listed.heartbeat)
}

/// True when the rule may ever call the device silent.
fn is_judged(limit: Limit, heartbeat: Option<Span>) -> bool {
    match limit {
        Limit::Learnt(_) => heartbeat.is_none(),
        Limit::After(_) | Limit::Missed(_) => limit.span(heartbeat).is_some(),
    }
}

/// The parts of a silence rule.
fn parts(rule: &Rule) -> Option<(Of, &[Arc<str>], Limit)> {
    match &rule.when {
        When::Silence { of, devices, limit } => Some((*of, devices, *limit)),
        _ => None,
    }
}

/// True when the event says that its device is there. That a device is unreachable is said by another, about it.
pub(crate) fn is_sign_of_life(event: &Event) -> bool {
    event.kind != Kind::DeviceOffline
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Takes an event in. Returns when its device is to be looked at.
    pub(crate) fn event(
        &mut self,
        rule: &Rule,
        world: &World,
        seen: &Seen<'_>,
        turn: &mut Turn<'_>,
    ) -> Option<Timestamp> {
        let (of, _, limit) = parts(rule)?;
        let device = seen.device;
        let heard = seen.event.received_at;
        let heartbeat = seen.listed.and_then(|listed| listed.heartbeat);
        if !is_judged(limit, heartbeat) {
            return None; // nothing says how long it may be silent
        }
        let place_was_silent = of == Of::Place && std::mem::take(&mut self.is_silent);
        let before = if place_was_silent { self.devices.values().map(|watch| watch.last).max() } else { None };
        if !self.devices.contains_key(device) {
            if self.devices.len() >= MOST_DEVICES {
                self.push_out(rule, of, world.site(turn.key), seen, turn);
            }
            self.devices.insert(Arc::clone(device), Watch::begin(heard));
        }
        let watch = self.devices.get_mut(device)?;
        let (since, was_silent) = watch.hear(limit, seen.event);
        let wake = watch.span(limit, heartbeat).map(|span| watch.last.plus(span));
        let (by, from) = match of {
            Of::Device if was_silent => (&**device, since),
            Of::Place if place_was_silent => ("", before.unwrap_or(heard)),
            Of::Device | Of::Place => return wake,
        };
        let found = Found { by, devices: &[Arc::clone(device)], from, to: heard, why: None };
        tell(rule, AnomalyStatus::Resolved, &found, Some(&seen.event.event_id), Tip::event(seen), turn);
        wake
    }

    /// How many devices are heard and how many are silent, for a rule that judges each by itself.
    pub(crate) fn health(&self, rule: &Rule) -> (usize, usize) {
        let Some((Of::Device, _, _)) = parts(rule) else { return (0, 0) };
        let silent = self.devices.values().filter(|watch| watch.is_silent).count();
        (self.devices.len() - silent, silent)
    }

    /// Makes room: the one not heard of for the longest goes, those of the registry last. It is not missed any more.
    fn push_out(&mut self, rule: &Rule, of: Of, site: Option<&Site>, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let is_listed = |device: &Arc<str>| site.is_some_and(|site| site.devices.contains_key(device));
        let oldest = self.devices.iter().min_by_key(|(device, watch)| (is_listed(device), watch.last));
        let Some(device) = oldest.map(|(device, _)| Arc::clone(device)) else { return };
        let Some(watch) = self.devices.remove(&device) else { return };
        if of == Of::Device && watch.is_silent {
            let (by, at) = (&*device, seen.event.received_at);
            let found = Found { by, devices: &[Arc::clone(&device)], from: watch.last, to: at, why: None };
            tell(rule, AnomalyStatus::Resolved, &found, None, Tip::event(seen), turn);
        }
    }

    /// Begins to judge the registry's devices. True when one was added.
    pub(crate) fn plant(&mut self, rule: &Rule, site: &Site, frontier: Timestamp) -> bool {
        let Some((_, kinds, limit)) = parts(rule) else { return false };
        let mut planted = false;
        for (device, listed) in &site.devices {
            let is_judged =
                listed.is_of(kinds) && listed.heartbeat.is_some_and(|beat| limit.span(Some(beat)).is_some());
            if is_judged && !self.devices.contains_key(device) && self.devices.len() < MOST_DEVICES {
                self.devices.insert(Arc::clone(device), Watch::begin(frontier));
                planted = true;
            }
        }
        planted
    }

    pub(crate) fn pass(&mut self, rule: &Rule, world: &World, passed: Passed, turn: &mut Turn<'_>) {
        let Some((of, _, limit)) = parts(rule) else { return };
        let frontier = passed.frontier;
        let site = world.site(turn.key);
        self.forget_removed(rule, of, limit, site, frontier, turn);
        if of == Of::Place {
            return self.pass_place(rule, limit, site, passed, turn);
        }
        for (device, watch) in &mut self.devices {
            let Some(deadline) = watch.deadline(limit, site, device, passed.since) else { continue };
            if !watch.is_silent && frontier > deadline {
                watch.is_silent = true;
                let found = Found {
                    by: device,
                    devices: &[Arc::clone(device)],
                    from: watch.last,
                    to: deadline,
                    why: watch.why(deadline),
                };
                tell(rule, AnomalyStatus::Firing, &found, None, Tip::deadline(deadline), turn);
            }
        }
    }

    fn pass_place(&mut self, rule: &Rule, limit: Limit, site: Option<&Site>, passed: Passed, turn: &mut Turn<'_>) {
        let Some(deadline) = self.deadline(limit, site, passed.since) else { return };
        if self.is_silent || passed.frontier <= deadline {
            return;
        }
        self.is_silent = true;
        let devices: Vec<Arc<str>> = self.devices.keys().cloned().collect();
        let last = self.devices.values().map(|watch| watch.last).max().unwrap_or(deadline);
        let found = Found { by: "", devices: &devices, from: last, to: deadline, why: None };
        tell(rule, AnomalyStatus::Firing, &found, None, Tip::deadline(deadline), turn);
    }

    /// A device that left the registry is not missed any more.
    fn forget_removed(
        &mut self,
        rule: &Rule,
        of: Of,
        limit: Limit,
        site: Option<&Site>,
        frontier: Timestamp,
        turn: &mut Turn<'_>,
    ) {
        self.devices.retain(|device, watch| {
            if is_judged(limit, heartbeat(site, device)) {
                return true;
            }
            if of == Of::Device && watch.is_silent {
                let found =
                    Found { by: device, devices: &[Arc::clone(device)], from: watch.last, to: frontier, why: None };
                tell(rule, AnomalyStatus::Resolved, &found, None, Tip::deadline(frontier), turn);
            }
            false
        });
        if self.devices.is_empty() && std::mem::take(&mut self.is_silent) {
            let found = Found { by: "", devices: &[], from: frontier, to: frontier, why: None };
            tell(rule, AnomalyStatus::Resolved, &found, None, Tip::deadline(frontier), turn);
        }
    }

    /// When every device of the place is silent.
    fn deadline(&self, limit: Limit, site: Option<&Site>, since: Timestamp) -> Option<Timestamp> {
        self.devices.iter().filter_map(|(device, watch)| watch.deadline(limit, site, device, since)).max()
    }

    pub(crate) fn wake(&self, rule: &Rule, key: &str, world: &World, since: Timestamp) -> Option<Timestamp> {
        let (of, _, limit) = parts(rule)?;
        let site = world.site(key);
        if self.devices.keys().any(|device| !is_judged(limit, heartbeat(site, device))) {
            return Some(Timestamp::MIN); // who left the registry is let go at once
        }
        if of == Of::Place {
            return if self.is_silent { None } else { self.deadline(limit, site, since) };
        }
        let speaking = self.devices.iter().filter(|(_, watch)| !watch.is_silent);
        speaking.filter_map(|(device, watch)| watch.deadline(limit, site, device, since)).min()
    }

    /// Whoever is silent is told anew.
    pub(crate) fn release(&mut self) {
        self.is_silent = false;
        self.devices.values_mut().for_each(|watch| watch.is_silent = false);
    }

    pub(crate) fn held(&self, rule: &Rule) -> Vec<Held> {
        let held = |by: &str, devices: Vec<Arc<str>>, from| Held {
            by: by.to_owned(),
            kind: KIND.into(),
            count: devices.len() as f64,
            devices,
            from,
            is_test: false,
        };
        match parts(rule) {
            Some((Of::Device, _, _)) => {
                let silent = self.devices.iter().filter(|(_, watch)| watch.is_silent);
                silent.map(|(device, watch)| held(device, vec![Arc::clone(device)], watch.last)).collect()
            }
            Some((Of::Place, _, _)) if self.is_silent => {
                let last = self.devices.values().map(|watch| watch.last).max();
                last.map(|last| held("", self.devices.keys().cloned().collect(), last)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

struct Found<'a> {
    by: &'a str,
    devices: &'a [Arc<str>],
    from: Timestamp,
    to: Timestamp,
    why: Option<Text>,
}

fn tell(
    rule: &Rule,
    status: AnomalyStatus,
    found: &Found<'_>,
    evidence: Option<&String>,
    tip: Tip,
    turn: &mut Turn<'_>,
) {
    let finding = Finding {
        by: found.by,
        status,
        kind: KIND,
        severity: Severity::Medium,
        devices: found.devices,
        from: found.from,
        to: found.to,
        count: found.devices.len() as f64,
        expected: None,
        why: found.why.clone(),
        evidence: evidence.map(std::slice::from_ref).unwrap_or_default(),
        tip,
        is_test: false,
    };
    turn.tell(rule, finding);
}
