//! Poisons: records that are broken, hostile or mean, curated by hand, each with what it must become. A poison costs itself
//! and nothing else: no panic, no guess, no event that was not there.
//!
//! A row is a name, the bytes, and the pieces in a word each: the reason of a reject, `filtered` and its word, or the kind of
//! an event that is right in spite of it.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

#[path = "poison/cap.rs"]
mod cap;
#[path = "poison/chorus.rs"]
mod chorus;
#[path = "poison/cn_warning.rs"]
mod cn_warning;
#[path = "poison/dahua.rs"]
mod dahua;
#[path = "poison/fhir_r4.rs"]
mod fhir_r4;
#[path = "poison/frigate.rs"]
mod frigate;
#[path = "poison/ga1400.rs"]
mod ga1400;
#[path = "poison/gb26875.rs"]
mod gb26875;
#[path = "poison/gb28181.rs"]
mod gb28181;
#[path = "poison/grid_case.rs"]
mod grid_case;
#[path = "poison/hikvision_isapi.rs"]
mod hikvision_isapi;
#[path = "poison/hikvision_isecure.rs"]
mod hikvision_isecure;
#[path = "poison/hl7v2.rs"]
mod hl7v2;
#[path = "poison/onvif.rs"]
mod onvif;
#[path = "poison/rtls_uwb.rs"]
mod rtls_uwb;
#[path = "poison/sia_dc09.rs"]
mod sia_dc09;
#[path = "poison/unifi_protect.rs"]
mod unifi_protect;
#[path = "poison/vzenith_lpr.rs"]
mod vzenith_lpr;
#[path = "poison/zkteco_push.rs"]
mod zkteco_push;

use chorus_ingest::formats::FORMATS;
use chorus_ingest::observation::{Observation, Piece, Reason};
use chorus_model::{Kind, Outcome, Severity};

/// A name, the bytes, what they become.
pub(crate) type Poison = (&'static str, Vec<u8>, &'static str);

/// What lists the poisons of a format.
type Poisons = fn() -> Vec<Poison>;

/// The poisons of each format: every format has some.
const TABLES: &[(&str, Poisons)] = &[
    ("chorus", chorus::poisons),
    ("hikvision-isapi", hikvision_isapi::poisons),
    ("gb-t-28181", gb28181::poisons),
    ("onvif", onvif::poisons),
    ("sia-dc09", sia_dc09::poisons),
    ("ga-t-1400", ga1400::poisons),
    ("hikvision-isecure", hikvision_isecure::poisons),
    ("dahua", dahua::poisons),
    ("vzenith-lpr", vzenith_lpr::poisons),
    ("zkteco-push", zkteco_push::poisons),
    ("frigate", frigate::poisons),
    ("unifi-protect", unifi_protect::poisons),
    ("rtls-uwb", rtls_uwb::poisons),
    ("gb-t-26875", gb26875::poisons),
    ("hl7v2", hl7v2::poisons),
    ("grid-case", grid_case::poisons),
    ("cap", cap::poisons),
    ("cn-warning", cn_warning::poisons),
    ("fhir-r4", fhir_r4::poisons),
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
fn every_format_has_poisons_of_its_own() {
    for format in FORMATS {
        let table = TABLES.iter().find(|(name, _)| *name == format.name);
        let count = table.map_or(0, |(_, poisons)| poisons().len());
        assert!(count >= 10, "{}: {count}", format.name);
    }
}

/// What an event holds that is no value: an id that cannot be shown, a place that is no number, a remark that is made twice.
fn nonsense(event: &Observation) -> Option<&'static str> {
    let ids = [Some(&event.device_id), event.channel.as_ref(), event.zone.as_ref(), event.native_id.as_ref()];
    let mut flags = event.flags.clone();
    flags.sort_unstable();
    flags.dedup();
    match event {
        _ if ids.iter().flatten().any(|id| id.chars().any(char::is_control)) => Some("a control character in an id"),
        _ if ids.iter().flatten().any(|id| id.trim().len() != id.len()) => Some("a blank around an id"),
        _ if ids.iter().flatten().any(|id| id.len() > 512) => Some("an id without end"),
        _ if event.geo.as_ref().is_some_and(|geo| !geo.lat.is_finite() || !geo.lon.is_finite()) => Some("no position"),
        _ if event.count.is_some_and(|count| count < 0) => Some("less than nobody"),
        _ if flags.len() != event.flags.len() => Some("a flag twice"),
        _ if event.kind == Kind::AccessGranted && event.outcome == Some(Outcome::Unknown) => Some("granted by nobody"),
        _ => None,
    }
}

#[test]
fn no_poison_leaves_nonsense_or_a_marker_in_an_event() {
    let mut wrong = Vec::new();
    for (format, poisons) in TABLES {
        for (name, bytes, _) in poisons() {
            let read = wire::read(format, &bytes);
            let pieces = read.as_deref().unwrap_or_default();
            let found = wire::events(pieces).into_iter().find_map(nonsense);
            wrong.extend(found.map(|what| format!("{format}, {name}: {what}")));
            if format!("{read:?}").contains("MARKER") {
                wrong.push(format!("{format}, {name}: a marker"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_clock_that_is_nonsense_makes_no_replays_of_its_neighbours() {
    let lines = "POST /iclock/cdata?SN=T1&table=rtlog HTTP/1.1\r\n\r\ntime=2026-11-24 08:00:00\tpin=1\tevent=0\n\
        time=9999-12-31 23:59:59\tpin=2\tevent=0\n";
    let pieces = wire::read("zkteco-push", lines.as_bytes()).unwrap();
    assert!(wire::events(&pieces).iter().all(|event| !event.is_replay));
}

#[test]
fn a_severity_that_is_told_twice_is_the_worse_one() {
    let alert = "<alert><status>Actual</status><msgType>Alert</msgType>\
        <info><severity>Extreme</severity><severity>x</severity></info></alert>";
    let alert = wire::one(wire::read("cap", alert.as_bytes()));
    assert_eq!(alert.severity.map(|(severity, _)| severity), Some(Severity::Critical));
}

#[test]
fn the_ward_of_a_block_without_a_header_is_not_that_of_its_neighbour() {
    let blocks = "\u{b}MSH|^~\\&|A|F|||20261124||ADT^A01|1|P\r\u{1c}\r\u{b}PID|1\rPV1|1|I|W2\r\u{1c}\r";
    let pieces = wire::read("hl7v2", blocks.as_bytes()).unwrap();
    assert_eq!(wire::events(&pieces)[0].device_id, "");
}

#[test]
fn there_are_four_hundred_of_them_and_no_two_alike() {
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
    assert!(count >= 400, "{count}");
}
