//! `chorus ingest --feed F`: raw.F to events, and to rejects.

use std::sync::Arc;
use std::time::Duration;

use chorus_ingest::border::Border;
use chorus_ingest::feeds;
use chorus_ingest::seal::Sealer;
use chorus_ingest::task::{self, Feed, Ingest};
use chorus_model::Span;
use chorus_runtime::metrics::FeedMetrics;
use chorus_runtime::registry::Handle;
use chorus_runtime::{Input, Marks, Role, Worker, secret, topics};

use crate::config::Config;
use crate::exit::Exit;
use crate::process::{Process, Running};

/// The clocks of brokers and of ours may disagree by this: frontiers stay so far behind.
const MARGIN: Span = Span::from_millis(1_000);
/// How often a frontier is written.
const MARK_EVERY: Duration = Duration::from_millis(500);

/// Starts the workers of a feed.
///
/// # Errors
/// An unknown feed, a key that cannot be read, or a registry that cannot.
pub fn start(process: &Process, name: &str, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let config = &process.config;
    let row = feeds::by_name(name).ok_or_else(|| {
        let known: Vec<&str> = feeds::FEEDS.iter().map(|feed| feed.name).collect();
        Exit::usage(format!("--feed {name}: no such feed, allowed: {}", known.join(", ")))
    })?;
    let settings = config.feed(name);
    let problem = |(key, message): (&str, String)| Exit::usage(format!("feeds.{name}.{key}: {message}"));
    let accepted = settings.accepted(row).map_err(problem)?;
    let border = Border::new(settings.policy().map_err(problem)?, pseudonyms(config)?);
    let sealer = sealer(config)?;
    let raw = config.topics.raw(name);
    let metrics = FeedMetrics::new(&process.shared.metrics, row.name, &raw);
    process.shared.metrics.declare("ingest", &raw, &task::fates());
    let (shared, registry, topics) = (process.shared.clone(), registry.clone(), config.topics.clone());
    let workers = settings.workers;
    Ok(process.start(&format!("ingest-{name}"), workers, move |number, health| {
        let names = [raw.clone(), topics.name("events"), topics.name("rejects")];
        let [from, events, rejects] = topics::resolve(&shared.kafka, names, &health, &shared.control)?;
        let feed = Arc::new(Feed {
            name: row.name,
            source: format!("/chorus/ingest/{}", row.name).into(),
            accepted: accepted.clone(),
            border: border.clone(),
            sealer: sealer.clone(),
            registry: registry.clone(),
            metrics: metrics.clone(),
            events: events.clone(),
            rejects: rejects.clone(),
        });
        let role = Role {
            name: "ingest",
            group: topics.name(&format!("ingest.{}", row.name)),
            from: from.clone(),
            input: Input::Raw,
            marks: Marks::Write {
                feed: row.name.into(),
                to: events.clone(),
                of: from.partitions,
                margin: MARGIN,
                every: MARK_EVERY,
            },
            snapshots: None,
            deliveries: 0,
            workers,
        };
        Worker::new(role, number, &shared, health, move |_, _| Ingest::new(Arc::clone(&feed)))?.run()
    })?)
}

/// The key that seals rejects.
///
/// # Errors
/// When none is configured, or it cannot be read.
pub fn sealer(config: &Config) -> Result<Sealer, Exit> {
    let file = config.secrets.rejects_key_file.as_deref().ok_or_else(|| {
        Exit::usage("secrets.rejects_key_file: needed: rejected bytes are sealed (openssl rand -hex 32 > FILE)")
    })?;
    Sealer::from_file(file).map_err(|error| Exit::usage(format!("secrets.rejects_key_file: {error}")))
}

/// The key that makes pseudonyms; `None` when none is configured.
///
/// # Errors
/// When it cannot be read, or is too short.
pub fn pseudonyms(config: &Config) -> Result<Option<Arc<[u8]>>, Exit> {
    let Some(file) = config.secrets.pseudonyms_key_file.as_deref() else { return Ok(None) };
    let key = secret::read(file, 32).map_err(|error| Exit::usage(format!("secrets.pseudonyms_key_file: {error}")))?;
    Ok(Some(key.into()))
}

/// The registry of the configuration, watched for changes, with the canaries of every feed.
///
/// # Errors
/// When its files cannot be read or contradict each other.
pub fn registry(config: &Config) -> Result<Handle, Exit> {
    Handle::watch(&config.registry, feeds::names()).map_err(|error| Exit::usage(format!("registry: {error:#}")))
}
