//! Ids are derived, never random: the same input always gives the same id (law 3).

use sha2::{Digest, Sha256};

/// 32 hexadecimal digits (128 bits of SHA-256) over the parts.
///
/// Each part is preceded by its length, so that `["ab","c"]` and `["a","bc"]` differ.
#[must_use]
pub fn derive(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut id = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        id.push(char::from(HEX[usize::from(byte >> 4)]));
        id.push(char::from(HEX[usize::from(byte & 15)]));
    }
    id
}

/// The longest text that [`is_id`] takes.
const LONGEST: usize = 128;

/// Letters, digits, '.', '_' or '-': what can stand in a path and in a header.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_token)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(derive(&["ab", "c"]), derive(&["a", "bc"]));
        assert_eq!(derive(&["a", "b"]), derive(&["a", "b"]));
        assert_eq!(derive(&["a"]).len(), 32);
    }
}
