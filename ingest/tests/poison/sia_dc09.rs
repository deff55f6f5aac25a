//! Poisons of SIA DC-09.

use super::Poison;

fn frame(token: &str, rest: &str) -> Vec<u8> {
    format!("00000000\"{token}\"0001L0#77{rest}").into_bytes()
}

fn sia(data: &str) -> Vec<u8> {
    frame("SIA-DCS", &format!("[#77|{data}]_00:00:00,11-24-2026"))
}

fn cid(data: &str) -> Vec<u8> {
    frame("ADM-CID", &format!("[#77|{data}]"))
}

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("ends of frames and nothing between", b"\n\r\n\r".to_vec(), "not_this_format"),
        ("a line of text", b"this is no frame".to_vec(), "not_this_format"),
        ("a head without a quote", b"1234ABCD".to_vec(), "not_this_format"),
        ("a quote too late", b"0000000000000000000000\"NULL\"0000L0#77[]".to_vec(), "not_this_format"),
        ("a token that is not closed", b"00000000\"SIA-DCS".to_vec(), "truncated"),
        ("an empty token", frame("", "[]"), "not_this_format"),
        ("a token in small letters", frame("sia-dcs", "[#77|NBA1]"), "not_this_format"),
        ("a token of nobody", frame("MORSE", "[...]"), "unknown_code"),
        ("a token of a hundred letters", frame(&"A".repeat(100), "[]"), "not_this_format"),
        ("no data", frame("SIA-DCS", ""), "truncated"),
        ("data that is not closed", frame("SIA-DCS", "[#77|NBA1"), "truncated"),
        ("empty data", frame("SIA-DCS", "[]"), "missing_field"),
        ("an account and nothing", frame("SIA-DCS", "[#77|]"), "missing_field"),
        ("letters in the sequence", b"00000000\"SIA-DCS\"00XXL0#77[#77|NBA1]".to_vec(), "bad_syntax"),
        ("words between prefix and account", b"00000000\"SIA-DCS\"0001L0 hello #77[#77|NBA1]".to_vec(), "bad_syntax"),
        ("an account with a blank", b"00000000\"SIA-DCS\"0001L0#7 7[#77|NBA1]".to_vec(), "bad_value"),
        (
            "an account of a hundred digits",
            format!("00000000\"SIA-DCS\"0001L0#{}[|NBA1]", "7".repeat(100)).into_bytes(),
            "bad_value",
        ),
        ("a code of nobody", sia("NZX1"), "unknown_code"),
        ("a code of one letter", sia("N/B"), "missing_field"),
        ("a code in small letters", sia("Nba1"), "missing_field"),
        ("digits alone", sia("N123"), "missing_field"),
        ("a text where the code should be", sia("^MARKER^"), "missing_field"),
        ("a text that is not closed", sia("NBA1^MARKER"), "intrusion.zone"),
        ("a text full of codes", sia("NBA1^PA2/FA3|NHA4^"), "intrusion.zone"),
        ("an unknown code between known ones", sia("NBA1/ZX2/FA3"), "intrusion.zone, unknown_code, fire.alarm"),
        ("slashes without end", sia(&"/".repeat(10_000)), "missing_field"),
        ("a zone of a thousand digits", sia(&format!("NBA{}", "1".repeat(1_000))), "intrusion.zone"),
        (
            "more codes than a record may hold",
            sia(&format!("N{}", "BA1/".repeat(1_001))),
            "1000 intrusion.zone, too_large",
        ),
        ("Contact ID of three digits", cid("113"), "bad_value"),
        ("Contact ID of letters", cid("1A30 01 001"), "bad_value"),
        ("Contact ID of nothing", cid(""), "missing_field"),
        ("Contact ID of blanks", cid("   "), "missing_field"),
        ("a code of Contact ID of nobody", cid("1999 00 000"), "unknown_code"),
        ("a qualifier of nobody", cid("2130 00 001"), "bad_value"),
        ("Contact ID of ten digits", cid("1130000011"), "bad_value"),
        ("encrypted data", frame("*SIA-DCS", "[0123456789ABCDEF"), "encrypted"),
        ("an answer", frame("NAK", "[]"), "filtered answer"),
        ("a supervision with a broken end", frame("NULL", "["), "device.heartbeat"),
        ("a time that is none", frame("SIA-DCS", "[#77|NBA1]_25:61:61,13-32-2026"), "intrusion.zone"),
        ("a position beyond the earth", frame("SIA-DCS", "[#77|NBA1][X999E99.9][Y999N99.9]"), "intrusion.zone"),
        (
            "a good frame between bad ones",
            [b"junk\r".as_slice(), &sia("NBA1"), b"\r00000000\"SIA-DCS\"\r"].concat(),
            "not_this_format, intrusion.zone, truncated",
        ),
        ("a poll with letters for its id", b"SR0001L0001    006969XX    [IDZZ]".to_vec(), "not_this_format"),
        (
            "bytes of no text at all",
            [&b"00000000\"SIA-DCS\"0001L0#77[#77|NBA1^"[..], b"\xff\xfe\xfd^]"].concat(),
            "intrusion.zone",
        ),
    ]
}
