//! What the demo makes for itself: broker, topics, registry, rules, roster, keys, configuration.

use std::thread::JoinHandle;

use anyhow::Context as _;
use chorus_ingest::feeds;
use chorus_model::{Span, Timestamp};
use chorus_processors::detect::Roster;
use chorus_runtime::Control;
use chorus_runtime::clock;
use chorus_runtime::mock::Embedded;
use chorus_runtime::registry::{Handle, Registry};

use super::Arguments;
use super::simulate::Devices;
use crate::city::City;
use crate::config::Config;
use crate::exit::Exit;
use crate::tools::topics::plans;

/// The demo's one destination.
pub const DESTINATION: &str = "centre";
/// The city begins this long after its roster was made: detect must have heard from every feed before, since it does not
/// judge a duty whose time it did not wholly see.
const LEAD: Span = Span::from_secs(6);

/// Everything that the demo stands on; gone when dropped.
#[derive(Debug)]
pub struct Setup {
    /// The configuration of all roles.
    pub config: Config,
    /// Places and devices.
    pub registry: Handle,
    city: City,
    start: Timestamp,
    _broker: Embedded,
    _folder: tempfile::TempDir,
}

impl Setup {
    /// Makes it.
    ///
    /// # Errors
    /// When the temporary folder or the broker cannot be made.
    pub fn make(arguments: &Arguments) -> Result<Self, Exit> {
        let folder = tempfile::Builder::new().prefix("chorus-demo-").tempdir()?;
        for name in ["rejects.key", "pseudonyms.key", "centre.key"] {
            std::fs::write(folder.path().join(name), key()?)?;
        }
        let mut config: Config = configuration("127.0.0.1:1", folder.path(), arguments.port)?;
        let plans = plans(&config);
        let broker = Embedded::start(plans.iter().map(|plan| (plan.name.as_str(), plan.partitions)))?;
        config.kafka.bootstrap = broker.bootstrap();
        let mut city = City::new(arguments.seed);
        if (arguments.speed - 1.0).abs() > f64::EPSILON {
            city = city.with_rhythm(nanchang()?.to_datetime(jiff::Timestamp::now()).time(), arguments.speed);
        }
        let (places, devices) = city.registry();
        let start = clock::now().plus(LEAD);
        Ok(Self {
            config,
            registry: Handle::fixed(Registry::from_parts(places, devices)?.with_canaries(&feeds::names())?),
            city,
            start,
            _broker: broker,
            _folder: folder,
        })
    }

    /// The duties of this city's grid workers; due soon after its start.
    ///
    /// # Errors
    /// None that a test would not have shown.
    pub fn roster(&self) -> Result<Roster, Exit> {
        let text = City::roster_over(crate::shipped::ROSTER, self.start)?;
        Ok(Roster::parse("roster.yaml", &text).map_err(anyhow::Error::from)?)
    }

    /// Lets the devices speak, from now on.
    ///
    /// # Errors
    /// When the producer or the thread cannot be made.
    pub fn devices(&self, control: Control) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
        let devices = Devices::connect(&self.config, self.city.clone(), self.start)?;
        Ok(std::thread::Builder::new().name("devices".to_owned()).spawn(move || devices.run(&control, None))?)
    }
}

/// Written as an operator would write it, so that the demo runs through the same door.
fn configuration(bootstrap: &str, folder: &std::path::Path, port: u16) -> Result<Config, Exit> {
    let folder = folder.display();
    let text = format!(
        "kafka:
  bootstrap: {bootstrap}
  fetch_wait: 10ms
  assignment: {{by: ordinal, ordinal: 0, of: 1}}
topics: {{raw_partitions: 2, events_partitions: 4, alerts_partitions: 2}}
secrets:
  rejects_key_file: {folder}/rejects.key
  pseudonyms_key_file: {folder}/pseudonyms.key
destinations:
  {DESTINATION}: {{type: centre, url: 'http://127.0.0.1:{port}', key_file: {folder}/centre.key}}
center:
  listen: 127.0.0.1:{port}
  database: sqlite://{folder}/centre.db
  key_file: {folder}/centre.key
"
    );
    Ok(chorus_runtime::config::parse(&text, std::iter::empty(), std::path::Path::new("demo"))?)
}

fn key() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok().context("the system gives no random bytes")?;
    Ok(hex::encode(bytes))
}

fn nanchang() -> anyhow::Result<jiff::tz::TimeZone> {
    Ok(jiff::tz::TimeZone::get("Asia/Shanghai")?)
}
