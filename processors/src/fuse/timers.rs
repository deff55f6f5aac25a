//! When which key waits for time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chorus_model::Timestamp;

/// The next deadline of every key.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Timestamp, Arc<str>)>,
    entered: HashMap<Arc<str>, Timestamp>,
}

impl Timers {
    /// Sets when the key waits next; with `None` it waits for nothing.
    pub(crate) fn enter(&mut self, key: &Arc<str>, wake: Option<Timestamp>) {
        let known = match wake {
            Some(wake) => self.entered.insert(Arc::clone(key), wake),
            None => self.entered.remove(key),
        };
        if known == wake {
            return;
        }
        if let Some(known) = known {
            self.queue.remove(&(known, Arc::clone(key)));
        }
        if let Some(wake) = wake {
            self.queue.insert((wake, Arc::clone(key)));
        }
    }

    /// The earliest.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Keys that wait for an instant before the frontier, the earliest first.
    pub(crate) fn due(&self, frontier: Timestamp) -> Vec<Arc<str>> {
        self.queue.iter().take_while(|(wake, _)| *wake < frontier).map(|(_, key)| Arc::clone(key)).collect()
    }
}
