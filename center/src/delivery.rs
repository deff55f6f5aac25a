//! From the bytes of a delivery to an alert, or to the name of the field that is wrong. Pure; never repeats what it read.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

use chorus_model::Alert;
use chorus_model::id::is_id;

/// The header with `alert_id:revision`.
pub const HEADER_IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header with the revision.
pub const HEADER_REVISION: &str = "chorus-revision";

const SCHEMA_VERSION: u16 = 1;
const LONGEST_PLACE: usize = 256;

/// What is wrong with a delivery: which field, and what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) field: String,
    pub(crate) expected: &'static str,
}

fn unusable(field: &str, expected: &'static str) -> Unusable {
    Unusable { field: field.to_owned(), expected }
}

/// Reads an alert and holds it against its headers.
pub(crate) fn read(body: &[u8], key: Option<&str>, revision: Option<&str>) -> Result<Alert, Unusable> {
    // serde would take an array for a structure, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(unusable("body", "one JSON object"));
    }
    let mut input = serde_json::Deserializer::from_slice(body);
    let mut alert: Alert = serde_path_to_error::deserialize(&mut input).map_err(|error| wrong_shape(&error))?;
    input.end().map_err(|_| unusable("body", "one JSON object"))?;
    // What people did is the centre's own; a sender has no say in it.
    alert.incident = None;
    check(&alert)?;
    if key != Some(alert.idempotency_key().as_str()) {
        return Err(unusable(HEADER_IDEMPOTENCY_KEY, "alert_id:revision of the alert in the body"));
    }
    if revision.and_then(|text| text.parse().ok()) != Some(alert.revision) {
        return Err(unusable(HEADER_REVISION, "the revision of the alert in the body"));
    }
    Ok(alert)
}

fn check(alert: &Alert) -> Result<(), Unusable> {
    if alert.schema_version != SCHEMA_VERSION {
        return Err(unusable("schema_version", "1"));
    }
    if !is_id(&alert.alert_id) {
        return Err(unusable("alert_id", "1 to 128 letters, digits, '.', '_' or '-'"));
    }
    if alert.revision == 0 {
        return Err(unusable("revision", "1 or more"));
    }
    if !is_id(&alert.kind) {
        return Err(unusable("kind", "1 to 128 letters, digits, '.', '_' or '-'"));
    }
    let id = &alert.place.id;
    if id.is_empty() || id.len() > LONGEST_PLACE || id.chars().any(char::is_control) {
        return Err(unusable("place.id", "1 to 256 bytes without control characters"));
    }
    Ok(())
}

/// serde's own message may repeat a value; the path and the name of a missing field are words of our schema.
fn wrong_shape(error: &serde_path_to_error::Error<serde_json::Error>) -> Unusable {
    if error.inner().is_syntax() || error.inner().is_eof() {
        return unusable("body", "JSON");
    }
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let message = error.inner().to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    // An unknown key is the sender's own text: it is not repeated.
    if message.starts_with("unknown field") {
        return unusable("body", "no fields but those of alert.schema.json");
    }
    let (field, expected) = match (missing, path.is_empty()) {
        (Some(name), true) => (name.to_owned(), "to be there"),
        (Some(name), false) => (format!("{path}.{name}"), "to be there"),
        (None, true) => ("body".to_owned(), "an alert as alert.schema.json describes it"),
        (None, false) => (path, "what alert.schema.json says"),
    };
    Unusable { field, expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert() -> serde_json::Value {
        json!({
            "schema_version": 1, "alert_id": "a1", "revision": 2, "status": "firing", "kind": "access.forced",
            "severity": "high", "place": {"id": "p1", "name": "Gate 1", "kind": "village"},
            "starts_at": "2026-11-25T08:00:00Z", "updated_at": "2026-11-25T08:00:00Z",
            "summary": {"zh": "门", "en": "gate"}, "reasons": [], "tipped_at": "2026-11-25T08:00:00Z"
        })
    }

    fn field_of(change: impl Fn(&mut serde_json::Value)) -> String {
        let mut body = alert();
        change(&mut body);
        let unusable = read(body.to_string().as_bytes(), Some("a1:2"), Some("2")).unwrap_err();
        assert!(!format!("{unusable:?}").contains("secret"), "{unusable:?}");
        unusable.field
    }

    #[test]
    fn the_field_is_named_and_its_content_is_not() {
        assert_eq!(field_of(|b| b["status"] = json!("secret")), "status");
        assert_eq!(field_of(|b| drop(b.as_object_mut().unwrap().remove("severity"))), "severity");
        assert_eq!(field_of(|b| drop(b["place"].as_object_mut().unwrap().remove("name"))), "place.name");
        assert_eq!(field_of(|b| b["reasons"] = json!([{"rule": "secret"}])), "reasons[0].kind");
        assert_eq!(field_of(|b| b["summary"]["secret"] = json!("x")), "body");
        assert_eq!(field_of(|b| b["place"]["id"] = json!("secret\u{0}")), "place.id");
        assert_eq!(field_of(|b| b["revision"] = json!(0)), "revision");
        assert_eq!(field_of(|b| b["schema_version"] = json!(9)), "schema_version");
        assert_eq!(field_of(|b| b["alert_id"] = json!("../secret")), "alert_id");
        assert_eq!(field_of(|b| b["starts_at"] = json!("secret")), "starts_at");
        assert_eq!(field_of(|b| *b = json!(["secret"])), "body");
    }

    #[test]
    fn the_headers_must_say_what_the_body_says() {
        let body = alert().to_string();
        assert!(read(body.as_bytes(), Some("a1:2"), Some("2")).is_ok());
        for (key, revision, field) in [
            (None, Some("2"), HEADER_IDEMPOTENCY_KEY),
            (Some("a1:1"), Some("2"), HEADER_IDEMPOTENCY_KEY),
            (Some("a1:2"), None, HEADER_REVISION),
            (Some("a1:2"), Some("3"), HEADER_REVISION),
        ] {
            assert_eq!(read(body.as_bytes(), key, revision).unwrap_err().field, field);
        }
    }

    #[test]
    fn no_bytes_make_it_panic_and_half_a_body_is_not_an_alert() {
        let body = alert().to_string();
        for end in 0..body.len() {
            assert!(read(&body.as_bytes()[..end], Some("a1:2"), Some("2")).is_err(), "{end}");
        }
        assert_eq!(read(format!("{body}{{}}").as_bytes(), Some("a1:2"), Some("2")).unwrap_err().field, "body");
    }

    #[test]
    fn a_sender_cannot_set_the_incident() {
        let mut body = alert();
        body["incident"] = json!({"state": "closed", "since": "2026-11-25T08:00:00Z"});
        assert_eq!(read(body.to_string().as_bytes(), Some("a1:2"), Some("2")).unwrap().incident, None);
    }
}
