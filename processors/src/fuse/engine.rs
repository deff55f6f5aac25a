//! The state machine of one input partition.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Context as _;
use chorus_model::{Alert, Anomaly, AnomalyStatus, Span, Timestamp, canary};
use chorus_runtime::registry::Handle;
use chorus_runtime::{Fate, Size};

use super::area::{Area, Stay, area_of};
use super::names::Names;
use super::place::{Place, key_of};
use super::standing::Standing;
use super::timers::Timers;
use super::{AREA, BAD_ANOMALY, Settings};
use crate::ledger::{Changes, Write};

/// Anomalies and frontiers to alerts: a pure function of the log, but for the names of places.
#[derive(Debug)]
pub struct Fuser {
    window: Span,
    names: Names,
    places: HashMap<Arc<str>, Place>,
    timers: Timers,
    /// What the anomalies of a kind have in common over a division.
    areas: BTreeMap<Arc<str>, Area>,
    area_timers: Timers,
    /// Which area's alert has taken a condition over.
    taken_over: HashMap<String, Arc<str>>,
    changes: Changes,
    /// Of the last record, and of the last before the snapshot that was taken last.
    offset: i64,
    captured: i64,
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
            areas: BTreeMap::new(),
            area_timers: Timers::default(),
            taken_over: HashMap::new(),
            changes: Changes::default(),
            offset: -1,
            captured: -1,
        }
    }

    /// Takes an anomaly in, which stands at `offset` of the log. Returns the revisions that it makes: those of what had ended where it
    /// comes from before it came; its own; and with the first about a whole division one of each alert that it takes over from.
    ///
    /// # Errors
    /// The fate of an anomaly from which nothing is made: [`super::NO_CHANGE`], [`super::NOTHING_TO_RESOLVE`],
    /// [`BAD_ANOMALY`] when nothing says where it is, [`Fate::Duplicate`] when the key's state already holds the offset.
    pub fn process(&mut self, anomaly: &Anomaly, offset: i64) -> Result<Vec<Alert>, Fate> {
        let key = key_of(anomaly).ok_or(BAD_ANOMALY)?;
        self.offset = self.offset.max(offset);
        let mut written = Vec::new();
        let area = self.taken_over.get(&anomaly.condition).cloned().or_else(|| area_of(anomaly));
        let in_area = area.and_then(|area| self.process_in_area(&area, anomaly, offset, &mut written));
        let result = in_area.unwrap_or_else(|| self.process_at_place(key, anomaly, offset, &mut written));
        if written.is_empty() { result.map(|()| written) } else { Ok(written) }
    }

    fn process_at_place(
        &mut self,
        key: Arc<str>,
        anomaly: &Anomaly,
        offset: i64,
        written: &mut Vec<Alert>,
    ) -> Result<(), Fate> {
        if self.places.get(&key).is_some_and(|place| place.applied >= offset) {
            return Err(Fate::Duplicate);
        }
        if anomaly.status == AnomalyStatus::Resolved && !self.places.contains_key(&key) {
            return Err(super::NOTHING_TO_RESOLVE);
        }
        let place = self.places.entry(Arc::clone(&key)).or_default();
        let names = &mut self.names;
        let mut write = |alert: &Standing| written.push(alert.show(&key, names));
        let mut has_passed = anomaly.frontier.is_some_and(|frontier| place.pass(frontier, self.window, &mut write));
        if let Some(begun) = begun(anomaly) {
            has_passed |= place.pass_one(&anomaly.condition, begun, &mut write);
        }
        let result = match anomaly.status {
            AnomalyStatus::Firing => place.fire(anomaly, self.window),
            AnomalyStatus::Resolved => place.end(anomaly),
        };
        let result = result.map(write);
        if has_passed || !matches!(result, Err(super::NOTHING_TO_RESOLVE)) {
            place.applied = offset;
            self.timers.enter(&key, place.wake(self.window));
            self.changes.mark(&key);
        }
        result
    }

    /// `None` when the anomaly is for the alert of its place.
    fn process_in_area(
        &mut self,
        key: &Arc<str>,
        anomaly: &Anomaly,
        offset: i64,
        written: &mut Vec<Alert>,
    ) -> Option<Result<(), Fate>> {
        if anomaly.status == AnomalyStatus::Resolved && !self.areas.contains_key(key) {
            return None;
        }
        let area = self.areas.entry(Arc::clone(key)).or_insert_with(|| Area::before(offset));
        let result = if area.wide.applied >= offset {
            area.took(&anomaly.condition, offset).then_some(Err(Fate::Duplicate))
        } else {
            let (names, division) = (&mut self.names, division_of(key));
            let mut write = |alert: &Standing| written.push(alert.show(&division, names));
            if let Some(passed) = anomaly.frontier.max(begun(anomaly)) {
                area.settle(&anomaly.condition, passed, &mut write);
            }
            let result = area.take(anomaly, offset, write);
            area.wide.applied = offset;
            if !area.holds(&anomaly.condition) {
                self.taken_over.remove(&anomaly.condition);
            }
            self.area_timers.enter(key, area.wake(self.window));
            self.changes.mark(&area_key(key));
            result
        };
        let stays = area.taken_over(offset);
        written.extend(self.hand_over(key, stays, anomaly.tipped_at, offset));
        result
    }

    /// What places began with goes on in the alert about their division.
    fn hand_over(&mut self, area: &Arc<str>, stays: Vec<Stay>, tip: Timestamp, offset: i64) -> Vec<Alert> {
        let mut revisions = Vec::new();
        let mut touched = BTreeSet::new();
        for stay in stays {
            self.taken_over.insert(stay.condition.clone(), Arc::clone(area));
            let Some(place) = self.places.get_mut(&stay.place).filter(|place| place.applied < offset) else { continue };
            if let Some(told) = place.hand_over(&stay.condition, &stay.to, tip) {
                revisions.extend(told.map(|alert| alert.show(&stay.place, &mut self.names)));
                touched.insert(stay.place);
            }
        }
        for key in touched {
            if let Some(place) = self.places.get_mut(&key) {
                place.applied = offset;
                self.timers.enter(&key, place.wake(self.window));
                self.changes.mark(&key);
            }
        }
        revisions
    }

    /// Time has passed: everything received before `frontier` is in. `offset` is that of the record that says so. Returns the
    /// revisions that it makes, those whose deadline was first before others, then in the order of the keys.
    pub fn advance(&mut self, frontier: Timestamp, offset: i64) -> Vec<Alert> {
        self.offset = self.offset.max(offset);
        let mut written = self.advance_areas(frontier, offset);
        for key in self.timers.due(frontier) {
            let Some(place) = self.places.get_mut(&key).filter(|place| place.applied < offset) else { continue };
            let names = &mut self.names;
            if place.pass(frontier, self.window, |alert| written.push(alert.show(&key, names))) {
                place.applied = offset;
                self.timers.enter(&key, place.wake(self.window));
                self.changes.mark(&key);
            }
        }
        written
    }

    fn advance_areas(&mut self, frontier: Timestamp, offset: i64) -> Vec<Alert> {
        let mut written = Vec::new();
        for key in self.area_timers.due(frontier) {
            let Some(area) = self.areas.get_mut(&key).filter(|area| area.wide.applied < offset) else { continue };
            let (names, division) = (&mut self.names, division_of(&key));
            if area.pass(frontier, self.window, offset, |alert| written.push(alert.show(&division, names))) {
                area.wide.applied = offset;
                self.taken_over.retain(|_, of| *of != key);
                self.taken_over.extend(area.conditions().map(|condition| (condition.to_owned(), Arc::clone(&key))));
                self.area_timers.enter(&key, area.wake(self.window));
                self.changes.mark(&area_key(&key));
            }
        }
        written
    }

    /// When an alert waits for time next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        [self.timers.next(), self.area_timers.next()].into_iter().flatten().min()
    }

    /// Hands over the keys that changed since last time with their state; `None` for a key that is gone.
    pub fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        // No replay goes back behind the snapshot before this one.
        for (key, area) in &mut self.areas {
            if area.forget(self.captured) {
                self.changes.mark(&area_key(key));
            }
        }
        self.captured = self.offset;
        let (places, areas) = (&self.places, &self.areas);
        let writes = self.changes.take(|key| match key.strip_prefix(AREA) {
            Some(area) => areas.get(area).is_none_or(Area::is_empty),
            None => places.get(key).is_none_or(|place| place.alerts.is_empty()),
        });
        writes.into_iter().map(|(key, write)| self.written(&key, write)).collect()
    }

    fn written(&mut self, key: &Arc<str>, write: Write) -> (String, Option<Vec<u8>>) {
        // A state of plain values cannot fail to be written as JSON.
        let state = match key.strip_prefix(AREA) {
            Some(area) => self.areas.get(area).and_then(|area| serde_json::to_vec(area).ok()),
            None => self.places.get(key).and_then(|place| serde_json::to_vec(place).ok()),
        };
        if let (Write::State, Some(state)) = (write, state) {
            return (key.to_string(), Some(state));
        }
        match key.strip_prefix(AREA) {
            Some(area) => drop(self.areas.remove(area)),
            None => drop(self.places.remove(key)),
        }
        (key.to_string(), None)
    }

    /// Takes back the state of a key.
    ///
    /// # Errors
    /// When the bytes are not what [`Fuser::capture`] wrote.
    pub fn restore(&mut self, key: &str, state: &[u8]) -> anyhow::Result<()> {
        if let Some(area) = key.strip_prefix(AREA) {
            return self.restore_area(area.into(), state);
        }
        let place: Place = serde_json::from_slice(state).context("not a state of fuse")?;
        let key: Arc<str> = key.into();
        self.timers.enter(&key, place.wake(self.window));
        if place.alerts.is_empty() {
            self.changes.mark(&key); // so that it is buried, which the instance before had no time for
        }
        self.places.insert(key, place);
        Ok(())
    }

    fn restore_area(&mut self, key: Arc<str>, state: &[u8]) -> anyhow::Result<()> {
        let area: Area = serde_json::from_slice(state).context("not a state of fuse")?;
        self.area_timers.enter(&key, area.wake(self.window));
        self.taken_over.extend(area.conditions().map(|condition| (condition.to_owned(), Arc::clone(&key))));
        if area.is_empty() {
            self.changes.mark(&area_key(&key)); // as above
        }
        self.areas.insert(key, area);
        Ok(())
    }

    /// How many places and divisions it remembers something of.
    #[must_use]
    pub fn size(&self) -> Size {
        Size { keys: self.places.len() + self.areas.len(), devices: None }
    }

    /// How many alerts stand or can be reopened.
    #[must_use]
    pub fn alerts(&self) -> usize {
        let wide = self.areas.values().map(|area| &area.wide);
        self.places.values().chain(wide).map(|place| place.alerts.len()).sum()
    }
}

/// When what is found began, by its own time and by its receipt. A condition that had to be quiet for longer than that is another one now,
/// even where a feed that stands still keeps the frontier back. But not a canary: it is there to show that time passes.
fn begun(anomaly: &Anomaly) -> Option<Timestamp> {
    let is_asked = anomaly.status == AnomalyStatus::Firing && &*anomaly.rule != canary::NAME;
    is_asked.then(|| anomaly.from.min(anomaly.tipped_at))
}

/// Under which key a snapshot keeps an area.
fn area_key(area: &str) -> Arc<str> {
    format!("{AREA}{area}").into()
}

fn division_of(area: &str) -> Arc<str> {
    area.split('|').next().unwrap_or_default().into()
}
