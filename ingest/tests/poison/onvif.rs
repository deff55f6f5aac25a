//! Poisons of ONVIF.

use super::Poison;

fn message(topic: &str, attributes: &str, items: &str) -> String {
    format!(
        "<n:NotificationMessage><n:Topic>{topic}</n:Topic><n:Message><tt:Message {attributes}><tt:Data>{items}</tt:Data></tt:Message>\
         </n:Message></n:NotificationMessage>"
    )
}

fn notify(inner: &str) -> Vec<u8> {
    format!("<n:Notify xmlns:n='http://docs.oasis-open.org/wsn/b-2' xmlns:tt='http://www.onvif.org/ver10/schema'>{inner}</n:Notify>").into_bytes()
}

fn one(topic: &str, items: &str) -> Vec<u8> {
    notify(&message(topic, "UtcTime='2026-11-24T00:00:00Z'", items))
}

fn item(name: &str, value: &str) -> String {
    format!("<tt:SimpleItem Name='{name}' Value='{value}'/>")
}

const MOTION: &str = "tns1:RuleEngine/CellMotionDetector/Motion";

pub(crate) fn poisons() -> Vec<Poison> {
    let motion = message(MOTION, "UtcTime='2026-11-24T00:00:00Z'", &item("IsMotion", "true"));
    vec![
        ("white space", b"  \n".to_vec(), "filtered no_notification"),
        ("another document", b"<html/>".to_vec(), "not_this_format"),
        ("a tag that is not closed", b"<n:Notify".to_vec(), "truncated"),
        (
            "an envelope with nothing in it",
            b"<s:Envelope xmlns:s='x'><s:Body/></s:Envelope>".to_vec(),
            "filtered no_notification",
        ),
        ("a list that is not closed", notify(&motion)[..160].to_vec(), "truncated"),
        (
            "a second message cut short",
            {
                let mut cut = notify(&format!("{motion}{motion}"));
                cut.truncate(cut.len() - 60);
                cut
            },
            "motion.detected, truncated",
        ),
        ("no topic", notify("<n:NotificationMessage><n:Message/></n:NotificationMessage>"), "missing_field"),
        ("an empty topic", one("", ""), "missing_field"),
        ("a topic of a thousand steps", one(&"tns1:a/".repeat(1_000), ""), "missing_field"),
        ("a topic of nobody", one("tns1:Kitchen/Kettle/Boils", ""), "unknown_code"),
        ("a topic of slashes", one("////", ""), "unknown_code"),
        ("a topic that only begins like one", one("tns1:RuleEngine/LineDetectorX", ""), "unknown_code"),
        ("a topic without its second step", one("tns1:RuleEngine", ""), "unknown_code"),
        ("a door without a state", one("tns1:Door/State/DoorAlarm", ""), "missing_field"),
        ("a door in a state of nobody", one("tns1:Door/State/DoorAlarm", &item("State", "Ajar")), "bad_value"),
        (
            "a door in an unknown state",
            one("tns1:Door/State/DoorAlarm", &item("State", "Unknown")),
            "filtered unknown_state",
        ),
        ("a door topic that is none", one("tns1:Door/DoorForced", &item("State", "true")), "unknown_code"),
        (
            "an event of a kind that only the item tells",
            one("tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent", ""),
            "unknown_code",
        ),
        ("a state that is no boolean", one(MOTION, &item("IsMotion", "perhaps")), "motion.detected"),
        (
            "a count that is no number",
            one("tns1:RuleEngine/CountAggregation/Counter", &item("Count", "many")),
            "count.flow",
        ),
        (
            "a time that is none",
            notify(&message(MOTION, "UtcTime='0000-00-00T00:00:00Z'", &item("IsMotion", "true"))),
            "motion.detected",
        ),
        (
            "an operation of nobody",
            notify(&message(MOTION, "PropertyOperation='Exploded'", &item("IsMotion", "true"))),
            "motion.detected",
        ),
        ("an attribute without quotes", one(MOTION, "<tt:SimpleItem Name=IsMotion Value=true/>"), "motion.detected"),
        (
            "an attribute twice",
            one(MOTION, "<tt:SimpleItem Name='IsMotion' Name='x' Value='true'/>"),
            "motion.detected",
        ),
        ("an item outside of a message", notify(&item("IsMotion", "true")), "filtered no_notification"),
        (
            "a message inside a message",
            notify(&format!("<n:NotificationMessage>{motion}</n:NotificationMessage>")),
            "motion.detected",
        ),
        ("an element name of a thousand letters", format!("<{0}></{0}>", "n".repeat(1_000)).into_bytes(), "too_large"),
        ("nesting without end", notify(&"<a>".repeat(100)), "too_large"),
        ("more messages than a record may hold", notify(&motion.repeat(1_001)), "1000 motion.detected, too_large"),
        ("a thousand items", one(MOTION, &item("a", "b").repeat(1_000)), "motion.detected"),
        (
            "an entity of the sender's own",
            [b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".as_slice(), &one(MOTION, "&x;")].concat(),
            "motion.detected",
        ),
        ("JSON of nothing", b"{}".to_vec(), "not_this_format"),
        ("an empty list", b"[]".to_vec(), "filtered no_notification"),
        ("JSON that is not closed", br#"{"Topic":"tns1:RuleEngine/LineDetector/Crossed""#.to_vec(), "truncated"),
        ("a topic that is a number", br#"{"Topic":7,"Message":{}}"#.to_vec(), "missing_field"),
        (
            "a message that is a text",
            br#"{"Topic":"tns1:RuleEngine/LineDetector/Crossed","Message":"x"}"#.to_vec(),
            "intrusion.line",
        ),
        ("MQTT without its message", br#"{"topic":"axis:Device/axis:Sensor/PIR"}"#.to_vec(), "not_this_format"),
        (
            "MQTT with a time beyond any",
            br#"{"topic":"onvif:Device/axis:Sensor/PIR","timestamp":9e99,"message":{"data":{"state":"1"}}}"#.to_vec(),
            "motion.detected",
        ),
        (
            "a good one before a broken one",
            br#"{"Topic":"tns1:RuleEngine/LineDetector/Crossed","Message":{}} {"#.to_vec(),
            "intrusion.line, truncated",
        ),
    ]
}
