//! Reading.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Words, plain_length};
use crate::{Device, Event, PlaceRef, Timestamp, rfc3339};

impl Event {
    /// Reads the JSON of one event.
    ///
    /// # Errors
    /// When it is none.
    pub fn read_json(json: &[u8]) -> serde_json::Result<Self> {
        let own = std::str::from_utf8(json).ok().and_then(|text| read(&mut Reader(text)));
        own.map_or_else(|| serde_json::from_slice(json), Ok)
    }
}

/// What is left of the JSON.
pub(super) struct Reader<'a>(pub(super) &'a str);

impl<'a> Reader<'a> {
    /// Passes over these bytes, if they come next.
    fn pass(&mut self, expected: &str) -> bool {
        match self.0.strip_prefix(expected) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn must(&mut self, expected: &str) -> Option<()> {
        self.pass(expected).then_some(())
    }

    /// A text whose first quote is passed, up to and with the last.
    fn rest_of_text(&mut self) -> Option<&'a str> {
        let length = plain_length(self.0.as_bytes());
        let (text, rest) = (self.0.get(..length)?, self.0.get(length..)?);
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// The text behind a key that ends with the text's first quote.
    fn text(&mut self, key: &str) -> Option<&'a str> {
        self.must(key)?;
        self.rest_of_text()
    }

    /// As [`Reader::text`]; `Some(None)` when the key does not come.
    #[allow(clippy::option_option)] // whether it is there, and whether it can be read here
    fn maybe(&mut self, key: &str) -> Option<Option<&'a str>> {
        if self.pass(key) { self.rest_of_text().map(Some) } else { Some(None) }
    }

    fn word<W: Words>(&mut self, key: &str) -> Option<W> {
        W::of(self.text(key)?)
    }

    #[allow(clippy::option_option)] // as above
    fn maybe_word<W: Words>(&mut self, key: &str) -> Option<Option<W>> {
        match self.maybe(key)? {
            Some(word) => W::of(word).map(Some),
            None => Some(None),
        }
    }

    #[allow(clippy::option_option)] // as above
    fn maybe_time(&mut self, key: &str) -> Option<Option<Timestamp>> {
        match self.maybe(key)? {
            Some(text) => rfc3339::read(text.as_bytes()).map(Some),
            None => Some(None),
        }
    }

    fn truth(&mut self, key: &str) -> Option<bool> {
        self.must(key)?;
        if self.pass("true") {
            return Some(true);
        }
        self.must("false").map(|()| false)
    }

    /// A whole number without a sign, of at most 18 digits.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = (self.0.get(..length)?, self.0.get(length..)?);
        let readable = (1..=18).contains(&length) && (length == 1 || !digits.starts_with('0'));
        // What follows must end the number: neither a fraction nor an exponent.
        if !readable || !rest.starts_with(',') {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    fn list(&mut self, key: &str) -> Option<Vec<Cow<'static, str>>> {
        let mut texts = Vec::new();
        if !self.pass(key) {
            return Some(texts);
        }
        loop {
            texts.push(Cow::Owned(self.text("\"")?.to_owned()));
            if self.pass("]") {
                return Some(texts);
            }
            self.must(",")?;
        }
    }
}

pub(super) fn read(json: &mut Reader<'_>) -> Option<Event> {
    json.must("{\"schema_version\":")?;
    let event = Event {
        schema_version: u16::try_from(json.number()?).ok()?,
        event_id: json.text(",\"event_id\":\"")?.to_owned(),
        source_format: Cow::Owned(json.text(",\"source_format\":\"")?.to_owned()),
        source_id: json.maybe(",\"source_id\":\"")?.map(Arc::from),
        native_id: json.maybe(",\"native_id\":\"")?.map(str::to_owned),
        native_seq: if json.pass(",\"native_seq\":") { Some(json.number()?) } else { None },
        device: device(json)?,
        place: place(json)?,
        kind: json.word(",\"kind\":\"")?,
        phase: json.word(",\"phase\":\"")?,
        object_class: json.maybe(",\"object_class\":\"")?.map(|class| Cow::Owned(class.to_owned())),
        count: if json.pass(",\"count\":") { Some(i64::try_from(json.number()?).ok()?) } else { None },
        outcome: json.maybe_word(",\"outcome\":\"")?,
        zone: json.maybe(",\"zone\":\"")?.map(str::to_owned),
        severity: json.word(",\"severity\":\"")?,
        severity_source: json.word(",\"severity_source\":\"")?,
        event_time: json.maybe_time(",\"event_time\":\"")?,
        time_precision: json.maybe_word(",\"time_precision\":\"")?,
        time_quality: json.word(",\"time_quality\":\"")?,
        assumed_zone: json.maybe(",\"assumed_zone\":\"")?.map(Arc::from),
        received_at: json.maybe_time(",\"received_at\":\"")??,
        produced_at: json.maybe_time(",\"produced_at\":\"")?,
        is_replay: json.truth(",\"is_replay\":")?,
        is_test: json.truth(",\"is_test\":")?,
        integrity: json.word(",\"integrity\":\"")?,
        geo: None, // an event with a position is not read here
        subject_ref: json.maybe(",\"subject_ref\":\"")?.map(str::to_owned),
        pii_dropped: json.list(",\"pii_dropped\":[")?,
        raw_ref: json.maybe(",\"raw_ref\":\"")?.map(str::to_owned),
        flags: json.list(",\"flags\":[")?,
    };
    (json.0 == "}").then_some(event)
}

fn device(json: &mut Reader<'_>) -> Option<Device> {
    let device = Device {
        id: json.text(",\"device\":{\"id\":\"")?.into(),
        scheme: json.word(",\"scheme\":\"")?,
        channel: json.maybe(",\"channel\":\"")?.map(Arc::from),
        kind: json.maybe(",\"kind\":\"")?.map(Arc::from),
    };
    json.must("}")?;
    Some(device)
}

fn place(json: &mut Reader<'_>) -> Option<PlaceRef> {
    json.must(",\"place\":{")?;
    let id = json.maybe("\"id\":\"")?;
    if id.is_some() {
        json.must(",")?;
    }
    let place = PlaceRef {
        id: id.map(Arc::from),
        kind: json.word("\"type\":\"")?,
        division_code: json.maybe(",\"division_code\":\"")?.map(Arc::from),
        resolved: json.truth(",\"resolved\":")?,
    };
    json.must("}")?;
    Some(place)
}
