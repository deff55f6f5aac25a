//! A record as a task sees it.

use chorus_model::{Timestamp, cloudevents};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// One record of an input topic, borrowed from the client's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    message: &'a BorrowedMessage<'a>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(message: &'a BorrowedMessage<'a>) -> Self {
        Self { message }
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
        let headers = self.message.headers()?;
        (0..headers.count()).rev().find_map(|index| {
            let header = headers.try_get(index)?;
            (header.key == name).then_some(header.value).flatten().and_then(|value| std::str::from_utf8(value).ok())
        })
    }

    /// Every header, copied; for what is put aside whole.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let Some(headers) = self.message.headers() else { return Vec::new() };
        headers.iter().map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_owned())).collect()
    }

    /// The CloudEvents type.
    #[must_use]
    pub fn event_type(&self) -> Option<&'a str> {
        self.header(cloudevents::HEADER_TYPE)
    }
}
