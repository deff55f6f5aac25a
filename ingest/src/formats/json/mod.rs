//! JSON as devices write it, borrowed: numbers as texts and texts as numbers, a list where one thing should be, documents that
//! follow one another, wrappers around what is meant.
//!
//! A value is skimmed once for each level that a decoder opens, and what it does not open is never built: a picture in base64
//! costs its bytes and no more. Nesting does not recurse, so no depth is too deep for what is passed over.

mod documents;
mod personal;

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// For a serde visitor that looks for objects and lists alone: a number, a text or null where one could be is nothing.
macro_rules! passes_over_scalars {
    () => {
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
    };
}
pub(crate) use passes_over_scalars;

pub(crate) use self::documents::{each, noted_each, one_each, unwrap_each};
use super::chorus::syntax;
use crate::observation::{Observation, Reason};

/// The most members of one object that are looked at: each question walks over them.
const MAX_MEMBERS: usize = 4_096;

/// A member's name, or a text. Serde borrows a `Cow` only where it is told to.
#[derive(Deserialize, PartialEq, Eq)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

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
                while let Some((Key(name), value)) = map.next_entry::<_, &'de RawValue>()? {
                    if members.len() < MAX_MEMBERS {
                        members.push((name, value));
                    }
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

    /// The value of a member; none for null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
        Some(*value).filter(|value| value.get() != "null")
    }

    /// True when a member is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// A text, a number or a truth value as text, trimmed; absent when empty.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
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
    pub(crate) fn ordinal(&self, name: &str) -> Option<String> {
        self.integer(name).filter(|number| *number >= 0).map(|number| number.to_string())
    }

    /// The first of these members that is a number, as such or as text.
    pub(crate) fn number_of(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number(&self.text(name)?))
    }

    /// A truth, in any of its spellings.
    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        self.text(name).as_deref().and_then(truth)
    }

    /// The first of these members that is a truth.
    pub(crate) fn truth_of(&self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| self.truth(name))
    }

    /// An object within; also one that was written into a list.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        let value = self.get(name)?;
        let value = if value.get().starts_with('[') { elements(value).into_iter().next()? } else { value };
        object(value)
    }

    /// The values of a list within; one value that should be in a list is a list of one.
    pub(crate) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).map(elements).unwrap_or_default()
    }

    /// The objects of a list within, or the one that should be in a list.
    pub(crate) fn objects(&self, name: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.list(name).into_iter().filter_map(object)
    }

    /// Those of `known` that hold anything.
    pub(crate) fn present(&self, known: &[&'static str]) -> impl Iterator<Item = &'static str> {
        known.iter().copied().filter(|name| self.get(name).is_some_and(personal::says_something))
    }

    /// Notes by their names the members, at any depth, that are in the sorted list and hold something. What they hold is not
    /// looked at.
    pub(crate) fn note_personal(&self, sorted: &'static [&'static str], observation: &mut Observation) {
        for (name, value) in &self.0 {
            personal::note(name, value, sorted, observation);
        }
    }
}

/// The object that a value is.
pub(crate) fn object(value: &RawValue) -> Option<Object<'_>> {
    value.get().starts_with('{').then(|| Object::read(value.get()).ok()).flatten()
}

/// The values of a list, or the value alone; nothing for null and the empty text.
pub(crate) fn elements(value: &RawValue) -> Vec<&RawValue> {
    match value.get() {
        "null" | "\"\"" => Vec::new(),
        list if list.starts_with('[') => serde_json::from_str(list).unwrap_or_default(),
        _ => vec![value],
    }
}

/// The text of a value that is no object and no list; absent when empty.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    let text = match json.bytes().next() {
        // What holds no escape stands there as it is: it has been checked when it was skimmed.
        Some(b'"') if memchr::memchr(b'\\', json.as_bytes()).is_none() => {
            Cow::Borrowed(json.get(1..json.len().saturating_sub(1))?)
        }
        Some(b'"') => serde_json::from_str(json).ok().map(|Key(text)| text)?,
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Cow::Borrowed(json),
        _ => return None,
    };
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    // Some write their nothing as a word.
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

/// A number that is one: not NaN, and not without end.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `true`, `1`, `yes` and their kin; absent when it is neither.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "是" => Some(true),
        "false" | "0" | "no" | "off" | "n" | "否" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chorus_model::{DeviceScheme, Kind};

    use super::*;

    #[test]
    fn numbers_are_texts_and_texts_are_numbers() {
        let json = r#"{"a":"12","b":12,"c":12.9,"d":" x ","e":"","f":null,"g":true,"h":{"i":[1]},"j":"-1","a":"99"}"#;
        let object = Object::read(json).unwrap();
        assert_eq!([object.integer("a"), object.integer("b"), object.integer("c")], [Some(12); 3]);
        assert_eq!((object.ordinal("b").as_deref(), object.ordinal("j")), (Some("12"), None));
        assert_eq!(object.number_of(&["f", "d", "c"]), Some(12.9));
        assert_eq!(["NaN", "inf", "1e999", "", "x"].map(number), [None; 5]);
        assert_eq!((object.text("d").as_deref(), object.text_of(&["e", "d"]).as_deref()), (Some("x"), Some("x")));
        for absent in ["e", "f", "h", "z"] {
            assert_eq!(object.text(absent), None, "{absent}");
        }
        assert!(object.has("e") && !object.has("f") && !object.has("z"));
        assert_eq!(object.object("h").map(|h| h.list("i").len()), Some(1));
    }

    #[test]
    fn a_truth_has_many_spellings() {
        let object = Object::read(r#"{"a":true,"b":"是","c":"ON","d":0,"e":"否","f":"maybe"}"#).unwrap();
        assert_eq!(["a", "b", "c"].map(|name| object.truth(name)), [Some(true); 3]);
        assert_eq!(["d", "e"].map(|name| object.truth(name)), [Some(false); 2]);
        assert_eq!((object.truth("f"), object.truth_of(&["f", "d"])), (None, Some(false)));
    }

    #[test]
    fn one_object_is_a_list_of_one_and_the_other_way_round() {
        let object = Object::read(r#"{"a":{"b":1},"c":[{"b":2},{"b":3}],"d":"","e":"x","f":null}"#).unwrap();
        let lengths = ["a", "c", "d", "e", "f", "z"].map(|name| object.list(name).len());
        assert_eq!(lengths, [1, 2, 0, 1, 0, 0]);
        assert_eq!(object.object("c").and_then(|c| c.integer("b")), Some(2));
        assert!(object.object("e").is_none());
        assert_eq!(object.objects("c").count(), 2);
    }

    #[test]
    fn what_is_no_object_is_told() {
        assert_eq!(Object::read("{\"a\":").err(), Some(Reason::Truncated));
        assert_eq!(Object::read("[]").err(), Some(Reason::BadValue));
        assert_eq!(Object::read("{]").err(), Some(Reason::BadSyntax));
    }

    #[test]
    fn personal_members_are_named_at_any_depth_when_they_hold_something() {
        let mut observation = Observation::new("d", DeviceScheme::Own, Kind::DeviceFault);
        let object =
            Object::read(r#"{"x":[{"name":"a"}],"plate":"","y":{"z":{"plate":"b"}},"card":"0","w":["name"]}"#).unwrap();
        object.note_personal(&["card", "name", "plate"], &mut observation);
        assert_eq!(observation.dropped, ["name", "plate"]);
        assert_eq!(object.present(&["card", "plate", "x", "y"]).collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
        let text = String::from_utf8(deep).unwrap();
        let object = Object::read(&text).unwrap();
        let mut observation = Observation::new("d", DeviceScheme::Own, Kind::DeviceFault);
        object.note_personal(&["name"], &mut observation);
    }
}
