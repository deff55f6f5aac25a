//! Chinese warnings: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no service ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::cn_warning::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{Phase, Severity, TimePrecision};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn warning(members: &str) -> Observation {
    one(read(format!("{{\"ISSUETIME\":\"2026-11-24 10:00:00\",\"id\":\"7\",{members}}}").as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("rainstorm_orange.json", &["external.warning start 360100 local 2026-11-24T10:00:00"]),
        ("rainstorm_lifted_gb18030.json", &["external.warning end 360100 local 2026-11-24T15:10:00"]),
        ("caiyun.json", &["external.warning start 360102 2026-11-24T02:30:00Z"]),
        (
            "qweather_v7.json",
            &[
                "external.warning start 101240101 2026-11-24T02:15:00Z",
                "external.warning end 101240101 2026-11-24T02:18:00Z",
            ],
        ),
        ("qweather_v1.json", &["external.warning continue 南昌市气象台 2026-11-24T03:19:00Z"]),
        ("none.json", &["filtered empty_list"]),
        (
            "nmc_list.json",
            &[
                "external.warning start 360100 local 2026-11-24T09:30:00",
                "external.warning start 360121 local 2026-11-24T09:40:00",
                "rejected bad_value",
            ],
        ),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] =
        &[("nmc_lightning_yellow_2026.json", &["external.warning start 654026 local 2026-10-06T21:29:27"])];
    wire::check_shared(NAME, "cn_warning", table);
}

#[test]
fn the_colour_is_the_severity_wherever_it_stands() {
    for (members, want) in [
        (r#""SIGNALLEVEL":"红色""#, Some(Severity::Critical)),
        (r#""SIGNALLEVEL":"橙色","LEVELCODE":"01""#, Some(Severity::High)),
        (r#""severityColor":"Yellow","severity":"Minor""#, Some(Severity::Medium)),
        (r#""color":{"code":"blue"},"severity":"extreme""#, Some(Severity::Low)),
        (r#""LEVELCODE":"04""#, Some(Severity::Critical)),
        (r#""code":"0902""#, Some(Severity::Medium)),
        (r#""title":"某台发布大雾橙色预警""#, Some(Severity::High)),
        (r#""severity":"Severe""#, Some(Severity::High)),
        (r#""x":1"#, None),
    ] {
        assert_eq!(warning(members).severity.map(|(severity, _)| severity), want, "{members}");
    }
}

#[test]
fn what_is_warned_of_is_the_zone_in_one_word() {
    for (members, want) in [
        (r#""SIGNALTYPE":"雷雨大风""#, Some("thunderstorm_gale")),
        (r#""SIGNALTYPE":"大风""#, Some("gale")),
        (r#""TYPECODE":"09""#, Some("lightning")),
        (r#""code":"1402""#, Some("icy_road")),
        (r#""eventType":{"name":"森林火险","code":"1201"}"#, Some("forest_fire")),
        (r#""eventType":{"name":"某","code":"9999"}"#, Some("9999")),
        (r#""eventType":"11B03""#, Some("11B03")),
        (r#""title":"某台发布大雾橙色预警""#, Some("fog")),
        (r#""x":1"#, None),
    ] {
        assert_eq!(warning(members).zone.as_deref(), want, "{members}");
    }
}

#[test]
fn trap_01_a_time_is_local_zoned_or_counted_from_1970() {
    let issued = |value: &str| one(read(format!("{{\"pubTime\":{value},\"id\":\"7\"}}").as_bytes())).time;
    let local = jiff::civil::date(2026, 11, 24).at(10, 30, 0, 0);
    assert_eq!(issued("\"2026-11-24 10:30:00\""), DeviceTime::Local(local, TimePrecision::Second));
    assert_eq!(issued("\"2026/11/24 10:30\""), DeviceTime::Local(local, TimePrecision::Minute));
    assert_eq!(issued("\"20261124103000\""), DeviceTime::Local(local, TimePrecision::Second));
    let at = "2026-11-24T02:30:00Z".parse().unwrap();
    for value in ["1795487400", "\"1795487400\"", "1795487400.0"] {
        assert_eq!(issued(value), DeviceTime::Zoned(at, TimePrecision::Second), "{value}");
    }
    assert_eq!(issued("1795487400000"), DeviceTime::Zoned(at, TimePrecision::Ms));
    assert_eq!(issued("\"2026-11-24T10:30+08:00\""), DeviceTime::Zoned(at, TimePrecision::Minute));
    assert_eq!(issued("\"soon\""), DeviceTime::Missing);
}

#[test]
fn trap_07_what_is_lifted_ends_what_was_issued() {
    let (began, over) = (
        one(read(&fixture(NAME, "rainstorm_orange.json"))),
        one(read(&fixture(NAME, "rainstorm_lifted_gb18030.json"))),
    );
    assert_eq!((&began.device_id, &began.zone), (&over.device_id, &over.zone));
    assert_ne!(began.native_id, over.native_id);
    for (members, want) in [
        (r#""msgType":"Cancel""#, Phase::End),
        (r#""msgType":"Update""#, Phase::Continue),
        (r#""status":"update""#, Phase::Continue),
        (r#""messageType":{"code":"cancel"}"#, Phase::End),
        (r#""status":"预警中","title":"某台解除大雾橙色预警""#, Phase::End),
        (r#""title":"某台继续发布大雾橙色预警""#, Phase::Continue),
        (r#""title":"某台发布大雾橙色预警","text":"请解除…""#, Phase::Start),
        (r#""ISSUECONTENT":"某台发布大雾橙色预警：前者已解除""#, Phase::Start),
    ] {
        assert_eq!(warning(members).phase, want, "{members}");
    }
}

#[test]
fn trap_10_an_identity_is_that_of_12379_without_the_words_behind_it() {
    assert_eq!(
        one(read(&fixture(NAME, "rainstorm_orange.json"))).native_id.as_deref(),
        Some("36010041600000_20261124100000")
    );
    let listed = one(read(r#"{"ISSUETIME":"2026-11-24 10:00:00","ALERTID":"2026112410001雷电黄色"}"#.as_bytes()));
    assert_eq!(listed.native_id.as_deref(), Some("2026112410001"));
}

#[test]
fn trap_13_nobody_who_signed_and_no_text_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let read = one(read(&fixture(NAME, "rainstorm_orange.json")));
    assert!(["UNDERWRITER", "ISSUECONTENT", "STATIONNAME"].iter().all(|name| read.dropped.iter().any(|n| n == name)));
}

#[test]
fn an_exercise_pages_nobody() {
    let listed = read(&fixture(NAME, "nmc_list.json")).unwrap();
    assert_eq!(events(&listed).iter().map(|event| event.is_test).collect::<Vec<_>>(), [false, true]);
    assert!(warning(r#""status":"Test""#).is_test);
}

#[test]
fn trap_18_a_position_is_passed_on_as_it_is() {
    let geo = one(read(&fixture(NAME, "caiyun.json"))).geo.unwrap();
    assert_eq!((geo.lat, geo.lon, geo.datum.as_ref()), (28.68, 115.9, "unknown"));
}

#[test]
fn trap_16_what_cannot_be_read_is_told() {
    for (json, want) in [
        ("{\"ISSUETIME\":", "rejected truncated"),
        ("{]", "rejected bad_syntax"),
        ("{\"a\":1}", "rejected not_this_format"),
        ("[7]", "rejected bad_value"),
    ] {
        assert_eq!(rows(&read(json.as_bytes())), [want], "{json}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
