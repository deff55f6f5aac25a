//! `chorus canary`: a synthetic drill record per feed and county, again and again, so that a broken chain is noticed when
//! nothing else happens in the city.

use std::time::{Duration, Instant};

use chorus_ingest::task::{HEADER_FORMAT, HEADER_SOURCE};
use chorus_model::Timestamp;
use chorus_model::canary::Canary;
use chorus_runtime::canary::{Canaries, Voice};
use chorus_runtime::clock::now;
use chorus_runtime::health::Health;
use chorus_runtime::registry::Handle;
use chorus_runtime::topics::{self, Topic};
use chorus_runtime::{Control, Metrics};

use crate::config::CANARY_FORMAT;
use crate::exit::Exit;
use crate::process::{Process, Running};

/// The connector that canaries come from.
const SOURCE: &str = "chorus-canary";
/// How often the broker's answers are looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Starts the one thread.
///
/// # Errors
/// When it cannot be started.
pub fn start(process: &Process, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let config = &process.config;
    let canaries = config.canaries(registry);
    let every = config.canary.every.to_std();
    let topics = config.topics.clone();
    for feed in &canaries.feeds {
        process.shared.metrics.canary_sent.with_label_values(&[feed]);
        process.shared.metrics.canary_failures.with_label_values(&[feed]);
    }
    let shared = process.shared.clone();
    Ok(process.start("canary", 1, move |_, health| {
        let names: Vec<String> = canaries.feeds.iter().map(|feed| topics.raw(feed)).collect();
        let found = topics::resolve_each(&shared.kafka, &names, &health, &shared.control)?;
        let voice = Voice::connect(&shared.kafka, SOURCE, health.clone())?;
        let ways = found.into_iter().map(Way::new).collect();
        Speaker { canaries: canaries.clone(), ways, voice }.run(every, &shared.control, &shared.metrics, &health)
    })?)
}

/// To one feed.
struct Way {
    topic: Topic,
    /// Records that the broker has not taken yet.
    waiting: u64,
}

impl Way {
    fn new(topic: Topic) -> Self {
        Self { topic, waiting: 0 }
    }
}

struct Speaker {
    canaries: Canaries,
    /// In the order of the feeds.
    ways: Vec<Way>,
    voice: Voice,
}

impl Speaker {
    fn run(mut self, every: Duration, control: &Control, metrics: &Metrics, health: &Health) -> anyhow::Result<()> {
        let mut next = Instant::now();
        while !control.stopping() {
            health.beat();
            self.hear(metrics)?;
            if Instant::now() >= next {
                self.speak(metrics)?;
                next = Instant::now() + every;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// One record a county through each feed. A feed whose broker has not taken the one before gets none: what waits must
    /// not grow while a broker is away.
    fn speak(&mut self, metrics: &Metrics) -> anyhow::Result<()> {
        let registry = self.canaries.registry.get();
        let sent_at = now();
        for (tag, (feed, way)) in (0_u16..).zip(self.canaries.feeds.iter().zip(&mut self.ways)) {
            if way.waiting > 0 {
                metrics.canary_failures.with_label_values(&[feed]).inc();
                continue;
            }
            for county in registry.counties() {
                let (id, value) = record(Canary { feed, county }, sent_at);
                let headers = [(HEADER_FORMAT, CANARY_FORMAT.as_bytes()), (HEADER_SOURCE, SOURCE.as_bytes())];
                self.voice.say(tag, &way.topic, id.as_bytes(), &headers, &value)?;
                way.waiting += 1;
            }
        }
        Ok(())
    }

    fn hear(&mut self, metrics: &Metrics) -> anyhow::Result<()> {
        for tag in self.voice.heard()? {
            let index = usize::from(tag);
            if let (Some(way), Some(feed)) = (self.ways.get_mut(index), self.canaries.feeds.get(index)) {
                way.waiting = way.waiting.saturating_sub(1);
                metrics.canary_sent.with_label_values(&[feed]).inc();
            }
        }
        Ok(())
    }
}

/// The id of a canary and its record, in the format `chorus`. It tells no time of its own: that of its receipt counts.
fn record(canary: Canary<'_>, sent_at: Timestamp) -> (String, Vec<u8>) {
    let id = canary.id();
    let value = serde_json::json!({
        "specversion": "1.0",
        "id": format!("{id}-{}", sent_at.as_micros()),
        "source": SOURCE,
        "type": "chorus.device.heartbeat",
        "data": {"device": id, "phase": "pulse", "test": true},
    });
    (id, value.to_string().into_bytes())
}
