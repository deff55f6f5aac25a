//! Poisons of CAP.

use super::Poison;

/// An alert whose sender ends in a letter of Latin-1.
const LATIN: &[u8] = b"<alert><status>Actual</status><msgType>Alert</msgType><sender>caf\xe9</sender></alert>";

fn alert(members: &str) -> String {
    format!("<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>{members}</alert>")
}

fn warning(members: &str) -> Vec<u8> {
    good(members).into_bytes()
}

fn good(members: &str) -> String {
    alert(&format!("<status>Actual</status><msgType>Alert</msgType>{members}"))
}

pub(crate) fn poisons() -> Vec<Poison> {
    let bomb = "<!DOCTYPE alert [<!ENTITY a 'Alert'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>";
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(warning("").into_iter().flat_map(|byte| [byte, 0])).collect();
    vec![
        ("cut within a tag", b"<alert><status>Actual</sta".to_vec(), "truncated"),
        ("cut within a text", b"<alert><status>Act".to_vec(), "truncated"),
        ("cut within an attribute", b"<alert xmlns='urn:oasis".to_vec(), "truncated"),
        ("ends in the wrong order", b"<alert><status>Actual</alert></status>".to_vec(), "bad_syntax"),
        ("an alert of nothing", b"<alert/>".to_vec(), "missing_field"),
        ("no status", alert("<msgType>Alert</msgType>").into_bytes(), "missing_field"),
        ("a status of nobody", alert("<status>Perhaps</status><msgType>Alert</msgType>").into_bytes(), "bad_value"),
        ("an alert in an alert", alert(&good("")).into_bytes(), "missing_field"),
        ("elements in elements", ["<alert>".to_owned(), "<a>".repeat(100)].concat().into_bytes(), "too_large"),
        (
            "entities that make entities",
            [bomb, &alert("<status>Actual</status><msgType>&c;</msgType>")].concat().into_bytes(),
            "missing_field",
        ),
        (
            "an entity from a file",
            ["<!DOCTYPE alert [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", &good("<sender>&x;</sender>")]
                .concat()
                .into_bytes(),
            "external.warning",
        ),
        (
            "controls in an identifier",
            warning("<identifier>a&#7;b&#x1f;</identifier><sender>\u{1}</sender>"),
            "external.warning",
        ),
        ("a zero in a sender", warning("<sender>a\0b</sender>"), "external.warning"),
        (
            "an identifier without end",
            warning(&format!("<identifier>{}</identifier>", "1".repeat(100_000))),
            "external.warning",
        ),
        ("the year 9999", warning("<sent>9999-12-31T23:59:59-12:00</sent>"), "external.warning"),
        ("the year 0", warning("<sent>0000-01-01T00:00:00+00:00</sent>"), "external.warning"),
        (
            "a circle that is NaN",
            warning("<info><area><circle>NaN,inf 1e999</circle></area></info>"),
            "external.warning",
        ),
        (
            "two severities",
            warning("<info><severity>Extreme</severity><severity>None</severity></info>"),
            "external.warning",
        ),
        ("references to nothing", warning("<references>,,, ,,\t, a,b</references>"), "external.warning"),
        ("a charset that lies", [&b"<?xml version='1.0' encoding='utf-8'?>"[..], LATIN].concat(), "external.warning"),
        (
            "a broken one behind a good one",
            format!("<feed>{}<alert></feed>", good("")).into_bytes(),
            "external.warning, bad_syntax",
        ),
        (
            "a refused one between good ones",
            format!("<feed>{0}{1}{0}</feed>", good(""), alert("")).into_bytes(),
            "external.warning, missing_field, external.warning",
        ),
        ("UTF-16 with its mark", utf16, "external.warning"),
        (
            "more than a record may hold",
            ["<feed>".to_owned(), "<alert/>".repeat(1_001), "</feed>".to_owned()].concat().into_bytes(),
            "1000 missing_field, too_large",
        ),
    ]
}
