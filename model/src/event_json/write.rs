//! Writing.

use std::borrow::Cow;
use std::io::Write;

use super::{Words, plain_length};
use crate::rfc3339::Rfc3339;
use crate::{Event, Timestamp};

impl Event {
    /// Appends the event's JSON.
    ///
    /// # Errors
    /// When a position is no number.
    pub fn write_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut out = Writer(out);
        out.raw(b"{\"schema_version\":");
        out.number(self.schema_version);
        out.text(b",\"event_id\":", &self.event_id)?;
        out.text(b",\"source_format\":", &self.source_format)?;
        out.maybe(b",\"source_id\":", self.source_id.as_deref())?;
        out.maybe(b",\"native_id\":", self.native_id.as_deref())?;
        if let Some(number) = self.native_seq {
            out.raw(b",\"native_seq\":");
            out.number(number);
        }
        out.text(b",\"device\":{\"id\":", &self.device.id)?;
        out.word(b",\"scheme\":", &self.device.scheme);
        out.maybe(b",\"channel\":", self.device.channel.as_deref())?;
        out.maybe(b",\"kind\":", self.device.kind.as_deref())?;
        out.raw(b"},\"place\":{");
        if let Some(id) = &self.place.id {
            out.text(b"\"id\":", id)?;
            out.raw(b",");
        }
        out.word(b"\"type\":", &self.place.kind);
        out.maybe(b",\"division_code\":", self.place.division_code.as_deref())?;
        out.truth(b",\"resolved\":", self.place.resolved);
        out.word(b"},\"kind\":", &self.kind);
        out.word(b",\"phase\":", &self.phase);
        out.maybe(b",\"object_class\":", self.object_class.as_deref())?;
        if let Some(count) = self.count {
            out.raw(b",\"count\":");
            out.number(count);
        }
        out.maybe_word(b",\"outcome\":", self.outcome.as_ref());
        out.maybe(b",\"zone\":", self.zone.as_deref())?;
        out.word(b",\"severity\":", &self.severity);
        out.word(b",\"severity_source\":", &self.severity_source);
        out.maybe_time(b",\"event_time\":", self.event_time)?;
        out.maybe_word(b",\"time_precision\":", self.time_precision.as_ref());
        out.word(b",\"time_quality\":", &self.time_quality);
        out.maybe(b",\"assumed_zone\":", self.assumed_zone.as_deref())?;
        out.maybe_time(b",\"received_at\":", Some(self.received_at))?;
        out.maybe_time(b",\"produced_at\":", self.produced_at)?;
        out.truth(b",\"is_replay\":", self.is_replay);
        out.truth(b",\"is_test\":", self.is_test);
        out.word(b",\"integrity\":", &self.integrity);
        if let Some(geo) = &self.geo {
            out.raw(b",\"geo\":");
            serde_json::to_writer(&mut *out.0, geo)?;
        }
        out.maybe(b",\"subject_ref\":", self.subject_ref.as_deref())?;
        out.list(b",\"pii_dropped\":[", &self.pii_dropped)?;
        out.maybe(b",\"raw_ref\":", self.raw_ref.as_deref())?;
        out.list(b",\"flags\":[", &self.flags)?;
        out.raw(b"}");
        Ok(())
    }
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        // Writing to memory does not fail.
        write!(self.0, "{number}").ok();
    }

    fn text(&mut self, key: &[u8], text: &str) -> serde_json::Result<()> {
        self.raw(key);
        if plain_length(text.as_bytes()) < text.len() {
            return serde_json::to_writer(&mut *self.0, text);
        }
        self.quoted(text.as_bytes());
        Ok(())
    }

    fn quoted(&mut self, text: &[u8]) {
        self.raw(b"\"");
        self.raw(text);
        self.raw(b"\"");
    }

    fn maybe(&mut self, key: &[u8], text: Option<&str>) -> serde_json::Result<()> {
        text.map_or(Ok(()), |text| self.text(key, text))
    }

    fn word(&mut self, key: &[u8], word: &impl Words) {
        self.raw(key);
        self.quoted(word.word().as_bytes());
    }

    fn maybe_word(&mut self, key: &[u8], word: Option<&impl Words>) {
        if let Some(word) = word {
            self.word(key, word);
        }
    }

    fn maybe_time(&mut self, key: &[u8], time: Option<Timestamp>) -> serde_json::Result<()> {
        let Some(time) = time else { return Ok(()) };
        self.raw(key);
        let Some(text) = Rfc3339::of(time) else { return serde_json::to_writer(&mut *self.0, &time) };
        self.quoted(text.as_bytes());
        Ok(())
    }

    fn truth(&mut self, key: &[u8], truth: bool) {
        self.raw(key);
        self.raw(if truth { b"true" } else { b"false" });
    }

    fn list(&mut self, key: &[u8], texts: &[Cow<'static, str>]) -> serde_json::Result<()> {
        let Some((first, rest)) = texts.split_first() else { return Ok(()) };
        self.text(key, first)?;
        for text in rest {
            self.text(b",", text)?;
        }
        self.raw(b"]");
        Ok(())
    }
}
