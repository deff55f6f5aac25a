//! UniFi Protect: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that nobody ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use std::collections::BTreeMap;

use chorus_ingest::formats::unifi_protect::NAME;
use chorus_ingest::observation::{Piece, Reason};
use chorus_model::{Kind, Outcome, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "life.json",
            &[
                "object.detected start c0000000000000000000000a 2026-11-24T00:00:00Z",
                "object.detected continue c0000000000000000000000a 2026-11-24T00:00:00Z",
                "object.detected end c0000000000000000000000a 2026-11-24T00:00:10Z",
                "filtered partial_update",
            ],
        ),
        (
            "list.json",
            &[
                "motion.detected pulse c0000000000000000000000a 2026-11-24T00:00:00.25Z",
                "door.opened pulse 50000000000000000000000a 2026-11-24T00:00:01Z",
                "filtered operator_log",
                "device.offline pulse c0000000000000000000000b 2026-11-24T00:00:04Z",
                "filtered doorbell",
                "filtered face_record",
                "fire.alarm start c0000000000000000000000c 2026-11-24T00:00:08Z",
                "rejected unknown_code",
            ],
        ),
        (
            "doors.json",
            &[
                "access.denied pulse c0000000000000000000000a 2026-11-24T00:00:00Z",
                "access.denied pulse c0000000000000000000000a 2026-11-24T00:00:02Z",
                "access.granted pulse c0000000000000000000000a 2026-11-24T00:00:03Z",
                "device.offline pulse c0000000000000000000000a missing",
                "device.online pulse c0000000000000000000000a missing",
                "filtered device_update",
            ],
        ),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let device = "aabbccddeeff00112233aabb";
    let lifecycle = [
        format!("object.detected start {device} 2025-01-01T00:06:40Z"),
        format!("object.detected continue {device} 2025-01-01T00:06:40Z"),
        format!("object.detected end {device} 2025-01-01T00:06:50Z"),
        format!("object.detected end {device} 2025-01-01T00:06:50Z"),
        format!("object.detected end {device} 2025-01-01T00:06:50Z"),
    ];
    let lifecycle: Vec<&str> = lifecycle.iter().map(String::as_str).collect();
    let folder = std::path::Path::new("/work/shared/feeds/unifi_protect");
    let table: &[(&str, &[&str])] = &[
        ("light_motion_add.json", &["motion.detected start aabbccddeeff00112233aabb 2025-01-01T00:05:00Z"]),
        ("nfc_add_with_end.json", &["access.denied pulse aabbccddeeff00112233aabb 2025-01-01T00:00:00Z"]),
        ("raw_access.json", &["filtered operator_log"]),
        ("raw_ring.json", &["filtered doorbell"]),
        ("raw_sensorMotion.json", &["motion.detected pulse 02ee9b99f17d69346e0c8c00 2022-01-23T20:23:48.282Z"]),
        ("raw_sensorOpened.json", &["door.opened pulse 5c1b116c29e4e55a70f39736 2022-01-23T20:49:09.997Z"]),
        ("raw_smartDetectZone.json", &["object.detected pulse 586ab7c2bb6423c3fdd47e95 2022-01-23T20:48:48.482Z"]),
        ("smartdetect_lifecycle.json", &lifecycle),
    ];
    for (name, want) in table {
        match std::fs::read(folder.join(name)) {
            Ok(bytes) => assert_eq!(rows(&read(&bytes)), *want, "{name}"),
            Err(_) => eprintln!("skipped: {name} is absent"),
        }
    }
}

#[test]
fn the_shared_stream_of_two_days_is_read_to_the_end() {
    let Ok(bytes) = std::fs::read("/work/shared/feeds/unifi_protect/raw_events_stream.json") else {
        eprintln!("skipped: the stream is absent");
        return;
    };
    let pieces = read(&bytes).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&Ok(pieces)) {
        let what = if row.starts_with("filtered") { row.as_str() } else { row.split(' ').next().unwrap_or_default() };
        *counts.entry(what.to_owned()).or_default() += 1;
    }
    let want = [
        ("device.offline", 2),
        ("door.closed", 5),
        ("door.opened", 6),
        ("filtered doorbell", 1),
        ("filtered operator_log", 7),
        ("motion.detected", 749),
        ("object.detected", 70),
    ];
    assert_eq!(counts, want.map(|(what, count)| (what.to_owned(), count)).into());
}

#[test]
fn trap_08_an_update_goes_on_and_a_whole_event_is_one_pulse() {
    let pieces = read(&fixture(NAME, "life.json")).unwrap();
    let phases: Vec<Phase> = events(&pieces).iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::Start, Phase::Continue, Phase::End]);
    // What was told only when it was over is one happening.
    let whole =
        r#"{"id":"e1","modelKey":"event","type":"motion","start":1795478400000,"end":1795478406000,"device":"c1"}"#;
    assert_eq!(one(read(whole.as_bytes())).phase, Phase::Pulse);
}

#[test]
fn trap_07_an_update_alone_ends_what_it_names_and_nothing_when_it_names_nothing() {
    let update = |rest: &str| {
        let json = format!(r#"{{"type":"update","item":{{"id":"e1","modelKey":"event","end":1795478406000{rest}}}}}"#);
        read(json.as_bytes()).unwrap()
    };
    let begun = one(read(br#"{"id":"e1","modelKey":"event","type":"motion","start":1795478400000,"device":"c1"}"#));
    let whole = update(r#","type":"motion","device":"c1","start":1795478400000"#);
    let [again, over] = events(&whole)[..] else { panic!("a start and an end") };
    // Told before, the start is a repeat; else it is what happened.
    assert_eq!((&again.native_id, again.phase, again.time), (&begun.native_id, begun.phase, begun.time));
    assert_eq!((over.phase, over.native_id.as_deref()), (Phase::End, Some("e1/1795478406000")));
    let changed = update(r#","type":"motion","device":"c1""#);
    assert_eq!(rows(&Ok(changed)), ["motion.detected end c1 2026-11-24T00:00:06Z"]);
    for rest in ["", r#","type":"motion""#, r#","device":"c1""#] {
        assert_eq!(rows(&Ok(update(rest))), ["filtered partial_update"], "{rest}");
    }
}

#[test]
fn trap_10_each_update_has_an_identity_of_its_own_and_a_repeated_one_the_same() {
    let updates = |changes: &[&str]| -> Vec<String> {
        let begun = r#"{"type":"add","item":{"id":"e","modelKey":"event","type":"smartDetectZone","start":1795478400000,"device":"c"}}"#;
        let update = |change: &&str| format!(r#"{{"action":{{"action":"update","modelKey":"event","id":"e"{change}"#);
        let record = std::iter::once(begun.to_owned()).chain(changes.iter().map(update)).collect::<Vec<_>>().join("\n");
        let pieces = read(record.as_bytes()).unwrap();
        events(&pieces).iter().filter_map(|event| event.native_id.clone()).collect()
    };
    let seen = updates(&[
        r#","newUpdateId":"u-1"},"data":{}}"#,
        r#","newUpdateId":"u-2"},"data":{}}"#,
        r#"},"data":{"smartDetectTypes":["vehicle"]}}"#,
        r#"},"data":{"end":1795478406000}}"#,
        r#"},"data":{"end":1795478407000}}"#,
        r#"},"data":{"end":1795478407000}}"#,
    ]);
    assert_eq!(seen, ["e", "e/u-1", "e/u-2", "e/vehicle", "e/1795478406000", "e/1795478407000", "e/1795478407000"]);
}

#[test]
fn trap_11_what_a_user_does_is_no_access() {
    let json = r#"{"id":"e1","type":"access","start":1795478400000,"user":"u","modelKey":"event"}"#;
    assert_eq!(rows(&read(json.as_bytes())), ["filtered operator_log"]);
}

#[test]
fn trap_12_a_scan_says_nothing_of_its_outcome() {
    let pieces = read(&fixture(NAME, "doors.json")).unwrap();
    let outcomes: Vec<_> = events(&pieces).iter().take(3).map(|event| event.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Unknown), Some(Outcome::Unknown), Some(Outcome::Granted)]);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "doors.json")).unwrap();
    let scanned = events(&pieces)[0];
    assert!(scanned.credential.is_some());
    for name in ["nfcId", "ulpId"] {
        assert!(scanned.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    assert!(events(&pieces)[1].credential.is_none());
}

#[test]
fn trap_16_what_is_broken_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"{\"modelKey\":\"event\","[..], Reason::Truncated),
        (b"{\"modelKey\":\"event\",\"type\":\"somethingNew\"}", Reason::UnknownCode),
        (b"{}", Reason::NotThisFormat),
        (b"hello", Reason::BadSyntax),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    // A start that is no time does not cost the event.
    let bad = r#"{"type":"update","item":{"id":"e1","modelKey":"event","type":"motion","start":"soon","end":1795478406000,"device":"c1"}}"#;
    let want = ["start", "end"].map(|phase| format!("motion.detected {phase} c1 2026-11-24T00:00:06Z"));
    assert_eq!(rows(&read(bad.as_bytes())), want);
}

#[test]
fn a_sensor_is_known_by_its_id_and_never_by_its_name() {
    let pieces = read(&fixture(NAME, "list.json")).unwrap();
    let opened = events(&pieces)[1];
    assert_eq!((opened.kind, opened.device_id.as_str()), (Kind::DoorOpened, "50000000000000000000000a"));
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
