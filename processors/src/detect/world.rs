//! What the registry and the roster say of the places of one partition.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chorus_model::partition::partition_for;
use chorus_model::{Event, PlaceRef, Span};
use chorus_runtime::registry::Registry;

use super::roster::Roster;

/// The places whose events come through this partition.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) roster: Arc<Roster>,
    sites: HashMap<Arc<str>, Site>,
}

/// One place.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) place: PlaceRef,
    pub(crate) calendar: Option<Arc<str>>,
    pub(crate) devices: BTreeMap<Arc<str>, Listed>,
}

/// A device of the registry; its channels are one device here.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) kinds: Vec<Arc<str>>,
    pub(crate) heartbeat: Option<Span>,
}

impl World {
    pub(crate) fn new(registry: &Registry, roster: Arc<Roster>, partition: i32, partitions: i32) -> Self {
        let is_mine = |id: &str| partition_for(id.as_bytes(), partitions) == partition;
        let mut sites = HashMap::new();
        // A canary's place is none that a rule could miss something at.
        for place in registry.places().filter(|place| is_mine(&place.id) && !registry.is_canary(&place.id)) {
            let site = Site { place: place.to_ref(), calendar: place.calendar.clone(), devices: BTreeMap::new() };
            sites.insert(Arc::clone(&place.id), site);
        }
        for device in registry.devices() {
            let Some(site) = sites.get_mut(&device.place) else { continue };
            let listed = site.devices.entry(Arc::clone(&device.id)).or_default();
            listed.kinds.extend(device.kind.clone());
            listed.kinds.sort();
            listed.kinds.dedup();
            listed.heartbeat = listed.heartbeat.max(device.heartbeat);
        }
        // A duty of a place that the registry does not know is judged all the same: it shows that something is wrong.
        for id in roster.named_places().filter(|id| is_mine(id)) {
            sites.entry(Arc::clone(id)).or_insert_with(|| Site {
                place: PlaceRef { id: Some(Arc::clone(id)), ..PlaceRef::default() },
                calendar: None,
                devices: BTreeMap::new(),
            });
        }
        Self { roster, sites }
    }

    /// In no order.
    pub(crate) fn sites(&self) -> impl Iterator<Item = (&Arc<str>, &Site)> {
        self.sites.iter()
    }

    pub(crate) fn site(&self, key: &str) -> Option<&Site> {
        self.sites.get(key)
    }

    /// What the registry says of the event's device, with its id as the registry holds it.
    pub(crate) fn listed(&self, event: &Event) -> Option<(&Arc<str>, &Listed)> {
        self.sites.get(event.key())?.devices.get_key_value(&event.device.id)
    }
}

impl Listed {
    pub(crate) fn is_of(&self, kinds: &[Arc<str>]) -> bool {
        self.kinds.iter().any(|kind| kinds.contains(kind))
    }
}
