//! Sealing: rejected bytes are encrypted before they are written (XChaCha20-Poly1305, a random nonce of 24 bytes).
//!
//! A seal is bound to the reject's origin: it cannot be moved to another record. Layout: version (1 byte, 1), nonce (24),
//! ciphertext with tag. The plaintext holds the whole raw record: key, headers, value.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chorus_runtime::secret::{self, SecretError};

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// A raw record as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawRecord {
    /// Its key.
    pub key: Vec<u8>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its value.
    pub value: Vec<u8>,
}

/// A seal that cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file is unreadable or holds no key.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The system gave no random bytes, or the cipher refused.
    #[error("cannot seal")]
    Seal,
    /// Another key, another origin, or damaged bytes.
    #[error("cannot open: sealed with another key, for another record, or damaged")]
    Open,
}

/// The key that seals and opens.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// With the key in a file: 32 bytes as 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the file cannot be read or holds anything but 32 bytes.
    pub fn from_file(file: &Path) -> Result<Self, SealError> {
        let key = secret::read(file, 32)?;
        Self::from_key(&key).ok_or_else(|| {
            let message = "expected exactly 32 bytes, as 64 hexadecimal digits (openssl rand -hex 32)".to_owned();
            SecretError { file: file.display().to_string(), message }.into()
        })
    }

    /// With a key of 32 bytes; `None` for any other length.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let key = Key::try_from(key).ok()?;
        Some(Self { cipher: XChaCha20Poly1305::new(&key) })
    }

    /// Seals a record for the reject with this origin.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, record: &RawRecord, origin: &str) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Seal)?;
        let plain = pack(record);
        let payload = Payload { msg: &plain, aad: origin.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Seal)?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Opens a seal made for this origin.
    ///
    /// # Errors
    /// With another key, for another origin, or when the bytes are damaged.
    pub fn open(&self, sealed: &[u8], origin: &str) -> Result<RawRecord, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Open)?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Open)?;
        if *version != VERSION {
            return Err(SealError::Open);
        }
        let payload = Payload { msg: cipher, aad: origin.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Open)?;
        unpack(&plain).ok_or(SealError::Open)
    }
}

/// Length-prefixed fields, so that every byte comes back as it was.
fn pack(record: &RawRecord) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.value.len() + 256);
    let mut field = |bytes: &[u8]| {
        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(bytes);
    };
    field(&record.key);
    field(&record.value);
    for (name, value) in &record.headers {
        field(name.as_bytes());
        field(value);
    }
    out
}

fn unpack(bytes: &[u8]) -> Option<RawRecord> {
    let mut rest = bytes;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        fields.push(field.to_owned());
        rest = after;
    }
    let mut fields = fields.into_iter();
    let (key, value) = (fields.next()?, fields.next()?);
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        headers.push((String::from_utf8(name).ok()?, value));
    }
    Some(RawRecord { key, headers, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RawRecord {
        let headers = vec![("format".to_owned(), b"onvif".to_vec()), ("empty".to_owned(), Vec::new())];
        RawRecord { key: b"gate-1".to_vec(), headers, value: b"\x00\xff broken <xml".to_vec() }
    }

    #[test]
    fn a_sealed_record_comes_back_byte_for_byte() {
        let sealer = Sealer::from_key(&[7; 32]).unwrap();
        let sealed = sealer.seal(&record(), "raw.gate/0/1/0").unwrap();
        assert_eq!(sealer.open(&sealed, "raw.gate/0/1/0").unwrap(), record());
        assert!(!sealed.windows(6).any(|window| window == b"broken"));
    }

    #[test]
    fn another_key_another_record_or_a_flipped_bit_opens_nothing() {
        let sealer = Sealer::from_key(&[7; 32]).unwrap();
        let mut sealed = sealer.seal(&record(), "raw.gate/0/1/0").unwrap();
        assert!(Sealer::from_key(&[8; 32]).unwrap().open(&sealed, "raw.gate/0/1/0").is_err());
        assert!(sealer.open(&sealed, "raw.gate/0/2/0").is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(sealer.open(&sealed, "raw.gate/0/1/0").is_err());
        assert!(sealer.open(b"", "raw.gate/0/1/0").is_err());
    }
}
