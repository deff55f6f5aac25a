//! Nothing that a sender wrote passes the border but what is named here: a string is planted in the place of every word of
//! every fixture, one at a time, and must not come out again. A format joins by its row in `FORMATS` and its fixtures.
//!
//! A word is whatever stands between two delimiters, so that values, attributes, fields, keys and element names of JSON, XML,
//! HL7, DC-09 and `key=value` lines are all tried without a parser; in a binary format, runs of printable bytes.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::border::Border;
use chorus_ingest::feeds::Settings;
use chorus_ingest::formats::FORMATS;
use chorus_ingest::normalize::{Outcome, normalize};
use chorus_ingest::observation::{Piece, Raw};
use chorus_model::Event;

/// What could be an identifier: it may pass as one.
const TOKEN: &str = "Planted4711Q";
/// What could be none: free text, as a name or an address is. Only labels of installers (channel, zone) and, in formats whose
/// senders make up device ids, the device may hold it.
const TEXT: &str = "植入 Planted 4711号";
/// What identifies a person in a number's place.
const NUMBER: &str = "360102199003074711";

/// The most places that are tried in one fixture; of a larger one every n-th.
const MAX_PLACES: usize = 400;

#[test]
fn trap_13_nothing_planted_anywhere_in_any_fixture_passes_but_as_an_identifier() {
    let policy = Settings::default().policy().unwrap();
    let border = Border::new(policy, Some(b"a key of the tests".as_slice().into()));
    let mut leaks = Vec::new();
    for format in FORMATS {
        let mut tried = 0;
        for (file, bytes) in wire::fixtures(format.name) {
            let places = places(&bytes);
            let step = places.len().div_ceil(MAX_PLACES).max(1);
            for (from, to) in places.into_iter().step_by(step) {
                for planted in [TOKEN, TEXT, NUMBER] {
                    let record = [&bytes[..from], planted.as_bytes(), &bytes[to..]].concat();
                    tried += 1;
                    let received_at = "2026-11-24T15:00:00Z".parse().unwrap();
                    let read = normalize(&record, Some(format), "file", Some("connector-1"), received_at, &border);
                    let mut said: Vec<String> =
                        read.into_iter().map(|outcome| without_identifiers(outcome, planted)).collect();
                    said.extend(printed(format, &record));
                    if let Some(leak) = said.iter().find(|said| leaks_in(said, planted)) {
                        let place = String::from_utf8_lossy(&bytes[from.saturating_sub(40)..to]).into_owned();
                        leaks.push(format!("{}/{file} at {from}, {place:?}: {leak}", format.name));
                    }
                }
            }
        }
        assert!(tried > 0, "{}: nothing was planted", format.name);
    }
    assert!(leaks.is_empty(), "{} leaks, the first:\n{}", leaks.len(), leaks[..leaks.len().min(5)].join("\n"));
}

/// The words of a record, as ranges.
fn places(bytes: &[u8]) -> Vec<(usize, usize)> {
    let binary =
        bytes.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count() * 20 > bytes.len();
    let parts = |byte: &u8| {
        let delimiter = b"\"'<>=&|^~[]{}(),;:# \t\r\n\x0b\x1c".contains(byte);
        if binary { delimiter || byte.is_ascii_control() } else { delimiter }
    };
    let mut places = Vec::new();
    let mut from = 0;
    for word in bytes.split(parts) {
        if !word.is_empty() {
            places.push((from, from + word.len()));
        }
        from += word.len() + 1;
    }
    places
}

/// An outcome as it would leave, without the fields that may hold what a sender wrote.
fn without_identifiers(outcome: Outcome, planted: &str) -> String {
    match outcome {
        Outcome::Event(event) => without(*event, planted),
        other => format!("{other:?}"),
    }
}

fn without(mut event: Event, planted: &str) -> String {
    event.device.id = "device".into();
    event.device.channel = None;
    event.zone = None;
    // Numbers by their type; whatever stands in their place passes only if it is one.
    (event.native_seq, event.count) = (None, None);
    // An identity is made of technical words, never of free text.
    if planted == TOKEN {
        event.native_id = None;
    }
    if event.native_id.as_deref().is_some_and(|id| id.contains(NUMBER)) {
        event.native_id = None;
    }
    serde_json::to_string(&event).unwrap()
}

/// What a program would print of the pieces, in a log or a panic.
fn printed(format: &chorus_ingest::formats::Format, record: &[u8]) -> Vec<String> {
    let mut pieces = Vec::new();
    let read = format.read(&Raw { bytes: record, source: None, strict: true }, &mut pieces);
    let mut said = vec![format!("{read:?}")];
    for piece in pieces {
        if let Piece::Event(mut observation) = piece {
            observation.device_id.clear();
            (observation.channel, observation.zone, observation.native_id) = (None, None, None);
            (observation.native_seq, observation.count) = (None, None);
            said.push(format!("{observation:?}"));
        }
    }
    said
}

/// True when what was planted is in it, or a part that would still tell.
fn leaks_in(said: &str, planted: &str) -> bool {
    match planted {
        TEXT => said.contains("Planted") || said.contains("植入"),
        other => said.to_ascii_lowercase().contains(&other.to_ascii_lowercase()),
    }
}
