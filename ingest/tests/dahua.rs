//! Dahua: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that no device ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::dahua::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Outcome, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn read_one(line: &str) -> Observation {
    one(read(line.as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "stream.multipart",
            &[
                "intrusion.area start - 2026-11-24T00:00:00.25Z",
                "device.heartbeat pulse - missing",
                "input.changed start - missing",
                "input.changed end - missing",
                "rejected not_this_format",
                "rejected unknown_code",
                "video.loss end - missing",
            ],
        ),
        (
            "access.txt",
            &[
                "access.granted pulse - 2026-11-24T00:05:00Z",
                "access.denied pulse - 2026-11-24T00:05:01Z",
                "access.denied pulse - 2026-11-24T00:05:02Z",
                "access.denied pulse - missing",
                "door.opened pulse - 2026-11-24T00:05:03Z",
                "door.forced start - missing",
                "access.duress pulse - 2026-11-24T00:05:04Z",
            ],
        ),
        (
            "notify_stream.json",
            &[
                "motion.detected start 4A00000PAZ00001 2026-11-24T00:00:00Z",
                "filtered doorbell",
                "gate.state start 4A00000PAZ00001 2026-11-24T00:00:02Z",
                "panic.button pulse 4A00000PAZ00001 2026-11-24T00:00:03Z",
            ],
        ),
        (
            "station_access.json",
            &[
                "access.granted pulse 4A00000PAZ00001 2026-11-24T00:10:00Z",
                "input.changed end 4A00000PAZ00001 2026-11-24T00:10:01Z",
                "rejected missing_field",
            ],
        ),
        ("snapshots.txt", &["vehicle.passed pulse - 2026-11-24T00:01:40.005Z", "filtered face_record"]),
        (
            "platform.json",
            &[
                "intrusion.area start 1000012 2026-11-24T00:00:00Z",
                "intrusion.area end 1000012 2026-11-24T00:00:30Z",
                "access.denied pulse 1000013 local 2026-11-24T08:00:09",
                "filtered face_record",
                "rejected unknown_code",
            ],
        ),
        (
            "plate_camera.json",
            &[
                "vehicle.passed pulse 5E00000PAZ00002 local 2026-11-24T08:00:00.137",
                "device.heartbeat pulse 5E00000PAZ00002 missing",
            ],
        ),
        ("heartbeat.txt", &["device.heartbeat pulse - missing"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let region: &[&str] = &["intrusion.area start - 2019-01-31T10:04:58.633Z"];
    let table: &[(&str, &[&str])] = &[
        ("ce_dahua_receive_alarm_local_1.txt", &["input.changed start - missing"]),
        ("ce_dahua_receive_alarm_local_2.txt", &["input.changed end - missing"]),
        ("ce_dahua_receive_crossRegion_1.txt", region),
        ("ce_dahua_receive_crossRegion_createSnapshot_1.txt", region),
        ("ce_dahua_receive_video_motion_1.txt", &["motion.detected start - missing"]),
        ("ce_dahua_receive_video_motion_2.txt", &["motion.detected end - missing"]),
        // The topic told the code, and it is not here.
        ("vto_AlarmLocal.json", &["rejected missing_field"]),
        ("vto_BackLightOff.json", &["rejected missing_field"]),
        ("vto_BackLightOn.json", &["rejected missing_field"]),
        ("vto_Invite.json", &["filtered doorbell"]),
        ("vto_NTPAdjustTime.json", &["filtered clock"]),
        ("vto_SIPRegisterResult.json", &["filtered network"]),
    ];
    wire::check_shared(NAME, "dahua", table);
}

#[test]
fn trap_03_two_clocks_of_one_record_differ_by_a_zone_or_contradict() {
    let event = |local: &str, more: &str| {
        read_one(&format!(
            r#"Code=VideoMotion;action=Start;index=0;data={{"LocaleTime":"{local}","UTC":1795478400{more}}}"#
        ))
    };
    assert!(matches!(event("2026-11-24 08:00:00", "").time, DeviceTime::Zoned(..)));
    let elsewhere = event("2026-11-24 05:00:00", "");
    assert!(matches!(elsewhere.time, DeviceTime::Zoned(..)));
    assert_eq!(elsewhere.flags, ["local_time_elsewhere"]);
    assert!(matches!(event("2023-11-24 08:00:00", "").time, DeviceTime::Contradictory(..)));
    // A firmware that writes its local clock as if it were UTC.
    assert!(matches!(event("2026-11-24 00:00:00", "").time, DeviceTime::Local(..)));
    let real = event("2026-11-24 00:00:00", r#","RealUTC":1795449600"#);
    assert!(matches!(real.time, DeviceTime::Zoned(at, _) if at.to_string() == "2026-11-23T16:00:00Z"));
}

#[test]
fn trap_04_gbk_is_read_without_a_flag() {
    let pieces = read(&fixture(NAME, "platform.json")).unwrap();
    assert!(events(&pieces).iter().all(|event| !event.flags.contains(&"lossy_text")));
}

#[test]
fn trap_05_a_heartbeat_part_is_a_heartbeat() {
    assert_eq!(rows(&read(b"--myboundary\r\n\r\nHeartbeat\r\n--myboundary")), ["device.heartbeat pulse - missing"]);
}

#[test]
fn trap_07_stop_is_an_end_and_two_is_off() {
    assert_eq!(read_one("Code=CrossLineDetection;action=Stop;index=0").phase, Phase::End);
    let off = r#"{"alarmStat":"2","alarmType":1,"nodeCode":"1$1$0$0"}"#;
    assert_eq!(read_one(off).phase, Phase::End);
}

#[test]
fn trap_09_what_was_stored_is_a_replay() {
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    let replays: Vec<bool> = events(&pieces).iter().map(|event| event.is_replay).collect();
    assert_eq!(replays, [false, false, false, false, false, false, true]);
}

#[test]
fn trap_10_the_identity_is_code_number_and_time() {
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    assert_eq!(events(&pieces)[0].native_id.as_deref(), Some("AccessControl/691/2026-11-24T00:05:00Z"));
    assert_eq!(events(&pieces)[3].native_id, None, "without a number there is no identity");
}

#[test]
fn trap_12_without_a_status_the_outcome_is_unknown_and_never_granted() {
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    let outcomes: Vec<_> = events(&pieces).iter().take(4).map(|event| event.outcome).collect();
    assert_eq!(
        outcomes,
        [Some(Outcome::Granted), Some(Outcome::Denied), Some(Outcome::Unknown), Some(Outcome::Unknown)]
    );
    let bare = read_one("Code=AccessControl;action=Pulse;index=0");
    assert_eq!((bare.kind, bare.outcome), (Kind::AccessDenied, Some(Outcome::Unknown)));
    assert_eq!(rows(&read(b"Code=DoorStatus;action=Pulse;index=0")), ["rejected missing_field"]);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    let granted = events(&pieces)[0];
    for name in ["CardName", "CardNo", "Password", "SnapURL", "UserID"] {
        assert!(granted.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    let pieces = read(&fixture(NAME, "stream.multipart")).unwrap();
    let region = events(&pieces)[0];
    assert!(region.dropped.iter().any(|dropped| dropped == "picture"));
    assert_eq!((region.zone.as_deref(), region.object_class), (Some("3"), Some("person")));
}

#[test]
fn nothing_of_a_face_passes_wherever_the_platform_hides_it() {
    for details in
        [r#""faceRecognitionInfo":{"name":"x"}"#, r#""extData":"{\"faceRecognitionInfo\":{\"name\":\"x\"}}""#]
    {
        let json = format!(r#"{{"alarmStat":"1","alarmType":303,"nodeCode":"1$1$0$0",{details}}}"#);
        assert_eq!(rows(&read(json.as_bytes())), ["filtered face_record"], "{details}");
    }
}

#[test]
fn trap_14_an_empty_card_and_user_zero_are_nobody() {
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    let who: Vec<bool> = events(&pieces).iter().take(3).map(|event| event.credential.is_some()).collect();
    assert_eq!(who, [true, true, false]);
}

#[test]
fn trap_16_a_wrong_length_or_broken_details_cost_only_themselves() {
    let pieces = read(&fixture(NAME, "access.txt")).unwrap();
    assert!(events(&pieces)[3].flags.contains(&"data_unreadable"));
    for (bytes, reason) in [
        (&b"{\"Action\":\"Pulse\","[..], Reason::Truncated),
        (b"hello", Reason::NotThisFormat),
        (b"{}", Reason::NotThisFormat),
        (b"Code=;action=Start", Reason::MissingField),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    let many = b"Code=VideoMotion;action=Start;index=0;data={\n".repeat(20_000);
    assert_eq!(rows(&read(&many)).last().map(String::as_str), Some("rejected too_large"));
}

#[test]
fn the_station_is_the_device_and_a_placeholder_is_none() {
    let pieces = read(&fixture(NAME, "station_access.json")).unwrap();
    assert_eq!(events(&pieces)[0].scheme, DeviceScheme::Serial);
    let nameless = r#"{"Code":"VideoLoss","Action":"Start","Data":{},"serialNumber":"Device Serial Number"}"#;
    assert_eq!(read_one(nameless).device_id, "");
    assert_eq!(read_one("Code=AlarmLocal;action=Start;index=1").channel.as_deref(), Some("1"));
}

#[test]
fn an_uploaded_event_is_read_with_and_without_its_request() {
    let line = "Code=VideoBlind;action=Start;index=3";
    let request = format!("POST /events HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n{line}\r\n");
    let answer = format!("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n--myboundary\r\n\r\n{line}\r\n");
    for text in [line, &request, &answer] {
        let covered = read_one(text);
        assert_eq!((covered.kind, covered.channel.as_deref()), (Kind::CameraTamper, Some("3")), "{text}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
