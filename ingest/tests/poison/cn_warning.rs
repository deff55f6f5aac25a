//! Poisons of warnings of 12379.

use super::Poison;

fn rain(members: &str) -> Vec<u8> {
    format!(r#"{{"SIGNALTYPE":"暴雨","ISSUETIME":"2026-11-24 08:00:00",{members}}}"#).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    let good = r#"{"SIGNALTYPE":"暴雨","ISSUETIME":"2026-11-24 08:00:00"}"#;
    let deep = [r#"{"data":"#.repeat(8), good.to_owned(), "}".repeat(8)].concat();
    vec![
        ("cut within a character", good.as_bytes()[..16].to_vec(), "truncated"),
        ("an empty list", b"[]".to_vec(), "filtered empty_list"),
        ("a list that is null", br#"{"ISSUETIME":"","data":null}"#.to_vec(), "not_this_format"),
        ("a time and nothing", br#"{"ISSUETIME":"2026-11-24 08:00:00"}"#.to_vec(), "not_this_format"),
        ("a time that is null", r#"{"SIGNALTYPE":"暴雨","ISSUETIME":null}"#.as_bytes().to_vec(), "not_this_format"),
        ("some time", r#"{"SIGNALTYPE":"暴雨","ISSUETIME":"soon"}"#.as_bytes().to_vec(), "external.warning"),
        (
            "the year 9999",
            r#"{"SIGNALTYPE":"暴雨","pubtimestamp":253402300799}"#.as_bytes().to_vec(),
            "external.warning",
        ),
        (
            "broken ones between good ones",
            format!(r#"{{"data":[{good},7,null,"x",{{}},{good}]}}"#).into_bytes(),
            "external.warning, 3 bad_value, missing_field, external.warning",
        ),
        ("wrappers without end", deep.into_bytes(), "too_large"),
        ("a position that is NaN", rain(r#""latlon":["NaN","inf"]"#), "external.warning"),
        ("a position of three", rain(r#""latlon":[1,2,3],"latitude":"1e999","longitude":"x""#), "external.warning"),
        ("a colour of nobody", rain(r#""SIGNALLEVEL":"mauve","code":"9""#), "external.warning"),
        ("a colour that is a list", rain(r#""SIGNALLEVEL":["红色"],"color":7"#), "external.warning"),
        ("codes beyond any", rain(r#""TYPECODE":99999999999999999999,"LEVELCODE":"色""#), "external.warning"),
        ("a code of zeros", br#"{"TYPECODE":"00","id":"1","ISSUETIME":"2026-11-24"}"#.to_vec(), "external.warning"),
        ("lifted and raised", rain(r#""msgType":"Cancel","title":"发布暴雨红色预警""#), "external.warning"),
        ("an issuer without end", rain(&format!(r#""senderName":"{}""#, "台".repeat(10_000))), "external.warning"),
        (
            "blanks and controls for ids",
            rain(r#""alertId":"\u0000 \n","adcode":"\u00071","sender":"a\u0007b""#),
            "external.warning",
        ),
        ("an id of a thousand digits", rain(&format!(r#""id":"101{}""#, "0".repeat(1_000))), "external.warning"),
        ("half a surrogate in a title", rain(r#""title":"\ud800""#), "external.warning"),
        ("half a surrogate in a name", rain(r#""\udfff":1"#), "bad_syntax"),
        (
            "words before a good one",
            format!("{good}预警\n{good}").into_bytes(),
            "external.warning, bad_syntax, external.warning",
        ),
    ]
}
