//! One target for every format: the environment variable `CHORUS_FORMAT` names which. A format joins by its row in `FORMATS`
//! and by its fixtures, of which the corpus is made.
//!
//! What must hold for any bytes: no panic, a fate, an event that goes through JSON and comes back, and identifiers within their
//! limits. The frames of SIA DC-09 get a right length and CRC after every mutation, or the strict reading would see none of
//! them.
#![no_main]

use std::sync::LazyLock;

use chorus_ingest::border::Border;
use chorus_ingest::feeds::Settings;
use chorus_ingest::formats::{self, Format};
use chorus_ingest::normalize::{Outcome, normalize};
use chorus_ingest::observation::{Piece, Raw};
use chorus_model::{Event, Timestamp};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static FORMAT: LazyLock<&'static Format> = LazyLock::new(|| {
    let name = std::env::var("CHORUS_FORMAT").expect("CHORUS_FORMAT names a format");
    formats::by_name(&name).expect("CHORUS_FORMAT is a format")
});

static BORDERS: LazyLock<[Border; 2]> = LazyLock::new(|| {
    [false, true].map(|strict| {
        let policy = Settings { strict, ..Settings::default() }.policy().expect("the default settings hold");
        Border::new(policy, Some(b"a key of the fuzzer".as_slice().into()))
    })
});

static RECEIVED_AT: LazyLock<Timestamp> =
    LazyLock::new(|| "2026-11-24T00:00:00Z".parse().expect("a time as it is written"));

fuzz_target!(|bytes: &[u8]| {
    let _: bool = (FORMAT.sniff)(bytes);
    for border in &*BORDERS {
        let outcomes = normalize(bytes, Some(*FORMAT), "fuzz", Some("connector-1"), *RECEIVED_AT, border);
        assert!(!outcomes.is_empty(), "a record without a fate");
        for outcome in outcomes {
            if let Outcome::Event(event) = outcome {
                check(&event);
            }
        }
    }
    // The connector does not always have a name.
    let mut pieces: Vec<Piece> = Vec::new();
    let read = FORMAT.read(&Raw { bytes, source: None, strict: false }, &mut pieces);
    assert!(read.is_err() || !pieces.is_empty(), "a record without a fate");
});

fn check(event: &Event) {
    let json = serde_json::to_vec(event).expect("an event is JSON");
    let back: Event = serde_json::from_slice(&json).expect("an event's JSON is an event");
    assert_eq!(&back, event);
    let ids = [Some(&*event.device.id), event.device.channel.as_deref(), event.zone.as_deref(), event.native_id.as_deref()];
    for id in ids.into_iter().flatten() {
        assert!(!id.is_empty() && id.len() <= 128 && !id.chars().any(char::is_control), "an identifier beyond its limits");
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    if FORMAT.name == "sia-dc09" {
        sign(&mut data[..size]);
    }
    size
});

/// Writes CRC and length of the first frame, where there is one.
fn sign(bytes: &mut [u8]) {
    let Some(quote) = bytes.iter().position(|byte| *byte == b'"').filter(|quote| (8..=16).contains(quote)) else { return };
    let end = bytes[quote..].iter().position(|byte| matches!(byte, b'\r' | b'\n')).map_or(bytes.len(), |end| quote + end);
    let step = |crc: u16, _: u8| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 };
    let crc = bytes[quote..end].iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), step));
    let head = format!("{crc:04X}{:04X}", (end - quote) & 0xffff);
    bytes[quote - 8..quote].copy_from_slice(head.as_bytes());
}
