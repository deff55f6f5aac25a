//! The detectors of counts and values behind `baseline` and `value` rules.

use super::*;

const HALF_HOUR: i64 = 1_800;
/// So unlikely a slot never comes: what is told is the detector's.
const RATE: &str = r#"rules: [{id: rate, when: baseline, kinds: [vehicle.passed], slot: 30m, alpha: 1e-12, summary: {zh: z, en: "{count} not {expected}"}}]"#;

/// Passes slots, each with one event that carries a count.
fn slots(log: &mut Log, slots: std::ops::Range<i64>, count: impl Fn(i64) -> i64) {
    for slot in slots {
        log.event(&Event { count: Some(count(slot)), ..event("gate-1", Kind::VehiclePassed, slot * HALF_HOUR + 60) });
        log.pass((slot + 1) * HALF_HOUR + 120);
    }
}

fn usual(slot: i64) -> i64 {
    9 + slot * 7 % 4
}

#[test]
fn a_crowd_that_no_slot_shows_alone_is_told_with_all_that_was_counted_and_resolved_after_it() {
    let mut log = Log::new(RATE);
    let from = 48 * 24;
    slots(&mut log, 0..from, usual);
    assert_eq!(log.told(), []);
    slots(&mut log, from..from + 4, |_| 28);
    let told = std::mem::take(&mut log.found);
    assert!(told.iter().all(|anomaly| anomaly.status == AnomalyStatus::Firing), "{told:?}");
    let last = told.last().unwrap();
    assert_eq!((&*last.kind, last.count), ("anomaly.rate_spike", 4.0 * 28.0));
    assert_eq!((last.from, last.to), (at(from * HALF_HOUR), at((from + 4) * HALF_HOUR)));
    assert!(last.expected.is_some_and(|expected| (30.0..50.0).contains(&expected)), "{:?}", last.expected);
    slots(&mut log, from + 4..from + 10, usual);
    let told = log.told();
    assert_eq!(told.last().map(|told| told.1), Some(AnomalyStatus::Resolved), "{told:?}");
}

#[test]
fn a_source_that_dies_is_a_drop_once() {
    let mut log = Log::new(RATE);
    let dead = 48 * 24 + 20;
    slots(&mut log, 0..dead, usual);
    for slot in dead..dead + 48 * 3 {
        log.pass((slot + 1) * HALF_HOUR + 120);
    }
    let firing = log.found.iter().filter(|anomaly| anomaly.status == AnomalyStatus::Firing);
    let told: Vec<(&str, f64)> = firing.map(|anomaly| (&*anomaly.kind, anomaly.count)).collect();
    assert_eq!(told, [("anomaly.rate_drop", 0.0)]);
}

#[test]
fn what_came_while_time_stood_still_for_too_long_to_be_counted_is_neither_a_drop_nor_the_usual() {
    let mut log = Log::new(RATE);
    let from = 48 * 24;
    slots(&mut log, 0..from, usual);
    for slot in from..from + 40 {
        log.event(&Event { count: Some(usual(slot)), ..event("gate-1", Kind::VehiclePassed, slot * HALF_HOUR + 60) });
    }
    log.pass((from + 40) * HALF_HOUR + 120);
    slots(&mut log, from + 40..from + 48 * 8, usual);
    assert_eq!(log.told(), []);
}

const DENSITY: &str =
    r#"rules: [{id: density, when: value, kinds: [crowd.density], summary: {zh: z, en: "{count} {expected}"}}]"#;

#[test]
fn a_density_unlike_its_past_is_told_by_device_and_an_old_row_is_left_out() {
    let row = |device: &str, row: i64, number: i64| Event {
        count: Some(number),
        ..event(device, Kind::CrowdDensity, row * 300)
    };
    let mut log = Log::new(DENSITY);
    for number in 0..600 {
        log.event(&row("gate-1", number, 20 + number * 7 % 5));
        log.event(&row("gate-2", number, 200 + number * 7 % 5));
    }
    log.found.clear(); // what a flat series tells before it is known
    log.event(&row("gate-1", 700, 90));
    let told = std::mem::take(&mut log.found);
    let [anomaly] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&*anomaly.kind, anomaly.status), ("anomaly.value_high", AnomalyStatus::Firing));
    assert_eq!((anomaly.to, &*anomaly.devices[0]), (at(700 * 300), "gate-1"));
    log.event(&row("gate-2", 500, 900)); // older than the latest
    assert_eq!(log.told(), []);
}
