//! The governance centre, and every receiver that speaks as it does: signed JSON, recognisable repeats, numbered revisions.

use chorus_model::Timestamp;
use chorus_runtime::secret;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Form, Message, Outgoing, Problem, sensitive};
use crate::Settings;

/// The type's name.
pub const NAME: &str = "centre";
pub(super) const KEYS: &[&str] = &["key_file"];

/// `alert_id:revision`.
pub const HEADER_IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The revision alone, so that a receiver can order without parsing.
pub const HEADER_REVISION: HeaderName = HeaderName::from_static("chorus-revision");

/// The shortest key, in bytes.
pub const KEY_BYTES: usize = 16;

struct Centre {
    key: Vec<u8>,
}

impl std::fmt::Debug for Centre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Centre").finish_non_exhaustive()
    }
}

pub(super) fn open(settings: &Settings) -> Result<Box<dyn Form>, Problem> {
    let Some(file) = &settings.key_file else {
        return Err(("key_file", "is required: deliveries are signed".to_owned()));
    };
    let key = secret::read(file, KEY_BYTES).map_err(|error| ("key_file", error.to_string()))?;
    Ok(Box::new(Centre { key }))
}

impl Form for Centre {
    fn path(&self) -> &'static str {
        "/api/v1/deliveries"
    }

    /// The alert's own JSON, signed for this attempt: a signature of an earlier one may be too old by now.
    fn message(&self, outgoing: &Outgoing, now: Timestamp) -> Message {
        let seconds = now.as_millis().div_euclid(1_000);
        let mut headers = HeaderMap::new();
        headers.insert(HEADER_IDEMPOTENCY_KEY, outgoing.idempotency_key.clone());
        headers.insert(HEADER_REVISION, HeaderValue::from(outgoing.alert.revision));
        headers.insert(HeaderName::from_static(secret::HEADER_TIMESTAMP), HeaderValue::from(seconds));
        if let Some(signature) = sensitive(&secret::sign(&self.key, seconds, &outgoing.json)) {
            headers.insert(HeaderName::from_static(secret::HEADER_SIGNATURE), signature);
        }
        Message { headers, body: outgoing.json.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destinations::samples;

    #[test]
    fn the_signature_is_the_one_that_other_languages_compute() {
        // printf '1000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected = "sha256=bd3e8b6d13803a2406a848a68bc7a2e80b251fb9d894858564c77ce80a4aa634";
        assert_eq!(secret::sign(b"0123456789abcdef", 1_000, b"{}"), expected);
    }

    #[test]
    fn each_attempt_is_signed_anew_over_the_alert_as_it_stands_in_the_log() {
        let centre = Centre { key: b"0123456789abcdef".to_vec() };
        let outgoing = samples::outgoing(&samples::alert());
        for seconds in [1_000, 1_900] {
            let message = centre.message(&outgoing, Timestamp::from_micros(seconds * 1_000_000 + 999_999));
            let header = |name: &str| message.headers.get(name).unwrap().to_str().unwrap();
            assert_eq!(message.body, outgoing.json);
            assert_eq!(header("chorus-timestamp"), seconds.to_string());
            assert!(secret::verify(b"0123456789abcdef", seconds, &message.body, header("chorus-signature"), seconds));
            assert_eq!((header("idempotency-key"), header("chorus-revision")), ("0f3b:1", "1"));
        }
    }
}
