//! A look at a running cluster, from outside of every role: what `chorus doctor` judges.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::tools::{Owned, own};

/// One question to the broker.
const ASK: Duration = Duration::from_secs(10);

/// A topic as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicState {
    /// How many partitions.
    pub partitions: i32,
    /// The fewest copies that any partition should have.
    pub replicas: usize,
    /// The fewest copies that any partition has in step.
    pub in_sync: usize,
    /// Partitions that nobody leads: they can neither be read nor written.
    pub leaderless: usize,
    /// Kafka's settings of the topic.
    pub settings: BTreeMap<String, String>,
}

/// How far a group has come in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The partition.
    pub partition: i32,
    /// The offset that was committed last.
    pub committed: Option<i64>,
    /// The oldest offset that is there.
    pub low: i64,
    /// The offset behind the newest.
    pub end: i64,
}

/// Asks one cluster.
#[expect(missing_debug_implementations, reason = "rdkafka's clients have none")]
pub struct Inspector {
    kafka: Kafka,
    reader: BaseConsumer,
}

impl Inspector {
    /// Connects lazily. `group` as for [`crate::tools::read_to_end`].
    ///
    /// # Errors
    /// When the client cannot be made from the settings.
    pub fn new(kafka: &Kafka, group: &str) -> anyhow::Result<Self> {
        let mut config = kafka.reader(group);
        config.set("auto.offset.reset", "earliest"); // it looks at what there is
        Ok(Self { kafka: kafka.clone(), reader: config.create()? })
    }

    /// How many brokers answer, and every topic of these names that exists.
    ///
    /// # Errors
    /// When no broker answers within ten seconds.
    pub async fn topics(&self, names: &[String]) -> anyhow::Result<(usize, BTreeMap<String, TopicState>)> {
        let metadata = self
            .reader
            .fetch_metadata(None, ASK)
            .with_context(|| format!("kafka does not answer at {}", self.kafka.bootstrap))?;
        let mut found = BTreeMap::new();
        for topic in metadata.topics().iter().filter(|topic| names.iter().any(|name| name == topic.name())) {
            let partitions = topic.partitions();
            let state = TopicState {
                partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
                replicas: partitions.iter().map(|p| p.replicas().len()).min().unwrap_or(0),
                in_sync: partitions.iter().map(|p| p.isr().len()).min().unwrap_or(0),
                leaderless: partitions.iter().filter(|p| p.leader() < 0).count(),
                settings: BTreeMap::new(),
            };
            found.insert(topic.name().to_owned(), state);
        }
        self.read_settings(&mut found).await?;
        Ok((metadata.brokers().len(), found))
    }

    async fn read_settings(&self, topics: &mut BTreeMap<String, TopicState>) -> anyhow::Result<()> {
        if topics.is_empty() {
            return Ok(()); // librdkafka refuses an empty question
        }
        let admin: AdminClient<DefaultClientContext> = self.kafka.client(|_| {}).create()?;
        let names: Vec<String> = topics.keys().cloned().collect();
        let asked: Vec<ResourceSpecifier<'_>> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let options = AdminOptions::new().request_timeout(Some(ASK));
        for (name, answer) in names.iter().zip(admin.describe_configs(&asked, &options).await?) {
            let answer = answer.map_err(|code| anyhow::anyhow!("settings of {name}: {code}"))?;
            let settings = answer.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
            if let Some(state) = topics.get_mut(name) {
                state.settings = settings.collect();
            }
        }
        Ok(())
    }

    /// How far `group` has come in each partition of a topic; it is not joined, so it notices nothing.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn progress(&self, group: &str, topic: &str, partitions: i32) -> anyhow::Result<Vec<Progress>> {
        let asker: BaseConsumer = self.kafka.reader(group).create()?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition(topic, partition);
        }
        let committed = asker.committed_offsets(list, ASK).with_context(|| format!("offsets of group {group}"))?;
        let mut found = Vec::new();
        for partition in 0..partitions {
            let offset = committed.find_partition(topic, partition).map(|element| element.offset());
            let (low, end) = self.ends(topic, partition)?;
            let committed = match offset {
                Some(Offset::Offset(offset)) => Some(offset),
                _ => None,
            };
            found.push(Progress { partition, committed, low, end });
        }
        Ok(found)
    }

    /// The oldest offset that a partition has, and that behind its newest.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn ends(&self, topic: &str, partition: i32) -> anyhow::Result<(i64, i64)> {
        Ok(self.reader.fetch_watermarks(topic, partition, ASK)?)
    }

    /// The records of a partition from an offset on: at most `most`, fewer when there are no more.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn records(&self, topic: &str, partition: i32, offset: i64, most: usize) -> anyhow::Result<Vec<Owned>> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
        self.reader.assign(&list)?;
        let mut found = Vec::new();
        while found.len() < most {
            match self.reader.poll(ASK) {
                Some(Ok(message)) => found.push(own(&message)),
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) => return Err(error.into()),
                None => anyhow::bail!("{topic}/{partition} does not answer"),
            }
        }
        self.reader.unassign()?;
        Ok(found)
    }
}
