//! What a role does with the records of one input partition.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chorus_model::partition::partition_for;
use chorus_model::{FrontierTable, Passage, cloudevents};

use crate::producer::{Sender, Token};
use crate::topics::Topic;
use crate::{Fate, Record};

/// The work on one input partition. The runtime calls it in the order of the partition, from one thread.
///
/// A stateful task is a pure function of the log: it reads no clock, and after [`Task::restore`] the same records give the
/// same state and the same outputs.
pub trait Task {
    /// Takes one record. Repeats (by origin) and frontiers never come here.
    fn process(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Verdict;

    /// A control record, which has no origin and stands in every partition: see [`cloudevents::TYPE_RULES`]. `offset` is its own.
    fn control(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Fate {
        let _: (&Record<'_>, &mut Output<'_>) = (record, output);
        Fate::Filtered("control")
    }

    /// Time has passed: the frontiers of the partition moved. `offset` is that of the record that moved them.
    fn advance(&mut self, frontiers: &FrontierTable, offset: i64, output: &mut Output<'_>) {
        let _: (&FrontierTable, i64, &mut Output<'_>) = (frontiers, offset, output);
    }

    /// Hands over the keys that changed since last time with their state; `None` for a key that is gone. Each state must
    /// hold the offset up to which it has been applied, since a restored key may be ahead of the replay.
    fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        Vec::new()
    }

    /// How much it remembers; asked for with each snapshot.
    fn size(&self) -> Size {
        Size::default()
    }

    /// Takes back the state of a key.
    ///
    /// # Errors
    /// When the bytes are not what [`Task::capture`] wrote.
    fn restore(&mut self, key: &str, state: &[u8]) -> anyhow::Result<()> {
        let _: (&str, &[u8]) = (key, state);
        Ok(())
    }
}

/// How much a task remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Keys.
    pub keys: usize,
    /// Devices that it listens for, heard and silent; `None` where it listens for none.
    pub devices: Option<(usize, usize)>,
}

impl Size {
    /// That of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let devices = match (self.devices, other.devices) {
            (Some(own), Some(more)) => Some((own.0 + more.0, own.1 + more.1)),
            (own, more) => own.or(more),
        };
        Self { keys: self.keys + other.keys, devices }
    }
}

/// What became of a record, or who will say.
#[derive(Debug)]
#[must_use = "a record without a fate stops the program"]
pub enum Verdict {
    /// It has its fate.
    Settled(Fate),
    /// It is to be delivered; its fate comes with the answer.
    Deferred(Deferred),
}

impl From<Fate> for Verdict {
    fn from(fate: Fate) -> Self {
        Self::Settled(fate)
    }
}

/// A piece of work that ends in a fate: a delivery.
pub type Job = Pin<Box<dyn Future<Output = Done> + Send>>;

/// How a job ended.
#[derive(Debug)]
pub struct Done {
    /// The fate of its record.
    pub fate: Fate,
    /// What must be kept of it, written before the record counts as done.
    pub park: Option<Parked>,
}

/// A record that the destination refused, on its way to where it can be looked at.
#[derive(Debug)]
pub struct Parked {
    /// The topic for it.
    pub topic: Topic,
    /// Its key.
    pub key: Vec<u8>,
    /// Who refused it, and why.
    pub headers: Vec<(&'static str, String)>,
    /// The record's value.
    pub value: Vec<u8>,
}

/// A job with the key within which jobs keep their order.
pub struct Deferred {
    /// Jobs of the same key run one after the other, in the order of the log.
    pub key: Arc<str>,
    /// The work.
    pub job: Job,
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deferred").field("key", &self.key).finish_non_exhaustive()
    }
}

/// An output that could not be handed to the producer.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// Larger than the topic takes.
    #[error("the record is larger than the topic takes")]
    TooLarge,
    /// The producer cannot go on.
    #[error("the producer refused a record: {0}")]
    Failed(String),
}

/// Where a task puts what it makes from a record. Each output gets the record's origin with the next index.
#[derive(Debug)]
pub struct Output<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) token: Token,
    pub(crate) origin: (&'a str, i32, i64),
    pub(crate) index: u32,
    pub(crate) pending: u32,
    pub(crate) quiet: bool,
    pub(crate) fatal: Option<EmitError>,
    pub(crate) passage: Passage,
    /// The text of the origin; empty until it is asked for.
    text: String,
}

/// The facts that CloudEvents wants in headers.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// `ce_type`.
    pub kind: &'static str,
    /// `ce_id`.
    pub id: &'a str,
    /// `ce_source`.
    pub source: &'a str,
    /// `ce_time`, RFC 3339.
    pub time: &'a str,
    /// For routing without parsing; empty for none.
    pub routing: &'a str,
}

impl<'a> Output<'a> {
    pub(crate) fn new(sender: &'a Sender, token: Token, origin: (&'a str, i32, i64), quiet: bool) -> Self {
        Self {
            sender,
            token,
            origin,
            index: 0,
            pending: 0,
            quiet,
            fatal: None,
            passage: Passage::default(),
            text: String::new(),
        }
    }

    /// True while the log before the committed offset is replayed: whatever is emitted now was written before.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How far time passes with this record, in its partition.
    #[must_use]
    pub fn passage(&self) -> Passage {
        self.passage
    }

    /// The origin that the next output will carry, as text.
    #[must_use]
    pub fn next_origin(&mut self) -> &str {
        if self.text.is_empty() {
            self.text = self.take_origin();
        }
        &self.text
    }

    fn take_origin(&mut self) -> String {
        if self.text.is_empty() {
            let (topic, partition, offset) = self.origin;
            return format!("{topic}/{partition}/{offset}/{}", self.index);
        }
        std::mem::take(&mut self.text)
    }

    /// Stops the role after this record: going on would lose something.
    pub fn fail(&mut self, why: &str) {
        self.fatal = Some(EmitError::Failed(why.to_owned()));
    }

    /// Writes one CloudEvent, to the partition of its key.
    ///
    /// # Errors
    /// [`EmitError::TooLarge`] leaves the role running; after any other the role stops.
    pub fn emit(
        &mut self,
        topic: &Topic,
        key: &str,
        attributes: &Attributes<'_>,
        value: &[u8],
    ) -> Result<(), EmitError> {
        let origin = self.take_origin();
        let headers = [
            (cloudevents::HEADER_SPECVERSION, cloudevents::SPEC_VERSION.as_bytes()),
            (cloudevents::HEADER_TYPE, attributes.kind.as_bytes()),
            (cloudevents::HEADER_ID, attributes.id.as_bytes()),
            (cloudevents::HEADER_SOURCE, attributes.source.as_bytes()),
            (cloudevents::HEADER_TIME, attributes.time.as_bytes()),
            (cloudevents::HEADER_CONTENT_TYPE, cloudevents::CONTENT_TYPE.as_bytes()),
            (cloudevents::HEADER_ORIGIN, origin.as_bytes()),
            (cloudevents::HEADER_KIND, attributes.routing.as_bytes()),
        ];
        let headers = match headers.split_last() {
            Some((_, rest)) if attributes.routing.is_empty() => rest,
            _ => headers.as_slice(),
        };
        self.write(topic, key.as_bytes(), headers, value)
    }

    /// Writes bytes that are no CloudEvent (a sealed reject, a parked alert), with headers of the caller's own.
    ///
    /// # Errors
    /// As [`Output::emit`].
    pub fn emit_bytes(
        &mut self,
        topic: &Topic,
        key: &[u8],
        headers: &[(&str, &[u8])],
        value: &[u8],
    ) -> Result<(), EmitError> {
        let origin = self.take_origin();
        let mut all: Vec<(&str, &[u8])> = headers.to_vec();
        all.push((cloudevents::HEADER_ORIGIN, origin.as_bytes()));
        self.write(topic, key, &all, value)
    }

    fn write(&mut self, topic: &Topic, key: &[u8], headers: &[(&str, &[u8])], value: &[u8]) -> Result<(), EmitError> {
        if !self.quiet {
            let partition = partition_for(key, topic.partitions);
            match self.sender.send(&topic.name, partition, Some(key), headers, Some(value), self.token) {
                Ok(()) => self.pending += 1,
                Err(EmitError::TooLarge) => return Err(EmitError::TooLarge),
                Err(error) => {
                    let message = error.to_string();
                    self.fatal = Some(error);
                    return Err(EmitError::Failed(message));
                }
            }
        }
        self.index += 1;
        Ok(())
    }
}
