//! What a format costs: processor time of decoding its fixtures and of the border behind it, beside a bare parser over the same
//! bytes in the same run.
//!
//! `cargo bench -p chorus-ingest [-- MILLISECONDS] [FORMAT]`: processor time spent on each figure, 400 unless said otherwise;
//! with a format a row for each of its fixtures. A format joins by its row in `FORMATS` and its fixtures. docs/benchmarks.md
//! says what the columns mean.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chorus_ingest::border::Border;
use chorus_ingest::feeds::Settings;
use chorus_ingest::formats::{self, FORMATS, Format};
use chorus_ingest::normalize::{Outcome, normalize};
use chorus_ingest::observation::{Piece, Raw};
use chorus_model::Timestamp;
use serde::de::IgnoredAny;

/// As the binary does: the C library's allocator is a good part of what small records cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The figures take turns, so that a neighbour's noise meets all of them.
const TURNS: u32 = 8;

fn main() -> Result<()> {
    let milliseconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(400);
    let spent = Duration::from_millis(milliseconds);
    println!("| format | records | bytes | events | bare | decode | border | events per CPU-s | share |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let one = std::env::args().find_map(|argument| formats::by_name(&argument));
    for format in FORMATS.iter().filter(|format| one.is_none_or(|one| one.name == format.name)) {
        let fixtures = fixtures(format.name)?;
        for (name, bytes) in fixtures.iter().filter(|_| one.is_some()) {
            println!("{}", row(name, format, std::slice::from_ref(bytes), spent)?);
        }
        let records: Vec<Vec<u8>> = fixtures.into_iter().map(|(_, bytes)| bytes).collect();
        println!("{}", row(format.name, format, &records, spent)?);
    }
    Ok(())
}

fn row(name: &str, format: &'static Format, records: &[Vec<u8>], spent: Duration) -> Result<String> {
    let policy = Settings::default().policy().map_err(|(key, message)| anyhow::anyhow!("{key}: {message}"))?;
    let border = Border::new(policy, Some(b"a key of the benchmark".as_slice().into()));
    let received_at: Timestamp = "2026-11-24T15:00:00Z".parse()?;
    let whole = |bytes: &[u8]| normalize(bytes, Some(format), "file", Some("connector-1"), received_at, &border);
    let events = records.iter().flat_map(|bytes| whole(bytes)).filter(|one| matches!(one, Outcome::Event(_))).count();
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut plain, mut decode, mut full) = (Mean::default(), Mean::default(), Mean::default());
    for _ in 0..TURNS {
        plain.add(records, spent / TURNS, bare);
        decode.add(records, spent / TURNS, |bytes| {
            pieces.clear();
            black_box(format.read(&Raw { bytes, source: Some("connector-1"), strict: false }, &mut pieces).is_ok());
        });
        full.add(records, spent / TURNS, |bytes| {
            black_box(whole(bytes));
        });
    }
    let bytes = records.iter().map(Vec::len).sum::<usize>() / records.len().max(1);
    let per_record = events as f64 / records.len().max(1) as f64;
    let rate = if full.micros() > 0.0 { per_record * 1e6 / full.micros() } else { 0.0 };
    Ok(format!(
        "| {name} | {} | {bytes} | {per_record:.1} | {:.2} | {:.2} | {:.2} | {} | {:.2} |",
        records.len(),
        plain.micros(),
        decode.micros(),
        (full.micros() - decode.micros()).max(0.0),
        thousands(rate),
        plain.micros() / decode.micros(),
    ))
}

/// What anybody would have to do who reads the bytes at all: XML to its events, JSON to nothing, text found to be text, its
/// lines counted.
fn bare(bytes: &[u8]) {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => {
            // Other encodings have been decoded by whoever reads them; here only the walk counts.
            let text = String::from_utf8_lossy(bytes);
            let mut reader = quick_xml::Reader::from_str(&text);
            while let Ok(event) = reader.read_event() {
                if matches!(black_box(event), quick_xml::events::Event::Eof) {
                    break;
                }
            }
        }
        Some(b'{' | b'[') => {
            black_box(serde_json::from_slice::<IgnoredAny>(bytes).is_ok());
        }
        _ => {
            black_box(std::str::from_utf8(bytes).is_ok());
            black_box(memchr::memchr_iter(b'\n', bytes).count());
        }
    }
}

/// Processor time per record.
#[derive(Default)]
struct Mean {
    time: Duration,
    records: u64,
}

impl Mean {
    /// Goes over the records, again and again, until the time is spent.
    fn add(&mut self, records: &[Vec<u8>], spend: Duration, mut one: impl FnMut(&[u8])) {
        let clock = Clock::start();
        while clock.spent() < spend {
            for _ in 0..16 {
                records.iter().for_each(|bytes| one(black_box(bytes)));
            }
            self.records += 16 * records.len() as u64;
        }
        self.time += clock.spent();
    }

    fn micros(&self) -> f64 {
        self.time.as_secs_f64() * 1e6 / self.records.max(1) as f64
    }
}

/// Processor time of this thread, by the kernel; wall time where it does not count.
struct Clock {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    fn spent(&self) -> Duration {
        match (self.cpu, cpu()) {
            (Some(from), Some(to)) => to.saturating_sub(from),
            _ => self.wall.elapsed(),
        }
    }
}

fn cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn fixtures(format: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.sort();
    let read = |path: &PathBuf| Ok((path.file_name().unwrap_or_default().display().to_string(), std::fs::read(path)?));
    paths.iter().map(read).collect()
}

fn thousands(rate: f64) -> String {
    let digits = format!("{:.0}", (rate / 1_000.0).round() * 1_000.0);
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
