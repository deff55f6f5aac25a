//! A stretch of the topic `events` to alerts, as the live roles would make them of it: by the frontiers that stand in the log.
//!
//! Each partition has its detector, and its origin filter, as in a worker; the least frontier of a partition goes to the fusion in
//! the steps in which a worker hands it on. One fusion stands for those of all partitions of `anomalies`. The alerts of a place do not
//! hang on how partitions are mixed; what is one alert about a division does: here they are mixed as they were written, live as they were read.

use chorus_model::{Alert, Anomaly, FrontierMark, FrontierTable, OriginFilter, Passage, Timestamp, cloudevents};
use chorus_runtime::FRONTIER_STEP;
use chorus_runtime::tools::Owned;

use super::Fusion;
use crate::detect::{Detector, Publication, Setup, stamp};
use crate::fuse;

/// Without its key, by which a canary is known that no rule asks for: it is none that a backtest would tell of.
const NO_KEY: &[u8] = b"";

/// Whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those that were given, all the time.
    Given,
    /// Those that were given, until others come into force in the log.
    Published,
}

/// What is known of one partition of `events`.
#[derive(Debug)]
struct Part {
    detector: Detector,
    filter: OriginFilter,
    frontiers: FrontierTable,
    /// The frontier that was handed on last.
    marked: Timestamp,
}

/// Detectors of all partitions and a fusion over a stretch of the log.
#[derive(Debug)]
pub struct LogBacktest {
    parts: Vec<Part>,
    rules: Rules,
    fusion: Fusion,
    /// How far the detectors have come.
    detected: FrontierTable,
}

impl LogBacktest {
    /// Before the first record of a log of `partitions`, of which nothing earlier is known.
    #[must_use]
    pub fn new(setup: &Setup, settings: &fuse::Settings, partitions: i32, rules: Rules) -> Self {
        let part = |partition| Part {
            detector: Detector::new(setup.clone(), partition, partitions),
            filter: OriginFilter::default(),
            frontiers: FrontierTable::default(),
            marked: Timestamp::MIN,
        };
        Self {
            parts: (0..partitions).map(part).collect(),
            rules,
            fusion: Fusion::new(settings, setup.registry.clone()),
            detected: FrontierTable::default(),
        }
    }

    /// Takes a record of `events` in; `alerts` gets each revision that comes of it. Records of a partition come in the order of their offsets.
    pub fn record(&mut self, record: &Owned, alerts: &mut Vec<Alert>) {
        let Some(part) = usize::try_from(record.partition).ok().and_then(|index| self.parts.get_mut(index)) else {
            return;
        };
        let anomalies = part.take(record, self.rules);
        let frontier = part.frontiers.passed().filter(|least| *least >= part.marked.plus(FRONTIER_STEP));
        part.marked = frontier.unwrap_or(part.marked);
        self.fusion.take(&anomalies, alerts);
        if let Some(frontier) = frontier {
            self.pass(record.partition, frontier, alerts);
        }
    }

    fn pass(&mut self, partition: i32, frontier: Timestamp, alerts: &mut Vec<Alert>) {
        let of = i32::try_from(self.parts.len()).unwrap_or(i32::MAX);
        let mark = FrontierMark::new("events", of, vec![(partition, frontier)]);
        if let Some(least) = self.detected.advance(&mark) {
            self.fusion.advance(least, alerts);
        }
        if self.fusion.tidy() {
            self.parts.iter_mut().for_each(|part| drop(part.detector.capture()));
        }
    }
}

impl Part {
    fn take(&mut self, record: &Owned, rules: Rules) -> Vec<Anomaly> {
        match record.header(cloudevents::HEADER_TYPE) {
            Some(cloudevents::TYPE_FRONTIER) => {
                let mark: Option<FrontierMark> = serde_json::from_slice(&record.value).ok();
                let from = self.frontiers.passed();
                let moved = mark.is_some_and(|mark| self.frontiers.advance(&mark).is_some());
                if !moved {
                    return Vec::new();
                }
                let mut found = self.detector.advance(record.offset, &self.frontiers);
                stamp(&mut found, Passage { from, to: self.frontiers.passed() });
                found
            }
            Some(cloudevents::TYPE_RULES) => {
                let publication: Option<Publication> = serde_json::from_slice(&record.value).ok();
                let Some(publication) = publication.filter(|_| rules == Rules::Published) else { return Vec::new() };
                // One that is not valid did not come into force in the live run either.
                let mut ended = self.detector.publish(record.offset, publication).ok().flatten().unwrap_or_default();
                stamp(&mut ended, Passage::still(self.frontiers.passed()));
                ended
            }
            Some(cloudevents::TYPE_EVENT) => {
                let is_new = record
                    .header(cloudevents::HEADER_ORIGIN)
                    .is_some_and(|origin| self.filter.admit(origin).unwrap_or(false));
                if !is_new {
                    return Vec::new();
                }
                let found =
                    self.detector.record(record.offset, NO_KEY, |name| record.header(name), Some(&record.value));
                let mut found = found.anomalies;
                stamp(&mut found, Passage::still(self.frontiers.passed()));
                found
            }
            _ => Vec::new(),
        }
    }
}
