//! Writing and reading records: small, acknowledged, complete; not fast.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use crate::topics::{ASK, client_config, watermarks};
use crate::wait::PAUSE;

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// The partition.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The headers in order. A header without a value has an empty one.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value; none in a tombstone.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since 1970, as the log has it.
    pub timestamp: Option<i64>,
}

impl OwnedRecord {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_slice())
    }

    /// The value as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        let value = self.value.as_deref().context("a tombstone is no JSON")?;
        serde_json::from_slice(value).with_context(|| format!("record {}/{} is no JSON", self.partition, self.offset))
    }
}

/// A record to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// The partition; by the key when none is given.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value; none writes a tombstone.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since 1970; now when none is given.
    pub timestamp: Option<i64>,
}

type Acknowledgement = (usize, Result<(i32, i64), KafkaError>);

/// Sends each delivery report back to the call that waits for it.
struct Reports;

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<(usize, mpsc::Sender<Acknowledgement>)>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Self::DeliveryOpaque) {
        let (index, caller) = *waiting;
        let place = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // A caller that gave up has reported its own error.
        drop(caller.send((index, place)));
    }
}

/// Writes and reads records of one cluster.
#[expect(missing_debug_implementations, reason = "rdkafka's clients have none")]
pub struct Client {
    bootstrap: String,
    producer: BaseProducer<Reports>,
}

impl Client {
    /// Connects lazily: a broker that is down shows at the first call.
    pub fn new(bootstrap: &str) -> Result<Client> {
        Client::connect(bootstrap, None)
    }

    /// One whose records must all be written by [`Client::in_transaction`].
    pub fn transactional(bootstrap: &str, id: &str) -> Result<Client> {
        let client = Client::connect(bootstrap, Some(id))?;
        client.producer.init_transactions(ASK)?;
        Ok(client)
    }

    fn connect(bootstrap: &str, transactions: Option<&str>) -> Result<Client> {
        let mut config = client_config(bootstrap);
        config.set("enable.idempotence", "true").set("linger.ms", "1").set("message.timeout.ms", "30000");
        if let Some(id) = transactions {
            config.set("transactional.id", id);
        }
        Ok(Client { bootstrap: bootstrap.to_owned(), producer: config.create_with_context(Reports)? })
    }

    /// Writes in one transaction: behind its records each partition has a mark, which is no record.
    pub fn in_transaction(&self, write: impl FnOnce(&Client) -> Result<()>) -> Result<()> {
        self.producer.begin_transaction()?;
        write(self)?;
        Ok(self.producer.commit_transaction(ASK)?)
    }

    /// Writes one record, idempotently, and waits for its acknowledgement: its partition and offset.
    pub fn produce(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        headers: &[(&str, &[u8])],
        payload: &[u8],
    ) -> Result<(i32, i64)> {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_vec())).collect();
        let key = key.map(<[u8]>::to_vec);
        let record = NewRecord { partition, key, headers, value: Some(payload.to_vec()), timestamp: None };
        let places = self.produce_all(topic, std::slice::from_ref(&record))?;
        places.first().copied().context("one record has one place")
    }

    /// Writes many records in order and waits for all acknowledgements: partition and offset of each.
    pub fn produce_all(&self, topic: &str, records: &[NewRecord]) -> Result<Vec<(i32, i64)>> {
        let (caller, reports) = mpsc::channel();
        for (index, record) in records.iter().enumerate() {
            self.enqueue(topic, record, index, &caller)?;
        }
        let mut places = vec![None; records.len()];
        let mut missing = records.len();
        while missing > 0 {
            self.producer.poll(Duration::ZERO);
            for (index, result) in reports.try_iter() {
                let place = result.with_context(|| format!("record {index} for {topic} was not acknowledged"))?;
                places[index] = Some(place);
                missing -= 1;
            }
            // Bounded by `message.timeout.ms`: each record gets a report. A longer `poll` would wait its full time.
            thread::sleep(Duration::from_micros(200));
        }
        Ok(places.into_iter().flatten().collect())
    }

    fn enqueue(
        &self,
        topic: &str,
        record: &NewRecord,
        index: usize,
        caller: &mpsc::Sender<Acknowledgement>,
    ) -> Result<()> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut message: BaseRecord<'_, [u8], [u8], _> =
            BaseRecord::with_opaque_to(topic, Box::new((index, caller.clone()))).headers(headers);
        message.partition = record.partition;
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        message.timestamp = record.timestamp;
        while let Err((error, refused)) = self.producer.send(message) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error).with_context(|| format!("cannot send to {topic}"));
            }
            message = refused;
            self.producer.poll(Duration::ZERO);
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Every record from the beginning up to the end at the time of the call, by partition and offset.
    pub fn read_all(&self, topic: &str) -> Result<Vec<OwnedRecord>> {
        self.read_until(topic, ASK * 3)
    }

    fn read_until(&self, topic: &str, timeout: Duration) -> Result<Vec<OwnedRecord>> {
        let consumer = self.consumer()?;
        let ends = watermarks(&consumer, topic)?;
        // What the end says is there may be gone by compaction, so a partition is also over when the broker says so.
        let mut open: std::collections::BTreeMap<i32, i64> = ends
            .iter()
            .filter(|(_, (first, end))| first < end)
            .map(|(&partition, &(_, end))| (partition, end))
            .collect();
        assign(&consumer, topic, open.keys().copied())?;
        let mut records = Vec::new();
        let started = Instant::now();
        while !open.is_empty() {
            if started.elapsed() >= timeout {
                bail!("read {} records of {topic} in {timeout:?}; not at the end: {open:?}", records.len());
            }
            match consumer.poll(PAUSE) {
                Some(Ok(message)) => {
                    let Some(&end) = open.get(&message.partition()) else { continue };
                    if message.offset() < end {
                        records.push(owned(&message));
                    }
                    if message.offset() + 1 >= end {
                        open.remove(&message.partition());
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    open.remove(&partition);
                }
                Some(Err(error)) if !is_passing(&error) => return Err(error).context(format!("reading {topic}")),
                Some(Err(_)) | None => {}
            }
        }
        Ok(sorted(records))
    }

    /// Reads a topic from the beginning until `enough` holds of all records read so far, at most for `timeout`.
    ///
    /// `enough` sees the records of a partition in order, the partitions mixed; the result is sorted.
    pub fn await_records(
        &self,
        topic: &str,
        timeout: Duration,
        mut enough: impl FnMut(&[OwnedRecord]) -> bool,
    ) -> Result<Vec<OwnedRecord>> {
        let started = Instant::now();
        let consumer = self.consumer()?;
        assign(&consumer, topic, watermarks(&consumer, topic)?.into_keys())?;
        let mut records = Vec::new();
        loop {
            // Wait for one, then take what is there: `enough` may look at everything each time it is asked.
            let mut pause = PAUSE;
            while let Some(message) = consumer.poll(pause) {
                match message {
                    Ok(message) => records.push(owned(&message)),
                    Err(error) if is_passing(&error) => {}
                    Err(error) => return Err(error).context(format!("reading {topic}")),
                }
                pause = Duration::ZERO;
                if started.elapsed() >= timeout {
                    break;
                }
            }
            if enough(&records) {
                return Ok(sorted(records));
            }
            if started.elapsed() >= timeout {
                bail!("waited {timeout:?} for records of {topic}: {} came, and they are not enough", records.len());
            }
        }
    }

    /// Waits until a topic holds `count` records, at most for `timeout`.
    pub fn await_count(&self, topic: &str, count: usize, timeout: Duration) -> Result<Vec<OwnedRecord>> {
        self.await_records(topic, timeout, |records| records.len() >= count)
            .with_context(|| format!("{count} records were awaited"))
    }

    fn consumer(&self) -> Result<BaseConsumer> {
        let mut config = client_config(&self.bootstrap);
        // Partitions are assigned by hand and nothing is committed; librdkafka wants a group's name all the same.
        config.set("group.id", "chorus-tests").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "earliest").set("fetch.queue.backoff.ms", "10");
        Ok(config.create()?)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Calls wait for their reports; what is left belongs to a call that failed, and would hold librdkafka's end up.
        self.producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
    }
}

fn assign(consumer: &BaseConsumer, topic: &str, partitions: impl Iterator<Item = i32>) -> Result<()> {
    let mut assignment = TopicPartitionList::new();
    for partition in partitions {
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    Ok(consumer.assign(&assignment)?)
}

/// Errors that librdkafka reports and then overcomes by itself: a broker that is down or not yet back.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error, KafkaError::PartitionEOF(_))
        || matches!(
            error.rdkafka_error_code(),
            Some(Code::AllBrokersDown | Code::BrokerTransportFailure | Code::OperationTimedOut | Code::Resolve)
        )
}

fn owned(message: &BorrowedMessage<'_>) -> OwnedRecord {
    let headers = message.headers().map(|headers| {
        let pairs = headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()));
        pairs.collect()
    });
    OwnedRecord {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
        value: message.payload().map(<[u8]>::to_vec),
        timestamp: message.timestamp().to_millis(),
    }
}

fn sorted(mut records: Vec<OwnedRecord>) -> Vec<OwnedRecord> {
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}
