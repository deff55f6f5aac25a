//! CAP: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no authority ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::cap::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{Kind, Phase, Severity, TimePrecision};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

/// An alert with these elements.
fn alert(elements: &str) -> Result<Vec<Piece>, Reason> {
    read(format!("<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>{elements}</alert>").as_bytes())
}

fn actual(elements: &str) -> Observation {
    one(alert(&format!("<identifier>1</identifier><sender>s</sender><status>Actual</status>{elements}")))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("alert.cap", &["external.warning start warning@nc.example 2026-11-24T00:00:00Z"]),
        ("update_prefixed.cap", &["external.warning continue warning@nc.example 2026-11-24T02:00:00Z"]),
        ("cancel.cap", &["external.warning end warning@nc.example 2026-11-24T03:00:00Z"]),
        ("all_clear_11.cap", &["external.warning end warning@nc.example 2026-11-24T00:00:00Z"]),
        ("exercise_10.cap", &["external.warning start warning@nc.example 2026-11-24T00:00:00Z"]),
        ("network_heartbeat.cap", &["device.heartbeat pulse warning@nc.example 2026-11-24T08:01:00Z"]),
        ("draft.cap", &["filtered draft"]),
        ("ack.cap", &["filtered acknowledgement"]),
        ("no_status.cap", &["rejected missing_field"]),
        (
            "in_an_envelope_signed.xml",
            &[
                "external.warning start warning@nc.example 2026-11-24T00:00:00Z",
                "external.warning start warning@nc.example 2026-11-24T00:00:00Z",
            ],
        ),
        ("latin.cap", &["external.warning start warning@nc.example 2026-11-24T00:00:00Z"]),
        ("chinese_gb18030.cap", &["external.warning start warning@nc.example 2026-11-24T00:00:00Z"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    const USGS: &str = "http://earthquake.usgs.gov/research/monitoring/anss/neic/";
    let quake = format!("external.warning start {USGS} 2010-08-31T05:09:25Z");
    let table: &[(&str, &[&str])] = &[
        ("australia.cap", &["external.warning start webmaster@rfs.nsw.gov.au 2011-10-05T13:04:00Z"]),
        ("canada.cap", &["external.warning end cap@ec.gc.ca 2012-05-02T23:21:04Z"]),
        ("canada_errors.cap", &["external.warning end cap@ec.gc.ca 2012-05-02T23:21:04Z"]),
        ("earthquake.cap", &[&quake]),
        ("no_optional_fields.cap", &[&quake]),
        ("thunderstorm.cap", &["external.warning start KSTO@NWS.NOAA.GOV 2003-06-17T21:57:00Z"]),
        ("weather.cap", &["external.warning start w-nws.webmaster@noaa.gov 2010-08-30T10:07:00Z"]),
    ];
    wire::check_shared(NAME, NAME, table);
}

#[test]
fn the_worst_info_gives_the_severity_and_each_category_a_remark() {
    let both = one(read(&fixture(NAME, "alert.cap")));
    assert_eq!(both.severity.map(|(severity, _)| severity), Some(Severity::Critical));
    assert_eq!(both.flags, ["met", "fire"]);
    for (word, want) in [
        ("Extreme", Some(Severity::Critical)),
        ("Severe", Some(Severity::High)),
        ("Moderate", Some(Severity::Medium)),
        ("Minor", Some(Severity::Low)),
        ("Unknown", Some(Severity::Info)),
        ("Dreadful", None),
    ] {
        let read = actual(&format!("<msgType>Alert</msgType><info><severity>{word}</severity></info>"));
        assert_eq!(read.severity.map(|(severity, _)| severity), want, "{word}");
    }
    assert_eq!(actual("<msgType>Alert</msgType>").severity, None);
}

#[test]
fn an_end_meets_its_start_through_the_references() {
    let read = |name| one(read(&fixture(NAME, name)));
    let (began, went_on, over) = (read("alert.cap"), read("update_prefixed.cap"), read("cancel.cap"));
    assert_eq!(began.zone.as_deref(), Some("NC-1"));
    assert_eq!((&began.zone, &began.device_id), (&went_on.zone, &went_on.device_id));
    assert_eq!((&began.zone, &began.device_id), (&over.zone, &over.device_id));
    assert_ne!(began.native_id, over.native_id);
    assert_eq!(actual("<msgType>Update</msgType><references/>").flags, ["no_reference"]);
}

#[test]
fn trap_01_a_time_is_zoned_and_without_an_offset_local() {
    let sent = |text: &str| actual(&format!("<sent>{text}</sent><msgType>Alert</msgType>")).time;
    for text in ["2026-11-24T08:00:00+08:00", "2026-11-24T00:00:00-00:00", "2026-11-24T00:00:00Z"] {
        let at = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(sent(text), DeviceTime::Zoned(at, TimePrecision::Second), "{text}");
    }
    assert!(matches!(sent("2026-11-24T08:00:00"), DeviceTime::Local(..)));
    assert_eq!(sent("soon"), DeviceTime::Missing);
}

#[test]
fn trap_04_a_declared_latin_text_and_an_undeclared_chinese_one_are_read_without_loss() {
    for name in ["latin.cap", "chinese_gb18030.cap"] {
        assert_eq!(one(read(&fixture(NAME, name))).flags, ["met"], "{name}");
    }
    assert_eq!(one(read(&fixture(NAME, "chinese_gb18030.cap"))).channel.as_deref(), Some("360102"));
}

#[test]
fn trap_05_a_networks_sign_of_life_is_no_warning() {
    let beat = one(read(&fixture(NAME, "network_heartbeat.cap")));
    assert_eq!((beat.kind, beat.severity, beat.zone), (Kind::DeviceHeartbeat, None, None));
}

#[test]
fn trap_07_an_all_clear_is_an_end_and_half_of_one_is_not() {
    let clear = "<info><responseType>AllClear</responseType></info>";
    assert_eq!(actual(&format!("<msgType>Alert</msgType>{clear}")).phase, Phase::End);
    let half = format!("<msgType>Update</msgType>{clear}<info><responseType>Shelter</responseType></info>");
    assert_eq!(actual(&half).phase, Phase::Continue);
}

#[test]
fn what_is_no_actual_alert_pages_nobody() {
    for (status, want) in [
        ("Test", "external.warning start s missing"),
        ("Exercise", "external.warning start s missing"),
        ("Draft", "filtered draft"),
        ("Maybe", "rejected bad_value"),
    ] {
        let read = alert(&format!("<sender>s</sender><status>{status}</status><msgType>Alert</msgType>"));
        assert!(events(read.as_deref().unwrap_or_default()).iter().all(|event| event.is_test), "{status}");
        assert_eq!(rows(&read), [want], "{status}");
    }
    for (message, want) in
        [("Error", "filtered error_message"), ("Ack", "filtered acknowledgement"), ("", "rejected missing_field")]
    {
        assert_eq!(rows(&alert(&format!("<status>Actual</status><msgType>{message}</msgType>"))), [want]);
    }
}

#[test]
fn trap_13_no_contact_and_no_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let read = one(read(&fixture(NAME, "alert.cap")));
    for name in ["contact", "description", "headline", "instruction", "senderName", "areaDesc", "note", "addresses"] {
        assert!(read.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    let spaced = actual("<msgType>Alert</msgType><identifier>Zhang San</identifier><sender>Li Si, Nanchang</sender>");
    assert_eq!((spaced.device_id.as_str(), spaced.native_id, spaced.zone), ("", None, None));
}

#[test]
fn trap_16_what_came_before_the_break_counts() {
    let mut bytes = fixture(NAME, "in_an_envelope_signed.xml");
    bytes.truncate(bytes.len() - 200);
    let cut = read(&bytes).unwrap();
    assert!(matches!(cut.as_slice(), [Piece::Event(_), Piece::Rejected(Reason::Truncated)]));
    for (xml, reason) in [
        ("<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>", Reason::Truncated),
        ("<alert></info>", Reason::BadSyntax),
        ("<feed/>", Reason::NotThisFormat),
    ] {
        assert_eq!(read(xml.as_bytes()).unwrap_err(), reason, "{xml}");
    }
}

#[test]
fn no_entity_of_the_senders_own_is_resolved() {
    let xml = "<?xml version='1.0'?><!DOCTYPE alert [<!ENTITY e SYSTEM 'file:///etc/passwd'><!ENTITY s 'Actual'>\
               <!ENTITY % p SYSTEM 'http://127.0.0.1/'>%p;]>\
               <alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>1&e;</identifier><sender>s</sender>\
               <status>&s;Actual</status><msgType>Alert</msgType><info><contact>&e;</contact></info></alert>";
    assert_eq!(one(read(xml.as_bytes())).native_id.as_deref(), Some("1"));
}

#[test]
fn trap_18_a_circle_has_a_centre_and_its_datum_is_that_of_the_standard() {
    let geo = one(read(&fixture(NAME, "alert.cap"))).geo.unwrap();
    assert_eq!((geo.lat, geo.lon, geo.datum.as_ref()), (28.68, 115.89, "wgs84"));
    for circle in ["", "28.68", "a,b 1", "28.68;115.89 1"] {
        let area = format!("<msgType>Alert</msgType><info><area><circle>{circle}</circle></area></info>");
        assert_eq!(actual(&area).geo, None, "{circle}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
