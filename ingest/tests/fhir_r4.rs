//! FHIR R4: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no hospital ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::fhir_r4::NAME;
use chorus_ingest::observation::{DeviceTime, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Phase, Severity, TimePrecision};
use wire::{fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

/// A resource with an id and these members.
fn resource(kind: &str, members: &str) -> Vec<String> {
    rows(&read(format!("{{\"resourceType\":\"{kind}\",\"id\":\"x\"{members}}}").as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("admitted.json", &["occupancy.changed pulse ward-7 2026-11-24T00:00:00Z"]),
        ("discharged.json", &["occupancy.changed pulse ward-7 local 2026-11-26T00:00:00"]),
        ("at_home.json", &["filtered outpatient"]),
        ("bed_free.json", &["occupancy.changed pulse bed-3 2026-11-24T00:10:00.5Z"]),
        ("ward.json", &["filtered location_record"]),
        ("alert_of_a_device.json", &["patient_device.alarm pulse mon-4 2026-11-24T01:00:00Z"]),
        ("letter.json", &["filtered communication"]),
        ("flag_on_patient.json", &["filtered patient_record"]),
        ("flag_on_place.json", &["report.event end ward-7 local 2026-11-24T00:00:00"]),
        (
            "bundle.json",
            &[
                "filtered subscription_status",
                "device.offline pulse mon-4 missing",
                "filtered no_resource",
                "device.offline pulse mon-4 missing",
                "filtered clinical_record",
                "rejected unknown_code",
            ],
        ),
        ("heartbeat.json", &["device.heartbeat pulse s-1 2026-11-24T02:00:00Z"]),
        (
            "lines.ndjson",
            &["device.fault start d1 missing", "filtered device_record", "filtered observation", "rejected truncated"],
        ),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("Communication-example.json", &["patient_device.alarm pulse f001 2014-12-13T02:01:10Z"]),
        ("CommunicationRequest-example.json", &["filtered communication"]),
        ("Device-example.json", &["filtered device_record"]),
        ("Encounter-home.json", &["filtered outpatient"]),
        ("Flag-example.json", &["filtered patient_record"]),
        ("Location-1.json", &["filtered location_record"]),
        ("Location-amb.json", &["filtered location_record"]),
    ];
    wire::check_shared(NAME, "fhir_r4", table);
}

#[test]
fn every_state_has_its_kind() {
    let encounter = |status: &str| resource("Encounter", &format!(r#","status":"{status}","class":{{"code":"EMER"}}"#));
    for status in ["arrived", "triaged", "in-progress", "onleave", "finished"] {
        assert_eq!(encounter(status), ["occupancy.changed pulse - missing"], "{status}");
    }
    for (status, want) in [
        ("planned", "filtered planned"),
        ("cancelled", "filtered cancelled"),
        ("entered-in-error", "filtered entered_in_error"),
        ("unknown", "filtered unknown_state"),
        ("", "rejected missing_field"),
        ("lost", "rejected bad_value"),
    ] {
        assert_eq!(encounter(status), [want], "{status}");
    }
    for code in ["C", "H", "I", "K", "O", "U"] {
        let row = resource("Location", &format!(r#","operationalStatus":{{"code":"{code}"}}"#));
        assert_eq!(row, ["occupancy.changed pulse x missing"], "{code}");
    }
    assert_eq!(resource("Location", r#","operationalStatus":{"code":"Q"}"#), ["rejected unknown_code"]);
    for (status, reason, want) in [
        ("active", "", "device.online pulse x missing"),
        ("active", "offline", "device.offline pulse x missing"),
        ("inactive", "", "device.offline pulse x missing"),
        ("active", "transduc-discon", "device.fault start x missing"),
        ("active", "standby", "filtered standby"),
        ("unknown", "", "filtered unknown_state"),
        ("broken", "", "rejected bad_value"),
    ] {
        let reason = format!(r#","status":"{status}","statusReason":[{{"coding":[{{"code":"{reason}"}}]}}]"#);
        assert_eq!(resource("Device", &reason), [want], "{reason}");
    }
    // What a disconnected transducer began is over (trap 7).
    let online = r#","status":"active","statusReason":[{"coding":[{"code":"online"}]}]"#;
    assert_eq!(resource("Device", online), ["device.fault end x missing", "device.online pulse x missing"]);
}

#[test]
fn an_alert_is_what_a_device_sends_and_its_priority_is_the_severity() {
    let alert = one(read(&fixture(NAME, "alert_of_a_device.json")));
    assert_eq!(alert.severity.map(|(severity, _)| severity), Some(Severity::High));
    for members in [
        r#","status":"completed","category":[{"coding":[{"code":"alert"}]}],"sender":{"reference":"Practitioner/p"}"#,
        r#","status":"completed","category":[{"coding":[{"code":"reminder"}]}],"sender":{"reference":"Device/d"}"#,
    ] {
        assert_eq!(resource("Communication", members), ["filtered communication"]);
    }
}

#[test]
fn a_day_stays_a_day_and_the_update_comes_last() {
    let discharged = one(read(&fixture(NAME, "discharged.json")));
    assert!(matches!(discharged.time, DeviceTime::Local(_, TimePrecision::Date)));
    let bed = one(read(&fixture(NAME, "bed_free.json")));
    assert_eq!(bed.flags, ["unoccupied", "updated_time"]);
    let month = r#","status":"finished","period":{"end":"2026-11"}"#;
    assert_eq!(resource("Encounter", month), ["occupancy.changed pulse - missing"]);
}

#[test]
fn trap_05_a_subscriptions_heartbeat_is_one() {
    assert_eq!(one(read(&fixture(NAME, "heartbeat.json"))).kind, Kind::DeviceHeartbeat);
    let status = |kind: &str| resource("SubscriptionStatus", &format!(r#","type":"{kind}""#));
    assert_eq!(status("handshake"), ["filtered handshake"]);
    assert_eq!(status("event-notification"), ["filtered subscription_status"]);
}

#[test]
fn trap_07_what_is_inactive_is_an_end() {
    let flag = |status: &str| {
        let json =
            format!(r#"{{"resourceType":"Flag","id":"x","status":"{status}","subject":{{"reference":"Device/d"}}}}"#);
        one(read(json.as_bytes()))
    };
    assert_eq!((flag("active").phase, flag("inactive").phase), (Phase::Start, Phase::End));
    assert_eq!(flag("active").zone, flag("inactive").zone);
}

#[test]
fn trap_10_a_version_is_told_once() {
    let admitted = one(read(&fixture(NAME, "admitted.json")));
    assert_eq!(admitted.native_id.as_deref(), Some("Encounter/e1/in-progress/3"));
    assert_ne!(admitted.native_id, one(read(&fixture(NAME, "discharged.json"))).native_id);
    let alert = one(read(&fixture(NAME, "alert_of_a_device.json")));
    assert_eq!(alert.native_id.as_deref(), Some("Communication/c1/completed/2026-11-24T01:00:00Z"));
}

#[test]
fn trap_13_no_rendered_text_and_no_patient_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let admitted = one(read(&fixture(NAME, "admitted.json")));
    assert_eq!(admitted.dropped, ["text", "subject", "participant"]);
    assert_eq!(admitted.scheme, DeviceScheme::Hl7Location);
}

#[test]
fn references_are_read_in_all_their_forms() {
    let ward = |reference: &str| {
        let json = format!(
            r#"{{"resourceType":"Encounter","status":"arrived","location":[{{"location":{{"reference":"{reference}","display":"z"}}}}]}}"#
        );
        one(read(json.as_bytes())).device_id
    };
    for (reference, want) in [
        ("Location/w", "w"),
        ("http://h.example/fhir/Location/w/_history/2", "w"),
        ("urn:uuid:6D1A2B3C-0000-4111-8222-933344445555", "6d1a2b3c-0000-4111-8222-933344445555"),
        ("#w", ""),
        ("Location/two words", ""),
        ("", ""),
    ] {
        assert_eq!(ward(reference), want, "{reference}");
    }
}

#[test]
fn test_data_are_said_to_be_that() {
    let json = r#"{"resourceType":"Device","id":"d","status":"active","meta":{"tag":[{"code":"HTEST"}]}}"#;
    assert!(one(read(json.as_bytes())).is_test);
    assert!(!one(read(&fixture(NAME, "admitted.json"))).is_test);
}

#[test]
fn trap_16_what_cannot_be_read_is_told() {
    for (json, want) in [
        ("{\"resourceType\":", "rejected truncated"),
        ("{]", "rejected bad_syntax"),
        ("{\"a\":1}", "rejected not_this_format"),
        ("[]", "rejected not_this_format"),
        ("[1]", "rejected bad_value"),
        ("{\"resourceType\":\"Bundle\"}", "filtered empty_bundle"),
    ] {
        assert_eq!(rows(&read(json.as_bytes())), [want], "{json}");
    }
    let entry = r#"{"resourceType":"Bundle","entry":[{"resource":"#;
    let deep = format!("{}{{}}{}", entry.repeat(9), "}]}".repeat(9));
    assert_eq!(rows(&read(deep.as_bytes())), ["rejected too_large"]);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
