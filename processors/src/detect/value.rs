//! Rules on a number that events carry and that behaves unlike its past: a density, an occupancy, a length of a queue.
//!
//! Every series (by device, channel and zone unless the rule says otherwise) has its own detector of [`values`](super::values);
//! a row is an event with a number. Rows come in the order of time: one that is older than the latest is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::{AnomalyStatus, Phase, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Tip, Turn};
use super::rules::Rule;
use super::seen::Seen;
use super::values::{THRESHOLD, Values};

/// Series of one rule at one place.
const MOST_SERIES: usize = 16;
const HIGH: &str = "anomaly.value_high";
const LOW: &str = "anomaly.value_low";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct State {
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Series {
    #[serde(rename = "a")]
    latest: Timestamp,
    #[serde(rename = "v")]
    values: Values,
}

impl State {
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    pub(crate) fn event(&mut self, rule: &Rule, seen: &Seen<'_>, turn: &mut Turn<'_>) {
        let event = seen.event;
        let Some(number) = event.count.filter(|_| event.phase != Phase::Sync) else { return };
        if event.is_test || seen.is_late || !seen.holds(rule.condition.as_ref()) {
            return;
        }
        let Some(by) = rule.by(event) else { return };
        if !self.series.contains_key(&by) && self.series.len() >= MOST_SERIES {
            return; // the series that are there are worth more than a new one
        }
        let series = self.series.entry(by.clone()).or_insert_with(|| Series { latest: seen.at, values: Values::new() });
        if seen.at < series.latest {
            return;
        }
        let before = std::mem::replace(&mut series.latest, seen.at);
        let verdict = series.values.row(seen.at.city_seconds(), Some(number as f64));
        let Some(why) = verdict.why.filter(|_| verdict.score >= THRESHOLD) else { return };
        let rounded = |number: f64| (number * 100.0).round() / 100.0;
        let finding = Finding {
            by: &by,
            status: AnomalyStatus::Firing,
            kind: if why.is_high { HIGH } else { LOW },
            severity: Severity::Medium,
            devices: &[Arc::clone(&event.device.id)],
            from: before,
            to: seen.at,
            count: rounded(why.seen),
            expected: Some(rounded(why.limit)),
            why: Some(why.text()),
            evidence: std::slice::from_ref(&event.event_id),
            tip: Tip::event(seen),
            is_test: false,
        };
        turn.tell(rule, finding);
    }
}
