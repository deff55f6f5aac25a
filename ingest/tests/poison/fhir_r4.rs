//! Poisons of FHIR R4.

use super::Poison;

fn encounter(members: &str) -> Vec<u8> {
    format!(r#"{{"resourceType":"Encounter","id":"e1","class":{{"code":"IMP"}},{members}}}"#).into_bytes()
}

fn arrived(members: &str) -> Vec<u8> {
    encounter(&format!(r#""status":"arrived",{members}"#))
}

fn bundle(entries: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"history","entry":{entries}}}"#)
}

pub(crate) fn poisons() -> Vec<Poison> {
    let good = r#"{"resourceType":"Encounter","id":"e1","status":"arrived"}"#;
    let deep = (0..5).fold("[]".to_owned(), |inner, _| format!(r#"[{{"resource":{}}}]"#, bundle(&inner)));
    vec![
        ("cut within a type", br#"{"resourceType":"Enc"#.to_vec(), "truncated"),
        ("a type that is null", br#"{"resourceType":null}"#.to_vec(), "not_this_format"),
        ("a type that is a number", br#"{"resourceType":7}"#.to_vec(), "unknown_code"),
        ("a type of nobody", br#"{"resourceType":"Teapot"}"#.to_vec(), "unknown_code"),
        (
            "two types, of which the first counts",
            br#"{"resourceType":"Patient","resourceType":"Device"}"#.to_vec(),
            "filtered clinical_record",
        ),
        ("no status", encounter(r#""status":null"#), "missing_field"),
        ("a status of nobody", encounter(r#""status":"somewhere""#), "bad_value"),
        ("a status that is a list", encounter(r#""status":["arrived"]"#), "missing_field"),
        ("a device of a state of nobody", br#"{"resourceType":"Device","status":"asleep"}"#.to_vec(), "bad_value"),
        ("a bundle of nothing", bundle("[]").into_bytes(), "filtered empty_bundle"),
        ("a bundle of null", bundle("null").into_bytes(), "filtered empty_bundle"),
        ("a bundle of a text", bundle("\"none\"").into_bytes(), "bad_value"),
        (
            "broken ones between good ones",
            bundle(&format!(r#"[{{"resource":{good}}},7,{{"resource":7}},{{"resource":[]}},{{"resource":{good}}}]"#))
                .into_bytes(),
            "occupancy.changed, 3 bad_value, occupancy.changed",
        ),
        (
            "an entry without a resource",
            bundle(r#"[{"request":{"method":"DELETE"}}]"#).into_bytes(),
            "filtered no_resource",
        ),
        (
            "half a surrogate in a resource of a bundle",
            bundle(&format!(r#"[{{"resource":{{"\ud800":1}}}},{{"resource":{good}}}]"#)).into_bytes(),
            "bad_syntax, occupancy.changed",
        ),
        ("bundles in bundles", bundle(&deep).into_bytes(), "too_large"),
        (
            "a ward that is nobody",
            arrived(r#""location":[{"location":{"reference":"Location/"}}]"#),
            "occupancy.changed",
        ),
        (
            "a ward that is contained",
            arrived(r##""location":[{"location":{"reference":"#w1"}}]"##),
            "occupancy.changed",
        ),
        (
            "a ward with controls",
            arrived(r#""location":[{"location":{"reference":"Location/\u0000 W1"}}]"#),
            "occupancy.changed",
        ),
        ("wards that are none", arrived(r#""location":[7,null,"W1"]"#), "occupancy.changed"),
        ("the year 9999", arrived(r#""period":{"start":"9999-12-31T23:59:59-14:00"}"#), "occupancy.changed"),
        ("the year 0", arrived(r#""period":{"start":"0000"},"meta":{"lastUpdated":0}"#), "occupancy.changed"),
        ("a time that is NaN", arrived(r#""period":{"start":NaN}"#), "bad_syntax"),
        (
            "extensions in extensions, fifty thousand deep",
            arrived(&format!(r#""extension":{}{}"#, "[".repeat(50_000), "]".repeat(50_000))),
            "occupancy.changed",
        ),
        (
            "more than a record may hold",
            br#"{"resourceType":"Patient"}"#.repeat(1_001),
            "1000 filtered clinical_record, too_large",
        ),
    ]
}
