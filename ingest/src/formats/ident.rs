//! Identifiers as devices write them: only what looks like one passes, so free text cannot travel as a name.

/// A MAC address in any of its spellings, lower case with colons; none when it is no MAC or says nothing.
pub(crate) fn mac(text: &str) -> Option<String> {
    let text = text.trim();
    let separated = text.len() == 17 && text.bytes().skip(2).step_by(3).all(|byte| byte == b':' || byte == b'-');
    if !separated && text.len() != 12 {
        return None;
    }
    let mut address = String::with_capacity(17);
    for digit in text.bytes().filter(|byte| !matches!(byte, b':' | b'-')) {
        if !digit.is_ascii_hexdigit() || address.len() == 17 {
            return None;
        }
        if address.len() % 3 == 2 {
            address.push(':');
        }
        address.push(char::from(digit.to_ascii_lowercase()));
    }
    // All zeros and all ones are what a device sends that does not know its own.
    let is_all = |digit: u8| address.bytes().all(|byte| byte == digit || byte == b':');
    (address.len() == 17 && !is_all(b'0') && !is_all(b'f')).then_some(address)
}

/// A UUID of 8-4-4-4-12 hexadecimal digits, lower case; none for the nil one.
pub(crate) fn uuid(text: &str) -> Option<String> {
    let text = text.trim();
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    let well_formed = groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(group, length)| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (well_formed && text.bytes().any(|byte| !matches!(byte, b'0' | b'-'))).then(|| text.to_ascii_lowercase())
}

/// A technical token: ASCII letters, digits and a few marks, at most 64 of them, at least one.
pub(crate) fn token(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/'));
    fits.then(|| text.to_owned())
}

/// The name of a rule or zone as an installer wrote it: one line, at most 64 characters.
pub(crate) fn label(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= 64 && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_told_from_a_banana() {
        for spelling in ["AC:B9:2F:00:00:01", "ac-b9-2f-00-00-01", "acb92f000001"] {
            assert_eq!(mac(spelling).as_deref(), Some("ac:b9:2f:00:00:01"), "{spelling}");
        }
        for nonsense in ["banana", "", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "ac:b9:2f:00:00:0g", "南昌南昌"] {
            assert_eq!(mac(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_uuid_has_its_shape_and_says_something() {
        let text = "1C8AE81B-0000-46cf-bf76-79cc3fa533dc";
        assert_eq!(uuid(text), Some(text.to_ascii_lowercase()));
        for nonsense in ["x", "", "00000000-0000-0000-0000-000000000000", "1c8ae81b-0000-46cf-bf76-79cc3fa533dg"] {
            assert_eq!(uuid(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn free_text_is_neither_a_token_nor_a_long_label() {
        assert_eq!(token(" 1 ").as_deref(), Some("1"));
        assert_eq!(token("Zhang San"), None);
        assert_eq!(token("张三"), None);
        assert_eq!(label("MyRule 2").as_deref(), Some("MyRule 2"));
        assert_eq!(label(&"a".repeat(65)), None);
        assert_eq!(label("a\nb"), None);
    }
}
