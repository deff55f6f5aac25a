//! GB/T 28181: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no device ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::{self, gb28181::NAME};
use chorus_ingest::observation::{DeviceTime, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Phase, Severity, SeveritySource};
use wire::{events, fixture, one, rows};

const FOLDER: &str = "gb-t-28181";

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

/// An alarm with these elements.
fn alarm(fields: &str) -> String {
    format!("<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>36010200001320000007</DeviceID>{fields}</Notify>")
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("alarm_area_enter.xml", &["intrusion.area start 36010200001320000007 local 2026-11-24T22:10:05"]),
        ("alarm_area_leave.xml", &["intrusion.area end 36010200001320000007 local 2026-11-24T22:10:41"]),
        ("alarm_zoned_sip.txt", &["intrusion.zone pulse 36010200001340000002 2026-11-24T14:11:00Z"]),
        ("alarm_storage_called_door.xml", &["device.fault pulse 36010200001180000003 local 2026-11-24T23:00:00"]),
        ("alarm_other_priority_one.xml", &["input.changed pulse 36010200001340000004 local 2026-11-24T23:00:01"]),
        (
            "keepalive_ok_with_faulty_children.xml",
            &[
                "device.heartbeat pulse 36010200001180000003 missing",
                "device.fault continue 36010200001320000011 missing",
                "device.fault continue 36010200001320000012 missing",
            ],
        ),
        ("keepalive_wrong_length.txt", &["device.heartbeat pulse 36010200001320000007 missing"]),
        (
            "catalog_changes.xml",
            &[
                "device.offline pulse 36010200001320000011 missing",
                "video.loss pulse 36010200001320000012 missing",
                "device.fault pulse 36010200001320000013 missing",
                "device.online pulse 36010200001320000011 missing",
                "filtered catalog_change",
            ],
        ),
        (
            "catalog_list.xml",
            &[
                "device.online sync 36010200001320000011 missing",
                "device.offline sync 36010200001320000012 missing",
                "filtered catalog_change",
            ],
        ),
        ("media_status.xml", &["filtered media_status"]),
        ("position.xml", &["filtered position"]),
    ];
    wire::check_fixtures(NAME, FOLDER, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("alarm_motion_nvr.gb2312.xml", &["motion.detected pulse 34020000001310000001 local 2023-08-09T07:38:35"]),
        ("alarm_motion_with_geo.xml", &["motion.detected pulse 34020000001320000001 local 2026-07-22T12:00:00"]),
        ("alarm_spec_appendix_2009.xml", &["intrusion.zone pulse 64010000001340000001 local 2009-12-04T16:23:32"]),
        ("catalog_hikvision_name.gb2312.xml", &["device.online sync 34020000001310000004 missing"]),
        (
            "catalog_notify_on_off.xml",
            &["device.offline pulse 34020000001320000004 missing", "device.online pulse 34020000001320000005 missing"],
        ),
        ("keepalive_dahua_sip_message.txt", &["device.heartbeat pulse 34020000001320000001 missing"]),
        ("keepalive_nvr_279.xml", &["device.heartbeat pulse 34020000001180000001 missing"]),
    ];
    wire::check_shared(NAME, "gb28181", table);
}

#[test]
fn every_method_and_type_of_the_guide_has_its_kind() {
    let table = [
        ("1", "", Kind::PanicButton),
        ("2", "1", Kind::VideoLoss),
        ("2", "2", Kind::CameraTamper),
        ("2", "3", Kind::DeviceFault),
        ("2", "4", Kind::EnvironmentAlarm),
        ("2", "5", Kind::EnvironmentAlarm),
        ("5", "1", Kind::PanicButton),
        ("5", "2", Kind::MotionDetected),
        ("5", "3", Kind::ObjectLeft),
        ("5", "4", Kind::ObjectRemoved),
        ("5", "5", Kind::IntrusionLine),
        ("5", "06", Kind::IntrusionArea),
        ("5", "7", Kind::VehicleWrongWay),
        ("5", "8", Kind::Loitering),
        ("5", "9", Kind::CountFlow),
        ("5", "10", Kind::CrowdDensity),
        ("5", "11", Kind::CameraTamper),
        ("6", "1", Kind::DeviceFault),
        ("6", "2", Kind::DeviceFault),
        ("7", "", Kind::InputChanged),
        // Combined methods: the most serious that is known.
        ("25", "2", Kind::CameraTamper),
        ("12", "", Kind::PanicButton),
    ];
    for (method, of_type, kind) in table {
        let xml = alarm(&format!("<AlarmMethod>{method}</AlarmMethod><Info><AlarmType>{of_type}</AlarmType></Info>"));
        assert_eq!(one(read(xml.as_bytes())).kind, kind, "{method}/{of_type}");
    }
    for (fields, reason) in [
        ("", "missing_field"),
        ("<AlarmMethod>5</AlarmMethod>", "missing_field"),
        ("<AlarmMethod>5</AlarmMethod><AlarmType>99</AlarmType>", "unknown_code"),
        ("<AlarmMethod>9</AlarmMethod>", "unknown_code"),
    ] {
        assert_eq!(rows(&read(alarm(fields).as_bytes())), [format!("rejected {reason}")], "{fields}");
    }
}

#[test]
fn trap_01_an_alarm_time_is_local_unless_it_says_otherwise() {
    let local = one(read(&fixture(FOLDER, "alarm_area_enter.xml")));
    assert!(matches!(local.time, DeviceTime::Local(..)));
    // One library sends the offset: it is not shifted twice.
    let zoned = one(read(&fixture(FOLDER, "alarm_zoned_sip.txt")));
    assert!(matches!(zoned.time, DeviceTime::Zoned(at, _) if at.to_string() == "2026-11-24T14:11:00Z"));
}

#[test]
fn trap_04_whatever_is_declared_the_bytes_decide() {
    let gbk = one(read(&fixture(FOLDER, "alarm_area_enter.xml")));
    let utf8 = one(read(&fixture(FOLDER, "alarm_area_leave.xml")));
    assert!(gbk.flags.is_empty() && utf8.flags.is_empty());
    let mut broken = alarm("<AlarmMethod>6</AlarmMethod><AlarmDescription>").into_bytes();
    broken.truncate(broken.len() - "</Notify>".len());
    broken.extend_from_slice(b"\xff\xff</AlarmDescription></Notify>");
    assert_eq!(one(read(&broken)).flags, ["lossy_text"]);
}

#[test]
fn trap_05_a_keepalive_is_a_heartbeat() {
    let heartbeat = one(read(&fixture(FOLDER, "keepalive_wrong_length.txt")));
    assert_eq!((heartbeat.kind, heartbeat.native_seq), (Kind::DeviceHeartbeat, Some(4)));
    assert_eq!((heartbeat.scheme, heartbeat.device_kind), (DeviceScheme::Gb28181, Some("camera")));
}

#[test]
fn trap_06_a_keepalive_that_is_ok_may_name_the_ill() {
    let pieces = read(&fixture(FOLDER, "keepalive_ok_with_faulty_children.xml")).unwrap();
    assert_eq!(events(&pieces).iter().filter(|event| event.kind == Kind::DeviceFault).count(), 2);
    let ill = "<Notify><CmdType>Keepalive</CmdType><DeviceID>d</DeviceID><Status>ERROR</Status></Notify>";
    assert_eq!(rows(&read(ill.as_bytes())), ["device.heartbeat pulse d missing", "device.fault continue d missing"]);
}

#[test]
fn trap_07_leaving_the_area_ends_what_entering_it_began() {
    let phase = |name: &str| one(read(&fixture(FOLDER, name))).phase;
    assert_eq!((phase("alarm_area_enter.xml"), phase("alarm_area_leave.xml")), (Phase::Start, Phase::End));
}

#[test]
fn trap_10_a_retransmission_has_the_identity_of_the_first() {
    let bytes = fixture(FOLDER, "alarm_area_enter.xml");
    let identity = one(read(&bytes)).native_id;
    assert_eq!(identity.as_deref(), Some("36010200001320000007/1201/2026-11-24T22:10:05"));
    assert_eq!(identity, one(read(&bytes)).native_id);
    // SN begins anew at a reboot: without a time it identifies nothing.
    assert_eq!(one(read(alarm("<AlarmMethod>6</AlarmMethod>").as_bytes())).native_id, None);
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, FOLDER);
    let pieces = read(&fixture(FOLDER, "catalog_list.xml")).unwrap();
    let mut dropped = events(&pieces)[0].dropped.clone();
    dropped.sort();
    assert_eq!(dropped, ["Address", "IPAddress", "Name", "Owner"]);
}

#[test]
fn trap_16_a_missing_or_wrong_length_and_a_cut_catalogue_cost_nothing_that_was_whole() {
    for name in ["alarm_zoned_sip.txt", "keepalive_wrong_length.txt"] {
        assert_eq!(events(&read(&fixture(FOLDER, name)).unwrap()).len(), 1, "{name}");
    }
    let mut cut = fixture(FOLDER, "catalog_changes.xml");
    let third = memchr::memmem::find(&cut, b"DEFECT").unwrap();
    cut.truncate(third);
    let read_cut = read(&cut).unwrap();
    assert_eq!(events(&read_cut).len(), 2);
    assert!(matches!(read_cut.last(), Some(Piece::Rejected(Reason::Truncated))));
    for (bytes, reason) in [
        (&b"<Notify><CmdType>Alarm"[..], Reason::Truncated),
        (b"<Notify></Alarm>", Reason::BadSyntax),
        (b"<Notify></Notify>", Reason::MissingField),
        (b"<html><CmdType>Alarm</CmdType></html>", Reason::NotThisFormat),
        (b"hello", Reason::NotThisFormat),
        (b"MESSAGE sip:a@b SIP/2.0\r\nCSeq: 1", Reason::Truncated),
        (b"<Notify><CmdType>Dance</CmdType></Notify>", Reason::UnknownCode),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(rows(&read(b"SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\n\r\n")), ["filtered sip_without_body"]);
}

#[test]
fn trap_18_a_position_is_passed_on_unchecked_and_zeros_are_none() {
    let geo = |lat: &str, lon: &str| {
        let xml = alarm(&format!("<AlarmMethod>6</AlarmMethod><Latitude>{lat}</Latitude><Longitude>{lon}</Longitude>"));
        one(read(xml.as_bytes())).geo.map(|geo| (geo.lat, geo.lon, geo.datum.into_owned()))
    };
    assert_eq!(geo("28.6", "115.9"), Some((28.6, 115.9, "unknown".to_owned())));
    // The border checks the range.
    assert!(geo("34.2", "171.3").is_some());
    assert_eq!(geo("0.0", "0"), None);
    assert_eq!(geo("28.6", "east"), None);
}

#[test]
fn trap_19_neither_the_priority_nor_the_text_decides() {
    let storage = one(read(&fixture(FOLDER, "alarm_storage_called_door.xml")));
    assert_eq!((storage.kind, storage.severity), (Kind::DeviceFault, None));
    // Where method and type say nothing, the priority is a hint.
    let other = one(read(&fixture(FOLDER, "alarm_other_priority_one.xml")));
    assert_eq!(other.severity, Some((Severity::High, SeveritySource::Device)));
}

#[test]
fn trap_20_a_catalogue_is_a_state_and_no_happening() {
    let pieces = read(&fixture(FOLDER, "catalog_list.xml")).unwrap();
    assert!(events(&pieces).iter().all(|event| event.phase == Phase::Sync));
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, FOLDER);
}

#[test]
fn what_is_ours_is_sniffed_as_ours() {
    for (name, bytes) in wire::fixtures(FOLDER) {
        let found = formats::sniff(&bytes, formats::FORMATS.iter()).map(|format| format.name);
        assert_eq!(found, Some(NAME), "{name}");
    }
}
