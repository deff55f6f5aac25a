//! Frigate: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that nobody ever published.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::frigate::NAME;
use chorus_ingest::observation::{Piece, Reason};
use chorus_model::Phase;
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
                "object.detected start north_gate 2026-11-24T00:00:00.25Z",
                "object.detected continue north_gate 2026-11-24T00:00:10.5Z",
                "object.detected end north_gate 2026-11-24T00:00:20.125Z",
                "filtered false_positive",
            ],
        ),
        (
            "review.json",
            &[
                "object.detected start north_gate 2026-11-24T00:01:40.5Z",
                "filtered audio",
                "device.offline pulse - missing",
            ],
        ),
        (
            "updates.json",
            &["filtered description", "filtered face_record", "filtered plate", "filtered classification"],
        ),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("frigate_events.json", &["object.detected continue front_door 2020-12-04T23:19:22.082975Z"]),
        ("generative_ai_description_update.json", &["filtered description"]),
        ("object_classification_update.json", &["filtered classification"]),
        ("object_classification_update2.json", &["filtered classification"]),
    ];
    wire::check_shared(NAME, NAME, table);
}

#[test]
fn trap_08_updates_go_on_and_the_end_is_one() {
    let pieces = read(&fixture(NAME, "life.json")).unwrap();
    let phases: Vec<Phase> = events(&pieces).iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::Start, Phase::Continue, Phase::End]);
}

#[test]
fn trap_10_the_identity_is_the_id_with_the_time() {
    let pieces = read(&fixture(NAME, "life.json")).unwrap();
    assert_eq!(events(&pieces)[1].native_id.as_deref(), Some("1795478400.25-abc123/2026-11-24T00:00:10.5Z"));
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "life.json")).unwrap();
    for name in ["sub_label", "thumbnail", "recognized_license_plate"] {
        assert!(events(&pieces)[0].dropped.iter().any(|dropped| dropped == name), "{name}");
    }
}

#[test]
fn where_it_is_counts_before_where_it_was() {
    let pieces = read(&fixture(NAME, "life.json")).unwrap();
    let zones: Vec<_> = events(&pieces).iter().map(|event| event.zone.as_deref()).collect();
    assert_eq!(zones, [Some("yard"), Some("door"), Some("door")]);
}

#[test]
fn trap_16_what_is_broken_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"{\"type\":\"new\","[..], Reason::Truncated),
        (b"{\"type\":\"moved\",\"after\":{}}", Reason::UnknownCode),
        (b"{\"type\":\"new\",\"after\":{}}", Reason::MissingField),
        (b"{}", Reason::NotThisFormat),
        (b"[7]", Reason::BadValue),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(rows(&read(b"online")), ["device.online pulse - missing"]);
    assert_eq!(one(read(b"\"offline\"")).device_id, "");
}

#[test]
fn what_a_switch_or_a_counter_says_is_no_event() {
    for word in ["ON", "OFF", "7", r#"{"topic":"frigate/gate/person","payload":3}"#] {
        assert_eq!(rows(&read(word.as_bytes())), ["filtered status"], "{word}");
    }
}

#[test]
fn trap_16_what_is_beyond_the_limit_is_told() {
    let many = r#"{"type":"description","id":"1.0-abcdef"}"#.repeat(1_200);
    let said = rows(&read(many.as_bytes()));
    assert_eq!((said.len(), said.last().map(String::as_str)), (1_001, Some("rejected too_large")));
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
