//! The bare loops: what the same records cost without Chorus. Each is the plainest program that does the job.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chorus_tests::child::cpu_time;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde::de::IgnoredAny;

/// Offsets by partition.
pub(crate) type Offsets = BTreeMap<i32, i64>;

/// How long a loop may take before the benchmark gives up.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A record in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plain {
    /// By the key when none is given.
    pub(crate) partition: Option<i32>,
    /// The key; empty for none.
    pub(crate) key: Vec<u8>,
    /// The headers.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The value.
    pub(crate) value: Vec<u8>,
}

impl Plain {
    /// A copy of a record of the log.
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Plain {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
        });
        Plain {
            partition: Some(message.partition()),
            key: message.key().unwrap_or_default().to_vec(),
            headers: headers.unwrap_or_default(),
            value: message.payload().unwrap_or_default().to_vec(),
        }
    }
}

/// The processor time of this process so far.
pub(crate) fn own_cpu() -> Result<Duration> {
    cpu_time(std::process::id())
}

/// A consumer with the settings of Chorus's own that bear on throughput, and no group.
pub(crate) fn consumer(bootstrap: &str) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "bare").set("enable.auto.commit", "false");
    config.set("auto.offset.reset", "error").set("fetch.queue.backoff.ms", "5").set("queued.min.messages", "20000");
    config
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.wait.max.ms", "20")
        .set("socket.nagle.disable", "true");
    Ok(config.create()?)
}

/// A producer with the settings of Chorus's own: idempotent, which means acknowledged by all.
pub(crate) fn producer(bootstrap: &str) -> Result<BaseProducer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("enable.idempotence", "true").set("linger.ms", "2");
    config.set("compression.type", "lz4").set("socket.nagle.disable", "true");
    config.set("queue.buffering.max.messages", "200000").set("queue.buffering.max.kbytes", "524288");
    Ok(config.create()?)
}

/// Reads a topic from some offsets up to others, showing each record to `each`. Returns how many there were and what the
/// reading cost, the making of the client left out.
pub(crate) fn consume(
    bootstrap: &str,
    topic: &str,
    from: &Offsets,
    to: &Offsets,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<(usize, Duration)> {
    let consumer = consumer(bootstrap)?;
    consumer.fetch_metadata(Some(topic), Duration::from_secs(10))?;
    let mut list = TopicPartitionList::new();
    let mut open = 0;
    for (partition, end) in to {
        let start = from.get(partition).copied().unwrap_or(0);
        if start < *end {
            list.add_partition_offset(topic, *partition, Offset::Offset(start))?;
            open += 1;
        }
    }
    let (begun, before) = (Instant::now(), own_cpu()?);
    consumer.assign(&list)?;
    let mut count = 0;
    while open > 0 {
        ensure!(begun.elapsed() < TOO_LONG, "{topic} was not read in {TOO_LONG:?}");
        let Some(message) = consumer.poll(Duration::from_millis(20)) else { continue };
        let message = message?;
        let end = to.get(&message.partition()).copied().unwrap_or(0);
        if message.offset() < end {
            each(&message);
            count += 1;
        }
        if message.offset() + 1 == end {
            open -= 1;
        }
    }
    Ok((count, own_cpu()? - before))
}

/// Reads every value to nothing: JSON and XML with the libraries that Chorus uses, other texts as UTF-8. Returns the cost.
pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Duration> {
    let before = own_cpu()?;
    for value in values {
        match value.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => {
                std::hint::black_box(serde_json::from_slice::<IgnoredAny>(value).ok());
            }
            Some(b'<') => skim_xml(value),
            _ => {
                std::hint::black_box(std::str::from_utf8(value).is_ok());
            }
        }
    }
    Ok(own_cpu()? - before)
}

fn skim_xml(value: &[u8]) {
    let mut reader = quick_xml::Reader::from_reader(value);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) | Err(_) => return,
            Ok(event) => {
                std::hint::black_box(&event);
            }
        }
    }
}

/// Writes records in their order and waits until all are acknowledged. Returns the cost, the making of the client left out.
pub(crate) fn produce(bootstrap: &str, topic: &str, records: &[Plain]) -> Result<Duration> {
    let producer = producer(bootstrap)?;
    producer.client().fetch_metadata(Some(topic), Duration::from_secs(10))?;
    let before = own_cpu()?;
    for record in records {
        send(&producer, topic, record)?;
    }
    drain(&producer)?;
    Ok(own_cpu()? - before)
}

/// Hands one record over, waiting while the queue is full.
pub(crate) fn send(producer: &BaseProducer, topic: &str, record: &Plain) -> Result<()> {
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for (key, value) in &record.headers {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    let mut message: BaseRecord<'_, [u8], [u8]> =
        BaseRecord::to(topic).payload(record.value.as_slice()).headers(headers);
    message.partition = record.partition;
    message.key = Some(record.key.as_slice()).filter(|key| !key.is_empty());
    while let Err((error, refused)) = producer.send(message) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            return Err(error).with_context(|| format!("cannot send to {topic}"));
        }
        message = refused;
        producer.poll(Duration::ZERO);
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Waits until everything is acknowledged.
pub(crate) fn drain(producer: &BaseProducer) -> Result<()> {
    let begun = Instant::now();
    while producer.in_flight_count() > 0 {
        ensure!(begun.elapsed() < TOO_LONG, "not acknowledged in {TOO_LONG:?}");
        producer.poll(Duration::ZERO);
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
