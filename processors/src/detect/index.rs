//! Which rules look at an event: by its kind, the sort of its place, its feed, and the one place that a condition asks for.
//!
//! A city has thousands of rules and an event concerns a few. Those of other kinds, places and feeds are never touched, so that
//! they cost nothing but memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chorus_model::{Kind, PlaceKind, PlaceRef};

use super::rules::{Rule, When, ended_by};

/// Positions of rules in the set, which is sorted by their ids.
pub(crate) type Positions = Vec<u32>;

const PLACES: [PlaceKind; 6] = [
    PlaceKind::School,
    PlaceKind::Hospital,
    PlaceKind::Village,
    PlaceKind::Community,
    PlaceKind::Street,
    PlaceKind::Other,
];

/// Rules by what an event must be for them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    of_kind: HashMap<(Kind, PlaceKind), Cell>,
    /// Rules on silence, which hear every kind, by the kind of the device.
    of_device: HashMap<Arc<str>, HashMap<PlaceKind, Cell>>,
    /// The feeds of all rules that hear a kind, wherever.
    feeds_of_kind: HashMap<Kind, Feeds>,
    feeds_of_silences: Feeds,
}

/// Feeds that rules name; `None` for a rule that names none.
type Feeds = BTreeSet<Option<Arc<str>>>;

/// The rules of one kind of event at one sort of place, by their feed.
#[derive(Debug, Default)]
struct Cell {
    feeds: Vec<(Option<Arc<str>>, Bucket)>,
}

#[derive(Debug, Default)]
struct Bucket {
    anywhere: Positions,
    /// Rules whose condition is false everywhere but at one place, by its id.
    at: BTreeMap<Arc<str>, Positions>,
}

impl Index {
    /// Of rules in the order of their ids.
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (position, rule) in (0_u32..).zip(rules) {
            index.add(position, rule);
        }
        index
    }

    fn add(&mut self, position: u32, rule: &Rule) {
        let kinds = heard(rule);
        for kind in &kinds {
            self.feeds_of_kind.entry(*kind).or_default().insert(rule.feed.clone());
        }
        if matches!(rule.when, When::Silence { .. }) {
            self.feeds_of_silences.insert(rule.feed.clone());
        }
        for place in PLACES.into_iter().filter(|place| rule.places.is_empty() || rule.places.contains(place)) {
            for kind in &kinds {
                self.of_kind.entry((*kind, place)).or_default().add(position, rule);
            }
            if let When::Silence { devices, .. } = &rule.when {
                for device in devices {
                    let of_device = self.of_device.entry(Arc::clone(device)).or_default();
                    of_device.entry(place).or_default().add(position, rule);
                }
            }
        }
    }

    /// Adds the rules that look at events of this kind, at this place, by this feed.
    pub(crate) fn of_kind(&self, kind: Kind, place: &PlaceRef, feed: &str, found: &mut Positions) {
        if let Some(cell) = self.of_kind.get(&(kind, place.kind)) {
            cell.find(place, feed, found);
        }
    }

    /// True when any rule may look at events of this kind by this feed, wherever they are.
    pub(crate) fn asks_for(&self, kind: Kind, feed: &str) -> bool {
        let hears =
            |feeds: &Feeds| feeds.iter().any(|own| own.as_deref().is_none_or(|own| feed.is_empty() || own == feed));
        self.feeds_of_kind.get(&kind).is_some_and(hears) || hears(&self.feeds_of_silences)
    }

    /// Adds the rules on the silence of devices of this kind. With devices of several kinds a rule may be added twice.
    pub(crate) fn of_device(&self, device: &str, place: &PlaceRef, feed: &str, found: &mut Positions) {
        if let Some(cell) = self.of_device.get(device).and_then(|places| places.get(&place.kind)) {
            cell.find(place, feed, found);
        }
    }
}

/// The kinds of events that a rule must see: those that it names, and those that end what it tells.
fn heard(rule: &Rule) -> Vec<Kind> {
    let mut kinds = rule.kinds();
    if matches!(rule.when, When::Immediate { .. }) {
        kinds.extend(rule.kinds().into_iter().filter_map(ended_by));
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

impl Cell {
    fn add(&mut self, position: u32, rule: &Rule) {
        let known = self.feeds.iter().position(|(feed, _)| *feed == rule.feed);
        let at = known.unwrap_or_else(|| {
            self.feeds.push((rule.feed.clone(), Bucket::default()));
            self.feeds.len() - 1
        });
        let Some((_, bucket)) = self.feeds.get_mut(at) else { return };
        let positions = match rule.condition.as_ref().and_then(|condition| condition.place()) {
            Some(place) => bucket.at.entry(Arc::clone(place)).or_default(),
            None => &mut bucket.anywhere,
        };
        positions.push(position);
    }

    /// An event whose feed is not known may be of any.
    fn find(&self, place: &PlaceRef, feed: &str, found: &mut Positions) {
        for (own, bucket) in &self.feeds {
            if own.as_deref().is_some_and(|own| !feed.is_empty() && own != feed) {
                continue;
            }
            found.extend(&bucket.anywhere);
            let at = place.id.as_deref().and_then(|id| bucket.at.get(id));
            found.extend(at.into_iter().flatten());
        }
    }
}
