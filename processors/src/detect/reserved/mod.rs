//! Gates that only one kind of vehicle uses, learnt from the passages themselves: a service gate where a lorry shows up.
//!
//! A pair of gate and kind may be rare because the kind is rare, or because the gate is. What is looked for is neither: a gate
//! that is an ordinary one for its own kind, and next to never used by all others together, though they are the many. The
//! score rests on how much likelier a passage of the gate's own kind is to be at this gate than one of any other kind, less
//! one standard error. A rule that says which kinds may pass (`count` or `immediate` with a condition) is better where the
//! rule is known; this finds the gates that nobody wrote down. See `docs/detection.md`.

use std::collections::BTreeMap;

use chorus_model::Text;
use serde::{Deserialize, Serialize};

pub use super::values::THRESHOLD;

/// The likelihood ratio, in decades, that is just an alert, and how soft that is.
const RATIO: (f64, f64) = (1.25, 0.2);
/// Gates and kinds that are remembered; later ones are not judged.
const MOST_GATES: usize = 512;
const MOST_KINDS: usize = 32;

/// The state of one place: about 30 bytes for every pair of gate and kind that was seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reserved {
    /// Passages by gate and kind.
    #[serde(rename = "g")]
    gates: BTreeMap<String, BTreeMap<String, u32>>,
    /// Passages by kind.
    #[serde(rename = "k")]
    kinds: BTreeMap<String, u32>,
}

/// What a passage amounts to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// From 0 to 1; [`THRESHOLD`] or more is an alert.
    pub score: f64,
    /// What speaks for it; absent for a passage of the gate's own kind.
    pub why: Option<Why>,
}

/// Why a score is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The gate.
    pub gate: String,
    /// The kind that passed.
    pub kind: String,
    /// The kind that the gate is reserved for in practice.
    pub own: String,
    /// Passages of that kind here so far, and everywhere.
    pub own_here: u32,
    /// As above.
    pub own_everywhere: u32,
    /// Passages of all other kinds here so far, and everywhere.
    pub others_here: u32,
    /// As above.
    pub others_everywhere: u32,
}

impl Reserved {
    /// The state before the first passage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Scores the next passage, then learns from it.
    pub fn passage(&mut self, gate: &str, kind: &str) -> Verdict {
        let verdict = self.judge(gate, kind).unwrap_or_default();
        self.learn(gate, kind);
        verdict
    }

    fn judge(&self, gate: &str, kind: &str) -> Option<Verdict> {
        let here = self.gates.get(gate)?;
        // Of two kinds that are even, the first by name: an order that does not depend on arrival.
        let (own, own_here) = here.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))?;
        if own == kind {
            return None;
        }
        let own_everywhere = self.kinds.get(own).copied().unwrap_or(0);
        let others_here = here.values().sum::<u32>() - own_here;
        let others_everywhere = self.kinds.values().sum::<u32>() - own_everywhere;
        let share = |here: u32, everywhere: u32| (f64::from(here) + 0.5) / (f64::from(everywhere) + 1.0);
        let ratio = (share(*own_here, own_everywhere) / share(others_here, others_everywhere)).log10();
        let error = (1.0 / (f64::from(*own_here) + 0.5) + 1.0 / (f64::from(others_here) + 0.5)).sqrt();
        let decades = ratio - error / std::f64::consts::LN_10;
        let why = Why {
            gate: gate.to_owned(),
            kind: kind.to_owned(),
            own: own.clone(),
            own_here: *own_here,
            own_everywhere,
            others_here,
            others_everywhere,
        };
        Some(Verdict { score: 1.0 / (1.0 + (-(decades - RATIO.0) / RATIO.1).exp()), why: Some(why) })
    }

    fn learn(&mut self, gate: &str, kind: &str) {
        let is_known = self.gates.contains_key(gate) && self.kinds.contains_key(kind);
        if !is_known && (self.gates.len() >= MOST_GATES || self.kinds.len() >= MOST_KINDS) {
            return;
        }
        let here = self.gates.entry(gate.to_owned()).or_default().entry(kind.to_owned()).or_default();
        let everywhere = self.kinds.entry(kind.to_owned()).or_default();
        if *everywhere == u32::MAX {
            return;
        }
        *here += 1;
        *everywhere += 1;
    }
}

impl Why {
    /// One sentence in each language.
    #[must_use]
    pub fn text(&self) -> Text {
        let Self { gate, kind, own, own_here, own_everywhere, others_here, others_everywhere } = self;
        Text {
            zh: format!(
                "{kind} 类车辆经过 {gate}:此处 {own} 类 {own_here} 次(全部 {own_everywhere} 次),其他各类仅 {others_here} 次(全部 {others_everywhere} 次)"
            ),
            en: format!(
                "kind {kind} passed {gate}, where {own_here} of {own_everywhere} passages of kind {own} were, and only {others_here} of {others_everywhere} of all others"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cars at two gates, a few service vehicles everywhere and at a gate of their own.
    fn park(passages: u32) -> Reserved {
        let mut park = Reserved::new();
        for number in 0..passages {
            park.passage(if number % 2 == 0 { "north" } else { "south" }, "car");
            if number % 10 == 0 {
                park.passage(if number % 20 == 0 { "yard" } else { "north" }, "service");
            }
        }
        park
    }

    #[test]
    fn a_car_at_the_gate_of_the_service_is_told_again_and_again() {
        let mut park = park(5_000);
        for _ in 0..20 {
            let verdict = park.passage("yard", "car");
            assert!(verdict.score >= THRESHOLD, "{verdict:?}");
        }
        assert!(park.passage("north", "service").score < 0.1);
        assert_eq!(park.passage("yard", "service").score, 0.0);
    }

    #[test]
    fn a_rare_kind_at_an_ordinary_gate_and_a_gate_of_few_passages_are_nothing() {
        let mut park = park(5_000);
        assert!(park.passage("north", "bus").score < THRESHOLD);
        park.passage("new gate", "service");
        assert!(park.passage("new gate", "car").score < THRESHOLD);
    }

    #[test]
    fn state_survives_its_text() {
        let text = serde_json::to_string(&park(500)).unwrap();
        let mut restored: Reserved = serde_json::from_str(&text).unwrap();
        assert_eq!(restored.passage("yard", "car").score, park(500).passage("yard", "car").score);
    }
}
