//! What a worker holds for one input partition.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::{FrontierTable, OriginFilter, Timestamp};

use crate::ledger::Ledger;
use crate::task::Size;

/// One input partition in the hands of a worker.
pub(crate) struct Slot<T> {
    /// Distinguishes this assignment from earlier ones of the same partition.
    pub(crate) id: u16,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) task: T,
    pub(crate) ledger: Ledger,
    /// The offset of the next record.
    pub(crate) position: i64,
    /// How far the client has read: beyond the next record's offset when only marks of transactions come before it.
    pub(crate) reached: i64,
    /// Outputs of records before this offset were acknowledged in an earlier life.
    pub(crate) quiet_before: i64,
    /// What the broker is known to have stored.
    pub(crate) committed: i64,
    /// What it was last asked to store.
    pub(crate) commit_asked: i64,
    pub(crate) filter: OriginFilter,
    /// The filter as of the committable offset; written beside it where there are no snapshots.
    pub(crate) settled_filter: OriginFilter,
    pub(crate) frontiers: FrontierTable,
    /// The frontier last written for, or forwarded from, this partition.
    pub(crate) marked: Timestamp,
    /// Since when it was last stated to be listened to without a break.
    pub(crate) listening_since: Timestamp,
    /// Receipt of the last record taken.
    pub(crate) last_received: Option<Timestamp>,
    pub(crate) snapshot: Snapshot,
    /// What the task held when the last snapshot was taken.
    pub(crate) size: Size,
}

/// Where the writing of snapshots stands.
pub(crate) enum Snapshot {
    /// The next one is due some time after `since`.
    Idle { since: Instant, offset: i64 },
    /// Taken at `offset`; it waits until that offset is committed, since only then does it count.
    Taken { since: Instant, offset: i64, bytes: usize, records: Vec<(String, Option<Vec<u8>>)> },
}

impl Snapshot {
    /// Bytes of states that wait to be written.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Idle { .. } => 0,
            Self::Taken { bytes, .. } => *bytes,
        }
    }

    /// Since when nothing was written though there was something to write.
    pub(crate) fn age(&self, position: i64) -> Duration {
        match self {
            Self::Idle { offset, .. } if position <= *offset => Duration::ZERO,
            Self::Idle { since, .. } | Self::Taken { since, .. } => since.elapsed(),
        }
    }
}

impl<T> Slot<T> {
    pub(crate) fn new(id: u16, topic: Arc<str>, partition: i32, task: T, start: Start) -> Self {
        Self {
            id,
            topic,
            partition,
            task,
            ledger: Ledger::new(start.position.max(start.committed)),
            position: start.position,
            reached: start.position,
            quiet_before: start.committed,
            committed: start.committed,
            commit_asked: start.committed,
            settled_filter: start.filter.clone(),
            filter: start.filter,
            frontiers: start.frontiers,
            marked: Timestamp::MIN,
            listening_since: Timestamp::MIN,
            last_received: None,
            snapshot: Snapshot::Idle { since: Instant::now(), offset: start.position },
            size: Size::default(),
        }
    }

    /// True while the log before the committed offset is replayed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.position < self.quiet_before
    }

    /// The offset before which every record is taken.
    pub(crate) fn read_to(&self) -> i64 {
        self.position.max(self.reached)
    }
}

/// Where an input partition is taken up.
#[derive(Debug)]
pub(crate) struct Start {
    /// The first record to read.
    pub(crate) position: i64,
    /// The first record whose outputs are not known to be written.
    pub(crate) committed: i64,
    pub(crate) filter: OriginFilter,
    pub(crate) frontiers: FrontierTable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_old_only_while_there_is_something_to_write() {
        let since = Instant::now().checked_sub(Duration::from_secs(90)).unwrap();
        let idle = Snapshot::Idle { since, offset: 10 };
        assert_eq!(idle.age(10), Duration::ZERO);
        assert!(idle.age(11) >= Duration::from_secs(90));
        let taken = Snapshot::Taken { since, offset: 11, bytes: 0, records: Vec::new() };
        assert!(taken.age(11) >= Duration::from_secs(90), "it is not written before its offset is committed");
    }
}
