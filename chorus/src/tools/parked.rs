//! `chorus parked list|replay`: alerts that a destination refused, and their delivery once the reason is mended.

use std::collections::BTreeMap;
use std::time::Duration;

use chorus_model::{Alert, AlertStatus, Span, Timestamp};
use chorus_runtime::clock::now;
use chorus_runtime::task::Verdict;
use chorus_runtime::tools::{Owned, read_to_end};
use chorus_runtime::topics::{self, Topic};
use chorus_runtime::{Fate, Metrics};

use crate::config::Config;
use crate::exit::Exit;

/// What is to be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// One line an alert that is parked: when, destination, reason, alert id, revision.
    List {
        /// Only this destination's.
        #[arg(long)]
        destination: Option<String>,
    },
    /// Delivers each alert that is parked for a destination again, at its newest revision: a receiver that has it already
    /// recognises it by its key.
    Replay {
        /// A name under `destinations`.
        #[arg(long)]
        destination: String,
        /// Only says what would be delivered.
        #[arg(long)]
        dry_run: bool,
        /// Also what was firing when it was parked, longer ago than the topic `alerts` reaches back: nobody can say how it went on.
        #[arg(long)]
        old: bool,
    },
}

/// Does it.
///
/// # Errors
/// When the broker does not answer, the destination is not configured, or it refuses an alert again.
pub fn run(config: &Config, action: &Action, runtime: &tokio::runtime::Runtime) -> Result<(), Exit> {
    match action {
        Action::List { destination } => {
            let [topic, _] = both(config)?;
            for (record, alert) in parked(config, &topic, destination.as_deref())? {
                let time = Timestamp::from_millis(record.timestamp_ms);
                let of = |name| record.header(name).unwrap_or("-");
                println!("{time}\t{}\t{}\t{}\t{}", of("destination"), of("reason"), alert.alert_id, alert.revision);
            }
            Ok(())
        }
        Action::Replay { destination, dry_run, old } => runtime.block_on(replay(config, destination, *dry_run, *old)),
    }
}

/// The topics `parked` and `alerts`.
fn both(config: &Config) -> Result<[Topic; 2], Exit> {
    Ok(topics::look_up(&config.kafka, ["parked", "alerts"].map(|name| config.topics.name(name)))?)
}

/// What is parked, in the order in which it came. What is no alert is not shown: nothing but alerts is ever parked.
fn parked(config: &Config, topic: &Topic, destination: Option<&str>) -> Result<Vec<(Owned, Alert)>, Exit> {
    let mut parked = Vec::new();
    read_to_end(&config.kafka, &config.topics.tools_group(), topic, |record| {
        let is_meant = destination.is_none_or(|name| record.header("destination") == Some(name));
        if let Some(alert) = serde_json::from_slice(&record.value).ok().filter(|_| is_meant) {
            parked.push((record, alert));
        }
    })?;
    Ok(parked)
}

/// How long one alert may take: what the destination fails at must not keep the others back.
const PATIENCE: Duration = Duration::from_secs(60);

async fn replay(config: &Config, destination: &str, dry_run: bool, old: bool) -> Result<(), Exit> {
    let Some(settings) = config.destinations.get(destination) else {
        let known: Vec<&str> = config.destinations.keys().map(String::as_str).collect();
        return Err(Exit::usage(format!("--destination {destination}: not one of {}", known.join(", "))));
    };
    let [parked, alerts] = both(config)?;
    let newest = newest(config, (&parked, &alerts), destination)?;
    let delivery = chorus_sinks::open(destination, settings, &Metrics::new()?, parked, None)?;
    let mut refused = 0;
    let reaches_back = now().minus(Span::from_secs(config.topics.retention_hours * 3_600));
    for (id, Newest { revision, value, parked_firing }) in newest {
        if let Some(at) = parked_firing.filter(|at| !old && *at < reaches_back) {
            println!(
                "left {id} at revision {revision}: it was firing at {at}, and how it went on is not known any more (--old)"
            );
            continue;
        }
        if dry_run {
            println!("would deliver {id} at revision {revision}");
            continue;
        }
        let fate = match delivery.take(&value) {
            Verdict::Settled(fate) => fate,
            Verdict::Deferred(deferred) => match tokio::time::timeout(PATIENCE, deferred.job).await {
                Ok(done) => done.fate,
                Err(_) => Fate::Rejected("timeout"),
            },
        };
        match fate {
            Fate::Forwarded => println!("delivered {id} at revision {revision}"),
            // The destination does not want what has become of it.
            Fate::Filtered(why) => println!("left {id} at revision {revision}: {why}"),
            _ => {
                refused += 1;
                println!("not delivered {id} at revision {revision}: {}", fate.reason());
            }
        }
    }
    if refused == 0 { Ok(()) } else { Err(Exit::Failed(anyhow::anyhow!("{refused} alerts were not taken"))) }
}

/// The newest revision that is known of an alert.
#[derive(Default)]
struct Newest {
    revision: u32,
    value: Vec<u8>,
    /// When it was parked, if it was firing then and nothing newer is known.
    parked_firing: Option<Timestamp>,
}

/// The newest revision of each alert that is parked for the destination: what stands in `alerts`, else what is parked.
fn newest(
    config: &Config,
    (parked_topic, alerts): (&Topic, &Topic),
    destination: &str,
) -> Result<BTreeMap<String, Newest>, Exit> {
    let mut newest: BTreeMap<String, Newest> = BTreeMap::new();
    for (record, alert) in parked(config, parked_topic, Some(destination))? {
        let known = newest.entry(alert.alert_id.clone()).or_default();
        if alert.revision >= known.revision {
            let at = Timestamp::from_millis(record.timestamp_ms);
            let parked_firing = (alert.status == AlertStatus::Firing).then_some(at);
            *known = Newest { revision: alert.revision, value: record.value, parked_firing };
        }
    }
    read_to_end(&config.kafka, &config.topics.tools_group(), alerts, |record| {
        let Ok(alert) = serde_json::from_slice::<Alert>(&record.value) else { return };
        if let Some(known) = newest.get_mut(&alert.alert_id).filter(|known| known.revision <= alert.revision) {
            *known = Newest { revision: alert.revision, value: record.value, parked_firing: None };
        }
    })?;
    Ok(newest)
}
