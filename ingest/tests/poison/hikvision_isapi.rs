//! Poisons of Hikvision ISAPI.

use super::Poison;

fn notice(fields: &str) -> Vec<u8> {
    format!("<EventNotificationAlert><macAddress>02:11:22:33:44:09</macAddress>{fields}</EventNotificationAlert>")
        .into_bytes()
}

fn access(codes: &str) -> Vec<u8> {
    format!(r#"{{"eventType":"AccessControllerEvent","dateTime":"2026-11-24T08:00:00+08:00","AccessControllerEvent":{{{codes}}}}}"#).into_bytes()
}

fn panel(fields: &str) -> Vec<u8> {
    format!(r#"{{"eventType":"cidEvent","CIDEvent":{{{fields}}}}}"#).into_bytes()
}

const MOTION: &str = "<eventType>VMD</eventType><eventState>active</eventState>";

pub(crate) fn poisons() -> Vec<Poison> {
    let motion = notice(MOTION);
    vec![
        ("white space", b"\r\n \r\n".to_vec(), "not_this_format"),
        ("a word", b"hello".to_vec(), "not_this_format"),
        ("a tag that is not closed", b"<EventNotificationAlert".to_vec(), "truncated"),
        ("a document that is not closed", motion[..motion.len() - 5].to_vec(), "truncated"),
        ("another document", b"<UserCheck><statusValue>200</statusValue></UserCheck>".to_vec(), "not_this_format"),
        ("tags crossed", b"<EventNotificationAlert><a><b></a></b></EventNotificationAlert>".to_vec(), "bad_syntax"),
        ("no event", notice(""), "missing_field"),
        ("an empty event", notice("<eventType/>"), "missing_field"),
        ("an event of nobody", notice("<eventType>weatherEvent</eventType>"), "unknown_code"),
        ("an event with blanks", notice("<eventType>line detection</eventType>"), "missing_field"),
        (
            "an event inside another element",
            notice("<Extensions><eventType>VMD</eventType></Extensions>"),
            "missing_field",
        ),
        ("videoloss without its state", notice("<eventType>videoloss</eventType>"), "missing_field"),
        (
            "videoloss in a state of nobody",
            notice("<eventType>videoloss</eventType><eventState>maybe</eventState>"),
            "missing_field",
        ),
        ("a duration of nothing", notice("<eventType>duration</eventType>"), "missing_field"),
        (
            "a duration of durations",
            notice("<eventType>duration</eventType><relationEvent>duration</relationEvent>"),
            "bad_value",
        ),
        (
            "a duration of a hundred",
            notice(&format!("<eventType>duration</eventType>{}", "<relationEvent>VMD</relationEvent>".repeat(100))),
            "16 motion.detected",
        ),
        (
            "a count that is no number",
            notice(&format!("{MOTION}<activePostCount>-3</activePostCount>")),
            "motion.detected",
        ),
        ("a time that is none", notice(&format!("{MOTION}<dateTime>yesterday</dateTime>")), "motion.detected"),
        ("an element name of a thousand letters", notice(&format!("<{0}></{0}>", "n".repeat(1_000))), "too_large"),
        ("nesting without end", notice(&"<a>".repeat(100)), "too_large"),
        (
            "an entity of the sender's own",
            [b"<!DOCTYPE a [<!ENTITY x \"VMD\">]>".as_slice(), &notice("<eventType>&x;</eventType>")].concat(),
            "missing_field",
        ),
        ("JSON of nothing", b"{}".to_vec(), "not_this_format"),
        ("an empty list", b"[]".to_vec(), "filtered no_match"),
        ("a list of numbers", b"[1,2]".to_vec(), "2 missing_field"),
        ("JSON that is not closed", br#"{"eventType":"VMD""#.to_vec(), "truncated"),
        ("JSON that is broken", br#"{"eventType";"VMD"}"#.to_vec(), "bad_syntax"),
        ("an event that is a number", br#"{"eventType":7}"#.to_vec(), "unknown_code"),
        ("an event that is an object", br#"{"eventType":{"a":1}}"#.to_vec(), "missing_field"),
        ("no code", access(""), "missing_field"),
        ("a major alone", access(r#""majorEventType":5"#), "missing_field"),
        ("a major of nobody", access(r#""majorEventType":4,"subEventType":1"#), "unknown_code"),
        ("a minor of nobody", access(r#""majorEventType":5,"subEventType":1280"#), "unknown_code"),
        ("a minor that is a word", access(r#""majorEventType":5,"subEventType":"open""#), "missing_field"),
        ("a minor beyond 32 bits", access(r#""majorEventType":5,"subEventType":4294967297"#), "missing_field"),
        ("a minor below zero", access(r#""majorEventType":5,"subEventType":-1"#), "missing_field"),
        ("codes in hexadecimal", access(r#""majorEventType":"0x5","subEventType":"0x4B""#), "access.granted"),
        (
            "an operator who opens the door",
            access(r#""majorEventType":3,"subEventType":1024"#),
            "filtered operator_log",
        ),
        ("a panel without a code", panel(r#""type":"zoneAlarm""#), "missing_field"),
        ("a panel's code in words", panel(r#""standardCIDcode":"fire""#), "bad_value"),
        ("a panel's code of nobody", panel(r#""standardCIDcode":1999"#), "unknown_code"),
        ("a panel's qualifier of nobody", panel(r#""standardCIDcode":2130"#), "bad_value"),
        ("a panel's code beyond 16 bits", panel(r#""standardCIDcode":99999"#), "bad_value"),
        (
            "a search without a match",
            br#"{"AcsEvent":{"responseStatusStrg":"NO MATCH","numOfMatches":0}}"#.to_vec(),
            "filtered no_match",
        ),
        ("a boundary and nothing", b"--boundary\r\n".to_vec(), "not_this_format"),
        (
            "a part cut short before another",
            [b"--b\r\n\r\n<EventNotificationAlert>".as_slice(), b"\r\n--b\r\n\r\n", &motion, b"\r\n--b--"].concat(),
            "truncated, motion.detected",
        ),
        (
            "a part that is text of nobody",
            b"--b\r\nContent-Type: text/plain\r\n\r\nHeartbeat\r\n--b--".to_vec(),
            "not_this_format",
        ),
        (
            "a part beyond its limit",
            [b"--b\r\n\r\n<a>".as_slice(), &b"x".repeat(300_000), b"\r\n--b\r\n\r\n", &motion, b"\r\n--b--"].concat(),
            "too_large, motion.detected",
        ),
        (
            "a picture alone",
            b"--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xd9\r\n--b--".to_vec(),
            "filtered picture",
        ),
        ("more documents than a record may hold", motion.repeat(1_001), "1000 motion.detected, too_large"),
    ]
}
