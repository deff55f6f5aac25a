//! The shipped rules over a whole city: one cause at many places is one alert.

use std::path::PathBuf;

use chorus_model::{Alert, AlertStatus, Event, PlaceKind, Span, Timestamp};
use chorus_processors::backtest::Backtest;
use chorus_processors::detect::{Roster, RuleSet, Setup};
use chorus_processors::fuse;
use chorus_runtime::registry::{Device, Handle, Place, Registry};

/// 2026-01-05T00:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);
const VILLAGES: usize = 20;

/// A gate's heartbeat, `seconds` after the start, at a village of a county.
fn heartbeat(county: &str, village: usize, seconds: i64) -> Event {
    let at = START.plus(Span::from_secs(seconds));
    let text = serde_json::json!({
        "schema_version": 1, "event_id": format!("{county}{village}{seconds:020}"), "source_format": "chorus",
        "device": {"id": format!("gate-{county}-{village}"), "scheme": "own", "kind": "gate"},
        "place": {"id": format!("village-{county}-{village}"), "type": "village",
                  "division_code": format!("{county}001"), "resolved": true},
        "kind": "device.heartbeat", "phase": "pulse", "severity": "info", "severity_source": "type",
        "event_time": at, "time_quality": "zoned", "received_at": at,
        "is_replay": false, "is_test": false, "integrity": "unchecked",
    });
    Event::read_json(text.to_string().as_bytes()).unwrap()
}

fn setup() -> Setup {
    let each = || ["360102", "360111"].into_iter().flat_map(|county| (0..VILLAGES).map(move |n| (county, n)));
    let place = |(county, n): (&str, usize)| Place {
        id: format!("village-{county}-{n}").into(),
        name: None,
        kind: PlaceKind::Village,
        division_code: Some(format!("{county}001").into()),
        lat: None,
        lon: None,
        calendar: None,
    };
    let device = |(county, n): (&str, usize)| Device {
        id: format!("gate-{county}-{n}").into(),
        channel: None,
        place: format!("village-{county}-{n}").into(),
        kind: Some("gate".into()),
        heartbeat: Some(Span::from_secs(60)),
    };
    let registry = Registry::from_parts(each().map(place).collect(), each().map(device).collect()).unwrap();
    let rules = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules"));
    let roster = Roster::load(&rules.join("roster.yaml")).unwrap();
    Setup::new(RuleSet::load(&[rules]).unwrap(), roster, Handle::fixed(registry)).unwrap()
}

#[test]
fn a_power_cut_in_a_county_is_one_alert_at_the_desk_and_none_elsewhere() {
    let mut backtest = Backtest::new(setup(), &fuse::Settings::default(), ["gate"]);
    let mut alerts: Vec<Alert> = Vec::new();
    for minute in 0..60 {
        for village in 0..VILLAGES {
            let is_dark = (20..40).contains(&minute);
            for county in ["360102", "360111"].into_iter().filter(|county| !is_dark || *county == "360111") {
                let second = minute * 60 + i64::try_from(village).unwrap();
                backtest.event("gate", &heartbeat(county, village, second), &mut alerts);
            }
        }
        if minute == 39 {
            let firing = latest(&alerts).filter(|alert| alert.status == AlertStatus::Firing);
            let firing: Vec<_> = firing.map(|alert| (&*alert.place.id, &*alert.kind, alert.reasons.len())).collect();
            // The village and its gate, by two rules, at each of twenty villages: the list of reasons is full.
            assert_eq!(firing, [("360102", "anomaly.silence", fuse::MAX_REASONS)]);
        }
    }
    assert!(latest(&alerts).all(|alert| alert.status == AlertStatus::Resolved), "{alerts:#?}");
    let taken_over = latest(&alerts).filter(|alert| alert.part_of.is_some()).count();
    assert_eq!((latest(&alerts).count(), taken_over), (3, 2));
}

/// Each alert at its last revision.
fn latest(alerts: &[Alert]) -> impl Iterator<Item = &Alert> {
    let by_id: std::collections::BTreeMap<&str, &Alert> =
        alerts.iter().map(|alert| (alert.alert_id.as_str(), alert)).collect();
    by_id.into_values()
}
