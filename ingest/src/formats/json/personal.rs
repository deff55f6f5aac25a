//! The names of what stays behind.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Key, passes_over_scalars};
use crate::observation::Observation;

/// The most elements of one list that are looked into.
const MAX_ELEMENTS: usize = 4_096;

/// False for what devices write when they have nothing to say.
pub(super) fn says_something(value: &RawValue) -> bool {
    !matches!(
        value.get(),
        "null" | "\"\"" | "[]" | "{}" | "0" | "\"0\"" | "false" | "-1" | "\" \"" | "\"_无_\"" | "\"无车牌\""
    )
}

/// Notes a member when it is in the sorted list, else what is in it.
pub(super) fn note(name: &str, value: &RawValue, sorted: &'static [&'static str], observation: &mut Observation) {
    if let Ok(at) = sorted.binary_search(&name) {
        if let Some(known) = sorted.get(at).filter(|_| says_something(value)) {
            observation.drop_field(*known);
        }
    } else if value.get().starts_with(['{', '[']) {
        let mut reader = serde_json::Deserializer::from_str(value.get());
        // A value that nests too deep ends the search; it was left behind all the same.
        let _ended = Within { sorted, observation }.deserialize(&mut reader).is_ok();
    }
}

/// Looks for members within a value.
struct Within<'o> {
    sorted: &'static [&'static str],
    observation: &'o mut Observation,
}

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if let Ok(at) = self.sorted.binary_search(&key.as_ref()) {
                let value: &'de RawValue = map.next_value()?;
                if let Some(name) = self.sorted.get(at).filter(|_| says_something(value)) {
                    self.observation.drop_field(*name);
                }
            } else {
                map.next_value_seed(Within { sorted: self.sorted, observation: self.observation })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for _ in 0..MAX_ELEMENTS {
            let next = Within { sorted: self.sorted, observation: self.observation };
            if seq.next_element_seed(next)?.is_none() {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    passes_over_scalars!();
}
