//! What the tests of the wire formats share: reading, one line per piece, tables over folders, leaks, mutations.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};

use chorus_ingest::formats;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// What stands in every text field of a fixture that is, or may be, about a person.
const MARKER: &str = "MARKER";

/// Reads bytes in a format, by the same way as the pipeline.
pub(crate) fn read(format: &str, bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    let mut pieces = Vec::new();
    let raw = Raw { bytes, source: Some("connector-1"), strict: false };
    formats::by_name(format).unwrap().read(&raw, &mut pieces).map(|()| pieces)
}

/// The events among pieces.
pub(crate) fn events(pieces: &[Piece]) -> Vec<&Observation> {
    pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Event(observation) => Some(&**observation),
            Piece::Filtered(_) | Piece::Rejected(_) => None,
        })
        .collect()
}

/// The only piece, which is an event.
pub(crate) fn one(read: Result<Vec<Piece>, Reason>) -> Observation {
    match read.map(|mut pieces| (pieces.len(), pieces.pop())) {
        Ok((1, Some(Piece::Event(observation)))) => *observation,
        other => panic!("one event expected: {other:?}"),
    }
}

/// One line per piece: `kind phase device time`, or its fate.
pub(crate) fn rows(read: &Result<Vec<Piece>, Reason>) -> Vec<String> {
    match read {
        Ok(pieces) => pieces.iter().map(row).collect(),
        Err(reason) => vec![format!("rejected {reason}")],
    }
}

fn row(piece: &Piece) -> String {
    let observation = match piece {
        Piece::Event(observation) => observation,
        Piece::Filtered(word) => return format!("filtered {word}"),
        Piece::Rejected(reason) => return format!("rejected {reason}"),
    };
    let time = match observation.time {
        DeviceTime::Missing => "missing".to_owned(),
        DeviceTime::Zoned(instant, _) => instant.to_string(),
        DeviceTime::Local(local, _) => format!("local {local}"),
        DeviceTime::Contradictory(instant, _) => format!("contradictory {instant}"),
    };
    let device = if observation.device_id.is_empty() { "-" } else { &observation.device_id };
    format!("{} {} {device} {time}", observation.kind, observation.phase.as_str())
}

fn folder(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format)
}

/// A fixture of ours.
pub(crate) fn fixture(format: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(format).join(name)).unwrap()
}

/// All fixtures of a format, by name.
pub(crate) fn fixtures(format: &str) -> Vec<(String, Vec<u8>)> {
    files(&folder(format)).unwrap()
}

fn files(folder: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        files.push((path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path)?));
    }
    files.sort();
    Ok(files)
}

/// The sources below some folders of a crate, by their way from its root, in order.
pub(crate) fn sources(root: &Path, folders: &[&str]) -> Vec<(String, String)> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                None if path.is_dir() => gather(&path, found),
                Some(extension) if extension == "rs" => found.push(path),
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| gather(&root.join(folder), &mut paths));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// A page below `docs/formats` is what the code says it is. With `CHORUS_WRITE_PAGES` set it is written instead.
pub(crate) fn check_page(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats").join(name);
    if std::env::var_os("CHORUS_WRITE_PAGES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/formats/{name} is stale: make formats");
}

/// Every fixture reads as its row says, and there is a row for every fixture.
pub(crate) fn check_fixtures(format: &str, name: &str, table: &[(&str, &[&str])]) {
    check(format, &fixtures(name), table);
}

/// The same over the shared payloads, which are not ours to publish: skipped where they are absent.
pub(crate) fn check_shared(format: &str, name: &str, table: &[(&str, &[&str])]) {
    let folder = Path::new("/work/shared/feeds").join(name);
    match files(&folder) {
        Ok(files) => check(format, &files, table),
        Err(_) => eprintln!("skipped: {} is absent", folder.display()),
    }
}

fn check(format: &str, files: &[(String, Vec<u8>)], table: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (name, bytes) in files {
        let got = rows(&read(format, bytes));
        let Some((_, want)) = table.iter().find(|(row, _)| row == name) else {
            wrong.push(format!("{name}: no row; it reads {got:#?}"));
            continue;
        };
        if got != *want {
            wrong.push(format!("{name}: {got:#?}\nwanted {want:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(files.len(), table.len(), "a row without a file");
}

/// No marker is in anything that a decoder says about a fixture, however it is printed.
pub(crate) fn check_leaks(format: &str, name: &str) {
    let mut planted = 0;
    for (file, bytes) in fixtures(name) {
        planted += usize::from(memchr::memmem::find(&bytes, MARKER.as_bytes()).is_some());
        let said = format!("{:?}", read(format, &bytes));
        assert!(!said.contains(MARKER), "{file}: {said}");
    }
    assert!(planted > 0, "no fixture holds a marker");
}

/// Truncations at every length, then flipped, doubled and cut bytes: an answer to all of them. The sequence is always the
/// same.
pub(crate) fn mutate(format: &str, name: &str) {
    const MUTATIONS: usize = 4_000;
    let fixtures = fixtures(name);
    for (file, bytes) in &fixtures {
        for length in 0..bytes.len() {
            survives(format, file, &bytes[..length]);
        }
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % (below.max(1) as u64)).unwrap()
    };
    for _ in 0..MUTATIONS {
        let (file, original) = &fixtures[next(fixtures.len())];
        let mut bytes = original.clone();
        for _ in 0..=next(8) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] ^= 1 << next(8),
                1 => bytes[at] = b"<>/{}[]\"-\n\0\xff&:"[next(14)],
                2 => {
                    let end = (at + next(64)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = next(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => {
                    let end = (at + next(32)).min(bytes.len().saturating_sub(1));
                    bytes.drain(at.min(end)..end);
                }
            }
        }
        survives(format, file, &bytes);
    }
}

fn survives(format: &str, file: &str, bytes: &[u8]) {
    let read = read(format, bytes);
    if let Ok(pieces) = &read {
        assert!(!pieces.is_empty(), "{file}: no fate");
    }
}
