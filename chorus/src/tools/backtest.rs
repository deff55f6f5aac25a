//! `chorus backtest`: canonical events of files or of a stretch of the log in, alerts out, through the code that the live roles run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use chorus_ingest::feeds::FEEDS;
use chorus_model::{Alert, AlertStatus, Event, Span, Timestamp, canary};
use chorus_processors::backtest::{Backtest, LogBacktest, Rules};
use chorus_processors::detect::{Roster, RuleSet, Setup};
use chorus_processors::fuse;
use chorus_runtime::range::Range;
use chorus_runtime::registry::{self, Handle, Registry};
use chorus_runtime::topics;

use crate::config::Config;
use crate::exit::Exit;
use crate::{roles, shipped};

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// What was asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A rule file, or a folder of them; may be given again. A roster is taken from `roster.yaml` beside them.
    #[arg(long, required_unless_present_any = ["diff", "published"], conflicts_with = "diff", value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Says how the alerts would differ between two sets of rules, by desk (county), hour and kind.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "published")]
    pub diff: Option<Vec<PathBuf>>,
    /// Duties and calendars; without it `roster.yaml` beside the rules, else the shipped roster.
    #[arg(long)]
    pub roster: Option<PathBuf>,
    /// Registry file with places; may be given again: their names, and who is missed when nothing comes. Without one the
    /// configured registry is taken for a stretch of the log.
    #[arg(long, value_name = "FILE")]
    pub places: Vec<PathBuf>,
    /// Registry file with devices; may be given again.
    #[arg(long, value_name = "FILE")]
    pub devices: Vec<PathBuf>,
    /// The feed that the events came by; without it each rule looks at each event.
    #[arg(long, conflicts_with = "from")]
    pub feed: Option<String>,
    /// Time passes until here after the last event (RFC 3339).
    #[arg(long, conflicts_with = "from")]
    pub until: Option<Timestamp>,
    /// Reads the topic `events` of the configured Kafka from this time on (RFC 3339, by the broker), with the frontiers that stand
    /// in it.
    #[arg(long, conflicts_with = "files")]
    pub from: Option<Timestamp>,
    /// Reads it to this time; without it to what is its end now.
    #[arg(long, requires = "from")]
    pub to: Option<Timestamp>,
    /// Begins so much earlier, so that state has built up by `from`; alerts of that time are not printed.
    #[arg(long, requires = "from", value_name = "SPAN")]
    pub warm_up: Option<Span>,
    /// Works by the rules that came into force in the log, from there on; before that by `--rules`, else by the configured ones.
    #[arg(long, requires = "from")]
    pub published: bool,
    /// Files of canonical events, one JSON object a line, as `chorus normalize` prints them; `-` for standard input.
    #[arg(required_unless_present = "from")]
    pub files: Vec<PathBuf>,
}

/// Prints each revision of each alert as one line of JSON, or the difference between two sets of rules.
///
/// # Errors
/// Rules, a roster, a registry or a configuration that cannot be used ([`Exit::Usage`]); a file that cannot be read, a broker that
/// does not answer. A line that is no event is told on stderr, and the rest goes on.
pub fn run(file: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let Some(from) = arguments.from else {
        let registry = registry_of_files(arguments)?;
        let events = read_events(&arguments.files)?;
        return compare(arguments, &registry, None, |setups| {
            Ok(setups.into_iter().map(|setup| replay(setup, arguments, &events)).collect())
        });
    };
    let config = Config::load(file)?;
    let registry = match (arguments.places.as_slice(), arguments.devices.as_slice()) {
        ([], []) => roles::ingest::registry(&config)?,
        _ => registry_of_files(arguments)?,
    };
    compare(arguments, &registry, Some(&config), |setups| from_log(&config, arguments, from, &setups))
}

/// Makes the sets of rules that were asked for, and prints what `replay` makes of each.
fn compare(
    arguments: &Arguments,
    registry: &Handle,
    config: Option<&Config>,
    replay: impl FnOnce(Vec<Setup>) -> Result<Vec<Vec<Alert>>, Exit>,
) -> Result<(), Exit> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if let Some(paths) = arguments.diff.as_deref() {
        let setups: Result<Vec<Setup>, Exit> =
            paths.iter().map(|path| setup(std::slice::from_ref(path), arguments, registry)).collect();
        let counts: Vec<_> = replay(setups?)?.iter().map(|alerts| tally(alerts)).collect();
        let nothing = BTreeMap::new();
        let [old, new] = [0, 1].map(|index| counts.get(index).unwrap_or(&nothing));
        return write_difference(old, new, &mut out);
    }
    let setup = match config.filter(|_| arguments.rules.is_empty()) {
        Some(config) => {
            let (rules, roster) = roles::detect::configured(config)?;
            Setup::new(rules, roster, registry.clone()).map_err(|error| Exit::usage(error.to_string()))?
        }
        None => setup(&arguments.rules, arguments, registry)?,
    };
    for alert in replay(vec![setup])?.iter().flatten() {
        serde_json::to_writer(&mut out, alert).map_err(anyhow::Error::from)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

/// What each set of rules makes of a stretch of the log, which is read once.
fn from_log(
    config: &Config,
    arguments: &Arguments,
    from: Timestamp,
    setups: &[Setup],
) -> Result<Vec<Vec<Alert>>, Exit> {
    let [events] = topics::look_up(&config.kafka, [config.topics.name("events")])?;
    let rules = if arguments.published { Rules::Published } else { Rules::Given };
    let begin = from.minus(arguments.warm_up.unwrap_or(Span::ZERO));
    let mut range = Range::open(&config.kafka, &config.topics.tools_group(), &events, begin, arguments.to)?;
    let new = |setup| LogBacktest::new(setup, &config.fuse, events.partitions, rules);
    let mut runs: Vec<(LogBacktest, Vec<Alert>)> = setups.iter().map(|setup| (new(setup), Vec::new())).collect();
    while let Some(record) = range.next_record()? {
        runs.iter_mut().for_each(|(run, alerts)| run.record(&record, alerts));
    }
    let printed =
        |alerts: Vec<Alert>| alerts.into_iter().filter(|alert| alert.updated_at >= from && is_a_rules(alert)).collect();
    Ok(runs.into_iter().map(|(_, alerts)| printed(alerts)).collect())
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
    alerts.retain(is_a_rules);
    alerts
}

/// False for a canary's: nobody was ever shown one.
fn is_a_rules(alert: &Alert) -> bool {
    canary::of_alert(alert).is_none()
}

fn registry_of_files(arguments: &Arguments) -> Result<Handle, Exit> {
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
        let county = alert.place.county();
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
