//! Which offset may be committed: the end of the contiguous run of records that are wholly done.

use std::collections::VecDeque;

/// The open records of one input partition, in the order in which they were read.
///
/// A record is open while something made from it has not been acknowledged. The committable offset never passes an open
/// record, whatever is acknowledged behind it.
#[derive(Debug)]
pub(crate) struct Ledger {
    first: u64,
    open: VecDeque<Entry>,
    committable: i64,
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    pending: u32,
    origin: Option<Box<str>>,
}

impl Ledger {
    /// Starts with everything before `offset` done.
    pub(crate) fn new(offset: i64) -> Self {
        Self { first: 0, open: VecDeque::new(), committable: offset }
    }

    /// The number that the next record will get.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.open.len() as u64
    }

    /// Enters a record from which `pending` things were made. `origin` is its own origin, where the filter must follow what
    /// is committed.
    pub(crate) fn enter(&mut self, offset: i64, pending: u32, origin: Option<Box<str>>) {
        self.open.push_back(Entry { offset, pending, origin });
    }

    /// One of the things made from record `number` is acknowledged.
    pub(crate) fn acknowledge(&mut self, number: u64) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.open.get_mut(index)) {
            entry.pending = entry.pending.saturating_sub(1);
        }
    }

    /// Moves over every record at the front that is done and returns the offset that may now be committed: the one behind
    /// the last of them. `leave` is shown the origin of each.
    pub(crate) fn settle(&mut self, mut leave: impl FnMut(&str)) -> i64 {
        while let Some(entry) = self.open.front()
            && entry.pending == 0
        {
            self.committable = entry.offset + 1;
            if let Some(origin) = &entry.origin {
                leave(origin);
            }
            self.open.pop_front();
            self.first += 1;
        }
        self.committable
    }

    /// True when no record is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.iter().all(|entry| entry.pending == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(ledger: &mut Ledger) -> i64 {
        ledger.settle(|_| {})
    }

    #[test]
    fn a_commit_never_leaps_over_an_open_record() {
        let mut ledger = Ledger::new(10);
        for offset in [10, 11, 12] {
            ledger.enter(offset, 1, None);
        }
        ledger.acknowledge(1);
        ledger.acknowledge(2);
        assert_eq!(settle(&mut ledger), 10);
        ledger.acknowledge(0);
        assert_eq!(settle(&mut ledger), 13);
        assert!(ledger.is_empty());
    }

    #[test]
    fn a_record_is_done_when_all_that_was_made_from_it_is() {
        let mut ledger = Ledger::new(0);
        ledger.enter(0, 2, None);
        ledger.acknowledge(0);
        assert_eq!(settle(&mut ledger), 0);
        ledger.acknowledge(0);
        assert_eq!(settle(&mut ledger), 1);
    }

    #[test]
    fn a_record_from_which_nothing_was_made_waits_for_those_before_it() {
        let mut ledger = Ledger::new(0);
        ledger.enter(0, 1, None);
        ledger.enter(5, 0, None);
        assert_eq!(settle(&mut ledger), 0);
        ledger.acknowledge(0);
        assert_eq!(settle(&mut ledger), 6);
    }

    #[test]
    fn numbers_go_on_after_records_have_left() {
        let mut ledger = Ledger::new(0);
        ledger.enter(0, 0, Some("a/0/0/0".into()));
        let mut left = Vec::new();
        ledger.settle(|origin| left.push(origin.to_owned()));
        assert_eq!(left, ["a/0/0/0"]);
        assert_eq!(ledger.next(), 1);
        ledger.enter(1, 1, None);
        ledger.acknowledge(1);
        assert_eq!(settle(&mut ledger), 2);
    }
}
