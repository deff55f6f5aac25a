//! Records that wait until their partition is free.
//!
//! librdkafka's idempotent producer has one request a partition under way (it compares a number of records with a limit meant for
//! requests: confluentinc/librdkafka#4989). What it could not send yet is held here, and goes over in one piece when the
//! acknowledgement is there and the worker looks: in fewer and larger requests, up to a poll and a linger later. What that gains
//! by itself, and what it costs in latency, has not been measured.

use std::time::{Duration, Instant};

use crate::ffi::HeaderList;
use crate::producer::Token;

/// As many records as librdkafka lets a partition have under way and still begins another request.
const FREE: usize = 5;
/// No more is held than a request can take.
const MOST_RECORDS: usize = 10_000;
const MOST_BYTES: usize = 900_000;

/// One partition of an output topic.
#[derive(Default)]
pub(crate) struct Lane {
    /// Records that the producer has and that are not acknowledged.
    in_flight: usize,
    /// When the first of them was handed over.
    since: Option<Instant>,
    held: Vec<Held>,
    /// Keys and values of what is held, one after the other.
    bytes: Vec<u8>,
}

struct Held {
    token: Token,
    headers: HeaderList,
    key: Option<usize>,
    value: Option<usize>,
}

/// A record on its way to the producer.
pub(crate) struct Outgoing<'a> {
    pub(crate) token: Token,
    pub(crate) headers: HeaderList,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
}

impl Lane {
    /// True when the next record is to wait: others do, or the producer could not send it yet.
    pub(crate) fn is_busy(&self, linger: Duration) -> bool {
        // Within the linger it still joins the request that will be made.
        !self.held.is_empty() || (self.in_flight >= FREE && self.since.is_some_and(|since| since.elapsed() >= linger))
    }

    /// True when nothing more may be held.
    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= MOST_RECORDS || self.bytes.len() >= MOST_BYTES
    }

    /// True when something is held and the producer can send it.
    pub(crate) fn is_due(&self) -> bool {
        !self.held.is_empty() && self.in_flight < FREE
    }

    /// Records that are held.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Keeps a record back.
    pub(crate) fn hold(&mut self, record: Outgoing<'_>) {
        let mut keep = |bytes: Option<&[u8]>| {
            self.bytes.extend_from_slice(bytes.unwrap_or_default());
            bytes.map(<[u8]>::len)
        };
        let (key, value) = (keep(record.key), keep(record.value));
        self.held.push(Held { token: record.token, headers: record.headers, key, value });
    }

    /// The producer took a record.
    pub(crate) fn handed_over(&mut self) {
        if self.in_flight == 0 {
            self.since = Some(Instant::now());
        }
        self.in_flight += 1;
    }

    /// So many are acknowledged.
    pub(crate) fn landed(&mut self, count: usize) {
        self.in_flight = self.in_flight.saturating_sub(count);
    }

    /// Hands everything that is held to `send`, in its order.
    ///
    /// # Errors
    /// The first of `send`; what is behind it is lost with the worker.
    pub(crate) fn release<E>(&mut self, mut send: impl FnMut(Outgoing<'_>) -> Result<(), E>) -> Result<(), E> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        let mut next = |length: Option<usize>| {
            let (bytes, after) = rest.split_at_checked(length?)?;
            rest = after;
            Some(bytes)
        };
        for held in std::mem::take(&mut self.held) {
            let (key, value) = (next(held.key), next(held.value));
            send(Outgoing { token: held.token, headers: held.headers, key, value })?;
            self.handed_over();
        }
        self.bytes = bytes;
        self.bytes.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(number: u64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Outgoing<'a> {
        Outgoing { token: Token::new(1, number), headers: HeaderList::new(&[("name", b"value")]), key, value }
    }

    #[test]
    fn what_is_held_comes_out_in_its_order_byte_for_byte() {
        let mut lane = Lane::default();
        type Bytes = Option<&'static [u8]>;
        let records: [(Bytes, Bytes); 4] =
            [(Some(b"key"), Some(b"value")), (None, Some(b"")), (Some(b""), None), (Some(b"k"), Some(b"v"))];
        for (number, (key, value)) in (0..).zip(records) {
            lane.hold(record(number, key, value));
        }
        let mut out = Vec::new();
        let released: Result<(), ()> = lane.release(|record| {
            out.push((record.token, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec)));
            Ok(())
        });
        released.unwrap();
        let expected = (0..)
            .zip(records)
            .map(|(number, (key, value))| (Token::new(1, number), key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec)));
        assert_eq!(out, expected.collect::<Vec<_>>());
        assert_eq!((lane.held(), lane.in_flight), (0, 4));
    }

    #[test]
    fn a_record_never_overtakes_those_that_are_held() {
        let mut lane = Lane::default();
        for _ in 0..FREE {
            assert!(!lane.is_busy(Duration::ZERO));
            lane.handed_over();
        }
        assert!(!lane.is_busy(Duration::from_secs(3_600)), "within the linger it joins the others");
        assert!(lane.is_busy(Duration::ZERO));
        lane.hold(record(9, None, None));
        assert!(!lane.is_due());
        lane.landed(FREE);
        assert!(lane.is_due() && lane.is_busy(Duration::from_secs(3_600)));
    }
}
