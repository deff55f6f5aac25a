//! The city before the shipped rules: a calm one raises nothing, the script raises its four incidents and no more.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chorus_model::{Anomaly, AnomalyStatus, FrontierMark, FrontierTable, Span, Timestamp};
use chorus_processors::detect::{Detector, Roster, RuleSet, Setup};
use chorus_runtime::registry::{Handle, Registry};

use super::City;
use super::tests::Reader;

const FEEDS: [&str; 5] = ["school", "hospital", "gate", "camera", "grid"];

/// A detector of one partition under the shipped rules, which heard of the city two seconds before its start.
struct Watch {
    city: City,
    reader: Reader,
    detector: Detector,
    frontiers: FrontierTable,
    offset: i64,
    now: Timestamp,
}

impl Watch {
    fn new(city: City, start: Timestamp) -> Self {
        let rules = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules"));
        let own = std::env::temp_dir().join(format!(
            "chorus-city-rules-{}-{:?}.yaml",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::write(&own, City::rules_yaml()).unwrap();
        let set = RuleSet::load(&[rules.clone(), own.clone()]).unwrap();
        std::fs::remove_file(own).unwrap();
        let shipped = std::fs::read_to_string(rules.join("roster.yaml")).unwrap();
        let roster = Roster::parse("roster.yaml", &City::roster_over(&shipped, start).unwrap()).unwrap();
        let (places, devices) = city.registry();
        let registry = Handle::fixed(Registry::from_parts(places, devices).unwrap());
        let detector = Detector::new(Setup::new(set, roster, registry).unwrap(), 0, 1);
        let reader = Reader::new(&city);
        let mut watch = Self { city, reader, detector, frontiers: FrontierTable::default(), offset: 0, now: start };
        assert!(watch.pass(start.minus(Span::from_secs(2))).is_empty());
        watch
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Anomaly> {
        for feed in FEEDS {
            self.frontiers.advance(&FrontierMark::new(feed, 1, vec![(0, to)]));
        }
        self.offset += 1;
        self.detector.advance(self.offset, &self.frontiers)
    }

    /// Everything that is found in the next seconds.
    fn watch(&mut self, secs: i64) -> Vec<Anomaly> {
        let mut found = Vec::new();
        for _ in 0..secs {
            let to = self.now.plus(Span::from_secs(1));
            for record in self.city.records(self.now, to) {
                for event in self.reader.read(&record).unwrap_or_default() {
                    self.offset += 1;
                    found.extend(self.detector.event(self.offset, record.feed, &event).anomalies);
                }
            }
            self.now = to;
            found.extend(self.pass(to));
        }
        found
    }
}

#[test]
fn a_calm_city_raises_nothing_at_any_hour() {
    for start in ["2026-11-23T23:20:00.25Z", "2026-11-24T04:00:00Z", "2026-11-24T10:05:00Z", "2026-11-24T18:30:00Z"] {
        let start = start.parse().unwrap();
        let found = Watch::new(City::new(8).calm(), start).watch(240);
        assert!(found.is_empty(), "{start}: {found:?}");
    }
}

#[test]
fn the_script_raises_its_four_incidents_within_half_a_minute_and_nothing_else() {
    for seed in 0..3 {
        let start: Timestamp = "2026-11-23T23:20:00.25Z".parse().unwrap();
        let city = City::new(seed);
        let expected: BTreeSet<_> = city.expected().into_iter().map(|e| (e.place, e.kind.to_owned())).collect();
        let mut watch = Watch::new(city, start);
        let found = watch.watch(30);
        let told: BTreeSet<_> =
            found.iter().map(|a| (a.place.id.as_deref().unwrap().to_owned(), a.kind.to_string())).collect();
        assert!(told.is_superset(&expected), "{told:?}");
        let places: BTreeSet<_> = expected.iter().map(|(place, _)| place).collect();
        assert!(told.iter().all(|(place, _)| places.contains(place)), "{told:?}");
        assert!(found.iter().all(|anomaly| anomaly.status == AnomalyStatus::Firing));
    }
}
