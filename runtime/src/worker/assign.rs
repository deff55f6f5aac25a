//! How a worker gets and gives partitions, and commits what it has done of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::{Input, Worker};
use crate::config::Assignment;
use crate::consumer::{self, Happening};
use crate::restore::Restorer;
use crate::slot::Slot;
use crate::take::find;
use crate::task::Task;

/// How long a hand-over waits for acknowledgements; shorter than the session, so that the group does not give up first.
const DRAIN: Duration = Duration::from_secs(20);
/// How long it waits for deliveries: a destination may be down for hours.
const DRAIN_DELIVERIES: Duration = Duration::from_secs(3);

impl<T: Task, F: FnMut(&str, i32) -> T> Worker<T, F> {
    pub(super) fn happened(&mut self, happening: Happening) -> anyhow::Result<()> {
        if matches!(happening, Happening::Assign(_) | Happening::Revoke(_)) {
            self.metrics.rebalances.with_label_values(&[self.role.name]).inc();
        }
        match happening {
            Happening::Assign(partitions) => {
                let partitions: Vec<_> = partitions.into_iter().map(|(t, p)| (Arc::from(t), p)).collect();
                self.take_over(&partitions)
            }
            Happening::Revoke(partitions) => {
                let partitions: Vec<_> = partitions.into_iter().map(|(t, p)| (Arc::from(t), p)).collect();
                self.hand_back(&partitions)
            }
            Happening::Committed(offsets) => {
                for (topic, partition, offset) in offsets {
                    if let Some(slot) = find(&mut self.slots, &topic, partition) {
                        slot.committed = slot.committed.max(offset);
                    }
                }
                Ok(())
            }
            Happening::CommitFailed(error) => {
                self.metrics.commit_failures.with_label_values(&[self.role.name]).inc();
                tracing::warn!(role = self.role.name, %error, "commit refused, will be tried again");
                for slot in &mut self.slots {
                    slot.commit_asked = slot.committed;
                }
                Ok(())
            }
        }
    }

    pub(super) fn take_over(&mut self, partitions: &[(Arc<str>, i32)]) -> anyhow::Result<()> {
        let restorer = Restorer {
            kafka: &self.kafka,
            source: &self.source,
            role: self.role.name,
            group: &self.role.group,
            snapshots: self.role.snapshots.as_ref(),
            health: &self.health,
            control: &self.control,
        };
        let taken = restorer.take_up(partitions, &mut self.open)?;
        let mut list = TopicPartitionList::new();
        for (topic, partition, task, start) in taken {
            list.add_partition_offset(&topic, partition, Offset::Offset(start.position))?;
            self.next_slot = self.next_slot.wrapping_add(1) & 0x7fff; // the highest bit keeps `Token::NONE` apart
            self.slots.push(Slot::new(self.next_slot, topic, partition, task, start));
        }
        match self.kafka.assignment {
            Assignment::Ordinal { .. } => self.source.assign(&list)?,
            Assignment::Group | Assignment::Member { .. } => self.source.incremental_assign(&list)?,
        }
        if self.paused {
            // New partitions come unpaused; the throttle knows one state for all, and pauses again if it must.
            self.source.resume(&consumer::list(self.slots.iter().map(|slot| (&*slot.topic, slot.partition))))?;
            self.paused = false;
        }
        self.assigned = true;
        self.say_assigned();
        Ok(())
    }

    /// Waits for what is in flight, commits, and only then lets go.
    ///
    /// Partitions that were lost (our session ran out while the broker was away) are another's already: there is nothing to
    /// commit, and a commit under the old name would fence us for good.
    pub(super) fn hand_back(&mut self, partitions: &[(Arc<str>, i32)]) -> anyhow::Result<()> {
        let going = |slot: &Slot<T>| partitions.iter().any(|(t, p)| *t == slot.topic && *p == slot.partition);
        if self.source.assignment_lost() {
            tracing::warn!(role = self.role.name, "the session ran out, partitions are lost");
        } else {
            let deadline = Instant::now() + if self.dispatcher.is_some() { DRAIN_DELIVERIES } else { DRAIN };
            while Instant::now() < deadline && self.slots.iter().any(|slot| going(slot) && !slot.ledger.is_empty()) {
                self.health.beat();
                self.absorb()?;
                std::thread::sleep(Duration::from_micros(200));
            }
            self.commit_last();
        }
        if let Some(dispatcher) = &mut self.dispatcher {
            let slots: Vec<u16> = self.slots.iter().filter(|slot| going(slot)).map(|slot| slot.id).collect();
            dispatcher.abandon(|token| token.parts().is_some_and(|(slot, _)| slots.contains(&slot)));
        }
        self.flush_counts();
        self.slots.retain(|slot| !going(slot));
        for (topic, partition) in partitions {
            self.watermarks.forget(topic, *partition);
            self.writer.forget(*partition, &self.role.marks, &self.metrics);
            // These fail only for a series that was never there. One that stayed would tell for ever how far behind we once were.
            let partition = partition.to_string();
            self.metrics.lag.remove_label_values(&[self.role.name, &**topic, &*partition]).ok();
            self.metrics.snapshot_age.remove_label_values(&[self.role.name, &*partition]).ok();
        }
        let list = consumer::list(partitions.iter().map(|(topic, partition)| (&**topic, *partition)));
        match self.kafka.assignment {
            Assignment::Ordinal { .. } => self.source.unassign()?,
            Assignment::Group | Assignment::Member { .. } => self.source.incremental_unassign(&list)?,
        }
        self.say_assigned();
        Ok(())
    }

    fn commit_last(&mut self) {
        for slot in &mut self.slots {
            slot.commit_asked = slot.committed; // an asynchronous commit that is still under way may get lost
        }
        if let Err(error) = self.commit(CommitMode::Sync) {
            // Whoever takes over reads again from the last commit; the origins tell the repeats.
            tracing::warn!(role = self.role.name, %error, "last commit before handing back failed");
        }
    }

    pub(super) fn commit(&mut self, mode: CommitMode) -> anyhow::Result<()> {
        let mut list = TopicPartitionList::new();
        for slot in &mut self.slots {
            let filter = &mut slot.settled_filter;
            let done = slot.ledger.settle(|origin| drop(filter.admit(origin)));
            // With nothing open the marks of transactions are behind us too: retention may take them, and no record is missed then.
            let offset = if slot.ledger.is_empty() { done.max(slot.reached) } else { done };
            if offset > slot.commit_asked {
                slot.commit_asked = offset;
                let mut element = list.add_partition(&slot.topic, slot.partition);
                element.set_offset(Offset::Offset(offset))?;
                if self.role.snapshots.is_none() && self.role.input == Input::Derived {
                    element.set_metadata(serde_json::to_string(&slot.settled_filter)?);
                }
            }
        }
        if list.count() == 0 {
            return Ok(());
        }
        match mode {
            CommitMode::Async => crate::ffi::commit(&self.source, &list)?,
            CommitMode::Sync => self.source.commit(&list, mode)?,
        }
        Ok(())
    }

    fn say_assigned(&mut self) {
        self.holding.say_partitions(self.slots.len());
        self.say_size();
        let partitions: Vec<i32> = self.slots.iter().map(|slot| slot.partition).collect();
        tracing::info!(role = self.role.name, topic = %self.role.from.name, ?partitions, "partitions assigned");
    }
}
