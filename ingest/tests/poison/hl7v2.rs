//! Poisons of HL7 v2.

use super::Poison;

fn adt(kind: &str, rest: &str) -> String {
    format!("MSH|^~\\&|A|F|||20261124080000||{kind}|1|P|2.5\r{rest}")
}

fn admitted(rest: &str) -> Vec<u8> {
    adt("ADT^A01", &format!("EVN|A01\r{rest}")).into_bytes()
}

fn alarms(segments: &str) -> Vec<u8> {
    adt("ORU^R40", &format!("PV1|1|I|W1\r{segments}")).into_bytes()
}

pub(crate) fn poisons() -> Vec<Poison> {
    let good = adt("ADT^A01", "EVN|A01\rPV1|1|I|W1\r");
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(good.bytes().flat_map(|byte| [byte, 0])).collect();
    vec![
        ("three letters", b"MSH".to_vec(), "not_this_format"),
        ("a header of a bar", b"MSH|".to_vec(), "missing_field"),
        ("a separator that is a letter", b"MSHA^~\\&AXAFAAA20261124AAADT^A01".to_vec(), "not_this_format"),
        ("delimiters that are letters", b"MSH|ABCD|X|F|||20261124||ADTAA01|1|P|2.5".to_vec(), "missing_field"),
        ("no delimiters", b"MSH||A|F|||20261124||ADT^A01|1|P|2.5\rPV1|1|I|W1".to_vec(), "occupancy.changed"),
        ("one delimiter for all", b"MSH|^^^^|A|F|||20261124||ADT^A01|1|P|2.5\rEVN|A01".to_vec(), "occupancy.changed"),
        ("no type", adt("", "").into_bytes(), "missing_field"),
        ("no trigger", adt("ADT", "").into_bytes(), "missing_field"),
        ("a trigger of nobody", adt("ADT^Z99", "").into_bytes(), "unknown_code"),
        ("a type of nobody", adt("XYZ^A01", "").into_bytes(), "unknown_code"),
        ("two quotes for a type", adt("\"\"^A01", "").into_bytes(), "missing_field"),
        ("no visit", admitted(""), "occupancy.changed"),
        ("a ward with a bell", admitted("PV1|1|I|W\u{7}1^2^3^F\u{0}"), "occupancy.changed"),
        ("a ward without end", admitted(&format!("PV1|1|I|{}", "W".repeat(100_000))), "occupancy.changed"),
        ("an escape that is not closed", admitted("PV1|1|I|W\\X0D"), "occupancy.changed"),
        ("the year 9999", adt("ADT^A01", "EVN|A01|99991231235959-1200").into_bytes(), "occupancy.changed"),
        ("the year 0", adt("ADT^A01", "EVN|A01|00000000000000").into_bytes(), "occupancy.changed"),
        ("a block that is not closed", format!("\u{b}{good}").into_bytes(), "occupancy.changed"),
        (
            "a block that lost its header",
            "\u{b}MSH|^~\\&|A|F|||20261124||ADT^A01|1|P\r\u{1c}\r\u{b}PID|1\rPV1|1|I|W2\r\u{1c}\r"
                .to_owned()
                .into_bytes(),
            "occupancy.changed, missing_field",
        ),
        (
            "a mark of byte order in each block",
            format!("\u{b}\u{feff}{good}\u{1c}\r\u{b}\u{feff}{good}\u{1c}\r").into_bytes(),
            "2 occupancy.changed",
        ),
        (
            "a batch with a broken one",
            format!("FHS|^~\\&\rBHS|^~\\&\r{good}{}{good}BTS|9999\rFTS|-1\r", adt("XYZ", "")).into_bytes(),
            "occupancy.changed, unknown_code, occupancy.changed",
        ),
        ("a batch of strays", b"BHS|^~\\&\rPID|1\rOBX|1\rBTS|1".to_vec(), "missing_field"),
        ("a batch of nothing", b"BHS|^~\\&\rBTS|0".to_vec(), "filtered empty_batch"),
        ("an alert of nothing", alarms(""), "missing_field"),
        ("observations of nothing", alarms(&"OBX\r".repeat(50_000)), "filtered observation"),
        (
            "flags without end",
            alarms(&format!("OBR|1|||196616\rOBX|1|ST|0^MDC_EVT_HI||||{}|F", "SP~ST~".repeat(50_000))),
            "patient_device.alarm",
        ),
        (
            "more alarms than a record may hold",
            alarms(&"OBR|1|||196616\r".repeat(1_001)),
            "1000 patient_device.alarm, too_large",
        ),
        ("UTF-16", utf16, "not_this_format"),
    ]
}
