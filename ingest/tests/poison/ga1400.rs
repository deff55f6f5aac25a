//! Poisons of GA/T 1400.

use super::Poison;

fn motor(fields: &str) -> Vec<u8> {
    format!(r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":[{{{fields}}}]}}}}"#).into_bytes()
}

const DEVICE: &str = r#""DeviceID":"36010200001190000001""#;

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("white space", b"\n\n".to_vec(), "truncated"),
        ("JSON of nothing", b"{}".to_vec(), "not_this_format"),
        ("an empty list", b"[]".to_vec(), "not_this_format"),
        ("a number", b"7".to_vec(), "not_this_format"),
        ("null", b"null".to_vec(), "not_this_format"),
        ("a text", b"\"MotorVehicleListObject\"".to_vec(), "not_this_format"),
        ("a brace that is not closed", b"{\"MotorVehicleListObject\":{".to_vec(), "truncated"),
        ("a brace too many", b"{\"KeepaliveObject\":{\"DeviceID\":\"1\"}}}".to_vec(), "device.heartbeat, bad_syntax"),
        ("a second document", b"{\"KeepaliveObject\":{\"DeviceID\":\"1\"}}{}".to_vec(), "device.heartbeat, bad_syntax"),
        ("a list that is a number", br#"{"MotorVehicleListObject":7}"#.to_vec(), "filtered empty_list"),
        ("a list that is null", br#"{"MotorVehicleListObject":null}"#.to_vec(), "filtered empty_list"),
        (
            "a list without objects",
            br#"{"MotorVehicleListObject":{"MotorVehicleObject":[]}}"#.to_vec(),
            "filtered empty_list",
        ),
        (
            "objects that are numbers",
            br#"{"MotorVehicleListObject":{"MotorVehicleObject":[1,"2",null,true,1.5]}}"#.to_vec(),
            "filtered empty_list",
        ),
        ("a list of nobody", br#"{"WeatherListObject":{"WeatherObject":[]}}"#.to_vec(), "unknown_code"),
        ("a keepalive of nobody", br#"{"KeepaliveObject":{}}"#.to_vec(), "device.heartbeat"),
        ("a device that is an object", br#"{"KeepaliveObject":{"DeviceID":{"a":1}}}"#.to_vec(), "device.heartbeat"),
        (
            "a device that is a number",
            br#"{"KeepaliveObject":{"DeviceID":36010200001190000001}}"#.to_vec(),
            "device.heartbeat",
        ),
        ("a device with a line in its id", br#"{"KeepaliveObject":{"DeviceID":"36\n01"}}"#.to_vec(), "bad_value"),
        (
            "a device of a thousand digits",
            format!(r#"{{"KeepaliveObject":{{"DeviceID":"{}"}}}}"#, "3".repeat(1_000)).into_bytes(),
            "bad_value",
        ),
        ("a state without its word", br#"{"APEStatusObject":{"ApeID":"1"}}"#.to_vec(), "missing_field"),
        (
            "a state of nobody",
            br#"{"APEStatusObject":{"ApeID":"1","IsOnline":"7"}}"#.to_vec(),
            "filtered device_status",
        ),
        ("a time that is none", motor(&format!(r#"{DEVICE},"PassTime":"99999999999999""#)), "vehicle.passed"),
        ("a time of 13 digits beyond any", motor(&format!(r#"{DEVICE},"PassTime":"9999999999999""#)), "vehicle.passed"),
        ("a time that is a list", motor(&format!(r#"{DEVICE},"PassTime":[2026]"#)), "vehicle.passed"),
        (
            "a face, whatever it holds",
            br#"{"FaceListObject":{"FaceObject":[{"FaceID":"MARKER","Name":"MARKER"}]}}"#.to_vec(),
            "filtered face_record",
        ),
        ("a face cut short", br#"{"FaceListObject":{"FaceObject":[{"FaceID":"MARKER","Na"#.to_vec(), "truncated"),
        (
            "a watch list",
            br#"{"DispositionListObject":{"DispositionObject":[{"Name":"MARKER"}]}}"#.to_vec(),
            "filtered watch_list",
        ),
        (
            "a picture without end",
            motor(&format!(
                r#"{DEVICE},"SubImageList":{{"SubImageInfoObject":[{{"Data":"{}"}}]}}"#,
                "A".repeat(500_000)
            )),
            "vehicle.passed",
        ),
        ("a key of a thousand letters", format!("{{\"{}\":1}}", "k".repeat(1_000)).into_bytes(), "not_this_format"),
        ("nesting without end", b"{\"PersonListObject\":".repeat(200), "bad_syntax"),
        (
            "more objects than a record may hold",
            format!(
                r#"{{"PersonListObject":{{"PersonObject":[{}]}}}}"#,
                vec![format!("{{{DEVICE}}}"); 1_001].join(",")
            )
            .into_bytes(),
            "1000 object.detected, too_large",
        ),
        ("a surrogate alone in an id", motor(r#""DeviceID":"\ud800","PassTime":"20261124080000""#), "vehicle.passed"),
        (
            "half of the second object",
            [motor(DEVICE)[..].strip_suffix(b"]}}").unwrap_or_default(), b",{\"DeviceID\":"].concat(),
            "vehicle.passed, truncated",
        ),
        ("an object inside an object", motor(&format!(r#"{DEVICE},"PersonObject":{{{DEVICE}}}"#)), "object.detected"),
        ("a comma too many", motor(&format!("{DEVICE},")), "bad_syntax"),
        ("a NUL before all", b"\0{\"KeepaliveObject\":{}}".to_vec(), "bad_syntax"),
    ]
}
