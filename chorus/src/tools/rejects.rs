//! `chorus rejects list|show|replay`: looks at sealed rejects and sends them again.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use chorus_ingest::seal::RawRecord;
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
    let is = |wanted: &Option<String>, record: &Owned, header: &str| {
        wanted.is_none() || record.header(header) == wanted.as_deref()
    };
    read_to_end(&config.kafka, &config.topics.tools_group(), topic, |record| {
        let meant = is(&which.feed, &record, "feed")
            && is(&which.reason, &record, "reason")
            && is(&which.format, &record, "format")
            && which.id.as_deref().is_none_or(|wanted| wanted == id(&record));
        if meant {
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
    for record in matching(config, topic, which)? {
        let header = |name: &str| record.header(name).unwrap_or("-");
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            id(&record),
            Timestamp::from_millis(record.timestamp_ms),
            header("feed"),
            header("format"),
            header("reason"),
            header(cloudevents::HEADER_ORIGIN),
            record.value.len()
        )?;
    }
    Ok(out.flush()?)
}

fn opened(config: &Config, record: &Owned) -> Result<RawRecord, Exit> {
    let origin = record.header(cloudevents::HEADER_ORIGIN).unwrap_or_default();
    let sealer = sealer(config)?;
    Ok(sealer.open(&record.value, origin).with_context(|| format!("reject {}", id(record)))?)
}

fn show(config: &Config, topic: &Topic, wanted: &str) -> Result<(), Exit> {
    let which = Which { id: Some(wanted.to_owned()), ..Which::default() };
    let found = matching(config, topic, &which)?;
    let record = found.first().with_context(|| format!("there is no reject {wanted}; see `chorus rejects list`"))?;
    let raw = opened(config, record)?;
    eprintln!("key: {}", String::from_utf8_lossy(&raw.key));
    for (name, value) in &raw.headers {
        eprintln!("{name}: {}", String::from_utf8_lossy(value));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&raw.value)?;
    Ok(out.flush()?)
}

fn replay(config: &Config, topic: &Topic, which: &Which, dry_run: bool) -> Result<(), Exit> {
    let found = matching(config, topic, which)?;
    let mut feeder = Feeder::connect(&config.kafka, "chorus-rejects")?;
    for record in &found {
        let origin = record.header(cloudevents::HEADER_ORIGIN).unwrap_or_default();
        let (raw_topic, ..) = origin::parse(origin).with_context(|| format!("reject {}", id(record)))?;
        if dry_run {
            println!("would send {} to {raw_topic}", id(record));
            continue;
        }
        let raw = opened(config, record)?;
        let to = resolve(config, raw_topic)?;
        let headers: Vec<(&str, &[u8])> =
            raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        feeder.send(&to, &raw.key, &headers, &raw.value)?;
        println!("sent {} to {raw_topic}", id(record));
    }
    feeder.flush(Duration::from_secs(30))?;
    println!("{} rejects {}", found.len(), if dry_run { "would be sent" } else { "sent" });
    Ok(())
}
