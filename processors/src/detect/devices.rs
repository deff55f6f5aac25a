//! The events that each device of a key sent lately: devices repeat themselves (law 3, second paragraph).
//!
//! Only events with a native identity can come again under the same id; heartbeats are left out, since a repeated one does no
//! harm and would push out what matters.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chorus_model::{Event, Kind, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::pack;

/// Events remembered per device.
const PER_DEVICE: usize = 64;
/// Devices remembered per key; the one that was quiet the longest goes first.
const DEVICES: usize = 128;
/// How long after its last event a device's memory is kept.
const KEPT: Span = Span::from_secs(6 * 3_600);

/// Recent event ids by device.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Recent {
    devices: BTreeMap<Arc<str>, Memory>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Memory {
    #[serde(rename = "l")]
    last: Timestamp,
    /// The first 64 bits of each id, the oldest first.
    #[serde(rename = "i", with = "pack::u64s")]
    ids: VecDeque<u64>,
}

impl Recent {
    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Remembers the event of a device. True when it is a repeat.
    pub(crate) fn is_repeat(&mut self, event: &Event, device: &Arc<str>) -> bool {
        if event.native_id.is_none() || event.kind == Kind::DeviceHeartbeat {
            return false;
        }
        let Some(id) = event.event_id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()) else {
            return false; // not an id of ours: nothing to recognise it by
        };
        if !self.devices.contains_key(device) && self.devices.len() >= DEVICES {
            let oldest =
                self.devices.iter().min_by_key(|(_, memory)| memory.last).map(|(device, _)| Arc::clone(device));
            oldest.and_then(|device| self.devices.remove(&device));
        }
        let memory = self
            .devices
            .entry(Arc::clone(device))
            .or_insert_with(|| Memory { last: event.received_at, ids: VecDeque::new() });
        memory.last = memory.last.max(event.received_at);
        if memory.ids.contains(&id) {
            return true;
        }
        if memory.ids.len() >= PER_DEVICE {
            memory.ids.pop_front();
        }
        memory.ids.push_back(id);
        false
    }

    /// Forgets devices whose time has passed.
    pub(crate) fn pass(&mut self, frontier: Timestamp) {
        self.devices.retain(|_, memory| memory.last.plus(KEPT) >= frontier);
    }

    /// When the device's memory is to be looked at: cheaper than [`Recent::wake`] over all of them.
    pub(crate) fn wake_of(&self, device: &str) -> Option<Timestamp> {
        self.devices.get(device).map(|memory| memory.last.plus(KEPT))
    }

    pub(crate) fn wake(&self) -> Option<Timestamp> {
        self.devices.values().map(|memory| memory.last).min().map(|last| last.plus(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::native;
    use super::*;

    fn is_repeat(recent: &mut Recent, event: &Event) -> bool {
        recent.is_repeat(event, &event.device.id)
    }

    #[test]
    fn a_repeat_is_recognised_within_the_bound_and_the_memory_never_grows_beyond_it() {
        let mut recent = Recent::default();
        assert!(!is_repeat(&mut recent, &native("gate-1", "a", 0)));
        assert!(is_repeat(&mut recent, &native("gate-1", "a", 5)));
        for n in 0..1_000 {
            assert!(!is_repeat(&mut recent, &native("gate-1", &n.to_string(), 10)));
            assert!(!is_repeat(&mut recent, &native(&format!("forged-{n}"), "x", 20)));
        }
        assert_eq!(recent.devices.len(), DEVICES);
        assert!(recent.devices.values().all(|memory| memory.ids.len() <= PER_DEVICE));
    }

    #[test]
    fn memory_ends_when_its_time_has_passed() {
        let mut recent = Recent::default();
        is_repeat(&mut recent, &native("gate-1", "a", 0));
        let wake = recent.wake().unwrap();
        recent.pass(wake);
        assert!(!recent.is_empty());
        recent.pass(wake.plus(Span::from_micros(1)));
        assert!(recent.is_empty());
    }
}
