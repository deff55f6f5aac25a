//! Grid workers' reports: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no platform sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::grid_case::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{Kind, Phase, Severity, TimePrecision};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn case(members: &str) -> Observation {
    one(read(format!("{{\"caseName\":\"x\",{members}}}").as_bytes()))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("report_case.json", &["report.event pulse 360102001006003 local 2026-11-24T10:00:00"]),
        (
            "cases_wrapped.json",
            &[
                "report.event continue 360102001 local 2026-11-24T00:00:00",
                "report.event end 360102 local 2026-11-24T09:00:00",
                "rejected missing_field",
            ],
        ),
        ("case_settled.json", &["report.event end 360102 missing"]),
        ("case_passed_on.json", &["filtered case_handling"]),
        ("problem.json", &["report.event pulse 360111 local 2026-11-24T10:30:00"]),
        ("dispute.json", &["report.event pulse 360104002003001 local 2026-11-23T00:00:00"]),
        ("dispute_in_chinese_gb18030.json", &["report.event end 360104002003001 local 2026-11-22T00:00:00"]),
        ("signed_in.json", &["patrol.checkin pulse 360102001006003 local 2026-11-24T09:30:00"]),
        (
            "signed_in_and_well.json",
            &[
                "patrol.checkin pulse 360102001006003 2026-11-24T02:30:00Z",
                "report.all_safe pulse 360102001006003 missing",
            ],
        ),
        ("not_signed_in.json", &["filtered not_signed_in"]),
        (
            "all_safe_list.json",
            &[
                "report.all_safe pulse 360102001006003 local 2026-11-24T17:30:00",
                "report.event pulse 360102001006004 missing",
            ],
        ),
        ("special_population.json", &["filtered special_population"]),
        ("watched_person.json", &["filtered special_population"]),
        ("nothing_here.json", &["filtered empty_list", "filtered empty_list"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("problem_with_area_code.json", &["report.event pulse 140100 local 2024-01-01T10:30:00"]),
        ("task_process_patrol_signin.json", &["patrol.checkin pulse - local 2024-01-03T09:30:00"]),
    ];
    wire::check_shared(NAME, "grid_case", table);
}

#[test]
fn the_worst_level_counts_and_no_digit_is_critical() {
    for (members, want) in [
        (r#""severityLevel":"3","urgencyLevel":"1""#, Some(Severity::High)),
        (r#""severityLevel":1"#, Some(Severity::High)),
        (r#""problemLevel":"I""#, Some(Severity::Critical)),
        (r#""problemLevel":"Ⅳ""#, Some(Severity::Low)),
        (r#""level":"较大""#, Some(Severity::Medium)),
        (r#""level":"whatever""#, None),
        (r#""x":1"#, None),
    ] {
        assert_eq!(case(members).severity.map(|(severity, _)| severity), want, "{members}");
    }
}

#[test]
fn a_report_belongs_to_its_grid_else_to_the_smallest_area() {
    for (members, device, kind) in [
        (r#""gridCode":"1","streetCode":"2""#, "1", Some("grid")),
        (r#""gridCode":"","streetCode":"2","cityCode":"3""#, "2", Some("area")),
        (r#""districtCode":360102"#, "360102", Some("area")),
        (r#""districtCode":"000000""#, "", None),
        (r#""gridCode":"某网格 张三""#, "", None),
    ] {
        let read = case(members);
        assert_eq!((read.device_id.as_str(), read.device_kind), (device, kind), "{members}");
    }
}

#[test]
fn numbers_as_texts_and_texts_as_numbers_read_alike() {
    let texts =
        case(r#""gridCode":"360102001006003","peopleCount":"12","latitude":"28.5","longitude":"115.5","id":"77""#);
    let numbers = case(r#""gridCode":360102001006003,"peopleCount":12,"latitude":28.5,"longitude":115.5,"id":77"#);
    assert_eq!(format!("{texts:?}"), format!("{numbers:?}"));
    assert_eq!((numbers.count, numbers.native_id.as_deref()), (Some(12), Some("77")));
}

#[test]
fn trap_01_a_time_is_local_and_a_day_stays_a_day() {
    let dispute = one(read(&fixture(NAME, "dispute.json")));
    assert!(matches!(dispute.time, DeviceTime::Local(_, TimePrecision::Date)));
    let reported = case(r#""reportTime":"2026-11-24 08:30""#);
    assert!(matches!(reported.time, DeviceTime::Local(_, TimePrecision::Minute)));
    assert_eq!(reported.flags, ["report_time"]);
    let early = case(r#""occurrenceDate":"2026-11-24 09:00:00","reportTime":"2026-11-24 08:30:00""#);
    assert_eq!(early.flags, ["told_before_it_happened"]);
    for (text, want) in [("1795487400", "2026-11-24T02:30:00Z"), ("1795487400123", "2026-11-24T02:30:00.123Z")] {
        let read = case(&format!("\"occurrenceDate\":\"{text}\""));
        assert!(matches!(read.time, DeviceTime::Zoned(at, _) if at.to_string() == want), "{text}");
    }
    assert_eq!(case(r#""occurrenceDate":"昨天""#).time, DeviceTime::Missing);
}

#[test]
fn trap_07_what_is_settled_is_an_end_and_has_the_identity_of_its_case() {
    let (began, over) = (one(read(&fixture(NAME, "report_case.json"))), one(read(&fixture(NAME, "case_settled.json"))));
    assert_eq!((began.phase, over.phase), (Phase::Pulse, Phase::End));
    assert_eq!(began.native_id, over.native_id);
    assert_eq!(case(r#""isResolved":"是""#).phase, Phase::End);
}

#[test]
fn trap_12_only_what_says_that_all_is_well_is_all_safe() {
    for (members, want) in [
        (r#""zeroReport":true"#, "report.all_safe"),
        (r#""hasProblem":false"#, "report.all_safe"),
        (r#""checkResult":"正常""#, "report.all_safe"),
        (r#""checkResult":"正常","hasProblem":1"#, "report.event"),
        (r#""checkResult":"""#, "report.event"),
        (r#""isSafe":null"#, "report.event"),
    ] {
        assert_eq!(case(members).kind.as_str(), want, "{members}");
    }
}

#[test]
fn trap_13_no_name_no_text_and_no_picture_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let report = one(read(&fixture(NAME, "report_case.json")));
    for name in ["caseName", "address", "attachments", "handlingUser", "reportPersonalInfo", "extFieldValues"] {
        assert!(report.dropped.iter().any(|dropped| dropped == name), "{name}");
    }
    assert!(report.credential.is_none());
    for id in ["360102199001011234", "13800000000"] {
        assert_eq!(case(&format!("\"id\":\"{id}\"")).native_id, None, "{id}");
    }
    assert_eq!(case(r#""eventType":"张三和李四在门口吵架了很久""#).zone, None);
}

#[test]
fn trap_18_a_position_is_passed_on_as_it_is_and_its_datum_is_unknown() {
    let pieces = read(&fixture(NAME, "cases_wrapped.json")).unwrap();
    let swapped = events(&pieces)[1].geo.clone().unwrap();
    assert_eq!((swapped.lat, swapped.lon, swapped.datum.as_ref()), (115.89, 28.68, "unknown"));
    let named = case(r#""lat":28.5,"lng":115.5,"coordType":"GCJ-02""#);
    assert_eq!(named.geo.unwrap().datum, "gcj02");
    assert_eq!(case(r#""lat":0,"lng":0"#).geo, None);
}

#[test]
fn people_who_are_watched_or_ill_are_not_for_us() {
    for json in [
        r#"{"ZZ_SQJZ":[{"name":"x"}]}"#,
        r#"{"entity":"ZZ_AZBRY","gridCode":"1"}"#,
        r#"[{"gridCode":"1","精神障碍":"x"}]"#,
        r#"{"gridCode":"1","correctionType":"x"}"#,
    ] {
        assert_eq!(rows(&read(json.as_bytes())), ["filtered special_population"], "{json}");
    }
    // The table of disputes is one of theirs as well, and is wanted.
    let dispute = r#"{"tableName":"ZZ_MDJFPCHJ","data":[{"disputeName":"x","fsrq":"20261124"}]}"#;
    assert_eq!(rows(&read(dispute.as_bytes())), ["report.event pulse - local 2026-11-24T00:00:00"]);
}

#[test]
fn trap_16_what_cannot_be_read_is_told() {
    for (json, reason) in [
        ("{\"caseName\":", Reason::Truncated),
        ("{]", Reason::BadSyntax),
        ("{\"a\":1}", Reason::NotThisFormat),
        ("7", Reason::BadValue),
    ] {
        assert_eq!(read(json.as_bytes()).unwrap_err(), reason, "{json}");
    }
    let deep = format!("{}{{\"caseName\":\"x\"}}{}", "[".repeat(9), "]".repeat(9));
    assert_eq!(rows(&read(deep.as_bytes())), ["rejected too_large"]);
    let many = format!("[{}]", vec!["{\"caseName\":\"x\"}"; 1_500].join(","));
    let pieces = read(many.as_bytes()).unwrap();
    assert_eq!((events(&pieces).len(), pieces.len()), (1_000, 1_001));
    assert_eq!(events(&pieces)[0].kind, Kind::ReportEvent);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
