//! Poisons of iSecure Center.

use super::Poison;

const OPENED: &str = r#"{"eventId":"E1","eventType":198914,"srcIndex":"D1","happenTime":"2026-11-24T08:00:00+08:00"}"#;

fn notice(events: &str) -> Vec<u8> {
    format!(r#"{{"method":"OnEventNotify","params":{{"ability":"event_acs","events":{events}}}}}"#).into_bytes()
}

fn one(members: &str) -> Vec<u8> {
    notice(&format!("[{{{members}}}]"))
}

fn opened(members: &str) -> Vec<u8> {
    one(&format!(r#""eventType":198914,{members}"#))
}

pub(crate) fn poisons() -> Vec<Poison> {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(notice("[]").into_iter().flat_map(|byte| [byte, 0])).collect();
    vec![
        (
            "cut within a number",
            br#"{"method":"OnEventNotify","params":{"events":[{"eventType":1989"#.to_vec(),
            "truncated",
        ),
        ("cut behind a name", br#"{"method":"OnEventNotify","params""#.to_vec(), "truncated"),
        ("events that are a text", notice("\"none\""), "bad_value"),
        ("no events", notice("[]"), "filtered empty_list"),
        ("events that are null", notice("null"), "not_this_format"),
        (
            "broken ones between good ones",
            notice(&format!(r#"[{OPENED},7,{OPENED},{{"eventType":null}}]"#)),
            "access.granted, bad_value, access.granted, missing_field",
        ),
        ("a type beyond any number", one(r#""eventType":1e400,"srcIndex":"D1""#), "missing_field"),
        ("a type with a fraction", one(r#""eventType":198914.0,"srcIndex":"D1""#), "access.granted"),
        ("a type of words", one(r#""eventType":"door""#), "missing_field"),
        ("a type that is a list", one(r#""eventType":[198914]"#), "missing_field"),
        ("a type that is NaN", one(r#""eventType":NaN"#), "bad_syntax"),
        ("two types, of which the first counts", one(r#""eventType":197634,"eventType":198914"#), "access.denied"),
        ("a rule without details", one(r#""eventType":0,"srcType":"eventRule","eventDetails":[]"#), "unknown_code"),
        ("details that are none", one(r#""eventType":0,"eventDetails":[1,"x",null]"#), "3 bad_value"),
        ("a state of nobody", opened(r#""status":99"#), "access.granted"),
        ("the year 9999", opened(r#""happenTime":"9999-12-31T23:59:59+08:00""#), "access.granted"),
        ("the year 0", opened(r#""happenTime":"0000-01-01T00:00:00.000+08:00""#), "access.granted"),
        ("blanks and controls for ids", opened(r#""eventId":"\u0000\n 1","srcIndex":" \u0007 ""#), "access.granted"),
        ("half a surrogate in an id", opened(r#""eventId":"\ud800""#), "access.granted"),
        ("half a surrogate in a name", opened(r#""\udc00":1"#), "bad_syntax"),
        (
            "lists in lists, a hundred thousand deep",
            opened(&format!(r#""data":{}{}"#, "[".repeat(100_000), "]".repeat(100_000))),
            "access.granted",
        ),
        ("a mark of byte order", [&b"\xef\xbb\xbf"[..], &notice(&format!("[{OPENED}]"))].concat(), "access.granted"),
        ("zeros behind", [&notice(&format!("[{OPENED}]"))[..], b"\0\0"].concat(), "access.granted, bad_syntax"),
        ("UTF-16 with its mark", utf16, "filtered empty_list"),
        (
            "more than a record may hold",
            notice(&format!("[{}{OPENED}]", format!("{OPENED},").repeat(500))),
            "500 access.granted, too_large",
        ),
    ]
}
