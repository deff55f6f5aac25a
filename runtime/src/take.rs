//! One record through its task: the origin filter, frontiers, the fate, and the ledger.

use chorus_model::{FrontierMark, Passage, cloudevents};
use rdkafka::message::BorrowedMessage;

use crate::dispatch::Dispatcher;
use crate::marks;
use crate::metrics::Metrics;
use crate::producer::{Sender, Token};
use crate::slot::Slot;
use crate::task::{Output, Task, Verdict};
use crate::worker::{Input, Role};
use crate::{Fate, Record};

/// One record through its task. A free function, since the record borrows from the consumer.
pub(crate) fn take<T: Task>(
    message: &BorrowedMessage<'_>,
    slots: &mut [Slot<T>],
    role: &Role,
    sender: &Sender,
    dispatcher: Option<&mut Dispatcher>,
    counts: &mut Vec<(Fate, u64)>,
    metrics: &Metrics,
) -> anyhow::Result<()> {
    let record = Record::new(message);
    let Some(slot) = find(slots, record.topic(), record.partition()) else { return Ok(()) };
    if record.offset() < slot.position {
        return Ok(()); // fetched again after a pause
    }
    let quiet = record.offset() < slot.quiet_before;
    let token = Token::new(slot.id, slot.ledger.next());
    let mut output = Output::new(sender, token, (record.topic(), record.partition(), record.offset()), quiet);
    output.passage = Passage::still(slot.frontiers.passed());
    let origin = if role.input == Input::Derived { record.header(cloudevents::HEADER_ORIGIN) } else { None };
    let verdict = match role.input {
        Input::Raw => slot.task.process(&record, &mut output),
        Input::Derived if record.event_type() == Some(cloudevents::TYPE_FRONTIER) => {
            frontier(&record, slot, &mut output).into()
        }
        Input::Derived if record.event_type() == Some(cloudevents::TYPE_RULES) => {
            slot.task.control(&record, &mut output).into()
        }
        Input::Derived => match origin.map(|origin| slot.filter.admit(origin)) {
            Some(Ok(true)) => slot.task.process(&record, &mut output),
            Some(Ok(false)) => Fate::Duplicate.into(),
            Some(Err(_)) | None => Fate::Filtered("no_origin").into(),
        },
    };
    let (pending, fatal) = (output.pending, output.fatal.take());
    if let Some(error) = fatal {
        return Err(error.into());
    }
    slot.position = record.offset() + 1;
    slot.last_received = Some(record.received_at());
    if quiet {
        metrics.replayed.with_label_values(&[role.name, &role.from.name]).inc();
        return Ok(());
    }
    let kept = if role.snapshots.is_none() { origin.map(Box::from) } else { None };
    match (verdict, dispatcher) {
        (Verdict::Settled(fate), _) => {
            slot.ledger.enter(record.offset(), pending, kept);
            count(counts, fate);
        }
        (Verdict::Deferred(deferred), Some(dispatcher)) => {
            slot.ledger.enter(record.offset(), pending + 1, kept);
            dispatcher.submit(token, deferred);
        }
        (Verdict::Deferred(_), None) => anyhow::bail!("{} defers work but was given no room for deliveries", role.name),
    }
    marks::forward(slot, &role.marks, sender)
}

fn frontier<T: Task>(record: &Record<'_>, slot: &mut Slot<T>, output: &mut Output<'_>) -> Fate {
    let mark: Option<FrontierMark> = record.value().and_then(|value| serde_json::from_slice(value).ok());
    let Some(mark) = mark else { return Fate::Filtered("bad_frontier") };
    let from = slot.frontiers.passed();
    let has_moved = slot.frontiers.advance(&mark).is_some();
    output.passage = Passage { from, to: slot.frontiers.passed() };
    if has_moved {
        slot.task.advance(&slot.frontiers, record.offset(), output);
    }
    Fate::Filtered("frontier")
}

pub(crate) fn count(counts: &mut Vec<(Fate, u64)>, fate: Fate) {
    match counts.iter_mut().find(|(known, _)| *known == fate) {
        Some((_, count)) => *count += 1,
        None => counts.push((fate, 1)),
    }
}

pub(crate) fn find<'s, T>(slots: &'s mut [Slot<T>], topic: &str, partition: i32) -> Option<&'s mut Slot<T>> {
    slots.iter_mut().find(|slot| slot.partition == partition && &*slot.topic == topic)
}

fn slot_of<T>(slots: &mut [Slot<T>], token: Token) -> Option<(&mut Slot<T>, u64)> {
    let (id, number) = token.parts()?;
    slots.iter_mut().find(|slot| slot.id == id).map(|slot| (slot, number))
}

pub(crate) fn acknowledge<T>(slots: &mut [Slot<T>], token: Token) {
    if let Some((slot, number)) = slot_of(slots, token) {
        slot.ledger.acknowledge(number);
    }
}
