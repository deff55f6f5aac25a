//! The heartbeat of a camera: a form, as multipart or url-encoded. Senders and relays lose its line breaks, so values are
//! found by the names before them and end where the next boundary or line begins.

use memchr::memmem;

/// The fields of a form that are asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form<'a> {
    pub(super) serial: Option<&'a str>,
    pub(super) address: Option<&'a str>,
    /// Names of fields that were present and stay behind.
    pub(super) personal: Vec<&'static str>,
}

/// What a camera tells of itself besides, in clear.
const PERSONAL: [&str; 3] = ["device_name", "pass_wd", "user_name"];

/// True for a form with a serial number.
pub(super) fn is_form(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| memmem::find(bytes, needle).is_some();
    (has(b"form-data") && (has(b"name=\"serialno\"") || has(b"name=\"device_name\"")))
        || (has(b"serialno=") && (has(b"device_name=") || has(b"pass_wd=")))
}

/// Reads a form.
pub(super) fn read(text: &str) -> Form<'_> {
    let value =
        |name: &str| multipart(text, name).or_else(|| url_encoded(text, name)).filter(|value| !value.is_empty());
    Form {
        serial: value("serialno"),
        address: value("ipaddr"),
        personal: PERSONAL.into_iter().filter(|name| value(name).is_some()).collect(),
    }
}

fn multipart<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let key = format!("name=\"{name}\"");
    let behind = text.get(text.find(&key)? + key.len()..)?.trim_start();
    let end = behind.find("--").into_iter().chain(behind.find(['\r', '\n'])).min().unwrap_or(behind.len());
    // A serial number has a dash of its own, a boundary many.
    behind.get(..end).map(str::trim)
}

fn url_encoded<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut members = text.trim().split('&').filter_map(|member| member.split_once('='));
    members.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_and_without_its_line_breaks() {
        let lost = "--bX-form-data; name=\"serialno\"0a0b0c0d-11223344----bX; form-data;\nname=\"pass_wd\"secret--bX--";
        let whole = "--bX\r\nContent-Disposition: form-data; name=\"serialno\"\r\n\r\n0a0b0c0d-11223344\r\n--bX\r\n\
            Content-Disposition: form-data; name=\"pass_wd\"\r\n\r\nsecret\r\n--bX--";
        let encoded = "device_name=IVS&serialno=0a0b0c0d-11223344&pass_wd=secret";
        for text in [lost, whole, encoded] {
            let form = read(text);
            assert_eq!(form.serial, Some("0a0b0c0d-11223344"), "{text}");
            assert!(form.personal.contains(&"pass_wd"), "{text}");
        }
    }
}
