//! Secrets come from files, and sign what leaves Kafka over HTTP.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the time of signing: seconds since 1970-01-01T00:00:00Z.
pub const HEADER_TIMESTAMP: &str = "chorus-timestamp";
/// The header with the signature: `sha256=` and 64 hexadecimal digits.
pub const HEADER_SIGNATURE: &str = "chorus-signature";
/// A signature older or younger than this, in seconds, is refused: what was overheard cannot be sent again later.
pub const TOLERANCE_SECONDS: i64 = 300;

/// A secret that cannot be used. Never shows the secret.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct SecretError {
    /// Which file.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
}

/// Reads a secret of `at_least` bytes: an even number of hexadecimal digits counts as the bytes they name, anything else as
/// it stands, without white space around it.
///
/// # Errors
/// When the file cannot be read or is too short.
pub fn read(file: &Path, at_least: usize) -> Result<Vec<u8>, SecretError> {
    let problem = |message: String| SecretError { file: file.display().to_string(), message };
    let text = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    let text = text.trim_ascii();
    let secret = hex::decode(text).unwrap_or_else(|_| text.to_owned());
    if secret.len() < at_least {
        return Err(problem(format!("expected a key of at least {at_least} bytes (openssl rand -hex {at_least})")));
    }
    Ok(secret)
}

fn mac(key: &[u8], timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The value of [`HEADER_SIGNATURE`] for a body that is sent at `timestamp`: HMAC-SHA-256 over `timestamp.body`.
#[must_use]
pub fn sign(key: &[u8], timestamp: i64, body: &[u8]) -> String {
    let digest = mac(key, timestamp, body).map(|mac| hex::encode(mac.finalize().into_bytes()));
    format!("sha256={}", digest.unwrap_or_default())
}

/// Whether `signature` is that of the body, made within [`TOLERANCE_SECONDS`] of `now` (both in seconds since 1970).
#[must_use]
pub fn verify(key: &[u8], timestamp: i64, body: &[u8], signature: &str, now: i64) -> bool {
    let fresh = now.saturating_sub(timestamp).saturating_abs() <= TOLERANCE_SECONDS;
    let given = signature.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok());
    match (given, mac(key, timestamp, body)) {
        (Some(given), Some(mac)) => fresh && mac.verify_slice(&given).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_body_its_time_and_its_key_alone() {
        let signature = sign(b"key", 1_000, b"{}");
        assert!(verify(b"key", 1_000, b"{}", &signature, 1_200));
        assert!(!verify(b"other", 1_000, b"{}", &signature, 1_000));
        assert!(!verify(b"key", 1_001, b"{}", &signature, 1_000));
        assert!(!verify(b"key", 1_000, b"{ }", &signature, 1_000));
        assert!(!verify(b"key", 1_000, b"{}", &signature, 1_301), "too old");
        assert!(!verify(b"key", 1_000, b"{}", "sha256=", 1_000));
        assert!(!verify(b"key", 1_000, b"{}", "", 1_000));
    }
}
