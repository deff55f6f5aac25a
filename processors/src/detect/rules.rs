//! Rules as the detector uses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chorus_model::{Event, Kind, PlaceKind, PlaceRef, Severity, Span, Text, Together, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary;
use super::cel::{Condition, View};
use super::index::{Index, Positions};
use super::rhythm::Learnt;
use super::seen::LATE;

/// What keeps two conditions of a rule apart within a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    Device,
    Channel,
    Zone,
    Subject,
    Kind,
}

/// What is silent: a device, or everything at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    Device,
    Place,
}

/// The administrative division whose places are neighbours (GB/T 2260, GB/T 10114).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reach {
    County,
    Street,
    Community,
}

impl Reach {
    const fn digits(self) -> usize {
        match self {
            Self::County => 6,
            Self::Street => 9,
            Self::Community => 12,
        }
    }
}

/// From how many places on a finding of the rule is one about their division.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neighbours {
    pub(crate) places: u16,
    pub(crate) within: Span,
    pub(crate) reach: Reach,
}

impl Neighbours {
    /// For a finding at a place; `None` when its division is not known as finely as that.
    pub(crate) fn of(self, place: &PlaceRef) -> Option<Together> {
        let division = place.division_code.as_deref()?.get(..self.reach.digits())?.into();
        Some(Together { division, places: self.places, within: self.within })
    }
}

/// How long a device may say nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    After(Span),
    /// So many heartbeats of the registry.
    Missed(u32),
    /// What the device's own rhythm says, where the registry has no heartbeat.
    Learnt(Learnt),
}

impl Limit {
    /// The span that is written down for a device with this heartbeat; `None` when there is none.
    pub(crate) fn span(self, heartbeat: Option<Span>) -> Option<Span> {
        match self {
            Self::After(span) => Some(span),
            Self::Learnt(_) => None,
            Self::Missed(beats) => heartbeat.map(|beat| Span::from_micros(beat.as_micros() * i64::from(beats))),
        }
    }
}

/// One half of a sequence.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) condition: Option<Condition>,
}

/// The statistics of a `baseline` rule.
#[derive(Debug)]
pub(crate) struct Baseline {
    pub(crate) slot: Span,
    pub(crate) min_weeks: u32,
    pub(crate) alpha: f64,
    pub(crate) late: Span,
}

/// When a rule fires.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // a few dozen rules, made once
pub(crate) enum When {
    Immediate { kinds: Vec<Kind> },
    Count { kinds: Vec<Kind>, at_least: usize, within: Span },
    Sequence { first: Step, second: Step, without: bool, within: Span },
    Absence { kinds: Vec<Kind>, duty: Arc<str>, grace: Span },
    Silence { of: Of, devices: Vec<Arc<str>>, limit: Limit },
    Baseline { kinds: Vec<Kind>, settings: Baseline },
    Value { kinds: Vec<Kind> },
    Flap { kind: Kind, opposite: Option<Kind>, at_least: usize, within: Span },
}

/// One rule, checked and compiled.
#[derive(Debug)]
pub struct Rule {
    /// Its id, unique in the set.
    pub id: Arc<str>,
    /// The file that it stands in.
    pub file: Arc<str>,
    pub(crate) when: When,
    pub(crate) places: Vec<PlaceKind>,
    pub(crate) condition: Option<Condition>,
    pub(crate) severity: Option<Severity>,
    pub(crate) kind: Option<Arc<str>>,
    pub(crate) quiet_after: Option<Span>,
    pub(crate) by: Vec<By>,
    pub(crate) summary: Text,
    pub(crate) together: Option<Neighbours>,
    pub(crate) feed: Option<Arc<str>>,
    /// The feed, or the name of the least frontier of all.
    pub(crate) clock: Arc<str>,
}

impl Rule {
    /// The kinds of events that it looks at; empty for silence, which hears every kind.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        match &self.when {
            When::Immediate { kinds }
            | When::Count { kinds, .. }
            | When::Absence { kinds, .. }
            | When::Value { kinds }
            | When::Baseline { kinds, .. } => kinds.clone(),
            When::Sequence { first, second, .. } => {
                let mut kinds = first.kinds.clone();
                kinds.extend(&second.kinds);
                kinds
            }
            When::Flap { kind, opposite, .. } => std::iter::once(*kind).chain(*opposite).collect(),
            When::Silence { .. } => Vec::new(),
        }
    }

    pub(crate) fn within(&self) -> Option<Span> {
        match &self.when {
            When::Count { within, .. } | When::Flap { within, .. } | When::Sequence { within, .. } => Some(*within),
            When::Silence { limit: Limit::After(span), .. } => Some(*span),
            _ => None,
        }
    }

    /// How long after its receipt an event still waits for others of the rule.
    pub(crate) fn kept(&self) -> Span {
        Span::from_micros(self.within().unwrap_or(Span::ZERO).as_micros().saturating_add(LATE.as_micros()))
    }

    pub(crate) fn applies_at(&self, place: &PlaceRef) -> bool {
        self.places.is_empty() || self.places.contains(&place.kind)
    }

    /// The frontier that its deadlines wait for.
    pub(crate) fn feed(&self) -> Arc<str> {
        Arc::clone(&self.clock)
    }

    /// What keeps this event's condition apart from others of the rule; `None` when the event lacks the very thing (an event
    /// without a subject is not "the same subject again").
    pub(crate) fn by(&self, event: &Event) -> Option<String> {
        let mut key = parts(&self.by, event)?.join("|");
        if event.is_test {
            key.push_str("|test"); // a drill never mixes with what is real
        }
        Some(key)
    }

    /// What the keys of all conditions begin with that an event names by less than [`Self::by`] asks for: a whole channel, or
    /// a whole device. `None` when it names everything, or when what it lacks is not the end of the key.
    pub(crate) fn reach(&self, event: &Event) -> Option<String> {
        let lacks = |by: &By| match by {
            By::Channel => event.device.channel.is_none(),
            By::Zone => event.zone.is_none(),
            By::Device | By::Subject | By::Kind => false,
        };
        let (named, lacking) = self.by.split_at_checked(self.by.iter().position(lacks)?)?;
        if named.is_empty() || !lacking.iter().all(lacks) {
            return None;
        }
        Some(parts(named, event)?.join("|") + "|")
    }
}

/// What keeps conditions apart, in the order in which a rule asks for it.
fn parts(by: &[By], event: &Event) -> Option<Vec<String>> {
    let part = |by: &By| {
        Some(match by {
            By::Device => event.device.id.to_string(),
            By::Channel => event.device.channel.as_deref().unwrap_or_default().to_owned(),
            By::Zone => event.zone.clone().unwrap_or_default(),
            By::Kind => event.kind.as_str().to_owned(),
            // The pseudonym itself stays behind: a condition travels into alerts.
            By::Subject => id::derive(&[event.subject_ref.as_deref()?]).chars().take(12).collect(),
        })
    };
    by.iter().map(part).collect()
}

/// The kind that ends what a kind of another name began.
pub(crate) const fn ended_by(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::DeviceOffline => Some(Kind::DeviceOnline),
        Kind::DoorHeldOpen => Some(Kind::DoorClosed),
        _ => None,
    }
}

/// All rules at one version, indexed by what an event must be for them.
#[derive(Debug)]
pub struct RuleSet {
    /// A hash of the contents of all files, named in every anomaly.
    pub version: Arc<str>,
    rules: Vec<Rule>,
    index: Index,
    /// Positions of the rules that wait for what the registry and the roster name.
    waiting: Positions,
    /// In force beside them; see [`canary`].
    canary: Rule,
    faults: AtomicU64,
}

impl RuleSet {
    /// The rules sorted by id, so that neither the names nor the order of files show in outputs.
    pub(crate) fn new(version: Arc<str>, mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let waits = |rule: &Rule| matches!(rule.when, When::Silence { .. } | When::Absence { .. });
        let waiting = (0_u32..).zip(&rules).filter(|(_, rule)| waits(rule)).map(|(at, _)| at).collect();
        Self { version, index: Index::new(&rules), rules, waiting, canary: canary::rule(), faults: AtomicU64::new(0) }
    }

    /// Every rule of the files, by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that id, be it the one that is built in.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let known = self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok().and_then(|index| self.rules.get(index));
        known.or_else(|| (*id == *self.canary.id).then_some(&self.canary))
    }

    /// The rule that is built in.
    pub(crate) fn canary(&self) -> &Rule {
        &self.canary
    }

    /// How often a condition could not be evaluated; such a condition counts as false.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Which rules may look at an event; see [`Index`].
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The rules at these positions.
    pub(crate) fn at(&self, positions: impl IntoIterator<Item = u32>) -> impl Iterator<Item = &Rule> {
        positions.into_iter().filter_map(|position| self.rules.get(usize::try_from(position).ok()?))
    }

    /// The feeds that rules name; whoever replays events states frontiers for these (and for the events' own).
    #[must_use]
    pub fn feeds(&self) -> std::collections::BTreeSet<&str> {
        self.rules.iter().filter_map(|rule| rule.feed.as_deref()).collect()
    }

    /// Rules on what does not come: they expect what the registry and the roster name from the first frontier on.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Rule> {
        self.at(self.waiting.iter().copied())
    }

    /// How many those are.
    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// True when the condition is absent or holds; what cannot be evaluated is counted and false.
    pub(crate) fn holds(&self, condition: Option<&Condition>, view: &View<'_>) -> bool {
        let Some(condition) = condition else { return true };
        view.holds(condition).unwrap_or_else(|| {
            self.faults.fetch_add(1, Ordering::Relaxed);
            false
        })
    }
}
