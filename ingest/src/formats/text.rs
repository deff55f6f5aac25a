//! Bytes to text: strict UTF-8, else GB18030; a declared charset is doubted, and nothing is replaced without a flag.

use std::borrow::Cow;

/// Text with what had to be done to get it.
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    /// `lossy_text` when bytes had to be replaced.
    pub(crate) flag: Option<&'static str>,
}

/// Decodes a payload. UTF-8 wins when it is valid, whatever the declaration says: GB2312 declarations over UTF-8 bytes are
/// common, and Chinese text in GB18030 is almost never valid UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Text<'_> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Text { text: Cow::Borrowed(text), flag: None };
    }
    let (text, _, replaced) = encoding_rs::GB18030.decode(bytes);
    Text { text, flag: replaced.then_some("lossy_text") }
}

/// The first byte that is no white space, for sniffing.
pub(crate) fn first_byte(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// True when `needle` stands within the first `within` bytes.
pub(crate) fn contains(bytes: &[u8], needle: &[u8], within: usize) -> bool {
    let head = bytes.get(..within.min(bytes.len())).unwrap_or(bytes);
    memchr::memmem::find(head, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_04_utf8_first_then_gb18030_and_never_lossy_without_a_flag() {
        let utf8 = decode("南昌".as_bytes());
        assert_eq!((&*utf8.text, utf8.flag), ("南昌", None));
        let (gbk, _, _) = encoding_rs::GB18030.encode("南昌");
        let read = decode(&gbk);
        assert_eq!((&*read.text, read.flag), ("南昌", None));
        assert_eq!(decode(b"\xc4\xcf\xff\xff").flag, Some("lossy_text"));
    }
}
