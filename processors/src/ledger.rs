//! Which keys changed since the last snapshot, and when an emptied key may really go.

use std::collections::HashSet;
use std::sync::Arc;

/// What a snapshot writes for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Its state, even when nothing but the offset is left of it.
    State,
    /// A tombstone; the key leaves the memory too.
    Gone,
}

/// Keeps the keys that the next snapshot must write.
///
/// A key that became empty is first written with its offset and only one snapshot later as a tombstone. Were it gone at once, a
/// crash in the middle of writing would leave the older marker without the key, and the replay from there would apply records
/// to an empty state that was not empty then.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    changed: HashSet<Arc<str>>,
    emptied: HashSet<Arc<str>>,
}

impl Changes {
    /// The state of `key` is no longer what was written last.
    pub(crate) fn mark(&mut self, key: &Arc<str>) {
        if !self.changed.contains(key) {
            self.changed.insert(Arc::clone(key));
        }
    }

    /// What the snapshot that is taken now must write, in the order of the keys.
    pub(crate) fn take(&mut self, is_empty: impl Fn(&str) -> bool) -> Vec<(Arc<str>, Write)> {
        let changed = std::mem::take(&mut self.changed);
        let gone = std::mem::take(&mut self.emptied);
        self.emptied = changed.iter().filter(|key| is_empty(key)).cloned().collect();
        let gone = gone.into_iter().filter(|key| !changed.contains(key)).map(|key| (key, Write::Gone));
        let mut writes: Vec<_> = gone.collect();
        writes.extend(changed.iter().map(|key| (Arc::clone(key), Write::State)));
        writes.sort_by(|a, b| a.0.cmp(&b.0));
        writes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_key_is_a_tombstone_only_one_snapshot_later() {
        let mut changes = Changes::default();
        let key: Arc<str> = "school-1".into();
        changes.mark(&key);
        assert_eq!(changes.take(|_| true), [(Arc::clone(&key), Write::State)]);
        assert_eq!(changes.take(|_| true), [(Arc::clone(&key), Write::Gone)]);
        assert_eq!(changes.take(|_| true), []);
    }

    #[test]
    fn a_key_that_lives_again_is_not_buried() {
        let mut changes = Changes::default();
        let key: Arc<str> = "school-1".into();
        changes.mark(&key);
        assert_eq!(changes.take(|_| true).len(), 1);
        changes.mark(&key);
        assert_eq!(changes.take(|_| false), [(key, Write::State)]);
        assert_eq!(changes.take(|_| false), []);
    }
}
