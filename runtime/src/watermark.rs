//! How far the log reaches, and since when we know: the evidence behind frontiers, lag and readiness.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chorus_model::Timestamp;

use crate::consumer::{self, Source};
use crate::ffi::LatestOffsets;

/// How often the broker is asked.
const EVERY: Duration = Duration::from_millis(500);
/// After this long without an answer the request is given up.
const TIMEOUT_MS: i32 = 5_000;
/// A longer time between two answers is an outage: meanwhile the broker may have taken nothing from anybody.
const OUTAGE: Duration = Duration::from_secs(10);

/// The end of a partition as it was at some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The offset behind the last record.
    pub(crate) offset: i64,
    /// By our clock, just before the broker was asked: whatever it takes later carries a later timestamp, but for the
    /// difference between the clocks.
    pub(crate) asked_at: Timestamp,
    /// When the unbroken series of answers that this one belongs to began, by our clock.
    pub(crate) since: Timestamp,
}

/// Keeps asking.
pub(crate) struct Watermarks {
    offsets: LatestOffsets,
    asked: Option<(Instant, Timestamp)>,
    answered: Option<Instant>,
    since: Timestamp,
    ends: HashMap<(String, i32), End>,
}

impl Watermarks {
    pub(crate) fn new(consumer: &Source) -> Self {
        Self {
            offsets: LatestOffsets::new(consumer),
            asked: None,
            answered: None,
            since: Timestamp::MIN,
            ends: HashMap::new(),
        }
    }

    /// Takes an answer in and asks again when it is time. Never waits. True when an answer came.
    pub(crate) fn turn<'a>(
        &mut self,
        consumer: &Source,
        partitions: impl Iterator<Item = (&'a str, i32)>,
        now: Timestamp,
    ) -> bool {
        let mut news = false;
        if let Some(answers) = self.offsets.answer() {
            let asked_at = self.asked.map_or(Timestamp::MIN, |(_, at)| at);
            if !self.fresh(OUTAGE) {
                self.since = now; // not since the question: it may have waited for the broker
            }
            for answer in answers {
                if let Ok(offset) = answer.offset {
                    news = true;
                    self.ends.insert((answer.topic, answer.partition), End { offset, asked_at, since: self.since });
                }
            }
            if news {
                self.answered = Some(Instant::now());
            }
        }
        if self.asked.is_none_or(|(at, _)| at.elapsed() >= EVERY) {
            let mut list = consumer::list(partitions);
            if self.offsets.ask(consumer, &mut list, TIMEOUT_MS) {
                self.asked = Some((Instant::now(), now));
            }
        }
        news
    }

    pub(crate) fn end(&self, topic: &str, partition: i32) -> Option<End> {
        self.ends.get(&(topic.to_owned(), partition)).copied()
    }

    pub(crate) fn forget(&mut self, topic: &str, partition: i32) {
        self.ends.remove(&(topic.to_owned(), partition));
    }

    /// True when the broker answered lately.
    pub(crate) fn fresh(&self, within: Duration) -> bool {
        self.answered.is_some_and(|at| at.elapsed() < within)
    }
}
