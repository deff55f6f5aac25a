//! UWB gateways: our fixtures, the shared payloads, the traps of the guide, leaks, and bytes that no gateway ever published.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::rtls_uwb::NAME;
use chorus_ingest::observation::{DeviceTime, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Phase};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "tags.json",
            &[
                "tag.fall start tag-5001 missing",
                "tag.fall end tag-5001 missing",
                "tag.sos start 02:0e:08:36:00:01 missing",
                "filtered health_values",
                "filtered health_values",
                "filtered position",
                "rejected unknown_code",
            ],
        ),
        (
            "gateway.json",
            &[
                "device.heartbeat pulse gateway-700001 missing",
                "device.fault pulse gateway-700001 missing",
                "device.heartbeat pulse anchor-5339 missing",
                "device.fault start anchor-5339 missing",
                "device.fault end anchor-5339 missing",
                "device.online pulse gateway-700001 missing",
                "filtered answer",
                "rejected bad_syntax",
            ],
        ),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("gateway_heartbeat.json", &["device.heartbeat pulse gateway-137205 missing"]),
        ("tag_fall.json", &["tag.fall start tag-5345 missing"]),
    ];
    wire::check_shared(NAME, "rtls_uwb", table);
}

#[test]
fn trap_05_a_gateways_heartbeat_is_one() {
    let json = r#"{"content":"heartbeat","gateway id":"7","UWB HW Com OK":"yes"}"#;
    assert_eq!(one(read(json.as_bytes())).kind, Kind::DeviceHeartbeat);
}

#[test]
fn trap_06_a_heartbeat_that_tells_of_a_fault_is_a_fault() {
    let json = r#"{"content":"heartbeat","gateway id":7,"UWB HW Com OK":"yes","UWB Joined":"no"}"#;
    assert_eq!(one(read(json.as_bytes())).kind, Kind::DeviceFault);
}

#[test]
fn trap_07_no_longer_down_is_an_end() {
    let json = r#"{"content":"motion info fall","gateway id":7,"node":"TAG","id":1,"happen":"no"}"#;
    assert_eq!(one(read(json.as_bytes())).phase, Phase::End);
}

#[test]
fn trap_13_no_value_of_a_body_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let pieces = read(&fixture(NAME, "tags.json")).unwrap();
    let sos = events(&pieces)[2];
    assert_eq!(sos.scheme, DeviceScheme::Mac);
    assert!(sos.credential.is_none() && sos.zone.is_none() && sos.geo.is_none());
    for name in ["SpO2", "hr", "name", "wear"] {
        assert!(sos.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
}

#[test]
fn a_stamp_that_runs_from_the_tags_start_is_no_time() {
    let pieces = read(&fixture(NAME, "tags.json")).unwrap();
    assert!(events(&pieces).iter().all(|event| event.time == DeviceTime::Missing && event.native_id.is_none()));
}

#[test]
fn trap_16_what_is_broken_is_refused_with_its_reason() {
    for (bytes, reason) in [
        (&b"{\"content\":\"config\",\"gateway id\":1\n\"node\":\"TAG\"}"[..], Reason::BadSyntax),
        (b"{\"content\":\"motion info fall\",\"gateway id\":1}", Reason::MissingField),
        (b"{\"content\":\"x\"}", Reason::NotThisFormat),
        (b"{}", Reason::NotThisFormat),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(rows(&read(b"{\"content\":\"new\",\"gateway id\":1}")), ["rejected unknown_code"]);
}

#[test]
fn a_cry_for_help_is_one_by_its_value_and_by_its_name() {
    let message = |content: &str, rest: &str| {
        let json = format!(r#"{{"content":"{content}","gateway id":1,"node":"TAG","id":7{rest}}}"#);
        rows(&read(json.as_bytes()))
    };
    assert_eq!(message("300B", r#","SOS":1"#), ["tag.sos start tag-7 missing"]);
    assert_eq!(message("300B", r#","SOS":0"#), ["filtered health_values"]);
    assert_eq!(message("motion info SOS", r#","happen":"yes""#), ["tag.sos start tag-7 missing"]);
    assert_eq!(message("motion info SOS", r#","happen":"no""#), ["tag.sos end tag-7 missing"]);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
