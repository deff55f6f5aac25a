//! The task of ingest: one raw record to events, and to a sealed reject where something could not be read.

use std::sync::Arc;
use std::time::SystemTime;

use chorus_model::{Event, Rfc3339, Timestamp, canary, cloudevents};
use chorus_runtime::metrics::FeedMetrics;
use chorus_runtime::registry::{Handle, Registry};
use chorus_runtime::task::{Attributes, EmitError};
use chorus_runtime::topics::Topic;
use chorus_runtime::{Fate, Output, Record, Task, Verdict};

use crate::border::{self, Border, Receipt};
use crate::feeds::Accepted;
use crate::observation::{Piece, Raw, Reason};
use crate::seal::{RawRecord, Sealer};

/// Headers of a raw record that Chorus reads. Others are sealed with a reject, and otherwise left.
pub const HEADER_FORMAT: &str = "format";
/// The connector's name.
pub const HEADER_SOURCE: &str = "source";

/// The fates that are known from the start, so that their series exist at 0; the words of filtered records are the formats'.
#[must_use]
pub fn fates() -> Vec<Fate> {
    Reason::ALL.iter().map(|reason| Fate::Rejected(reason.as_str())).collect()
}

/// What every partition of a feed shares.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The feed's name.
    pub name: &'static str,
    /// `/chorus/ingest/` and the name.
    pub source: Arc<str>,
    /// What it accepts.
    pub accepted: Accepted,
    /// Its border.
    pub border: Border,
    /// Seals rejects.
    pub sealer: Sealer,
    /// Places and devices.
    pub registry: Handle,
    /// Counters.
    pub metrics: FeedMetrics,
    /// Where events go.
    pub events: Topic,
    /// Where rejects go.
    pub rejects: Topic,
}

/// The work on one raw partition. Without state: what a record becomes depends on it alone and on the registry.
#[derive(Debug)]
pub struct Ingest {
    feed: Arc<Feed>,
    registry: Arc<Registry>,
    generation: u64,
    pieces: Vec<Piece>,
    json: Vec<u8>,
}

impl Ingest {
    /// For one partition of the feed.
    #[must_use]
    pub fn new(feed: Arc<Feed>) -> Self {
        let generation = feed.registry.generation();
        let registry = feed.registry.get();
        Self { feed, registry, generation, pieces: Vec::new(), json: Vec::new() }
    }

    fn refresh(&mut self) {
        let generation = self.feed.registry.generation();
        if generation != self.generation {
            self.generation = generation;
            self.registry = self.feed.registry.get();
        }
    }

    fn events(&mut self, record: &Record<'_>, format: &'static str, output: &mut Output<'_>) -> Tally {
        let mut tally = Tally::default();
        let source = record.header(HEADER_SOURCE);
        let mut pieces = std::mem::take(&mut self.pieces);
        for piece in pieces.drain(..) {
            match piece {
                Piece::Filtered(why) => tally.filtered = tally.filtered.or(Some(why)),
                Piece::Rejected(reason) => tally.reject(reason),
                Piece::Event(seen) => {
                    let (received_at, origin) = (record.received_at(), output.next_origin());
                    let receipt = Receipt { format, source, received_at, origin };
                    let admitted = self.feed.border.admit(*seen, &receipt, &self.registry);
                    match admitted.and_then(|event| self.emit(event, output)) {
                        Ok(()) => tally.events += 1,
                        Err(reason) => tally.reject(reason),
                    }
                }
            }
        }
        self.pieces = pieces;
        tally
    }

    fn emit(&mut self, mut event: Event, output: &mut Output<'_>) -> Result<(), Reason> {
        event.produced_at = Some(now());
        self.json.clear();
        event.write_json(&mut self.json).map_err(|_| Reason::BadValue)?;
        let time = event.effective_time();
        let known = Rfc3339::of(time);
        let unknown = if known.is_none() { time.to_string() } else { String::new() };
        let attributes = Attributes {
            kind: cloudevents::TYPE_EVENT,
            id: &event.event_id,
            source: &self.feed.source,
            time: known.as_ref().map_or(&unknown, Rfc3339::as_str),
            routing: event.kind.as_str(),
        };
        // Any error but this one stops the worker, so the record keeps its place in the log.
        if let Err(EmitError::TooLarge) = output.emit(&self.feed.events, event.key(), &attributes, &self.json) {
            return Err(Reason::EventTooLarge);
        }
        match canary::of_event(&event) {
            Some(_) => self.feed.metrics.canary(),
            None => self.feed.metrics.event(event.kind, event.place.resolved),
        }
        Ok(())
    }

    fn put_aside(&self, record: &Record<'_>, format: &str, reason: Reason, output: &mut Output<'_>) {
        self.feed.metrics.reject(format, reason.as_str());
        let raw = RawRecord {
            key: record.key().to_owned(),
            headers: record.headers(),
            value: record.value().unwrap_or_default().to_owned(),
        };
        let Ok(sealed) = self.feed.sealer.seal(&raw, output.next_origin()) else {
            // No random bytes: nothing can be written safely, and nothing may be lost.
            output.fail("cannot seal a reject");
            return;
        };
        let headers = [
            ("reason", reason.as_str().as_bytes()),
            (HEADER_FORMAT, format.as_bytes()),
            ("feed", self.feed.name.as_bytes()),
        ];
        let key = self.feed.name.as_bytes();
        if let Err(EmitError::TooLarge) = output.emit_bytes(&self.feed.rejects, key, &headers, &sealed) {
            output.fail("a reject is larger than the topic `rejects` takes: raise its max.message.bytes");
        }
    }
}

#[derive(Default)]
struct Tally {
    events: usize,
    filtered: Option<&'static str>,
    rejected: Option<Reason>,
}

impl Tally {
    fn reject(&mut self, reason: Reason) {
        self.rejected = self.rejected.or(Some(reason));
    }
}

impl Task for Ingest {
    fn process(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Verdict {
        self.refresh();
        let bytes = record.value().unwrap_or_default();
        let header = record.header(HEADER_FORMAT);
        let source = border::connector(record.header(HEADER_SOURCE));
        let raw = Raw { bytes, source, strict: self.feed.border.strict() };
        self.pieces.clear();
        let chosen = self.feed.accepted.choose(header, bytes);
        let name = chosen.map_or("unknown", |format| format.name);
        let read = chosen.and_then(|format| format.read(&raw, &mut self.pieces));
        let mut tally = self.events(record, name, output);
        if let Err(reason) = read {
            tally.reject(reason);
        }
        if let Some(reason) = tally.rejected {
            self.put_aside(record, name, reason, output);
        }
        let fate = match tally {
            Tally { events: 1.., .. } => Fate::Forwarded,
            Tally { rejected: Some(reason), .. } => Fate::Rejected(reason.as_str()),
            Tally { filtered, .. } => Fate::Filtered(filtered.unwrap_or("no_event")),
        };
        fate.into()
    }
}

/// When ingest wrote the event: a fact for people who look for delays, never used for windows.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
