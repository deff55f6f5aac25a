//! Poisons of UniFi Protect.

use super::Poison;

fn event(members: &str) -> Vec<u8> {
    format!(r#"{{"modelKey":"event","id":"e1","camera":"c1",{members}}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    let motion = r#"{"modelKey":"event","id":"e1","type":"motion","start":1795478400000}"#;
    vec![
        ("cut within a list", br#"[{"modelKey":"event","type":"motion","start":1},{"mo"#.to_vec(), "truncated"),
        ("an empty list", b"[ ]".to_vec(), "not_this_format"),
        ("a type of nobody", event(r#""type":"teaTime""#), "unknown_code"),
        ("a type that is a number", event(r#""type":1"#), "unknown_code"),
        ("a type that is null", event(r#""type":null"#), "filtered partial_update"),
        ("a model that is a number", br#"{"modelKey":7,"type":"motion","start":1}"#.to_vec(), "filtered device_update"),
        ("an item that is an empty list", br#"{"type":"add","item":[]}"#.to_vec(), "not_this_format"),
        ("an item that is a text", br#"{"type":"add","item":"event"}"#.to_vec(), "not_this_format"),
        ("a start beyond any", event(r#""type":"motion","start":9223372036854775808"#), "motion.detected"),
        ("an end before its start", event(r#""type":"motion","start":1795478400000,"end":-1"#), "motion.detected"),
        ("times that are lists", event(r#""type":"motion","start":[1],"end":{}"#), "motion.detected"),
        (
            "a detected type that is no list",
            event(r#""type":"smartDetectZone","smartDetectTypes":"person""#),
            "object.detected",
        ),
        (
            "detected types that are none",
            event(r#""type":"smartDetectZone","smartDetectTypes":[1,null,[]]"#),
            "object.detected",
        ),
        (
            "faces and nothing else",
            event(r#""type":"smartDetectZone","smartDetectTypes":["face","face"]"#),
            "filtered face_record",
        ),
        ("an outcome of words", event(r#""type":"doorAccess","metadata":{"openSuccess":"maybe"}"#), "access.denied"),
        ("metadata that are a text", event(r#""type":"doorAccess","metadata":"open""#), "access.denied"),
        ("an alarm of a number", event(r#""type":"sensorAlarm","metadata":{"alarmType":{"text":7}}"#), "unknown_code"),
        ("a state of a number", br#"{"modelKey":"camera","id":"c1","state":7}"#.to_vec(), "filtered device_update"),
        (
            "an update that ends at some time",
            format!(r#"[{motion},{{"action":{{"modelKey":"event","id":"e1"}},"data":{{"end":"soon"}}}}]"#).into_bytes(),
            "2 motion.detected",
        ),
        (
            "an update before what it updates",
            format!(r#"[{{"action":{{"modelKey":"event","id":"e1"}},"data":{{"end":1}}}},{motion}]"#).into_bytes(),
            "filtered partial_update, motion.detected",
        ),
        ("blanks and controls for ids", event(r#""type":"offline","device":"\u0000""#), "device.offline"),
        ("half a surrogate in a name", event(r#""type":"motion","\ud800":1"#), "bad_syntax"),
        (
            "metadata in metadata, fifty thousand deep",
            event(&format!(r#""type":"motion","metadata":{}1{}"#, "{\"a\":".repeat(50_000), "}".repeat(50_000))),
            "motion.detected",
        ),
        (
            "a broken one between good ones",
            format!("[{motion},[],{motion}]").into_bytes(),
            "motion.detected, bad_value, motion.detected",
        ),
    ]
}
