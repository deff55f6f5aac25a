//! Taking up an input partition: committed offset, snapshot, and where the replay begins.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chorus_model::{FrontierTable, OriginFilter};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::consumer::{self, Source};
use crate::control::{Control, Fenced, Stopped};
use crate::health::Health;
use crate::slot::Start;
use crate::snapshot::{Marker, Snapshots, prefix};
use crate::task::Task;

/// One call to the broker while a partition is taken up.
const CALL: Duration = Duration::from_secs(5);

/// What is needed to take partitions up.
pub(crate) struct Restorer<'a> {
    pub(crate) kafka: &'a Kafka,
    pub(crate) source: &'a Source,
    pub(crate) role: &'a str,
    /// The role's own: nothing is committed by this reader, and so it needs no right of its own.
    pub(crate) group: &'a str,
    pub(crate) snapshots: Option<&'a Snapshots>,
    pub(crate) health: &'a Health,
    pub(crate) control: &'a Control,
}

type States = HashMap<String, Vec<u8>>;

/// A partition that is taken up: topic, partition, its task with its state, and where it begins.
pub(crate) type TakenUp<T> = (Arc<str>, i32, T, Start);

impl Restorer<'_> {
    /// Where each of the partitions begins, and the task with its state.
    pub(crate) fn take_up<T: Task>(
        &self,
        partitions: &[(Arc<str>, i32)],
        mut open: impl FnMut(&str, i32) -> T,
    ) -> anyhow::Result<Vec<TakenUp<T>>> {
        let committed = self.until_answered("committed offsets", || self.committed(partitions))?;
        let mut snapshots = match self.snapshots {
            Some(settings) => {
                let wanted: Vec<i32> = partitions.iter().map(|(_, partition)| *partition).collect();
                self.until_answered("snapshots", || self.read_snapshots(settings, &wanted))?
            }
            None => HashMap::new(),
        };
        let mut taken = Vec::new();
        for (topic, partition) in partitions {
            let mut task = open(topic, *partition);
            let found = committed.get(&(topic.to_string(), *partition));
            let low = self.until_answered("log start", || self.log_start(topic, *partition))?;
            let start = match found {
                None => Start {
                    position: low,
                    committed: low,
                    filter: OriginFilter::default(),
                    frontiers: FrontierTable::default(),
                },
                Some((offset, metadata)) if self.snapshots.is_none() => {
                    let filter = serde_json::from_str(metadata).unwrap_or_default();
                    Start { position: *offset, committed: *offset, filter, frontiers: FrontierTable::default() }
                }
                Some((offset, _)) => {
                    let states = snapshots.remove(partition).unwrap_or_default();
                    self.rebuild(&mut task, states, *partition, *offset, low)?
                }
            };
            check_present(topic, *partition, start.position, low)?;
            taken.push((Arc::clone(topic), *partition, task, start));
        }
        Ok(taken)
    }

    /// The oldest offset that is there.
    fn log_start(&self, topic: &str, partition: i32) -> anyhow::Result<i64> {
        self.source.fetch_watermarks(topic, partition, CALL).map(|(low, _)| low).or_else(|error| {
            // A broker that comes back may first say that the partition has no leader or is not there, and librdkafka believes it
            // for minutes (`topic.metadata.refresh.interval.ms`) unless it is made to ask again.
            self.source.fetch_metadata(Some(topic), CALL)?;
            Err(error.into())
        })
    }

    /// Puts the snapshot's keys into the task; without a usable snapshot the whole log is replayed quietly.
    fn rebuild<T: Task>(
        &self,
        task: &mut T,
        mut states: States,
        partition: i32,
        committed: i64,
        low: i64,
    ) -> anyhow::Result<Start> {
        let marker: Option<Marker> = states.remove("").and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let role = self.role;
        match marker {
            Some(marker) if marker.offset <= committed => {
                // In the order of their names: what other keys depend on has a name that comes first.
                let states: BTreeMap<_, _> = states.into_iter().collect();
                for (key, state) in &states {
                    task.restore(key, state).with_context(|| format!("snapshot of {role}/{partition}, one key"))?;
                }
                tracing::info!(role, partition, from = marker.offset, to = committed, keys = states.len(), "restored");
                Ok(Start { position: marker.offset, committed, filter: marker.filter, frontiers: marker.frontiers })
            }
            marker => {
                let stands_for = marker.map(|marker| marker.offset);
                tracing::warn!(role, partition, ?stands_for, committed, "no usable snapshot, replaying the whole log");
                Ok(Start {
                    position: low.min(committed),
                    committed,
                    filter: OriginFilter::default(),
                    frontiers: FrontierTable::default(),
                })
            }
        }
    }

    fn committed(&self, partitions: &[(Arc<str>, i32)]) -> anyhow::Result<HashMap<(String, i32), (i64, String)>> {
        let list = consumer::list(partitions.iter().map(|(topic, partition)| (&**topic, *partition)));
        let answer = self.source.committed_offsets(list, CALL)?;
        let mut found = HashMap::new();
        for element in answer.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                let metadata = element.metadata().to_owned();
                found.insert((element.topic().to_owned(), element.partition()), (offset, metadata));
            }
        }
        Ok(found)
    }

    /// The latest state of every key of these partitions of the role.
    fn read_snapshots(&self, settings: &Snapshots, partitions: &[i32]) -> anyhow::Result<HashMap<i32, States>> {
        let reader: BaseConsumer = self.kafka.reader(self.group).create()?;
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition_offset(&settings.topic.name, *partition, Offset::Beginning)?;
        }
        reader.assign(&list)?;
        let mut states: HashMap<i32, States> = HashMap::new();
        // Which, not how many: a partition that grows while others are read comes to its end more than once.
        let mut ended = BTreeSet::new();
        let mut quiet_since = Instant::now();
        while ended.len() < partitions.len() && !self.control.stopping() {
            self.health.beat();
            match reader.poll(Duration::from_millis(50)) {
                Some(Ok(message)) => {
                    quiet_since = Instant::now();
                    let prefix = prefix(self.role, message.partition());
                    let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
                    let Some(key) = key.and_then(|key| key.strip_prefix(&prefix)) else { continue };
                    let states = states.entry(message.partition()).or_default();
                    match message.payload() {
                        Some(state) => states.insert(key.to_owned(), state.to_owned()),
                        None => states.remove(key),
                    };
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(ended.insert(partition)),
                Some(Err(error)) => return Err(error.into()),
                None if quiet_since.elapsed() > CALL * 2 => anyhow::bail!("the broker does not answer"),
                None => {}
            }
        }
        Ok(states)
    }

    /// Tries again, beating, until the broker answers or the end is asked for. A client with a fatal error connects to nobody any more, and
    /// nobody polls it here who would be told: fenced after an outage, it would try for ever.
    fn until_answered<R>(&self, what: &str, mut call: impl FnMut() -> anyhow::Result<R>) -> anyhow::Result<R> {
        loop {
            self.health.beat();
            match call() {
                Ok(answer) => return Ok(answer),
                Err(_) if self.control.stopping() => return Err(Stopped.into()),
                Err(error) => {
                    match self.source.client().fatal_error() {
                        Some((RDKafkaErrorCode::FencedInstanceId, _)) => return Err(Fenced.into()),
                        Some((_, reason)) => anyhow::bail!("the log cannot be read on: {reason}"),
                        None => {}
                    }
                    tracing::warn!(role = self.role, what, %error, "no answer yet, trying again");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }
}

/// Offsets that retention has taken are an error, never a silent jump.
fn check_present(topic: &str, partition: i32, position: i64, low: i64) -> anyhow::Result<()> {
    anyhow::ensure!(
        position >= low,
        "{topic}/{partition}: records {position} to {} are gone: the log now begins at {low}. Nothing was skipped. \
         To go on without them, set the group's offset to {low} with Kafka's own tools",
        low - 1
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_that_is_fenced_while_it_takes_up_a_partition_does_not_try_for_ever() {
        let kafka: Kafka = serde_json::from_value(serde_json::json!({"bootstrap": "127.0.0.1:1"})).unwrap();
        let (health, control) = (Health::new("test", "127.0.0.1:1"), Control::default());
        let source = consumer::connect(&kafka, "g", Some("m"), health.clone()).unwrap();
        let restorer = Restorer {
            kafka: &kafka,
            source: &source,
            role: "detect",
            group: "g",
            snapshots: None,
            health: &health,
            control: &control,
        };
        let mut calls = 0;
        let answered: anyhow::Result<()> = restorer.until_answered("log start", || {
            calls += 1;
            if calls == 2 {
                crate::ffi::fence(&source);
            }
            anyhow::bail!("no answer")
        });
        assert!(answered.unwrap_err().is::<Fenced>());
        assert_eq!(calls, 2);
    }

    #[test]
    fn offsets_that_are_gone_are_an_error_that_names_them() {
        assert!(check_present("events", 3, 10, 10).is_ok());
        let error = check_present("events", 3, 5, 10).unwrap_err().to_string();
        assert!(error.contains("events/3: records 5 to 9 are gone"), "{error}");
    }
}
