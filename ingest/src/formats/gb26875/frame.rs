//! The frame of GB/T 26875.3: where it begins and ends, who sent it, whether its sum holds.

use chorus_model::TimePrecision;
use jiff::civil;

use crate::observation::{DeviceTime, Reason};

/// `@@`.
const START: &[u8] = b"@@";
/// `##`.
const END: &[u8] = b"##";
/// From the start mark up to the data.
const HEAD: usize = 27;
/// The sum and the end mark.
const TAIL: usize = 3;
/// The longest data that the standard allows. Longer ones are read where the length holds, never searched for.
const LONGEST_DATA: usize = 1_024;

/// One frame, its data not looked at.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) serial: u16,
    /// When it was sent, in local time. What it tells of may be months older.
    pub(super) sent: DeviceTime,
    /// The sender's address; 0 says nothing.
    pub(super) source: u64,
    pub(super) command: u8,
    pub(super) data: &'a [u8],
    /// The sum holds and the end is where the length says.
    pub(super) is_sound: bool,
    /// The end was found behind another length than the head says.
    pub(super) is_resized: bool,
}

/// The frames of a record, and the reasons for what stands between them. The length leads from one to the next, for both
/// marks may stand in the data; where it leads astray the next start mark is looked for.
pub(super) struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Gives up what stands before the next start mark behind `from`.
    fn skip(&mut self, from: usize) {
        let rest = self.rest.get(from..).unwrap_or_default();
        let next = memchr::memmem::find(rest, START).unwrap_or(rest.len());
        self.rest = rest.get(next..).unwrap_or_default();
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.is_empty() {
            return None;
        }
        if !self.rest.starts_with(START) {
            self.skip(0);
            return Some(Err(Reason::BadSyntax));
        }
        Some(match read(self.rest) {
            Ok((frame, length)) => {
                self.rest = self.rest.get(length..).unwrap_or_default();
                Ok(frame)
            }
            Err(reason) => {
                self.skip(START.len());
                Err(reason)
            }
        })
    }
}

/// Reads the frame at the start of `bytes`; how long it is.
fn read(bytes: &[u8]) -> Result<(Frame<'_>, usize), Reason> {
    let head = bytes.get(..HEAD).ok_or(Reason::Truncated)?;
    let length = usize::from(word(head, 24));
    let (end, is_resized) = if bytes.get(HEAD + length + 1..).is_some_and(|tail| tail.starts_with(END)) {
        (HEAD + length, false)
    } else {
        let is_short = bytes.len() < HEAD + length + TAIL;
        (end_elsewhere(bytes).ok_or(if is_short { Reason::Truncated } else { Reason::BadSyntax })?, true)
    };
    let data = bytes.get(HEAD..end).ok_or(Reason::Truncated)?;
    let summed = bytes.get(START.len()..end).unwrap_or_default();
    let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let frame = Frame {
        serial: word(head, 2),
        sent: head.get(6..12).map(time).unwrap_or_default(),
        source: little(head, 12, 6),
        command: head.last().copied().unwrap_or_default(),
        data,
        is_sound: !is_resized && bytes.get(end) == Some(&sum),
        is_resized,
    };
    Ok((frame, end + TAIL))
}

/// Where the data ends when the length is wrong: one byte before an end mark behind which nothing, white space or the next
/// frame stands. No other frame may begin before it.
fn end_elsewhere(bytes: &[u8]) -> Option<usize> {
    let window = bytes.get(HEAD..bytes.len().min(HEAD + LONGEST_DATA + TAIL))?;
    let ends = |at: usize| {
        let behind = bytes.get(HEAD + at + END.len()..).unwrap_or_default().trim_ascii_start();
        behind.is_empty() || behind.starts_with(START)
    };
    let at = memchr::memmem::find_iter(window, END).find(|at| *at > 0 && ends(*at))?;
    let end = HEAD + at - 1;
    memchr::memmem::find(bytes.get(START.len()..end)?, START).is_none().then_some(end)
}

/// A number whose lowest byte comes first; 0 beyond the end.
pub(super) fn little(bytes: &[u8], from: usize, length: usize) -> u64 {
    let digits = bytes.get(from..from + length).unwrap_or_default();
    digits.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A number of two bytes.
pub(super) fn word(bytes: &[u8], from: usize) -> u16 {
    u16::try_from(little(bytes, from, 2)).unwrap_or_default()
}

/// Second, minute, hour, day, month and year of the century; local. Missing when it is no time.
pub(super) fn time(bytes: &[u8]) -> DeviceTime {
    let part = |at: usize| bytes.get(at).and_then(|byte| i8::try_from(*byte).ok());
    let read = || {
        let year = 2_000 + i16::from(part(5).filter(|year| *year < 100)?);
        civil::DateTime::new(year, part(4)?, part(3)?, part(2)?, part(1)?, part(0)?, 0).ok()
    };
    read().map_or(DeviceTime::Missing, |local| DeviceTime::Local(local, TimePrecision::Second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_begin_with_their_lowest_byte() {
        assert_eq!(little(&[0x67, 0x2b, 0, 0, 0, 0], 0, 6), 11_111);
        assert_eq!(little(&[1], 4, 2), 0);
        let local = civil::date(2026, 11, 24).at(23, 5, 7, 0);
        assert_eq!(time(&[7, 5, 23, 24, 11, 26]), DeviceTime::Local(local, TimePrecision::Second));
        for nonsense in [[0; 6], [60, 0, 0, 1, 1, 20], [0, 0, 0, 30, 2, 20], [255; 6], [0, 0, 0, 1, 1, 100]] {
            assert_eq!(time(&nonsense), DeviceTime::Missing);
        }
    }

    #[test]
    fn what_is_no_frame_is_told_and_the_next_is_found() {
        let empty = [b"@@".as_slice(), &[0; 24], b"\x02\x02##"].concat();
        let fates = |bytes: &[u8]| Frames::of(bytes).map(|frame| frame.map(|frame| frame.is_sound)).collect::<Vec<_>>();
        assert_eq!(fates(&empty), [Ok(true)]);
        assert_eq!(fates(&[b"noise".as_slice(), &empty].concat()), [Err(Reason::BadSyntax), Ok(true)]);
        assert_eq!(fates(&[&empty[..20], &empty].concat()), [Err(Reason::BadSyntax), Ok(true)]);
        assert_eq!(fates(&[empty.as_slice(), b"\r\n", &empty].concat()), [Ok(true), Ok(true)]);
        assert_eq!(fates(b"@@"), [Err(Reason::Truncated)]);
    }
}
