//! Snapshots: the keys that changed, each with the offset up to which it has been applied, then a marker.
//!
//! On the compacted topic `snapshots`, in the partition of the same number as the input partition, under keys
//! `role/partition/key`; the marker's key ends behind the second slash. A snapshot is taken at an offset and held back until
//! that offset is committed, so that whatever was made before it is known to be in the log.

use std::time::{Duration, Instant};

use chorus_model::{FrontierTable, OriginFilter};
use serde::{Deserialize, Serialize};

use crate::producer::{Sender, Token};
use crate::slot::{Slot, Snapshot};
use crate::task::Task;
use crate::topics::Topic;

/// The state of an input partition that belongs to no key, and the statement that the keys before it are whole.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Every record before this offset is in.
    pub(crate) offset: i64,
    pub(crate) filter: OriginFilter,
    pub(crate) frontiers: FrontierTable,
}

/// How a role keeps its state.
#[derive(Clone, Debug)]
pub struct Snapshots {
    /// The compacted topic.
    pub topic: Topic,
    /// How often; a restart costs one interval of replay.
    pub every: Duration,
}

pub(crate) fn prefix(role: &str, partition: i32) -> String {
    format!("{role}/{partition}/")
}

/// While so many bytes of states wait to be written, no partition of the worker takes another snapshot: one after the other they
/// need less memory than all at once, and in an hour in which everything changes that is what there is least of.
const MOST_HELD: usize = 32 * 1_024 * 1_024;

/// Takes a snapshot when it is due and writes the one that waits when it counts. `held` is what waits in all partitions of the
/// worker. The bytes of its states when one was written.
pub(crate) fn turn<T: Task>(
    slot: &mut Slot<T>,
    role: &str,
    settings: &Snapshots,
    held: usize,
    sender: &Sender,
) -> anyhow::Result<Option<u64>> {
    match &slot.snapshot {
        Snapshot::Idle { since, offset } => {
            let since = *since;
            let is_due = since.elapsed() >= settings.every && slot.position > *offset;
            if is_due && held < MOST_HELD && !slot.is_quiet() {
                let records = take(slot, role)?;
                let bytes = records.iter().filter_map(|(_, value)| value.as_ref()).map(Vec::len).sum();
                slot.size = slot.task.size();
                slot.snapshot = Snapshot::Taken { since, offset: slot.position, bytes, records };
            }
            Ok(None)
        }
        Snapshot::Taken { offset, records, bytes, .. } if slot.committed >= *offset => {
            let bytes = *bytes;
            for (key, value) in records {
                let value = value.as_deref();
                sender.send(&settings.topic.name, slot.partition, Some(key.as_bytes()), &[], value, Token::NONE)?;
            }
            slot.snapshot = Snapshot::Idle { since: Instant::now(), offset: *offset };
            Ok(Some(u64::try_from(bytes).unwrap_or(u64::MAX)))
        }
        Snapshot::Taken { .. } => Ok(None),
    }
}

fn take<T: Task>(slot: &mut Slot<T>, role: &str) -> anyhow::Result<Vec<(String, Option<Vec<u8>>)>> {
    let prefix = prefix(role, slot.partition);
    let captured = slot.task.capture().into_iter();
    let mut records: Vec<_> = captured.map(|(key, state)| (format!("{prefix}{key}"), state.map(fitted))).collect();
    let marker = Marker { offset: slot.position, filter: slot.filter.clone(), frontiers: slot.frontiers.clone() };
    records.push((prefix, Some(serde_json::to_vec(&marker)?)));
    Ok(records)
}

/// Without the room that a text has to grow in: it is held for a while.
fn fitted(mut state: Vec<u8>) -> Vec<u8> {
    state.shrink_to_fit();
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kafka;
    use crate::slot::Start;
    use crate::task::{Output, Verdict};
    use crate::{Fate, Record};

    struct Keeper;

    impl Task for Keeper {
        fn process(&mut self, _: &Record<'_>, _: &mut Output<'_>) -> Verdict {
            Fate::Forwarded.into()
        }

        fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
            vec![("key".to_owned(), Some(vec![b'x'; 100])), ("gone".to_owned(), None)]
        }
    }

    #[test]
    fn a_snapshot_waits_while_those_of_other_partitions_hold_enough_memory() {
        let start =
            Start { position: 10, committed: 10, filter: OriginFilter::default(), frontiers: FrontierTable::default() };
        let mut slot = Slot::new(0, "events".into(), 3, Keeper, start);
        slot.position = 11;
        let topic = Topic { name: "snapshots".into(), partitions: 12 };
        let settings = Snapshots { topic, every: Duration::ZERO };
        let kafka: Kafka = serde_json::from_value(serde_json::json!({"bootstrap": "127.0.0.1:1"})).unwrap();
        let sender = Sender::new(&kafka, "test", None).unwrap();
        turn(&mut slot, "detect", &settings, MOST_HELD, &sender).unwrap();
        assert_eq!(slot.snapshot.held(), 0);
        turn(&mut slot, "detect", &settings, MOST_HELD - 1, &sender).unwrap();
        let Snapshot::Taken { records, offset, .. } = &slot.snapshot else { panic!("none was taken") };
        let keys: Vec<_> = records.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!((*offset, keys), (11, vec!["detect/3/key", "detect/3/gone", "detect/3/"]));
        assert!(slot.snapshot.held() > 100, "the state and the marker");
    }
}
