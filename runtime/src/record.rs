//! A record as a task sees it.

use chorus_model::{Timestamp, cloudevents};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::ffi;

/// Headers that are looked up without asking librdkafka again: it finds them by walking a list, and checks each name.
const FIRST: usize = 12;

/// One record of an input topic, borrowed from the client's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    message: &'a BorrowedMessage<'a>,
    first: [(&'a [u8], &'a [u8]); FIRST],
    count: usize,
}

impl<'a> Record<'a> {
    pub(crate) fn new(message: &'a BorrowedMessage<'a>) -> Self {
        let mut first: [(&[u8], &[u8]); FIRST] = [(&[], &[]); FIRST];
        let headers = message.headers();
        let count = headers.map_or(0, Headers::count);
        if let Some(headers) = headers {
            for (index, place) in first.iter_mut().enumerate().take(count) {
                // A header without a value is none.
                if let Some((name, Some(value))) = ffi::header(headers, index) {
                    *place = (name, value);
                }
            }
        }
        Self { message, first, count }
    }

    /// The input topic.
    #[must_use]
    pub fn topic(&self) -> &'a str {
        self.message.topic()
    }

    /// The input partition.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.message.partition()
    }

    /// The offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.message.offset()
    }

    /// The broker's timestamp (raw topics are created with `LogAppendTime`): the time of receipt.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.message.timestamp().to_millis().unwrap_or(0))
    }

    /// The key, empty when there is none.
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        self.message.key().unwrap_or_default()
    }

    /// The value; `None` for a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&'a [u8]> {
        self.message.payload()
    }

    /// The last header of that name, when it is UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let text = |value: &'a [u8]| std::str::from_utf8(value).ok();
        if self.count <= FIRST {
            let known = self.first.get(..self.count)?;
            return known.iter().rev().find(|(key, _)| *key == name.as_bytes()).and_then(|(_, value)| text(value));
        }
        let headers = self.message.headers()?;
        (0..self.count).rev().find_map(|index| match ffi::header(headers, index)? {
            (key, Some(value)) if key == name.as_bytes() => text(value),
            _ => None,
        })
    }

    /// Every header, copied; for what is put aside whole.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let Some(headers) = self.message.headers() else { return Vec::new() };
        let all = (0..self.count).filter_map(|index| ffi::header(headers, index));
        all.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.unwrap_or_default().to_owned()))
            .collect()
    }

    /// The CloudEvents type.
    #[must_use]
    pub fn event_type(&self) -> Option<&'a str> {
        self.header(cloudevents::HEADER_TYPE)
    }
}
