//! `chorus rejects list|show|replay`: looks at sealed rejects and sends them again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use chorus_ingest::seal::{RawRecord, Sealer};
use chorus_model::{Timestamp, cloudevents, origin};
use chorus_runtime::tools::{Feeder, Owned, read_to_end};
use chorus_runtime::topics::{self, Topic};

use crate::config::Config;
use crate::exit::Exit;
use crate::roles::ingest::sealer;

/// Which rejects are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Which {
    /// Only this feed's.
    #[arg(long)]
    pub feed: Option<String>,
    /// Only with this reason.
    #[arg(long)]
    pub reason: Option<String>,
    /// Only of this format.
    #[arg(long)]
    pub format: Option<String>,
    /// Only the one with this id (`partition/offset`, as `list` shows it).
    #[arg(long)]
    pub id: Option<String>,
    /// Only those that were rejected at this time or later (`2026-11-25T08:00:00+08:00`): what was replayed before stays in the topic.
    #[arg(long)]
    pub since: Option<Timestamp>,
}

impl Which {
    fn means(&self, record: &Owned) -> bool {
        let is = |wanted: &Option<String>, header: &str| wanted.is_none() || record.header(header) == wanted.as_deref();
        is(&self.feed, "feed")
            && is(&self.reason, "reason")
            && is(&self.format, "format")
            && self.id.as_deref().is_none_or(|wanted| wanted == id(record))
            && self.since.is_none_or(|since| Timestamp::from_millis(record.timestamp_ms) >= since)
    }
}

/// What is to be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// One line a reject: id, time, feed, format, reason, origin, size. Nothing sealed is opened.
    List(Which),
    /// Writes the record's value to stdout, byte for byte; key and headers to stderr.
    Show {
        /// `partition/offset`, as `list` shows it.
        id: String,
    },
    /// Opens rejects and writes the records to their raw topics again.
    Replay {
        #[command(flatten)]
        which: Which,
        /// Only says what would be sent.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does it.
///
/// # Errors
/// When the broker does not answer, the key does not fit, or there is no such reject.
pub fn run(config: &Config, action: &Action) -> Result<(), Exit> {
    let rejects = resolve(config, &config.topics.name("rejects"))?;
    match action {
        Action::List(which) => list(config, &rejects, which),
        Action::Show { id } => show(config, &rejects, id),
        Action::Replay { which, dry_run } => replay(config, &rejects, which, *dry_run),
    }
}

fn resolve(config: &Config, name: &str) -> Result<Topic, Exit> {
    let [topic] = topics::look_up(&config.kafka, [name.to_owned()])?;
    Ok(topic)
}

fn matching(config: &Config, topic: &Topic, which: &Which) -> Result<Vec<Owned>, Exit> {
    let mut found = Vec::new();
    read_to_end(&config.kafka, &config.topics.tools_group(), topic, |record| {
        if which.means(&record) {
            found.push(record);
        }
    })?;
    found.sort_by_key(|record| (record.partition, record.offset));
    Ok(found)
}

fn id(record: &Owned) -> String {
    format!("{}/{}", record.partition, record.offset)
}

fn list(config: &Config, topic: &Topic, which: &Which) -> Result<(), Exit> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "ID\tTIME\tFEED\tFORMAT\tREASON\tORIGIN\tBYTES")?;
    // As they come: there may be a million, and it may run in a role's own pod.
    let mut written = Ok(());
    read_to_end(&config.kafka, &config.topics.tools_group(), topic, |record| {
        if written.is_ok() && which.means(&record) {
            written = line(&mut out, &record);
        }
    })?;
    written?;
    Ok(out.flush()?)
}

fn line(out: &mut impl std::io::Write, record: &Owned) -> std::io::Result<()> {
    let header = |name: &str| record.header(name).unwrap_or("-");
    writeln!(
        out,
        "{}\t{}\t{}\t{}\t{}\t{}\t{}",
        id(record),
        Timestamp::from_millis(record.timestamp_ms),
        header("feed"),
        header("format"),
        header("reason"),
        header(cloudevents::HEADER_ORIGIN),
        record.value.len()
    )
}

fn opened(sealer: &Sealer, record: &Owned) -> Result<RawRecord, Exit> {
    let origin = record.header(cloudevents::HEADER_ORIGIN).unwrap_or_default();
    Ok(sealer.open(&record.value, origin).with_context(|| format!("reject {}", id(record)))?)
}

fn show(config: &Config, topic: &Topic, wanted: &str) -> Result<(), Exit> {
    let which = Which { id: Some(wanted.to_owned()), ..Which::default() };
    let found = matching(config, topic, &which)?;
    let record = found.first().with_context(|| format!("there is no reject {wanted}; see `chorus rejects list`"))?;
    let raw = opened(&sealer(config)?, record)?;
    eprintln!("key: {}", String::from_utf8_lossy(&raw.key));
    for (name, value) in &raw.headers {
        eprintln!("{name}: {}", String::from_utf8_lossy(value));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&raw.value)?;
    Ok(out.flush()?)
}

/// Sends each that can be opened. One that cannot, sealed with another key, keeps back no other.
fn replay(config: &Config, topic: &Topic, which: &Which, dry_run: bool) -> Result<(), Exit> {
    let found = matching(config, topic, which)?;
    let sealer = if dry_run || found.is_empty() { None } else { Some(sealer(config)?) };
    let mut feeder = Feeder::connect(&config.kafka, "chorus-rejects")?;
    let mut topics = BTreeMap::new();
    let mut sent = Vec::new();
    let mut failed = 0;
    for record in &found {
        let origin = record.header(cloudevents::HEADER_ORIGIN).unwrap_or_default();
        let (raw_topic, ..) = origin::parse(origin).with_context(|| format!("reject {}", id(record)))?;
        let Some(sealer) = &sealer else {
            println!("would send {} to {raw_topic}", id(record));
            continue;
        };
        match opened(sealer, record) {
            Ok(raw) => {
                let to = match topics.entry(raw_topic) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(resolve(config, raw_topic)?),
                };
                send(&mut feeder, to, &raw)?;
                sent.push((id(record), raw_topic));
            }
            Err(error) => {
                failed += 1;
                println!("not sent {}: {error}", id(record));
            }
        }
    }
    feeder.flush(Duration::from_secs(30))?;
    for (id, raw_topic) in &sent {
        println!("sent {id} to {raw_topic}");
    }
    println!("{} rejects {}", found.len() - failed, if dry_run { "would be sent" } else { "sent" });
    if failed == 0 { Ok(()) } else { Err(Exit::Failed(anyhow::anyhow!("{failed} rejects could not be opened"))) }
}

fn send(feeder: &mut Feeder, to: &Topic, raw: &RawRecord) -> Result<(), Exit> {
    let headers: Vec<(&str, &[u8])> =
        raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    Ok(feeder.send(to, &raw.key, &headers, &raw.value)?)
}
