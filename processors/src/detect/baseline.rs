//! Rules on counts that are far from the usual for their time of the week, upwards or downwards.
//!
//! The usual count of a slot is the middle of the last eight weeks' counts of the same slot; the spread is pooled over all slots of
//! the series, since one estimated per slot would hide the very events that it is to find. Only the past is used. A slot is
//! judged when the frontier has passed its end; a count that is too high already is told before that. Beside this the detector
//! of [`counts`](super::counts) looks at every closed slot: it finds what no slot shows alone, a crowd over several slots, a
//! day unlike its kind, a source that has died.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{AnomalyStatus, CITY_AHEAD, Event, Severity, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::counts::{Counts, THRESHOLD, What, Why};
use super::event_id::EventId;
use super::finding::{Finding, Tip, Turn};
use super::rules::{Baseline, Rule, When};
use super::seen::Seen;
use super::timers::Passed;
use super::usual::{History, Usual};
use super::withdraw::Held;

/// Slots are aligned to the weeks of the city. The epoch was a Thursday; weeks begin on Monday.
const TO_MONDAY: Span = Span::from_secs(3 * 86_400);
const WEEK: Span = Span::from_secs(7 * 86_400);
/// Series (values of `by`) of one rule at one place.
const MOST_SERIES: usize = 8;
/// Slots that are open at once: the running one, those that wait for the frontier, and devices that are ahead of time.
const MOST_SLOTS: usize = 16;
const MOST_EVIDENCE: usize = 4;
const SPIKE: &str = "anomaly.rate_spike";
const DROP: &str = "anomaly.rate_drop";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct State {
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Series {
    /// The slot in which it began: partly seen, so neither judged nor learnt from.
    #[serde(rename = "f")]
    first: i64,
    /// The slot closed last.
    #[serde(rename = "c")]
    closed: i64,
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    open: BTreeMap<i64, Slot>,
    /// The first and the last slot for which there was no room: what is known of them and between them is too little.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    lost: Option<(i64, i64)>,
    #[serde(rename = "h")]
    history: History,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    /// Absent in states that were written before there was one.
    #[serde(rename = "m", default)]
    model: Counts,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Slot {
    #[serde(rename = "n")]
    count: u32,
    /// From this count on it is a spike; absent while there is too little history.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<EventId>,
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<Arc<str>>,
}

/// An anomaly that was told and not yet ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Standing {
    #[serde(rename = "u")]
    is_up: bool,
    /// The slot in which it began.
    #[serde(rename = "f")]
    from: i64,
    /// The latest slot that it held in.
    #[serde(rename = "l")]
    last: i64,
}

impl Standing {
    /// Its kind, and what tells its condition from the others of the series.
    fn names(&self, by: &str) -> (&'static str, String) {
        let (kind, direction) = if self.is_up { (SPIKE, "up") } else { (DROP, "down") };
        (kind, if by.is_empty() { direction.to_owned() } else { format!("{by}|{direction}") })
    }
}

fn settings(rule: &Rule) -> Option<&Baseline> {
    match &rule.when {
        When::Baseline { settings, .. } => Some(settings),
        _ => None,
    }
}

fn slot_of(at: Timestamp, slot: Span) -> i64 {
    at.plus(CITY_AHEAD).plus(TO_MONDAY).as_micros().div_euclid(slot.as_micros())
}

fn start_of(number: i64, slot: Span) -> Timestamp {
    Timestamp::from_micros(number.saturating_mul(slot.as_micros())).minus(TO_MONDAY).minus(CITY_AHEAD)
}

/// Up or down, when the detector tells something.
fn told(score: f64, why: Option<Why>) -> Option<(bool, Why)> {
    let why = why.filter(|_| score >= THRESHOLD)?;
    let is_up = match why.what {
        What::Excess | What::HighDay => true,
        What::Lack | What::LowDay | What::Silence => false,
        What::OtherDay => why.seen > why.expected,
    };
    Some((is_up, why))
}

/// What the test of the single slots has to say, in the words of the detector.
fn why_of_slot(is_up: bool, (from, to): (Timestamp, Timestamp), count: u32, usual: Usual) -> Why {
    let what = if is_up { What::Excess } else { What::Lack };
    Why { what, from: from.city_seconds(), to: to.city_seconds(), seen: f64::from(count), expected: usual.expected() }
}

fn slots_of_week(slot: Span) -> i64 {
    (WEEK.as_micros() / slot.as_micros()).max(1)
}

/// How much an event counts: what it says itself, else one.
fn weight(event: &Event) -> u32 {
    event.count.map_or(1, |count| u32::try_from(count.clamp(0, 1_000_000)).unwrap_or(0))
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let Some(settings) = settings(rule) else { return };
        if seen.event.is_test || !seen.happens(rule.condition.as_ref()) {
            return;
        }
        let Some(by) = rule.by(seen.event) else { return };
        let number = slot_of(seen.at, settings.slot);
        if !self.series.contains_key(&by) && self.series.len() >= MOST_SERIES {
            return; // the series that are there are worth more than a new one
        }
        let series = self.series.entry(by.clone()).or_insert_with(|| Series {
            first: number,
            closed: number - 1,
            open: BTreeMap::new(),
            lost: None,
            history: History::new(slots_of_week(settings.slot)),
            standing: None,
            model: Counts::with_step(settings.slot.as_micros() / 1_000_000),
        });
        if number <= series.closed {
            if number > series.first {
                series.history.add(number, weight(seen.event)); // too late to be judged, not to be learnt from
            }
            return;
        }
        if !series.open.contains_key(&number) && series.open.len() >= MOST_SLOTS {
            series.lose(number.min(slot_of(seen.event.received_at, settings.slot)));
            return;
        }
        series.count(number, settings, seen);
        let too_many = series.open.get(&number).is_some_and(|slot| slot.limit.is_some_and(|limit| slot.count >= limit));
        let is_told = series.standing.is_some_and(|standing| standing.is_up);
        if too_many && !is_told {
            series.turn_to(rule, &by, settings, Some((true, None)), number, Tip::event(seen), turn);
        }
    }

    pub(crate) fn pass(&mut self, rule: &Rule, passed: Passed, turn: &mut Turn<'_>) {
        let Some(settings) = settings(rule) else { return };
        // The last slot whose end lies before the frontier.
        let last = slot_of(passed.frontier.minus(settings.late).minus(Span::from_micros(1)), settings.slot) - 1;
        for (by, series) in &mut self.series {
            if last - series.closed > slots_of_week(settings.slot) {
                series.skip_to(last - 1); // nothing passed for more than a week: that was us, not the place
            }
            while series.closed < last {
                series.close(rule, by, settings, passed.since, turn);
            }
        }
    }

    pub(crate) fn wake(&self, rule: &Rule) -> Option<Timestamp> {
        let settings = settings(rule)?;
        let next = self.series.values().map(|series| series.closed + 2).min()?;
        Some(start_of(next, settings.slot).plus(settings.late))
    }

    /// What stands still is told anew with the next slot.
    pub(crate) fn release(&mut self) {
        self.series.values_mut().for_each(|series| series.standing = None);
    }

    pub(crate) fn held(&self, rule: &Rule) -> Vec<Held> {
        let Some(settings) = settings(rule) else { return Vec::new() };
        let held = |(by, series): (&String, &Series)| {
            let standing = series.standing?;
            let (kind, by) = standing.names(by);
            let from = start_of(standing.from, settings.slot);
            Some(Held { by, kind: kind.into(), devices: Vec::new(), from, count: 0.0, is_test: false })
        };
        self.series.iter().filter_map(held).collect()
    }
}

impl Series {
    fn count(&mut self, number: i64, settings: &Baseline, seen: &Seen<'_>) {
        let history = &self.history;
        let judged = number > self.first;
        let slot = self.open.entry(number).or_insert_with(|| Slot {
            limit: if judged {
                history.usual(number, settings.min_weeks).map(|u| u.limit(settings.alpha))
            } else {
                None
            },
            ..Slot::default()
        });
        slot.count = slot.count.saturating_add(weight(seen.event));
        if slot.evidence.len() >= MOST_EVIDENCE {
            slot.evidence.remove(0);
        }
        slot.evidence.push(EventId::from(&*seen.event.event_id));
        if slot.devices.len() < MOST_EVIDENCE && !slot.devices.contains(seen.device) {
            slot.devices.push(Arc::clone(seen.device));
        }
    }

    /// There was no room for an event of this slot.
    fn lose(&mut self, number: i64) {
        let (first, last) = self.lost.unwrap_or((number, number));
        self.lost = Some((first.min(number), last.max(number)));
    }

    fn skip_to(&mut self, number: i64) {
        self.open.retain(|open, _| *open > number);
        self.closed = number;
    }

    /// Judges the next slot and learns from it. Of one that began before we could listen, only an excess is known.
    fn close(&mut self, rule: &Rule, by: &str, settings: &Baseline, since: Timestamp, turn: &mut Turn<'_>) {
        let number = self.closed + 1;
        if number > self.first {
            let count = self.open.get(&number).map_or(0, |slot| slot.count);
            let tip = Tip::deadline(start_of(number + 1, settings.slot).plus(settings.late));
            let usual = self.history.usual(number, settings.min_weeks);
            let is_lost = self.lost.is_some_and(|(first, last)| (first..=last).contains(&number));
            let is_whole = !is_lost && start_of(number, settings.slot) >= since;
            let direction = usual.and_then(|usual| usual.direction(count, settings.alpha));
            // A slot that began before we could listen is missing, not low.
            let verdict =
                self.model.row(start_of(number, settings.slot).city_seconds(), is_whole.then_some(f64::from(count)));
            let of_model = told(verdict.score, verdict.why).map(|(is_up, why)| (is_up, Some(why)));
            let known = direction.filter(|is_up| *is_up || is_whole).map(|is_up| (is_up, None)).or(of_model);
            self.turn_to(rule, by, settings, known, number, tip, turn);
            if is_whole {
                self.history.set(number, count);
            }
        }
        self.open.remove(&number);
        self.lost = self.lost.filter(|(_, last)| *last > number);
        self.closed = number;
    }

    /// Ends what stood and does not hold any more; tells what holds.
    #[allow(clippy::too_many_arguments)] // one place where all of it comes together
    fn turn_to(
        &mut self,
        rule: &Rule,
        by: &str,
        settings: &Baseline,
        direction: Option<(bool, Option<Why>)>,
        number: i64,
        tip: Tip,
        turn: &mut Turn<'_>,
    ) {
        if let Some(standing) = self.standing
            && direction.is_none_or(|(is_up, _)| is_up != standing.is_up)
        {
            if number <= standing.last {
                return; // told before the end of its slot, while the slot before was still open
            }
            self.standing = None;
            self.tell(rule, by, settings, AnomalyStatus::Resolved, standing, None, number, tip.clone(), turn);
        }
        let Some((is_up, why)) = direction else { return };
        let standing = self.standing.get_or_insert(Standing { is_up, from: number, last: number });
        standing.last = standing.last.max(number);
        let standing = *standing;
        self.tell(rule, by, settings, AnomalyStatus::Firing, standing, why, number, tip, turn);
    }

    #[allow(clippy::too_many_arguments)] // as above
    fn tell(
        &self,
        rule: &Rule,
        by: &str,
        settings: &Baseline,
        status: AnomalyStatus,
        standing: Standing,
        why: Option<Why>,
        number: i64,
        tip: Tip,
        turn: &mut Turn<'_>,
    ) {
        let nothing = Slot::default();
        let slot = self.open.get(&number).unwrap_or(&nothing);
        let usual = self.history.usual(number, settings.min_weeks);
        let (kind, by) = standing.names(by);
        let slots = (start_of(standing.from, settings.slot), start_of(number + 1, settings.slot));
        // What the detector has found may have begun before the slot that tells it.
        let (from, to) = why.map_or(slots, |why| {
            (Timestamp::from_city_seconds(why.from).min(slots.0), Timestamp::from_city_seconds(why.to))
        });
        let rounded = |number: f64| (number * 100.0).round() / 100.0;
        let slot_alone = || usual.map(|usual| why_of_slot(standing.is_up, slots, slot.count, usual));
        let in_words = why.or_else(slot_alone).map(|why| match status {
            AnomalyStatus::Firing => why.text(),
            AnomalyStatus::Resolved => why.text_of_end(),
        });
        let evidence: Vec<String> = slot.evidence.iter().map(EventId::to_string).collect();
        let finding = Finding {
            by: &by,
            status,
            kind,
            severity: Severity::Medium,
            devices: &slot.devices,
            from,
            to,
            count: why.map_or_else(|| f64::from(slot.count), |why| rounded(why.seen)),
            expected: why.map_or_else(|| usual.map(Usual::expected), |why| Some(rounded(why.expected))),
            why: in_words,
            evidence: &evidence,
            tip,
            is_test: false,
        };
        turn.tell(rule, finding);
    }
}
