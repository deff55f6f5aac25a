//! Where a reader of the list stands. Opaque to clients: they hand back what `next` gave them.

use chorus_model::Timestamp;

/// The place of one alert in the list, and how far back the listing goes.
///
/// It names the place, not a number of rows, so what comes in meanwhile neither repeats nor hides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// `updated_at` of the last alert that was given.
    pub(crate) updated_at: i64,
    /// The change that brought it.
    pub(crate) position: i64,
    /// Nothing older than this is wanted; microseconds.
    pub(crate) not_before: i64,
}

/// The first letters of every cursor: a later form can be told apart.
const MARK: &str = "c1";

impl Cursor {
    /// Before the newest alert.
    pub(crate) const fn start(not_before: i64) -> Self {
        Self { updated_at: i64::MAX, position: i64::MAX, not_before }
    }

    pub(crate) fn to_text(self) -> String {
        let numbers = [self.updated_at, self.position, self.not_before];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        format!("{MARK}{}", hex::encode(bytes))
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.strip_prefix(MARK)?).ok()?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        match (numbers, rest) {
            ([updated_at, position, not_before], []) => Some(Self {
                updated_at: i64::from_be_bytes(*updated_at),
                position: i64::from_be_bytes(*position),
                not_before: i64::from_be_bytes(*not_before),
            }),
            _ => None,
        }
    }

    /// From the parameter `since`: a time, or a cursor.
    pub(crate) fn from_since(since: &str) -> Option<Self> {
        // A `+` that was not escaped arrives as a space; an offset never has one, so the meaning is clear.
        let time = || since.replace(' ', "+").parse::<Timestamp>().ok();
        Self::from_text(since).or_else(|| time().map(|instant| Self::start(instant.as_micros())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let cursor = Cursor { updated_at: 1_764_000_000_000_000, position: 7, not_before: i64::MIN };
        assert_eq!(Cursor::from_since(&cursor.to_text()), Some(cursor));
    }

    #[test]
    fn a_time_is_a_lower_bound_and_nothing_else_is_taken() {
        let noon = "2026-11-25T12:00:00Z".parse::<Timestamp>().unwrap().as_micros();
        assert_eq!(Cursor::from_since("2026-11-25T12:00:00Z"), Some(Cursor::start(noon)));
        assert_eq!(Cursor::from_since("2026-11-25T20:00:00 08:00"), Some(Cursor::start(noon)));
        for bad in ["", "yesterday", "c1", "c1ff", "2026-11-25T12:00:00", "c1\u{e9}"] {
            assert_eq!(Cursor::from_since(bad), None, "{bad}");
        }
    }
}
