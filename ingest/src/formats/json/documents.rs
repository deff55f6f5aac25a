//! The documents of a record, one after another, and the wrappers in them.

use serde_json::value::RawValue;

use super::super::chorus::syntax;
use super::super::text;
use super::{Object, elements};
use crate::observation::{Piece, Reason};

/// The most broken documents of one record that are stepped over.
const MAX_BROKEN: usize = 8;
/// The deepest nesting of wrappers.
const MAX_DEPTH: usize = 6;

/// Calls `visit` with every document of a text, in their order. What is broken costs itself: reading goes on at the next line
/// that begins one.
fn documents<'a>(text: &'a str, mut visit: impl FnMut(Result<&'a RawValue, Reason>)) {
    let mut rest = text;
    for broken in 0..=MAX_BROKEN {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let failed = loop {
            match stream.next() {
                None => return,
                Some(Ok(value)) => visit(Ok(value)),
                Some(Err(error)) => break syntax(&error),
            }
        };
        visit(Err(if broken == MAX_BROKEN { Reason::TooLarge } else { failed }));
        let behind = rest.get(stream.byte_offset()..).unwrap_or_default();
        let Some(next) = next_document(behind) else { return };
        rest = next;
    }
}

/// The next line that begins a document, behind the one that `text` begins with. A mark of byte order may stand before it: of
/// files that were put together each has its own.
fn next_document(text: &str) -> Option<&str> {
    memchr::memchr_iter(b'\n', text.as_bytes())
        .filter_map(|at| text.get(at + 1..))
        .map(|line| line.strip_prefix('\u{feff}').unwrap_or(line))
        .find(|line| line.starts_with('{') || line.starts_with('['))
}

/// Reads every object of a text, in their order; the elements of a list at the top count like documents. What is broken or
/// refused is a piece, and beyond `most` pieces reading ends with one.
pub(crate) fn each<'a>(
    text: &'a str,
    most: usize,
    pieces: &mut Vec<Piece>,
    mut read: impl FnMut(&Object<'a>, &mut Vec<Piece>) -> Result<(), Reason>,
) {
    let mut is_full = false;
    let mut one = |document: Result<&'a RawValue, Reason>| {
        if is_full {
            return;
        }
        is_full = pieces.len() >= most;
        let done = if is_full {
            Err(Reason::TooLarge)
        } else {
            document.and_then(|document| Object::read(document.get())).and_then(|object| read(&object, pieces))
        };
        pieces.extend(done.err().map(Piece::Rejected));
    };
    documents(text, |document| match document {
        Ok(list) if list.get().starts_with('[') => elements(list).into_iter().for_each(|element| one(Ok(element))),
        document => one(document),
    });
}

/// As [`noted_each`], where an object is one piece.
pub(crate) fn one_each<'a>(
    payload: &'a text::Text<'_>,
    most: usize,
    personal: &'static [&'static str],
    pieces: &mut Vec<Piece>,
    mut read: impl FnMut(&Object<'a>) -> Result<Piece, Reason>,
) {
    noted_each(payload, most, personal, pieces, |object, pieces| {
        pieces.push(read(object)?);
        Ok(())
    });
}

/// As [`each`]: in every event that is read from an object what of the object is personal is noted by its name (the list is sorted),
/// and how the text was decoded is flagged.
pub(crate) fn noted_each<'a>(
    payload: &'a text::Text<'_>,
    most: usize,
    personal: &'static [&'static str],
    pieces: &mut Vec<Piece>,
    mut read: impl FnMut(&Object<'a>, &mut Vec<Piece>) -> Result<(), Reason>,
) {
    each(&payload.text, most, pieces, |object, pieces| {
        let first = pieces.len();
        read(object, pieces)?;
        for piece in pieces.iter_mut().skip(first) {
            if let Piece::Event(observation) = piece {
                object.note_personal(personal, observation);
                observation.flags.extend(payload.flag);
            }
        }
        Ok(())
    });
}

/// As [`each`], where an object may stand in lists and wrappers, whose names are given. `read` leaves the pieces alone when an
/// object is none of its own; then what is wrapped in it is opened.
pub(crate) fn unwrap_each<'a>(
    text: &'a str,
    most: usize,
    wrappers: &[&str],
    pieces: &mut Vec<Piece>,
    read: impl FnMut(&Object<'a>, &mut Vec<Piece>),
) {
    let mut opener = Opener { most, is_full: false, wrappers, read };
    documents(text, |document| {
        if !opener.is_full {
            let opened = document.and_then(|document| opener.open(document, 0, pieces));
            pieces.extend(opened.err().map(Piece::Rejected));
        }
    });
}

struct Opener<'w, R> {
    most: usize,
    is_full: bool,
    wrappers: &'w [&'w str],
    read: R,
}

impl<'a, R: FnMut(&Object<'a>, &mut Vec<Piece>)> Opener<'_, R> {
    fn open(&mut self, value: &'a RawValue, depth: usize, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        self.is_full = pieces.len() >= self.most;
        if self.is_full || depth > MAX_DEPTH {
            return Err(Reason::TooLarge);
        }
        let before = pieces.len();
        if value.get().starts_with('[') {
            self.open_all(elements(value).into_iter(), depth, pieces);
            pieces.extend((pieces.len() == before).then_some(Piece::Filtered("empty_list")));
            return Ok(());
        }
        let object = Object::read(value.get())?;
        (self.read)(&object, pieces);
        if pieces.len() == before {
            let wrapped = self.wrappers.iter().filter_map(|name| object.get(name));
            self.open_all(wrapped.filter(|inner| inner.get().starts_with(['{', '['])), depth, pieces);
        }
        match pieces.len() > before {
            true => Ok(()),
            // Within a wrapper it came where such objects come, and is none that is known.
            false if depth > 0 => Err(Reason::MissingField),
            false => Err(Reason::NotThisFormat),
        }
    }

    fn open_all(&mut self, values: impl Iterator<Item = &'a RawValue>, depth: usize, pieces: &mut Vec<Piece>) {
        for value in values {
            if self.is_full {
                return;
            }
            let opened = self.open(value, depth + 1, pieces);
            pieces.extend(opened.err().map(Piece::Rejected));
        }
    }
}

#[cfg(test)]
mod tests {
    use chorus_model::{DeviceScheme, Kind};

    use super::*;
    use crate::observation::Observation;

    /// The kind of each piece in a word: an event's device, or its fate.
    fn fates(pieces: &[Piece]) -> Vec<String> {
        let fate = |piece: &Piece| match piece {
            Piece::Event(observation) => observation.device_id.clone(),
            Piece::Filtered(word) => (*word).to_owned(),
            Piece::Rejected(reason) => reason.as_str().to_owned(),
        };
        pieces.iter().map(fate).collect()
    }

    fn named(object: &Object<'_>) -> Option<Piece> {
        let id = object.text("id")?;
        Some(Piece::Event(Box::new(Observation::new(id, DeviceScheme::Own, Kind::DeviceHeartbeat))))
    }

    fn each_named(text: &str, most: usize) -> Vec<String> {
        let payload = text::decode(text.as_bytes());
        let mut pieces = Vec::new();
        one_each(&payload, most, &[], &mut pieces, |object| named(object).ok_or(Reason::MissingField));
        fates(&pieces)
    }

    fn unwrapped(text: &str, most: usize) -> Vec<String> {
        let mut pieces = Vec::new();
        unwrap_each(text, most, &["data", "list"], &mut pieces, |object, pieces| pieces.extend(named(object)));
        fates(&pieces)
    }

    #[test]
    fn trap_16_a_broken_document_costs_itself() {
        let text = "{\"id\":1}{\"b\":\n{\"id\":3}\n[{\"id\":4},5]";
        assert_eq!(each_named(text, 9), ["1", "bad_syntax", "3", "4", "bad_value"], "it swallowed its neighbour");
        assert_eq!(unwrapped(text, 9), ["1", "bad_syntax", "3", "4", "bad_value"]);
    }

    #[test]
    fn trap_16_what_begins_with_no_ascii_letter_costs_no_neighbour() {
        assert_eq!(each_named("{\"id\":1}南昌\n{\"id\":2}", 9), ["1", "bad_syntax", "2"]);
        assert_eq!(each_named("{\"id\":1}\u{feff}\n\u{feff}{\"id\":2}", 9), ["1", "bad_syntax", "2"]);
    }

    #[test]
    fn what_is_beyond_the_limit_is_told_once() {
        assert_eq!(each_named("{\"id\":1}{\"id\":2}[{\"id\":3},{\"id\":4}]", 2), ["1", "2", "too_large"]);
        assert_eq!(unwrapped("{\"list\":[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]}", 2), ["1", "2", "too_large"]);
    }

    #[test]
    fn wrappers_and_lists_are_opened_and_what_is_unknown_in_them_is_told() {
        assert_eq!(unwrapped(r#"{"data":{"list":[{"id":"a"},{"x":1},{"id":"b"}]}}"#, 9), ["a", "missing_field", "b"]);
        assert_eq!(unwrapped(r#"{"data":[]}"#, 9), ["empty_list"]);
        assert_eq!(unwrapped(r#"{"x":{"id":"a"}}"#, 9), ["not_this_format"]);
        let deep = [r#"{"data":"#.repeat(50), "1".to_owned(), "}".repeat(50)].concat();
        assert_eq!(unwrapped(&deep, 9), ["too_large"]);
    }
}
