//! GB/T 26875.3: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no device ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::{self, gb26875::NAME};
use chorus_ingest::observation::{Observation, Piece, Raw, Reason};
use chorus_model::{Integrity, Kind, Phase};
use wire::{events, fixture, one, rows};

const AT: [u8; 6] = [0, 30, 22, 24, 11, 26];

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn read_strictly(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    let mut pieces = Vec::new();
    let raw = Raw { bytes, source: None, strict: true };
    formats::by_name(NAME).unwrap().read(&raw, &mut pieces).map(|()| pieces)
}

/// A sound frame of device 5 with serial 1.
fn frame(command: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_le_bytes();
    let body =
        [&[1, 0, 1, 1, 5, 30, 22, 24, 11, 26, 5, 0, 0, 0, 0, 0][..], &[9; 6], &length, &[command], data].concat();
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [b"@@".as_slice(), &body, &[sum], b"##"].concat()
}

/// The data of a part's status.
fn part(kind: u8, status: u16) -> Vec<u8> {
    [&[2, 1, 1, 2, kind, 3, 0, 17, 0][..], &status.to_le_bytes(), &[0; 31], &AT].concat()
}

/// The data of a system's status.
fn system(status: u16) -> Vec<u8> {
    [&[1, 1, 1, 2][..], &status.to_le_bytes(), &AT].concat()
}

fn said(pieces: Result<Vec<Piece>, Reason>) -> Vec<String> {
    rows(&pieces).iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn all(pieces: Result<Vec<Piece>, Reason>) -> Vec<Observation> {
    events(&pieces.unwrap()).into_iter().cloned().collect()
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let at = "360102 local 2026-11-24T22:30:00";
    let row = |text: &str| format!("{text} {at}");
    let table: Vec<(&str, Vec<String>)> = vec![
        ("heartbeat.bin", vec!["device.heartbeat pulse 360102 local 2026-11-24T22:30:05".to_owned()]),
        ("part_fire.bin", vec![row("fire.alarm start")]),
        ("two_parts.bin", vec![row("fire.alarm start"), row("fire.fault start"), row("fire.fault start")]),
        ("part_normal.bin", vec![row("fire.alarm end"), row("fire.fault end")]),
        ("marks_in_data.bin", vec![row("fire.alarm start")]),
        (
            "system_reset_fault.bin",
            vec![row("fire.alarm end"), row("fire.fault end"), row("input.changed pulse"), row("fire.fault start")],
        ),
        ("device_state.bin", vec![row("fire.fault start")]),
        ("device_well_answered.bin", vec![row("device.heartbeat pulse")]),
        ("parts_answered.bin", vec![row("fire.alarm sync"), row("fire.alarm sync"), row("fire.fault sync")]),
        (
            "operations.bin",
            vec![
                row("fire.alarm end"),
                row("fire.alarm start"),
                row("patrol.checkin pulse"),
                row("device.heartbeat pulse"),
            ],
        ),
        ("system_operation_old.bin", vec!["fire.alarm end 360102 local 2026-11-20T08:00:00".to_owned()]),
        ("clock.bin", vec![row("device.heartbeat pulse")]),
        ("measurement.bin", vec!["filtered measurement".to_owned()]),
        ("configuration.bin", vec!["filtered configuration".to_owned()]),
        (
            "command_and_answer.bin",
            vec!["filtered command".to_owned(), "filtered answer".to_owned(), "filtered request".to_owned()],
        ),
        ("bad_sum.bin", vec![row("fire.alarm start")]),
        ("wrong_length.bin", vec![row("fire.alarm start")]),
        ("nobody.bin", vec!["fire.alarm start - local 2026-11-24T22:30:00".to_owned()]),
        ("sent_late.bin", vec!["fire.alarm start 360102 local 2026-08-01T19:18:48".to_owned()]),
        ("hexadecimal.txt", vec![row("fire.fault start")]),
        (
            "noise_between.bin",
            vec![
                "device.heartbeat pulse 360102 local 2026-11-24T22:30:05".to_owned(),
                "rejected bad_syntax".to_owned(),
                "rejected truncated".to_owned(),
                "device.heartbeat pulse 360102 local 2026-11-24T22:30:05".to_owned(),
            ],
        ),
        ("vendor_type.bin", vec!["rejected unknown_code".to_owned()]),
    ];
    let rows: Vec<(&str, Vec<&str>)> =
        table.iter().map(|(name, rows)| (*name, rows.iter().map(String::as_str).collect())).collect();
    let table: Vec<(&str, &[&str])> = rows.iter().map(|(name, rows)| (*name, rows.as_slice())).collect();
    wire::check_fixtures(NAME, NAME, &table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("component_fire_alarm_bad_checksum.bin", &["fire.alarm start - local 2020-08-01T19:18:48"]),
        ("device_operation_reset.bin", &["fire.alarm end 11111 local 2017-12-27T12:59:00"]),
        ("empty_senddata_frame.bin", &["device.heartbeat pulse 11111 local 2017-12-27T12:59:12"]),
    ];
    wire::check_shared(NAME, "gb26875", table);
}

#[test]
fn every_bit_of_every_status_has_its_kind() {
    let systems = [
        (1, "fire.alarm start"),
        (2, "fire.fault start"),
        (3, "fire.fault start"),
        (4, "fire.fault start"),
        (5, "input.changed pulse"),
        (6, "input.changed pulse"),
        (7, "input.changed pulse"),
        (8, "fire.fault start"),
        (9, "fire.fault start"),
        (10, "fire.fault start"),
    ];
    for (bit, want) in systems {
        assert_eq!(said(read(&frame(2, &system(1 | 1 << bit)))), [want], "system {bit}");
        if bit <= 8 {
            assert_eq!(said(read(&frame(2, &part(40, 1 | 1 << bit)))), [want], "part {bit}");
        }
        if (1..=6).contains(&bit) {
            let data = [&[21, 1, 1 | 1 << bit][..], &AT].concat();
            let want = if bit == 1 { "fire.alarm start" } else { "fire.fault start" };
            assert_eq!(said(read(&frame(2, &data))), [want], "device {bit}");
        }
    }
    // By hand, set up anew, and the bits that are kept free: nothing burns.
    for status in [1, 1 | 1 << 11, 1 | 1 << 12, 1 | 1 << 13, 1 | 1 << 15, 0] {
        assert_eq!(said(read(&frame(2, &system(status)))), ["fire.alarm end", "fire.fault end"], "{status:#x}");
    }
}

#[test]
fn bits_of_one_kind_are_one_event_with_all_their_remarks() {
    let fault = one(read(&frame(2, &system(0b111_0000_1101))));
    assert_eq!((fault.kind, fault.flags), (Kind::FireFault, vec!["shielded", "main_power", "backup_power", "bus"]));
}

#[test]
fn every_operation_has_its_kind() {
    let table = [
        (0, "fire.alarm end", "fire.alarm end"),
        (1, "filtered muted", "filtered muted"),
        (2, "fire.alarm start", "fire.alarm start"),
        (3, "fire.alarm end", "fire.alarm end"),
        (4, "device.heartbeat pulse", "device.heartbeat pulse"),
        (5, "patrol.checkin pulse", "filtered confirmed"),
        (6, "device.heartbeat pulse", "device.heartbeat pulse"),
        (7, "filtered no_operation", "filtered no_operation"),
    ];
    for (bit, of_device, of_system) in table {
        let device = read(&frame(2, &[&[24, 1, 1 << bit, 3][..], &AT].concat()));
        let is_test = matches!(bit, 4 | 6);
        assert!(events(device.as_ref().unwrap()).iter().all(|event| event.is_test == is_test), "{bit}");
        assert_eq!(said(device), [of_device], "{bit}");
        assert_eq!(said(read(&frame(2, &[&[4, 1, 1, 2, 1 << bit, 3][..], &AT].concat()))), [of_system], "{bit}");
    }
}

#[test]
fn commands_and_types_that_are_no_event_say_why() {
    for (command, data, want) in [
        (1, &[90, 1][..], "filtered command"),
        (3, &[], "filtered answer"),
        (6, &[], "filtered answer"),
        (4, &[61, 1], "filtered request"),
        (2, &[61, 1], "filtered request"),
        (2, &[3, 1], "filtered measurement"),
        (2, &[5, 1], "filtered version"),
        (2, &[25, 1], "filtered version"),
        (2, &[6, 1], "filtered configuration"),
        (2, &[7, 1], "filtered configuration"),
        (2, &[26, 1], "filtered configuration"),
        (2, &[9, 1], "rejected unknown_code"),
        (2, &[200, 1], "rejected unknown_code"),
        (0, &[], "rejected unknown_code"),
        (7, &[], "rejected unknown_code"),
        (200, &[], "rejected unknown_code"),
        (2, &[2], "rejected truncated"),
        (2, &[2, 1], "rejected truncated"),
        (2, &[2, 1, 1, 2, 3], "rejected truncated"),
    ] {
        assert_eq!(rows(&read(&frame(command, data))), [want], "{command} {data:?}");
    }
}

#[test]
fn a_part_is_named_by_system_area_and_number_and_its_type_is_a_remark() {
    let fire = one(read(&fixture(NAME, "part_fire.bin")));
    assert_eq!((fire.channel.as_deref(), fire.zone.as_deref()), (Some("1.2"), Some("3.17")));
    assert_eq!(fire.flags, ["smoke_detector", "test_state"]);
    assert_eq!(fire.dropped, ["description"]);
    for (kind, want) in [(23, "call_point"), (10, "gas_detector"), (31, "heat_detector"), (91, "pump")] {
        assert_eq!(one(read(&frame(2, &part(kind, 3)))).flags, [want]);
    }
    assert!(one(read(&frame(2, &part(0, 3)))).flags.is_empty());
}

#[test]
fn trap_01_times_are_local_and_the_objects_own_comes_first() {
    let late = one(read(&fixture(NAME, "sent_late.bin")));
    assert!(late.flags.contains(&"sent_late") && !late.is_replay);
    // Without a time of its own the frame's is taken, and said.
    let timeless = frame(2, &part(40, 3)[..part(40, 3).len() - 6]);
    let timeless = one(read(&timeless));
    assert!(timeless.flags.contains(&"frame_time"), "{:?}", timeless.flags);
    let zeros = one(read(&frame(2, &[&[21, 1, 3][..], &[0; 6]].concat())));
    assert!(zeros.flags.contains(&"frame_time"));
}

#[test]
fn trap_06_a_fire_in_a_test_state_is_a_fire() {
    let fire = one(read(&frame(2, &part(40, 2))));
    assert_eq!((fire.kind, fire.phase, fire.is_test), (Kind::FireAlarm, Phase::Start, false));
    assert!(fire.flags.contains(&"test_state"));
    let answered = all(read(&frame(5, &part(40, 3))));
    assert!(answered[0].flags.contains(&"standing"));
}

#[test]
fn trap_07_what_is_well_again_ends_what_was_in_the_same_zone() {
    let (began, over) = (one(read(&frame(2, &part(40, 3)))), all(read(&frame(2, &part(40, 1)))));
    assert_eq!((began.phase, over[0].phase), (Phase::Start, Phase::End));
    assert_eq!((&began.zone, &began.channel, began.kind), (&over[0].zone, &over[0].channel, over[0].kind));
    // A fault ends no fire: many panels send one bit an event.
    assert_eq!(said(read(&frame(2, &part(40, 4)))), ["fire.fault start"]);
}

#[test]
fn trap_09_operations_that_were_asked_for_are_replays() {
    assert!(one(read(&fixture(NAME, "system_operation_old.bin"))).is_replay);
    assert!(all(read(&fixture(NAME, "operations.bin"))).iter().all(|event| !event.is_replay));
}

#[test]
fn trap_10_a_frame_sent_again_has_the_same_identity_and_each_object_its_own() {
    let ids = |bytes: &[u8]| all(read(bytes)).into_iter().map(|event| event.native_id.unwrap()).collect::<Vec<_>>();
    let mut two = [part(40, 3), part(40, 3)[2..].to_vec()].concat();
    two[1] = 2;
    let first = ids(&frame(2, &two));
    assert_eq!(first, ids(&frame(2, &two)));
    assert_ne!(first[0], first[1]);
}

#[test]
fn trap_13_no_text_and_no_operator_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let operations = all(read(&fixture(NAME, "operations.bin")));
    assert_eq!(operations[0].dropped, ["operator"]);
    assert!(operations[3].dropped.is_empty());
}

#[test]
fn trap_16_a_wrong_sum_or_length_is_flagged_or_refused() {
    for (name, flag) in [("bad_sum.bin", None), ("wrong_length.bin", Some(&"length_wrong"))] {
        let fire = one(read(&fixture(NAME, name)));
        assert_eq!(fire.integrity, Integrity::Failed, "{name}");
        assert_eq!(fire.flags.iter().find(|flag| **flag == "length_wrong"), flag, "{name}");
        assert_eq!(read_strictly(&fixture(NAME, name)).unwrap_err(), Reason::BadIntegrity, "{name}");
    }
    assert_eq!(one(read_strictly(&fixture(NAME, "part_fire.bin"))).integrity, Integrity::Ok);
    let mut miscounted = part(40, 3);
    miscounted[1] = 2;
    assert_eq!(said(read(&frame(2, &miscounted))), ["fire.alarm start", "rejected truncated"]);
}

#[test]
fn trap_20_what_the_centre_asked_for_is_a_statement() {
    for data in [part(40, 3), part(40, 1), system(0x0101)] {
        assert!(all(read(&frame(5, &data))).iter().all(|event| event.phase == Phase::Sync));
    }
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
