//! What becomes of a credential at the border: a keyed pseudonym, and only where the border has a key.

use chorus_model::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::observation::Credential;

const DAY: i64 = 86_400_000_000;

/// 32 hexadecimal digits of HMAC-SHA-256 over scope, day and credential: the same card at the same place on the same day, and
/// nothing beyond that.
pub(crate) fn of(key: &[u8], scope: &str, received_at: Timestamp, credential: &Credential) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    let day = received_at.as_micros().div_euclid(DAY);
    for part in [scope.as_bytes(), &day.to_le_bytes(), credential.expose().as_bytes()] {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        mac.update(part);
    }
    let mut text = hex::encode(mac.finalize().into_bytes());
    text.truncate(32);
    Some(text)
}
