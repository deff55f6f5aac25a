//! A stretch of a topic in the order of time, for tools that look back: no group, nothing committed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::Timestamp;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer, DefaultConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::tools::{Owned, own};
use crate::topics::Topic;

/// One question to the broker.
const ASK: Duration = Duration::from_secs(10);
/// How long a partition may say nothing.
const PATIENCE: Duration = Duration::from_secs(15);

/// The records of a topic between two instants of the broker's time: those of a partition in the order of their offsets, partitions
/// merged by the broker's timestamp.
pub struct Range {
    topic: Topic,
    consumer: Arc<BaseConsumer>,
    parts: Vec<Part>,
}

impl std::fmt::Debug for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Range").field("topic", &self.topic).finish_non_exhaustive()
    }
}

struct Part {
    number: i32,
    queue: PartitionQueue<DefaultConsumerContext>,
    /// The offset behind the last that is wanted.
    end: i64,
    /// What came before the partition had a queue of its own.
    early: VecDeque<Owned>,
    next: Option<Owned>,
    is_over: bool,
}

impl Range {
    /// From the first record at or after `from` to the last before `to`, or the last that there is now. `group` as for
    /// [`crate::tools::read_to_end`].
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn open(
        kafka: &Kafka,
        group: &str,
        topic: &Topic,
        from: Timestamp,
        to: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let consumer: Arc<BaseConsumer> = Arc::new(kafka.reader(group).create()?);
        let begins = offsets_at(&consumer, topic, from)?;
        let ends = to.map(|to| offsets_at(&consumer, topic, to)).transpose()?;
        let mut list = TopicPartitionList::new();
        let mut ranges = Vec::new();
        for (number, begin) in (0..topic.partitions).zip(begins) {
            let (low, high) = consumer.fetch_watermarks(&topic.name, number, ASK)?;
            let until = ends.as_ref().and_then(|ends| *ends.get(usize::try_from(number).ok()?)?);
            let (begin, end) = (begin.unwrap_or(high).max(low), until.unwrap_or(high).min(high));
            list.add_partition_offset(&topic.name, number, Offset::Offset(begin))?;
            ranges.push((number, begin, end));
        }
        consumer.assign(&list)?; // before the queues: it would undo them
        let mut parts = Vec::new();
        for (number, begin, end) in ranges {
            let queue = consumer.split_partition_queue(&topic.name, number);
            let queue = queue.ok_or_else(|| anyhow::anyhow!("{}/{number} has no queue", topic.name))?;
            let is_over = begin >= end;
            parts.push(Part { number, queue, end, early: VecDeque::new(), next: None, is_over });
        }
        Ok(Self { topic: topic.clone(), consumer, parts })
    }

    /// The next record; `None` behind the last.
    ///
    /// # Errors
    /// When the broker does not answer for 15 seconds, or a record is gone.
    pub fn next_record(&mut self) -> anyhow::Result<Option<Owned>> {
        self.drain_common()?;
        for part in &mut self.parts {
            part.fill(&self.topic)?;
        }
        let time = |part: &&mut Part| part.next.as_ref().map(|record| (record.timestamp_ms, record.partition));
        let earliest = self.parts.iter_mut().filter(|part| part.next.is_some()).min_by_key(time);
        Ok(earliest.and_then(|part| part.next.take()))
    }

    /// Takes what came by the queue of the client as a whole: records from before there were others, and its errors.
    fn drain_common(&mut self) -> anyhow::Result<()> {
        while let Some(polled) = self.consumer.poll(Duration::ZERO) {
            match polled {
                Ok(message) => {
                    let record = own(&message);
                    let part = self.parts.iter_mut().find(|part| part.number == record.partition);
                    part.into_iter().for_each(|part| part.early.push_back(record.clone()));
                }
                // An empty stretch is over already; another's records come first.
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Part {
    /// Waits for the partition's next record, unless there is none.
    fn fill(&mut self, topic: &Topic) -> anyhow::Result<()> {
        let asked = Instant::now();
        while self.next.is_none() && !self.is_over {
            let record = match self.early.pop_front() {
                Some(record) => record,
                None => match self.queue.poll(Duration::from_millis(50)) {
                    Some(Ok(message)) => own(&message),
                    // The end lay behind records that are not to be seen, such as marks of transactions.
                    Some(Err(KafkaError::PartitionEOF(_))) => {
                        self.is_over = true;
                        return Ok(());
                    }
                    Some(Err(error)) => return Err(error.into()),
                    None => {
                        anyhow::ensure!(asked.elapsed() < PATIENCE, "{}/{} does not answer", topic.name, self.number);
                        continue;
                    }
                },
            };
            self.is_over = record.offset + 1 >= self.end;
            self.next = Some(record).filter(|record| record.offset < self.end);
        }
        Ok(())
    }
}

/// The first offset of each partition whose record is at or after the instant; `None` where there is none.
fn offsets_at(consumer: &BaseConsumer, topic: &Topic, at: Timestamp) -> anyhow::Result<Vec<Option<i64>>> {
    let mut asked = TopicPartitionList::new();
    for partition in 0..topic.partitions {
        asked.add_partition_offset(&topic.name, partition, Offset::Offset(at.as_millis().max(0)))?;
    }
    let answer = consumer.offsets_for_times(asked, ASK)?;
    let mut found = vec![None; usize::try_from(topic.partitions).unwrap_or(0)];
    for element in answer.elements() {
        element.error()?;
        let place = usize::try_from(element.partition()).ok().and_then(|index| found.get_mut(index));
        if let (Some(place), Offset::Offset(offset)) = (place, element.offset()) {
            *place = Some(offset);
        }
    }
    Ok(found)
}
