//! The one producer of a worker: idempotent, without gaps, acknowledgements out of band.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::{ClientContext, Message};

use crate::config::Kafka;
use crate::ffi::{self, HeaderList, Target};
use crate::health::Health;
use crate::lane::{Lane, Outgoing};
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
    landed: Vec<Landed>,
    failed: Option<String>,
}

/// How many records of one partition were acknowledged.
#[derive(Debug)]
struct Landed {
    topic: String,
    partition: i32,
    count: usize,
}

impl Done {
    /// Acknowledgements come by the request, all of one partition after the other.
    fn land(&mut self, message: &BorrowedMessage<'_>) {
        let (topic, partition) = (message.topic(), message.partition());
        match self.landed.last_mut() {
            Some(last) if last.partition == partition && last.topic == topic => last.count += 1,
            _ => self.landed.push(Landed { topic: topic.to_owned(), partition, count: 1 }),
        }
    }
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
            Ok(message) => {
                done.tokens.push(Token(token));
                done.land(message);
            }
            Err((error, _)) => {
                done.failed.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Sends records and learns of their acknowledgement.
pub(crate) struct Sender {
    /// Before the producer, which must go last.
    routes: RefCell<Vec<Route>>,
    producer: BaseProducer<Deliveries>,
    linger: Duration,
    /// Larger records are not held, so that a refusal is told at once.
    most_held: usize,
}

/// A topic that is written to.
struct Route {
    topic: String,
    target: Target,
    lanes: Vec<Lane>,
}

impl Route {
    fn lane(&mut self, partition: i32) -> Option<(&Target, &mut Lane)> {
        let index = usize::try_from(partition).ok()?;
        if index >= self.lanes.len() {
            self.lanes.resize_with(index + 1, Lane::default);
        }
        self.lanes.get_mut(index).map(|lane| (&self.target, lane))
    }
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
        let mut config = ClientConfig::new();
        kafka.apply(&mut config);
        config
            .set("client.id", client_id)
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("message.timeout.ms", "0")
            .set("linger.ms", kafka.linger.as_micros().div_euclid(1_000).max(0).to_string())
            .set("compression.type", &kafka.compression)
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "524288");
        kafka.apply_overrides(&mut config);
        let context = Deliveries { done: Mutex::default(), health };
        let most: usize = config.get("message.max.bytes").and_then(|most| most.parse().ok()).unwrap_or(1_000_000);
        let linger: f64 = config.get("linger.ms").and_then(|millis| millis.parse().ok()).unwrap_or(0.0);
        Ok(Self {
            routes: RefCell::default(),
            producer: config.create_with_context(context)?,
            linger: Duration::try_from_secs_f64(linger / 1_000.0).unwrap_or_default(),
            most_held: (most / 2).min(64 * 1024),
        })
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
        let size = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        let named: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let record = Outgoing { token, headers: HeaderList::new(headers), key, value };
        let mut routes = self.routes.borrow_mut();
        let route = self.route(&mut routes, topic)?;
        let Some((target, lane)) = route.lane(partition) else {
            return Err(EmitError::Failed(format!("{topic} has no partition {partition}")));
        };
        let is_small = size + named <= self.most_held;
        if is_small && lane.is_busy(self.linger) && !lane.is_full() {
            lane.hold(record);
            return Ok(());
        }
        lane.release(|held| self.hand_over((target, partition), held))?;
        self.hand_over((target, partition), record)?;
        lane.handed_over();
        Ok(())
    }

    fn route<'r>(&self, routes: &'r mut Vec<Route>, topic: &str) -> Result<&'r mut Route, EmitError> {
        let known = routes.iter().position(|route| route.topic == topic);
        let index = known.unwrap_or(routes.len());
        if known.is_none() {
            let target = Target::new(&self.producer, topic).map_err(|error| EmitError::Failed(error.to_string()))?;
            routes.push(Route { topic: topic.to_owned(), target, lanes: Vec::new() });
        }
        routes.get_mut(index).ok_or_else(|| EmitError::Failed(topic.to_owned()))
    }

    fn hand_over(&self, to: (&Target, i32), record: Outgoing<'_>) -> Result<(), EmitError> {
        let Outgoing { token, headers, key, value } = record;
        ffi::produce(&self.producer, to, key, headers, value, token.0).map_err(|code| match code {
            RDKafkaErrorCode::MessageSizeTooLarge => EmitError::TooLarge,
            _ => EmitError::Failed(KafkaError::MessageProduction(code).to_string()),
        })
    }

    /// Takes in what was acknowledged, and hands over what waited for it.
    fn release(&self, landed: &[Landed]) -> Result<(), EmitError> {
        let mut routes = self.routes.borrow_mut();
        for Landed { topic, partition, count } in landed {
            let route = routes.iter_mut().find(|route| route.topic == *topic);
            let Some((target, lane)) = route.and_then(|route| route.lane(*partition)) else { continue };
            lane.landed(*count);
            if lane.is_due() {
                lane.release(|held| self.hand_over((target, *partition), held))?;
            }
        }
        Ok(())
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
        if let Some(error) = done.failed {
            return Err(anyhow::anyhow!("a record could not be delivered: {error}"));
        }
        Ok(self.release(&done.landed)?)
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Done> {
        self.producer.context().done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records sent and not yet acknowledged, those that are held among them.
    pub(crate) fn in_flight(&self) -> usize {
        let held: usize = self.routes.borrow().iter().flat_map(|route| &route.lanes).map(Lane::held).sum();
        held + usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }
}
