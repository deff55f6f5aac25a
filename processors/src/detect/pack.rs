//! Numbers as short text: six bits a character, for states that are written often.

const ALPHABET: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

fn digit(byte: u8) -> Option<u64> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(u64::from(value))
}

/// Each number as `width` characters, the highest first. Bits above `6 * width` are lost.
pub(crate) fn pack(numbers: impl Iterator<Item = u64>, width: u32) -> String {
    let mut text = String::new();
    for number in numbers {
        for place in (0..width).rev() {
            let index = usize::try_from(number >> (6 * place) & 63).unwrap_or(0);
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
        }
    }
    text
}

/// The numbers of a text that [`pack`] made; `None` when it is no such text.
pub(crate) fn unpack(text: &str, width: u32) -> Option<Vec<u64>> {
    let width = usize::try_from(width).ok()?;
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(width) {
        return None;
    }
    let number = |chunk: &[u8]| chunk.iter().try_fold(0_u64, |number, byte| Some(number << 6 | digit(*byte)?));
    bytes.chunks(width).map(number).collect()
}

/// `#[serde(with = …)]` for lists of 64-bit numbers.
pub(crate) mod u64s {
    use std::collections::VecDeque;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WIDTH: u32 = 11;

    pub(crate) fn serialize<S: Serializer>(numbers: &VecDeque<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(numbers.iter().copied(), WIDTH))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<u64>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::unpack(&text, WIDTH).map(VecDeque::from).ok_or_else(|| D::Error::custom("not packed numbers"))
    }
}

/// `#[serde(with = …)]` for lists of numbers below 2^30.
pub(crate) mod u30s {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WIDTH: u32 = 5;

    pub(crate) fn serialize<S: Serializer>(numbers: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(numbers.iter().map(|number| u64::from(*number)), WIDTH))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let numbers = super::unpack(&text, WIDTH).ok_or_else(|| D::Error::custom("not packed numbers"))?;
        Ok(numbers.into_iter().map(|number| u32::try_from(number).unwrap_or(u32::MAX)).collect())
    }
}

/// `#[serde(with = …)]` for lists of 16-bit numbers.
pub(crate) mod u16s {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WIDTH: u32 = 3;

    pub(crate) fn serialize<S: Serializer>(numbers: &[u16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(numbers.iter().map(|number| u64::from(*number)), WIDTH))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let numbers = super::unpack(&text, WIDTH).ok_or_else(|| D::Error::custom("not packed numbers"))?;
        Ok(numbers.into_iter().map(|number| u16::try_from(number).unwrap_or(u16::MAX)).collect())
    }
}

/// `#[serde(with = …)]` for lists of floating-point numbers, bit for bit.
pub(crate) mod f64s {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WIDTH: u32 = 11;

    pub(crate) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(numbers.iter().map(|number| number.to_bits()), WIDTH))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bits = super::unpack(&text, WIDTH).ok_or_else(|| D::Error::custom("not packed numbers"))?;
        Ok(bits.into_iter().map(f64::from_bits).collect())
    }
}

/// `#[serde(with = …)]` for lists of short floating-point numbers, bit for bit.
pub(crate) mod f32s {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WIDTH: u32 = 6;

    pub(crate) fn serialize<S: Serializer>(numbers: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(numbers.iter().map(|number| u64::from(number.to_bits())), WIDTH))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bits = super::unpack(&text, WIDTH).ok_or_else(|| D::Error::custom("not packed numbers"))?;
        Ok(bits.into_iter().map(|bits| f32::from_bits(u32::try_from(bits).unwrap_or(0))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_their_text() {
        let numbers = [0, 1, 63, 64, 4_095, u64::MAX];
        assert_eq!(unpack(&pack(numbers.into_iter(), 11), 11).unwrap(), numbers);
        assert_eq!(unpack("ab", 5), None);
        assert_eq!(unpack("ab!cd", 5), None);
    }
}
