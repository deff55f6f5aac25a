//! Plate cameras of lift barriers: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes never sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::vzenith_lpr::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn plate(fields: &str) -> Observation {
    let json = format!(r#"{{"AlarmInfoPlate":{{"result":{{"PlateResult":{{{fields}}}}},"serialno":"0a-1"}}}}"#);
    one(read(json.as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("http_plate.json", &["vehicle.passed pulse 0a0b0c0d-11223344 2026-11-24T00:00:00.687Z"]),
        (
            "offline_and_contradictory.json",
            &["vehicle.passed pulse 0a0b0c0d-11223345 contradictory 2015-09-09T16:12:51.672Z"],
        ),
        (
            "dwell_and_reverse.json",
            &[
                "vehicle.dwell start 0a0b0c0d-11223346 2026-11-24T00:00:00Z",
                "vehicle.dwell end 0a0b0c0d-11223346 2026-11-24T00:01:00Z",
                "vehicle.wrong_way pulse 0a0b0c-11223346 2026-11-24T00:01:10Z",
                "vehicle.passed pulse 10.20.30.52 missing",
            ],
        ),
        (
            "input.json",
            &[
                "input.changed start 0a0b0c0d-11223344 missing",
                "input.changed end 0a0b0c0d-11223344 missing",
                "filtered serial_data",
                "filtered picture",
                "filtered answer",
            ],
        ),
        (
            "mqtt.json",
            &[
                "device.heartbeat pulse 0a0b0c0d-11223347 2026-11-24T00:00:01Z",
                "gate.fault end 0a0b0c0d-11223347 2026-11-24T00:00:02Z",
                "gate.state start 0a0b0c0d-11223347 2026-11-24T00:00:02Z",
                "gate.fault end 0a0b0c0d-11223347 2026-11-24T00:00:09Z",
                "gate.state end 0a0b0c0d-11223347 2026-11-24T00:00:09Z",
                "gate.fault start 0a0b0c0d-11223347 2026-11-24T00:00:10Z",
                "vehicle.passed pulse 0a0b0c0d-11223347 2026-11-24T00:00:11Z",
                "input.changed start 0a0b0c0d-11223347 2026-11-24T00:00:12Z",
                "filtered answer",
            ],
        ),
        ("heartbeat.form", &["device.heartbeat pulse 0a0b0c0d-11223344 missing"]),
        ("heartbeat.urlencoded", &["device.heartbeat pulse 0a0b0c0d-11223344 missing"]),
        (
            "tcp.bin",
            &["device.heartbeat pulse - missing", "vehicle.passed pulse - 2026-11-24T00:00:00.921Z", "filtered answer"],
        ),
        ("tcp_gbk.json", &["vehicle.passed pulse - 2026-11-24T00:00:00.921Z"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("http_heartbeat_register.form.txt", &["device.heartbeat pulse d85b1269-8f942256 missing"]),
        ("http_plateresult_full_2023.json", &["vehicle.passed pulse fe71e106-57263272 2023-06-09T08:39:54.687Z"]),
        (
            "http_plateresult_noplate_2015.json",
            &["vehicle.passed pulse e10b2d6c8c07b422361457935b518642 2015-09-09T16:12:51.672Z"],
        ),
        ("qianyi_plateresult_2019.json", &["vehicle.passed pulse e0fade-63f0fe93 2019-10-24T15:56:23Z"]),
        ("tcp_ivs_result_2016.json", &["vehicle.passed pulse - 2016-03-25T05:03:54.921Z"]),
    ];
    wire::check_shared(NAME, "vzenith_lpr", table);
}

#[test]
fn trap_03_two_clocks_that_are_years_apart_contradict() {
    let contradictory = one(read(&fixture(NAME, "offline_and_contradictory.json")));
    assert!(matches!(contradictory.time, DeviceTime::Contradictory(..)));
    // A local clock of another zone is no contradiction, and one alone is local.
    let zone =
        r#""timeStamp":{"Timeval":{"sec":1795478400,"decyear":2026,"decmon":11,"decday":24,"dechour":7,"decmin":0}}"#;
    assert!(matches!(plate(zone).time, DeviceTime::Zoned(..)));
    let local = r#""timeStamp":{"Timeval":{"sec":0,"decyear":2026,"decmon":11,"decday":24,"dechour":7,"decmin":0}}"#;
    assert!(matches!(plate(local).time, DeviceTime::Local(..)));
    assert_eq!(plate(r#""license":"x""#).time, DeviceTime::Missing);
}

#[test]
fn trap_04_gbk_over_tcp_is_read_without_a_flag() {
    for name in ["tcp.bin", "tcp_gbk.json"] {
        let pieces = read(&fixture(NAME, name)).unwrap();
        assert!(events(&pieces).iter().all(|event| event.flags.is_empty()), "{name}");
    }
}

#[test]
fn trap_05_every_heartbeat_is_one() {
    for json in [
        r#"{"heartbeat":{"countid":3,"serialno":"0a-1"}}"#,
        r#"{"sn":"0a-1","name":"keep_alive","timestamp":1795478400,"payload":{"body":{}}}"#,
    ] {
        assert_eq!(one(read(json.as_bytes())).kind, Kind::DeviceHeartbeat, "{json}");
    }
}

#[test]
fn trap_07_a_dwell_that_is_over_ends() {
    assert_eq!(plate(r#""triggerType":64"#).phase, Phase::Start);
    assert_eq!(plate(r#""triggerType":65"#).phase, Phase::End);
    assert_eq!(plate(r#""triggerType":66"#).kind, Kind::VehicleWrongWay);
    for trigger in [1, 2, 4, 8] {
        let passed = plate(&format!(r#""triggerType":{trigger}"#));
        assert_eq!((passed.kind, passed.phase), (Kind::VehiclePassed, Phase::Pulse), "{trigger}");
    }
}

#[test]
fn trap_09_an_offline_record_is_a_replay() {
    assert!(one(read(&fixture(NAME, "offline_and_contradictory.json"))).is_replay);
    assert!(!one(read(&fixture(NAME, "http_plate.json"))).is_replay);
    assert!(plate(r#""isoffline":"1""#).is_replay);
}

#[test]
fn trap_10_a_record_that_comes_twice_has_one_identity() {
    let id = || one(read(&fixture(NAME, "http_plate.json"))).native_id;
    assert_eq!(id().as_deref(), Some("21085/2026-11-24T00:00:00.687Z"));
    assert_eq!(id(), id());
    assert_eq!(plate(r#""plateid":5"#).native_id, None, "a number without a time begins again after a reset");
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let passed = one(read(&fixture(NAME, "http_plate.json")));
    for name in ["license", "imagePath", "imageFile", "imageFragmentFile", "deviceName", "user_data"] {
        assert!(passed.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    let heartbeat = one(read(&fixture(NAME, "heartbeat.form")));
    assert_eq!(heartbeat.dropped, ["device_name", "pass_wd", "user_name"]);
    let pieces = read(&fixture(NAME, "tcp.bin")).unwrap();
    assert!(events(&pieces)[1].dropped.iter().any(|dropped| dropped == "picture"));
}

#[test]
fn trap_14_a_placeholder_is_flagged_and_no_plate_is_ever_a_credential() {
    for license in ["_无_", "无车牌", "", "X+aXoF8="] {
        let passed = plate(&format!(r#""license":"{license}""#));
        assert!(passed.flags.contains(&"no_plate"), "{license}");
        assert!(passed.credential.is_none());
    }
    let passed = one(read(&fixture(NAME, "http_plate.json")));
    assert!(passed.credential.is_none() && !passed.flags.contains(&"no_plate"));
}

#[test]
fn trap_16_what_is_cut_or_broken_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"{\"AlarmInfoPlate\":"[..], Reason::Truncated),
        (b"{\"AlarmInfoPlate\":{}}", Reason::MissingField),
        (b"{}", Reason::NotThisFormat),
        (b"hello", Reason::NotThisFormat),
        (b"VZ\0\0\0\0\0\x20{", Reason::Truncated),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    let behind = read(b"VZ\x01\0\0\0\0\0rubbish");
    assert_eq!(rows(&behind), ["device.heartbeat pulse - missing", "rejected bad_syntax"]);
}

#[test]
fn trap_21_an_answer_that_opens_a_barrier_leaves_nothing_behind() {
    for json in [
        r#"{"Response_AlarmInfoPlate":{"info":"ok","is_pay":"true","ivs_ioctrl":{"io":0,"value":2}}}"#,
        r#"{"sn":"0a-1","name":"gate_direct_open/reply","payload":{"body":{"info":"ok"}}}"#,
    ] {
        assert_eq!(rows(&read(json.as_bytes())), ["filtered answer"], "{json}");
    }
}

#[test]
fn the_serial_number_is_the_device_and_the_address_only_without_it() {
    let pieces = read(&fixture(NAME, "dwell_and_reverse.json")).unwrap();
    let seen = events(&pieces);
    assert_eq!(seen[0].scheme, DeviceScheme::Serial);
    assert_eq!((seen[3].scheme, seen[3].flags.contains(&"device_by_address")), (DeviceScheme::Own, true));
}

#[test]
fn a_brokers_message_may_leave_out_what_its_name_says() {
    let message = |name: &str, body: &str| {
        let json = format!(
            r#"{{"sn":"0a-1","name":"{name}","timestamp":1795478400,"payload":{{"type":"{name}","body":{body}}}}}"#
        );
        rows(&read(json.as_bytes()))
    };
    let opened = ["input.changed start 0a-1 2026-11-24T00:00:00Z"];
    for body in [
        r#"{"AlarmGioIn":{"result":{"TriggerResult":{"source":0,"value":1}}}}"#,
        r#"{"TriggerResult":{"source":0,"value":1}}"#,
        r#"{"result":{"source":"0","value":"1"}}"#,
        r#"{"source":0,"value":1}"#,
    ] {
        assert_eq!(message("gpio_in", body), opened, "{body}");
    }
    assert_eq!(message("gpio_in", "{}"), ["rejected missing_field"]);
    let plate = r#"{"license":"_无_","triggerType":1,"timeStamp":{"Timeval":{"sec":1795478399}}}"#;
    assert_eq!(message("ivs_result", plate), ["vehicle.passed pulse 0a-1 2026-11-23T23:59:59Z"]);
}

#[test]
fn trap_07_a_barrier_that_is_connected_again_ends_its_fault() {
    let said = |connected: u8, gate: u8| {
        let json = format!(
            r#"{{"sn":"0a-1","name":"barr_gate_status","payload":{{"body":{{"connect_status":{connected},"gate_ctrl_id":2,"gate_status":{gate}}}}}}}"#
        );
        read(json.as_bytes())
    };
    let (lost, back) = (said(0, 1).unwrap(), said(1, 1).unwrap());
    let (begun, over) = (events(&lost)[0], events(&back)[0]);
    assert_eq!((begun.kind, begun.phase), (Kind::GateFault, Phase::Start));
    assert_eq!((over.kind, over.phase), (Kind::GateFault, Phase::End));
    assert_eq!((&begun.device_id, &begun.channel, &begun.zone), (&over.device_id, &over.channel, &over.zone));
    assert_eq!(rows(&said(1, 7)), ["gate.fault end 0a-1 missing", "filtered gate_between"]);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
