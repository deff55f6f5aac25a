//! `chorus backtest`: canonical events in, alerts out, through the code that the live roles run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use chorus_ingest::feeds::FEEDS;
use chorus_model::{Alert, AlertStatus, Event, Timestamp, canary};
use chorus_processors::backtest::Backtest;
use chorus_processors::detect::{Roster, RuleSet, Setup};
use chorus_processors::fuse;
use chorus_runtime::registry::{self, Handle, Registry};

use crate::exit::Exit;
use crate::shipped;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// What was asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A rule file, or a folder of them; may be given again. A roster is taken from `roster.yaml` beside them.
    #[arg(long, required_unless_present = "diff", conflicts_with = "diff", value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Says how the alerts would differ between two sets of rules, by desk (county), hour and kind.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub diff: Option<Vec<PathBuf>>,
    /// Duties and calendars; without it `roster.yaml` beside the rules, else the shipped roster.
    #[arg(long)]
    pub roster: Option<PathBuf>,
    /// Registry file with places; may be given again: their names, and who is missed when nothing comes.
    #[arg(long, value_name = "FILE")]
    pub places: Vec<PathBuf>,
    /// Registry file with devices; may be given again.
    #[arg(long, value_name = "FILE")]
    pub devices: Vec<PathBuf>,
    /// The feed that the events came by; without it each rule looks at each event.
    #[arg(long)]
    pub feed: Option<String>,
    /// Time passes until here after the last event (RFC 3339).
    #[arg(long)]
    pub until: Option<Timestamp>,
    /// Files of canonical events, one JSON object a line, as `chorus normalize` prints them; `-` for standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Prints each revision of each alert as one line of JSON, or the difference between two sets of rules.
///
/// # Errors
/// Rules, a roster or a registry that cannot be used ([`Exit::Usage`]); a file that cannot be read. A line that is no event
/// is told on stderr, and the rest goes on.
pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let registry = registry(arguments)?;
    let events = read_events(&arguments.files)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if let Some([old, new]) = arguments.diff.as_deref() {
        let setups = [
            setup(std::slice::from_ref(old), arguments, &registry)?,
            setup(std::slice::from_ref(new), arguments, &registry)?,
        ];
        let [old, new] = setups.map(|setup| tally(&replay(setup, arguments, &events)));
        return write_difference(&old, &new, &mut out);
    }
    for alert in replay(setup(&arguments.rules, arguments, &registry)?, arguments, &events) {
        serde_json::to_writer(&mut out, &alert).map_err(anyhow::Error::from)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

fn replay(setup: Setup, arguments: &Arguments, events: &[Event]) -> Vec<Alert> {
    let feeds = FEEDS.iter().map(|feed| feed.name).chain(arguments.feed.as_deref());
    let mut backtest = Backtest::new(setup, &fuse::Settings::default(), feeds);
    let mut alerts = Vec::new();
    for event in events {
        backtest.event(arguments.feed.as_deref().unwrap_or_default(), event, &mut alerts);
    }
    if let Some(until) = arguments.until {
        backtest.pass(until, &mut alerts);
    }
    // They are no rule's, and nobody was ever shown one.
    alerts.retain(|alert| canary::of_alert(alert).is_none());
    alerts
}

fn registry(arguments: &Arguments) -> Result<Handle, Exit> {
    let settings = registry::Settings {
        places: arguments.places.clone(),
        devices: arguments.devices.clone(),
        ..registry::Settings::default()
    };
    Registry::load(&settings).map(Handle::fixed).map_err(|error| Exit::usage(format!("{error:#}")))
}

fn setup(rules: &[PathBuf], arguments: &Arguments, registry: &Handle) -> Result<Setup, Exit> {
    let roster = match shipped::roster_file(rules, arguments.roster.as_deref()) {
        Some(path) => Roster::load(&path),
        None => shipped::roster(),
    };
    let roster = roster.map_err(|error| Exit::usage(error.to_string()))?;
    let rules = RuleSet::load(rules).map_err(|error| Exit::usage(error.to_string()))?;
    Setup::new(rules, roster, registry.clone()).map_err(|error| Exit::usage(error.to_string()))
}

/// The events of all files in the order of their receipt; those received at once keep their order.
fn read_events(files: &[PathBuf]) -> Result<Vec<Event>, Exit> {
    let mut events = Vec::new();
    for file in files {
        let failed = |error: std::io::Error| Exit::Failed(anyhow::anyhow!("{}: {error}", file.display()));
        let lines: Box<dyn BufRead> = if file == Path::new("-") {
            Box::new(std::io::stdin().lock())
        } else {
            Box::new(BufReader::new(std::fs::File::open(file).map_err(failed)?))
        };
        for (index, line) in lines.split(b'\n').enumerate() {
            let line = line.map_err(failed)?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(event) => events.push(event),
                Err(error) => {
                    let place = error.column();
                    let said = serde_json::json!({"file": file.display().to_string(), "line": index + 1,
                        "reason": "not_an_event", "column": place});
                    eprintln!("{said}");
                }
            }
        }
    }
    events.sort_by_key(|event: &Event| event.received_at);
    Ok(events)
}

/// How many alerts began, by hour, desk and kind.
fn tally(alerts: &[Alert]) -> BTreeMap<(i64, String, String), i64> {
    let mut counts = BTreeMap::new();
    let mut known = BTreeSet::new();
    for alert in alerts.iter().filter(|alert| alert.status == AlertStatus::Firing) {
        if !known.insert(alert.alert_id.clone()) {
            continue;
        }
        let hour = alert.starts_at.city_seconds().div_euclid(HOUR);
        let county = alert.place.division_code.as_deref().and_then(|code| code.get(..6)).unwrap_or("unknown");
        *counts.entry((hour, county.to_owned(), alert.kind.to_string())).or_default() += 1;
    }
    counts
}

fn write_difference(
    old: &BTreeMap<(i64, String, String), i64>,
    new: &BTreeMap<(i64, String, String), i64>,
    out: &mut impl Write,
) -> Result<(), Exit> {
    writeln!(out, "hour\tdesk\tkind\told\tnew")?;
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key).copied().unwrap_or(0), new.get(key).copied().unwrap_or(0));
        if before != after {
            let (hour, county, kind) = key;
            // The time of the city with its offset.
            let hour = Timestamp::from_micros(hour.saturating_mul(HOUR * 1_000_000)).to_string().replace('Z', "+08:00");
            writeln!(out, "{hour}\t{county}\t{kind}\t{before}\t{after}")?;
        }
    }
    let total = |counts: &BTreeMap<_, i64>| counts.values().sum::<i64>();
    writeln!(out, "all\tall\tall\t{}\t{}", total(old), total(new))?;
    out.flush()?;
    Ok(())
}
