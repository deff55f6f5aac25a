//! What outlives a record and a process: the rules in force, and the snapshot of the state.

use std::sync::Arc;

use chorus_model::Anomaly;
use chorus_runtime::Size;

use super::Detector;
use crate::detect::publication::{InForce, Publication, Published, Refused};
use crate::detect::setup::Setup;
use crate::detect::state::KeyState;
use crate::detect::timers::Timers;
use crate::detect::withdraw::Leaving;
use crate::detect::world::World;
use crate::ledger::Write;

/// The key of the rules in force among the states of a snapshot. It comes before every other: their states mean nothing without.
const RULES_KEY: &str = "\u{1}rules";

impl Detector {
    /// Rules and a roster come into force at this offset. `None` when they are in force already, or later ones are.
    ///
    /// What was open under a rule that is there no more is forgotten. Such conditions end by being quiet; of those that never do, the end
    /// comes back, by condition.
    ///
    /// # Errors
    /// When they are not valid; nothing changes then.
    pub fn publish(&mut self, offset: i64, publication: Publication) -> Result<Option<Vec<Anomaly>>, Refused> {
        self.settle(offset);
        if self.published.now.as_ref().is_some_and(|now| now.offset >= offset) {
            return Ok(None);
        }
        let at = publication.at;
        let setup = publication.setup(self.setup.registry.clone())?;
        let is_new = setup.version() != self.version;
        // Until a snapshot has it, a replay may begin before each of several: the rules of the last snapshot stay known.
        let before = if self.is_kept { self.published.now.take() } else { self.published.before.take() };
        self.published = Published { before, now: Some(InForce { offset, publication }) };
        self.is_kept = false;
        if !is_new {
            return Ok(None);
        }
        let leaving = Leaving { version: Arc::clone(&self.version), rules: Arc::clone(&self.setup.rules), at };
        Ok(Some(self.work_by(setup, offset, Some(&leaving))))
    }

    /// Works by these rules from `offset` on. Keys that were restored ahead of it have the state of rules that are to come.
    /// Returns what ends with the rules so far; those of before a restart are not known.
    fn work_by(&mut self, setup: Setup, offset: i64, leaving: Option<&Leaving>) -> Vec<Anomaly> {
        let mut ended = Vec::new();
        self.version = setup.version();
        self.setup = setup;
        let registry = self.setup.registry.get();
        self.world = World::new(&registry, Arc::clone(&self.setup.roster), self.partition, self.partitions);
        self.planted.clear();
        self.timers = Timers::default();
        for (key, state) in &mut self.keys {
            if state.offset < offset {
                let place = self.world.site(key).map_or(&state.place, |site| &site.place).clone();
                if let Some(of_key) = state.change_rules(key, &place, leaving, &self.setup.rules) {
                    self.changes.mark(key);
                    ended.extend(of_key);
                }
            }
        }
        self.set_timers();
        ended.sort_by(|one, other| one.condition.cmp(&other.condition)); // keys come in no order
        ended
    }

    /// Before the first record after a restart: begins by the rules that were in force at its offset.
    pub(super) fn settle(&mut self, offset: i64) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let is_ahead = self.published.now.as_ref().is_some_and(|of| of.offset > offset);
        if is_ahead {
            self.published.now = self.published.before.take(); // it comes again, where it stands
        }
        let registry = self.setup.registry.clone();
        // It was found valid when it was restored.
        let published = self.published.now.as_ref().and_then(|now| now.publication.setup(registry).ok());
        match published {
            Some(setup) => self.work_by(setup, offset, None),
            // Keys that are ahead may have the state of rules that are to come.
            None if is_ahead => self.work_by(self.configured.clone(), offset, None),
            None => self.work_by(self.configured.clone(), i64::MAX, None),
        };
    }

    /// The keys that changed since last time with their state; `None` for a key that is gone.
    pub fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let keys = &self.keys;
        let writes = self.changes.take(|key| keys.get(key).is_none_or(KeyState::is_empty));
        let mut captured = Vec::with_capacity(writes.len() + 1);
        if !std::mem::replace(&mut self.is_kept, true) {
            captured.push((RULES_KEY.to_owned(), serde_json::to_vec(&self.published).ok()));
        }
        for (key, write) in writes {
            let state = match write {
                Write::State => self.keys.get(&key).and_then(|state| serde_json::to_vec(state).ok()),
                Write::Gone => {
                    if let Some(state) = self.keys.remove(&key) {
                        self.strangers.remove(&(state.offset, Arc::clone(&key)));
                    }
                    self.timers.leave(&key);
                    None
                }
            };
            captured.push((key.to_string(), state));
        }
        captured
    }

    /// How many keys it remembers something of, and how many devices it listens for, once for each rule: heard and silent.
    #[must_use]
    pub fn size(&self) -> Size {
        let mut devices = (0, 0);
        for state in self.keys.values() {
            for (id, of_rule) in &state.rules {
                let Some(rule) = self.setup.rules.rule(id) else { continue };
                let (heard, silent) = of_rule.devices(rule);
                devices = (devices.0 + heard, devices.1 + silent);
            }
        }
        Size { keys: self.keys.len(), devices: Some(devices) }
    }

    /// Takes back the state of a key that [`Detector::capture`] wrote.
    ///
    /// # Errors
    /// When the bytes are no such state, or hold rules that this program cannot work by: it must not work by others.
    pub fn restore(&mut self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.is_settled = false;
        if key == RULES_KEY {
            let published: Published = serde_json::from_slice(bytes)?;
            for of in [&published.before, &published.now].into_iter().flatten() {
                of.publication.setup(self.setup.registry.clone())?;
            }
            self.published = published;
            return Ok(());
        }
        let state: KeyState = serde_json::from_slice(bytes)?;
        let key: Arc<str> = key.into();
        if state.place.id.is_none() && !state.is_empty() && self.world.site(&key).is_none() {
            self.strangers.insert((state.offset, Arc::clone(&key)));
        }
        if state.is_empty() {
            self.changes.mark(&key); // so that its tombstone gets written after all
        }
        self.keys.insert(key, state);
        Ok(())
    }
}
