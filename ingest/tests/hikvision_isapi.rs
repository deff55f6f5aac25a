//! Hikvision ISAPI: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no device ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::{self, hikvision_isapi::NAME};
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Outcome, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn notice(fields: &str) -> String {
    format!("<EventNotificationAlert><macAddress>02:11:22:33:44:09</macAddress>{fields}</EventNotificationAlert>")
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("motion_start.xml", &["motion.detected start 02:11:22:33:44:01 2026-11-23T23:58:01Z"]),
        ("motion_goes_on_prefixed.xml", &["motion.detected continue 02:11:22:33:44:01 2026-11-23T23:58:09Z"]),
        ("motion_end.json", &["motion.detected end 02:11:22:33:44:01 2026-11-23T23:58:20Z"]),
        ("heartbeat.xml", &["device.heartbeat pulse 10.20.30.42 2026-11-24T00:00:00Z"]),
        ("video_loss.xml", &["video.loss start 02:11:22:33:44:02 2026-11-24T00:00:05Z"]),
        ("area_human.json", &["intrusion.area start 02:11:22:33:44:03 2026-11-24T14:10:11Z"]),
        (
            "duration_of_two.xml",
            &[
                "intrusion.line continue 02:11:22:33:44:03 2026-11-24T14:11:00Z",
                "loitering continue 02:11:22:33:44:03 2026-11-24T14:11:00Z",
            ],
        ),
        ("anpr_with_pictures.multipart", &["vehicle.passed pulse 10.20.30.43 local 2026-11-24T07:59:59.123"]),
        (
            "several_documents.txt",
            &[
                "input.changed start 02:11:22:33:44:04 local 2026-11-24T12:00:00",
                "rejected truncated",
                "camera.tamper end 6d1a2b3c-0000-4111-8222-933344445555 2026-11-24T12:00:01Z",
                "device.fault start AB1234567 2026-11-24T04:00:02Z",
                "rejected unknown_code",
            ],
        ),
        ("access_denied.json", &["access.denied pulse 02:11:22:33:44:06 2026-11-23T23:30:00Z"]),
        ("access_granted_replayed.xml", &["access.granted pulse 02:11:22:33:44:06 2026-11-23T22:30:00Z"]),
        ("panel_alarm.json", &["panic.button start 10.20.30.45 2026-11-23T19:00:00Z"]),
        ("panel_restore.xml", &["intrusion.zone end AX-PRO-77 2026-11-23T19:05:00Z"]),
        (
            "acs_search.json",
            &[
                "gate.state start - 2026-11-23T23:00:00Z",
                "access.granted pulse - 2026-11-23T23:00:00Z",
                "filtered operator_log",
                "rejected unknown_code",
            ],
        ),
        ("plates_polled.xml", &["vehicle.passed pulse - local 2026-11-24T08:01:02"]),
        ("face.json", &["filtered face_record"]),
    ];
    wire::check_fixtures(NAME, "hikvision-isapi", table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let unlocked = |time: &str| format!("gate.state start - {time}");
    let locked = |time: &str| format!("gate.state end - {time}");
    let granted = |time: &str| format!("access.granted pulse - {time}");
    let exit = |time: &str| format!("exit.requested pulse - {time}");
    let filtered = |word: &str| format!("filtered {word}");
    let search = vec![
        unlocked("2026-09-01T21:27:53Z"),
        granted("2026-09-01T21:27:53Z"),
        locked("2026-09-01T21:27:58Z"),
        filtered("button_released"),
        exit("2026-09-01T21:28:17Z"),
        unlocked("2026-09-01T21:28:17Z"),
        locked("2026-09-01T21:28:22Z"),
        unlocked("2026-09-01T21:32:01Z"),
        granted("2026-09-01T21:32:01Z"),
        locked("2026-09-01T21:32:06Z"),
        unlocked("2026-09-01T21:40:23Z"),
        granted("2026-09-01T21:40:23Z"),
        locked("2026-09-01T21:40:28Z"),
        filtered("operator_log"),
        unlocked("2026-09-02T10:52:14Z"),
        granted("2026-09-02T10:52:15Z"),
        locked("2026-09-02T10:52:19Z"),
        filtered("button_released"),
        exit("2026-09-02T14:55:35Z"),
        unlocked("2026-09-02T14:55:35Z"),
    ];
    let search: Vec<&str> = search.iter().map(String::as_str).collect();
    let table: &[(&str, &[&str])] = &[
        ("acs_event_search_k1t342.json", &search),
        ("acs_face_granted_door2.json", &["access.granted pulse 10.9.96.20 2026-09-02T09:20:07Z"]),
        ("acs_k1t341_face_granted.xml", &["access.granted pulse aa:bb:cc:dd:ee:ff 2024-04-19T12:34:56Z"]),
        ("anpr_deepinview_v58.xml", &["vehicle.passed pulse 192.168.1.64 2026-07-05T19:44:40Z"]),
        ("anpr_old_firmware_ver10.xml", &["vehicle.passed pulse 192.168.1.201 2020-03-10T08:12:00Z"]),
        ("axpro_cid_event_start_1130.json", &["intrusion.zone start 192.168.1.25 2012-01-13T02:15:14Z"]),
        ("cam1_DS-2CD2T46G2-ISU_io_notification.xml", &["input.changed start 4f:e4:2f:81:cd:1b 2024-11-19T15:53:28Z"]),
        ("cam2_DS-2CD2346G2-ISU_io_notification.xml", &["input.changed start e0:2c:37:93:d9:54 2024-11-19T15:53:28Z"]),
        ("fielddetection_human.xml", &["intrusion.area start ac:b9:2f:49:44:75 2022-01-31T12:53:05Z"]),
        ("heartbeat_videoloss_inactive.json", &["device.heartbeat pulse 192.168.1.64 2026-09-17T19:30:05Z"]),
        ("ipc_1_fielddetection.xml", &["intrusion.area continue a6:63:9e:f8:01:09 2023-01-23T22:27:25Z"]),
        ("ipc_thermometry_motiondetection.xml", &["motion.detected start a6:60:9e:f8:01:09 2024-11-13T19:20:52Z"]),
        ("pir.xml", &["motion.detected continue c6:e6:61:0a:46:37 2023-04-06T21:22:21Z"]),
    ];
    wire::check_shared(NAME, "hikvision_isapi", table);
}

#[test]
fn every_event_word_has_its_kind() {
    let table = [
        ("VMD", Kind::MotionDetected),
        ("PIR", Kind::MotionDetected),
        ("linedetection", Kind::IntrusionLine),
        ("fielddetection", Kind::IntrusionArea),
        ("regionEntrance", Kind::IntrusionArea),
        ("regionExiting", Kind::IntrusionArea),
        ("loitering", Kind::Loitering),
        ("shelteralarm", Kind::CameraTamper),
        ("scenechangedetection", Kind::CameraTamper),
        ("videoloss", Kind::VideoLoss),
        ("IO", Kind::InputChanged),
        ("ANPR", Kind::VehiclePassed),
        ("diskfull", Kind::DeviceFault),
        ("diskerror", Kind::DeviceFault),
        ("illAccess", Kind::DeviceFault),
        ("unattendedBaggage", Kind::ObjectLeft),
        ("attendedBaggage", Kind::ObjectRemoved),
    ];
    for (word, kind) in table {
        let xml = notice(&format!("<eventType>{word}</eventType><eventState>active</eventState>"));
        assert_eq!(one(read(xml.as_bytes())).kind, kind, "{word}");
    }
    let unknown = notice("<eventType>weatherEvent</eventType>");
    assert_eq!(rows(&read(unknown.as_bytes())), ["rejected unknown_code"]);
}

#[test]
fn trap_03_a_clock_of_2012_is_passed_on_and_a_banana_is_no_mac() {
    let observation = one(read(&fixture("hikvision-isapi", "panel_alarm.json")));
    assert_eq!((observation.device_id.as_str(), observation.scheme), ("10.20.30.45", DeviceScheme::Own));
    assert!(observation.flags.contains(&"device_by_address"));
    let xml = notice("<dateTime>2012-01-13T03:15:14+01:00</dateTime><eventType>VMD</eventType>");
    assert!(matches!(one(read(xml.as_bytes())).time, DeviceTime::Zoned(..)));
}

#[test]
fn trap_04_gbk_behind_a_gb2312_declaration_is_read() {
    let pieces = read(&fixture("hikvision-isapi", "several_documents.txt")).unwrap();
    let first = events(&pieces)[0];
    assert_eq!(first.zone.as_deref(), Some("2"));
    assert!(first.flags.is_empty(), "{:?}", first.flags);
}

#[test]
fn trap_05_videoloss_inactive_is_a_heartbeat_and_never_an_alarm_or_its_end() {
    for count in [0, 1, 7] {
        let xml = notice(&format!(
            "<activePostCount>{count}</activePostCount><eventType>videoloss</eventType><eventState>inactive</eventState>"
        ));
        let observation = one(read(xml.as_bytes()));
        assert_eq!((observation.kind, observation.phase), (Kind::DeviceHeartbeat, Phase::Pulse));
    }
    let unsaid = notice("<eventType>videoloss</eventType>");
    assert_eq!(rows(&read(unsaid.as_bytes())), ["rejected missing_field"]);
}

#[test]
fn trap_06_unlocked_and_locked_are_not_swapped() {
    for (minor, phase, word) in [(21, Phase::Start, "unlocked"), (22, Phase::End, "locked")] {
        let json = access(5, minor, "");
        let observation = one(read(json.as_bytes()));
        assert_eq!((observation.kind, observation.phase), (Kind::GateState, phase));
        assert!(observation.flags.contains(&word));
    }
}

#[test]
fn trap_07_a_restore_of_contact_id_ends_what_type_calls_an_alarm() {
    let table = [
        ("1130", "intrusion.zone start"),
        ("3130", "intrusion.zone end"),
        ("6130", "intrusion.zone continue"),
        ("1602", "device.heartbeat pulse"),
        ("3602", "device.heartbeat pulse"),
        ("3401", "arming.changed end"),
        ("1421", "access.denied pulse"),
    ];
    for (code, want) in table {
        let xml = notice(&format!(
            "<eventType>cidEvent</eventType><eventState>active</eventState>\
             <CIDEvent><standardCIDcode>{code}</standardCIDcode><type>zoneAlarm</type></CIDEvent>"
        ));
        let observation = one(read(xml.as_bytes()));
        assert_eq!(format!("{} {}", observation.kind, observation.phase.as_str()), want, "{code}");
        assert_eq!(observation.is_test, code.ends_with("602"), "{code}");
    }
    for (code, reason) in [("1999", "unknown_code"), ("130", "bad_value"), ("9130", "bad_value")] {
        let cid =
            format!("<eventType>cidEvent</eventType><CIDEvent><standardCIDcode>{code}</standardCIDcode></CIDEvent>");
        let row = rows(&read(notice(&cid).as_bytes()));
        assert_eq!(row, [format!("rejected {reason}")], "{code}");
    }
}

#[test]
fn trap_13_the_user_of_a_panel_is_no_zone() {
    // The maker's field is called zone; for openings, closings and codes used it holds who did it.
    for (code, kind) in [("1401", Kind::ArmingChanged), ("3401", Kind::ArmingChanged), ("1421", Kind::AccessDenied)] {
        let json = format!(
            r#"{{"eventType":"cidEvent","eventState":"active","dateTime":"2026-11-24T08:00:00+08:00",
            "CIDEvent":{{"standardCIDcode":{code},"type":"zoneAlarm","zone":57,"userName":"MARKER"}}}}"#
        );
        let observation = one(read(json.as_bytes()));
        assert_eq!((observation.kind, observation.zone.as_deref()), (kind, None), "{code}");
        assert!(observation.credential.is_some(), "{code}");
        assert!(observation.dropped.iter().any(|name| name == "userName"), "{code}");
    }
    let test = r#"{"eventType":"cidEvent","CIDEvent":{"standardCIDcode":1601,"zone":57}}"#;
    let observation = one(read(test.as_bytes()));
    assert!(observation.credential.is_none() && observation.zone.is_none());
    assert_eq!(observation.dropped, ["user"]);
    let alarm = r#"{"eventType":"cidEvent","CIDEvent":{"standardCIDcode":1130,"zone":57}}"#;
    assert_eq!(one(read(alarm.as_bytes())).zone.as_deref(), Some("57"));
}

#[test]
fn a_message_with_its_http_head_is_read_as_its_body() {
    let xml = notice("<eventType>VMD</eventType><eventState>active</eventState>");
    for head in
        ["POST /hik HTTP/1.1\r\nContent-Type: application/xml\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\n\n"]
    {
        let whole = format!("{head}{xml}");
        assert!((formats::by_name(NAME).unwrap().sniff)(whole.as_bytes()));
        assert_eq!(one(read(whole.as_bytes())).kind, Kind::MotionDetected);
    }
}

#[test]
fn trap_08_a_count_above_one_goes_on_and_an_end_stays_an_end() {
    for (count, state, phase) in [
        (1, "active", Phase::Start),
        (2, "active", Phase::Continue),
        (4268, "active", Phase::Continue),
        (9, "inactive", Phase::End),
    ] {
        let xml = notice(&format!(
            "<activePostCount>{count}</activePostCount><eventType>linedetection</eventType><eventState>{state}</eventState>"
        ));
        assert_eq!(one(read(xml.as_bytes())).phase, phase, "{count} {state}");
    }
}

#[test]
fn trap_09_stored_events_are_replays() {
    let replays = ["access_granted_replayed.xml", "area_human.json", "acs_search.json", "plates_polled.xml"];
    for name in replays {
        let pieces = read(&fixture("hikvision-isapi", name)).unwrap();
        assert!(events(&pieces).iter().all(|observation| observation.is_replay), "{name}");
    }
    assert!(!one(read(&fixture("hikvision-isapi", "access_denied.json"))).is_replay);
}

#[test]
fn trap_10_the_native_identity_is_device_number_and_time() {
    let observation = one(read(&fixture("hikvision-isapi", "access_denied.json")));
    assert_eq!(observation.native_id.as_deref(), Some("02:11:22:33:44:06/812/2026-11-23T23:30:00Z"));
    assert_eq!(observation.native_seq, Some(812));
    let passed = one(read(&fixture("hikvision-isapi", "anpr_with_pictures.multipart")));
    assert_eq!(passed.native_id.as_deref(), Some("10.20.30.43/5d1a2b3c-0000-4111-8222-933344445555"));
}

#[test]
fn trap_11_an_operators_log_is_never_an_access_event() {
    assert_eq!(rows(&read(access(3, 112, "").as_bytes())), ["filtered operator_log"]);
    let armed = one(read(access(3, 121, r#","employeeNoString":"E-1""#).as_bytes()));
    assert_eq!(armed.kind, Kind::ArmingChanged);
    assert_eq!(armed.flags, ["armed", "audit"]);
    assert!(armed.credential.is_none());
}

#[test]
fn trap_12_without_a_code_nothing_is_granted() {
    let json = r#"{"eventType":"AccessControllerEvent","dateTime":"2026-11-24T08:00:00+08:00",
        "AccessControllerEvent":{"majorEventType":5}}"#;
    assert_eq!(rows(&read(json.as_bytes())), ["rejected missing_field"]);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, "hikvision-isapi");
    let denied = one(read(&fixture("hikvision-isapi", "access_denied.json")));
    for name in ["name", "cardNo", "employeeNoString", "pictureURL", "FaceRect", "deviceName"] {
        assert!(denied.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    let passed = one(read(&fixture("hikvision-isapi", "anpr_with_pictures.multipart")));
    for name in ["licensePlate", "originalLicensePlate", "picName", "picture"] {
        assert!(passed.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    assert_eq!(passed.zone.as_deref(), Some("2"));
    assert_eq!(passed.flags, ["device_by_address", "direction_reverse"]);
}

#[test]
fn trap_14_a_placeholder_is_no_credential() {
    let granted = one(read(&fixture("hikvision-isapi", "access_granted_replayed.xml")));
    assert!(granted.credential.is_none());
    assert_eq!(granted.outcome, Some(Outcome::Granted));
    let denied = one(read(&fixture("hikvision-isapi", "access_denied.json")));
    assert!(denied.credential.is_some());
    assert_eq!(denied.outcome, Some(Outcome::Denied));
    assert_eq!(denied.channel.as_deref(), Some("2"));
}

#[test]
fn trap_16_a_wrong_length_or_a_cut_document_costs_only_itself() {
    let pieces = read(&fixture("hikvision-isapi", "several_documents.txt")).unwrap();
    assert_eq!(events(&pieces).len(), 3);
    for (bytes, reason) in [
        (&b"<EventNotificationAlert><eventType>VMD"[..], Reason::Truncated),
        (b"<EventNotificationAlert><a></b></EventNotificationAlert>", Reason::BadSyntax),
        (b"{\"eventType\":", Reason::Truncated),
        (b"{]", Reason::BadSyntax),
        (b"<html></html>", Reason::NotThisFormat),
        (b"hello", Reason::NotThisFormat),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason);
    }
    let picture = read(b"--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xd9\r\n--b--");
    assert_eq!(rows(&picture), ["filtered picture"]);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, "hikvision-isapi");
}

#[test]
fn what_is_ours_is_sniffed_as_ours() {
    for (name, bytes) in wire::fixtures("hikvision-isapi") {
        let found = formats::sniff(&bytes, formats::FORMATS.iter()).map(|format| format.name);
        assert_eq!(found, Some(NAME), "{name}");
    }
}

fn access(major: u32, minor: u32, more: &str) -> String {
    format!(
        r#"{{"eventType":"AccessControllerEvent","dateTime":"2026-11-24T08:00:00+08:00",
            "AccessControllerEvent":{{"majorEventType":{major},"subEventType":{minor}{more}}}}}"#
    )
}

#[test]
fn the_steadiest_name_of_a_device_wins() {
    let read_one = |fields: &str| -> Observation {
        let xml = format!("<EventNotificationAlert><eventType>VMD</eventType>{fields}</EventNotificationAlert>");
        one(read(xml.as_bytes()))
    };
    let all = "<ipAddress>10.0.0.9</ipAddress><serialNumber>S-1</serialNumber>\
        <deviceUUID>6d1a2b3c-0000-4111-8222-933344445555</deviceUUID>";
    assert_eq!(read_one(&format!("{all}<macAddress>021122334455</macAddress>")).device_id, "02:11:22:33:44:55");
    assert_eq!(read_one(all).scheme, DeviceScheme::Uuid);
    let serial = read_one("<ipAddress>10.0.0.9</ipAddress><serialNumber>S-1</serialNumber>");
    assert_eq!((serial.device_id.as_str(), serial.scheme), ("S-1", DeviceScheme::Serial));
    assert_eq!(read_one("<ipAddress>0.0.0.0</ipAddress>").device_id, "");
    assert_eq!(read_one("<ipAddress>Zhang San</ipAddress>").device_id, "");
}
