//! GA/T 1400: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no platform ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::ga1400::NAME;
use chorus_ingest::observation::{DeviceTime, Piece, Reason};
use chorus_model::{DeviceScheme, Kind};
use wire::{events, fixture, one, rows};

const FOLDER: &str = "ga-t-1400";

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "motor_vehicles.json",
            &[
                "vehicle.passed pulse 36010200001190000021 local 2026-11-24T07:59:59",
                "vehicle.passed pulse 36010200001190000021 2026-11-24T00:00:01.123Z",
            ],
        ),
        (
            "motor_bare_array.json",
            &[
                "vehicle.passed pulse 36010200001190000021 local 2026-11-24T08:01:00",
                "vehicle.passed pulse cam-east missing",
            ],
        ),
        (
            "persons_and_nonmotors.json",
            &[
                "object.detected pulse 36010200001190000021 local 2026-11-24T08:10:00",
                "object.detected pulse 36010200001190000021 local 2026-11-24T08:10:01",
            ],
        ),
        ("faces.json", &["filtered face_record", "filtered face_record"]),
        (
            "notification.json",
            &[
                "vehicle.passed pulse 36010200001190000021 local 2026-11-24T08:20:00",
                "filtered face_record",
                "filtered catalog",
            ],
        ),
        ("keepalive_with_more.json", &["device.heartbeat pulse 36010200005030000001 local 2026-11-24T08:30:00"]),
        ("keepalive_nobody.json", &["device.heartbeat pulse - missing"]),
        ("register.json", &["device.online pulse 36010200005030000001 missing"]),
        ("unregister.json", &["device.offline pulse 36010200005030000001 missing"]),
        (
            "device_states.json",
            &[
                "device.offline pulse 36010200001190000021 local 2026-11-24T09:00:00",
                "device.online pulse 36010200001190000021 local 2026-11-24T09:01:30",
                "filtered device_status",
                "rejected missing_field",
            ],
        ),
        ("public_security_event.json", &["vehicle.passed pulse dev-9 local 2026-11-24T08:40:00"]),
        ("tollgates.json", &["filtered catalog"]),
        ("answer.json", &["filtered answer"]),
        ("empty_list.json", &["filtered empty_list"]),
    ];
    wire::check_fixtures(NAME, FOLDER, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("face_dahua_testset_1998.json", &["filtered face_record"]),
        ("keepalive_minimal.json", &["device.heartbeat pulse APS-003 missing"]),
        (
            "motorvehicle_dahua_testset_2016.json",
            &["vehicle.passed pulse 65010000001190000001 local 2016-09-12T22:01:07"],
        ),
        ("tollgate_list_urumqi.json", &["filtered catalog"]),
        ("za_motor_event_wrapped.json", &["vehicle.passed pulse 1CDZEN59SBWJDCHAR9KV local 2020-11-11T10:00:00"]),
    ];
    wire::check_shared(NAME, "gat1400", table);
}

#[test]
fn a_vehicle_keeps_its_lane_and_heading_and_no_plate() {
    let pieces = read(&fixture(FOLDER, "motor_vehicles.json")).unwrap();
    let first = events(&pieces)[0];
    assert_eq!((first.zone.as_deref(), first.object_class), (Some("2"), Some("vehicle")));
    assert_eq!(first.flags, ["heading_north"]);
    assert_eq!((first.scheme, first.device_kind), (DeviceScheme::Gb28181, Some("camera")));
    assert!(first.credential.is_none());
    let second = events(&pieces)[1];
    assert_eq!((second.zone.as_deref(), second.flags.len()), (Some("1"), 0));
}

#[test]
fn persons_and_bicycles_are_a_class_and_nothing_more() {
    let pieces = read(&fixture(FOLDER, "persons_and_nonmotors.json")).unwrap();
    let classes: Vec<_> = events(&pieces).iter().map(|event| event.object_class.unwrap()).collect();
    assert_eq!(classes, ["person", "nonmotor"]);
    assert!(events(&pieces).iter().all(|event| event.credential.is_none() && event.zone.is_none()));
}

#[test]
fn every_wrapping_of_a_list_reads_alike() {
    let object = r#"{"MotorVehicleID":"7","DeviceID":"d","PassTime":"20261124080000"}"#;
    for wrapped in [
        format!(r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":[{object}]}}}}"#),
        format!(r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":{object}}}}}"#),
        format!(r#"{{"MotorVehicleListObject":[{object}]}}"#),
        format!(r#"{{"MotorVehicleList":[{object}]}}"#),
        format!(r#"{{"MotorVehicleObject":[{object}]}}"#),
        format!("[{object}]"),
        object.to_owned(),
        format!(
            r#"{{"SubscribeNotificationListObject":{{"SubscribeNotificationObject":[{{"MotorVehicleObjectList":{{"MotorVehicleObject":[{object}]}}}}]}}}}"#
        ),
        format!(r#"{{"SubscribeNotificationListObject":[{{"MotorVehicleObjectList":[{object}]}}]}}"#),
        format!(
            r#"{{"SubscribeNotificationObject":{{"MotorVehicleListObject":{{"MotorVehicleObject":[{object}]}}}}}}"#
        ),
    ] {
        assert_eq!(rows(&read(wrapped.as_bytes())), ["vehicle.passed pulse d local 2026-11-24T08:00:00"], "{wrapped}");
    }
}

#[test]
fn numbers_as_texts_and_texts_as_numbers_read_alike_and_keep_their_digits() {
    let text = r#"{"MotorVehicleObject":{"DeviceID":"36010200001320000007","PassTime":"1795478401123","LaneNo":"3","Direction":"2"}}"#;
    let number =
        r#"{"MotorVehicleObject":{"DeviceID":36010200001320000007,"PassTime":1795478401123,"LaneNo":3,"Direction":2}}"#;
    let (text, number) = (one(read(text.as_bytes())), one(read(number.as_bytes())));
    assert_eq!(format!("{text:?}"), format!("{number:?}"));
    assert_eq!(number.device_id, "36010200001320000007");
}

#[test]
fn a_nameless_device_is_read_from_the_ids_that_hold_it() {
    let read_one = |fields: &str| one(read(format!("{{\"MotorVehicleObject\":{{{fields}}}}}").as_bytes()));
    let object = "360102000011900000210220261124075959000010200001";
    let by_object = read_one(&format!("\"DeviceID\":\"\",\"MotorVehicleID\":\"{object}\""));
    assert_eq!(by_object.device_id, "36010200001190000021");
    assert_eq!(by_object.flags, ["device_from_id"]);
    let by_tollgate = read_one(r#""DeviceID":null,"TollgateID":"T-1""#);
    assert_eq!((by_tollgate.device_id.as_str(), by_tollgate.flags.len()), ("T-1", 0));
    assert_eq!(read_one(r#""PassTime":"20261124080000""#).device_id, "");
}

#[test]
fn trap_01_times_are_local_or_milliseconds_and_never_guessed() {
    let time = |text: &str| one(read(format!(r#"{{"MotorVehicleObject":{{"PassTime":"{text}"}}}}"#).as_bytes())).time;
    assert!(matches!(time("20261124080000"), DeviceTime::Local(..)));
    assert!(matches!(time("1795478401123"), DeviceTime::Zoned(..)));
    assert!(matches!(time("2026-11-24T08:00:00+08:00"), DeviceTime::Zoned(..)));
    for nonsense in ["", "0", "20261399080000", "soon"] {
        assert_eq!(time(nonsense), DeviceTime::Missing, "{nonsense}");
    }
}

#[test]
fn trap_03_a_trigger_that_is_years_away_is_flagged_and_the_passage_keeps_its_time() {
    let pieces = read(&fixture(FOLDER, "notification.json")).unwrap();
    let passed = events(&pieces)[0];
    assert_eq!(passed.flags, ["trigger_time_contradictory"]);
    assert!(matches!(passed.time, DeviceTime::Local(at, _) if at.year() == 2026));
    let near = r#"{"MotorVehicleObject":{"PassTime":"20261124080000","TriggerTime":"20261124080005"}}"#;
    assert!(one(read(near.as_bytes())).flags.is_empty());
}

#[test]
fn trap_04_gbk_bodies_are_read() {
    let (gbk, _, _) = encoding_rs::GB18030.encode(r#"{"PersonObject":{"DeviceID":"d","Name":"张三"}}"#);
    let person = one(read(&gbk));
    assert_eq!((person.kind, person.flags.len()), (Kind::ObjectDetected, 0));
    assert_eq!(person.dropped, ["Name"]);
}

#[test]
fn trap_10_the_object_id_is_the_identity_when_it_is_one() {
    let pieces = read(&fixture(FOLDER, "motor_vehicles.json")).unwrap();
    let standard = "360102000011900000210220261124075959000010200001";
    assert_eq!(events(&pieces)[0].native_id.as_deref(), Some(standard));
    // A sender that counts from 1 does so again tomorrow.
    let pieces = read(&fixture(FOLDER, "motor_bare_array.json")).unwrap();
    assert_eq!(events(&pieces)[0].native_id.as_deref(), Some("1/2026-11-24T08:01:00"));
    assert_eq!(events(&pieces)[1].native_id, None);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, FOLDER);
    let pieces = read(&fixture(FOLDER, "motor_vehicles.json")).unwrap();
    assert_eq!(events(&pieces)[0].dropped, ["PlateNo", "PlateCharReliability", "SubImageList"]);
    let pieces = read(&fixture(FOLDER, "persons_and_nonmotors.json")).unwrap();
    for name in ["Name", "IDNumber", "GenderCode", "IsSuspectedTerrorist"] {
        assert!(events(&pieces)[0].dropped.iter().any(|dropped| dropped == name), "{name}");
    }
}

#[test]
fn trap_14_no_plate_and_no_placeholder_is_a_credential() {
    for plate in ["赣A12345", "无车牌", "_无_", "", "未识别"] {
        let json = format!(r#"{{"MotorVehicleObject":{{"DeviceID":"d","PlateNo":"{plate}"}}}}"#);
        assert!(one(read(json.as_bytes())).credential.is_none(), "{plate}");
    }
}

#[test]
fn trap_16_what_came_before_the_break_counts_and_lists_have_an_end() {
    let mut cut = fixture(FOLDER, "motor_vehicles.json");
    cut.truncate(cut.len() - 40);
    let pieces = read(&cut).unwrap();
    assert_eq!(events(&pieces).len(), 1);
    assert!(matches!(pieces.last(), Some(Piece::Rejected(Reason::Truncated))));
    for (bytes, reason) in [
        (&b"{\"MotorVehicleListObject\":"[..], Reason::Truncated),
        (b"{]", Reason::BadSyntax),
        (b"{}", Reason::NotThisFormat),
        (b"[1,2,\"x\"]", Reason::NotThisFormat),
        (b"{\"ThingListObject\":{}}", Reason::UnknownCode),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    let nothing = r#"{"PersonListObject":[{}]}"#;
    assert_eq!(rows(&read(nothing.as_bytes())), ["rejected missing_field"]);
    let many = format!(r#"{{"MotorVehicleListObject":[{}]}}"#, vec![r#"{"DeviceID":"d"}"#; 1_001].join(","));
    let pieces = read(many.as_bytes()).unwrap();
    assert_eq!(events(&pieces).len(), 1_000);
    assert!(matches!(pieces.last(), Some(Piece::Rejected(Reason::TooLarge))));
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, FOLDER);
}
