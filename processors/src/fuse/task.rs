//! `fuse` as the runtime calls it.

use chorus_model::{Alert, Anomaly, FrontierTable, cloudevents};
use chorus_runtime::registry::Handle;
use chorus_runtime::task::{Attributes, EmitError};
use chorus_runtime::topics::Topic;
use chorus_runtime::{Fate, Output, Record, Size, Task, Verdict};

use super::{BAD_ANOMALY, Fuser, SOURCE, Settings};

/// The work on one partition of `anomalies`.
#[derive(Debug)]
pub struct FuseTask {
    fuser: Fuser,
    alerts: Topic,
    json: Vec<u8>,
}

impl FuseTask {
    /// For one input partition; revisions go to the topic `alerts`.
    #[must_use]
    pub fn new(settings: &Settings, registry: Handle, alerts: Topic) -> Self {
        Self { fuser: Fuser::new(settings, registry), alerts, json: Vec::new() }
    }

    /// Writes a revision under the id of its place, so that the revisions of an alert stay in order in one partition.
    fn emit(&mut self, alert: &Alert, output: &mut Output<'_>) {
        self.json.clear();
        if serde_json::to_writer(&mut self.json, alert).is_err() {
            output.fail("an alert cannot be written as JSON");
            return;
        }
        let (id, time) = (alert.idempotency_key(), alert.updated_at.to_string());
        let attributes = Attributes {
            kind: cloudevents::TYPE_ALERT,
            id: &id,
            source: SOURCE,
            time: &time,
            routing: alert.status.as_str(),
        };
        // Any other error stops the worker by itself.
        if let Err(EmitError::TooLarge) = output.emit(&self.alerts, &alert.place.id, &attributes, &self.json) {
            output.fail("an alert is larger than the topic `alerts` takes: raise its max.message.bytes");
        }
    }
}

impl Task for FuseTask {
    fn process(&mut self, record: &Record<'_>, output: &mut Output<'_>) -> Verdict {
        let is_anomaly = record.event_type().is_none_or(|kind| kind == cloudevents::TYPE_ANOMALY);
        let value = record.value().filter(|_| is_anomaly);
        let anomaly: Option<Anomaly> = value.and_then(|value| serde_json::from_slice(value).ok());
        let Some(anomaly) = anomaly else { return BAD_ANOMALY.into() };
        match self.fuser.process(&anomaly, record.offset()) {
            Ok(alerts) => {
                alerts.iter().for_each(|alert| self.emit(alert, output));
                Fate::Forwarded.into()
            }
            Err(fate) => fate.into(),
        }
    }

    fn advance(&mut self, frontiers: &FrontierTable, offset: i64, output: &mut Output<'_>) {
        let Some(frontier) = frontiers.least() else { return };
        for alert in self.fuser.advance(frontier, offset) {
            self.emit(&alert, output);
        }
    }

    fn capture(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        self.fuser.capture()
    }

    fn size(&self) -> Size {
        self.fuser.size()
    }

    fn restore(&mut self, key: &str, state: &[u8]) -> anyhow::Result<()> {
        self.fuser.restore(key, state)
    }
}
