//! JSON objects whose members are borrowed and looked at only when they are asked for; no tree is built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::chorus::syntax;
use super::ga1400_fields::Key;
use crate::observation::{Piece, Reason};

/// The most members of one object: each question walks over them.
const MAX_MEMBERS: usize = 1_024;

/// The most pieces of one record.
const MAX_PIECES: usize = 1_000;
/// The deepest nesting of wrappers.
const MAX_DEPTH: usize = 6;

/// An object: names and values in their order.
#[derive(Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(name), value)) = map.next_entry()? {
                    if members.len() >= MAX_MEMBERS {
                        return Err(A::Error::custom("more members than an object may have"));
                    }
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'a> Object<'a> {
    /// Reads the object that a text is.
    ///
    /// # Errors
    /// Broken JSON, or JSON that is no object.
    pub(crate) fn read(json: &'a str) -> Result<Self, Reason> {
        serde_json::from_str(json).map_err(|error| syntax(&error))
    }

    /// The value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// A text, a number or a boolean as text, trimmed; nothing for an empty one.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// The first of several members that says anything.
    pub(crate) fn first(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| self.text(name))
    }

    /// A number, as such or as text.
    pub(crate) fn number(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.text(name)?.parse().ok()).filter(|number: &f64| number.is_finite())
    }

    /// A truth, in any of its spellings.
    pub(crate) fn truth(&self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "y" | "yes" | "是" => Some(true),
            "false" | "0" | "n" | "no" | "否" => Some(false),
            _ => None,
        })
    }

    /// A member that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(object)
    }

    /// The members of a list; one value that should be in a list is a list of one.
    pub(crate) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).map(list).unwrap_or_default()
    }

    /// Those of `known` that hold anything.
    pub(crate) fn present(&self, known: &[&'static str]) -> impl Iterator<Item = &'static str> {
        known.iter().copied().filter(|name| {
            self.get(name).is_some_and(|value| !matches!(value.get(), "null" | "\"\"" | "[]" | "{}" | "false"))
        })
    }
}

/// Opens lists and wrappers down to the objects that `read` makes something of, in their order. `read` leaves the pieces alone
/// when an object is none of its own; then the wrappers in it are opened.
///
/// # Errors
/// Broken JSON at the top.
pub(crate) fn each(
    value: &RawValue,
    wrappers: &[&str],
    pieces: &mut Vec<Piece>,
    read: &mut impl FnMut(&Object<'_>, &mut Vec<Piece>),
) -> Result<(), Reason> {
    open(value, wrappers, 0, pieces, read)
}

fn open(
    value: &RawValue,
    wrappers: &[&str],
    depth: usize,
    pieces: &mut Vec<Piece>,
    read: &mut impl FnMut(&Object<'_>, &mut Vec<Piece>),
) -> Result<(), Reason> {
    if depth > MAX_DEPTH {
        pieces.push(Piece::Rejected(Reason::TooLarge));
        return Ok(());
    }
    if value.get().starts_with('[') {
        let members = list(value);
        if members.is_empty() {
            pieces.push(Piece::Filtered("empty_list"));
        }
        for member in members {
            if pieces.len() >= MAX_PIECES {
                pieces.push(Piece::Rejected(Reason::TooLarge));
                break;
            }
            match member.get().bytes().next() {
                Some(b'{' | b'[') => open(member, wrappers, depth + 1, pieces, read)?,
                _ => pieces.push(Piece::Rejected(Reason::BadValue)),
            }
        }
        return Ok(());
    }
    let object = Object::read(value.get())?;
    let before = pieces.len();
    read(&object, pieces);
    if pieces.len() > before {
        return Ok(());
    }
    for wrapper in wrappers {
        if let Some(inner) = object.get(wrapper).filter(|inner| inner.get().starts_with(['{', '['])) {
            if pieces.len() >= MAX_PIECES {
                pieces.push(Piece::Rejected(Reason::TooLarge));
                break;
            }
            open(inner, wrappers, depth + 1, pieces, read)?;
        }
    }
    if pieces.len() == before && depth > 0 {
        // It came where such objects come, and is none that is known.
        pieces.push(Piece::Rejected(Reason::MissingField));
    }
    Ok(())
}

/// The object that a value is.
pub(crate) fn object(value: &RawValue) -> Option<Object<'_>> {
    value.get().starts_with('{').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

/// The values of a list, or the value alone; nothing for null.
pub(crate) fn list(value: &RawValue) -> Vec<&RawValue> {
    match value.get().bytes().next() {
        Some(b'[') => serde_json::from_str(value.get()).unwrap_or_default(),
        Some(b'n') | None => Vec::new(),
        Some(_) => vec![value],
    }
}

/// A text, number or boolean.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    let text = match raw.bytes().next() {
        // What holds no escape stands there as it is.
        Some(b'"') if memchr::memchr(b'\\', raw.as_bytes()).is_none() => {
            Cow::Borrowed(raw.get(1..raw.len().saturating_sub(1))?)
        }
        Some(b'"') => serde_json::from_str(raw).ok().map(|Key(text)| text)?,
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Cow::Borrowed(raw),
        _ => return None,
    };
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_asked_for() {
        let json =
            r#"{"a":" x ","n":"12.5","m":7,"yes":"是","no":0,"none":null,"empty":"","list":[1,2],"one":{"b":"c\n"}}"#;
        let object = Object::read(json).unwrap();
        assert_eq!(object.text("a").as_deref(), Some("x"));
        assert_eq!((object.number(&["n"]), object.number(&["m"])), (Some(12.5), Some(7.0)));
        assert_eq!((object.truth(&["none", "yes"]), object.truth(&["no"])), (Some(true), Some(false)));
        assert_eq!(object.first(&["none", "empty", "one", "m"]).as_deref(), Some("7"));
        assert_eq!((object.list("list").len(), object.list("one").len(), object.list("none").len()), (2, 1, 0));
        assert_eq!(object.object("one").unwrap().text("b").as_deref(), Some("c"));
        assert_eq!(object.present(&["a", "none", "empty", "list"]).collect::<Vec<_>>(), ["a", "list"]);
    }

    #[test]
    fn what_is_no_object_is_told() {
        assert_eq!(Object::read("{\"a\":").err(), Some(Reason::Truncated));
        assert_eq!(Object::read("[]").err(), Some(Reason::BadValue));
        assert_eq!(Object::read("{]").err(), Some(Reason::BadSyntax));
    }
}
