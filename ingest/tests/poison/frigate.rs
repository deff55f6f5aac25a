//! Poisons of Frigate.

use super::Poison;

fn message(kind: &str, after: &str) -> Vec<u8> {
    format!(r#"{{"before":{{}},"after":{after},"type":{kind}}}"#).into_bytes()
}

fn person(members: &str) -> Vec<u8> {
    message("\"new\"", &format!(r#"{{"id":"1795478400.5-abcdef","label":"person","camera":"gate",{members}}}"#))
}

pub(crate) fn poisons() -> Vec<Poison> {
    let good = person(r#""start_time":1795478400.5"#);
    vec![
        ("cut within a text", br#"{"before":null,"after":{"camera":"ga"#.to_vec(), "truncated"),
        ("cut behind a colon", br#"{"type":"new","after":"#.to_vec(), "truncated"),
        ("neither before nor after", br#"{"before":null,"after":null,"type":"new"}"#.to_vec(), "not_this_format"),
        ("a type that is null", message("null", r#"{"label":"person"}"#), "missing_field"),
        ("a type that is a number", message("7", r#"{"label":"person"}"#), "unknown_code"),
        ("after that is a list", message("\"new\"", r#"[{"label":"person"}]"#), "object.detected"),
        ("after that is an empty list", message("\"end\"", "[]"), "missing_field"),
        ("a label that is a list", message("\"new\"", r#"{"label":["person"]}"#), "missing_field"),
        ("a label with a zero", message("\"new\"", r#"{"label":"per\u0000son"}"#), "object.detected"),
        ("a time that is NaN", person(r#""start_time":NaN"#), "bad_syntax"),
        ("a time beyond any", person(r#""start_time":1e999"#), "object.detected"),
        ("a time with an exponent", person(r#""start_time":1795478400.5e2"#), "object.detected"),
        ("a time below zero", person(r#""start_time":-1795478400.5"#), "object.detected"),
        ("zones that are none", person(r#""current_zones":[{},[]],"entered_zones":7"#), "object.detected"),
        ("a false positive in words", person(r#""false_positive":"yes""#), "filtered false_positive"),
        (
            "blanks and controls for ids",
            message("\"new\"", r#"{"id":"a\nb","camera":"front door\u0007","label":"person"}"#),
            "object.detected",
        ),
        (
            "a payload that is a text",
            br#"{"topic":"frigate/events","payload":"{\"type\":\"new\"}"}"#.to_vec(),
            "missing_field",
        ),
        ("a count of a thousand digits", b"9".repeat(1_000), "filtered status"),
        (
            "a broken one between good ones",
            [&good[..], b"\n{\"type\"\n", &good].concat(),
            "object.detected, bad_syntax, object.detected",
        ),
        (
            "files put together, each with its mark",
            [&b"\xef\xbb\xbf"[..], &good, b"\xef\xbb\xbf\n\xef\xbb\xbf", &good].concat(),
            "object.detected, bad_syntax, object.detected",
        ),
        (
            "words behind",
            [&good[..], "南昌\n".as_bytes(), &good].concat(),
            "object.detected, bad_syntax, object.detected",
        ),
        ("nothing but broken ones", b"{]\n".repeat(1_000), "8 bad_syntax, too_large"),
        (
            "more than a record may hold",
            b"{\"topic\":1,\"payload\":\"online\"}".repeat(1_001),
            "1000 device.online, too_large",
        ),
    ]
}
