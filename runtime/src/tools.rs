//! What the command line's tools need of Kafka: reading a topic to its end, and writing records that are acknowledged.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::producer::{Sender, Token};
use crate::topics::Topic;

/// A record taken out of a topic.
#[derive(Clone, Debug)]
pub struct Owned {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its key.
    pub key: Vec<u8>,
    /// Its headers, those that are UTF-8.
    pub headers: Vec<(String, String)>,
    /// Its value.
    pub value: Vec<u8>,
    /// The broker's timestamp, milliseconds.
    pub timestamp_ms: i64,
}

impl Owned {
    /// The last header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Every record of a topic from its beginning to the end that it has now. `group` is one that the user may read by
/// ([`crate::topics::Topics::tools_group`]).
///
/// # Errors
/// When the broker does not answer for 15 seconds.
pub fn read_to_end(kafka: &Kafka, group: &str, topic: &Topic, mut each: impl FnMut(Owned)) -> anyhow::Result<()> {
    let reader: BaseConsumer = kafka.reader(group).create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..topic.partitions {
        list.add_partition_offset(&topic.name, partition, Offset::Beginning)?;
    }
    reader.assign(&list)?;
    // Which, not how many: a partition that grows while others are read comes to its end more than once.
    let mut open: BTreeSet<i32> = (0..topic.partitions).collect();
    let mut heard = Instant::now();
    while !open.is_empty() {
        match reader.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                heard = Instant::now();
                each(own(&message));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(open.remove(&partition)),
            Some(Err(error)) => return Err(error.into()),
            None => anyhow::ensure!(heard.elapsed() < Duration::from_secs(15), "{} does not answer", kafka.bootstrap),
        }
    }
    Ok(())
}

pub(crate) fn own(message: &rdkafka::message::BorrowedMessage<'_>) -> Owned {
    let mut headers = Vec::new();
    if let Some(found) = message.headers() {
        for header in found.iter() {
            if let Some(value) = header.value.and_then(|value| std::str::from_utf8(value).ok()) {
                headers.push((header.key.to_owned(), value.to_owned()));
            }
        }
    }
    Owned {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().unwrap_or_default().to_owned(),
        headers,
        value: message.payload().unwrap_or_default().to_owned(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
    }
}

/// Writes records from outside the pipeline: a replayed reject, the demonstration's devices.
#[derive(Debug)]
pub struct Feeder {
    sender: Sender,
    acknowledged: Vec<Token>,
}

impl Feeder {
    /// Connects.
    ///
    /// # Errors
    /// When the client cannot be made from the settings.
    pub fn connect(kafka: &Kafka, client_id: &str) -> anyhow::Result<Self> {
        Ok(Self { sender: Sender::new(kafka, client_id, None)?, acknowledged: Vec::new() })
    }

    /// Hands a record over; `partition` is that of its key.
    ///
    /// # Errors
    /// When the record is too large, or an earlier one could not be delivered.
    pub fn send(&mut self, topic: &Topic, key: &[u8], headers: &[(&str, &[u8])], value: &[u8]) -> anyhow::Result<()> {
        let partition = chorus_model::partition::partition_for(key, topic.partitions);
        self.send_to(topic, partition, Some(key), headers, value)
    }

    /// As [`Feeder::send`], to a partition of its own.
    ///
    /// # Errors
    /// When the record is too large, or an earlier one could not be delivered.
    pub fn send_to(
        &mut self,
        topic: &Topic,
        partition: i32,
        key: Option<&[u8]>,
        headers: &[(&str, &[u8])],
        value: &[u8],
    ) -> anyhow::Result<()> {
        self.sender.send(&topic.name, partition, key, headers, Some(value), Token::NONE)?;
        self.acknowledged.clear();
        self.sender.acknowledged(&mut self.acknowledged)
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// A failed delivery, or no acknowledgement within `deadline`.
    pub fn flush(&mut self, deadline: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.sender.in_flight() > 0 {
            anyhow::ensure!(start.elapsed() < deadline, "{} records were not acknowledged", self.sender.in_flight());
            self.acknowledged.clear();
            self.sender.acknowledged(&mut self.acknowledged)?;
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }
}
