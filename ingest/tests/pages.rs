//! The pages of the formats say what the code does: `make formats` writes them, this test fails when one is stale.
//!
//! A format joins by its row in `FORMATS`: its page is the text at the top of its file, its tables, and what its fixtures
//! become.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use std::fmt::Write;
use std::path::Path;

use chorus_ingest::feeds::FEEDS;
use chorus_ingest::formats::{FORMATS, Format, doc};

/// The most rows of a fixture that its page shows.
const MAX_ROWS: usize = 12;

#[test]
fn every_format_has_its_page_and_it_is_what_the_code_says() {
    for format in FORMATS {
        wire::check_page(&format!("{}.md", format.name), &page(format));
    }
}

#[test]
fn the_list_of_pages_is_that_of_the_formats() {
    let mut list = String::from(
        "# Wire formats\n\nWhat each format is, what its records become, and what is left at the border. In the order in which a \
         record without the header `format` is sniffed. Made by `make formats`; do not edit.\n\n| format | what | feeds |\n|---|---|---|\n",
    );
    for format in FORMATS {
        let feeds: Vec<&str> =
            FEEDS.iter().filter(|feed| feed.formats.contains(&format.name)).map(|feed| feed.name).collect();
        let (first, _) = intro(format);
        writeln!(list, "| [{0}]({0}.md) | {first} | {1} |", format.name, feeds.join(", ")).unwrap();
    }
    list.push_str("\n[Which trap is tested where](traps.md).\n");
    wire::check_page("README.md", &list);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = |format: &Format| name == format!("{}.md", format.name);
        assert!(
            matches!(name.as_str(), "README.md" | "traps.md") || FORMATS.iter().any(known),
            "a page of no format: {name}"
        );
    }
}

fn page(format: &Format) -> String {
    let (first, rest) = intro(format);
    let mut page = format!("# {}\n\n{first}\n\n{rest}\n", format.name);
    for table in doc::tables(format.name) {
        write!(
            page,
            "\n## {}\n\n| {} |\n|{}\n",
            table.title,
            table.columns.join(" | "),
            "---|".repeat(table.columns.len())
        )
        .unwrap();
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}: {row:?}", table.title);
            writeln!(page, "| {} |", row.join(" | ")).unwrap();
        }
    }
    write!(
        page,
        "\n## What our fixtures become\n\nIn `ingest/fixtures/{}`: kind, phase, device, time.\n\n",
        format.name
    )
    .unwrap();
    page.push_str("| fixture | pieces |\n|---|---|\n");
    for (name, bytes) in wire::fixtures(format.name) {
        let rows = wire::rows(&wire::read(format.name, &bytes));
        let mut shown: Vec<String> = rows.iter().take(MAX_ROWS).map(|row| format!("`{row}`")).collect();
        if rows.len() > MAX_ROWS {
            shown.push(format!("and {} more", rows.len() - MAX_ROWS));
        }
        writeln!(page, "| {name} | {} |", shown.join("<br>").replace('|', "\\|")).unwrap();
    }
    page.push_str("\nMade by `make formats` from the code; do not edit.\n");
    page
}

/// The text at the top of a format's file: its first paragraph, and the rest.
fn intro(format: &Format) -> (String, String) {
    let declaration = format!("pub const NAME: &str = \"{}\";", format.name);
    let sources = wire::sources(Path::new(env!("CARGO_MANIFEST_DIR")), &["src/formats"]);
    let (_, source) = sources.iter().find(|(_, text)| text.contains(&declaration)).unwrap();
    let text: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    // Links into the code lead nowhere from a page.
    let text = text.join("\n").replace("[`", "`").replace("`]", "`");
    let (first, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    (first.replace('\n', " "), rest.trim_end().to_owned())
}
