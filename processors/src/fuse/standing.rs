//! One alert as the state keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chorus_model::{Alert, AlertPlace, AlertStatus, Anomaly, PlaceKind, PlaceRef, Severity, Span, Text, Timestamp, id};
use serde::{Deserialize, Serialize};

use super::names::Names;
use super::place::key_of;
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
    /// It is about a whole division: its conditions name their places.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_wide: bool,
    /// The alert about the division that has taken over a condition of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part_of: Option<PartOf>,
}

/// The alert about a whole division, as that of a place names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartOf {
    pub(crate) alert: String,
    pub(crate) division: Arc<str>,
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
            is_wide: false,
            part_of: None,
        }
    }

    /// At its first revision: the alert about a whole division, with what holds at its places. `tip` is what made it so many.
    pub(crate) fn wide(tip: &Anomaly, division: &Arc<str>, reasons: Vec<Reason>) -> Self {
        let mut alert = Self::new(tip);
        alert.id = id::derive(&["alert", division, &tip.anomaly_id]);
        alert.is_wide = true;
        alert.place = PlaceRef {
            id: Some(Arc::clone(division)),
            kind: PlaceKind::Other,
            division_code: Some(Arc::clone(division)),
            resolved: true,
        };
        alert.change(tip.tipped_at, |alert| reasons.into_iter().for_each(|reason| alert.join(reason, tip.tipped_at)));
        alert
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// A condition holds: again, or it joins. True when that is a new revision.
    pub(crate) fn fire(&mut self, anomaly: &Anomaly) -> bool {
        if !self.is_firing() {
            self.part_of = None; // it stands by itself again
        }
        self.change(anomaly.tipped_at, |alert| match alert.find(&anomaly.condition) {
            Some((reason, member)) => {
                if let Some(reason) = alert.reasons.get_mut(reason) {
                    reason.fire(member, anomaly);
                }
            }
            None => alert.join(alert.reason_of(anomaly), anomaly.tipped_at),
        })
    }

    /// A condition goes on in the alert about the division. `None` when it does not hold here; else true when that is a new
    /// revision.
    pub(crate) fn hand_over(&mut self, condition: &str, to: &PartOf, tip: Timestamp) -> Option<bool> {
        let (reason, member) = self.find(condition).filter(|at| self.is_member_firing(*at))?;
        Some(self.change(tip, |alert| {
            alert.ended = alert.ended.max(Some(tip));
            alert.part_of = Some(to.clone());
            let member = alert.reasons.get_mut(reason).and_then(|reason| reason.members.get_mut(member));
            if let Some(member) = member {
                member.firing = false;
            }
        }))
    }

    fn reason_of(&self, anomaly: &Anomaly) -> Reason {
        let place = key_of(anomaly).filter(|_| self.is_wide);
        place.map_or_else(|| Reason::new(anomaly), |place| Reason::at(anomaly, &place))
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

    /// When the next of its conditions counts as over if nothing comes.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.members().filter_map(Member::deadline).min()
    }

    /// The deadline of one condition.
    pub(crate) fn deadline_of(&self, condition: &str) -> Option<Timestamp> {
        self.members().find(|member| member.condition == condition).and_then(Member::deadline)
    }

    /// Ends the conditions whose deadline this is. True when that is a new revision.
    pub(crate) fn pass(&mut self, deadline: Timestamp) -> bool {
        self.end_quiet(deadline, |member| member.deadline() == Some(deadline))
    }

    /// Ends one condition, whose deadline this is. True when that is a new revision.
    pub(crate) fn pass_one(&mut self, condition: &str, deadline: Timestamp) -> bool {
        self.end_quiet(deadline, |member| member.condition == condition)
    }

    fn end_quiet(&mut self, deadline: Timestamp, is_over: impl Fn(&Member) -> bool) -> bool {
        self.change(deadline, |alert| {
            alert.ended = alert.ended.max(Some(deadline));
            let members = alert.reasons.iter_mut().flat_map(|reason| &mut reason.members);
            members.filter(|member| is_over(member)).for_each(|member| member.firing = false);
        })
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

    fn join(&mut self, reason: Reason, tipped_at: Timestamp) {
        self.joined = self.joined.max(tipped_at);
        if self.reasons.len() >= MAX_REASONS {
            if let Some(known) = self.reasons.iter_mut().find(|known| known.rule == reason.rule) {
                known.absorb(reason);
                return;
            }
            self.make_room();
        }
        self.reasons.push(reason);
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

    /// What it says to the desk. `name` is that of the place or division.
    fn summary(&self, worst: usize, name: &Arc<str>, names: &mut Names) -> Text {
        let firing = self.is_firing();
        let counted = || self.members().filter(|member| member.firing || !firing);
        let summary = self.reasons.get(worst).map(|reason| reason.summary.clone()).unwrap_or_default();
        if self.is_wide {
            let places: BTreeSet<&Arc<str>> = counted().filter_map(|member| member.place.as_ref()).collect();
            let at = self.reasons.get(worst).map_or_else(|| Arc::clone(name), |reason| name_of(reason, name, names));
            return text::at_places(&text::name_place(&summary, &at), places.len(), name);
        }
        let summary = text::name_place(&text::and_more(&summary, counted().count().saturating_sub(1)), name);
        match &self.part_of {
            Some(part_of) if !firing => text::now_part_of(&summary, &names.of(&part_of.division)),
            _ => summary,
        }
    }

    /// The alert at its latest revision. `key` is the id of the place or division.
    pub(crate) fn show(&self, key: &Arc<str>, names: &mut Names) -> Alert {
        let face = self.face();
        let name = names.of(key);
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
                name: Arc::clone(&name),
                kind: self.place.kind,
                division_code: self.place.division_code.clone(),
            },
            starts_at,
            updated_at: self.updated_at,
            ends_at: self.ended.filter(|_| is_resolved).map(|ended| ended.max(starts_at)),
            summary: self.summary(face.worst, &name, names),
            reasons: self.reasons.iter().map(|reason| reason.show(&name_of(reason, &name, names))).collect(),
            tipped_at: self.tipped_at,
            is_test: self.is_test,
            part_of: self.part_of.as_ref().map(|part_of| part_of.alert.clone()),
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
        self.reopens_until(window).or_else(|| self.next_deadline())
    }
}

/// The name of the place that a reason is about; that of the alert's own place unless it names one.
fn name_of(reason: &Reason, own: &Arc<str>, names: &mut Names) -> Arc<str> {
    let place = reason.members.first().and_then(|member| member.place.as_ref());
    place.map_or_else(|| Arc::clone(own), |place| names.of(place))
}
