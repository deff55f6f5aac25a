//! Hikvision iSecure Center: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that nobody ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::hikvision_isecure::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{Kind, Outcome, Phase, Severity};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn event(fields: &str) -> String {
    format!(
        r#"{{"method":"OnEventNotify","params":{{"sendTime":"2026-11-24T08:00:00+08:00","ability":"event_vss",
            "events":[{{"srcIndex":"camera-1","happenTime":"2026-11-24T08:00:00+08:00"{fields}}}]}}}}"#
    )
}

fn read_one(fields: &str) -> Observation {
    one(read(event(fields).as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "door_granted_and_denied.json",
            &[
                "access.granted pulse d0d0d0d0000000000000000000000001 2026-11-24T00:00:09Z",
                "access.denied pulse d0d0d0d0000000000000000000000001 local 2026-11-24T08:00:11",
            ],
        ),
        (
            "rule_of_two_details.json",
            &[
                "intrusion.area start cccccccc000000000000000000000001 2026-11-24T04:00:00.55Z",
                "fire.lane_blocked start cccccccc000000000000000000000002 2026-11-24T04:00:00.55Z",
            ],
        ),
        (
            "life_of_one_event.json",
            &[
                "loitering start cccccccc000000000000000000000003 2026-11-24T05:00:00.1Z",
                "loitering continue cccccccc000000000000000000000003 2026-11-24T05:00:08Z",
                "loitering continue cccccccc000000000000000000000003 2026-11-24T05:00:09Z",
                "loitering continue cccccccc000000000000000000000003 2026-11-24T05:00:00.1Z",
                "loitering continue cccccccc000000000000000000000003 2026-11-24T05:00:00.1Z",
                "loitering end cccccccc000000000000000000000003 2026-11-24T05:00:30Z",
            ],
        ),
        (
            "car_park.json",
            &[
                "vehicle.passed pulse 99999999000000000000000000000001 local 2026-11-24T07:30:01",
                "gate.state pulse 99999999000000000000000000000002 local 2026-11-24T07:30:02",
                "filtered parking_space",
            ],
        ),
        (
            "faces_and_unknown.json",
            &[
                "filtered face_record",
                "filtered face_record",
                "rejected missing_field",
                "rejected bad_value",
                "rejected unknown_code",
                "filtered empty_list",
            ],
        ),
        (
            "people_counted.json",
            &["count.flow pulse cccccccc000000000000000000000004 contradictory 2026-11-24T04:30:00Z"],
        ),
        ("gbk_cover.json", &["camera.tamper start cccccccc000000000000000000000005 2026-11-24T00:00:00Z"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "acs_multi_auth_door_2019.json",
            &["access.granted pulse 73fc53c972f64019b04a636c5757489a 2019-05-23T01:51:09Z"],
        ),
        (
            "fire_lane_blocked_event_rule_2020.json",
            &["fire.lane_blocked pulse 4938b8b5566d4ee283a9ccbd5c607ac2 2020-03-23T09:02:31.55Z"],
        ),
        // It says that it was sent two hours before it happened.
        (
            "pdc_people_counting_2019.json",
            &["count.flow pulse 4c777ca96a1c4eb997ab89caf34f3044 contradictory 2019-07-09T10:46:59Z"],
        ),
        ("pms_template_2018.json", &["filtered parking_space"]),
    ];
    wire::check_shared(NAME, "hikvision_isecure", table);
}

#[test]
fn every_type_of_the_guide_has_its_kind_whether_number_or_text() {
    let table = [
        (131_329, Kind::VideoLoss),
        (131_330, Kind::CameraTamper),
        (131_588, Kind::IntrusionArea),
        (131_585, Kind::IntrusionLine),
        (192_513, Kind::FireAlarm),
        (192_514, Kind::FireAlarm),
        (192_515, Kind::FireAlarm),
        (192_517, Kind::EnvironmentAlarm),
        (254_103, Kind::FireLaneBlocked),
        (254_104, Kind::FireAlarm),
        (196_893, Kind::AccessGranted),
        (197_162, Kind::AccessGranted),
        (198_914, Kind::AccessGranted),
        (197_634, Kind::AccessDenied),
        (198_400, Kind::DoorHeldOpen),
        (198_657, Kind::DoorForced),
        (199_428, Kind::AccessDuress),
        (771_760_130, Kind::VehiclePassed),
        (771_760_131, Kind::GateState),
        (771_760_134, Kind::GateState),
        (1_157_632_004, Kind::VehicleWrongWay),
        (1_157_632_005, Kind::VehicleDwell),
    ];
    for (code, kind) in table {
        assert_eq!(read_one(&format!(r#","eventType":{code}"#)).kind, kind, "{code}");
        assert_eq!(read_one(&format!(r#","eventType":"{code}""#)).kind, kind, "{code}");
    }
}

#[test]
fn trap_01_a_time_without_an_offset_is_local() {
    let pieces = read(&fixture(NAME, "car_park.json")).unwrap();
    assert!(matches!(events(&pieces)[0].time, DeviceTime::Local(..)));
}

#[test]
fn trap_01_a_time_with_blanks_within_is_read() {
    for time in ["2026-11-24T 08:00:00.000+08:00", "2026-11-24T08: 00: 00.000+08: 00", "1795478400000"] {
        let json = format!(
            r#"{{"method":"OnEventNotify","params":{{"events":[{{"eventType":131588,"happenTime":"{time}"}}]}}}}"#
        );
        let row = rows(&read(json.as_bytes()));
        assert_eq!(row, ["intrusion.area pulse - 2026-11-24T00:00:00Z"], "{time}");
    }
}

#[test]
fn trap_09_a_history_is_a_replay() {
    let history = event(r#","eventType":131588"#).replacen('{', r#"{"isHistory":1,"#, 1);
    assert!(one(read(history.as_bytes())).is_replay);
    assert!(!read_one(r#","eventType":131588"#).is_replay);
}

#[test]
fn trap_03_what_was_sent_before_it_happened_contradicts_itself() {
    let counted = one(read(&fixture(NAME, "people_counted.json")));
    assert!(matches!(counted.time, DeviceTime::Contradictory(..)));
    assert_eq!(counted.count, Some(19));
    // Some seconds ahead are a clock, not a contradiction.
    let pieces = read(&fixture(NAME, "door_granted_and_denied.json")).unwrap();
    assert!(matches!(events(&pieces)[0].time, DeviceTime::Zoned(..)));
}

#[test]
fn trap_04_gbk_is_read_without_a_flag() {
    let covered = one(read(&fixture(NAME, "gbk_cover.json")));
    assert!(covered.flags.is_empty(), "{:?}", covered.flags);
}

#[test]
fn trap_06_the_type_of_a_rule_is_that_of_its_detail() {
    let rule = r#","eventType":0,"eventDetails":[{"eventType":192514,"srcIndex":"camera-9"}]"#;
    let fire = read_one(rule);
    assert_eq!((fire.kind, fire.device_id.as_str()), (Kind::FireAlarm, "camera-9"));
    let nameless = read_one(r#","srcType":"eventRule","eventDetails":[{"eventType":192514}]"#);
    assert_eq!(nameless.device_id, "", "a rule is no device");
}

#[test]
fn trap_07_stop_and_restore_are_ends() {
    assert_eq!(read_one(r#","eventType":131588,"status":2"#).phase, Phase::End);
    assert_eq!(read_one(r#","eventType":131588,"status":"2""#).phase, Phase::End);
    let restored = read_one(r#","eventType":199709,"status":0"#);
    assert_eq!((restored.kind, restored.phase), (Kind::CameraTamper, Phase::End));
}

#[test]
fn trap_08_a_repeat_a_linkage_and_a_late_picture_go_on() {
    for (status, phase) in
        [(0, Phase::Pulse), (1, Phase::Start), (3, Phase::Continue), (4, Phase::Continue), (5, Phase::Continue)]
    {
        assert_eq!(read_one(&format!(r#","eventType":131588,"status":{status}"#)).phase, phase, "{status}");
    }
}

#[test]
fn trap_10_a_retry_has_the_same_identity_and_a_repeat_another() {
    let pieces = read(&fixture(NAME, "life_of_one_event.json")).unwrap();
    let mut ids: Vec<_> = events(&pieces).iter().map(|event| (event.native_id.clone(), event.phase.as_str())).collect();
    assert!(ids.iter().all(|(id, _)| id.as_deref().is_some_and(|id| id.starts_with("C0000000-"))));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), pieces.len());
    let retried = read(&fixture(NAME, "life_of_one_event.json")).unwrap();
    assert_eq!(events(&retried)[1].native_id, events(&pieces)[1].native_id);
}

#[test]
fn trap_12_without_a_type_nothing_is_granted() {
    assert_eq!(rows(&read(event("").as_bytes())), ["rejected missing_field"]);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "door_granted_and_denied.json")).unwrap();
    let granted = events(&pieces)[0];
    for name in ["ExtEventCardNo", "ExtEventPersonNo", "ExtEventIdentityCardInfo", "ExtEventPictureURL", "srcName"] {
        assert!(granted.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    assert!(granted.credential.is_some());
    assert_eq!((granted.outcome, granted.native_seq), (Some(Outcome::Granted), Some(4_711)));
}

#[test]
fn trap_14_zero_is_no_card_and_no_person() {
    let pieces = read(&fixture(NAME, "door_granted_and_denied.json")).unwrap();
    let denied = events(&pieces)[1];
    assert_eq!((denied.outcome, denied.credential.is_some()), (Some(Outcome::Denied), false));
    assert!(denied.dropped.is_empty(), "{:?}", denied.dropped);
}

#[test]
fn trap_16_what_is_broken_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"{\"method\":\"OnEventNotify\","[..], Reason::Truncated),
        (b"{]", Reason::BadSyntax),
        (b"{\"method\":\"OnEventNotify\"}", Reason::NotThisFormat),
        (b"hello", Reason::BadSyntax),
        (b"[]", Reason::NotThisFormat),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    let many = format!(r#"{{"params":{{"events":[{}7]}}}}"#, r#"{"eventType":131588},"#.repeat(2_000));
    let pieces = read(many.as_bytes()).unwrap();
    assert_eq!(rows(&Ok(pieces)).last().map(String::as_str), Some("rejected too_large"));
}

#[test]
fn trap_19_the_level_is_kept_apart_from_the_type() {
    let level = read_one(r#","eventType":589825,"eventLvl":3"#).severity;
    assert_eq!(level.map(|(severity, _)| severity), Some(Severity::High));
    assert_eq!(read_one(r#","eventType":589825,"eventLvl":0"#).severity, None);
}

#[test]
fn a_cameras_analysis_names_its_target_and_region() {
    let seen = read_one(
        r#","eventType":131588,"status":1,"data":{"fielddetection":[{"detectionTarget":"human","regionID":"2"}]}"#,
    );
    assert_eq!((seen.object_class, seen.zone.as_deref()), (Some("person"), Some("2")));
}

#[test]
fn an_event_without_its_list_is_read_like_one_in_it() {
    let bare = r#"{"eventId":"e1","eventType":"131588","status":1,"srcIndex":"cam-1","srcType":"camera","happenTime":"2026-11-24T08:00:00+08:00"}"#;
    let listed = format!(r#"{{"method":"OnEventNotify","params":{{"events":[{bare}]}}}}"#);
    let want = ["intrusion.area start cam-1 2026-11-24T00:00:00Z"];
    assert_eq!(
        (rows(&read(bare.as_bytes())), rows(&read(listed.as_bytes()))),
        (want.map(str::to_owned).to_vec(), want.map(str::to_owned).to_vec())
    );
    assert_eq!(rows(&read(br#"{"srcIndex":"cam-1","happenTime":"x"}"#)), ["rejected not_this_format"]);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
