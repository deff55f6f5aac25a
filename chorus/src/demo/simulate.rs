//! The simulated devices as a source of raw records: in the demo, and on a real Kafka (`chorus simulate`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chorus_ingest::feeds::FEEDS;
use chorus_ingest::task::{HEADER_FORMAT, HEADER_SOURCE};
use chorus_model::{Span, Timestamp};
use chorus_runtime::Control;
use chorus_runtime::clock::now;
use chorus_runtime::tools::Feeder;
use chorus_runtime::topics::{self, Topic};

use crate::city::City;
use crate::config::Config;
use crate::exit::Exit;

/// What can be asked of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Another seed is another city.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Ends by itself after this time.
    #[arg(long = "for", value_name = "TIME")]
    pub lasts: Option<Span>,
    /// When the script begins (RFC 3339); now when absent. Give the same to `--write`.
    #[arg(long)]
    pub start: Option<Timestamp>,
    /// Sends nothing: writes places.csv, devices.csv, roster.yaml and city-rules.yaml into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub write: Option<PathBuf>,
}

impl Arguments {
    fn start(&self) -> Timestamp {
        self.start.unwrap_or_else(now)
    }
}

/// How often the devices' records are handed over.
const EVERY: Duration = Duration::from_millis(50);

/// The devices with a way to Kafka.
#[derive(Debug)]
pub struct Devices {
    city: City,
    start: Timestamp,
    feeder: Feeder,
    topics: BTreeMap<&'static str, Topic>,
}

impl Devices {
    /// Connects; the raw topics must be there.
    ///
    /// # Errors
    /// When a topic is missing, or the client cannot be made.
    pub fn connect(config: &Config, city: City, start: Timestamp) -> anyhow::Result<Self> {
        let names: Vec<String> = FEEDS.iter().map(|feed| config.topics.raw(feed.name)).collect();
        let found = topics::look_up_each(&config.kafka, &names)?;
        let topics = FEEDS.iter().map(|feed| feed.name).zip(found).collect();
        Ok(Self { city, start, feeder: Feeder::connect(&config.kafka, "chorus-devices")?, topics })
    }

    /// Speaks until the end is asked for, or until `lasts` is over.
    ///
    /// # Errors
    /// A record that could not be delivered.
    pub fn run(mut self, control: &Control, lasts: Option<Span>) -> anyhow::Result<()> {
        let mut from = self.start.max(now());
        let ends = lasts.map(|span| from.plus(span));
        while !control.stopping() && ends.is_none_or(|ends| from < ends) {
            let begun = Instant::now();
            let to = now();
            if to > from {
                for record in self.city.records(from, to) {
                    let Some(topic) = self.topics.get(record.feed) else { continue };
                    let headers =
                        [(HEADER_FORMAT, record.format.as_bytes()), (HEADER_SOURCE, record.source.as_bytes())];
                    self.feeder.send(topic, record.key.as_bytes(), &headers, &record.value)?;
                }
                from = to;
            }
            std::thread::sleep(EVERY.saturating_sub(begun.elapsed()));
        }
        self.feeder.flush(Duration::from_secs(10))
    }
}

/// Sends the city's records to the configured Kafka.
///
/// # Errors
/// When a topic is missing, or a record could not be delivered.
pub fn run(config: &Config, arguments: &Arguments, runtime: &tokio::runtime::Runtime) -> Result<(), Exit> {
    let control = Control::default();
    runtime.block_on(async { control.ending().map(tokio::spawn) }).map_err(anyhow::Error::from)?;
    let devices = Devices::connect(config, City::new(arguments.seed), arguments.start())?;
    Ok(devices.run(&control, arguments.lasts)?)
}

/// Writes what the roles must know of the city.
///
/// # Errors
/// When a file cannot be written.
pub fn write(arguments: &Arguments, folder: &Path) -> Result<(), Exit> {
    let city = City::new(arguments.seed);
    std::fs::create_dir_all(folder)?;
    city.write_registry(folder)?;
    let roster = City::roster_over(crate::shipped::ROSTER, arguments.start())?;
    std::fs::write(folder.join("roster.yaml"), roster)?;
    Ok(std::fs::write(folder.join("city-rules.yaml"), City::rules_yaml())?)
}
