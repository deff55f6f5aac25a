//! Poisons of locating gateways.

use super::Poison;

fn message(members: &str) -> Vec<u8> {
    format!(r#"{{"gateway id":1,{members}}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("cut within a name", br#"{"gateway id":1,"cont"#.to_vec(), "truncated"),
        ("no content", message(r#""node":"TAG""#), "not_this_format"),
        ("content that is null", message(r#""content":null"#), "not_this_format"),
        ("content that is a number", message(r#""content":300"#), "unknown_code"),
        ("content with a zero", message(r#""content":"heart\u0000beat""#), "unknown_code"),
        ("half a surrogate for content", message(r#""content":"\udc00""#), "not_this_format"),
        ("content without end", message(&format!(r#""content":"{}""#, "a".repeat(100_000))), "unknown_code"),
        ("a gateway that is null", br#"{"gateway id":null,"content":"heartbeat"}"#.to_vec(), "not_this_format"),
        (
            "a gateway with blanks",
            br#"{"gateway id":"hall 1\u0007","content":"heartbeat"}"#.to_vec(),
            "device.heartbeat",
        ),
        (
            "a fall that happened perhaps",
            message(r#""content":"motion info fall","happen":"perhaps""#),
            "missing_field",
        ),
        ("a fall without a word", message(r#""content":"motion info fall""#), "missing_field"),
        ("a plug of a number", message(r#""content":"5V status","5V plugged":2"#), "missing_field"),
        ("a call of nobody", message(r#""content":"SOS","MAC":"00:00:00:00:00:00""#), "tag.sos"),
        ("a call from a banana", message(r#""content":"heartbeat","SOS":"yes","MAC":"banana\u0000""#), "tag.sos"),
        ("a call that is NaN", message(r#""content":"heartbeat","SOS":NaN"#), "bad_syntax"),
        ("a node beyond any number", message(r#""content":"SOS","node":"TAG","id":1e400"#), "tag.sos"),
        ("a number below zero", message(r#""content":"heartbeat","serial no":-1"#), "device.heartbeat"),
        (
            "health that says it is an alarm",
            message(r#""content":"motion info alarm","hr":300"#),
            "filtered health_values",
        ),
        (
            "broken ones between good ones",
            br#"[{"gateway id":1,"content":"heartbeat"},null,{},{"gateway id":1,"content":"heartbeat"}]"#.to_vec(),
            "device.heartbeat, bad_value, not_this_format, device.heartbeat",
        ),
        (
            "more than a record may hold",
            message(r#""content":"heartbeat""#).repeat(1_001),
            "1000 device.heartbeat, too_large",
        ),
    ]
}
