//! Poisons: records that are broken, hostile or mean, curated by hand, each with what it must become. A poison costs itself
//! and nothing else: no panic, no guess, no event that was not there.
//!
//! A row is a name, the bytes, and the pieces in a word each: the reason of a reject, `filtered` and its word, or the kind of
//! an event that is right in spite of it.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

#[path = "poison/chorus.rs"]
mod chorus;
#[path = "poison/ga1400.rs"]
mod ga1400;
#[path = "poison/gb28181.rs"]
mod gb28181;
#[path = "poison/hikvision_isapi.rs"]
mod hikvision_isapi;
#[path = "poison/onvif.rs"]
mod onvif;
#[path = "poison/sia_dc09.rs"]
mod sia_dc09;

use chorus_ingest::observation::{Piece, Reason};

/// A name, the bytes, what they become.
pub(crate) type Poison = (&'static str, Vec<u8>, &'static str);

/// What lists the poisons of a format.
type Poisons = fn() -> Vec<Poison>;

/// The poisons of each format. A format joins by a row.
const TABLES: &[(&str, Poisons)] = &[
    ("chorus", chorus::poisons),
    ("hikvision-isapi", hikvision_isapi::poisons),
    ("gb-t-28181", gb28181::poisons),
    ("onvif", onvif::poisons),
    ("sia-dc09", sia_dc09::poisons),
    ("ga-t-1400", ga1400::poisons),
];

/// The pieces in a word each; of many that are alike the number.
fn said(read: &Result<Vec<Piece>, Reason>) -> String {
    let words: Vec<String> = match read {
        Err(reason) => vec![reason.to_string()],
        Ok(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Event(observation) => observation.kind.to_string(),
                Piece::Filtered(word) => format!("filtered {word}"),
                Piece::Rejected(reason) => reason.to_string(),
            })
            .collect(),
    };
    let mut runs: Vec<(String, usize)> = Vec::new();
    for word in words {
        match runs.last_mut() {
            Some((last, count)) if *last == word => *count += 1,
            _ => runs.push((word, 1)),
        }
    }
    let run = |(word, count): &(String, usize)| if *count == 1 { word.clone() } else { format!("{count} {word}") };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_poison_becomes_what_its_row_says_and_nothing_more() {
    let mut wrong = Vec::new();
    for (format, poisons) in TABLES {
        for (name, bytes, want) in poisons() {
            let got = said(&wire::read(format, &bytes));
            if got != want {
                wrong.push(format!("{format}, {name}: {got}; wanted {want}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_two_hundred_of_them_and_no_two_alike() {
    let mut all: Vec<(&str, Vec<u8>)> = Vec::new();
    for (format, poisons) in TABLES {
        let poisons = poisons();
        let mut names: Vec<&str> = poisons.iter().map(|(name, _, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), poisons.len(), "{format}: two of one name");
        all.extend(poisons.into_iter().map(|(_, bytes, _)| (*format, bytes)));
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "two poisons are the same");
    assert!(count >= 200, "{count}");
}
