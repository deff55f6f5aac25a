//! The state machine of one input partition.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Context as _;
use chorus_model::{Alert, Anomaly, AnomalyStatus, Span, Timestamp};
use chorus_runtime::Fate;
use chorus_runtime::registry::{Handle, Registry};

use super::place::{Place, key_of};
use super::{BAD_ANOMALY, Settings};
use crate::ledger::{Changes, Write};

/// Anomalies and frontiers to alerts: a pure function of the log, but for the names of places.
#[derive(Debug)]
pub struct Fuser {
    window: Span,
    names: Names,
    places: HashMap<Arc<str>, Place>,
    timers: Timers,
    changes: Changes,
}

impl Fuser {
    /// Without state, for one input partition.
    #[must_use]
    pub fn new(settings: &Settings, registry: Handle) -> Self {
        Self {
            window: settings.window,
            names: Names::new(registry),
            places: HashMap::new(),
            timers: Timers::default(),
            changes: Changes::default(),
        }
    }

    /// Takes an anomaly in, which stands at `offset` of the log. Returns the revision that it makes.
    ///
    /// # Errors
    /// The fate of an anomaly from which nothing is made: [`super::NO_CHANGE`], [`super::NOTHING_TO_RESOLVE`],
    /// [`BAD_ANOMALY`] when nothing says where it is, [`Fate::Duplicate`] when the key's state already holds the offset.
    pub fn process(&mut self, anomaly: &Anomaly, offset: i64) -> Result<Alert, Fate> {
        let key = key_of(anomaly).ok_or(BAD_ANOMALY)?;
        if self.places.get(&key).is_some_and(|place| place.applied >= offset) {
            return Err(Fate::Duplicate);
        }
        if anomaly.status == AnomalyStatus::Resolved && !self.places.contains_key(&key) {
            return Err(super::NOTHING_TO_RESOLVE);
        }
        let place = self.places.entry(Arc::clone(&key)).or_default();
        let result = match anomaly.status {
            AnomalyStatus::Firing => place.fire(anomaly, self.window),
            AnomalyStatus::Resolved => place.end(anomaly),
        };
        let result = result.map(|alert| alert.show(&key, &self.names.of(&key)));
        if !matches!(result, Err(super::NOTHING_TO_RESOLVE)) {
            place.applied = offset;
            self.timers.enter(&key, place.wake(self.window));
            self.changes.mark(&key);
        }
        result
    }

    /// Time has passed: everything received before `frontier` is in. `offset` is that of the record that says so. Returns the
    /// revisions that it makes, those whose deadline was first before others, then in the order of the keys.
    pub fn advance(&mut self, frontier: Timestamp, offset: i64) -> Vec<Alert> {
        let mut written = Vec::new();
        for key in self.timers.due(frontier) {
            let Some(place) = self.places.get_mut(&key).filter(|place| place.applied < offset) else { continue };
            let name = self.names.of(&key);
            if place.pass(frontier, self.window, |alert| written.push(alert.show(&key, &name))) {
                place.applied = offset;
                self.timers.enter(&key, place.wake(self.window));
                self.changes.mark(&key);
            }
        }
        written
    }

    /// When an alert waits for time next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.queue.first().map(|(at, _)| *at)
    }

    /// Hands over the keys that changed since last time with their state; `None` for a key that is gone.
    pub fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let places = &self.places;
        let writes = self.changes.take(|key| places.get(key).is_none_or(|place| place.alerts.is_empty()));
        let mut captured = Vec::with_capacity(writes.len());
        for (key, write) in writes {
            // A state of plain values cannot fail to be written as JSON.
            let state = self.places.get(&key).and_then(|place| serde_json::to_vec(place).ok());
            match (write, state) {
                (Write::State, Some(state)) => captured.push((key.to_string(), Some(state))),
                (Write::Gone, _) | (Write::State, None) => {
                    self.places.remove(&key);
                    captured.push((key.to_string(), None));
                }
            }
        }
        captured
    }

    /// Takes back the state of a key.
    ///
    /// # Errors
    /// When the bytes are not what [`Fuser::capture`] wrote.
    pub fn restore(&mut self, key: &str, state: &[u8]) -> anyhow::Result<()> {
        let place: Place = serde_json::from_slice(state).context("not a state of fuse")?;
        let key: Arc<str> = key.into();
        self.timers.enter(&key, place.wake(self.window));
        if place.alerts.is_empty() {
            self.changes.mark(&key); // so that it is buried, which the instance before had no time for
        }
        self.places.insert(key, place);
        Ok(())
    }

    /// How many alerts stand or can be reopened.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.places.values().map(|place| place.alerts.len()).sum()
    }
}

/// The next deadline of every key.
#[derive(Debug, Default)]
struct Timers {
    queue: BTreeSet<(Timestamp, Arc<str>)>,
    entered: HashMap<Arc<str>, Timestamp>,
}

impl Timers {
    fn enter(&mut self, key: &Arc<str>, wake: Option<Timestamp>) {
        let known = match wake {
            Some(wake) => self.entered.insert(Arc::clone(key), wake),
            None => self.entered.remove(key),
        };
        if known == wake {
            return;
        }
        if let Some(known) = known {
            self.queue.remove(&(known, Arc::clone(key)));
        }
        if let Some(wake) = wake {
            self.queue.insert((wake, Arc::clone(key)));
        }
    }

    fn due(&self, frontier: Timestamp) -> Vec<Arc<str>> {
        self.queue.iter().take_while(|(wake, _)| *wake < frontier).map(|(_, key)| Arc::clone(key)).collect()
    }
}

/// Names of places, from the registry as it is now.
#[derive(Debug)]
struct Names {
    handle: Handle,
    generation: u64,
    registry: Arc<Registry>,
}

impl Names {
    fn new(handle: Handle) -> Self {
        let generation = handle.generation();
        let registry = handle.get();
        Self { handle, generation, registry }
    }

    /// The registry's name of the place, or its id.
    fn of(&mut self, key: &Arc<str>) -> Arc<str> {
        let generation = self.handle.generation();
        if generation != self.generation {
            self.generation = generation;
            self.registry = self.handle.get();
        }
        let name = self.registry.place(key).and_then(|place| place.name.clone()).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| Arc::clone(key))
    }
}
