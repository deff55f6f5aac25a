//! What the city promises: counts, readable records, repeatability, a calm background. The script's promises stand beside.

mod script;

use std::collections::{BTreeMap, BTreeSet};

use chorus_ingest::border::{Border, Receipt};
use chorus_ingest::feeds::{self, Settings};
use chorus_ingest::formats;
use chorus_ingest::observation::{Piece, Raw, Reason};
use chorus_model::{Event, Kind, Phase, PlaceKind, Severity, Span, TimeQuality, Timestamp};
use chorus_runtime::registry::Registry;

use super::{City, RawRecord};

/// A Tuesday, 07:20 in Nanchang, not on a whole second.
const START: &str = "2026-11-23T23:20:00.250Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn after(secs: i64) -> Timestamp {
    start().plus(Span::from_secs(secs))
}

/// Reads records as ingest does.
pub(crate) struct Reader {
    registry: Registry,
    border: Border,
}

impl Reader {
    pub(crate) fn new(city: &City) -> Self {
        let (places, devices) = city.registry();
        let policy = Settings::default().policy().unwrap();
        let border = Border::new(policy, Some(b"key".as_slice().into()));
        Self { registry: Registry::from_parts(places, devices).unwrap(), border }
    }

    /// The events of a record, in its own feed and format.
    pub(crate) fn read(&self, record: &RawRecord) -> Result<Vec<Event>, Reason> {
        let feed = feeds::by_name(record.feed).unwrap();
        assert!(feed.formats.contains(&record.format), "{} does not accept {}", feed.name, record.format);
        let format = formats::by_name(record.format).unwrap();
        let raw = Raw { bytes: &record.value, source: Some(&record.source), strict: true };
        let mut pieces = Vec::new();
        format.read(&raw, &mut pieces)?;
        let receipt =
            Receipt { format: format.name, source: Some(&record.source), received_at: record.at, origin: "raw/0/0/0" };
        let admit = |piece| match piece {
            Piece::Event(seen) => Some(self.border.admit(*seen, &receipt, &self.registry)),
            Piece::Rejected(reason) => Some(Err(reason)),
            Piece::Filtered(_) => None,
        };
        pieces.into_iter().filter_map(admit).collect()
    }

    /// The events of everything that is not deliberate nonsense.
    fn events(&self, records: &[RawRecord]) -> Vec<Event> {
        let told = |record: &RawRecord| match self.read(record) {
            Ok(events) if !events.is_empty() => events,
            other => panic!("{} {} at {}: {other:?}", record.feed, record.format, record.at),
        };
        records.iter().filter(|record| !record.broken).flat_map(told).collect()
    }
}

#[test]
fn the_city_has_as_many_places_and_devices_as_it_says() {
    for seed in [1, 42] {
        let (places, devices) = City::new(seed).registry();
        let count = |kind| places.iter().filter(|place| place.kind == kind).count();
        assert_eq!(count(PlaceKind::School), 137);
        assert_eq!(count(PlaceKind::Hospital), 39);
        assert_eq!(count(PlaceKind::Village), 600);
        assert_eq!(count(PlaceKind::Community), 300);
        assert_eq!(count(PlaceKind::Street), 115);
        let of = |kind| devices.iter().filter(move |device| device.kind.as_deref() == Some(kind));
        let beats = |kind| of(kind).map(|device| device.heartbeat).collect::<BTreeSet<_>>();
        assert_eq!((of("gate").count(), beats("gate")), (923, [Some(Span::from_secs(5))].into()));
        assert_eq!((of("camera").count(), beats("camera")), (1_999, [Some(Span::from_secs(60))].into()));
        assert_eq!((of("panel").count(), beats("panel")), (176, [Some(Span::from_secs(30))].into()));
        assert_eq!((of("phone").count(), beats("phone")), (300, [None].into()));
    }
}

#[test]
fn ids_and_names_are_unique_and_divisions_are_nanchangs() {
    let (places, devices) = City::new(7).registry();
    let ids: BTreeSet<_> = devices.iter().map(|device| &device.id).collect();
    assert_eq!(ids.len(), devices.len());
    let names: BTreeSet<_> = places.iter().map(|place| (&place.name, &place.division_code)).collect();
    assert_eq!(names.len(), places.len());
    for place in &places {
        let code = place.division_code.as_deref().unwrap();
        let digits = if place.kind == PlaceKind::Street { 9 } else { 12 };
        assert!(code.starts_with("3601") && code.len() == digits, "{code}");
        assert!((28.2..29.0).contains(&place.lat.unwrap()) && (115.4..116.4).contains(&place.lon.unwrap()));
    }
}

#[test]
fn the_files_hold_the_same_registry() {
    let city = City::new(7);
    let folder = std::env::temp_dir().join(format!("chorus-city-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    city.write_registry(&folder).unwrap();
    let settings = chorus_runtime::registry::Settings {
        places: vec![folder.join("places.csv")],
        devices: vec![folder.join("devices.csv")],
        reload: None,
    };
    let read = Registry::load(&settings).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let (places, devices) = city.registry();
    for place in &places {
        assert_eq!(format!("{:?}", read.place(&place.id).unwrap()), format!("{place:?}"));
    }
    for device in &devices {
        assert_eq!(format!("{:?}", read.device(&device.id, None).unwrap()), format!("{device:?}"));
    }
    assert_eq!(read.devices().count(), devices.len());
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_the_span_is_cut() {
    let whole = City::new(3).records(start(), after(75));
    let mut cut = City::new(3);
    let mut pieces = Vec::new();
    let mut from = start();
    for step in [1_i64, 333, 20, 1_000, 4_100].iter().cycle() {
        let to = from.plus(Span::from_millis(*step)).min(after(75));
        pieces.extend(cut.records(from, to));
        from = to;
        if to == after(75) {
            break;
        }
    }
    assert!(whole == pieces, "{} and {} records", whole.len(), pieces.len());
    assert!(whole.is_sorted_by_key(|record| record.at));
    assert!(whole.iter().all(|record| record.at >= start() && record.at < after(75)));
    assert_ne!(City::new(4).records(start(), after(5)), City::new(3).records(start(), after(5)));
    // A span that was told can be told again.
    assert!(cut.records(start(), after(75)) == whole);
}

#[test]
fn every_record_is_read_by_ingest_and_its_place_is_known_unless_it_is_nonsense() {
    let mut city = City::new(11);
    let reader = Reader::new(&city);
    let records = city.records(start(), after(240));
    let events = reader.events(&records);
    assert!(events.iter().all(|event| event.place.resolved && event.integrity != chorus_model::Integrity::Failed));
    let formats: BTreeSet<_> = events.iter().map(|event| event.source_format.as_ref()).collect();
    assert_eq!(formats.len(), 6, "{formats:?}");
    let broken: Vec<_> = records.iter().filter(|record| record.broken).collect();
    assert!((4..40).contains(&broken.len()), "{}", broken.len());
    for record in broken {
        let read = reader.read(record);
        let known = read.is_ok_and(|events| events.iter().all(|event| event.place.resolved));
        assert!(!known, "{} {} is fine", record.feed, record.format);
    }
}

#[test]
fn devices_tell_the_right_time_but_for_one_panel_that_lives_in_2012() {
    let mut city = City::new(11).calm();
    let events = Reader::new(&city).events(&city.records(start(), after(60)));
    let mut wrong = BTreeSet::new();
    for event in &events {
        match (event.time_quality, event.event_time) {
            (TimeQuality::Zoned | TimeQuality::AssumedZone, Some(time)) => {
                let late = event.received_at.since(time);
                assert!(late >= Span::ZERO && late < Span::from_secs(1), "{} {late}", event.source_format);
            }
            (TimeQuality::Implausible, Some(time)) => {
                assert!(time.to_string().starts_with("2012-"), "{time}");
                wrong.insert(event.device.id.to_string());
            }
            (TimeQuality::Missing, None) => {
                assert!(matches!(event.kind, Kind::DeviceHeartbeat | Kind::DeviceOnline), "{}", event.kind);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong.len(), 1);
}

#[test]
fn every_device_beats_in_its_interval_and_the_feeds_have_their_rates() {
    let mut city = City::new(5).calm();
    let reader = Reader::new(&city);
    let mut beats: BTreeMap<&str, usize> = BTreeMap::new();
    let mut records: BTreeMap<&str, usize> = BTreeMap::new();
    for record in city.records(after(30), after(90)) {
        *records.entry(record.feed).or_default() += 1;
        let is_beat = |event: &Event| event.kind == Kind::DeviceHeartbeat && event.place.resolved;
        if reader.read(&record).is_ok_and(|events| events.iter().any(is_beat)) {
            *beats.entry(record.feed).or_default() += 1;
        }
    }
    let expected = [("camera", 1_999), ("gate", 923 * 12), ("hospital", 39 * 2), ("school", 137 * 2)];
    assert_eq!(beats, expected.into());
    // At half past seven: arrivals at 40 a second, and so on; six deviations of room.
    for (feed, range) in
        [("school", 2_000..2_900), ("hospital", 260..470), ("gate", 13_300..14_600), ("camera", 4_300..5_300)]
    {
        assert!(range.contains(&records[feed]), "{feed}: {}", records[feed]);
    }
    assert!(records["grid"] < 400, "{}", records["grid"]);
}

#[test]
fn a_load_multiplies_the_traffic_and_leaves_the_heartbeats() {
    let count = |load| City::new(5).calm().with_load(load).records(start(), after(10)).len();
    let (none, one, ten) = (count(0.0), count(1.0), count(10.0));
    assert!((2_200..2_700).contains(&none), "{none}");
    assert!(ten - none > 8 * (one - none), "{none} {one} {ten}");
}

#[test]
fn the_background_of_a_whole_day_holds_nothing_that_a_desk_would_act_on() {
    let mut city = City::new(9).calm();
    let reader = Reader::new(&city);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for hour in 0..24 {
        let begin = after(hour * 3_600 + 600);
        for event in reader.events(&city.records(begin, begin.plus(Span::from_secs(60)))) {
            let harmless = match event.kind {
                Kind::AccessDenied => {
                    *refused.entry(event.device.id.to_string()).or_default() += 1;
                    true
                }
                Kind::ReportEvent => event.severity == Severity::Low,
                Kind::DeviceOnline => event.phase == Phase::Sync,
                Kind::DoorForced | Kind::DoorHeldOpen => event.phase == Phase::Sync && event.flags.is_empty(),
                Kind::AccessGranted
                | Kind::ArmingChanged
                | Kind::DeviceHeartbeat
                | Kind::DoorClosed
                | Kind::DoorOpened
                | Kind::ExitRequested
                | Kind::MotionDetected
                | Kind::ObjectDetected
                | Kind::PatrolCheckin
                | Kind::ReportAllSafe
                | Kind::VehiclePassed => true,
                _ => false,
            };
            assert!(harmless, "{} {} at {}", event.kind, event.phase.as_str(), event.received_at);
        }
    }
    assert!(!refused.is_empty() && refused.values().all(|count| *count < 3), "{refused:?}");
}
