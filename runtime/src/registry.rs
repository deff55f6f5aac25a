//! Places and devices: what the city protects and what speaks there. From CSV or YAML, reloaded without a restart.
//!
//! `places.csv`: `id,name,kind,division_code,lat,lon,calendar`; `devices.csv`: `id,channel,place,kind,heartbeat`. Only `id`
//! (and `place` for a device) must be filled in. A YAML file holds `places:` and `devices:` with the same keys.
//!
//! The canaries' places and devices ([`chorus_model::canary`]) stand in no file: the registry adds them by itself.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chorus_model::canary::{self, Canary};
use chorus_model::place::{UNKNOWN_COUNTY, county_of};
use chorus_model::{PlaceKind, PlaceRef, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

mod handle;

pub use handle::Handle;

/// Where the registry comes from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// CSV or YAML files with places.
    pub places: Vec<PathBuf>,
    /// CSV or YAML files with devices.
    pub devices: Vec<PathBuf>,
    /// How often the files are looked at for changes; absent for 10 s.
    pub reload: Option<Span>,
}

/// A place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its id.
    pub id: Arc<str>,
    /// Its name, for desks.
    #[serde(default)]
    pub name: Option<Arc<str>>,
    /// What sort of place.
    #[serde(default)]
    pub kind: PlaceKind,
    /// Administrative division, 6 to 15 digits.
    #[serde(default)]
    pub division_code: Option<Arc<str>>,
    /// Degrees north.
    #[serde(default)]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    pub lon: Option<f64>,
    /// The calendar of its duties.
    #[serde(default)]
    pub calendar: Option<Arc<str>>,
}

/// A device.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its id, as its format gives it.
    pub id: Arc<str>,
    /// One channel of it, when channels stand at different places.
    #[serde(default)]
    pub channel: Option<Arc<str>>,
    /// The place where it stands.
    pub place: Arc<str>,
    /// `gate`, `door`, `camera`, `panel`, `button`, `phone`, …
    #[serde(default)]
    pub kind: Option<Arc<str>>,
    /// How often it speaks when all is well.
    #[serde(default)]
    pub heartbeat: Option<Span>,
}

/// All places and devices at one version.
#[derive(Debug, Default)]
pub struct Registry {
    /// A hash of the files.
    pub version: String,
    places: HashMap<Arc<str>, Arc<Place>>,
    devices: HashMap<Arc<str>, Vec<Arc<Device>>>,
    /// The counties of the places in the files.
    counties: BTreeSet<Arc<str>>,
    canaries: HashSet<Arc<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    places: Vec<Place>,
    #[serde(default)]
    devices: Vec<Device>,
}

impl Registry {
    /// Reads all files.
    ///
    /// # Errors
    /// An unreadable file, a broken row, or a device at a place that no file names: with file and line.
    pub fn load(settings: &Settings) -> anyhow::Result<Self> {
        let mut registry = Self::default();
        let mut hasher = Sha256::new();
        for path in settings.places.iter().chain(&settings.devices) {
            let text = std::fs::read_to_string(path).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
            hasher.update(text.as_bytes());
            let is_places = settings.places.contains(path);
            registry.read(path, &text, is_places).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        }
        registry.version = hex::encode(hasher.finalize()).chars().take(16).collect();
        registry.check()?;
        Ok(registry)
    }

    /// A registry from values, for tests and the demonstration.
    ///
    /// # Errors
    /// When a device stands at a place that is not there.
    pub fn from_parts(places: Vec<Place>, devices: Vec<Device>) -> anyhow::Result<Self> {
        let mut registry = Self { version: "parts".to_owned(), ..Self::default() };
        places.into_iter().for_each(|place| registry.add_place(place));
        devices.into_iter().for_each(|device| registry.add_device(device));
        registry.check()?;
        Ok(registry)
    }

    /// Adds a place and a device for the canary of each of these feeds in each county.
    ///
    /// # Errors
    /// When a file names a place or a device so.
    pub fn with_canaries(mut self, feeds: &[&str]) -> anyhow::Result<Self> {
        // The places of no county have a partition of `anomalies` of their own, and a city without any place has a chain.
        self.counties = self.places.values().map(|place| county_of(place.division_code.as_deref()).into()).collect();
        if self.counties.is_empty() {
            self.counties.insert(UNKNOWN_COUNTY.into());
        }
        for county in self.counties.clone() {
            for feed in feeds {
                let id: Arc<str> = Canary { feed, county: &county }.id().into();
                let is_taken = self.places.contains_key(&id) || self.devices.contains_key(&id);
                anyhow::ensure!(!is_taken, "{id}: this id is kept for the canary of the feed {feed} in that county");
                self.add_canary(id, &county);
            }
        }
        Ok(self)
    }

    fn add_canary(&mut self, id: Arc<str>, county: &Arc<str>) {
        self.canaries.insert(Arc::clone(&id));
        self.add_place(Place {
            id: Arc::clone(&id),
            name: None,
            kind: PlaceKind::Other,
            division_code: Some(Arc::clone(county)),
            lat: None,
            lon: None,
            calendar: None,
        });
        let kind = Some(Arc::from(canary::NAME));
        self.add_device(Device { place: Arc::clone(&id), id, channel: None, kind, heartbeat: None });
    }

    /// The counties in which canaries speak, in order; none before [`Registry::with_canaries`].
    pub fn counties(&self) -> impl Iterator<Item = &Arc<str>> {
        self.counties.iter()
    }

    /// True for the place of a canary: it is none of the city's.
    #[must_use]
    pub fn is_canary(&self, place: &str) -> bool {
        self.canaries.contains(place)
    }

    fn read(&mut self, path: &Path, text: &str, is_places: bool) -> anyhow::Result<()> {
        if path.extension().is_some_and(|extension| extension == "csv") {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
            if is_places {
                for row in reader.deserialize() {
                    self.add_place(row?);
                }
            } else {
                for row in reader.deserialize() {
                    self.add_device(row?);
                }
            }
            return Ok(());
        }
        let file: File = serde_saphyr::from_str(text)?;
        file.places.into_iter().for_each(|place| self.add_place(place));
        file.devices.into_iter().for_each(|device| self.add_device(device));
        Ok(())
    }

    fn add_place(&mut self, place: Place) {
        self.places.insert(Arc::clone(&place.id), Arc::new(place));
    }

    fn add_device(&mut self, device: Device) {
        self.devices.entry(Arc::clone(&device.id)).or_default().push(Arc::new(device));
    }

    fn check(&self) -> anyhow::Result<()> {
        for device in self.devices.values().flatten() {
            anyhow::ensure!(
                self.places.contains_key(&device.place),
                "device {} stands at place {}, which is not in the registry",
                device.id,
                device.place
            );
        }
        for place in self.places.values() {
            let code = place.division_code.as_deref().unwrap_or("000000");
            anyhow::ensure!(
                (6..=15).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit()),
                "place {}: division_code must be 6 to 15 digits",
                place.id
            );
        }
        Ok(())
    }

    /// A place by its id.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<&Arc<Place>> {
        self.places.get(id)
    }

    /// Every place, in no order.
    pub fn places(&self) -> impl Iterator<Item = &Arc<Place>> {
        self.places.values()
    }

    /// Every device, in no order.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.devices.values().flatten()
    }

    /// A device: the entry of its channel, else the entry without one.
    #[must_use]
    pub fn device(&self, id: &str, channel: Option<&str>) -> Option<&Arc<Device>> {
        let entries = self.devices.get(id)?;
        let of_channel = entries.iter().find(|entry| entry.channel.is_some() && entry.channel.as_deref() == channel);
        of_channel.or_else(|| entries.iter().find(|entry| entry.channel.is_none()))
    }
}

impl Place {
    /// The reference that events carry.
    #[must_use]
    pub fn to_ref(&self) -> PlaceRef {
        PlaceRef {
            id: Some(Arc::clone(&self.id)),
            kind: self.kind,
            division_code: self.division_code.clone(),
            resolved: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(places: &str, devices: &str) -> anyhow::Result<Registry> {
        let mut registry = Registry::default();
        registry.read(Path::new("places.csv"), places, true)?;
        registry.read(Path::new("devices.csv"), devices, false)?;
        registry.check()?;
        Ok(registry)
    }

    const PLACES: &str = "id,name,kind,division_code\nv1,Willow Court,village,360102\n";

    #[test]
    fn a_channel_entry_wins_over_that_of_the_whole_device() {
        let registry = read(PLACES, "id,channel,place,kind,heartbeat\nnvr,,v1,recorder,60s\nnvr,2,v1,gate,\n").unwrap();
        assert_eq!(registry.device("nvr", Some("2")).unwrap().kind.as_deref(), Some("gate"));
        assert_eq!(registry.device("nvr", Some("7")).unwrap().heartbeat, Some(Span::from_secs(60)));
        assert!(registry.device("other", None).is_none());
    }

    #[test]
    fn every_feed_has_a_canary_in_every_county_and_no_file_may_take_its_name() {
        let places =
            "id,name,kind,division_code\nv1,,village,360102003\nv2,,village,360111\nv3,,village,360102\nv4,,village,\n";
        let devices = "id,channel,place,kind,heartbeat\n";
        let registry = read(places, devices).unwrap().with_canaries(&["gate", "grid"]).unwrap();
        let counties: Vec<&str> = registry.counties().map(|county| &**county).collect();
        assert_eq!(counties, [UNKNOWN_COUNTY, "360102", "360111"]);
        assert_eq!(registry.places().count(), 4 + 2 * 3);
        let device = registry.device("canary-gate-360111", None).unwrap();
        let place = registry.place(&device.place).unwrap().to_ref();
        assert_eq!((device.kind.as_deref(), device.heartbeat), (Some(canary::NAME), None));
        assert_eq!((place.id.as_deref(), place.county()), (Some("canary-gate-360111"), "360111"));
        let taken = format!("{PLACES}canary-gate-360102,,village,360102\n");
        let error = read(&taken, devices).unwrap().with_canaries(&["gate"]).unwrap_err().to_string();
        assert!(error.contains("canary-gate-360102"), "{error}");
    }

    #[test]
    fn a_city_without_places_has_a_chain_that_can_break() {
        let registry = Registry::default().with_canaries(&["gate"]).unwrap();
        assert!(registry.place("canary-gate-000000").is_some());
    }

    #[test]
    fn a_device_at_an_unknown_place_is_refused_by_name() {
        let error = read(PLACES, "id,channel,place,kind,heartbeat\ncam,,v9,,\n").unwrap_err().to_string();
        assert!(error.contains("cam") && error.contains("v9"), "{error}");
    }
}
