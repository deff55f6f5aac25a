//! Poisons of GB/T 26875.3.

use super::Poison;

/// A sound frame; a length that lies takes the place of the true one.
fn frame(command: u8, data: &[u8], lie: Option<u16>) -> Vec<u8> {
    let length = lie.unwrap_or_else(|| u16::try_from(data.len()).unwrap_or_default()).to_le_bytes();
    let head = [1, 0, 1, 1, 5, 30, 22, 24, 11, 26, 5, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9];
    let body = [&head[..], &length, &[command], data].concat();
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [b"@@".as_slice(), &body, &[sum], b"##"].concat()
}

fn system(count: u8, status: u16, at: [u8; 6]) -> Vec<u8> {
    [&[1, count, 1, 2][..], &status.to_le_bytes(), &at].concat()
}

const AT: [u8; 6] = [0, 30, 22, 24, 11, 26];

pub(crate) fn poisons() -> Vec<Poison> {
    let fire = system(1, 2, AT);
    let heartbeat = frame(2, &[], None);
    let sound = frame(2, &fire, None);
    vec![
        ("a start and nothing", b"@@".to_vec(), "truncated"),
        ("an end and nothing", b"##".to_vec(), "not_this_format"),
        ("zeros", vec![0; 100], "not_this_format"),
        ("starts without end", b"@".repeat(10_000), "1000 truncated, too_large"),
        ("cut within the head", sound[..20].to_vec(), "truncated"),
        ("cut within the data", sound[..30].to_vec(), "truncated"),
        ("cut within the end", sound[..sound.len() - 1].to_vec(), "truncated"),
        ("a length that is too large", frame(2, &fire, Some(u16::MAX)), "fire.alarm"),
        ("a length that is too small", frame(2, &fire, Some(0)), "fire.alarm"),
        ("a sum that is wrong", [&sound[..sound.len() - 3], b"\x99##"].concat(), "fire.alarm"),
        ("more objects than there are", frame(2, &system(255, 2, AT), None), "fire.alarm, truncated"),
        ("no objects, and one there", frame(2, &system(0, 2, AT), None), "fire.alarm"),
        ("objects of which there are none", frame(2, &[1, 1], None), "truncated"),
        ("a type and nothing", frame(2, &[1], None), "truncated"),
        ("a type of nobody", frame(2, &[0, 1, 1, 2, 2, 0], None), "unknown_code"),
        ("a command of nobody", frame(0, &fire, None), "unknown_code"),
        ("an answer of nothing", frame(5, &[], None), "truncated"),
        ("a time of no month", frame(2, &system(1, 2, [255; 6]), None), "fire.alarm"),
        ("a time of zeros", frame(2, &system(1, 2, [0; 6]), None), "fire.alarm"),
        ("every bit at once", frame(2, &system(1, u16::MAX, AT), None), "fire.alarm, fire.fault, input.changed"),
        ("noise before a frame", [b"noise", &heartbeat[..]].concat(), "bad_syntax, device.heartbeat"),
        (
            "a cut one between good ones",
            [&heartbeat[..], &sound[..36], &heartbeat].concat(),
            "device.heartbeat, bad_syntax, device.heartbeat",
        ),
        ("half a byte in hexadecimal", b"40401".to_vec(), "bad_syntax"),
        ("words that begin like hexadecimal", b"4040 is no frame".to_vec(), "not_this_format"),
        ("a frame of letters", b"@@MARKER##".to_vec(), "truncated"),
    ]
}
