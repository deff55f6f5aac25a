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

/// Takes a snapshot when it is due and writes the one that waits when it counts. The bytes of its states when one was written.
pub(crate) fn turn<T: Task>(
    slot: &mut Slot<T>,
    role: &str,
    settings: &Snapshots,
    sender: &Sender,
) -> anyhow::Result<Option<u64>> {
    match &slot.snapshot {
        Snapshot::Idle { since, offset } => {
            let since = *since;
            if since.elapsed() >= settings.every && slot.position > *offset && !slot.is_quiet() {
                let records = take(slot, role)?;
                slot.size = slot.task.size();
                slot.snapshot = Snapshot::Taken { since, offset: slot.position, records };
            }
            Ok(None)
        }
        Snapshot::Taken { offset, records, .. } if slot.committed >= *offset => {
            let bytes: usize = records.iter().filter_map(|(_, value)| value.as_ref()).map(Vec::len).sum();
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
    let mut records: Vec<_> =
        slot.task.capture().into_iter().map(|(key, state)| (format!("{prefix}{key}"), state)).collect();
    let marker = Marker { offset: slot.position, filter: slot.filter.clone(), frontiers: slot.frontiers.clone() };
    records.push((prefix, Some(serde_json::to_vec(&marker)?)));
    Ok(records)
}
