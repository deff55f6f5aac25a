//! The detector at work: events of one partition in, anomalies out.

use std::sync::Arc;

use chorus_model::{Anomaly, Event, FrontierTable, cloudevents};
use chorus_runtime::task::{Attributes, EmitError};
use chorus_runtime::topics::Topic;
use chorus_runtime::{Fate, Output, Record, Size, Task, Verdict};

use super::canary;
use super::engine::{Detector, Found};
use super::finding::stamp;
use super::publication::Publication;
use super::{BAD_EVENT, BAD_RULES, NO_RULE, RULES, SOURCE};

/// What stands before the feed's name in `ce_source` of events.
const INGEST: &str = "/chorus/ingest/";

impl Detector {
    /// Takes in a record of the log that is an event by its header. By its key a canary is known before it is read.
    pub(crate) fn record<'a>(
        &mut self,
        offset: i64,
        key: &[u8],
        header: impl Fn(&str) -> Option<&'a str>,
        value: Option<&[u8]>,
    ) -> Found {
        let feed =
            header(cloudevents::HEADER_SOURCE).and_then(|source| source.strip_prefix(INGEST)).unwrap_or_default();
        let kind = header(cloudevents::HEADER_KIND).and_then(|kind| kind.parse().ok());
        // What no rule asks for is not read.
        if let Some(kind) = kind
            && !self.asks_for(offset, feed, kind)
            && !canary::may_be_one(kind, key)
        {
            return Found::nothing(NO_RULE);
        }
        match value.and_then(|value| Event::read_json(value).ok()) {
            Some(event) => self.event(offset, feed, &event),
            None => Found::nothing(BAD_EVENT),
        }
    }
}

/// The work on one partition of `events`.
#[derive(Debug)]
pub struct DetectTask {
    detector: Detector,
    anomalies: Topic,
    json: Vec<u8>,
}

impl DetectTask {
    /// For one partition; `anomalies` is the topic to write to.
    #[must_use]
    pub fn new(detector: Detector, anomalies: Topic) -> Self {
        Self { detector, anomalies, json: Vec::new() }
    }

    fn emit(&mut self, mut anomalies: Vec<Anomaly>, output: &mut Output<'_>) {
        stamp(&mut anomalies, output.passage());
        for anomaly in &anomalies {
            self.json.clear();
            if serde_json::to_writer(&mut self.json, anomaly).is_err() {
                output.fail("an anomaly cannot be written as JSON");
                return;
            }
            let time = anomaly.tipped_at.to_string();
            let attributes = Attributes {
                kind: cloudevents::TYPE_ANOMALY,
                id: &anomaly.anomaly_id,
                source: SOURCE,
                time: &time,
                routing: &anomaly.kind,
            };
            // Any error but this one stops the worker by itself.
            let emitted = output.emit(&self.anomalies, anomaly.place.county(), &attributes, &self.json);
            if let Err(EmitError::TooLarge) = emitted {
                output.fail("an anomaly is larger than the topic `anomalies` takes: raise its max.message.bytes");
            }
        }
    }
}

impl Task for DetectTask {
    fn process(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Verdict {
        if record.event_type() != Some(cloudevents::TYPE_EVENT) {
            return BAD_EVENT.into();
        }
        let found = self.detector.record(record.offset(), record.key(), |name| record.header(name), record.value());
        self.emit(found.anomalies, output);
        found.fate.into()
    }

    fn control(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Fate {
        let publication = record.value().and_then(|value| serde_json::from_slice::<Publication>(value).ok());
        let Some(publication) = publication else { return BAD_RULES };
        let version = Arc::clone(&publication.version);
        match self.detector.publish(record.offset(), publication) {
            Ok(Some(ended)) => {
                tracing::info!(partition = record.partition(), %version, ended = ended.len(), "rules in force");
                self.emit(ended, output);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(partition = record.partition(), %version, %error, "rules refused, those before stay");
                return BAD_RULES;
            }
        }
        RULES
    }

    fn advance(&mut self, frontiers: &FrontierTable, offset: i64, output: &mut Output<'_>) {
        let anomalies = self.detector.advance(offset, frontiers);
        self.emit(anomalies, output);
    }

    fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        self.detector.capture()
    }

    fn size(&self) -> Size {
        self.detector.size()
    }

    fn restore(&mut self, key: &str, state: &[u8]) -> anyhow::Result<()> {
        self.detector.restore(key, state)
    }
}
