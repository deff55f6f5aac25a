//! Messages out of a record: MLLP, batches, delimiters and charset as each message states them.

use std::borrow::Cow;

use super::super::text;

/// The bytes around a message in MLLP.
pub(super) const BLOCK_BEGINS: u8 = 0x0b;
pub(super) const BLOCK_ENDS: u8 = 0x1c;

/// What a record is made of.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A message, from its MSH to the next header or trailer.
    Message(&'a [u8]),
    /// Segments that belong to no message: a batch whose message lost its header.
    Stray,
}

/// True when a header of a message, a batch or a file stands here: the next byte is its field separator.
pub(super) fn is_header(line: &[u8]) -> bool {
    let named = [b"MSH", b"BHS", b"FHS"].iter().any(|name| line.starts_with(*name));
    named && line.get(3).is_some_and(|byte| byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric())
}

fn is_trailer(line: &[u8]) -> bool {
    [b"BTS", b"FTS"].iter().any(|name| line.starts_with(*name))
        && line.get(3).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// The separators of segments, of lines (public copies have them) and of MLLP's blocks. None of them is a byte of a character
/// in UTF-8 or GB18030.
const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | BLOCK_BEGINS | BLOCK_ENDS)
}

/// A mark of byte order may stand before each message, also within its block.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The messages of a record, in their order; true beside them when a batch was met.
pub(super) fn parts(bytes: &[u8]) -> (Vec<Part<'_>>, bool) {
    let mut parts = Vec::new();
    let mut is_batch = false;
    let mut message: Option<usize> = None;
    let mut is_stray = false;
    let mut at = 0;
    for line in bytes.split(|byte| is_break(*byte)) {
        let begins = at;
        at += line.len() + 1;
        // Behind the end of a block stands nothing of the message before it, whether or not a header follows.
        if begins.checked_sub(1).and_then(|end| bytes.get(end)) == Some(&BLOCK_ENDS) {
            parts.extend(message.take().and_then(|from| bytes.get(from..begins)).map(Part::Message));
            parts.extend(std::mem::take(&mut is_stray).then_some(Part::Stray));
        }
        let line = without_mark(line.trim_ascii_start());
        let is_message = line.starts_with(b"MSH") && is_header(line);
        let is_wrapper = !is_message && (is_header(line) || is_trailer(line));
        if is_message || is_wrapper {
            parts.extend(message.take().and_then(|from| bytes.get(from..begins)).map(Part::Message));
            parts.extend(std::mem::take(&mut is_stray).then_some(Part::Stray));
            is_batch |= is_wrapper;
            message = is_message.then_some(begins);
        } else if message.is_none() && !line.is_empty() {
            is_stray = true;
        }
    }
    parts.extend(message.and_then(|from| bytes.get(from..)).map(Part::Message));
    parts.extend(is_stray.then_some(Part::Stray));
    (parts, is_batch)
}

/// A message as text, with its delimiters.
pub(super) struct Message<'a> {
    text: Cow<'a, str>,
    /// `lossy_text` when bytes had to be replaced.
    pub(super) flag: Option<&'static str>,
    pub(super) field: char,
    component: char,
    repetition: char,
    escape: char,
    sub: char,
}

impl<'a> Message<'a> {
    /// Reads the bytes of one message; none when its header is cut off.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (text, flag) = decode(without_mark(bytes.trim_ascii()));
        let mut marks = text.get(3..)?.chars();
        let field = marks.next()?;
        let mut marks = marks.take_while(|mark| *mark != field && !is_break_char(*mark));
        // Who leaves some out means the usual ones.
        let (component, repetition) = (marks.next().unwrap_or('^'), marks.next().unwrap_or('~'));
        let (escape, sub) = (marks.next().unwrap_or('\\'), marks.next().unwrap_or('&'));
        Some(Self { text, flag, field, component, repetition, escape, sub })
    }

    /// Its segments. What does not begin with a segment's name is the rest of a text that was broken over lines.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let is_name = |name: &str| {
            name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && name.starts_with(|first: char| first.is_ascii_uppercase())
        };
        self.text.split(is_break_char).map(str::trim_start).filter_map(move |line| {
            let (name, rest) = line.split_at_checked(3)?;
            let fits = is_name(name) && (rest.is_empty() || rest.starts_with(self.field));
            fits.then_some(Segment { message: self, name, line })
        })
    }
}

const fn is_break_char(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{b}' | '\u{1c}')
}

/// One segment.
#[derive(Clone, Copy)]
pub(super) struct Segment<'m> {
    message: &'m Message<'m>,
    pub(super) name: &'m str,
    line: &'m str,
}

impl<'m> Segment<'m> {
    /// A field by its number in the standard, all its repetitions; empty when there is none. In a header the separator itself
    /// is field 1.
    pub(super) fn field(&self, number: usize) -> &'m str {
        let index = if self.name == "MSH" { number.saturating_sub(1) } else { number };
        let field = self.line.split(self.message.field).nth(index).unwrap_or_default().trim();
        // Two quotes say that what was there is gone.
        if field == "\"\"" { "" } else { field }
    }

    /// The repetitions of a field.
    pub(super) fn repetitions(&self, number: usize) -> impl Iterator<Item = &'m str> {
        self.field(number).split(self.message.repetition).map(str::trim)
    }

    /// A component, by its number, of a field's first repetition; of several subcomponents the first.
    pub(super) fn component(&self, number: usize, component: usize) -> &'m str {
        let first = self.repetitions(number).next().unwrap_or_default();
        self.component_of(first, component)
    }

    /// A component of a text that is one repetition.
    pub(super) fn component_of(&self, repetition: &'m str, component: usize) -> &'m str {
        let text = repetition.split(self.message.component).nth(component.saturating_sub(1)).unwrap_or_default();
        let text = text.split(self.message.sub).next().unwrap_or_default().trim();
        if text == "\"\"" { "" } else { text }
    }

    /// True when any of its fields holds anything.
    pub(super) fn says_anything(&self) -> bool {
        self.line.get(3..).unwrap_or_default().chars().any(|mark| {
            let marks = [self.message.field, self.message.component, self.message.repetition, self.message.sub];
            !marks.contains(&mark) && !mark.is_whitespace() && mark != '"'
        })
    }

    /// Resolves the escapes of delimiters; others say how a text looks, and are left out.
    pub(super) fn unescape(&self, text: &str) -> String {
        let escape = self.message.escape;
        let mut plain = String::with_capacity(text.len());
        let mut parts = text.split(escape);
        plain.push_str(parts.next().unwrap_or_default());
        while let (Some(code), behind) = (parts.next(), parts.next()) {
            match code {
                "F" => plain.push(self.message.field),
                "S" => plain.push(self.message.component),
                "T" => plain.push(self.message.sub),
                "R" => plain.push(self.message.repetition),
                "E" => plain.push(escape),
                _ => {}
            }
            plain.push_str(behind.unwrap_or_default());
        }
        plain
    }
}

/// Strict UTF-8, else a single-byte charset that the message declares, else GB18030. Only the last of these can swallow a
/// delimiter behind a foreign letter, and only the declaration can tell that a letter is no half of a Chinese character.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    if std::str::from_utf8(bytes).is_err()
        && let Some(encoding) = declared(bytes)
    {
        let (text, replaced) = encoding.decode_without_bom_handling(bytes);
        return (text, replaced.then_some("lossy_text"));
    }
    let text::Text { text, flag } = text::decode(bytes);
    (text, flag)
}

/// The single-byte charset of MSH-18 (`8859/1`, `ISO 8859-15`).
fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let header = bytes.split(|byte| is_break(*byte)).next()?;
    let separator = header.get(3)?;
    let name = std::str::from_utf8(header.split(|byte| byte == separator).nth(17)?).ok()?;
    let (_, number) = name.trim().split_once("8859")?;
    let number: u8 = number.trim_start_matches(['/', '-', ' ']).get(..).and_then(leading_number)?;
    encoding_rs::Encoding::for_label(format!("iso-8859-{number}").as_bytes())
}

fn leading_number(text: &str) -> Option<u8> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_the_messages_own() {
        for (text, want) in [
            (r"MSH|^~\&|app^x|f", "app"),
            (r"MSH^~|\&^app~x^f", "app"),
            (r"MSH$%#@!$app%x$f", "app"),
            ("MSH|^|app^x|f", "app"),
        ] {
            let message = Message::of(text.as_bytes()).unwrap();
            let header = message.segments().next().unwrap();
            assert_eq!((header.component(3, 1), header.component(3, 2), header.field(4)), (want, "x", "f"), "{text}");
        }
        assert!(Message::of(b"MSH").is_none());
    }

    #[test]
    fn escapes_are_resolved_and_cut_ones_harm_nothing() {
        let message = Message::of(br"MSH|^~\&|a").unwrap();
        let header = message.segments().next().unwrap();
        for (text, want) in [(r"A\T\B \S\ \F\ \E\", r"A&B ^ | \"), (r"\H\x\N\", "x"), (r"a\", "a"), ("a", "a")] {
            assert_eq!(header.unescape(text), want, "{text}");
        }
    }

    #[test]
    fn trap_04_a_latin_letter_swallows_no_delimiter_and_half_a_chinese_one_is_none() {
        let latin = [b"MSH|^~\\&|caf\xe9|y".as_slice(), b"||||||||||||||8859/1"].concat();
        let message = Message::of(&latin).unwrap();
        assert_eq!(message.segments().next().unwrap().field(4), "y");
        // The second byte of the character is a bar.
        let gbk = b"MSH|^~\\&|\x81\x7c|y";
        let message = Message::of(gbk).unwrap();
        assert_eq!(message.segments().next().unwrap().field(4), "y");
    }

    #[test]
    fn a_record_is_cut_at_headers_whatever_stands_between_segments() {
        let record = b"\x0bMSH|^~\\&|1\rEVN|A01\r\x1c\r\x0bMSH|^~\\&|2\nEVN|A02\n\x1c\r";
        let (found, is_batch) = parts(record);
        assert!(matches!(found.as_slice(), [Part::Message(_), Part::Message(_)]) && !is_batch);
        let (found, is_batch) = parts(b"FHS|^~\\&\rBHS|^~\\&\rPID|1\rMSH|^~\\&|2\rBTS|1\rFTS|1\r");
        assert!(matches!(found.as_slice(), [Part::Stray, Part::Message(_)]) && is_batch, "{found:?}");
    }
}
