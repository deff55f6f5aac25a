//! The load: raw records of the simulated city.

use std::collections::BTreeMap;

use anyhow::Result;
use chorus::city::{City, RawRecord};
use chorus_model::{Span, Timestamp};
use chorus_tests::deployment::{FEEDS, Plan};

use super::bare::Plain;

/// Times the city's ordinary traffic; its heartbeats stay.
const LOAD: f64 = 10.0;
/// The city begins so long before now, that what it says is past when it is read, and yet plausible.
const BEFORE: Span = Span::from_secs(1_800);
/// The longest that the city is asked about: its whole past.
const SECONDS: i64 = 1_500;

/// A calm city in its morning rush, and how far it has been asked.
pub(crate) struct Source {
    city: City,
    from: Timestamp,
}

impl Source {
    /// The city from its beginning. Its records depend on the seed and on the instant of the call.
    pub(crate) fn new() -> Source {
        let city = City::new(1).calm().with_load(LOAD).with_rhythm(jiff::civil::time(8, 0, 0, 0), 1.0);
        Source { city, from: Timestamp::from(jiff::Timestamp::now()).minus(BEFORE) }
    }

    /// What the city says in its next second.
    pub(crate) fn second(&mut self) -> Vec<RawRecord> {
        let to = self.from.plus(Span::from_secs(1));
        let records = self.city.records(self.from, to);
        self.from = to;
        records
    }

    /// At least so many records of all feeds, as they come.
    pub(crate) fn mixed(&mut self, count: usize) -> Vec<RawRecord> {
        let mut records = Vec::new();
        while records.len() < count {
            records.extend(self.second());
        }
        records
    }

    /// So many records of each feed. Of a feed that says less in half an hour, the same again.
    pub(crate) fn by_feed(&mut self, count: usize) -> BTreeMap<&'static str, Vec<RawRecord>> {
        let mut feeds: BTreeMap<&str, Vec<RawRecord>> = FEEDS.iter().map(|feed| (*feed, Vec::new())).collect();
        for _ in 0..SECONDS {
            if feeds.values().all(|records| records.len() >= count) {
                break;
            }
            for record in self.second() {
                if let Some(records) = feeds.get_mut(record.feed).filter(|records| records.len() < count) {
                    records.push(record);
                }
            }
        }
        for records in feeds.values_mut() {
            let said = records.clone();
            while !said.is_empty() && records.len() < count {
                records.extend(said.iter().take(count - records.len()).cloned());
            }
        }
        feeds
    }

    /// The city's registry and roster in a plan, topics under `prefix`, partitions assigned by hand so that a role can be
    /// stopped for as long as it takes to write its input.
    pub(crate) fn plan(&self, prefix: &str) -> Result<Plan> {
        Ok(Plan {
            prefix: prefix.to_owned(),
            receiver: "http://127.0.0.1:1".to_owned(),
            places: String::from_utf8(self.city.places_csv()?)?,
            devices: String::from_utf8(self.city.devices_csv()?)?,
            assignment: "{by: ordinal, ordinal: 0, of: 1}".to_owned(),
            topics: "raw_partitions: 6, events_partitions: 12, alerts_partitions: 4".to_owned(),
            snapshot_every: "30s".to_owned(),
            ..Plan::default()
        })
    }
}

/// As a connector would write it.
pub(crate) fn plain(record: &RawRecord) -> Plain {
    let headers = vec![
        ("format".to_owned(), record.format.as_bytes().to_vec()),
        ("source".to_owned(), record.source.as_bytes().to_vec()),
    ];
    Plain { partition: None, key: record.key.as_bytes().to_vec(), headers, value: record.value.clone() }
}
