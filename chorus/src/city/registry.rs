//! The city's registry: as values and as files.

use std::path::Path;

use anyhow::Context;
use chorus_runtime::registry::{Device, Place};

use super::City;

impl City {
    /// Every place and every device, for [`chorus_runtime::registry::Registry::from_parts`].
    #[must_use]
    pub fn registry(&self) -> (Vec<Place>, Vec<Device>) {
        (self.world.places(), self.world.devices())
    }

    /// `places.csv`.
    ///
    /// # Errors
    /// None but those of the writer, which does not fail in memory.
    pub fn places_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "name", "kind", "division_code", "lat", "lon", "calendar"])?;
        for site in &self.world.sites {
            let (lat, lon) = (format!("{:.5}", site.lat), format!("{:.5}", site.lon));
            let calendar = site.calendar.unwrap_or_default();
            writer.write_record([&*site.id, &site.name, site.kind.as_str(), &site.division, &lat, &lon, calendar])?;
        }
        writer.into_inner().map_err(|error| anyhow::anyhow!("{}", error.error()))
    }

    /// `devices.csv`.
    ///
    /// # Errors
    /// None but those of the writer, which does not fail in memory.
    pub fn devices_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "channel", "place", "kind", "heartbeat"])?;
        for unit in &self.world.units {
            let heartbeat = if unit.beat > 0 { format!("{}s", unit.beat) } else { String::new() };
            writer.write_record([&*unit.id, "", &self.world.site_of(unit).id, unit.class.as_str(), &heartbeat])?;
        }
        writer.into_inner().map_err(|error| anyhow::anyhow!("{}", error.error()))
    }

    /// Writes `places.csv` and `devices.csv` into a folder.
    ///
    /// # Errors
    /// A file that cannot be written, with its path.
    pub fn write_registry(&self, folder: &Path) -> anyhow::Result<()> {
        for (name, bytes) in [("places.csv", self.places_csv()?), ("devices.csv", self.devices_csv()?)] {
            let path = folder.join(name);
            std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
