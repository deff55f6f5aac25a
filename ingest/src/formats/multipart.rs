//! Multipart bodies as devices write them, and documents that follow one another.
//!
//! `Content-Length` is not read: it is wrong often enough. The boundary is the first line that begins with `--`; a part ends
//! where that line comes again. Everything is found in one forward pass.

use memchr::memmem;

use super::text;

/// The most bytes of a part that is text; pictures are skipped, whatever their size.
const MAX_TEXT_PART: usize = 256 << 10;

/// The most bytes of a name of an element; no format has longer ones.
pub(super) const MAX_NAME: usize = 128;

/// One part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// XML or JSON, perhaps several documents.
    Text(&'a [u8]),
    /// A picture or other bytes that are no text.
    Binary,
    /// Text that is neither XML nor JSON.
    Other,
    /// Text beyond the limit.
    TooLarge,
}

/// Cuts a body into its parts. A body without a boundary is one part.
pub(crate) fn parts(bytes: &[u8]) -> Parts<'_> {
    Parts { rest: bytes, boundary: None }
}

/// The parts, in their order.
pub(crate) struct Parts<'a> {
    rest: &'a [u8],
    boundary: Option<&'a [u8]>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            self.rest = trim_start(self.rest);
            if self.rest.is_empty() {
                return None;
            }
            let mut picture = false;
            // What stands before the first boundary is nobody's, unless it is a document.
            if self.boundary.is_none()
                && !matches!(self.rest.first(), Some(b'<' | b'{' | b'[' | b'-'))
                && let Some(rest) = self.next_boundary().and_then(|at| self.rest.get(at..))
            {
                self.rest = rest;
            }
            if is_boundary(self.rest) {
                let (line, rest) = cut_line(self.rest);
                self.rest = rest;
                let line = line.trim_ascii_end();
                if self.boundary.is_none_or(|boundary| line != [boundary, b"--"].concat()) {
                    self.boundary = Some(line);
                }
                picture = self.skip_headers();
            }
            let body = self.take_body();
            match classify(body, picture, self.boundary.is_some()) {
                Some(part) => return Some(part),
                None => continue,
            }
        }
    }
}

impl<'a> Parts<'a> {
    /// Skips the header lines of a part; true when they announce a picture.
    fn skip_headers(&mut self) -> bool {
        let mut picture = false;
        loop {
            // A part without headers, or without the blank line behind them.
            if matches!(self.rest.first(), None | Some(b'<' | b'{' | b'[' | 0xff)) || is_boundary(self.rest) {
                return picture;
            }
            let (line, rest) = cut_line(self.rest);
            let line = line.trim_ascii();
            if line.is_empty() {
                self.rest = rest;
                return picture;
            }
            if !line.is_ascii() || !line.contains(&b':') {
                return picture;
            }
            let line = line.to_ascii_lowercase();
            picture |= line.starts_with(b"content-type") && memmem::find(&line, b"image/").is_some();
            self.rest = rest;
        }
    }

    /// Takes everything before the next boundary line.
    fn take_body(&mut self) -> &'a [u8] {
        let end = if is_boundary(self.rest) { Some(0) } else { self.next_boundary() };
        let Some((body, rest)) = end.and_then(|end| self.rest.split_at_checked(end)) else {
            return std::mem::take(&mut self.rest);
        };
        self.rest = rest;
        body
    }

    fn next_boundary(&self) -> Option<usize> {
        if let Some(boundary) = self.boundary {
            return memmem::find(self.rest, &[b"\n", boundary].concat()).map(|at| at + 1);
        }
        let dashes = memmem::find_iter(self.rest, b"\n--").map(|at| at + 1);
        dashes.into_iter().find(|at| self.rest.get(*at..).is_some_and(is_boundary))
    }
}

/// What a body is; none when it is empty. A record without a boundary has its own limit.
fn classify(body: &[u8], picture: bool, is_part: bool) -> Option<Part<'_>> {
    let first = text::first_byte(body)?;
    if picture || matches!(first, 0xff | 0x89) {
        return Some(Part::Binary);
    }
    let is_text = matches!(first, b'<' | b'{' | b'[');
    Some(match (is_text, is_part && body.len() > MAX_TEXT_PART) {
        (true, false) => Part::Text(body),
        (true, true) => Part::TooLarge,
        (false, _) if std::str::from_utf8(body).is_ok() => Part::Other,
        (false, _) => Part::Binary,
    })
}

/// A line `--something`, but not the end of an XML comment.
fn is_boundary(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"--") else { return false };
    rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'\''))
}

/// A line with its end, and what is behind it.
pub(super) fn cut_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(at) => bytes.split_at_checked(at + 1).unwrap_or((bytes, b"")),
        None => (bytes, b""),
    }
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

/// Cuts the first XML document off: what belongs to it, and what follows. A document that is cut short ends where the next
/// one begins, so that one truncated message does not cost its neighbour.
pub(crate) fn first_xml(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((name, start)) = root(bytes) else { return (bytes, b"") };
    let Some(behind) = bytes.get(start..) else { return (bytes, b"") };
    let Some(tag_end) = memchr::memchr(b'>', behind) else { return (bytes, b"") };
    let after_tag = start + tag_end + 1;
    if bytes.get(after_tag.saturating_sub(2)) == Some(&b'/') {
        return bytes.split_at_checked(after_tag).unwrap_or((bytes, b""));
    }
    let Some(inner) = bytes.get(after_tag..) else { return (bytes, b"") };
    // One pass over the tags: the closing one of the root, or the beginning of the next document.
    let mut end = inner.len();
    for at in memchr::memchr_iter(b'<', inner) {
        let tag = inner.get(at + 1..).unwrap_or_default();
        if tag.starts_with(b"?xml") || is_tag(tag, name) {
            end = at;
            break;
        }
        if tag.strip_prefix(b"/").is_some_and(|tag| is_tag(tag, name)) {
            end = memchr::memchr(b'>', tag).map_or(inner.len(), |close| at + 1 + close + 1);
            break;
        }
    }
    bytes.split_at_checked(after_tag + end).unwrap_or((bytes, b""))
}

/// True when a tag's name is the whole of this: `A>`, but not `AB>`.
fn is_tag(tag: &[u8], name: &[u8]) -> bool {
    let Some(behind) = tag.strip_prefix(name) else { return false };
    behind.first().is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
}

/// The qualified name of the root element and where its start tag begins.
fn root(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'<', bytes.get(at..)?)?;
        let rest = bytes.get(at + 1..)?;
        let close: &[u8] = match rest.first()? {
            b'?' => b"?>",
            b'!' if rest.starts_with(b"!--") => b"-->",
            b'!' => b">",
            _ => {
                // Each `<` behind is compared with the name, so it must be short.
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'<');
                let length = rest.iter().take(MAX_NAME + 1).position(is_end)?;
                return Some((rest.get(..length)?, at)).filter(|_| length > 0);
            }
        };
        at += 1 + memmem::find(rest, close)? + close.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_16_the_boundary_is_believed_and_the_length_is_not() {
        let body = b"--MIME_boundary\r\nContent-Type: application/xml\r\nContent-Length: 999999\r\n\r\n<a/>\r\n\
            --MIME_boundary\r\nContent-Type: image/jpeg\r\nContent-Length: 2\r\n\r\n\xff\xd8\xff--\n--no\xff\xd9\r\n\
            --MIME_boundary\n{\"b\":1}\n--MIME_boundary--\r\n";
        let seen: Vec<Part<'_>> = parts(body).collect();
        assert_eq!(seen, [Part::Text(b"<a/>\r\n"), Part::Binary, Part::Text(b"{\"b\":1}\n")]);
    }

    #[test]
    fn a_body_without_a_boundary_is_one_part() {
        let xml = b"<!-- note\n--><a>1</a>\n<a>2</a>";
        assert_eq!(parts(xml).collect::<Vec<_>>(), [Part::Text(xml)]);
        assert_eq!(parts(b"  \r\n").count(), 0);
        assert_eq!(parts(b"Heartbeat").collect::<Vec<_>>(), [Part::Other]);
        let long = [b'<'; MAX_TEXT_PART + 1];
        assert_eq!(parts(&long).collect::<Vec<_>>(), [Part::Text(&long)]);
        assert_eq!(parts(&[&b"--b\n\n"[..], &long].concat()).collect::<Vec<_>>(), [Part::TooLarge]);
    }

    #[test]
    fn what_stands_before_the_first_boundary_counts_only_when_it_is_a_document() {
        let seen: Vec<Part<'_>> = parts(b"<a/>\r\n--b\r\n\r\n<c/>").collect();
        assert_eq!(seen, [Part::Text(b"<a/>\r\n"), Part::Text(b"<c/>")]);
        assert_eq!(parts(b"HTTP/1.1 200 OK\r\n\r\n--b\r\n\r\n<c/>").collect::<Vec<_>>(), [Part::Text(b"<c/>")]);
    }

    #[test]
    fn documents_are_cut_apart_even_when_one_is_cut_short() {
        let two = b"<?xml version='1.0'?><n:A x='1'><b/></n:A ><n:A/>";
        assert_eq!(first_xml(two), (&b"<?xml version='1.0'?><n:A x='1'><b/></n:A >"[..], &b"<n:A/>"[..]));
        assert_eq!(first_xml(b"<A><b>1<A><b>2</b></A>"), (&b"<A><b>1"[..], &b"<A><b>2</b></A>"[..]));
        assert_eq!(first_xml(b"<A><AB>1</AB></A><A/>"), (&b"<A><AB>1</AB></A>"[..], &b"<A/>"[..]));
        assert_eq!(first_xml(b"<A"), (&b"<A"[..], &b""[..]));
        assert_eq!(first_xml(b"<!--"), (&b"<!--"[..], &b""[..]));
    }

    #[test]
    fn a_root_has_a_short_name() {
        let longest = "n".repeat(MAX_NAME);
        assert_eq!(root(format!("<{longest}>").as_bytes()), Some((longest.as_bytes(), 0)));
        for name in ["n".repeat(MAX_NAME + 1), "<".repeat(300_000), "a<b".repeat(100_000)] {
            let bytes = format!("<{name}>{}", "<".repeat(700_000));
            let found = root(bytes.as_bytes());
            assert!(found.is_none_or(|(name, _)| name.len() <= MAX_NAME), "{found:?}");
            // Compared as a whole at each of so many, a long name would take minutes.
            first_xml(bytes.as_bytes());
        }
    }
}
