//! SIA DC-09: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no panel ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::{self, sia_dc09::NAME};
use chorus_ingest::observation::{DeviceTime, Piece, Raw, Reason};
use chorus_model::{DeviceScheme, Integrity, Kind, Outcome, Phase};
use wire::{events, fixture, one, rows};

const FOLDER: &str = "sia-dc09";

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn read_strictly(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    let mut pieces = Vec::new();
    let raw = Raw { bytes, source: None, strict: true };
    formats::by_name(NAME).unwrap().read(&raw, &mut pieces).map(|()| pieces)
}

/// A frame whose check does not hold, which the lenient reading does not mind.
fn frame(token: &str, data: &str) -> String {
    format!("00000000\"{token}\"0001L0#77[#77|{data}]_00:00:00,11-24-2026")
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let at = "2026-11-24T00:30:00Z";
    let row = |text: &str| format!("{text} A1B2 {at}");
    let table: Vec<(&str, Vec<String>)> = vec![
        ("burglary_two_zones.txt", vec![row("intrusion.zone start"), row("intrusion.zone start")]),
        ("burglary_restored.txt", vec![row("intrusion.zone end")]),
        ("panic_with_position.txt", vec!["panic.button start A1B2 2026-11-24T00:29:30Z".to_owned()]),
        ("opening_by_user.txt", vec![row("arming.changed start")]),
        ("periodic_test_no_time.txt", vec!["device.heartbeat pulse A1B2 missing".to_owned()]),
        ("old_event_gbk.txt", vec![row("fire.alarm start")]),
        ("unknown_among_known.txt", vec!["rejected unknown_code".to_owned(), row("camera.tamper start")]),
        ("door_codes.txt", vec![row("access.denied pulse"), row("access.denied pulse"), row("door.forced start")]),
        ("cid_fire.txt", vec![row("fire.alarm start")]),
        ("cid_restore_and_closing.txt", vec![row("intrusion.zone end"), row("arming.changed end")]),
        ("cid_periodic_test.txt", vec![row("device.heartbeat pulse")]),
        ("supervision.txt", vec![row("device.heartbeat pulse")]),
        ("supervision_encrypted.txt", vec!["device.heartbeat pulse A1B2 missing".to_owned()]),
        ("encrypted.txt", vec!["rejected encrypted".to_owned()]),
        ("bad_crc.txt", vec![row("fire.alarm start")]),
        ("decimal_length.txt", vec![row("environment.alarm start")]),
        ("wrong_length.txt", vec![row("environment.alarm start")]),
        ("stripped_ends.txt", vec![row("device.offline pulse")]),
        ("answer.txt", vec!["filtered answer".to_owned()]),
        ("receiver_poll.txt", vec!["device.heartbeat pulse 00A1B2 missing".to_owned()]),
    ];
    let rows: Vec<(&str, Vec<&str>)> =
        table.iter().map(|(name, rows)| (*name, rows.iter().map(String::as_str).collect())).collect();
    let table: Vec<(&str, &[&str])> = rows.iter().map(|(name, rows)| (*name, rows.as_slice())).collect();
    wire::check_fixtures(NAME, FOLDER, &table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("adm_cid.txt", &["fire.alarm start 12345A 2011-09-25T14:12:04Z"]),
        ("bug.txt", &["arming.changed end 123456 2021-04-11T22:40:48Z"]),
        ("cl.txt", &["arming.changed end AAA 2019-09-25T14:12:04Z"]),
        ("encrypted.txt", &["rejected encrypted"]),
        ("eventformaterror.txt", &["rejected not_this_format"]),
        ("null.txt", &["device.heartbeat pulse AAAB missing"]),
        ("oh.txt", &["device.heartbeat pulse 006969 missing"]),
        ("op.txt", &["arming.changed start 006969 missing"]),
        ("xdata_K.txt", &["device.heartbeat pulse 1111 2019-09-25T14:12:04Z"]),
    ];
    wire::check_shared(NAME, "sia_dc09", table);
}

#[test]
fn trap_02_the_frames_time_is_utc_though_it_does_not_say_so() {
    let fire = one(read(&fixture(FOLDER, "cid_fire.txt")));
    assert!(matches!(fire.time, DeviceTime::Zoned(at, _) if at.to_string() == "2026-11-24T00:30:00Z"));
    // When it happened is asked before when it was sent.
    let panic = one(read(&fixture(FOLDER, "panic_with_position.txt")));
    assert!(matches!(panic.time, DeviceTime::Zoned(at, _) if at.to_string() == "2026-11-24T00:29:30Z"));
}

#[test]
fn trap_05_supervision_is_a_heartbeat_even_when_it_is_encrypted() {
    let plain = one(read(&fixture(FOLDER, "supervision.txt")));
    assert_eq!((plain.kind, plain.is_test, plain.flags.len()), (Kind::DeviceHeartbeat, false, 0));
    let encrypted = one(read(&fixture(FOLDER, "supervision_encrypted.txt")));
    assert_eq!((encrypted.kind, encrypted.integrity), (Kind::DeviceHeartbeat, Integrity::Ok));
    assert_eq!(encrypted.flags, ["encrypted"]);
}

#[test]
fn trap_07_a_restore_ends_and_never_begins() {
    let table = [
        ("ADM-CID", "1130 01 003", "intrusion.zone start"),
        ("ADM-CID", "3130 01 003", "intrusion.zone end"),
        ("ADM-CID", "6130 01 003", "intrusion.zone continue"),
        ("ADM-CID", "3110 01 003", "fire.alarm end"),
        ("SIA-DCS", "Nri1/BA3", "intrusion.zone start"),
        ("SIA-DCS", "Nri1/BH3", "intrusion.zone end"),
        ("SIA-DCS", "Nri1/BR3", "intrusion.zone end"),
        ("SIA-DCS", "Nri0KR1^x ^", "fire.alarm end"),
        ("SIA-DCS", "Nri1/JC1", "access.denied end"),
        ("SIA-DCS", "Nri1/AR0", "device.fault end"),
    ];
    for (token, data, want) in table {
        let event = one(read(frame(token, data).as_bytes()));
        assert_eq!(format!("{} {}", event.kind, event.phase.as_str()), want, "{data}");
    }
    let restored = one(read(&fixture(FOLDER, "burglary_restored.txt")));
    let began = read(&fixture(FOLDER, "burglary_two_zones.txt")).unwrap();
    assert_eq!(restored.zone, events(&began)[0].zone);
    assert_eq!(restored.channel, events(&began)[0].channel);
}

#[test]
fn tests_page_nobody() {
    for (token, data) in [
        ("SIA-DCS", "Nri1/RP0"),
        ("SIA-DCS", "RX12"),
        ("SIA-DCS", "NTX0"),
        ("SIA-DCS", "NBX4"),
        ("ADM-CID", "1601 00 000"),
        ("ADM-CID", "1602 00 000"),
        ("ADM-CID", "3602 00 000"),
    ] {
        let event = one(read(frame(token, data).as_bytes()));
        assert_eq!((event.kind, event.is_test, event.phase), (Kind::DeviceHeartbeat, true, Phase::Pulse), "{data}");
        assert!(event.credential.is_none(), "{data}");
    }
}

#[test]
fn trap_09_an_old_event_is_a_replay() {
    let old = one(read(&fixture(FOLDER, "old_event_gbk.txt")));
    assert!(old.is_replay && old.kind == Kind::FireAlarm && old.flags.is_empty());
    assert!(!one(read(&fixture(FOLDER, "cid_fire.txt"))).is_replay);
}

#[test]
fn trap_17_the_device_is_the_account_and_its_place_the_registrys() {
    let seen = |head: &str, data: &str| {
        let frame = format!("00000000\"SIA-DCS\"0001{head}[{data}|Nri1/BA1]_08:00:00,11-24-2026");
        let event = one(read(frame.as_bytes()));
        (event.device_id, event.native_id.unwrap())
    };
    for (head, way) in [
        ("L0#77", ""),
        ("R0L0#77", ""),
        // Another receiver may have given out the same account: no repeat, though number and time are the same.
        ("L5#77", "/L5"),
        ("R2L0#77", "/R2"),
        ("R002L00A5#77", "/LA5/R2"),
        // An automation receiver's numbers of itself and its line.
        ("R0001L0001", ""),
    ] {
        assert_eq!(seen(head, "#77"), ("77".to_owned(), format!("77{way}/0001/2026-11-24T08:00:00Z")), "{head}");
    }
}

#[test]
fn trap_10_the_identity_is_account_sequence_and_time() {
    let bytes = fixture(FOLDER, "burglary_two_zones.txt");
    let pieces = read(&bytes).unwrap();
    let ids: Vec<_> = events(&pieces).iter().map(|event| event.native_id.clone().unwrap()).collect();
    assert_eq!(ids, ["A1B2/0101/2026-11-24T00:30:00Z", "A1B2/0101/2026-11-24T00:30:00Z/1"]);
    assert_eq!(events(&pieces)[0].native_seq, Some(101));
    // The numbers come round again: without a time there is no identity.
    assert_eq!(one(read(&fixture(FOLDER, "periodic_test_no_time.txt"))).native_id, None);
    // The prefix tells accounts apart that two receivers gave out.
    assert_eq!(one(read(&fixture(FOLDER, "panic_with_position.txt"))).device_id, "A1B2");
    let prefixed = one(read(&fixture(FOLDER, "panic_with_position.txt")));
    assert_eq!(prefixed.native_id.as_deref(), Some("A1B2/L2F/R1/0103/2026-11-24T00:29:30Z"));
}

#[test]
fn two_refusals_in_one_frame_are_two() {
    let pieces = read(&fixture(FOLDER, "door_codes.txt")).unwrap();
    let refused = &events(&pieces)[..2];
    assert_ne!(refused[0].native_id, refused[1].native_id);
    assert!(refused.iter().all(|event| event.outcome == Some(Outcome::Denied) && event.credential.is_some()));
    assert!(events(&pieces).iter().all(|event| event.channel.as_deref() == Some("3")));
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, FOLDER);
    let pieces = read(&fixture(FOLDER, "burglary_two_zones.txt")).unwrap();
    assert_eq!(events(&pieces)[0].dropped, ["text"]);
    let panic = one(read(&fixture(FOLDER, "panic_with_position.txt")));
    assert_eq!(panic.dropped, ["location", "verification"]);
    // A user is a person: neither a zone nor any other number.
    let opening = one(read(&fixture(FOLDER, "opening_by_user.txt")));
    assert!(opening.credential.is_some());
    assert_eq!((opening.zone.as_deref(), opening.channel.as_deref()), (None, Some("2")));
    let closing = read(&fixture(FOLDER, "cid_restore_and_closing.txt")).unwrap();
    let closing = events(&closing)[1];
    assert!(closing.credential.is_some() && closing.zone.is_none());
    assert!(!format!("{closing:?} {opening:?}").contains("57"));
    assert_eq!((closing.flags.as_slice(), opening.flags.as_slice()), (&["armed"][..], &["disarmed"][..]));
}

#[test]
fn trap_14_user_zero_is_nobody() {
    for (token, data) in [("SIA-DCS", "Nri1/CL000"), ("ADM-CID", "1401 01 000")] {
        assert!(one(read(frame(token, data).as_bytes())).credential.is_none(), "{data}");
    }
}

#[test]
fn trap_16_a_failed_check_is_flagged_or_refused() {
    for name in ["bad_crc.txt", "wrong_length.txt"] {
        assert_eq!(one(read(&fixture(FOLDER, name))).integrity, Integrity::Failed, "{name}");
        assert_eq!(read_strictly(&fixture(FOLDER, name)).unwrap_err(), Reason::BadIntegrity, "{name}");
    }
    let decimal = one(read_strictly(&fixture(FOLDER, "decimal_length.txt")));
    assert_eq!((decimal.integrity, decimal.flags.as_slice()), (Integrity::Ok, &["decimal_length"][..]));
    for name in ["cid_fire.txt", "stripped_ends.txt", "old_event_gbk.txt"] {
        assert_eq!(one(read_strictly(&fixture(FOLDER, name))).integrity, Integrity::Ok, "{name}");
    }
}

#[test]
fn trap_16_one_broken_frame_costs_only_itself() {
    let mut bytes = fixture(FOLDER, "cid_fire.txt");
    bytes.extend_from_slice(b"\n00000000\"SIA-DCS\"0001L0#77[#77|Nri1/BA\r");
    bytes.extend_from_slice(&fixture(FOLDER, "encrypted.txt"));
    bytes.extend_from_slice(&fixture(FOLDER, "burglary_restored.txt"));
    let read_rows = rows(&read(&bytes));
    assert_eq!(read_rows.len(), 4);
    assert_eq!(read_rows[1..3], ["rejected truncated", "rejected encrypted"]);
    for (bytes, reason) in [
        (&b"hello"[..], Reason::NotThisFormat),
        (b"00000000\"SIA-DCS", Reason::Truncated),
        (b"00000000\"SIA-DCS\"0001L0#77", Reason::Truncated),
        (b"00000000\"SIA-DCS\"0001L0#77[#77|]", Reason::MissingField),
        (b"00000000\"ADM-CID\"0001L0#77[#77|]", Reason::MissingField),
        (b"00000000\"ADM-CID\"0001L0#77[#77|1999 00 000]", Reason::UnknownCode),
        (b"00000000\"ADM-CID\"0001L0#77[#77|9130 00 000]", Reason::BadValue),
        (b"00000000\"ADM-CID\"0001L0#77[#77|fire]", Reason::BadValue),
        (b"00000000\"SIA-DCS\"0001L0#77[#77|Nri1/ZX1]", Reason::UnknownCode),
        (b"00000000\"CSV-ENT\"0001L0#77[#77|a]", Reason::UnknownCode),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_position_is_degrees_and_minutes() {
    let geo = one(read(&fixture(FOLDER, "panic_with_position.txt"))).geo.unwrap();
    assert!((geo.lat - 28.676).abs() < 1e-9 && (geo.lon - 115.892).abs() < 1e-9, "{geo:?}");
    for nonsense in ["[X115E53.5]", "[X115E53.5][Y]", "[X115E99.0][Y28N40.5]", "[X1e9E1][Y28N40.5]", "[X115][Y28]"] {
        let bytes = format!("00000000\"SIA-DCS\"0001L0#77[#77|NPA1]{nonsense}");
        assert!(one(read(bytes.as_bytes())).geo.is_none(), "{nonsense}");
    }
}

#[test]
fn the_account_is_the_device_wherever_it_stands() {
    let account = |bytes: &str| {
        let event = one(read(bytes.as_bytes()));
        (event.device_id, event.scheme, event.flags)
    };
    let inside = account("00000000\"SIA-DCS\"0001L0[#00AB|Nri1/FA1]");
    assert_eq!(inside, ("00AB".to_owned(), DeviceScheme::SiaAccount, vec![]));
    let outside = account("00000000\"SIA-DCS\"0001L0#77[|Nri1/FA1]");
    assert_eq!(outside, ("77".to_owned(), DeviceScheme::SiaAccount, vec![]));
    let differing = account("00000000\"SIA-DCS\"0001L0#77[#78|Nri1/FA1]");
    assert_eq!(differing, ("77".to_owned(), DeviceScheme::SiaAccount, vec!["account_contradictory"]));
    // Without any, the connector names it.
    assert_eq!(account("00000000\"SIA-DCS\"0001L0[|Nri1/FA1]").0, "");
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, FOLDER);
}
