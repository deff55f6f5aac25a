//! A detector over events that come from no log: time passes for every feed alike, as far as the caller says.

use std::collections::BTreeSet;

use chorus_model::{Anomaly, Event, FrontierMark, FrontierTable, Passage, Timestamp};

use super::engine::Detector;
use super::finding::stamp;
use super::setup::Setup;

/// A detector of one partition, with the frontiers and offsets that a log would have.
#[derive(Debug)]
pub(crate) struct Replay {
    detector: Detector,
    frontiers: FrontierTable,
    feeds: BTreeSet<String>,
    offset: i64,
}

impl Replay {
    /// `feeds` are those whose time passes, beside those that the rules name.
    pub(crate) fn new<'a>(setup: Setup, feeds: impl IntoIterator<Item = &'a str>) -> Self {
        let mut named: BTreeSet<String> = feeds.into_iter().map(str::to_owned).collect();
        named.extend(setup.rules.feeds().into_iter().map(str::to_owned));
        Self { detector: Detector::new(setup, 0, 1), frontiers: FrontierTable::default(), feeds: named, offset: 0 }
    }

    /// Takes an event of a feed in.
    pub(crate) fn event(&mut self, feed: &str, event: &Event) -> Vec<Anomaly> {
        self.offset += 1;
        let mut found = self.detector.event(self.offset, feed, event).anomalies;
        stamp(&mut found, Passage::still(self.frontiers.passed()));
        found
    }

    /// Everything received before `to` is in.
    pub(crate) fn advance(&mut self, to: Timestamp) -> Vec<Anomaly> {
        let from = self.frontiers.passed();
        for feed in &self.feeds {
            self.frontiers.advance(&FrontierMark::new(feed.as_str(), 1, vec![(0, to)]));
        }
        self.offset += 1;
        let mut found = self.detector.advance(self.offset, &self.frontiers);
        stamp(&mut found, Passage { from, to: self.frontiers.passed() });
        found
    }

    /// When something waits for time next.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.detector.next_deadline()
    }

    /// Forgets keys that have nothing left to remember, as a live role does with each snapshot.
    pub(crate) fn tidy(&mut self) {
        drop(self.detector.capture());
    }
}
