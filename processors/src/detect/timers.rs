//! When to look at a key again: by feed, since each feed's time passes by its own frontier.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chorus_model::{FrontierTable, Timestamp};

/// The name of the least frontier over all feeds, among the feeds.
pub(crate) const LEAST: &str = "";

/// The frontiers by the names that rules use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frontiers<'a>(pub(crate) &'a FrontierTable);

impl Frontiers<'_> {
    /// The frontier of a feed, or the least of all for [`LEAST`].
    pub(crate) fn of(&self, feed: &str) -> Option<Timestamp> {
        if feed == LEAST { self.0.least() } else { self.0.of(feed) }
    }

    /// True when all that was received up to and at the deadline is in.
    pub(crate) fn passed(&self, feed: &str, deadline: Timestamp) -> bool {
        self.of(feed).is_some_and(|frontier| frontier > deadline)
    }
}

/// A deadline on a feed's time.
pub(crate) type Wake = (Arc<str>, Timestamp);

/// The earliest deadline of every key. An entry may be too early (the key was heard since): then nothing is due when it comes
/// up, and the key is entered again. So an event seldom moves an entry.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queues: BTreeMap<Arc<str>, BTreeSet<(Timestamp, Arc<str>)>>,
    entered: HashMap<Arc<str>, Vec<Wake>>,
}

impl Timers {
    /// Makes sure that the key comes up when `wake` has passed.
    pub(crate) fn enter(&mut self, key: &Arc<str>, wake: Wake) {
        let (feed, at) = wake;
        let own = self.entered.entry(Arc::clone(key)).or_default();
        let queue = self.queues.entry(Arc::clone(&feed)).or_default();
        match own.iter_mut().find(|(known, _)| *known == feed) {
            Some((_, entered)) if *entered <= at => {}
            Some((_, entered)) => {
                queue.remove(&(*entered, Arc::clone(key)));
                *entered = at;
                queue.insert((at, Arc::clone(key)));
            }
            None => {
                own.push((feed, at));
                queue.insert((at, Arc::clone(key)));
            }
        }
    }

    /// The keys whose entries have passed, by name.
    pub(crate) fn due(&self, frontiers: Frontiers<'_>) -> BTreeSet<Arc<str>> {
        let mut keys = BTreeSet::new();
        for (feed, queue) in &self.queues {
            let Some(frontier) = frontiers.of(feed) else { continue };
            keys.extend(queue.iter().take_while(|(at, _)| *at < frontier).map(|(_, key)| Arc::clone(key)));
        }
        keys
    }

    /// Takes every entry of the key out.
    pub(crate) fn leave(&mut self, key: &Arc<str>) {
        for (feed, at) in self.entered.remove(key).unwrap_or_default() {
            if let Some(queue) = self.queues.get_mut(&feed) {
                queue.remove(&(at, Arc::clone(key)));
            }
        }
    }
}
