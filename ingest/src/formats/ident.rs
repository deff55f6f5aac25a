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

/// True when a part of it is a mobile telephone's number (11 digits) or an identity card's (GB 11643: 18 characters with the
/// year of birth from the seventh on). Longer rows of digits, as a GB/T 28181 id is one, are neither.
pub(crate) fn is_of_a_person(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric()).any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let is_card =
            part.len() == 18 && digits >= 17 && part.get(6..8).is_some_and(|century| matches!(century, "19" | "20"));
        let is_telephone = part.len() == 11
            && digits == 11
            && part.starts_with('1')
            && matches!(part.as_bytes().get(1), Some(b'3'..=b'9'));
        is_card || is_telephone
    })
}

/// Where in a place: a token, or a few words that end in what a place has (`gate 2`, `东门`, `3号楼`). A name of a person, a
/// number plate or a sentence does not.
pub(crate) fn spot(text: &str) -> Option<String> {
    const LONGEST: usize = 24;
    const WORDS: [&str; 16] = [
        "area", "corridor", "door", "entrance", "exit", "floor", "gate", "hall", "lane", "lobby", "office", "room",
        "stairs", "ward", "yard", "zone",
    ];
    const CHARACTERS: &str = "门口区楼层室厅道栋院场路岗亭库房梯廊台站点馆园部处科线床井桥墙栏";
    if is_of_a_person(text) {
        return None;
    }
    token(text).or_else(|| {
        let label = label(text).filter(|label| label.chars().count() <= LONGEST)?;
        let is_number = |character: char| character.is_ascii_digit() || matches!(character, '号' | '#' | '-' | ' ');
        let words = label.trim_end_matches(is_number);
        let fits = match words.chars().next_back() {
            None => true,
            Some(last) if last.is_ascii() => {
                let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_.:/#".contains(&byte));
                let word = words.rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
                is_plain && WORDS.contains(&word.as_str())
            }
            Some(last) => CHARACTERS.contains(last),
        };
        fits.then_some(label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_number_is_told_from_a_devices() {
        for number in
            ["13812345678", "+86-13812345678", "app/13812345678-17", "36010219900101123X", "360102199001011234"]
        {
            assert!(is_of_a_person(number), "{number}");
        }
        for id in
            ["34020000001320000001", "ac:b9:2f:00:00:01", "DS-2CD1234567890123", "1795478402000", "12345678901", "7"]
        {
            assert!(!is_of_a_person(id), "{id}");
        }
    }

    #[test]
    fn a_spot_is_no_person_no_plate_and_no_sentence() {
        for spot_of in ["gate 2", "hall", "1.3", "东门", "3号楼", "2号门", "1号", "北门 2", "急诊大厅", "north gate"]
        {
            assert_eq!(spot(spot_of).as_deref(), Some(spot_of));
        }
        let sentence = "王五在东门被打了请马上派人来看看现在还在打快来东门";
        for other in
            ["张三", "Zhang San", "赣A12345", "赣A12345号", "13812345678", "360102199001011234", sentence, "", "a\nb"]
        {
            assert_eq!(spot(other), None, "{other}");
        }
    }

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
