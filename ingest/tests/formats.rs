//! What holds for every wire format alike, by one loop over the table of formats and our fixtures.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::feeds::{FEEDS, Settings};
use chorus_ingest::formats::{self, FORMATS, MAX_RECORD};
use chorus_ingest::observation::{Piece, Raw, Reason};
use chorus_ingest::{border::Border, normalize};

fn border() -> Border {
    Border::new(Settings::default().policy().unwrap(), Some(b"a key of the tests".as_slice().into()))
}

#[test]
fn every_format_has_fixtures_and_each_is_sniffed_as_its_own_whatever_stands_around_it() {
    for format in FORMATS {
        let fixtures = wire::fixtures(format.name);
        assert!(!fixtures.is_empty(), "{}", format.name);
        for (name, bytes) in fixtures {
            for dressed in [bytes.clone(), [b"\r\n ", bytes.as_slice()].concat(), [bytes.as_slice(), b"\r\n"].concat()]
            {
                let found = formats::sniff(&dressed, FORMATS.iter()).map(|format| format.name);
                assert_eq!(found, Some(format.name), "{}/{name}", format.name);
            }
        }
    }
}

#[test]
fn the_shared_payloads_are_sniffed_as_what_they_are() {
    // One is no frame on purpose; the others of ONVIF that tell of no notification are found by their namespaces.
    let nothing = ["eventformaterror.txt"];
    for (folder, format) in [
        ("gat1400", "ga-t-1400"),
        ("gb28181", "gb-t-28181"),
        ("sia_dc09", "sia-dc09"),
        ("hikvision_isapi", "hikvision-isapi"),
        ("onvif", "onvif"),
        ("hikvision_isecure", "hikvision-isecure"),
        ("dahua", "dahua"),
        ("vzenith_lpr", "vzenith-lpr"),
        ("zkteco_push", "zkteco-push"),
        ("frigate", "frigate"),
        ("unifi_protect", "unifi-protect"),
        ("rtls_uwb", "rtls-uwb"),
        ("gb26875", "gb-t-26875"),
        ("hl7v2", "hl7v2"),
        ("grid_case", "grid-case"),
        ("cap", "cap"),
        ("cn_warning", "cn-warning"),
        ("fhir_r4", "fhir-r4"),
    ] {
        let path = std::path::Path::new("/work/shared/feeds").join(folder);
        let Ok(entries) = std::fs::read_dir(&path) else {
            eprintln!("skipped: {} is absent", path.display());
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let found = formats::sniff(&bytes, FORMATS.iter()).map(|format| format.name);
            let want = (!nothing.contains(&name.as_str())).then_some(format);
            assert_eq!(found, want, "{folder}/{name}");
        }
    }
}

#[test]
fn a_feed_sniffs_every_fixture_of_its_formats_in_its_own_order() {
    for feed in FEEDS {
        let accepted = Settings::default().accepted(feed).unwrap();
        for name in feed.formats {
            for (file, bytes) in wire::fixtures(name) {
                for header in [None, Some("auto"), Some(*name)] {
                    let chosen = accepted.choose(header, &bytes).map(|format| format.name);
                    assert_eq!(chosen, Ok(*name), "{} {file}", feed.name);
                }
            }
        }
        assert_eq!(accepted.choose(Some("morse"), b"x").unwrap_err(), Reason::FormatNotAccepted);
    }
}

#[test]
fn no_marker_passes_the_border_in_any_event_of_any_format() {
    let border = border();
    for format in FORMATS {
        for (file, bytes) in wire::fixtures(format.name) {
            let received_at = "2026-11-24T15:00:00Z".parse().unwrap();
            for outcome in normalize::normalize(&bytes, None, "file", Some("connector-1"), received_at, &border) {
                let said = match &outcome {
                    normalize::Outcome::Event(event) => serde_json::to_string(event).unwrap(),
                    other => format!("{other:?}"),
                };
                assert!(!said.contains("MARKER"), "{}/{file}: {said}", format.name);
            }
        }
    }
}

#[test]
fn every_event_of_a_fixture_has_an_id_of_its_own_within_its_record() {
    let border = border();
    for format in FORMATS {
        for (file, bytes) in wire::fixtures(format.name) {
            let received_at = "2026-11-24T15:00:00Z".parse().unwrap();
            let outcomes = normalize::normalize(&bytes, None, "file", Some("connector-1"), received_at, &border);
            let mut ids: Vec<String> = outcomes
                .iter()
                .filter_map(|outcome| match outcome {
                    // Axis tells one happening twice on purpose of its own: that repeat is the one to be dropped.
                    normalize::Outcome::Event(event) if !event.flags.iter().any(|flag| flag == "axis_global") => {
                        Some(event.event_id.clone())
                    }
                    _ => None,
                })
                .collect();
            let all = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "{}/{file}", format.name);
        }
    }
}

#[test]
fn a_format_reads_the_records_of_another_without_panic_and_never_without_a_fate() {
    for reader in FORMATS {
        for writer in FORMATS {
            for (file, bytes) in wire::fixtures(writer.name) {
                let mut pieces = Vec::new();
                let raw = Raw { bytes: &bytes, source: None, strict: true };
                let read = reader.read(&raw, &mut pieces);
                assert!(read.is_err() || !pieces.is_empty(), "{} reads {file}", reader.name);
            }
        }
    }
}

#[test]
fn what_is_empty_or_too_large_is_refused_before_it_is_read() {
    for format in FORMATS {
        let read = |bytes: &[u8]| {
            let mut pieces: Vec<Piece> = Vec::new();
            format.read(&Raw { bytes, source: None, strict: false }, &mut pieces).map(|()| pieces.len())
        };
        assert_eq!(read(b""), Err(Reason::Empty), "{}", format.name);
        assert_eq!(read(&vec![b'<'; MAX_RECORD + 1]), Err(Reason::TooLarge), "{}", format.name);
    }
}

#[test]
fn hostile_nesting_and_repetition_end_with_a_reason_in_time() {
    let hostile: [Vec<u8>; 13] = [
        b"{\"PersonListObject\":".repeat(40_000),
        b"[".repeat(500_000),
        b"<Notify>".repeat(100_000),
        [b"00000000\"SIA-DCS\"0001L0#77[#77|N".as_slice(), &b"BA1/".repeat(200_000), b"]"].concat(),
        [b"00000000\"SIA-DCS\"0001L0#77".as_slice(), &b"[a]".repeat(300_000)].concat(),
        [b"00000000\"SIA-DCS\"0001L0#77[".as_slice(), &b"]]x".repeat(300_000)].concat(),
        b"\n00000000\"NULL\"0000L0#77[]\r".repeat(30_000),
        b"@@".repeat(500_000),
        b"MSH|^~\\&|\r".repeat(90_000),
        [b"MSH|^~\\&|||||||ORU^R40\r".as_slice(), &b"OBR|\rOBX|~~~~\r".repeat(60_000)].concat(),
        b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>".repeat(19_000),
        b"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":".repeat(20_000),
        b"{\"data\":[".repeat(100_000),
    ];
    for format in FORMATS {
        for bytes in &hostile {
            let mut pieces = Vec::new();
            let read = format.read(&Raw { bytes, source: None, strict: false }, &mut pieces);
            assert!(read.is_err() || pieces.len() <= 1_100, "{} {}", format.name, pieces.len());
        }
    }
}
