//! Rules on duties: a report that is due by the roster and does not come.
//!
//! A report counts for a due time when its own time lies between the opening of the window and the due time plus grace. It is
//! judged when the frontier has passed that end. What is missing stands until a report comes, however late.

use chorus_model::anomaly::MAX_EVIDENCE;
use chorus_model::{AnomalyStatus, Kind, Phase, Severity, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Tip, Turn};
use super::roster::Duty;
use super::rules::{Rule, When};
use super::seen::Seen;
use super::timers::{Passed, fair_deadline};
use super::withdraw::Held;
use super::world::{Site, World};

/// Reports remembered per place: the latest are enough, since windows close in order, unless time stands still for long.
const MOST_REPORTS: usize = 64;
/// Due times judged at one go after a gap; older ones are nobody's business any more.
const MOST_AT_ONCE: usize = 64;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The due time judged last, or the first frontier: what was due before we listened is not judged.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    judged: Option<Timestamp>,
    /// When reports were made, the latest last.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    reports: Vec<Timestamp>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    missing: Option<Missing>,
}

/// Due times in a row that nobody reported for.
#[derive(Debug, Serialize, Deserialize)]
struct Missing {
    #[serde(rename = "n")]
    count: u64,
    /// When the first of them opened.
    #[serde(rename = "f")]
    from: Timestamp,
    /// When the latest of them opened: a report from then on ends it.
    #[serde(rename = "o")]
    opened: Timestamp,
    #[serde(rename = "d")]
    deadline: Timestamp,
}

fn parts(rule: &Rule) -> Option<(&[Kind], &str, Span)> {
    match &rule.when {
        When::Absence { kinds, duty, grace } => Some((kinds, duty, *grace)),
        _ => None,
    }
}

/// The duty of the rule, when it binds the place.
fn duty_at<'w>(rule: &Rule, site: &Site, world: &'w World) -> Option<&'w Duty> {
    let (_, duty, _) = parts(rule)?;
    world.roster.duty_of(duty).filter(|duty| duty.binds(&site.place))
}

/// The place of a key with the duty that binds it.
fn bound_at<'w>(rule: &Rule, key: &str, world: &'w World) -> Option<(&'w Site, &'w Duty)> {
    let site = world.site(key)?;
    Some((site, duty_at(rule, site, world)?))
}

/// How long after the due time a report still counts: what the duty says, else what the rule says.
fn grace_of(rule: &Rule, duty: &Duty) -> Span {
    duty.grace.unwrap_or_else(|| parts(rule).map_or(Span::ZERO, |(_, _, grace)| grace))
}

/// True when the rule waits for reports of this place.
pub(crate) fn binds(rule: &Rule, key: &str, world: &World) -> bool {
    bound_at(rule, key, world).is_some()
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.judged.is_none() && self.reports.is_empty() && self.missing.is_none()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let event = seen.event;
        let reports = event.phase != Phase::Sync && !event.is_test;
        if !reports || !seen.holds(rule.condition.as_ref()) {
            return;
        }
        let position = self.reports.partition_point(|at| *at <= seen.at);
        self.reports.insert(position, seen.at);
        if self.reports.len() > MOST_REPORTS {
            self.reports.remove(0);
        }
        if self.missing.as_ref().is_some_and(|missing| seen.at >= missing.opened)
            && let Some(missing) = self.missing.take()
        {
            let evidence = [event.event_id.clone()];
            let to = missing.deadline.max(seen.at);
            tell(rule, AnomalyStatus::Resolved, &missing, to, &evidence, Tip::event(seen), turn);
        }
    }

    /// Begins to judge the duty at this place. True when that is new.
    pub(crate) fn plant(&mut self, rule: &Rule, site: &Site, world: &World, frontier: Timestamp) -> bool {
        if self.judged.is_some() || duty_at(rule, site, world).is_none() {
            return false;
        }
        self.judged = Some(frontier);
        true
    }

    pub(crate) fn pass(&mut self, rule: &Rule, world: &World, passed: Passed, turn: &mut Turn<'_>) {
        let frontier = passed.frontier;
        let Some((site, duty)) = bound_at(rule, turn.key, world) else { return self.let_go(rule, frontier, turn) };
        let grace = grace_of(rule, duty);
        for _ in 0..MOST_AT_ONCE {
            let Some(due) = self.next_due(duty, site, world) else { return };
            if frontier <= judged_at(duty, due, grace, passed.since) {
                return;
            }
            self.judge(rule, duty, due, grace, turn);
            self.judged = Some(due);
        }
        // So long a gap that it is no use to go through all of it: go on from here.
        self.judged = Some(frontier.minus(grace));
    }

    /// The place has no such duty any more: nothing is missing there.
    fn let_go(&mut self, rule: &Rule, frontier: Timestamp, turn: &mut Turn<'_>) {
        if let Some(missing) = std::mem::take(self).missing {
            let to = frontier.max(missing.deadline);
            tell(rule, AnomalyStatus::Resolved, &missing, to, &[], Tip::deadline(frontier), turn);
        }
    }

    fn judge(&mut self, rule: &Rule, duty: &Duty, due: Timestamp, grace: Span, turn: &mut Turn<'_>) {
        let (opened, deadline) = (due.minus(duty.opens), due.plus(grace));
        if self.reports.iter().any(|at| (opened..=deadline).contains(at)) {
            return;
        }
        let over = |missing: &Missing| rule.quiet_after.is_some_and(|quiet| deadline > missing.deadline.plus(quiet));
        let before = self.missing.take().filter(|missing| !over(missing));
        let count = before.as_ref().map_or(1, |before| before.count + 1);
        let from = before.map_or(opened, |before| before.from);
        let missing = Missing { count, from, opened, deadline };
        // Too late for its window, but made since: it was missing, and is not any more.
        let late = self.reports.iter().rev().find(|at| **at > deadline).copied();
        tell(rule, AnomalyStatus::Firing, &missing, deadline, &[], Tip::deadline(deadline), turn);
        match late {
            Some(at) => tell(rule, AnomalyStatus::Resolved, &missing, at, &[], Tip::deadline(at), turn),
            None => self.missing = Some(missing),
        }
    }

    fn next_due(&self, duty: &Duty, site: &Site, world: &World) -> Option<Timestamp> {
        world.roster.next_due(duty, site.calendar.as_deref(), self.judged?)
    }

    pub(crate) fn wake(&self, rule: &Rule, key: &str, world: &World, since: Timestamp) -> Option<Timestamp> {
        let Some((site, duty)) = bound_at(rule, key, world) else {
            return Some(Timestamp::MIN); // it is let go at once
        };
        let due = self.next_due(duty, site, world)?;
        Some(judged_at(duty, due, grace_of(rule, duty), since))
    }

    /// What is missing still is told anew, at the next time that is due.
    pub(crate) fn release(&mut self) {
        self.missing = None;
    }

    pub(crate) fn held(&self, rule: &Rule) -> Vec<Held> {
        let held = |missing: &Missing| Held {
            by: String::new(),
            kind: kind_of(rule).as_str().into(),
            devices: Vec::new(),
            from: missing.from,
            count: missing.count as f64,
            is_test: false,
        };
        self.missing.iter().map(held).collect()
    }
}

/// When a due time is judged: once its report may not come any more, also by a connector that kept it during an outage.
fn judged_at(duty: &Duty, due: Timestamp, grace: Span, since: Timestamp) -> Timestamp {
    let window = due.plus(grace).since(due.minus(duty.opens));
    fair_deadline(due.plus(grace), window, since)
}

/// What is missing, by what would have been the report.
fn kind_of(rule: &Rule) -> Kind {
    let is_patrol = parts(rule).is_some_and(|(kinds, _, _)| kinds.contains(&Kind::PatrolCheckin));
    if is_patrol { Kind::PatrolMissed } else { Kind::ReportMissing }
}

fn tell(
    rule: &Rule,
    status: AnomalyStatus,
    missing: &Missing,
    to: Timestamp,
    evidence: &[String],
    tip: Tip,
    turn: &mut Turn<'_>,
) {
    let kind = kind_of(rule);
    let latest = evidence.len().saturating_sub(MAX_EVIDENCE);
    let finding = Finding {
        by: "",
        status,
        kind: kind.as_str(),
        severity: kind.default_severity().max(Severity::Medium),
        devices: &[],
        from: missing.from,
        to,
        count: missing.count as f64,
        expected: None,
        why: None,
        evidence: evidence.get(latest..).unwrap_or_default(),
        tip,
        is_test: false,
    };
    turn.tell(rule, finding);
}
