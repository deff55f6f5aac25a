//! The same at neighbouring places: one alert about their division, instead of one for each place.
//!
//! A rule may say from how many places of a division on the same kind of finding, made within a time, is one thing (findings of
//! other rules that say so for that division count too: a power cut silences gates and schools alike). Until then each place
//! has its own alert, since nobody waits for others; then one alert about the division takes over what those began with, and
//! what comes near in time joins it.
//!
//! Places of a division may stand in several partitions of `events`. In which order their anomalies come hangs on how detect reads those,
//! so after a backlog another set of places may be found to be at once; a single place's conditions are ended by its own time.
//!
//! An area is a function of the anomalies of its kind and division alone, never of the alerts of places. So area and places may be
//! restored from snapshots of different ages: which of them took an anomaly in is looked up by the anomaly's offset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chorus_model::{Anomaly, AnomalyStatus, Span, Timestamp, Together};
use chorus_runtime::Fate;
use serde::{Deserialize, Serialize};

use super::NO_CHANGE;
use super::place::{Place, key_of};
use super::reason::Reason;
use super::standing::{PartOf, Standing};

/// Conditions that alerts about one division hold together; what comes then stands at its place. Bounds the size of a snapshot's record,
/// some 350 bytes each, which must stay below the megabyte that Kafka takes.
const MOST_MEMBERS: usize = 1_000;
/// New conditions that wait for others, and old ones that are remembered as such.
const MOST_CANDIDATES: usize = 200;
const MOST_OLD: usize = 1_000;

/// The state of one division and kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Area {
    /// The alerts about the division, and the offset up to which all of this has been applied.
    pub(crate) wide: Place,
    /// Conditions that hold at places and are new: the oldest first.
    candidates: Vec<Candidate>,
    /// Conditions that hold at places and are new no more, with the instant after which they are over if nothing comes.
    old: BTreeMap<String, Option<Timestamp>>,
    /// What the division's alerts have taken over, and when they let it go.
    stays: Vec<Stay>,
}

/// A condition that holds at a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Candidate {
    place: Arc<str>,
    reason: Reason,
}

impl Candidate {
    fn condition(&self) -> &str {
        self.reason.members.first().map_or("", |member| &member.condition)
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.reason.members.first().and_then(|member| member.deadline())
    }
}

/// A condition belongs to an alert about the division from one offset of the log to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stay {
    pub(crate) condition: String,
    pub(crate) place: Arc<str>,
    pub(crate) to: PartOf,
    since: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

impl Stay {
    fn is_open(&self) -> bool {
        self.until.is_none()
    }
}

/// The key of an anomaly's area; `None` when it is to stand by itself.
pub(crate) fn area_of(anomaly: &Anomaly) -> Option<Arc<str>> {
    let together = anomaly.together.as_ref()?;
    let sort = if anomaly.is_test { "test" } else { "real" };
    Some(format!("{}|{}|{sort}", together.division, anomaly.kind).into())
}

impl Area {
    /// Without anything, before the record at `offset`.
    pub(crate) fn before(offset: i64) -> Self {
        Self { wide: Place { applied: offset - 1, ..Place::default() }, ..Self::default() }
    }

    /// True when nothing is left to remember.
    pub(crate) fn is_empty(&self) -> bool {
        self.wide.alerts.is_empty() && self.candidates.is_empty() && self.old.is_empty() && self.stays.is_empty()
    }

    /// Takes a record in that it has not seen yet. `None` when the anomaly is for the place's own alert. `write` gets the alert that has
    /// a new revision.
    pub(crate) fn take(
        &mut self,
        anomaly: &Anomaly,
        offset: i64,
        write: impl FnOnce(&Standing),
    ) -> Option<Result<(), Fate>> {
        let is_mine = self.holds(&anomaly.condition);
        match anomaly.status {
            AnomalyStatus::Resolved if is_mine => Some(self.wide.end(anomaly).map(write)),
            AnomalyStatus::Resolved => {
                self.candidates.retain(|candidate| candidate.condition() != anomaly.condition);
                self.old.remove(&anomaly.condition);
                None
            }
            AnomalyStatus::Firing => self
                .fire(anomaly, offset, is_mine)
                .map(|index| index.and_then(|index| self.wide.alerts.get(index).ok_or(NO_CHANGE)).map(write)),
        }
    }

    /// Time has passed at the place of a condition, and perhaps not yet at the others: ends it when it has been quiet until then.
    pub(crate) fn settle(&mut self, condition: &str, frontier: Timestamp, write: impl FnMut(&Standing)) {
        let is_over = |deadline: Option<Timestamp>| deadline.is_some_and(|deadline| deadline < frontier);
        self.wide.pass_one(condition, frontier, write);
        self.candidates.retain(|candidate| candidate.condition() != condition || !is_over(candidate.deadline()));
        if self.old.get(condition).copied().is_some_and(is_over) {
            self.old.remove(condition);
        }
    }

    /// The index of the alert that has a new revision; `None` when the place's own alert is to take it in.
    fn fire(&mut self, anomaly: &Anomaly, offset: i64, is_mine: bool) -> Option<Result<usize, Fate>> {
        // Where the rule does not ask for it any more, what was begun goes on, and nothing else comes to it.
        let within = anomaly.together.as_ref().map_or(Span::ZERO, |together| together.within);
        self.age(anomaly.tipped_at, within);
        if !is_mine && self.is_known(anomaly) {
            return None;
        }
        let chosen = self.wide.choose(anomaly, within).filter(|_| is_mine || self.has_room());
        if let Some(index) = chosen {
            let alert = self.wide.alerts.get_mut(index)?;
            let is_told = alert.fire(anomaly);
            let id = alert.id().to_owned();
            if !is_mine {
                let together = anomaly.together.as_ref()?;
                self.enter(anomaly.condition.clone(), key_of(anomaly)?, id, &together.division, offset);
            }
            return Some(if is_told { Ok(index) } else { Err(NO_CHANGE) });
        }
        self.close(offset, |stay| stay.condition == anomaly.condition); // its alert is over and cannot be reopened
        let together = anomaly.together.as_ref()?;
        self.propose(anomaly);
        self.widen(anomaly, together, offset).map(Ok)
    }

    /// A condition that holds at its place: takes the news in. False when it is a new one.
    fn is_known(&mut self, anomaly: &Anomaly) -> bool {
        if let Some(deadline) = self.old.get_mut(&anomaly.condition) {
            *deadline = anomaly.quiet_after.map(|quiet| anomaly.tipped_at.plus(quiet));
            return true;
        }
        match self.candidates.iter_mut().find(|candidate| candidate.condition() == anomaly.condition) {
            Some(candidate) => {
                candidate.reason.fire(0, anomaly);
                true
            }
            None => false,
        }
    }

    fn propose(&mut self, anomaly: &Anomaly) {
        let Some(place) = key_of(anomaly) else { return };
        if self.candidates.len() >= MOST_CANDIDATES {
            self.candidates.remove(0);
        }
        self.candidates.push(Candidate { reason: Reason::at(anomaly, &place), place });
    }

    /// What was found too long before `now` does not wait for others any more.
    fn age(&mut self, now: Timestamp, within: Span) {
        let is_new = |candidate: &Candidate| candidate.reason.onset.plus(within) >= now;
        let (new, old): (Vec<_>, Vec<_>) = std::mem::take(&mut self.candidates).into_iter().partition(is_new);
        self.candidates = new;
        self.old.extend(old.iter().map(|candidate| (candidate.condition().to_owned(), candidate.deadline())));
        while self.old.len() > MOST_OLD {
            self.old.pop_first();
        }
    }

    /// Makes the alert about the division when there are enough places.
    fn widen(&mut self, anomaly: &Anomaly, together: &Together, offset: i64) -> Option<usize> {
        let places: BTreeSet<&Arc<str>> = self.candidates.iter().map(|c| &c.place).collect();
        if places.len() < usize::from(together.places) || self.members() + self.candidates.len() > MOST_MEMBERS {
            return None;
        }
        let candidates = std::mem::take(&mut self.candidates);
        let reasons = candidates.iter().map(|candidate| candidate.reason.clone()).collect();
        let alert = Standing::wide(anomaly, &together.division, reasons);
        for candidate in candidates {
            let condition = candidate.condition().to_owned();
            self.enter(condition, candidate.place, alert.id().to_owned(), &together.division, offset);
        }
        self.wide.alerts.push(alert);
        Some(self.wide.alerts.len() - 1)
    }

    fn has_room(&self) -> bool {
        self.members() < MOST_MEMBERS
    }

    /// What is held. Not what was let go: when that is forgotten hangs on snapshots, which no alert may.
    fn members(&self) -> usize {
        self.stays.iter().filter(|stay| stay.is_open()).count()
    }

    fn enter(&mut self, condition: String, place: Arc<str>, alert: String, division: &Arc<str>, since: i64) {
        let to = PartOf { alert, division: Arc::clone(division) };
        self.stays.push(Stay { condition, place, to, since, until: None });
    }

    fn close(&mut self, offset: i64, is_over: impl Fn(&Stay) -> bool) {
        for stay in self.stays.iter_mut().filter(|stay| stay.is_open() && is_over(stay)) {
            stay.until = Some(offset);
        }
    }

    /// Time has passed: as [`Place::pass`].
    pub(crate) fn pass(
        &mut self,
        frontier: Timestamp,
        window: Span,
        offset: i64,
        write: impl FnMut(&Standing),
    ) -> bool {
        let mut changed = self.wide.pass(frontier, window, write);
        let wide = std::mem::take(&mut self.wide);
        self.close(offset, |stay| !wide.alerts.iter().any(|alert| alert.knows(&stay.condition)));
        self.wide = wide;
        let is_over = |deadline: Option<Timestamp>| deadline.is_some_and(|deadline| deadline < frontier);
        let known = self.candidates.len() + self.old.len();
        self.candidates.retain(|candidate| !is_over(candidate.deadline()));
        self.old.retain(|_, deadline| !is_over(*deadline));
        changed |= self.candidates.len() + self.old.len() < known;
        changed
    }

    /// When to look at it again if nothing comes.
    pub(crate) fn wake(&self, window: Span) -> Option<Timestamp> {
        let candidates = self.candidates.iter().filter_map(Candidate::deadline);
        candidates.chain(self.old.values().flatten().copied()).chain(self.wide.wake(window)).min()
    }

    /// True while the condition belongs to an alert about the division.
    pub(crate) fn holds(&self, condition: &str) -> bool {
        self.stays.iter().any(|stay| stay.is_open() && stay.condition == condition)
    }

    /// True when the anomaly at an offset that has been applied was taken in here.
    pub(crate) fn took(&self, condition: &str, offset: i64) -> bool {
        let held = |stay: &Stay| stay.since <= offset && stay.until.is_none_or(|until| offset < until);
        self.stays.iter().any(|stay| stay.condition == condition && held(stay))
    }

    /// What was taken over at this offset.
    pub(crate) fn taken_over(&self, offset: i64) -> Vec<Stay> {
        self.stays.iter().filter(|stay| stay.since == offset).cloned().collect()
    }

    /// Conditions that are looked for here whatever their rule says now.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &str> {
        self.stays.iter().filter(|stay| stay.is_open()).map(|stay| stay.condition.as_str())
    }

    /// Forgets what was let go up to an offset that no replay goes back behind. True when there was something.
    pub(crate) fn forget(&mut self, offset: i64) -> bool {
        let known = self.stays.len();
        self.stays.retain(|stay| stay.until.is_none_or(|until| until > offset));
        self.stays.len() < known
    }
}
