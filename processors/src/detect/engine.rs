//! The detector: state and event, or state and frontier, to anomalies.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chorus_model::{Anomaly, Event, FrontierTable, Kind, Timestamp};
use chorus_runtime::Fate;

use super::cel::View;
use super::finding::Turn;
use super::publication::Published;
use super::rules::{Rule, RuleSet, When};
use super::seen::Seen;
use super::setup::Setup;
use super::state::{KeyState, RuleState};
use super::timers::{Frontiers, LEAST, Timers};
use super::world::World;
use super::{NO_ANOMALY, NO_RULE, absence, canary, silence};
use crate::ledger::Changes;

mod kept;

/// Devices whose place is not known, per partition. The one not heard of for the longest goes: a forged stream of fresh
/// device ids must not grow without bound.
const MOST_STRANGERS: usize = 10_000;
/// How often one key is passed for one frontier: a deadline may bring the next.
const MOST_PASSES: usize = 16;

/// What became of an event.
#[derive(Debug)]
pub struct Found {
    /// Its fate.
    pub fate: Fate,
    /// What it tipped, in the order of the rules' ids.
    pub anomalies: Vec<Anomaly>,
}

impl Found {
    pub(super) fn nothing(fate: Fate) -> Self {
        Self { fate, anomalies: Vec::new() }
    }
}

/// The detector of one input partition: a pure function of the log, the rules, the roster and the registry.
pub struct Detector {
    setup: Setup,
    partition: i32,
    partitions: i32,
    version: Arc<str>,
    world: World,
    generation: u64,
    /// Rules whose devices and duties of the registry are in the state.
    planted: BTreeSet<Arc<str>>,
    /// Nothing hangs on their order: what is told goes by timers and rules, what is written by the names of what changed.
    keys: HashMap<Arc<str>, KeyState>,
    /// Keys of devices without a place that remember something, by the offset that touched them last: one mark touches many.
    pub(super) strangers: BTreeSet<(i64, Arc<str>)>,
    timers: Timers,
    changes: Changes,
    /// The rules and the roster of the start, which hold until others come through the log.
    configured: Setup,
    published: Published,
    /// A snapshot has what was published.
    is_kept: bool,
    /// What was restored has been fitted to the offset at which the replay began.
    is_settled: bool,
    env: Arc<::cel::Env>,
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector")
            .field("partition", &self.partition)
            .field("version", &self.version)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Detector {
    /// For one of `partitions` input partitions, with no state yet.
    #[must_use]
    pub fn new(setup: Setup, partition: i32, partitions: i32) -> Self {
        let generation = setup.registry.generation();
        let world = World::new(&setup.registry.get(), Arc::clone(&setup.roster), partition, partitions);
        Self {
            version: setup.version(),
            configured: setup.clone(),
            setup,
            partition,
            partitions,
            world,
            generation,
            planted: BTreeSet::new(),
            keys: HashMap::new(),
            strangers: BTreeSet::new(),
            timers: Timers::default(),
            changes: Changes::default(),
            published: Published::default(),
            is_kept: true,
            is_settled: true,
            env: Arc::new(::cel::Env::stdlib()),
        }
    }

    /// The version of rules and roster that it works by.
    #[must_use]
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    fn refresh(&mut self) {
        let generation = self.setup.registry.generation();
        if generation != self.generation {
            self.generation = generation;
            let registry = self.setup.registry.get();
            self.world = World::new(&registry, Arc::clone(&self.setup.roster), self.partition, self.partitions);
            self.planted.clear();
            self.set_timers();
        }
    }

    /// Enters what every key waits for now.
    fn set_timers(&mut self) {
        // How far time has passed is not known here; what comes up too early is entered again.
        let nothing = FrontierTable::default();
        for (key, state) in &self.keys {
            for wake in state.wakes(key, &self.setup.rules, &self.world, Frontiers(&nothing)) {
                self.timers.enter(key, &wake.0, wake.1);
            }
        }
    }

    /// False when no rule looks at events of this kind that come by this feed: such an event changes nothing.
    pub fn asks_for(&mut self, offset: i64, feed: &str, kind: Kind) -> bool {
        self.settle(offset);
        self.setup.rules.index().asks_for(kind, feed)
    }

    /// Takes an event in. `feed` is the feed that it came by, empty when that is not known.
    pub fn event(&mut self, offset: i64, feed: &str, event: &Event) -> Found {
        self.settle(offset);
        self.refresh();
        let rules = Arc::clone(&self.setup.rules);
        let view = View::new(event, &self.env);
        let seen = Seen::new(event, self.world.listed(event), &rules, &view);
        let candidates = self.candidates(&rules, feed, &seen);
        if candidates.is_empty() {
            return Found::nothing(NO_RULE);
        }
        let key = match self.keys.get_key_value(event.key()) {
            // Restored ahead of the replay: the event is in there already.
            Some((_, state)) if state.offset >= offset => return Found::nothing(NO_ANOMALY),
            Some((key, _)) => Arc::clone(key),
            None => Arc::from(event.key()),
        };
        let state = self.keys.entry(Arc::clone(&key)).or_insert_with(|| KeyState::new(event.place.clone()));
        state.place.clone_from(&event.place);
        let is_repeat = state.recent.is_repeat(event, seen.device);
        let mut turn = Turn { version: &self.version, key: &key, place: &event.place, out: Vec::new() };
        for rule in candidates {
            let is_silence = matches!(rule.when, When::Silence { .. });
            if is_repeat && !is_silence {
                continue; // a repeat says that the device is there, and nothing else
            }
            let wake = match state.rules.get_mut(&rule.id) {
                Some(known) => {
                    let wake = apply(known, rule, &self.world, &seen, &mut turn);
                    if known.is_empty() {
                        state.rules.remove(&rule.id);
                    }
                    wake
                }
                None if cannot_begin(rule, &seen) => continue,
                None => {
                    let mut begun = RuleState::new(&rule.when);
                    let wake = apply(&mut begun, rule, &self.world, &seen, &mut turn);
                    if !begun.is_empty() {
                        state.rules.insert(Arc::clone(&rule.id), begun);
                    }
                    wake
                }
            };
            if let Some(at) = wake {
                self.timers.enter(&key, rule.feed.as_deref().unwrap_or(LEAST), at);
            }
        }
        if let Some(at) = state.recent.wake_of(&event.device.id) {
            self.timers.enter(&key, LEAST, at);
        }
        let before = std::mem::replace(&mut state.offset, offset);
        let mut anomalies = turn.out;
        self.changes.mark(&key);
        let (is_placed, is_empty) = (event.place.id.is_some(), state.is_empty());
        if !is_placed && self.world.site(&key).is_none() {
            let (now, at) = (offset, event.received_at);
            anomalies.extend(self.touch_stranger(&key, before, now, is_empty, at));
        }
        let fate = match (anomalies.is_empty(), is_repeat) {
            (false, _) => Fate::Forwarded,
            (true, true) => Fate::Duplicate,
            (true, false) => NO_ANOMALY,
        };
        Found { fate, anomalies }
    }

    /// The rules that look at the event, by id.
    pub(super) fn candidates<'r>(&self, rules: &'r RuleSet, feed: &str, seen: &Seen<'_>) -> Vec<&'r Rule> {
        let event = seen.event;
        if canary::is_one(event) {
            return vec![rules.canary()]; // nothing else is to be said of it
        }
        let mut found = Vec::new();
        rules.index().of_kind(event.kind, &event.place, feed, &mut found);
        if silence::is_sign_of_life(event) {
            for device in seen.kinds_of_device() {
                rules.index().of_device(device, &event.place, feed, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        let waits = |rule: &&Rule| match rule.when {
            When::Absence { .. } => absence::binds(rule, event.key(), &self.world),
            _ => true,
        };
        rules.at(found).filter(waits).collect()
    }

    /// Makes room for a device without a place: returns the end of what stood at the one that had to go.
    fn touch_stranger(&mut self, key: &Arc<str>, before: i64, now: i64, is_empty: bool, at: Timestamp) -> Vec<Anomaly> {
        self.strangers.remove(&(before, Arc::clone(key)));
        if is_empty {
            return Vec::new();
        }
        self.strangers.insert((now, Arc::clone(key)));
        if self.strangers.len() > MOST_STRANGERS
            && let Some((_, oldest)) = self.strangers.pop_first()
            && let Some(state) = self.keys.get_mut(&oldest)
        {
            let ended = state.give_up(&self.version, &oldest, &self.setup.rules, at);
            self.timers.leave(&oldest);
            self.changes.mark(&oldest);
            return ended;
        }
        Vec::new()
    }

    /// Time has passed: judges what waited for it.
    pub fn advance(&mut self, offset: i64, frontiers: &FrontierTable) -> Vec<Anomaly> {
        self.settle(offset);
        self.refresh();
        let frontiers = Frontiers(frontiers);
        let mut touched = BTreeSet::new();
        self.plant(offset, frontiers, &mut touched);
        let mut anomalies = Vec::new();
        for key in self.timers.due(frontiers) {
            self.pass(&key, offset, frontiers, touched.contains(&key), &mut anomalies);
        }
        anomalies
    }

    /// When something waits for time next; it may turn out that nothing is due then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.earliest()
    }

    /// Puts what the registry and the roster expect into the state, for each rule once its feed's time is known.
    fn plant(&mut self, offset: i64, frontiers: Frontiers<'_>, touched: &mut BTreeSet<Arc<str>>) {
        let rules = Arc::clone(&self.setup.rules);
        if self.planted.len() >= rules.waiting_count() {
            return;
        }
        for rule in rules.waiting() {
            if self.planted.contains(&rule.id) {
                continue;
            }
            let Some(frontier) = frontiers.of(&rule.feed()) else { continue };
            let mut is_whole = true;
            for (key, site) in self.world.sites().filter(|(_, site)| rule.applies_at(&site.place)) {
                let known = self.keys.get(key).map(|state| state.offset);
                if known.is_some_and(|known| known >= offset) && !touched.contains(key) {
                    is_whole = false; // restored ahead of the replay: again when the replay is there
                    continue;
                }
                let state = self.keys.entry(Arc::clone(key)).or_insert_with(|| KeyState::new(site.place.clone()));
                let planted = match state.of(rule) {
                    RuleState::Silence(state) => state.plant(rule, site, frontier),
                    RuleState::Absence(state) => state.plant(rule, site, &self.world, frontier),
                    _ => false,
                };
                state.tidy(rule);
                if planted {
                    state.offset = offset;
                    touched.insert(Arc::clone(key));
                    self.changes.mark(key);
                    for wake in state.wakes(key, &rules, &self.world, frontiers) {
                        self.timers.enter(key, &wake.0, wake.1);
                    }
                } else if known.is_none() && state.is_empty() {
                    self.keys.remove(key);
                }
            }
            if is_whole {
                self.planted.insert(Arc::clone(&rule.id));
            }
        }
    }

    fn pass(
        &mut self,
        key: &Arc<str>,
        offset: i64,
        frontiers: Frontiers<'_>,
        is_touched: bool,
        anomalies: &mut Vec<Anomaly>,
    ) {
        let rules = Arc::clone(&self.setup.rules);
        let Some(state) = self.keys.get_mut(key) else { return self.timers.leave(key) };
        if state.offset >= offset && !is_touched {
            return; // restored ahead of the replay; it comes up again
        }
        let place = self.world.site(key).map_or_else(|| state.place.clone(), |site| site.place.clone());
        let mut turn = Turn { version: &self.version, key, place: &place, out: Vec::new() };
        let mut wakes = Vec::new();
        for _ in 0..MOST_PASSES {
            for (id, of_rule) in &mut state.rules {
                let Some(rule) = rules.rule(id) else { continue };
                let Some(passed) = frontiers.passed_of(&rule.feed()) else { continue };
                of_rule.pass(rule, &self.world, passed, &mut turn);
            }
            state.rules.retain(|_, of_rule| !of_rule.is_empty());
            if let Some(frontier) = frontiers.of(LEAST) {
                state.recent.pass(frontier);
            }
            wakes = state.wakes(key, &rules, &self.world, frontiers);
            if !wakes.iter().any(|(feed, at)| frontiers.passed(feed, *at)) {
                break;
            }
        }
        let before = std::mem::replace(&mut state.offset, offset);
        // As they would have come in small steps: fuse passes the place's time with each.
        turn.out.sort_by_key(|anomaly| anomaly.tipped_at);
        anomalies.append(&mut turn.out);
        self.timers.leave(key);
        for wake in wakes {
            self.timers.enter(key, &wake.0, wake.1);
        }
        self.changes.mark(key);
        let is_empty = state.is_empty();
        if self.strangers.remove(&(before, Arc::clone(key))) && !is_empty {
            self.strangers.insert((offset, Arc::clone(key)));
        }
    }
}

/// True when a rule that remembers nothing yet has no use for the event: its condition is false, and it asks that of every event.
fn cannot_begin(rule: &Rule, seen: &Seen<'_>) -> bool {
    match rule.when {
        When::Value { .. } if seen.event.count.is_none() => true,
        When::Count { .. } | When::Flap { .. } | When::Baseline { .. } | When::Value { .. } | When::Absence { .. } => {
            !seen.holds(rule.condition.as_ref())
        }
        When::Immediate { .. } | When::Sequence { .. } | When::Silence { .. } => false,
    }
}

/// Lets one rule look at the event. Returns when the rule wants the key to be passed.
fn apply(state: &mut RuleState, rule: &Rule, world: &World, seen: &Seen<'_>, turn: &mut Turn<'_>) -> Option<Timestamp> {
    match state {
        RuleState::Immediate(state) => state.event(rule, seen, turn),
        RuleState::Count(state) => state.event(rule, seen, turn),
        RuleState::Sequence(state) => state.event(rule, seen, turn),
        RuleState::Absence(state) => state.event(rule, seen, turn),
        RuleState::Baseline(state) => state.event(rule, seen, turn),
        RuleState::Value(state) => state.event(rule, seen, turn),
        RuleState::Flap(state) => state.event(rule, seen, turn),
        RuleState::Silence(silence) => {
            let wake = silence.event(rule, world, seen, turn);
            if matches!(rule.when, When::Silence { of: super::rules::Of::Device, .. }) {
                return wake; // that of the device alone: cheaper than to look at all of them
            }
        }
    }
    state.wake(rule, turn.key, world, Timestamp::MIN)
}
