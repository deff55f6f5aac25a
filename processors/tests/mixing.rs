//! Law 2 over several partitions: detectors that catch up read one backlog before another, and the alerts of a place are the same.

use std::collections::{BTreeMap, VecDeque};

use chorus_model::partition::partition_for;
use chorus_model::{Alert, FrontierMark, PlaceKind, Span, Timestamp, cloudevents};
use chorus_processors::backtest::{LogBacktest, Rules};
use chorus_processors::detect::{Roster, RuleSet, Setup};
use chorus_processors::fuse;
use chorus_runtime::registry::{Handle, Place, Registry};
use chorus_runtime::tools::Owned;

/// 2026-01-05T00:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);
const PARTITIONS: i32 = 3;
const PLACES: usize = 9;
const HOURS: i64 = 24;

const RULES: &str = r#"
rules:
  - {id: panic, when: immediate, kinds: [panic.button], quiet_after: 10m, severity: critical, summary: {zh: "{place}:报警", en: "{place}: panic"}}
  - {id: held, when: immediate, kinds: [door.held_open], quiet_after: 2h, summary: {zh: "{place}:门", en: "{place}: door"}}
  - {id: refused, when: count, kinds: [access.denied], at_least: 3, within: 5m, quiet_after: 5m, summary: {zh: "{place}:拒", en: "{place}: refused {count}"}}
"#;

fn setup() -> Setup {
    let place = |n| Place {
        id: format!("school-{n}").into(),
        name: Some(format!("School {n}").into()),
        kind: PlaceKind::School,
        division_code: Some("360102001001".into()),
        lat: None,
        lon: None,
        calendar: None,
    };
    let registry = Registry::from_parts((0..PLACES).map(place).collect(), Vec::new()).unwrap();
    Setup::new(RuleSet::parse(&[("rules.yaml", RULES)]).unwrap(), Roster::default(), Handle::fixed(registry)).unwrap()
}

fn record(partition: i32, offset: i64, at: Timestamp, headers: &[(&str, &str)], value: Vec<u8>) -> Owned {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Owned { partition, offset, key: Vec::new(), headers, value, timestamp_ms: at.as_micros() / 1_000 }
}

fn event(partition: i32, offset: i64, at: Timestamp, kind: &str, place: &str) -> Owned {
    let value = serde_json::json!({
        "schema_version": 1, "event_id": format!("{place}{kind}{at}"), "source_format": "chorus",
        "device": {"id": format!("box-{place}"), "scheme": "own", "kind": "panic_button"},
        "place": {"id": place, "type": "school", "division_code": "360102001001", "resolved": true},
        "kind": kind, "phase": "pulse", "severity": "high", "severity_source": "type",
        "event_time": at, "time_quality": "zoned", "received_at": at,
        "is_replay": false, "is_test": false, "integrity": "unchecked",
    });
    let origin = format!("raw.school/{partition}/{offset}/0");
    let headers = [
        (cloudevents::HEADER_TYPE, cloudevents::TYPE_EVENT),
        (cloudevents::HEADER_SOURCE, "/chorus/ingest/school"),
        (cloudevents::HEADER_KIND, kind),
        (cloudevents::HEADER_ORIGIN, origin.as_str()),
    ];
    record(partition, offset, at, &headers, value.to_string().into_bytes())
}

fn mark(partition: i32, offset: i64, at: Timestamp) -> Owned {
    let value = serde_json::to_vec(&FrontierMark::new("school", 1, vec![(0, at)])).unwrap();
    record(partition, offset, at, &[(cloudevents::HEADER_TYPE, cloudevents::TYPE_FRONTIER)], value)
}

/// A day at every place: trouble of each kind comes back within its quiet time, just after it, and hours later. Marks stand every
/// ten seconds in each partition.
fn log() -> Vec<Owned> {
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    let mut next = |partition| {
        let offset = offsets.entry(partition).or_insert(-1);
        *offset += 1;
        *offset
    };
    let mut log = Vec::new();
    for second in (0..HOURS * 3_600).step_by(10) {
        let at = START.plus(Span::from_secs(second));
        for partition in 0..PARTITIONS {
            log.push(mark(partition, next(partition), at));
        }
        for n in 0..PLACES {
            let place = format!("school-{n}");
            let partition = partition_for(place.as_bytes(), PARTITIONS);
            let step = second / 10 + 97 * i64::try_from(n).unwrap();
            let kinds = [("panic.button", step % 61 == 0), ("door.held_open", step % 907 == 0)];
            let refused = ("access.denied", step % 130 < 9 && step % 3 == 0);
            for (kind, _) in kinds.into_iter().chain([refused]).filter(|(_, is_now)| *is_now) {
                log.push(event(partition, next(partition), at, kind, &place));
            }
        }
    }
    for partition in 0..PARTITIONS {
        log.push(mark(partition, next(partition), START.plus(Span::from_secs((HOURS + 4) * 3_600))));
    }
    log
}

/// The revisions of each place as they go to the topic.
fn alerts(log: impl IntoIterator<Item = Owned>) -> BTreeMap<String, Vec<String>> {
    let mut backtest = LogBacktest::new(&setup(), &fuse::Settings::default(), PARTITIONS, Rules::Given);
    let mut alerts: Vec<Alert> = Vec::new();
    for record in log {
        backtest.record(&record, &mut alerts);
    }
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for alert in alerts {
        places.entry(alert.place.id.to_string()).or_default().push(serde_json::to_string(&alert).unwrap());
    }
    places
}

#[test]
fn a_detector_that_reads_one_backlog_before_another_gives_the_same_alerts() {
    let as_written = alerts(log());
    assert_eq!(as_written.len(), PLACES);
    assert!(as_written.values().all(|revisions| revisions.len() > 20), "{:?}", as_written.values().map(Vec::len));

    let mut backlogs: Vec<VecDeque<Owned>> = vec![VecDeque::new(); usize::try_from(PARTITIONS).unwrap()];
    log().into_iter().for_each(|record| backlogs[usize::try_from(record.partition).unwrap()].push_back(record));
    assert!(backlogs.iter().all(|backlog| backlog.len() > 8_640), "a partition has no place");
    assert_eq!(alerts(backlogs.clone().into_iter().flatten()), as_written, "one after the other");

    // In turns of very different lengths.
    let mut mixed = Vec::new();
    for turn in 0..10_000 {
        let backlog = &mut backlogs[turn % 3];
        mixed.extend(backlog.drain(..[700, 3, 4_000, 41][turn % 4].min(backlog.len())));
    }
    assert!(backlogs.iter().all(VecDeque::is_empty));
    assert_eq!(alerts(mixed), as_written, "in turns");
}
