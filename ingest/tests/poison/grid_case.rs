//! Poisons of grid workers' reports.

use super::Poison;

fn case(members: &str) -> Vec<u8> {
    format!(r#"{{"caseName":"MARKER","gridCode":"G1",{members}}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    let good = r#"{"caseName":"MARKER"}"#;
    let deep = [r#"{"data":"#.repeat(8), good.to_owned(), "}".repeat(8)].concat();
    vec![
        ("cut within a text", br#"{"caseName":"MAR"#.to_vec(), "truncated"),
        ("an empty wrapper", br#"{"data":[]}"#.to_vec(), "filtered empty_list"),
        ("a wrapper of a number", br#"{"data":7}"#.to_vec(), "not_this_format"),
        ("wrappers without end", deep.into_bytes(), "too_large"),
        (
            "broken ones between good ones",
            format!(r#"{{"data":[{good},1,null,"caseName",{{}},{good}]}}"#).into_bytes(),
            "report.event, 3 bad_value, missing_field, report.event",
        ),
        ("a case of null", br#"{"caseName":null}"#.to_vec(), "not_this_format"),
        ("a case of nothing", br#"{"caseName":"","gridCode":"","itemCode":[]}"#.to_vec(), "not_this_format"),
        (
            "people who are watched",
            br#"{"tableName":"ZZ_XDRY","caseName":"MARKER"}"#.to_vec(),
            "filtered special_population",
        ),
        ("a member that names them", case(r#""aidsInfection":null"#), "filtered special_population"),
        ("well and not well", case(r#""hasProblem":false,"checkResult":"异常""#), "report.event"),
        ("well, perhaps", case(r#""allSafe":"perhaps""#), "report.event"),
        ("well, as a list", case(r#""allSafe":[true]"#), "report.event"),
        ("signed in at some time", br#"{"isSignin":true,"signinTime":"soon"}"#.to_vec(), "patrol.checkin"),
        (
            "not signed in, and when",
            br#"{"isSignin":"0","signinTime":"2026-11-24"}"#.to_vec(),
            "filtered not_signed_in",
        ),
        ("a position that is NaN", case(r#""latitude":"NaN","longitude":"inf""#), "report.event"),
        ("a position beyond any", case(r#""latitude":1e999,"longitude":-1e999"#), "report.event"),
        ("an identity card for an id", case(r#""caseId":"36010219900101123X""#), "report.event"),
        ("people beyond any number", case(r#""peopleCount":1e300"#), "report.event"),
        ("less than nobody", case(r#""peopleCount":-1"#), "report.event"),
        ("the year 9999", case(r#""occurrenceDate":"9999-12-31 23:59:59""#), "report.event"),
        ("the year 0", case(r#""occurrenceDate":"0000-00-00","reportTime":0"#), "report.event"),
        ("blanks and controls for ids", case(r#""caseCode":"\u0000 1","itemCode":"\u0007\u0007""#), "report.event"),
        ("half a surrogate in a name", case(r#""\ud800":1"#), "bad_syntax"),
        ("half a character of GB18030", b"{\"caseName\":\"\xc4\xcf\xb2\"}".to_vec(), "report.event"),
    ]
}
