//! The frame of DC-09: check, length, who speaks, brackets and time.

use std::borrow::Cow;

use chorus_model::TimePrecision;
use jiff::civil;

use super::super::{ident, text, time};
use crate::observation::{DeviceTime, Reason};

/// The quote that begins the message stands behind 4 digits of CRC and 4 of length; some receivers put a word in front.
const MAX_HEAD: usize = 16;

/// What the CRC and the length said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Ok,
    /// The CRC holds, and the length does when it is read as a decimal number.
    OkDecimal,
    Failed,
}

/// One frame, its brackets not opened yet.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) check: Check,
    /// `SIA-DCS`, `ADM-CID`, `NULL`, `ACK`, …
    pub(super) token: String,
    pub(super) encrypted: bool,
    pub(super) sequence: Option<u64>,
    /// The number of the receiver, without zeros in front; empty for none.
    pub(super) receiver: String,
    /// The account's prefix, without zeros in front; empty for none.
    pub(super) prefix: String,
    /// The account; empty when it stands in the data only.
    pub(super) account: String,
    /// From the first bracket on.
    pub(super) rest: Cow<'a, str>,
    /// `lossy_text` when bytes had to be replaced.
    pub(super) flag: Option<&'static str>,
}

/// The frames of a record: each begins with LF and ends with CR, and connectors keep or strip both.
pub(super) fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii).filter(|frame| !frame.is_empty())
}

/// True when a frame begins here.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    const TOKENS: [&[u8]; 7] = [b"SIA-DCS\"", b"ADM-CID\"", b"NULL\"", b"ACK\"", b"NAK\"", b"DUH\"", b"RSP\""];
    let bytes = bytes.trim_ascii_start();
    let Some(quote) = memchr::memchr(b'"', bytes).filter(|quote| *quote <= MAX_HEAD) else { return false };
    let token = bytes.get(quote + 1..).unwrap_or_default();
    let token = token.strip_prefix(b"*").unwrap_or(token);
    TOKENS.iter().any(|known| token.starts_with(known))
}

/// Reads a frame up to its first bracket.
///
/// # Errors
/// When it is no frame of DC-09, or ends before its data.
pub(super) fn read(bytes: &[u8]) -> Result<Frame<'_>, Reason> {
    let quote = memchr::memchr(b'"', bytes).filter(|quote| *quote <= MAX_HEAD).ok_or(Reason::NotThisFormat)?;
    let (head, message) = bytes.split_at_checked(quote).ok_or(Reason::NotThisFormat)?;
    let check = check(head, message);
    // Text in the data may be GBK, whose second bytes are brackets and bars: text first, delimiters after.
    let payload = text::decode(message);
    let (token, head, rest) = cut(&payload.text)?;
    let encrypted = token.starts_with('*');
    let token = token.trim_start_matches('*').to_owned();
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if token.is_empty() || token.len() > 16 || !token.bytes().all(known) {
        return Err(Reason::NotThisFormat);
    }
    let (sequence, head) = leading(head, |c| c.is_ascii_digit());
    let (receiver, head) = lettered(head, 'R');
    let (prefix, head) = lettered(head, 'L');
    let account = match head.strip_prefix('#') {
        Some(account) => ident::token(account).ok_or(Reason::BadValue)?,
        None if head.is_empty() => String::new(),
        None => return Err(Reason::BadSyntax),
    };
    let (sequence, receiver, prefix) = (sequence.parse().ok(), without_zeros(receiver), without_zeros(prefix));
    let rest = match &payload.text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(rest..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(rest..).unwrap_or_default().to_owned()),
    };
    Ok(Frame { check, token, encrypted, sequence, receiver, prefix, account, rest, flag: payload.flag })
}

/// The token between the quotes, what stands between it and the first bracket, and where that bracket is.
fn cut(message: &str) -> Result<(&str, &str, usize), Reason> {
    let (token, head) = message.get(1..).and_then(|text| text.split_once('"')).ok_or(Reason::Truncated)?;
    let bracket = head.find('[').ok_or(Reason::Truncated)?;
    let (head, _) = head.split_at_checked(bracket).ok_or(Reason::Truncated)?;
    Ok((token, head, token.len() + 2 + bracket))
}

fn leading(text: &str, of: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !of(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A letter and hexadecimal digits; nothing when the letter is another.
fn lettered(text: &str, letter: char) -> (&str, &str) {
    match text.strip_prefix(letter) {
        Some(rest) => leading(rest, |c| c.is_ascii_hexdigit()),
        None => ("", text),
    }
}

fn without_zeros(number: &str) -> String {
    number.trim_start_matches('0').to_owned()
}

/// Compares the head with the message. The standard writes the length in hexadecimal; some panels do in decimal.
fn check(head: &[u8], message: &[u8]) -> Check {
    let digits = std::str::from_utf8(head).ok().filter(|digits| digits.len() == 8);
    let Some((crc, length)) = digits.and_then(|digits| digits.split_at_checked(4)) else { return Check::Failed };
    if u16::from_str_radix(crc, 16) != Ok(crc_of(message)) {
        return Check::Failed;
    }
    if usize::from_str_radix(length, 16) == Ok(message.len()) {
        return Check::Ok;
    }
    if length.parse() == Ok(message.len()) { Check::OkDecimal } else { Check::Failed }
}

/// CRC-16 with the reflected polynomial A001, from zero.
fn crc_of(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let [low, high] = crc.to_le_bytes();
        u16::from(high) ^ CRC_OF_BYTE.get(usize::from(low ^ byte)).copied().unwrap_or_default()
    })
}

/// The CRC of every byte alone.
static CRC_OF_BYTE: [u16; 256] = crc_table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, and within bounds there")]
const fn crc_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// The contents of the brackets, and what follows the last. A closing bracket is one behind which another opens, the time
/// begins or nothing is left: texts hold brackets too.
///
/// # Errors
/// A bracket that is not closed.
pub(super) fn brackets(mut rest: &str) -> Result<(Vec<&str>, &str), Reason> {
    let mut blocks = Vec::new();
    while let Some(open) = rest.strip_prefix('[') {
        let closes = |at: usize| matches!(open.as_bytes().get(at + 1), None | Some(b'[' | b'_'));
        let end = open.match_indices(']').map(|(at, _)| at).find(|at| closes(*at)).ok_or(Reason::Truncated)?;
        blocks.push(open.get(..end).unwrap_or_default());
        rest = open.get(end + 1..).unwrap_or_default();
    }
    Ok((blocks, rest))
}

/// `HH:MM:SS,MM-DD-YYYY`, in UTC by the standard (trap 2); anything else is missing.
pub(super) fn utc(text: &str) -> DeviceTime {
    let read = || {
        let (clock, date) = text.trim().split_once(',')?;
        let mut clock = clock.split(':').map(|part| part.parse::<i8>().ok());
        let mut date = date.split('-').map(|part| part.parse::<i16>().ok());
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        let (month, day, year) = (date.next()??, date.next()??, date.next()??);
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()
    };
    read().map_or(DeviceTime::Missing, |local| time::utc(local, TimePrecision::Second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_the_standard() {
        // The check value of CRC-16/ARC.
        assert_eq!(crc_of(b"123456789"), 0xbb3d);
    }

    #[test]
    fn a_bracket_in_a_text_closes_nothing() {
        let (blocks, tail) = brackets("[#1|Nri1/BA01^a]b^][X1][M]_12").unwrap();
        assert_eq!((blocks.as_slice(), tail), (&["#1|Nri1/BA01^a]b^", "X1", "M"][..], "_12"));
        assert_eq!(brackets("[open").unwrap_err(), Reason::Truncated);
        assert_eq!(brackets("").unwrap(), (vec![], ""));
    }

    #[test]
    fn trap_02_the_time_is_utc_and_in_american_order() {
        let instant = "2026-11-24T05:06:07Z".parse().unwrap();
        assert_eq!(utc("05:06:07,11-24-2026"), DeviceTime::Zoned(instant, TimePrecision::Second));
        for nonsense in ["", "05:06:07", "25:06:07,11-24-2026", "05:06:07,24-11-2026", "a:b:c,d-e-f"] {
            assert_eq!(utc(nonsense), DeviceTime::Missing, "{nonsense}");
        }
    }
}
