//! Ids of events as the state keeps them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// In 16 bytes where it is an id of ours (32 hexadecimal digits, [`chorus_model::id::derive`]), as text where it is not. Written as
/// text in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventId {
    Ours([u8; 16]),
    Text(Box<str>),
}

impl From<&str> for EventId {
    fn from(text: &str) -> Self {
        ours(text).map_or_else(|| Self::Text(text.into()), Self::Ours)
    }
}

/// The bytes of 32 digits, in the letters in which ours are written: else the text would not come back as it was.
fn ours(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | value(*digit)?))?;
    }
    Some(bytes)
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer).map(|text| Self::from(&*text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_as_it_was_and_those_of_ours_take_no_memory_of_their_own() {
        let ours = chorus_model::id::derive(&["a"]);
        let upper = ours.to_uppercase();
        for text in [
            &*ours,
            &upper,
            "",
            "x",
            &ours[..31],
            "0123456789abcdef0123456789abcdeg",
            "é123456789abcdef0123456789abcde",
        ] {
            let id = EventId::from(text);
            assert_eq!(id.to_string(), text);
            let written = serde_json::to_string(&id).unwrap();
            assert_eq!(written, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<EventId>(&written).unwrap(), id);
            assert_eq!(matches!(id, EventId::Ours(_)), text == ours);
        }
        assert_eq!(size_of::<EventId>(), 24);
    }
}
