//! What the documents state about the code, compared with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use chorus_model::Kind;
use chorus_tests::process::binary;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| file.to_owned())
}

#[test]
fn the_table_of_kinds_is_the_closed_list() -> Result<()> {
    let rows: Vec<String> = read("docs/events.md")?
        .split_once("## Kinds")
        .and_then(|(_, rest)| rest.split_once("## Phases"))
        .context("the section on kinds")?
        .0
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(str::to_owned)
        .collect();
    let row = |kind: &Kind| format!("| `{kind}` | {} | {} |", kind.default_severity().as_str(), kind.describe());
    assert_eq!(rows, Kind::ALL.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn every_metric_has_a_row_for_the_engineer_on_call_and_no_row_is_of_a_metric_that_is_gone() -> Result<()> {
    let declared = words(&read("runtime/src/metrics.rs")?, '"');
    let told = words(&read("docs/operate.md")?, '`');
    assert!(declared.len() > 10, "{declared:?}");
    assert_eq!(told, declared);
    Ok(())
}

#[test]
fn the_examples_of_the_own_format_become_what_the_page_says() -> Result<()> {
    let page = read("docs/events.md")?;
    let blocks: Vec<&str> = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [report, event, several, reject] = blocks.as_slice() else { panic!("four blocks, not {}", blocks.len()) };
    let folder = tempfile::tempdir()?;
    let run = |name: &str, received_at: &str, text: &str| -> Result<(Vec<Value>, Vec<Value>)> {
        fs::write(folder.path().join(name), text)?;
        let args = ["normalize", "--format", "chorus", "--received-at", received_at, name];
        let output = Command::new(binary()?).args(args).current_dir(folder.path()).output()?;
        ensure!(output.status.success(), "{}", output.status);
        let lines = |bytes: &[u8]| -> Result<Vec<Value>> {
            bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(json).collect()
        };
        Ok((lines(&output.stdout)?, lines(&output.stderr)?))
    };
    assert_eq!(run("report.json", "2026-11-24T09:30:02Z", report)?, (vec![json(event.as_bytes())?], Vec::new()));
    let (events, rejects) = run("two-and-a-half.json", "2026-11-24T01:30:00Z", several)?;
    assert_eq!((events.len(), rejects), (2, vec![json(reject.as_bytes())?]));
    assert_eq!(events[0]["event_time"], "2026-11-24T01:29:58Z");
    assert_eq!((&events[0]["time_quality"], &events[0]["pii_dropped"][0]), (&"assumed_zone".into(), &"text".into()));
    Ok(())
}

fn json(text: &[u8]) -> Result<Value> {
    serde_json::from_slice(text).with_context(|| String::from_utf8_lossy(text).into_owned())
}

/// The names of metrics that stand behind this quote.
fn words(text: &str, quote: char) -> BTreeSet<String> {
    let behind = text.split(quote).filter(|part| part.starts_with("chorus_"));
    let name = |part: &str| part.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap_or("").to_owned();
    behind.map(name).filter(|name| !matches!(name.as_str(), "chorus_origin" | "chorus_runtime")).collect()
}

#[test]
fn every_key_of_the_configuration_is_told() -> Result<()> {
    let schema: Value = serde_json::from_str(&read("docs/schemas/config.schema.json")?)?;
    let mut keys = BTreeSet::new();
    collect(&schema, &mut keys);
    ensure!(keys.len() > 40, "{keys:?}");
    let told = ["operate", "destinations", "center"].map(|page| read(&format!("docs/{page}.md")));
    let told = told.into_iter().collect::<Result<Vec<_>>>()?.concat();
    // In a table, in an example, or as part of a path.
    let is_told =
        |key: &str| [format!("`{key}`"), format!("{key}: "), format!("`{key}.")].iter().any(|form| told.contains(form));
    let missing: Vec<_> = keys.iter().filter(|key| !is_told(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    Ok(())
}

/// The names of all keys, wherever their section stands in the schema.
fn collect(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (word, value) in map {
                match value {
                    // Here the names are keys, and no words of JSON Schema.
                    Value::Object(named) if word == "properties" || word == "$defs" => {
                        if word == "properties" {
                            keys.extend(named.keys().cloned());
                        }
                        named.values().for_each(|value| collect(value, keys));
                    }
                    value => collect(value, keys),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() -> Result<()> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(Path::new("docs").join(path.file_name().context("a file has a name")?));
        }
    }
    let mut seen = 0;
    for page in pages {
        let text = fs::read_to_string(root().join(&page))?;
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            seen += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap_or(Path::new("")).join(file) };
            ensure!(root().join(&to).exists(), "{}: {target} leads nowhere", page.display());
            if !anchor.is_empty() {
                let headings = fs::read_to_string(root().join(&to))?.to_lowercase();
                let wanted = anchor.replace('-', " ");
                let there =
                    headings.lines().any(|line| line.starts_with('#') && line.trim_start_matches('#').trim() == wanted);
                ensure!(there, "{}: {target}: no such heading", page.display());
            }
        }
    }
    ensure!(seen > 20, "{seen} links");
    Ok(())
}
