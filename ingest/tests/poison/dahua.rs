//! Poisons of Dahua.

use super::Poison;

fn motion(rest: &str) -> Vec<u8> {
    format!("Code=VideoMotion;action=Start;index=0{rest}").into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        (
            "a boundary and half a head",
            b"--myboundary\r\nContent-Type: text/plain\r\nContent-Len".to_vec(),
            "not_this_format",
        ),
        (
            "a length that lies",
            [b"--myboundary\r\nContent-Length: 99999\r\n\r\n".as_slice(), &motion("")].concat(),
            "motion.detected",
        ),
        ("details that are cut", motion(";data={\n  \"RegionName\" : [ \"Reg"), "motion.detected"),
        ("details that are a text", motion(";data=\"none\""), "motion.detected"),
        (
            "details in details, a hundred thousand deep",
            motion(&format!(";data={}", "{\"a\":".repeat(100_000))),
            "motion.detected",
        ),
        ("no code", b"Code=;action=Start;index=0".to_vec(), "missing_field"),
        ("a code with a blank", b"Code=Video Motion;action=Start;index=0".to_vec(), "missing_field"),
        ("a code with a zero", b"Code=Video\0Motion;action=Start;index=0".to_vec(), "missing_field"),
        ("a code of nobody", b"Code=VideoTea;action=Start;index=0".to_vec(), "unknown_code"),
        (
            "an index of a thousand digits",
            format!("Code=VideoLoss;action=Start;index={}1", "0".repeat(1_000)).into_bytes(),
            "video.loss",
        ),
        ("an index below zero", b"Code=VideoLoss;action=Stop;index=-1".to_vec(), "video.loss"),
        ("an action of nobody", b"Code=VideoLoss;action=Perhaps;index=0".to_vec(), "video.loss"),
        ("two on a line", motion(";data={\"a\":1}Code=VideoLoss;action=Start;index=1"), "motion.detected, video.loss"),
        (
            "an indented neighbour",
            motion(";data={}\n Code=VideoLoss;action=Start;index=1\n"),
            "motion.detected, video.loss",
        ),
        (
            "a neighbour in small letters",
            motion(";data={\ncode=VideoLoss;action=Start;index=1"),
            "motion.detected, video.loss",
        ),
        (
            "an outcome of words",
            b"Code=AccessControl;action=Pulse;index=0;data={\"Status\":\"yes\",\"CardNo\":\"1\"}".to_vec(),
            "access.denied",
        ),
        (
            "an outcome that is told twice",
            b"Code=AccessControl;action=Pulse;index=0;data={\"Status\":0,\"Status\":1}".to_vec(),
            "access.denied",
        ),
        (
            "seconds of the year 9999",
            motion(";data={\"UTC\":253402300799,\"LocaleTime\":\"9999-12-31 23:59:59\"}"),
            "motion.detected",
        ),
        ("seconds beyond any", motion(";data={\"UTC\":1e300,\"UTCMS\":-1,\"RealUTC\":\"\"}"), "motion.detected"),
        (
            "a crowd of less than nobody",
            b"Code=CrowdDetection;action=Start;index=0;data={\"ManNum\":-9223372036854775808}".to_vec(),
            "crowd.density",
        ),
        ("snapshots with a number beyond any", b"Events[99999999999].Code=VideoMotion".to_vec(), "not_this_format"),
        ("snapshots without a code", b"Events[0].Index=1\nEvents[1].Index=2".to_vec(), "2 not_this_format"),
        ("a code that is a number", br#"{"Code":7,"Action":"Start","Index":0}"#.to_vec(), "unknown_code"),
        ("data that are an empty list", br#"{"Action":"Start","Data":[]}"#.to_vec(), "missing_field"),
        (
            "a list with broken ones",
            br#"{"info":[{"alarmType":"x"},7,{"alarmStat":1}]}"#.to_vec(),
            "missing_field, bad_value, missing_field",
        ),
        (
            "a picture alone",
            b"--myboundary\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0".to_vec(),
            "filtered picture",
        ),
        ("more than a record may hold", b"Heartbeat\n".repeat(1_001), "1000 device.heartbeat, too_large"),
    ]
}
