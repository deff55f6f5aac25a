//! ZKTeco push: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that no terminal ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::zkteco_push::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Outcome, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn row(fields: &str) -> Observation {
    let text = format!("POST /iclock/cdata?SN=T1&table=rtlog HTTP/1.1\r\n\r\ntime=2026-11-24 08:00:00\t{fields}\r\n");
    one(read(text.as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "rtlog.http",
            &[
                "access.granted pulse CGXH200000001 local 2026-11-24T08:00:01",
                "access.denied pulse CGXH200000001 local 2026-11-24T08:00:05",
                "door.forced pulse CGXH200000001 local 2026-11-24T08:00:09",
                "access.denied pulse CGXH200000001 local 2026-11-24T08:00:10",
                "input.changed start CGXH200000001 local 2026-11-24T08:00:11",
                "rejected unknown_code",
                "filtered linkage",
                "rejected missing_field",
                "rejected bad_syntax",
            ],
        ),
        ("rtlog_commas.txt", &["access.duress pulse - local 2026-11-24T08:01:00"]),
        (
            "backlog.http",
            &[
                "door.opened pulse CGXH200000001 local 2026-11-24T06:00:00",
                "door.closed pulse CGXH200000001 local 2026-11-24T06:00:04",
                "device.online pulse CGXH200000001 local 2026-11-24T08:00:00",
            ],
        ),
        ("stored.http", &["access.denied pulse CGXH200000001 local 2026-11-24T08:00:00"]),
        (
            "attlog.http",
            &[
                "access.denied pulse CGXH200000002 local 2026-11-24T07:55:00",
                "access.denied pulse CGXH200000002 local 2026-11-24T07:55:10",
                "rejected bad_value",
            ],
        ),
        (
            "rtstate.http",
            &[
                "door.closed sync CGXH200000001 local 2026-11-24T09:00:00",
                "door.opened sync CGXH200000001 local 2026-11-24T09:00:00",
                "door.forced sync CGXH200000001 local 2026-11-24T09:00:00",
                "door.forced sync CGXH200000001 local 2026-11-24T09:00:00",
                "camera.tamper sync CGXH200000001 local 2026-11-24T09:00:00",
                "device.heartbeat pulse CGXH200000001 local 2026-11-24T09:00:05",
                "device.heartbeat pulse CGXH200000001 missing",
                "rejected missing_field",
            ],
        ),
        ("poll.http", &["device.heartbeat pulse CGXH200000001 missing"]),
        ("hello.http", &["device.online sync CGXH200000001 missing"]),
        ("operlog.http", &["filtered operator_log"]),
        ("users_gbk.http", &["filtered roster"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let open = "door.opened sync UNKNOWN local 2026-08-20T09:00:00";
    let table: &[(&str, &[&str])] = &[
        ("rtlog_2017_doc.http.txt", &["access.granted pulse UNKNOWN local 2017-01-10T11:49:32"]),
        ("rtlog_senseface_2a.http.txt", &["access.granted pulse UNKNOWN local 2026-08-14T15:28:03"]),
        // AA: four doors open; BB: every second of four says nothing that is defined.
        ("rtstate_bitmaps.http.txt", &[open; 6]),
    ];
    wire::check_shared(NAME, "zkteco_push", table);
}

#[test]
fn every_number_of_the_guide_has_its_kind() {
    for (code, kind) in [
        (0, Kind::AccessGranted),
        (23, Kind::AccessDenied),
        (24, Kind::AccessDenied),
        (27, Kind::AccessDenied),
        (28, Kind::DoorHeldOpen),
        (29, Kind::AccessDenied),
        (100, Kind::CameraTamper),
        (101, Kind::AccessDuress),
        (102, Kind::DoorForced),
        (200, Kind::DoorOpened),
        (201, Kind::DoorClosed),
        (202, Kind::ExitRequested),
        (206, Kind::DeviceOnline),
        (700, Kind::DeviceOffline),
    ] {
        assert_eq!(row(&format!("pin=7\teventaddr=1\tevent={code}\tindex=1")).kind, kind, "{code}");
    }
}

#[test]
fn trap_01_a_terminals_time_is_local() {
    assert!(matches!(row("event=0\tpin=7").time, DeviceTime::Local(..)));
}

#[test]
fn trap_04_gbk_is_read_without_a_flag() {
    assert_eq!(rows(&read(&fixture(NAME, "users_gbk.http"))), ["filtered roster"]);
    let (gbk, _, _) =
        encoding_rs::GB18030.encode("POST /iclock/cdata?SN=T1&table=rtlog HTTP/1.1\n\nname=张三\tevent=0\tpin=7");
    let granted = one(read(&gbk));
    assert!(!granted.flags.contains(&"lossy_text"));
    assert_eq!(granted.dropped, ["name", "pin"]);
}

#[test]
fn trap_05_a_poll_is_a_heartbeat() {
    for request in ["GET /iclock/getrequest?SN=T1 HTTP/1.1\r\n\r\n", "GET /iclock/ping?SN=T1 HTTP/1.1\r\n\r\n"] {
        assert_eq!(one(read(request.as_bytes())).kind, Kind::DeviceHeartbeat, "{request}");
    }
}

#[test]
fn trap_07_a_contact_that_is_restored_ends() {
    assert_eq!(row("event=221\teventaddr=2").phase, Phase::Start);
    assert_eq!(row("event=220\teventaddr=2").phase, Phase::End);
    assert_eq!(row("event=204\teventaddr=2").phase, Phase::End);
}

#[test]
fn trap_09_a_backlog_is_a_replay() {
    let replays = |name: &str| -> Vec<bool> {
        events(&read(&fixture(NAME, name)).unwrap()).iter().map(|event| event.is_replay).collect()
    };
    assert_eq!(replays("backlog.http"), [true, true, false]);
    assert_eq!(replays("stored.http"), [true]);
    assert!(replays("rtlog.http").iter().all(|replay| !replay));
}

#[test]
fn trap_10_the_identity_is_number_time_and_event() {
    let granted = row("event=0\tpin=7\teventaddr=1\tindex=42");
    assert_eq!(granted.native_id.as_deref(), Some("42/2026-11-24T08:00:00/0"));
    assert_eq!(granted.native_seq, Some(42));
    assert_eq!(row("event=0\tpin=7").native_id, None);
}

#[test]
fn trap_11_what_an_operator_does_is_no_access() {
    assert_eq!(rows(&read(&fixture(NAME, "operlog.http"))), ["filtered operator_log"]);
    assert_eq!(row("event=8\teventaddr=1").kind, Kind::GateState);
}

#[test]
fn trap_12_without_an_event_the_outcome_is_unknown_and_never_granted() {
    let attempt = row("pin=7\teventaddr=1\tindex=1");
    assert_eq!((attempt.kind, attempt.outcome), (Kind::AccessDenied, Some(Outcome::Unknown)));
    let pieces = read(&fixture(NAME, "attlog.http")).unwrap();
    assert!(
        events(&pieces).iter().all(|event| event.kind == Kind::AccessDenied && event.outcome == Some(Outcome::Unknown))
    );
    assert_eq!(row("event=0\tpin=7").outcome, Some(Outcome::Granted));
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "rtlog.http")).unwrap();
    assert_eq!(events(&pieces)[0].dropped, ["pin", "temperature"]);
    assert!(events(&pieces)[0].credential.is_some());
}

#[test]
fn trap_14_zero_is_no_card_and_no_person() {
    let opened = row("event=0\tpin=0\tcardno=0");
    assert!(opened.credential.is_none());
    assert!(opened.dropped.is_empty(), "{:?}", opened.dropped);
}

#[test]
fn trap_16_what_is_not_ours_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"hello"[..], Reason::NotThisFormat),
        (b"POST /iclock/cdata?SN=1&table=somethingnew HTTP/1.1\r\n\r\nx=1", Reason::UnknownCode),
        (b"POST /iclock/other HTTP/1.1\r\n\r\n", Reason::UnknownCode),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    let many = ["POST /iclock/cdata?SN=1&table=rtlog HTTP/1.1\n\n", &"event=0\tpin=1\n".repeat(5_000)].concat();
    assert_eq!(rows(&read(many.as_bytes())).last().map(String::as_str), Some("rejected too_large"));
}

#[test]
fn trap_20_a_statement_of_state_is_no_happening() {
    let pieces = read(&fixture(NAME, "rtstate.http")).unwrap();
    let stated = events(&pieces);
    assert!(stated.iter().take(5).all(|event| event.phase == Phase::Sync));
    assert_eq!(stated[0].channel.as_deref(), Some("1"));
    // An alarm stands, and may alert; a contact only is as it is.
    let stands: Vec<bool> = stated.iter().map(|event| event.flags.contains(&"standing")).collect();
    assert_eq!(stands, [false, false, true, true, true, false, false]);
    let duress = one(read(b"POST /iclock/cdata?SN=X&table=rtstate HTTP/1.1\r\n\r\nalarm=04"));
    assert_eq!((duress.kind, duress.phase), (Kind::AccessDuress, Phase::Sync));
    assert_eq!(duress.flags, ["standing"]);
    let held = |sensor: &str| {
        let state = format!("POST /iclock/cdata?SN=X&table=rtstate HTTP/1.1\r\n\r\nsensor={sensor}\talarm=10");
        let pieces = read(state.as_bytes()).unwrap();
        events(&pieces).last().unwrap().flags.contains(&"standing")
    };
    assert_eq!((held("01"), held("02")), (false, true), "shut, open");
    assert_eq!(one(read(&fixture(NAME, "hello.http"))).phase, Phase::Sync);
}

#[test]
fn the_serial_number_is_the_device_and_the_door_its_channel() {
    let granted = row("event=0\tpin=7\teventaddr=3");
    assert_eq!((granted.device_id.as_str(), granted.scheme), ("T1", DeviceScheme::Serial));
    assert_eq!(granted.channel.as_deref(), Some("3"));
    assert_eq!(row("event=206\teventaddr=0").channel, None);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
