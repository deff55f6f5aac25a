//! Topics and offsets, through librdkafka: the line tools of Kafka cost two seconds of JVM a call.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication, TopicResult};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::http::block_on;
use crate::wait::wait_for;

/// How long one question to the broker may take.
pub(crate) const ASK: Duration = Duration::from_secs(10);
/// How long a change of topics may take until every client can use it.
const CHANGE: Duration = Duration::from_secs(30);

/// Creates and deletes topics, and tells offsets.
#[expect(missing_debug_implementations, reason = "rdkafka's clients have none")]
pub struct Topics {
    bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
    reader: BaseConsumer,
}

impl Topics {
    /// Connects lazily: a broker that is down shows at the first question.
    pub fn new(bootstrap: &str) -> Result<Topics> {
        let config = client_config(bootstrap);
        Ok(Topics { bootstrap: bootstrap.to_owned(), admin: config.create()?, reader: config.create()? })
    }

    /// Creates a topic with the broker's default replication, and waits until each partition has a leader.
    pub fn create(&self, name: &str, partitions: i32, config: &[(&str, &str)]) -> Result<()> {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
        for &(key, value) in config {
            topic = topic.set(key, value);
        }
        let created = self.admin.create_topics([&topic], &options());
        done(block_on(created)).with_context(|| format!("cannot create topic {name}"))?;
        wait_for(&format!("leaders of topic {name}"), CHANGE, || {
            let metadata = self.metadata(name)?;
            let mut led = metadata.topics().iter().flat_map(|topic| topic.partitions()).filter(|p| p.leader() >= 0);
            Ok((led.by_ref().count() == usize::try_from(partitions)?).then_some(()))
        })
    }

    /// Deletes a topic, and waits until the broker no longer tells of it.
    pub fn delete(&self, name: &str) -> Result<()> {
        let deleted = self.admin.delete_topics(&[name], &options());
        done(block_on(deleted)).with_context(|| format!("cannot delete topic {name}"))?;
        wait_for(&format!("the end of topic {name}"), CHANGE, || Ok(self.partitions(name)?.is_empty().then_some(())))
    }

    /// The names of all topics, those of Kafka itself (`__…`) left out.
    pub fn names(&self) -> Result<Vec<String>> {
        let metadata = self.reader.fetch_metadata(None, ASK).context("cannot list topics")?;
        let names = metadata.topics().iter().map(|topic| topic.name().to_owned());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("__")).collect();
        names.sort();
        Ok(names)
    }

    /// The partitions of a topic; none when there is no such topic.
    pub fn partitions(&self, name: &str) -> Result<Vec<i32>> {
        let metadata = self.metadata(name)?;
        let mut ids: Vec<i32> = metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The leader of each partition: what a fault test must know before it kills a node.
    pub fn leaders(&self, name: &str) -> Result<BTreeMap<i32, i32>> {
        let metadata = self.metadata(name)?;
        Ok(metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| (p.id(), p.leader())).collect())
    }

    /// For each partition the offset that its next record will have.
    pub fn end_offsets(&self, name: &str) -> Result<BTreeMap<i32, i64>> {
        Ok(watermarks(&self.reader, name)?.into_iter().map(|(partition, (_, end))| (partition, end)).collect())
    }

    /// What `group` has committed for `topic`; a partition without a commit is absent.
    ///
    /// The first question about any group makes the broker create `__consumer_offsets`; until the group's partition of it is
    /// loaded, the broker answers that nobody coordinates the group. That is no answer about offsets, so it is asked again.
    pub fn group_offsets(&self, group: &str, topic: &str) -> Result<BTreeMap<i32, i64>> {
        // Asks only; it never joins the group, so it disturbs none of its members.
        let asker: BaseConsumer = client_config(&self.bootstrap).set("group.id", group).create()?;
        let mut wanted = TopicPartitionList::new();
        for partition in self.partitions(topic)? {
            wanted.add_partition(topic, partition);
        }
        wait_for(&format!("the offsets of group {group} in {topic}"), CHANGE, || {
            match asker.committed_offsets(wanted.clone(), ASK).and_then(|answer| committed_of(&answer)) {
                Ok(offsets) => Ok(Some(offsets)),
                Err(error) if error.rdkafka_error_code().is_some_and(coordinator_is_coming) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn metadata(&self, name: &str) -> Result<Metadata> {
        self.reader.fetch_metadata(Some(name), ASK).with_context(|| format!("cannot ask about topic {name}"))
    }
}

/// The offsets in an answer, or the first partition's error in it.
fn committed_of(answer: &TopicPartitionList) -> KafkaResult<BTreeMap<i32, i64>> {
    let mut offsets = BTreeMap::new();
    for element in answer.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(element.partition(), offset);
        }
    }
    Ok(offsets)
}

/// True for the answers of a broker whose group coordinator is not there yet.
fn coordinator_is_coming(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    matches!(code, CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator)
}

/// Settings of every client of the harness.
pub(crate) fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    // Outage tests: be back soon after the broker is.
    config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "200");
    // The error that a call returns says what is wrong; the same on stderr is noise in a test's output.
    config.set("log_level", "2");
    config
}

/// First and next offset of each partition of a topic that must exist.
///
/// A broker that has just come back may not lead its partitions yet; that is no answer about offsets, so it is asked again.
pub(crate) fn watermarks(reader: &BaseConsumer, topic: &str) -> Result<BTreeMap<i32, (i64, i64)>> {
    wait_for(&format!("the offsets of {topic}"), CHANGE, || {
        let metadata =
            reader.fetch_metadata(Some(topic), ASK).with_context(|| format!("cannot ask about topic {topic}"))?;
        let mut offsets = BTreeMap::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            match reader.fetch_watermarks(topic, partition.id(), ASK) {
                Ok(range) => drop(offsets.insert(partition.id(), range)),
                Err(error) if error.rdkafka_error_code().is_some_and(leader_is_coming) => return Ok(None),
                Err(error) => bail!("offsets of {topic} {}: {error}", partition.id()),
            }
        }
        if offsets.is_empty() {
            bail!("there is no topic {topic}");
        }
        Ok(Some(offsets))
    })
}

/// True for the answers of a cluster in which a partition's leader is not there yet.
fn leader_is_coming(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition, UnknownPartition};
    matches!(code, LeaderNotAvailable | NotLeaderForPartition | UnknownPartition)
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(CHANGE)).operation_timeout(Some(CHANGE))
}

/// One error out of the call's and each topic's.
fn done(results: KafkaResult<Vec<TopicResult>>) -> Result<()> {
    for result in results? {
        result.map_err(|(name, code): (String, RDKafkaErrorCode)| anyhow!("{name}: {code}"))?;
    }
    Ok(())
}
