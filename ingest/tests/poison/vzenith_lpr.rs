//! Poisons of plate cameras.

use super::Poison;

fn frame(kind: u8, length: u32, content: &[u8]) -> Vec<u8> {
    [b"VZ", &[kind, 0][..], &length.to_be_bytes(), content].concat()
}

fn plate(members: &str) -> Vec<u8> {
    format!(r#"{{"AlarmInfoPlate":{{"serialno":"S1","result":{{"PlateResult":{{{members}}}}}}}}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    let passed = plate(r#""license":"MARKER""#);
    vec![
        ("half a head", b"VZ\0".to_vec(), "not_this_format"),
        ("a length that lies", frame(0, 4_096, b"{}"), "truncated"),
        ("the largest length", frame(0, u32::MAX, b"{}"), "truncated"),
        (
            "a length that cuts a document",
            frame(0, 18, br#"{"AlarmInfoPlate":{"result":{}}}"#),
            "truncated, bad_syntax",
        ),
        ("a frame of nothing", frame(0, 0, b""), "filtered answer"),
        ("a frame of zeros", frame(0, 4, b"\0\0\0\0"), "bad_syntax"),
        ("noise behind a heartbeat", frame(1, 0, b"noise"), "device.heartbeat, bad_syntax"),
        (
            "a broken frame behind a good one",
            [frame(1, 0, b""), frame(2, 9, b"{")].concat(),
            "device.heartbeat, truncated",
        ),
        ("a kind of nobody", frame(9, 2, b"{}"), "not_this_format"),
        ("a result that is null", br#"{"AlarmInfoPlate":null}"#.to_vec(), "not_this_format"),
        ("a plate that is a number", br#"{"AlarmInfoPlate":{"result":{"PlateResult":7}}}"#.to_vec(), "missing_field"),
        ("cut within a text", br#"{"AlarmInfoPlate":{"serialno":"S"#.to_vec(), "truncated"),
        (
            "seconds beyond any",
            plate(r#""timeStamp":{"Timeval":{"sec":9e18,"usec":-1,"decyear":9999}}"#),
            "vehicle.passed",
        ),
        (
            "parts of no day",
            plate(r#""timeStamp":{"Timeval":{"decyear":2026,"decmon":13,"decday":99}}"#),
            "vehicle.passed",
        ),
        ("a trigger of words", plate(r#""triggerType":"manual""#), "vehicle.passed"),
        ("a trigger that is a text", plate(r#""triggerType":"64""#), "vehicle.dwell"),
        ("half a surrogate for a plate", plate(r#""license":"\ud83d""#), "vehicle.passed"),
        (
            "a plate in GBK",
            [&b"{\"AlarmInfoPlate\":{\"result\":{\"PlateResult\":{\"license\":\"\xb8\xd3"[..], b"\"}}}}"].concat(),
            "vehicle.passed",
        ),
        (
            "an input below zero",
            br#"{"AlarmGioIn":{"result":{"TriggerResult":{"source":-1,"value":1}}}}"#.to_vec(),
            "missing_field",
        ),
        (
            "a barrier that is half of each",
            br#"{"sn":"1","name":"barr_gate_status","payload":{"body":{"gate_status":"open"}}}"#.to_vec(),
            "missing_field",
        ),
        ("controls in a serial number", br#"{"heartbeat":{"serialno":"a\u0000b\u007f"}}"#.to_vec(), "device.heartbeat"),
        (
            "a form with a serial number without end",
            format!("device_name=x&serialno={}", "1".repeat(1_000)).into_bytes(),
            "device.heartbeat",
        ),
        ("two texts of C", [&passed[..], b"\0", &passed, b"\0"].concat(), "2 vehicle.passed"),
        (
            "two documents, the first without its end",
            [&passed[..passed.len() - 1], b"\n", &passed].concat(),
            "bad_syntax, vehicle.passed",
        ),
        ("a picture that is none", [&passed[..], b"\0\xff\xd8\xff{}"].concat(), "vehicle.passed"),
        ("heartbeats without end", frame(1, 0, b"").repeat(1_001), "1000 device.heartbeat, too_large"),
    ]
}
