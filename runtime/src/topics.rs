//! The topics of Chorus: names, partitions, and how they are made.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Kafka;

/// A topic to write to.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name on Kafka.
    pub name: Arc<str>,
    /// How many partitions it has.
    pub partitions: i32,
}

/// Names and sizes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    /// Stands before every topic name and consumer group, so that two cities can share a cluster.
    pub prefix: String,
    /// Copies of each partition.
    pub replication: i32,
    /// Partitions of each `raw.*` topic; may grow later.
    pub raw_partitions: i32,
    /// Partitions of `events` (by place); fixed once in use.
    pub events_partitions: i32,
    /// Partitions of `anomalies` (by county) and `alerts`; fixed once in use.
    pub alerts_partitions: i32,
    /// How long raw records, events, anomalies and alerts are kept, in hours.
    pub retention_hours: i64,
    /// How long sealed rejects and parked alerts are kept, in hours.
    pub rejects_retention_hours: i64,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            replication: 1,
            raw_partitions: 6,
            events_partitions: 12,
            alerts_partitions: 4,
            retention_hours: 7 * 24,
            rejects_retention_hours: 14 * 24,
        }
    }
}

/// What a topic should look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// May the number grow once the topic is in use?
    pub may_grow: bool,
    /// Topic settings of Kafka.
    pub settings: Vec<(&'static str, String)>,
}

impl Topics {
    /// The name on Kafka of one of our topics.
    #[must_use]
    pub fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// The raw topic of a feed.
    #[must_use]
    pub fn raw(&self, feed: &str) -> String {
        format!("{}raw.{feed}", self.prefix)
    }

    /// The group whose right people's tools need: a client asks for one, though they join none and commit nothing.
    #[must_use]
    pub fn tools_group(&self) -> String {
        self.name("tools")
    }

    /// Every topic that Chorus needs for these feeds.
    #[must_use]
    pub fn plan<'a>(&self, feeds: impl Iterator<Item = &'a str>) -> Vec<Plan> {
        let keep = |hours: i64| ("retention.ms", (hours.saturating_mul(3_600_000)).to_string());
        let isr = ("min.insync.replicas", if self.replication >= 3 { "2" } else { "1" }.to_owned());
        // Received means the broker's timestamp: without LogAppendTime a sender's clock could move time.
        let append = ("message.timestamp.type", "LogAppendTime".to_owned());
        let kept = vec![keep(self.retention_hours), isr.clone(), append.clone()];
        let mut plans: Vec<Plan> = feeds
            .map(|feed| Plan {
                name: self.raw(feed),
                partitions: self.raw_partitions,
                may_grow: true,
                settings: kept.clone(),
            })
            .collect();
        for (topic, partitions) in [
            ("events", self.events_partitions),
            ("anomalies", self.alerts_partitions),
            ("alerts", self.alerts_partitions),
        ] {
            plans.push(Plan { name: self.name(topic), partitions, may_grow: false, settings: kept.clone() });
        }
        let rejects = vec![keep(self.rejects_retention_hours), isr.clone(), append];
        for topic in ["rejects", "parked"] {
            plans.push(Plan { name: self.name(topic), partitions: 1, may_grow: true, settings: rejects.clone() });
        }
        // Who put which rules into force when: each record has a key of its own, so all are kept.
        let history = vec![("cleanup.policy", "compact".to_owned()), isr.clone()];
        plans.push(Plan { name: self.name("rules"), partitions: 1, may_grow: false, settings: history });
        plans.push(Plan {
            name: self.name("snapshots"),
            partitions: self.events_partitions.max(self.alerts_partitions),
            may_grow: false,
            settings: vec![("cleanup.policy", "compact".to_owned()), isr],
        });
        plans
    }

    /// What is wrong beyond shape: (path, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let sizes = [
            ("raw_partitions", self.raw_partitions),
            ("events_partitions", self.events_partitions),
            ("alerts_partitions", self.alerts_partitions),
            ("replication", self.replication),
        ];
        for (key, value) in sizes {
            if !(1..=1_024).contains(&value) {
                found.push((format!("topics.{key}"), "allowed: 1 to 1024".to_owned()));
            }
        }
        if self.prefix.contains(|c: char| !(c.is_ascii_alphanumeric() || ".-_".contains(c))) {
            found.push(("topics.prefix".to_owned(), "allowed: letters, digits, '.', '-', '_'".to_owned()));
        }
        found
    }
}

/// What `apply` did, or would do, with one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was there with the right number of partitions.
    Kept(String),
    /// It was made.
    Created(String),
    /// It got more partitions.
    Grown(String, i32, i32),
    /// It has another number of partitions than planned, and may not be changed.
    Refused(String, i32, i32),
}

/// One call to the broker.
const TIMEOUT: Duration = Duration::from_secs(10);
/// One call of a role that waits for its broker: between two of them it beats, says so in the log, and may be ended.
const ASK: Duration = Duration::from_secs(5);

/// Makes what is missing. Idempotent.
///
/// # Errors
/// When the broker does not answer or refuses a topic.
pub async fn apply(kafka: &Kafka, plans: &[Plan], replication: i32, dry_run: bool) -> anyhow::Result<Vec<Change>> {
    let admin: AdminClient<DefaultClientContext> = kafka.client(|_| {}).create()?;
    let present = partition_counts(kafka)?;
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
    let mut changes = Vec::new();
    for plan in plans {
        let change = match present.iter().find(|(name, _)| *name == plan.name) {
            Some((_, count)) if *count == plan.partitions => Change::Kept(plan.name.clone()),
            Some((_, count)) if *count < plan.partitions && plan.may_grow => {
                if !dry_run {
                    let wanted = usize::try_from(plan.partitions)?;
                    let grow = rdkafka::admin::NewPartitions::new(&plan.name, wanted);
                    check(admin.create_partitions(&[grow], &options).await?)?;
                }
                Change::Grown(plan.name.clone(), *count, plan.partitions)
            }
            Some((_, count)) => Change::Refused(plan.name.clone(), *count, plan.partitions),
            None => {
                if !dry_run {
                    let mut topic = NewTopic::new(&plan.name, plan.partitions, TopicReplication::Fixed(replication));
                    for (key, value) in &plan.settings {
                        topic = topic.set(key, value);
                    }
                    check(admin.create_topics(&[topic], &options).await?)?;
                }
                Change::Created(plan.name.clone())
            }
        };
        changes.push(change);
    }
    if !dry_run {
        let is_new = |plan: &&Plan| {
            changes
                .iter()
                .any(|change| matches!(change, Change::Created(name) | Change::Grown(name, ..) if *name == plan.name))
        };
        until_visible(kafka, plans.iter().filter(is_new).collect()).await?;
    }
    Ok(changes)
}

/// Brokers hear of a new topic a moment after it was made; a role that starts at once must find it.
async fn until_visible(kafka: &Kafka, mut plans: Vec<&Plan>) -> anyhow::Result<()> {
    for _ in 0..600 {
        if plans.is_empty() {
            return Ok(());
        }
        let present = led_partition_counts(kafka)?;
        plans.retain(|plan| !present.iter().any(|(name, led)| *name == plan.name && *led >= plan.partitions));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("topics were made, but after 30 s not every partition has a leader: are enough brokers up?")
}

fn check(results: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> anyhow::Result<()> {
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => anyhow::bail!("topic {topic}: {code}"),
        }
    }
    Ok(())
}

/// Every topic of the cluster with its number of partitions.
///
/// # Errors
/// When the broker does not answer within 10 seconds.
pub fn partition_counts(kafka: &Kafka) -> anyhow::Result<Vec<(String, i32)>> {
    counts(kafka, TIMEOUT, |_| true)
}

fn led_partition_counts(kafka: &Kafka) -> anyhow::Result<Vec<(String, i32)>> {
    counts(kafka, TIMEOUT, |partition| partition.leader() >= 0)
}

fn counts(
    kafka: &Kafka,
    timeout: Duration,
    meant: impl Fn(&MetadataPartition) -> bool,
) -> anyhow::Result<Vec<(String, i32)>> {
    let client: BaseConsumer = kafka.client(|_| {}).create()?;
    let metadata = client
        .fetch_metadata(None, timeout)
        .with_context(|| format!("kafka does not answer at {}", kafka.bootstrap))?;
    let count = |topic: &MetadataTopic| {
        i32::try_from(topic.partitions().iter().filter(|partition| meant(partition)).count()).unwrap_or(0)
    };
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), count(topic))).collect())
}

/// The topics of these names, asked for once: for tools, which say what is wrong and end.
///
/// # Errors
/// When the broker does not answer within 10 seconds, or one of the topics does not exist.
pub fn look_up<const N: usize>(kafka: &Kafka, names: [String; N]) -> anyhow::Result<[Topic; N]> {
    as_many(look_up_each(kafka, &names)?)
}

/// As [`look_up`], for a list.
///
/// # Errors
/// As [`look_up`].
pub fn look_up_each(kafka: &Kafka, names: &[String]) -> anyhow::Result<Vec<Topic>> {
    among(&partition_counts(kafka)?, kafka, names)
}

/// The topics of these names, once the broker answers: for roles, which wait for it.
///
/// # Errors
/// As [`resolve_each`].
pub fn resolve<const N: usize>(
    kafka: &Kafka,
    names: [String; N],
    health: &crate::health::Health,
    control: &crate::Control,
) -> anyhow::Result<[Topic; N]> {
    as_many(resolve_each(kafka, &names, health, control)?)
}

/// As [`resolve`], for a list.
///
/// # Errors
/// When one of them does not exist: a missing topic is an error at the start, never a silent drop. [`crate::control::Stopped`]
/// when the end was asked for before the broker answered.
pub fn resolve_each(
    kafka: &Kafka,
    names: &[String],
    health: &crate::health::Health,
    control: &crate::Control,
) -> anyhow::Result<Vec<Topic>> {
    let present = loop {
        health.beat();
        match counts(kafka, ASK, |_| true) {
            Ok(present) => break present,
            Err(_) if control.stopping() => return Err(crate::control::Stopped.into()),
            Err(error) => {
                let error = error.root_cause();
                tracing::warn!(bootstrap = %kafka.bootstrap, %error, "kafka does not answer, trying again");
            }
        }
    };
    among(&present, kafka, names)
}

fn as_many<const N: usize>(topics: Vec<Topic>) -> anyhow::Result<[Topic; N]> {
    topics.try_into().map_err(|topics: Vec<Topic>| anyhow::anyhow!("{} topics, not {N}", topics.len()))
}

fn among(present: &[(String, i32)], kafka: &Kafka, names: &[String]) -> anyhow::Result<Vec<Topic>> {
    let find = |name: &String| {
        let (_, partitions) = present.iter().find(|(known, _)| known == name).ok_or_else(|| {
            anyhow::anyhow!("topic {name} does not exist at {}: run `chorus topics apply`", kafka.bootstrap)
        })?;
        Ok(Topic { name: name.as_str().into(), partitions: *partitions })
    };
    names.iter().map(find).collect()
}
