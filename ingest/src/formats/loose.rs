//! JSON as devices write it, borrowed: numbers as texts and texts as numbers, a list where one thing should be, documents that
//! follow one another.
//!
//! A value is skimmed once for each level that a decoder opens, and what it does not open is never built: a picture in base64
//! costs its bytes and no more. Nesting does not recurse, so no depth is too deep for what is passed over.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::chorus::syntax;
use crate::observation::{Observation, Reason};

/// The most members of one object and the most elements of one list that are looked at.
const MAX_MEMBERS: usize = 4_096;

/// The most broken documents of one record that are stepped over.
const MAX_BROKEN: usize = 8;

/// A key, or a text. Serde borrows a `Cow` only where it is told to.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in their order; the first of a name counts.
#[derive(Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    if members.len() < MAX_MEMBERS {
                        members.push((key, value));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'a> Object<'a> {
    /// The members of a value.
    ///
    /// # Errors
    /// When it is no object, or a broken one.
    pub(crate) fn read(json: &'a str) -> Result<Self, Reason> {
        serde_json::from_str(json).map_err(|error| syntax(&error))
    }

    /// The value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get()).filter(|value| *value != "null")
    }

    /// A text, or a number or a truth value as text; absent when empty.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(scalar)
    }

    /// The text of the first of these members that has one.
    pub(crate) fn text_of(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| self.text(name))
    }

    /// A whole number, also when written as text or with a fraction.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.text(name).as_deref().and_then(integer)
    }

    /// The digits of a whole number that is not negative: a lane, a rule, an input, a counter. Nothing else passes as one.
    pub(crate) fn number(&self, name: &str) -> Option<String> {
        self.integer(name).filter(|number| *number >= 0).map(|number| number.to_string())
    }

    /// `true`, `1`, `yes` and their kin.
    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        truth(self.text(name)?.as_ref())
    }

    /// An object within; also one that was written into a list of one.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        let value = self.get(name)?;
        if value.starts_with('[') {
            return elements(value).ok()?.first().and_then(|first| Self::read(first.get()).ok());
        }
        Self::read(value).ok()
    }

    /// A list within; one object counts as a list of it.
    pub(crate) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        match self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value) {
            Some(value) if value.get().starts_with('[') => elements(value.get()).unwrap_or_default(),
            Some(value) if value.get().starts_with('{') => vec![value],
            _ => Vec::new(),
        }
    }
}

/// The elements of a list, as far as they are looked at, and one more so that a caller sees that there are more.
///
/// # Errors
/// When it is no list, or a broken one.
pub(crate) fn elements(json: &str) -> Result<Vec<&RawValue>, Reason> {
    let all: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| syntax(&error))?;
    Ok(all.into_iter().take(MAX_MEMBERS + 1).collect())
}

/// The text of a value that is no object and no list.
pub(crate) fn scalar(json: &str) -> Option<Cow<'_, str>> {
    let text = match json.bytes().next() {
        // What holds no escape stands there as it is: it has been checked when it was skimmed.
        Some(b'"') if memchr::memchr(b'\\', json.as_bytes()).is_none() => {
            Cow::Borrowed(json.get(1..json.len().saturating_sub(1))?)
        }
        Some(b'"') => serde_json::from_str(json).ok().map(|Text(text)| text)?,
        Some(b'{' | b'[') | None => return None,
        Some(_) => Cow::Borrowed(json),
    };
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    (!text.is_empty() && text != "null").then_some(text)
}

/// A whole number, also when written with a fraction.
pub(crate) fn integer(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    // Beyond 2^53 a fraction says nothing of the whole.
    let number: f64 = text.parse().ok().filter(|number: &f64| number.abs() < 9.0e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "within the range of whole numbers that a float holds")]
    Some(number.trunc() as i64)
}

/// `true`, `1`, `yes` and their kin; absent when it is neither.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" => Some(true),
        "false" | "0" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// Calls `each` with every document of a text, in their order; the elements of a list at the top are documents. What is
/// broken costs itself: reading goes on at the next line that begins one.
pub(crate) fn documents<'a>(text: &'a str, mut each: impl FnMut(Result<&'a RawValue, Reason>)) {
    let mut rest = text;
    for broken in 0..=MAX_BROKEN {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let failed = loop {
            match stream.next() {
                None => return,
                Some(Ok(value)) if value.get().starts_with('[') => match elements(value.get()) {
                    Ok(all) => all.into_iter().for_each(|element| each(Ok(element))),
                    Err(reason) => each(Err(reason)),
                },
                Some(Ok(value)) => each(Ok(value)),
                Some(Err(error)) => break syntax(&error),
            }
        };
        each(Err(if broken == MAX_BROKEN { Reason::TooLarge } else { failed }));
        let behind = rest.get(stream.byte_offset() + 1..).unwrap_or_default();
        let Some(next) = next_document(behind) else { return };
        rest = next;
    }
}

fn next_document(text: &str) -> Option<&str> {
    memchr::memchr_iter(b'\n', text.as_bytes())
        .filter_map(|at| text.get(at + 1..))
        .find(|line| line.starts_with('{') || line.starts_with('['))
}

/// Notes by their names the members of a value, at any depth, that are in the sorted list and hold something. What they hold
/// is not looked at.
pub(crate) fn note_personal(json: &str, sorted: &'static [&'static str], observation: &mut Observation) {
    let mut reader = serde_json::Deserializer::from_str(json);
    // A value that nests too deep ends the search; it was left behind all the same.
    let _ended = Personal { sorted, observation }.deserialize(&mut reader).is_ok();
}

struct Personal<'o> {
    sorted: &'static [&'static str],
    observation: &'o mut Observation,
}

impl<'de> DeserializeSeed<'de> for Personal<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Personal<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            if let Ok(at) = self.sorted.binary_search(&key.as_ref()) {
                let value: &'de RawValue = map.next_value()?;
                if let Some(name) = self.sorted.get(at).filter(|_| says_something(value.get())) {
                    self.observation.drop_field(*name);
                }
            } else {
                map.next_value_seed(Personal { sorted: self.sorted, observation: self.observation })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for _ in 0..MAX_MEMBERS {
            let next = Personal { sorted: self.sorted, observation: self.observation };
            if seq.next_element_seed(next)?.is_none() {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// False for what devices write when they have nothing to say.
fn says_something(json: &str) -> bool {
    !matches!(
        json,
        "null" | "\"\"" | "[]" | "{}" | "0" | "\"0\"" | "false" | "-1" | "\" \"" | "\"_无_\"" | "\"无车牌\""
    )
}

/// The body of an HTTP request or answer that was recorded whole; other bytes as they are.
pub(crate) fn http_body(bytes: &[u8]) -> &[u8] {
    let trimmed = bytes.trim_ascii_start();
    let is_http = [&b"POST "[..], b"PUT ", b"HTTP/1."].iter().any(|start| trimmed.starts_with(start));
    if !is_http {
        return bytes;
    }
    let ends = [(&b"\r\n\r\n"[..], 4), (b"\n\n", 2)];
    let end = ends.iter().filter_map(|(end, length)| Some(memchr::memmem::find(trimmed, end)? + length)).min();
    end.and_then(|end| trimmed.get(end..)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use chorus_model::{DeviceScheme, Kind};

    use super::*;

    #[test]
    fn numbers_are_texts_and_texts_are_numbers() {
        let json = r#"{"a":"12","b":12,"c":12.9,"d":" x ","e":"","f":null,"g":true,"h":{"i":[1]},"a":"99"}"#;
        let object = Object::read(json).unwrap();
        assert_eq!([object.integer("a"), object.integer("b"), object.integer("c")], [Some(12); 3]);
        assert_eq!(object.text("d").as_deref(), Some("x"));
        for absent in ["e", "f", "h", "z"] {
            assert_eq!(object.text(absent), None, "{absent}");
        }
        assert_eq!(object.truth("g"), Some(true));
        assert_eq!(object.object("h").map(|h| h.list("i").len()), Some(1));
    }

    #[test]
    fn one_object_is_a_list_of_one_and_the_other_way_round() {
        let object = Object::read(r#"{"a":{"b":1},"c":[{"b":2},{"b":3}]}"#).unwrap();
        assert_eq!(object.list("a").len(), 1);
        assert_eq!(object.list("c").len(), 2);
        assert_eq!(object.object("c").and_then(|c| c.integer("b")), Some(2));
    }

    #[test]
    fn trap_16_a_broken_document_costs_itself() {
        let mut seen = Vec::new();
        let text = "{\"a\":1}{\"b\":\n{\"c\":3}\n[{\"d\":4},5]";
        documents(text, |document| seen.push(document.map(RawValue::get)));
        assert_eq!(
            seen,
            [Ok("{\"a\":1}"), Err(Reason::BadSyntax), Ok("{\"c\":3}"), Ok("{\"d\":4}"), Ok("5")],
            "the broken one swallowed its neighbour"
        );
    }

    #[test]
    fn personal_members_are_named_at_any_depth_when_they_hold_something() {
        let mut observation = Observation::new("d", DeviceScheme::Own, Kind::DeviceFault);
        let json = r#"{"x":[{"name":"a"}],"plate":"","y":{"z":{"plate":"b"}},"card":"0"}"#;
        note_personal(json, &["card", "name", "plate"], &mut observation);
        assert_eq!(observation.dropped, ["name", "plate"]);
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
        let text = String::from_utf8(deep).unwrap();
        assert!(Object::read(&text).is_ok());
        let mut observation = Observation::new("d", DeviceScheme::Own, Kind::DeviceFault);
        note_personal(&text, &["name"], &mut observation);
    }

    #[test]
    fn a_recorded_request_is_its_body() {
        assert_eq!(http_body(b"POST /x HTTP/1.1\r\nA: b\r\n\r\n{}"), b"{}");
        assert_eq!(http_body(b"{}"), b"{}");
    }
}
