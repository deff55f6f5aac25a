//! Poisons of Chorus's own schema.

use super::Poison;

/// An event with these members behind the ones that it must have.
fn event(more: &str) -> Vec<u8> {
    format!(r#"{{"specversion":"1.0","id":"p","source":"s","type":"chorus.panic.button"{more}}}"#).into_bytes()
}

fn member(name: &str, value: &str) -> Vec<u8> {
    event(&format!(r#","data":{{"{name}":{value}}}"#))
}

fn without(name: &str) -> Vec<u8> {
    let members = [("specversion", "1.0"), ("id", "p"), ("source", "s"), ("type", "chorus.panic.button")];
    let members = members.into_iter().filter(|(member, _)| *member != name);
    let members: Vec<String> = members.map(|(member, value)| format!(r#""{member}":"{value}""#)).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

fn typed(kind: &str) -> Vec<u8> {
    format!(r#"{{"specversion":"1.0","id":"p","source":"s","type":"{kind}"}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("white space", b" \r\n\t".to_vec(), "truncated"),
        ("an open brace", b"{".to_vec(), "truncated"),
        ("an open list", b"[".to_vec(), "truncated"),
        ("a list of nothing", b"[]".to_vec(), "not_this_format"),
        ("an object of nothing", b"{}".to_vec(), "missing_field"),
        ("null", b"null".to_vec(), "bad_value"),
        ("a number", b"42".to_vec(), "bad_value"),
        ("a text", b"\"chorus.panic.button\"".to_vec(), "bad_value"),
        ("no version", without("specversion"), "missing_field"),
        ("no id", without("id"), "missing_field"),
        ("no source", without("source"), "missing_field"),
        ("no type", without("type"), "missing_field"),
        (
            "another version",
            br#"{"specversion":"0.3","id":"p","source":"s","type":"chorus.panic.button"}"#.to_vec(),
            "not_this_format",
        ),
        (
            "a version that is a number",
            br#"{"specversion":1.0,"id":"p","source":"s","type":"chorus.panic.button"}"#.to_vec(),
            "bad_value",
        ),
        (
            "an empty id",
            br#"{"specversion":"1.0","id":"","source":"s","type":"chorus.panic.button"}"#.to_vec(),
            "missing_field",
        ),
        (
            "an empty source",
            br#"{"specversion":"1.0","id":"p","source":"","type":"chorus.panic.button"}"#.to_vec(),
            "missing_field",
        ),
        (
            "the id twice",
            br#"{"specversion":"1.0","id":"p","id":"q","source":"s","type":"chorus.panic.button"}"#.to_vec(),
            "bad_value",
        ),
        ("a kind of nobody", typed("chorus.door.exploded"), "unknown_code"),
        ("a kind without its room", typed("panic.button"), "unknown_code"),
        ("a kind in capitals", typed("chorus.PANIC.BUTTON"), "unknown_code"),
        ("a type of nothing", typed(""), "unknown_code"),
        ("a phase of nobody", member("phase", r#""middle""#), "bad_value"),
        ("a severity of nobody", member("severity", r#""urgent""#), "bad_value"),
        ("a count that is a text", member("count", r#""3""#), "bad_value"),
        ("a count beyond 64 bits", member("count", "99999999999999999999"), "bad_value"),
        ("a count with a fraction", member("count", "1.5"), "bad_value"),
        ("a latitude that is a text", member("lat", r#""28.6""#), "bad_value"),
        ("a position beyond any number", member("lat", "1e999"), "bad_syntax"),
        ("a test that is a text", member("test", r#""yes""#), "bad_value"),
        ("data that is a text", event(r#","data":"x""#), "bad_value"),
        ("a time that is none", event(r#","time":"soon""#), "panic.button"),
        ("a comma too many", event(","), "bad_syntax"),
        ("a second object behind", [event(""), b"{}".to_vec()].concat(), "bad_syntax"),
        ("a surrogate alone", event(r#","subject":"\ud800""#), "panic.button"),
        ("a control character in a text", event(",\"time\":\"a\nb\""), "bad_syntax"),
        ("a NUL before all", [&b"\0"[..], &event("")].concat(), "bad_syntax"),
        ("UTF-16", event("").iter().flat_map(|byte| [*byte, 0]).collect(), "bad_syntax"),
        ("more events than a record may hold", [b"[0", b",0".repeat(1_000).as_slice(), b"]"].concat(), "too_large"),
        ("a list of numbers", b"[1,2]".to_vec(), "2 bad_value"),
        (
            "a good one between bad ones",
            [b"[0,".as_slice(), &event(""), b",{}]"].concat(),
            "bad_value, panic.button, missing_field",
        ),
    ]
}
