//! Messages of HTTP that a connector passed on whole.

/// The longest head that is looked through.
const LONGEST_HEAD: usize = 8_192;

/// The body of a request or an answer; other bytes as they are. Some connectors leave the version out of the first line.
pub(crate) fn body(bytes: &[u8]) -> &[u8] {
    let trimmed = bytes.trim_ascii_start();
    if !trimmed.first().is_some_and(u8::is_ascii_uppercase) {
        return bytes;
    }
    let head = trimmed.get(..LONGEST_HEAD.min(trimmed.len())).unwrap_or(trimmed);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let begins = [&b"POST "[..], b"PUT ", b"HTTP/1."].iter().any(|start| line.starts_with(start));
    let is_http = begins || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0");
    if !is_http {
        return bytes;
    }
    body_start(head).and_then(|start| trimmed.get(start..)).unwrap_or(bytes)
}

/// Where the body begins: behind the first blank line.
pub(crate) fn body_start(bytes: &[u8]) -> Option<usize> {
    let ends = [(&b"\r\n\r\n"[..], 4), (b"\n\n", 2)];
    ends.iter().filter_map(|(end, length)| Some(memchr::memmem::find(bytes, end)? + length)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_cut_off_and_nothing_else_is() {
        assert_eq!(body(b"POST /VIID/Faces HTTP/1.1\r\nHost: a\r\n\r\n{}"), b"{}");
        assert_eq!(body(b"\r\nPOST /x\r\nA: b\r\n\r\n{}"), b"{}");
        assert_eq!(body(b"HTTP/1.1 200 OK\n\n<a/>"), b"<a/>");
        for whole in [&b"{}"[..], b"MESSAGE sip:a SIP/2.0\r\n\r\n<a/>", b"POST / HTTP/1.1\r\nHost: a", b""] {
            assert_eq!(body(whole), whole);
        }
    }
}
