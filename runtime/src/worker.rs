//! A worker: one thread with one consumer, one idempotent producer and the state of the partitions that it was given.
//!
//! It reads a record, runs the task, produces, and goes on; acknowledgements come back out of band and move the offset that
//! may be committed. Invariants: records of a partition are processed in order; an offset is committed only when everything
//! before it is acknowledged; partitions are handed back only after what is in flight is acknowledged and committed; a failed
//! delivery ends the worker, which starts again from the committed offset.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::Timestamp;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::Fate;
use crate::clock::now;
use crate::config::{Assignment, Kafka};
use crate::consumer::{self, Source};
use crate::control::{Control, Fenced};
use crate::dispatch::Dispatcher;
use crate::health::Health;
use crate::marks::{self, Marks};
use crate::metrics::{Holding, Metrics};
use crate::producer::{Sender, Token};
use crate::slot::Slot;
use crate::snapshot::{self, Snapshots};
use crate::take::{acknowledge, count, take};
use crate::task::{Size, Task};
use crate::topics::Topic;
use crate::watermark::Watermarks;

mod assign;

/// Whether the records of the input carry origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// From outside: they carry none.
    Raw,
    /// Written by Chorus: repeats are recognised by their origin, frontiers move time.
    Derived,
}

/// What a role is, beside its task.
#[derive(Clone, Debug)]
pub struct Role {
    /// The label `role`, and the name in snapshots.
    pub name: &'static str,
    /// The consumer group.
    pub group: String,
    /// The input topic with its number of partitions.
    pub from: Topic,
    /// Whether its records carry origins.
    pub input: Input,
    /// What it does about frontiers.
    pub marks: Marks,
    /// Where its state is kept; without it the origin filter rides in the commit's metadata.
    pub snapshots: Option<Snapshots>,
    /// The most deliveries under way at once, for roles that deliver.
    pub deliveries: usize,
    /// How many workers of the role this process has.
    pub workers: usize,
}

/// Records taken between two looks at the producer and the clock.
const BATCH: usize = 500;
/// More records than this in flight stop the reading.
const MOST_IN_FLIGHT: usize = 100_000;
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// A turn that takes longer is counted: the worker did not look at the group, the broker and the clock meanwhile.
const SLOW: Duration = Duration::from_secs(5);
/// The broker must have answered within this for the worker to be ready.
const FRESH: Duration = Duration::from_secs(10);

/// One worker of one role.
pub struct Worker<T, F> {
    role: Role,
    kafka: Kafka,
    open: F,
    source: Source,
    sender: Sender,
    watermarks: Watermarks,
    writer: marks::Writer,
    dispatcher: Option<Dispatcher>,
    slots: Vec<Slot<T>>,
    holding: Holding,
    next_slot: u16,
    assigned: bool,
    paused: bool,
    tokens: Vec<Token>,
    counts: Vec<(Fate, u64)>,
    committed_at: Instant,
    metrics: Arc<Metrics>,
    health: Health,
    control: Control,
}

impl<T, F> std::fmt::Debug for Worker<T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("role", &self.role.name)
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// What every worker of a process shares.
#[derive(Clone, Debug)]
pub struct Shared {
    /// How to reach Kafka.
    pub kafka: Kafka,
    /// The metrics of the process.
    pub metrics: Arc<Metrics>,
    /// The flag that ends it.
    pub control: Control,
    /// Where deliveries run.
    pub runtime: tokio::runtime::Handle,
}

impl<T: Task, F: FnMut(&str, i32) -> T> Worker<T, F> {
    /// Connects worker `number` of a role. `open` makes the task of an input partition.
    ///
    /// # Errors
    /// When the clients cannot be made from the settings; an absent broker is no error.
    pub fn new(role: Role, number: usize, shared: &Shared, health: Health, open: F) -> anyhow::Result<Self> {
        let mut kafka = shared.kafka.clone();
        kafka.assignment = kafka.assignment.of_worker(number, role.workers);
        let member = match &kafka.assignment {
            Assignment::Group => Some(format!("{}-{}-{number}", host_name(), role.group)),
            Assignment::Member { member } => Some(format!("{member}-{}-{number}", role.group)),
            Assignment::Ordinal { .. } => None,
        };
        let source = consumer::connect(&kafka, &role.group, member.as_deref(), health.clone())?;
        let client_id = member.unwrap_or_else(|| format!("{}-{number}", role.group));
        let sender = Sender::new(&kafka, &client_id, Some(health.clone()))?;
        let watermarks = Watermarks::new(&source);
        let dispatcher = (role.deliveries > 0).then(|| Dispatcher::new(shared.runtime.clone()));
        if role.snapshots.is_some() {
            shared.metrics.snapshots.with_label_values(&[role.name]); // exists at 0 before the first is written
            shared.metrics.snapshot_bytes.with_label_values(&[role.name]);
        }
        let holding = Holding::new(&shared.metrics, role.name, &role.from.name, role.snapshots.is_some());
        Ok(Self {
            role,
            kafka,
            open,
            source,
            sender,
            watermarks,
            writer: marks::Writer::default(),
            dispatcher,
            slots: Vec::new(),
            holding,
            next_slot: 0,
            assigned: false,
            paused: false,
            tokens: Vec::new(),
            counts: Vec::new(),
            committed_at: Instant::now(),
            metrics: Arc::clone(&shared.metrics),
            health,
            control: shared.control.clone(),
        })
    }

    /// Works until the end is asked for; then drains, commits and returns.
    ///
    /// # Errors
    /// A failed delivery, offsets that are gone, a fatal error of the client. What was committed stands; start again.
    pub fn run(mut self) -> anyhow::Result<()> {
        let result = self.work();
        consumer::let_go(&self.source);
        self.flush_counts();
        self.health.end();
        result
    }

    fn work(&mut self) -> anyhow::Result<()> {
        match self.kafka.assignment {
            Assignment::Ordinal { ordinal, of } => {
                let mine = (0..self.role.from.partitions).filter(|partition| partition % of == ordinal);
                let partitions: Vec<_> = mine.map(|partition| (Arc::clone(&self.role.from.name), partition)).collect();
                self.take_over(&partitions)?;
            }
            Assignment::Group | Assignment::Member { .. } => self.source.subscribe(&[&self.role.from.name])?,
        }
        while !self.control.stopping() {
            let begun = Instant::now();
            self.health.beat();
            self.read_batch()?;
            self.after_batch()?;
            if begun.elapsed() > SLOW {
                self.metrics.stalls.with_label_values(&[self.role.name]).inc();
            }
        }
        let all: Vec<_> = self.slots.iter().map(|slot| (Arc::clone(&slot.topic), slot.partition)).collect();
        self.hand_back(&all)
    }

    fn read_batch(&mut self) -> anyhow::Result<()> {
        // With nothing in flight the first poll may wait: a record ends the wait at once.
        let busy = self.sender.in_flight() > 0 || self.dispatcher.as_ref().is_some_and(|d| d.outstanding() > 0);
        let mut wait = Duration::from_millis(if busy { 2 } else { 20 });
        for _ in 0..BATCH {
            let message = match self.source.poll(wait) {
                None => break,
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    check_poll_error(&error)?;
                    break;
                }
            };
            take(
                &message,
                &mut self.slots,
                &self.role,
                &self.sender,
                self.dispatcher.as_mut(),
                &mut self.counts,
                &self.metrics,
            )?;
            wait = Duration::ZERO;
            if self.sender.in_flight() > MOST_IN_FLIGHT {
                break; // what one mark tips may be many thousand anomalies
            }
        }
        Ok(())
    }

    fn after_batch(&mut self) -> anyhow::Result<()> {
        self.absorb()?;
        self.throttle()?;
        while let Some(happening) = self.source.context().next() {
            self.happened(happening)?;
        }
        let now = now();
        let mine = self.slots.iter().map(|slot| (&*slot.topic, slot.partition));
        // A worker without partitions asks all the same: whether the broker answers decides about its readiness.
        let any = self.slots.is_empty().then_some((&*self.role.from.name, 0));
        if self.watermarks.turn(&self.source, mine.chain(any), now) {
            self.health.broker_answered();
            self.pass_over();
            self.measure_lag(now);
        }
        self.health.set_ready(self.assigned && self.watermarks.fresh(FRESH));
        self.writer.turn(&mut self.slots, &self.role.marks, &self.watermarks, &self.sender, &self.metrics, now)?;
        if self.committed_at.elapsed() >= COMMIT_EVERY {
            self.committed_at = Instant::now();
            self.commit(CommitMode::Async)?;
        }
        self.take_snapshots()?;
        self.flush_counts();
        Ok(())
    }

    fn take_snapshots(&mut self) -> anyhow::Result<()> {
        let Some(settings) = &self.role.snapshots else { return Ok(()) };
        let mut is_written = false;
        let mut held: usize = self.slots.iter().map(|slot| slot.snapshot.held()).sum();
        for slot in &mut self.slots {
            held -= slot.snapshot.held();
            let written = snapshot::turn(slot, self.role.name, settings, held, &self.sender)?;
            held += slot.snapshot.held();
            if let Some(bytes) = written {
                is_written = true;
                self.metrics.snapshots.with_label_values(&[self.role.name]).inc();
                self.metrics.snapshot_bytes.with_label_values(&[self.role.name]).inc_by(bytes);
            }
        }
        if is_written {
            self.say_size();
        }
        Ok(())
    }

    fn say_size(&mut self) {
        self.holding.say_size(self.slots.iter().map(|slot| slot.size).fold(Size::default(), Size::plus));
    }

    /// Takes in acknowledgements and the answers of deliveries.
    fn absorb(&mut self) -> anyhow::Result<()> {
        self.sender.acknowledged(&mut self.tokens)?;
        for token in self.tokens.drain(..) {
            acknowledge(&mut self.slots, token);
        }
        let Some(dispatcher) = &mut self.dispatcher else { return Ok(()) };
        while let Some((token, done)) = dispatcher.answer() {
            count(&mut self.counts, done.fate);
            match done.park {
                None => acknowledge(&mut self.slots, token),
                Some(parked) => {
                    let headers: Vec<(&str, &[u8])> =
                        parked.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
                    let topic = &parked.topic;
                    let partition = chorus_model::partition::partition_for(&parked.key, topic.partitions);
                    self.sender.send(
                        &topic.name,
                        partition,
                        Some(&parked.key),
                        &headers,
                        Some(&parked.value),
                        token,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Stops reading while too much is under way, and goes on when half of it is done. Polling never stops.
    fn throttle(&mut self) -> anyhow::Result<()> {
        let in_flight = self.sender.in_flight();
        let deliveries = self.role.deliveries;
        let over = in_flight > MOST_IN_FLIGHT || self.dispatcher.as_ref().is_some_and(|d| d.is_full(deliveries));
        let under = in_flight < MOST_IN_FLIGHT / 2 && self.dispatcher.as_ref().is_none_or(|d| d.has_room(deliveries));
        if !self.slots.is_empty() && ((over && !self.paused) || (self.paused && under)) {
            let list = consumer::list(self.slots.iter().map(|slot| (&*slot.topic, slot.partition)));
            if self.paused {
                self.source.resume(&list)?
            } else {
                self.source.pause(&list)?
            }
            self.paused = !self.paused;
        }
        Ok(())
    }

    /// What somebody writes in a transaction is followed by a mark that has an offset and is no record: a partition that ends in one
    /// is read to its end all the same. The client moves its position over such marks, in the order of the partition, and begins anew
    /// with each assignment; what it has given out is taken.
    fn pass_over(&mut self) {
        let end = |slot: &Slot<T>| self.watermarks.end(&slot.topic, slot.partition);
        if !self.slots.iter().any(|slot| end(slot).is_some_and(|end| slot.read_to() < end.offset)) {
            return;
        }
        let Ok(positions) = self.source.position() else { return };
        for slot in &mut self.slots {
            let known = positions.find_partition(&slot.topic, slot.partition).map(|at| at.offset());
            if let Some(rdkafka::Offset::Offset(offset)) = known {
                slot.reached = offset;
            }
        }
    }

    fn measure_lag(&self, now: Timestamp) {
        for slot in &self.slots {
            let Some(end) = self.watermarks.end(&slot.topic, slot.partition) else { continue };
            let behind = slot.read_to() < end.offset;
            let lag = if behind { slot.last_received.map_or(0.0, |at| now.since(at).as_secs_f64()) } else { 0.0 };
            let partition = slot.partition.to_string();
            self.metrics.lag.with_label_values(&[self.role.name, &slot.topic, partition.as_str()]).set(lag.max(0.0));
            if self.role.snapshots.is_some() {
                let age = self.metrics.snapshot_age.with_label_values(&[self.role.name, partition.as_str()]);
                age.set(slot.snapshot.age(slot.position).as_secs_f64());
            }
        }
    }

    fn flush_counts(&mut self) {
        if !self.counts.is_empty() {
            self.metrics.add(self.role.name, &self.role.from.name, &self.counts);
            self.counts.clear();
        }
    }
}

/// Errors that pass by themselves are the client's to retry; the rest ends the worker.
fn check_poll_error(error: &KafkaError) -> anyhow::Result<()> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::FencedInstanceId) => Err(Fenced.into()),
        Some(
            RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::OffsetOutOfRange
            | RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => Err(anyhow::anyhow!("the log cannot be read on: {error}")),
        _ => {
            tracing::debug!(%error, "poll");
            Ok(())
        }
    }
}

fn host_name() -> String {
    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| {
        std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "host".to_owned(), |n| n.trim().to_owned())
    })
}
