//! Requests and answers of HTTP that were recorded whole.

/// The body of a recorded request or answer; other bytes as they are.
pub(crate) fn body(bytes: &[u8]) -> &[u8] {
    let trimmed = bytes.trim_ascii_start();
    let is_http = [&b"POST "[..], b"PUT ", b"HTTP/1."].iter().any(|start| trimmed.starts_with(start));
    if !is_http {
        return bytes;
    }
    body_start(trimmed).and_then(|start| trimmed.get(start..)).unwrap_or(bytes)
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
    fn a_recorded_request_is_its_body() {
        assert_eq!(body(b"POST /x HTTP/1.1\r\nA: b\r\n\r\n{}"), b"{}");
        assert_eq!(body(b"HTTP/1.1 200 OK\n\n{}"), b"{}");
        assert_eq!(body(b"{}"), b"{}");
        assert_eq!(body(b"POST /x HTTP/1.1\r\nA: b\r\n"), b"POST /x HTTP/1.1\r\nA: b\r\n");
    }
}
