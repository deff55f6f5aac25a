//! The one consumer of a worker: classic protocol, cooperative, offsets given explicitly and never reset.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::bindings::rd_kafka_resp_err_t as RespErr;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::health::Health;

/// What happened in a callback. Callbacks never wait and decide nothing: the worker's loop does, between two records.
#[derive(Debug)]
pub(crate) enum Happening {
    /// These partitions are to be taken over.
    Assign(Vec<(String, i32)>),
    /// These partitions are to be handed back.
    Revoke(Vec<(String, i32)>),
    /// These offsets are committed.
    Committed(Vec<(String, i32, i64)>),
    /// A commit was refused; another member has the partitions, or the broker is away.
    CommitFailed(String),
}

#[derive(Debug)]
pub(crate) struct Context {
    happenings: Mutex<VecDeque<Happening>>,
    closing: AtomicBool,
    health: Health,
}

impl Context {
    /// Nobody takes happenings any more: the client is about to be dropped, and must not wait for an answer.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn push(&self, happening: Happening) {
        self.happenings.lock().unwrap_or_else(PoisonError::into_inner).push_back(happening);
    }

    pub(crate) fn next(&self) -> Option<Happening> {
        self.happenings.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        self.health.broker_error(&error, reason);
    }

    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        crate::log::librdkafka(level, fac, message);
    }
}

impl ConsumerContext for Context {
    /// Only notes what is wanted. librdkafka waits until the worker has called `incremental_assign` or
    /// `incremental_unassign`, so that what is in flight can be acknowledged and committed first.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RespErr, list: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Relaxed) {
            if let Err(error) = consumer.unassign() {
                tracing::debug!(%error, "closing");
            }
            return;
        }
        let partitions = list.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect();
        self.push(match code {
            RespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Happening::Assign(partitions),
            _ => Happening::Revoke(partitions),
        });
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.push(match result {
            Ok(()) => Happening::Committed(
                offsets
                    .elements()
                    .iter()
                    .filter(|element| element.error().is_ok())
                    .filter_map(|element| match element.offset() {
                        Offset::Offset(offset) => Some((element.topic().to_owned(), element.partition(), offset)),
                        _ => None,
                    })
                    .collect(),
            ),
            Err(error) => Happening::CommitFailed(error.to_string()),
        });
    }
}

pub(crate) type Source = BaseConsumer<Context>;

/// A consumer of `group`; `member` makes it a static member.
pub(crate) fn connect(kafka: &Kafka, group: &str, member: Option<&str>, health: Health) -> anyhow::Result<Source> {
    let session = kafka.session_timeout.as_micros().div_euclid(1_000);
    let config = kafka.client(|config| {
        config
            .set("group.id", group)
            .set("client.id", member.unwrap_or(group))
            .set("group.protocol", "classic")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 10).clamp(100, 3_000).to_string())
            // Our own watchdog judges progress; a long restore must not be taken for a dead worker.
            .set("max.poll.interval.ms", "1800000")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "false")
            .set("fetch.wait.max.ms", kafka.fetch_wait.as_micros().div_euclid(1_000).to_string())
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.min.messages", "20000")
            .set("queued.max.messages.kbytes", "32768");
        if let Some(member) = member {
            config.set("group.instance.id", member);
        }
    });
    let context = Context { happenings: Mutex::default(), closing: AtomicBool::new(false), health };
    Ok(config.create_with_context(context)?)
}

/// Lets everything go, now and in whatever rebalance is still to come, so that the consumer can be dropped: it waits for an
/// answer to each, also to one that was noted before and never taken up.
pub(crate) fn let_go(consumer: &Source) {
    consumer.context().close();
    // An error means that there is nothing to let go.
    drop(consumer.unassign());
}

/// A list of partitions, without offsets.
pub(crate) fn list<'a>(partitions: impl IntoIterator<Item = (&'a str, i32)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions {
        list.add_partition(topic, partition);
    }
    list
}
