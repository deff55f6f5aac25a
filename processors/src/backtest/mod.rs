//! Events to alerts without Kafka: the detector and the fusion of the live roles, with frontiers that follow the events.
//!
//! Everything that waits for time is judged at its own deadline, one after the other, as it is live when the frontier moves
//! in small steps. So the alerts do not depend on how far apart the events are.

mod log;

use chorus_model::{Alert, Anomaly, Event, Span, Timestamp};
use chorus_runtime::registry::Handle;

use crate::detect::Setup;
use crate::detect::replay::Replay;
use crate::fuse::{self, Fuser};

pub use log::{LogBacktest, Rules};

/// The smallest step of time: what is due at an instant is judged when the frontier is behind it.
const TICK: Span = Span::from_micros(1);

/// After so many records what is forgotten is freed.
const TIDY_EVERY: i64 = 100_000;

/// The fusion of a backtest, with the offsets that a log would have.
#[derive(Debug)]
struct Fusion {
    fuser: Fuser,
    /// Of the last record that it was given.
    offset: i64,
    tidy_at: i64,
}

impl Fusion {
    fn new(settings: &fuse::Settings, registry: Handle) -> Self {
        Self { fuser: Fuser::new(settings, registry), offset: 0, tidy_at: TIDY_EVERY }
    }

    fn take(&mut self, anomalies: &[Anomaly], alerts: &mut Vec<Alert>) {
        for anomaly in anomalies {
            self.offset += 1;
            // A fate without an alert is a repeat in which a desk would see nothing new.
            alerts.extend(self.fuser.process(anomaly, self.offset).unwrap_or_default());
        }
    }

    fn advance(&mut self, to: Timestamp, alerts: &mut Vec<Alert>) {
        self.offset += 1;
        alerts.extend(self.fuser.advance(to, self.offset));
    }

    /// Frees what is forgotten when it is time, as a live role does with each snapshot: keys that have nothing left to remember go.
    /// True when it did; then the detectors are to do so too.
    fn tidy(&mut self) -> bool {
        let is_due = self.offset >= self.tidy_at;
        if is_due {
            drop(self.fuser.capture());
            self.tidy_at = self.offset + TIDY_EVERY;
        }
        is_due
    }
}

/// A detector and a fusion over one log.
#[derive(Debug)]
pub struct Backtest {
    detect: Replay,
    fusion: Fusion,
    now: Option<Timestamp>,
}

impl Backtest {
    /// Before the first event. `feeds` are those whose time passes, beside those that the rules name.
    #[must_use]
    pub fn new<'a>(setup: Setup, settings: &fuse::Settings, feeds: impl IntoIterator<Item = &'a str>) -> Self {
        let fusion = Fusion::new(settings, setup.registry.clone());
        Self { detect: Replay::new(setup, feeds), fusion, now: None }
    }

    /// An event of a feed. Everything received before it is in by then; `alerts` gets each revision that comes of it.
    pub fn event(&mut self, feed: &str, event: &Event, alerts: &mut Vec<Alert>) {
        self.pass(event.received_at, alerts);
        let found = self.detect.event(feed, event);
        self.fusion.take(&found, alerts);
    }

    /// Time passes until `to`.
    pub fn pass(&mut self, to: Timestamp, alerts: &mut Vec<Alert>) {
        while let Some(now) = self.now {
            let due = [self.detect.next_deadline(), self.fusion.fuser.next_deadline()].into_iter().flatten().min();
            // What was due before now and did not go waits for something else than time.
            let Some(due) = due.filter(|due| *due >= now).map(|due| due.plus(TICK)).filter(|due| *due < to) else {
                break;
            };
            self.step(due, alerts);
        }
        if self.now.is_none_or(|now| now < to) {
            self.step(to, alerts);
        }
    }

    fn step(&mut self, to: Timestamp, alerts: &mut Vec<Alert>) {
        self.now = Some(to);
        let found = self.detect.advance(to);
        self.fusion.take(&found, alerts);
        self.fusion.advance(to, alerts);
        if self.fusion.tidy() {
            self.detect.tidy();
        }
    }
}
