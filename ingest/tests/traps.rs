//! The 21 traps of the feeds guide: each has a test that names it, `trap_NN_…`.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use std::collections::BTreeMap;
use std::path::Path;

/// The traps, by number.
const TRAPS: usize = 21;

/// The tests of each trap, as `file: name`.
fn tests_by_trap() -> BTreeMap<usize, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (file, text) in wire::sources(root, &["src", "tests"]) {
        let mut test = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("fn trap_").filter(|_| test) {
                let number = name.get(..2).and_then(|digits| digits.parse().ok());
                let name = name.split('(').next().unwrap_or(name);
                found.entry(number.unwrap_or(0)).or_default().push(format!("{file}: trap_{name}"));
            }
            test = line == "#[test]";
        }
    }
    found
}

#[test]
fn every_trap_has_a_test_and_no_test_names_a_trap_that_is_none() {
    let found = tests_by_trap();
    let missing: Vec<usize> = (1..=TRAPS).filter(|number| !found.contains_key(number)).collect();
    assert!(missing.is_empty(), "traps without a test: {missing:?}");
    assert!(found.keys().all(|number| (1..=TRAPS).contains(number)), "{:?}", found.keys());
}

#[test]
fn the_page_of_traps_is_what_the_tests_are() {
    let mut page = String::from(
        "# Traps\n\nEach trap of the feeds guide and the tests of the room `ingest` that would fail if somebody stepped into it \
         again. Made by `make formats`; do not edit.\n\n| trap | tests |\n|---|---|\n",
    );
    for (number, tests) in tests_by_trap() {
        page.push_str(&format!(
            "| {number} | {} |\n",
            tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join("<br>")
        ));
    }
    wire::check_page("traps.md", &page);
}

#[test]
fn trap_21_ingest_has_nothing_to_answer_with() {
    // A barrier opens at the answer of whoever listens. Ingest reads Kafka and nothing else: no client, no server, no socket.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for name in ["reqwest", "axum", "hyper", "tokio", "tower", "rdkafka", "ureq"] {
        assert!(!manifest.lines().any(|line| line.starts_with(name)), "{name}");
    }
    for (file, text) in wire::sources(root, &["src"]) {
        for word in ["TcpStream", "TcpListener", "UdpSocket", "UnixStream"] {
            assert!(!text.contains(word), "{file} has {word}");
        }
    }
}
