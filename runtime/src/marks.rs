//! Frontiers: where they come from and how they are handed on (law 2 of the design).

use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::{FrontierMark, Span, Timestamp, cloudevents};

use crate::metrics::Metrics;
use crate::producer::{Sender, Token};
use crate::slot::Slot;
use crate::topics::Topic;
use crate::watermark::{End, Watermarks};

/// What a role does about frontiers.
#[derive(Clone, Debug)]
pub enum Marks {
    /// It writes none.
    None,
    /// Ingest: it states how far its raw partitions are read.
    Write {
        /// The feed.
        feed: Arc<str>,
        /// Every partition of this topic gets the statement.
        to: Topic,
        /// How many partitions the raw topic has.
        of: i32,
        /// What clocks may disagree by.
        margin: Span,
        /// How often.
        every: Duration,
    },
    /// Detect: it hands on the least frontier of its partition.
    Forward {
        /// The name of the input in the statement.
        input: Arc<str>,
        /// Every partition of this topic gets the statement.
        to: Topic,
        /// How many partitions the input has.
        of: i32,
    },
}

/// A statement moves on in steps of at least this, so that a long log does not become a longer one.
pub const STEP: Span = Span::from_millis(500);

/// How far a raw partition is read: until the broker was last asked, less the margin, when everything that it then had is in;
/// else the receipt of the last record. `None` when nothing can be said.
pub(crate) fn frontier_of(
    position: i64,
    end: Option<End>,
    last_received: Option<Timestamp>,
    margin: Span,
) -> Option<Timestamp> {
    let caught_up = end.filter(|end| position >= end.offset).map(|end| end.asked_at.minus(margin));
    caught_up.max(last_received)
}

/// Keeps the rhythm of writing.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    written: Option<Instant>,
}

impl Writer {
    /// The partition is another's: its age is no longer ours to tell.
    pub(crate) fn forget(&self, partition: i32, marks: &Marks, metrics: &Metrics) {
        if let Marks::Write { feed, .. } = marks {
            // It fails only for a series that was never there.
            metrics.frontier_age.remove_label_values(&[&**feed, &*partition.to_string()]).ok();
        }
    }

    /// Writes what the raw partitions of this worker can say, when it is time.
    pub(crate) fn turn<T>(
        &mut self,
        slots: &mut [Slot<T>],
        marks: &Marks,
        watermarks: &Watermarks,
        sender: &Sender,
        metrics: &Metrics,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let Marks::Write { feed, to, of, margin, every } = marks else { return Ok(()) };
        if self.written.is_some_and(|at| at.elapsed() < *every) {
            return Ok(());
        }
        self.written = Some(Instant::now());
        let (mut before, mut since) = (Vec::new(), Vec::new());
        for slot in slots {
            let end = watermarks.end(&slot.topic, slot.partition);
            let Some(frontier) = frontier_of(slot.read_to(), end, slot.last_received, *margin) else { continue };
            let partition = slot.partition.to_string();
            let age = now.since(frontier.max(slot.marked)).as_secs_f64().max(0.0);
            metrics.frontier_age.with_label_values(&[feed, partition.as_str()]).set(age);
            if frontier > slot.marked {
                slot.marked = frontier;
                before.push((slot.partition, frontier));
                if let Some(end) = end.filter(|end| end.since > slot.listening_since) {
                    slot.listening_since = end.since;
                    since.push((slot.partition, end.since));
                }
            }
        }
        if before.is_empty() {
            return Ok(());
        }
        write(&FrontierMark { since, ..FrontierMark::new(Arc::clone(feed), *of, before) }, to, sender)
    }
}

/// Hands on the least frontier of a partition when it has moved a step.
pub(crate) fn forward<T>(slot: &mut Slot<T>, marks: &Marks, sender: &Sender) -> anyhow::Result<()> {
    let Marks::Forward { input, to, of } = marks else { return Ok(()) };
    let Some(frontier) = slot.frontiers.passed() else { return Ok(()) };
    if slot.is_quiet() || frontier < slot.marked.plus(STEP) {
        return Ok(());
    }
    slot.marked = frontier;
    write(&FrontierMark::new(Arc::clone(input), *of, vec![(slot.partition, frontier)]), to, sender)
}

fn write(mark: &FrontierMark, to: &Topic, sender: &Sender) -> anyhow::Result<()> {
    let value = serde_json::to_vec(mark)?;
    let headers = [
        (cloudevents::HEADER_TYPE, cloudevents::TYPE_FRONTIER.as_bytes()),
        (cloudevents::HEADER_CONTENT_TYPE, cloudevents::CONTENT_TYPE.as_bytes()),
    ];
    for partition in 0..to.partitions {
        sender.send(&to.name, partition, None, &headers, Some(&value), Token::NONE)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }
    const MARGIN: Span = Span::from_micros(10);

    #[test]
    fn caught_up_it_reaches_until_the_broker_was_asked_less_the_margin() {
        let end = Some(End { offset: 5, asked_at: at(100), since: at(0) });
        assert_eq!(frontier_of(5, end, Some(at(40)), MARGIN), Some(at(90)));
    }

    #[test]
    fn behind_it_reaches_only_to_the_last_record() {
        let end = Some(End { offset: 9, asked_at: at(100), since: at(0) });
        assert_eq!(frontier_of(5, end, Some(at(40)), MARGIN), Some(at(40)));
        assert_eq!(frontier_of(5, end, None, MARGIN), None);
    }

    #[test]
    fn without_an_answer_from_the_broker_time_stands_still() {
        assert_eq!(frontier_of(5, None, Some(at(40)), MARGIN), Some(at(40)));
        assert_eq!(frontier_of(5, None, None, MARGIN), None);
    }
}
