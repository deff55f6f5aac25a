//! When to look at a key again: by feed, since each feed's time passes by its own frontier.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chorus_model::{FrontierTable, Span, Timestamp};

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

    /// What has passed of a feed's time.
    pub(crate) fn passed_of(&self, feed: &str) -> Option<Passed> {
        Some(Passed { frontier: self.of(feed)?, since: self.since(feed) })
    }

    /// Since when a feed, or every one for [`LEAST`], has been listened to without a break.
    pub(crate) fn since(&self, feed: &str) -> Timestamp {
        if feed == LEAST { self.0.since_all() } else { self.0.since(feed) }
    }

    /// True when all that was received up to and at the deadline is in.
    pub(crate) fn passed(&self, feed: &str, deadline: Timestamp) -> bool {
        self.of(feed).is_some_and(|frontier| frontier > deadline)
    }
}

/// How far a feed's time has passed, and since when anybody could be heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) frontier: Timestamp,
    pub(crate) since: Timestamp,
}

/// After an outage of ours whoever is waited for gets as long as the rule gives, but no longer than this: else each restart
/// would forgive a device that is to speak once a day.
const MOST_GRACE: Span = Span::from_secs(3_600);

/// When it may be judged that nothing came: at the deadline, but not before whoever was to speak had the time to, `span` or
/// the most that an outage is worth, since we can listen.
pub(crate) fn fair_deadline(deadline: Timestamp, span: Span, since: Timestamp) -> Timestamp {
    deadline.max(since.plus(span.min(MOST_GRACE)))
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
    /// Makes sure that the key comes up when `at` has passed in the time of the feed.
    pub(crate) fn enter(&mut self, key: &Arc<str>, feed: &str, at: Timestamp) {
        let known = self.entered.get_mut(key).and_then(|own| own.iter_mut().find(|(known, _)| **known == *feed));
        if let Some((_, entered)) = known {
            if *entered <= at {
                return;
            }
            let before = std::mem::replace(entered, at);
            if let Some(queue) = self.queues.get_mut(feed) {
                queue.remove(&(before, Arc::clone(key)));
                queue.insert((at, Arc::clone(key)));
            }
            return;
        }
        let feed: Arc<str> = feed.into();
        self.entered.entry(Arc::clone(key)).or_default().push((Arc::clone(&feed), at));
        self.queues.entry(feed).or_default().insert((at, Arc::clone(key)));
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

    /// The earliest entry of all.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.queues.values().filter_map(|queue| queue.first()).map(|(at, _)| *at).min()
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
