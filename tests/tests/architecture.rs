//! The design's rules about rooms, as a test: which room may depend on which, and where a library may be used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// room, the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("chorus-model", &[]),
    ("chorus-runtime", &["chorus-model"]),
    // Ingest, processors, sinks and the centre meet in topics or over HTTP, never in code: each can be replaced, scaled and
    // restarted alone.
    ("chorus-ingest", &["chorus-model", "chorus-runtime"]),
    ("chorus-processors", &["chorus-model", "chorus-runtime"]),
    ("chorus-sinks", &["chorus-model", "chorus-runtime"]),
    ("chorus-center", &["chorus-model", "chorus-runtime"]),
    (
        "chorus",
        &["chorus-model", "chorus-runtime", "chorus-ingest", "chorus-processors", "chorus-sinks", "chorus-center"],
    ),
];

/// library, the only room that may use it, why.
const LIBRARIES: &[(&str, &str, &str)] = &[
    ("rdkafka", "chorus-runtime", "the laws about order, origins and commits are kept in one place, or not at all"),
    ("rdkafka-sys", "chorus-runtime", "as rdkafka; unsafe code lives in one file"),
    ("prometheus", "chorus-runtime", "a metric is declared once, with help and closed labels"),
    ("reqwest", "chorus-sinks", "what leaves Kafka goes through retry, order, signature and breaker"),
    ("sqlx", "chorus-center", "the pipeline's state is the log; only the centre keeps a database"),
    ("quick-xml", "chorus-ingest", "foreign bytes are read behind the border only"),
];

/// The tests stand outside: they look at Kafka and HTTP from where a user does.
const OUTSIDE: &str = "chorus-tests";

/// Longer files hold two ideas.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Every room with what it depends on, tests and build scripts left out.
fn dependencies() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let mut rooms = BTreeMap::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let normal = |dependency: &&serde_json::Value| dependency["kind"].is_null();
        let name = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
        let list = package["dependencies"].as_array().context("dependencies")?;
        rooms.insert(name(package), list.iter().filter(normal).map(name).collect());
    }
    Ok(rooms)
}

#[test]
fn arrows_between_rooms_go_down_only() -> Result<()> {
    let rooms = dependencies()?;
    for (room, uses) in &rooms {
        if room == OUTSIDE {
            continue;
        }
        let (_, allowed) = ROOMS.iter().find(|(name, _)| name == room).with_context(|| format!("{room} has no row"))?;
        for used in uses.iter().filter(|used| rooms.contains_key(*used)) {
            assert!(allowed.contains(&used.as_str()), "{room} must not depend on {used}");
        }
    }
    Ok(())
}

#[test]
fn a_library_stays_in_its_room() -> Result<()> {
    for (room, uses) in dependencies()? {
        for (library, owner, reason) in LIBRARIES {
            let stays = room == OUTSIDE || room == *owner || !uses.contains(*library);
            assert!(stays, "{room} must not use {library}, only {owner} may: {reason}");
        }
    }
    Ok(())
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            sources(&path, found)?;
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn no_file_is_longer_than_its_idea() -> Result<()> {
    let mut files = Vec::new();
    sources(&root(), &mut files)?;
    assert!(files.len() > 50, "the walk finds the sources");
    for file in files {
        let lines = std::fs::read_to_string(&file)?.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: it holds two ideas", file.display());
    }
    Ok(())
}

#[test]
fn unsafe_code_stands_in_the_files_that_say_why() -> Result<()> {
    // One speaks to librdkafka's C interface, the other ties the tests' children to their parent.
    let allowed = ["runtime/src/ffi.rs", "tests/src/child.rs", "tests/tests/architecture.rs"];
    let mut files = Vec::new();
    sources(&root(), &mut files)?;
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let relative = file.strip_prefix(root())?.to_string_lossy().into_owned();
        let has_unsafe = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("unsafe {") || code.contains("unsafe impl") || code.contains("unsafe fn")
        });
        assert!(!has_unsafe || allowed.contains(&relative.as_str()), "{relative}");
    }
    Ok(())
}
