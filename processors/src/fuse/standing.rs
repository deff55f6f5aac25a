//! One alert as the state keeps it.

use std::sync::Arc;

use chorus_model::{Alert, AlertPlace, AlertStatus, Anomaly, PlaceRef, Severity, Span, Timestamp, id};
use serde::{Deserialize, Serialize};

use super::reason::{Member, Reason};
use super::{MAX_CONDITIONS, MAX_REASONS, text};

/// An alert that stands, or that was resolved not longer ago than the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    id: String,
    revision: u32,
    pub(crate) is_test: bool,
    place: PlaceRef,
    reasons: Vec<Reason>,
    /// When the latest condition joined.
    joined: Timestamp,
    updated_at: Timestamp,
    tipped_at: Timestamp,
    /// The latest end of a condition, in the time of windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    /// What tipped the end of the last one; absent while the alert stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Timestamp>,
}

/// What a desk would see of an alert, without counts and times.
#[derive(PartialEq)]
struct Face {
    severity: Severity,
    kind: Arc<str>,
    worst: usize,
    reasons: Vec<(Arc<str>, AlertStatus, usize)>,
}

impl Standing {
    /// An alert without a reason yet: the first anomaly is then put in by [`Standing::fire`].
    pub(crate) fn new(first: &Anomaly) -> Self {
        Self {
            id: id::derive(&["alert", &first.anomaly_id]),
            revision: 0,
            is_test: first.is_test,
            place: first.place.clone(),
            reasons: Vec::new(),
            joined: first.tipped_at,
            updated_at: first.tipped_at,
            tipped_at: first.tipped_at,
            ended: None,
            resolved_at: None,
        }
    }

    /// A condition holds: again, or it joins. True when that is a new revision.
    pub(crate) fn fire(&mut self, anomaly: &Anomaly) -> bool {
        self.change(anomaly.tipped_at, |alert| match alert.find(&anomaly.condition) {
            Some((reason, member)) => {
                if let Some(reason) = alert.reasons.get_mut(reason) {
                    reason.fire(member, anomaly);
                }
            }
            None => alert.join(anomaly),
        })
    }

    /// A condition has ended. `None` when it does not hold; else true when that is a new revision.
    pub(crate) fn end(&mut self, anomaly: &Anomaly) -> Option<bool> {
        let (reason, member) = self.find(&anomaly.condition).filter(|at| self.is_member_firing(*at))?;
        Some(self.change(anomaly.tipped_at, |alert| {
            alert.ended = alert.ended.max(Some(anomaly.to));
            if let Some(reason) = alert.reasons.get_mut(reason) {
                reason.end(member, anomaly);
            }
        }))
    }

    /// Ends what has been quiet for long enough. `None` when nothing has; else true when that is a new revision.
    pub(crate) fn pass(&mut self, frontier: Timestamp) -> Option<bool> {
        let is_over = |at: &Timestamp| *at < frontier;
        let last = self.members().filter_map(Member::deadline).filter(is_over).max()?;
        Some(self.change(last, |alert| {
            alert.ended = alert.ended.max(Some(last));
            for member in alert.reasons.iter_mut().flat_map(|reason| &mut reason.members) {
                if member.deadline().as_ref().is_some_and(is_over) {
                    member.firing = false;
                }
            }
        }))
    }

    /// Applies a change and raises the revision when a desk would see it.
    fn change(&mut self, tip: Timestamp, act: impl FnOnce(&mut Self)) -> bool {
        let before = self.face();
        act(self);
        self.resolved_at = if self.is_firing() { None } else { self.resolved_at.or(Some(tip)) };
        if self.face() == before && !self.reasons.iter().any(Reason::has_grown) {
            return false;
        }
        self.revision += 1;
        self.updated_at = self.updated_at.max(tip);
        self.tipped_at = tip;
        self.reasons.iter_mut().for_each(Reason::tell);
        true
    }

    fn join(&mut self, anomaly: &Anomaly) {
        self.joined = self.joined.max(anomaly.tipped_at);
        if self.reasons.len() >= MAX_REASONS {
            if let Some(reason) = self.reasons.iter_mut().find(|reason| reason.rule == anomaly.rule) {
                reason.absorb(Reason::new(anomaly));
                return;
            }
            self.make_room();
        }
        self.reasons.push(Reason::new(anomaly));
    }

    /// Merges the latest reason whose rule is listed before into the first of that rule.
    fn make_room(&mut self) {
        let Some((first, latest)) = self.twins() else { return };
        let reason = self.reasons.remove(latest);
        if let Some(first) = self.reasons.get_mut(first) {
            first.absorb(reason);
        }
    }

    /// The first and the latest reason of the rule that is listed more than once.
    fn twins(&self) -> Option<(usize, usize)> {
        self.reasons.iter().enumerate().rev().find_map(|(latest, reason)| {
            let first = self.reasons.iter().position(|other| other.rule == reason.rule)?;
            (first < latest).then_some((first, latest))
        })
    }

    fn face(&self) -> Face {
        let worst = self.worst();
        let reason = self.reasons.get(worst);
        Face {
            severity: reason.map_or(Severity::Info, Reason::severity),
            kind: reason.map_or_else(|| Arc::from(""), |reason| Arc::clone(&reason.kind)),
            worst,
            reasons: self.reasons.iter().map(|r| (Arc::clone(&r.rule), r.status(), r.devices.len())).collect(),
        }
    }

    /// The worst reason that stands, or of all when none stands; the first among equals.
    fn worst(&self) -> usize {
        let any = self.is_firing();
        let mut worst: Option<(Severity, usize)> = None;
        for (index, reason) in self.reasons.iter().enumerate().filter(|(_, reason)| reason.is_firing() || !any) {
            let severity = reason.severity();
            if worst.is_none_or(|(known, _)| severity > known) {
                worst = Some((severity, index));
            }
        }
        worst.map_or(0, |(_, index)| index)
    }

    /// The alert at its latest revision.
    pub(crate) fn show(&self, key: &Arc<str>, name: &Arc<str>) -> Alert {
        let face = self.face();
        let summary = self.reasons.get(face.worst).map(|reason| reason.summary.clone()).unwrap_or_default();
        let firing = self.members().filter(|member| member.firing).count();
        let counted = if firing > 0 { firing } else { self.members().count() };
        let starts_at = self.reasons.iter().map(|reason| reason.from).min().unwrap_or(self.tipped_at);
        let is_resolved = self.resolved_at.is_some();
        Alert {
            schema_version: 1,
            alert_id: self.id.clone(),
            revision: self.revision,
            status: if is_resolved { AlertStatus::Resolved } else { AlertStatus::Firing },
            kind: face.kind,
            severity: face.severity,
            place: AlertPlace {
                id: Arc::clone(key),
                name: Arc::clone(name),
                kind: self.place.kind,
                division_code: self.place.division_code.clone(),
            },
            starts_at,
            updated_at: self.updated_at,
            ends_at: self.ended.filter(|_| is_resolved).map(|ended| ended.max(starts_at)),
            summary: text::name_place(&text::and_more(&summary, counted.saturating_sub(1)), name),
            reasons: self.reasons.iter().map(|reason| reason.show(name)).collect(),
            tipped_at: self.tipped_at,
            is_test: self.is_test,
            incident: None,
        }
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.reasons.iter().flat_map(|reason| &reason.members)
    }

    fn find(&self, condition: &str) -> Option<(usize, usize)> {
        self.reasons.iter().enumerate().find_map(|(index, reason)| {
            let member = reason.members.iter().position(|member| member.condition == condition)?;
            Some((index, member))
        })
    }

    fn is_member_firing(&self, (reason, member): (usize, usize)) -> bool {
        self.reasons.get(reason).and_then(|reason| reason.members.get(member)).is_some_and(|member| member.firing)
    }

    /// True when the condition holds here.
    pub(crate) fn stands_for(&self, condition: &str) -> bool {
        self.find(condition).is_some_and(|at| self.is_member_firing(at))
    }

    /// True when the condition holds here, or has held.
    pub(crate) fn knows(&self, condition: &str) -> bool {
        self.find(condition).is_some()
    }

    /// True while one of its conditions holds.
    pub(crate) fn is_firing(&self) -> bool {
        self.reasons.iter().any(Reason::is_firing)
    }

    /// True when the anomaly was tipped, or began, within the window of one of the reasons.
    pub(crate) fn is_near(&self, anomaly: &Anomaly, window: Span) -> bool {
        let within = |a: Timestamp, b: Timestamp| a.max(b).since(a.min(b)) <= window;
        let near = |r: &Reason| within(r.onset, anomaly.tipped_at) || within(r.from, anomaly.from);
        within(self.joined, anomaly.tipped_at) || self.reasons.iter().any(near)
    }

    /// True when a condition of that rule can still join.
    pub(crate) fn has_room(&self, rule: &str) -> bool {
        let listed = || self.reasons.iter().any(|reason| &*reason.rule == rule);
        let has_place = self.reasons.len() < MAX_REASONS || listed() || self.twins().is_some();
        has_place && self.members().count() < MAX_CONDITIONS
    }

    /// Until when it can be reopened; `None` while it stands.
    pub(crate) fn reopens_until(&self, window: Span) -> Option<Timestamp> {
        self.resolved_at.map(|at| at.plus(window))
    }

    /// When to look at it again if nothing comes.
    pub(crate) fn wake(&self, window: Span) -> Option<Timestamp> {
        self.reopens_until(window).or_else(|| self.members().filter_map(Member::deadline).min())
    }
}
