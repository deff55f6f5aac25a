//! The one producer of a worker: idempotent, without gaps, acknowledgements out of band.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::config::Kafka;
use crate::ffi::{self, HeaderList, Target};
use crate::health::Health;
use crate::task::EmitError;

/// Names the record that an output was made from: the slot of its partition and its number in the slot's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(usize);

impl Token {
    /// For what belongs to no input record (frontiers, snapshots): its loss is as fatal, its success moves nothing.
    pub(crate) const NONE: Self = Self(usize::MAX);

    /// 16 bits of slot, 48 bits of number: a number wraps after 280 thousand billion records of one assignment.
    pub(crate) fn new(slot: u16, number: u64) -> Self {
        Self((usize::from(slot) << 48) | (usize::try_from(number).unwrap_or(0) & 0xffff_ffff_ffff))
    }

    pub(crate) fn parts(self) -> Option<(u16, u64)> {
        if self == Self::NONE {
            return None;
        }
        Some((u16::try_from(self.0 >> 48).unwrap_or(0), (self.0 & 0xffff_ffff_ffff) as u64))
    }
}

/// Collects acknowledgements. The lock is never contended: librdkafka calls `delivery` from inside our own `poll`.
#[derive(Debug, Default)]
struct Deliveries {
    done: Mutex<Done>,
    health: Option<Health>,
}

#[derive(Debug, Default)]
struct Done {
    tokens: Vec<Token>,
    failed: Option<String>,
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(health) = &self.health {
            health.broker_error(&error, reason);
        }
    }

    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, fac: &str, message: &str) {
        crate::log::librdkafka(level, fac, message);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, token: usize) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => done.tokens.push(Token(token)),
            Err((error, _)) => {
                done.failed.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Sends records and learns of their acknowledgement.
pub(crate) struct Sender {
    /// The topics that are written to, looked up once. Before the producer, which must go last.
    targets: RefCell<Vec<(String, Target)>>,
    producer: BaseProducer<Deliveries>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

impl Sender {
    /// Connects. The settings are what law 3 needs: idempotent, gapless, and never giving up on a record by time, since a
    /// record that was given up would be a gap.
    pub(crate) fn new(kafka: &Kafka, client_id: &str, health: Option<Health>) -> anyhow::Result<Self> {
        let config = kafka.client(|config| {
            config
                .set("client.id", client_id)
                .set("enable.idempotence", "true")
                .set("enable.gapless.guarantee", "true")
                .set("message.timeout.ms", "0")
                .set("linger.ms", kafka.linger.as_micros().div_euclid(1_000).max(0).to_string())
                .set("compression.type", &kafka.compression)
                .set("queue.buffering.max.messages", "0") // no bound but bytes: what one mark tips may be a city's worth
                .set("queue.buffering.max.kbytes", "524288");
        });
        let context = Deliveries { done: Mutex::default(), health };
        Ok(Self { targets: RefCell::default(), producer: config.create_with_context(context)? })
    }

    pub(crate) fn send(
        &self,
        topic: &str,
        partition: i32,
        key: Option<&[u8]>,
        headers: &[(&str, &[u8])],
        value: Option<&[u8]>,
        token: Token,
    ) -> Result<(), EmitError> {
        let failed = |error: KafkaError| EmitError::Failed(error.to_string());
        let mut targets = self.targets.borrow_mut();
        let index = match targets.iter().position(|(known, _)| known == topic) {
            Some(index) => index,
            None => {
                targets.push((topic.to_owned(), Target::new(&self.producer, topic).map_err(failed)?));
                targets.len() - 1
            }
        };
        let Some((_, target)) = targets.get(index) else { return Err(EmitError::Failed(topic.to_owned())) };
        let to = (target, partition);
        ffi::produce(&self.producer, to, key, HeaderList::new(headers), value, token.0).map_err(|code| match code {
            RDKafkaErrorCode::MessageSizeTooLarge => EmitError::TooLarge,
            _ => failed(KafkaError::MessageProduction(code)),
        })
    }

    /// Serves acknowledgements. Never waits: `poll(t)` would not return before t.
    ///
    /// # Errors
    /// A failed delivery is fatal: the worker must end and start again from the committed offset.
    pub(crate) fn acknowledged(&self, into: &mut Vec<Token>) -> anyhow::Result<()> {
        let mut known = 0;
        loop {
            // One poll serves the acknowledgement of one request, and there are as many as partitions.
            self.producer.poll(Duration::ZERO);
            let now = self.done().tokens.len();
            if now == known {
                break;
            }
            known = now;
        }
        let done = std::mem::take(&mut *self.done());
        into.extend(done.tokens);
        match done.failed {
            Some(error) => Err(anyhow::anyhow!("a record could not be delivered: {error}")),
            None => Ok(()),
        }
    }

    /// True when a broker answers within `patience`.
    pub(crate) fn answers(&self, patience: Duration) -> bool {
        self.producer.client().fetch_metadata(None, patience).is_ok()
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Done> {
        self.producer.context().done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records sent and not yet acknowledged.
    pub(crate) fn in_flight(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }
}
