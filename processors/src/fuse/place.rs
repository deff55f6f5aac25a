//! The alerts of one place: which one an anomaly belongs to.

use std::sync::Arc;

use chorus_model::{Anomaly, Span, Timestamp};
use chorus_runtime::Fate;
use serde::{Deserialize, Serialize};

use super::standing::{PartOf, Standing};
use super::{NO_CHANGE, NOTHING_TO_RESOLVE};

/// The state of one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The offset of the last record that changed it.
    pub(crate) applied: i64,
    /// The oldest first.
    pub(crate) alerts: Vec<Standing>,
}

/// How well an alert fits an anomaly; the least is taken, and the newest among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The condition holds in it.
    Repeat,
    /// The alert stands and the condition held in it.
    Again,
    /// The alert was resolved less than the window ago and the condition held in it.
    Reopen,
    /// The alert stands, and is near.
    Join,
    /// The alert was resolved, can be reopened, and is near.
    JoinReopened,
}

impl Place {
    /// A condition holds. Returns the new revision of its alert.
    ///
    /// # Errors
    /// [`NO_CHANGE`] when a desk would see nothing new; the state is changed nevertheless.
    pub(crate) fn fire(&mut self, anomaly: &Anomaly, window: Span) -> Result<&Standing, Fate> {
        let index = self.choose(anomaly, window).unwrap_or_else(|| {
            self.alerts.push(Standing::new(anomaly));
            self.alerts.len() - 1
        });
        let alert = self.alerts.get_mut(index).ok_or(NO_CHANGE)?;
        if alert.fire(anomaly) { Ok(alert) } else { Err(NO_CHANGE) }
    }

    /// A condition has ended.
    ///
    /// # Errors
    /// As [`Place::fire`]; [`NOTHING_TO_RESOLVE`] when the condition does not hold, and then nothing is changed.
    pub(crate) fn end(&mut self, anomaly: &Anomaly) -> Result<&Standing, Fate> {
        let same_sort = self.alerts.iter_mut().rev().filter(|alert| alert.is_test == anomaly.is_test);
        for alert in same_sort {
            match alert.end(anomaly) {
                None => {}
                Some(true) => return Ok(alert),
                Some(false) => return Err(NO_CHANGE),
            }
        }
        Err(NOTHING_TO_RESOLVE)
    }

    /// A condition goes on in the alert about the division. `None` when none holds it; else the alert when it has a new revision.
    pub(crate) fn hand_over(&mut self, condition: &str, to: &PartOf, tip: Timestamp) -> Option<Option<&Standing>> {
        self.alerts.iter_mut().find_map(|alert| Some(alert.hand_over(condition, to, tip)?.then_some(&*alert)))
    }

    /// Ends quiet conditions, one deadline after the other, and forgets what can no longer be reopened. So it is the same in
    /// however few steps a stretch of time is passed. True when anything changed.
    pub(crate) fn pass(&mut self, frontier: Timestamp, window: Span, mut write: impl FnMut(&Standing)) -> bool {
        let mut changed = false;
        let next = |alerts: &[Standing]| alerts.iter().filter_map(Standing::next_deadline).min();
        while let Some(deadline) = next(&self.alerts).filter(|deadline| *deadline < frontier) {
            changed = true;
            for alert in self.alerts.iter_mut().filter(|alert| alert.next_deadline() == Some(deadline)) {
                if alert.pass(deadline) {
                    write(alert);
                }
            }
        }
        let known = self.alerts.len();
        self.alerts.retain(|alert| alert.reopens_until(window).is_none_or(|until| until >= frontier));
        changed || self.alerts.len() < known
    }

    /// Ends one condition when it has been quiet until the frontier. True when anything changed.
    pub(crate) fn pass_one(&mut self, condition: &str, frontier: Timestamp, mut write: impl FnMut(&Standing)) -> bool {
        let mut changed = false;
        for alert in &mut self.alerts {
            if let Some(deadline) = alert.deadline_of(condition).filter(|deadline| *deadline < frontier) {
                changed = true;
                if alert.pass_one(condition, deadline) {
                    write(alert);
                }
            }
        }
        changed
    }

    pub(crate) fn choose(&self, anomaly: &Anomaly, window: Span) -> Option<usize> {
        let newest_first = self.alerts.iter().enumerate().rev();
        let fits = newest_first.filter_map(|(index, alert)| Some((fit(alert, anomaly, window)?, index)));
        fits.min_by_key(|(fit, _)| *fit).map(|(_, index)| index)
    }

    /// When to look at it again if nothing comes.
    pub(crate) fn wake(&self, window: Span) -> Option<Timestamp> {
        self.alerts.iter().filter_map(|alert| alert.wake(window)).min()
    }
}

fn fit(alert: &Standing, anomaly: &Anomaly, window: Span) -> Option<Fit> {
    if alert.is_test != anomaly.is_test {
        return None;
    }
    let can_reopen = alert.reopens_until(window).is_some_and(|until| anomaly.tipped_at <= until);
    let is_firing = alert.is_firing();
    if alert.stands_for(&anomaly.condition) {
        return Some(Fit::Repeat);
    }
    if alert.knows(&anomaly.condition) {
        return if is_firing { Some(Fit::Again) } else { can_reopen.then_some(Fit::Reopen) };
    }
    if !alert.has_room(&anomaly.rule) || !alert.is_near(anomaly, window) {
        return None;
    }
    if is_firing { Some(Fit::Join) } else { can_reopen.then_some(Fit::JoinReopened) }
}

/// The key of an anomaly: its place, or the device when the place is not known. An anomaly that names neither stands alone
/// under its condition rather than being lost. `None` when it has not even that.
pub(crate) fn key_of(anomaly: &Anomaly) -> Option<Arc<str>> {
    // An empty key is that of the snapshot's marker.
    let named = |id: &&Arc<str>| !id.is_empty() && !id.starts_with(super::AREA);
    let known = anomaly.place.id.as_ref().filter(named).or_else(|| anomaly.devices.iter().find(named));
    known.cloned().or_else(|| (!anomaly.condition.is_empty()).then(|| Arc::from(anomaly.condition.as_str())))
}
