//! `chorus canary`: a drill for each feed and county, every minute, into the raw topics; what becomes of it is measured where alerts
//! are delivered.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use chorus_ingest::task::HEADER_FORMAT;
use chorus_model::{CANARY, Canary, FEEDS, Span};
use chorus_runtime::health::Health;
use chorus_runtime::registry::Handle;
use chorus_runtime::tools::Feeder;
use chorus_runtime::topics::Topic;
use chorus_runtime::{clock, topics};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::exit::Exit;
use crate::process::{Process, Running};

/// How long Kafka may take; then the round counts as failed, and its records are given up.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at whether the end was asked for.
const TICK: Duration = Duration::from_millis(100);

/// The section `canary` of the configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How often, 15s to 1h: one is over 10 s after it came, and must be before the next.
    pub every: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { every: Span::from_secs(60) }
    }
}

impl Settings {
    /// What is wrong beyond shape: (path, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let is_allowed = (Span::from_secs(15)..=Span::from_secs(3_600)).contains(&self.every);
        if is_allowed { Vec::new() } else { vec![("canary.every".to_owned(), "allowed: 15s to 1h".to_owned())] }
    }
}

/// Starts the role.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(process: &Process, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let metrics = &process.shared.metrics;
    for (feed, outcome) in FEEDS.into_iter().flat_map(|feed| ["sent", "failed"].map(|outcome| (feed, outcome))) {
        metrics.canaries.with_label_values(&[feed, outcome]);
    }
    for canary in registry.get().canaries() {
        metrics.canary_sent.with_label_values(&[canary.feed, &*canary.county]);
    }
    let (process, registry) = (process.clone(), registry.clone());
    let running = process.clone().start("canary", 1, move |_, health| run(&process, &registry, &health))?;
    Ok(running)
}

fn run(process: &Process, registry: &Handle, health: &Health) -> anyhow::Result<()> {
    let (config, shared) = (&process.config, &process.shared);
    let names = FEEDS.map(|feed| config.topics.raw(feed));
    let raw = topics::resolve(&shared.kafka, names, health, &shared.control)?;
    let every = config.canary.every.to_std();
    let mut feeder = None;
    let mut next = Instant::now();
    while !shared.control.stopping() {
        health.beat();
        if Instant::now() < next {
            std::thread::sleep(TICK);
            continue;
        }
        next = Instant::now() + every;
        let registry = registry.get();
        let sent = round(process, &mut feeder, registry.canaries(), &raw);
        health.set_ready(sent.is_ok());
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        for canary in registry.canaries() {
            shared.metrics.canaries.with_label_values(&[canary.feed, outcome]).inc();
        }
        if let Err(error) = sent {
            let error = format!("{error:#}");
            tracing::warn!(%error, "canaries not sent, trying again with the next round");
            feeder = None; // what waits in it would come late, beside the next
        }
    }
    Ok(())
}

/// Sends one canary of each and waits until Kafka has them.
fn round(
    process: &Process,
    feeder: &mut Option<Feeder>,
    canaries: &[Canary],
    raw: &[Topic; FEEDS.len()],
) -> anyhow::Result<()> {
    let kafka = &process.shared.kafka;
    let feeder = match feeder {
        Some(feeder) => feeder,
        none => none.insert(Feeder::connect(kafka, "chorus-canary")?),
    };
    for canary in canaries {
        let place = FEEDS.iter().position(|feed| *feed == canary.feed).and_then(|place| raw.get(place));
        let topic = place.context("a feed without a topic")?;
        let id = canary.to_string();
        let headers: [(&str, &[u8]); 1] = [(HEADER_FORMAT, b"chorus")];
        feeder.send(topic, id.as_bytes(), &headers, record(canary).as_bytes())?;
    }
    feeder.flush(PATIENCE)?;
    let now = clock::now().as_millis() as f64 / 1_000.0;
    for canary in canaries {
        process.shared.metrics.canary_sent.with_label_values(&[canary.feed, &*canary.county]).set(now);
    }
    Ok(())
}

/// In our own format, as any device could send it.
fn record(canary: &Canary) -> String {
    let now = clock::now();
    serde_json::json!({
        "specversion": "1.0",
        "id": format!("{canary}-{}", now.as_millis()),
        "source": CANARY,
        "type": "chorus.device.heartbeat",
        "time": now,
        "data": {"device": canary.to_string(), "test": true},
    })
    .to_string()
}
