//! What canaries need of the runtime: a way into Kafka on which every record is accounted for, and what a destination's
//! acknowledgements of them are measured by.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chorus_model::canary::Canary;
use chorus_model::partition::partition_for;
use chorus_model::{Span, Timestamp};

use crate::Metrics;
use crate::config::Kafka;
use crate::health::Health;
use crate::producer::{Sender, Token};
use crate::registry::Handle;
use crate::topics::Topic;

/// A broker that was away is asked this often whether it is back, and for this long.
const ASK_EVERY: Duration = Duration::from_secs(1);
const ASK: Duration = Duration::from_secs(2);

/// Writes records and says which of them the broker has taken. While the broker is away they wait, and nothing fails.
#[derive(Debug)]
pub struct Voice {
    sender: Sender,
    health: Health,
    acknowledged: Vec<Token>,
    asked: Option<Instant>,
}

impl Voice {
    /// Connects. `health` is ready while the broker answers.
    ///
    /// # Errors
    /// When the client cannot be made from the settings.
    pub fn connect(kafka: &Kafka, client_id: &str, health: Health) -> anyhow::Result<Self> {
        let sender = Sender::new(kafka, client_id, Some(health.clone()))?;
        Ok(Self { sender, health, acknowledged: Vec::new(), asked: None })
    }

    /// Hands a record over, to the partition of its key. `tag` comes back from [`Voice::heard`].
    ///
    /// # Errors
    /// When the record is too large, or the producer cannot go on.
    pub fn say(
        &mut self,
        tag: u16,
        topic: &Topic,
        key: &[u8],
        headers: &[(&str, &[u8])],
        value: &[u8],
    ) -> anyhow::Result<()> {
        let partition = partition_for(key, topic.partitions);
        Ok(self.sender.send(&topic.name, partition, Some(key), headers, Some(value), Token::new(tag, 0))?)
    }

    /// The tags of the records that the broker has taken since the last call; waits for none.
    ///
    /// # Errors
    /// A record that could not be delivered.
    pub fn heard(&mut self) -> anyhow::Result<Vec<u16>> {
        self.acknowledged.clear();
        self.sender.acknowledged(&mut self.acknowledged)?;
        if !self.acknowledged.is_empty() || self.answers_again() {
            self.health.broker_answered();
            self.health.set_ready(true);
        }
        Ok(self.acknowledged.iter().filter_map(|token| Some(token.parts()?.0)).collect())
    }

    fn answers_again(&mut self) -> bool {
        if self.health.is_ready() || self.asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY) {
            return false;
        }
        let answers = self.sender.answers(ASK);
        self.asked = Some(Instant::now());
        answers
    }
}

/// The canaries that are to come: of these feeds, in the counties of the registry.
#[derive(Clone, Debug)]
pub struct Canaries {
    /// The feeds through which they go; none where there are to be none.
    pub feeds: Vec<&'static str>,
    /// Where their counties come from.
    pub registry: Handle,
}

/// What a destination is measured by: one series for each canary that is to come, and none for any other.
#[derive(Debug)]
pub struct CanaryMetrics {
    destination: String,
    canaries: Canaries,
    acknowledged: prometheus::GaugeVec,
    latency: prometheus::Histogram,
    counties: Mutex<(u64, BTreeSet<Arc<str>>)>,
}

impl CanaryMetrics {
    /// The series of a destination, all at 0 until something is acknowledged.
    #[must_use]
    pub fn new(metrics: &Metrics, destination: &str, canaries: Canaries) -> Self {
        let measured = Self {
            destination: destination.to_owned(),
            canaries,
            acknowledged: metrics.canary_acknowledged.clone(),
            latency: metrics.canary_latency.with_label_values(&[destination]),
            counties: Mutex::default(),
        };
        measured.is_known("");
        measured
    }

    /// The destination has a canary that was received then, so long afterwards.
    pub fn acknowledged(&self, canary: Canary<'_>, received_at: Timestamp, latency: Span) {
        if !self.canaries.feeds.contains(&canary.feed) || !self.is_known(canary.county) {
            return; // of a feed or county that is no more, or forged
        }
        let gauge = self.acknowledged.with_label_values(&[self.destination.as_str(), canary.feed, canary.county]);
        gauge.set(gauge.get().max(seconds(received_at)));
        self.latency.observe(latency.as_secs_f64().max(0.0));
    }

    /// True for a county of the registry as it is now. Makes the series of counties that are new, and ends those of counties
    /// that are gone, which would be missed for ever.
    fn is_known(&self, county: &str) -> bool {
        let mut known = self.counties.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.canaries.registry.generation();
        if generation != known.0 {
            let now: BTreeSet<Arc<str>> = self.canaries.registry.get().counties().cloned().collect();
            for feed in &self.canaries.feeds {
                for gone in known.1.difference(&now) {
                    // An error would mean that there is no such series.
                    drop(self.acknowledged.remove_label_values(&[self.destination.as_str(), feed, gone]));
                }
                for county in &now {
                    self.acknowledged.with_label_values(&[self.destination.as_str(), feed, county]);
                }
            }
            *known = (generation, now);
        }
        known.1.contains(county)
    }
}

#[allow(clippy::cast_precision_loss)] // microseconds since 1970 fit into a double for another two centuries
fn seconds(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Place, Registry};

    fn registry(counties: &[&str]) -> Registry {
        let place = |county: &&str| Place {
            id: format!("place-{county}").into(),
            name: None,
            kind: chorus_model::PlaceKind::School,
            division_code: Some((*county).into()),
            lat: None,
            lon: None,
            calendar: None,
        };
        let registry = Registry::from_parts(counties.iter().map(place).collect(), Vec::new()).unwrap();
        registry.with_canaries(&["gate", "grid"]).unwrap()
    }

    fn series(metrics: &Metrics) -> Vec<String> {
        let text = metrics.render().unwrap();
        text.lines().filter(|line| line.starts_with("chorus_canary_acknowledged_seconds{")).map(str::to_owned).collect()
    }

    #[test]
    fn every_canary_has_a_series_from_the_start_and_no_other_gets_one() {
        let metrics = Metrics::new().unwrap();
        let canaries = Canaries { feeds: vec!["gate"], registry: Handle::fixed(registry(&["360102", "360111"])) };
        let measured = CanaryMetrics::new(&metrics, "desk", canaries);
        assert_eq!(series(&metrics).len(), 2);
        assert!(series(&metrics).iter().all(|line| line.ends_with(" 0")));
        let at = Timestamp::from_micros(1_795_593_600_000_000);
        for (feed, county) in [("gate", "360102"), ("grid", "360102"), ("gate", "999999")] {
            measured.acknowledged(Canary { feed, county }, at, Span::from_millis(40));
        }
        // An older one that comes later does not turn the time back.
        measured.acknowledged(Canary { feed: "gate", county: "360102" }, at.minus(Span::from_secs(9)), Span::ZERO);
        let mut wanted: Vec<String> = [("360102", "1795593600"), ("360111", "0")]
            .map(|(county, value)| {
                format!(
                    r#"chorus_canary_acknowledged_seconds{{county="{county}",destination="desk",feed="gate"}} {value}"#
                )
            })
            .to_vec();
        wanted.sort();
        assert_eq!(series(&metrics), wanted);
        assert!(metrics.render().unwrap().contains(r#"chorus_canary_latency_seconds_count{destination="desk"} 2"#));
    }

    #[test]
    fn a_county_that_left_the_registry_is_not_missed_and_one_that_came_is() {
        let metrics = Metrics::new().unwrap();
        let handle = Handle::fixed(registry(&["360102"]));
        let measured = CanaryMetrics::new(&metrics, "desk", Canaries { feeds: vec!["gate"], registry: handle.clone() });
        handle.replace(registry(&["360111"]));
        let at = Timestamp::from_micros(1_000_000);
        measured.acknowledged(Canary { feed: "gate", county: "360102" }, at, Span::ZERO);
        let series = series(&metrics);
        assert_eq!(series.len(), 1, "{series:?}");
        assert!(series[0].contains("360111") && series[0].ends_with(" 0"), "{series:?}");
    }
}
