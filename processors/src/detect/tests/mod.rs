//! The detector as a whole: what it tells, what it does not, and that a restart changes nothing.

use std::sync::Arc;

use chorus_model::event::SCHEMA_VERSION;
use chorus_model::{
    Anomaly, AnomalyStatus, Device, DeviceScheme, Event, FrontierMark, FrontierTable, Integrity, Kind, Phase,
    PlaceKind, PlaceRef, SeveritySource, Span, TimeQuality, Timestamp, id,
};
use chorus_runtime::Fate;
use chorus_runtime::registry::{self, Handle, Registry};

use super::{Detector, NO_ANOMALY, NO_RULE, Roster, RuleSet, Setup};

mod canary;
mod crowd;
mod flap;
mod index;
mod outage;
mod replay;
mod reset;
mod rhythm;
mod shipped;
mod withdraw;

/// Monday, 2026-01-05, 08:00 in Nanchang.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

fn at(secs: i64) -> Timestamp {
    START.plus(Span::from_secs(secs))
}

/// An event of the village v1, `secs` after the start.
pub(super) fn event(device: &str, kind: Kind, secs: i64) -> Event {
    Event {
        schema_version: SCHEMA_VERSION,
        event_id: id::derive(&[device, kind.as_str(), &secs.to_string()]),
        source_format: "chorus".into(),
        source_id: None,
        native_id: None,
        native_seq: None,
        device: Device {
            id: device.into(),
            scheme: DeviceScheme::Own,
            channel: None,
            kind: device.split('-').next().map(Arc::from),
        },
        place: village("v1"),
        kind,
        phase: Phase::Pulse,
        object_class: None,
        count: None,
        outcome: None,
        zone: None,
        severity: kind.default_severity(),
        severity_source: SeveritySource::Type,
        event_time: Some(at(secs)),
        time_precision: None,
        time_quality: TimeQuality::Zoned,
        assumed_zone: None,
        received_at: at(secs),
        produced_at: None,
        is_replay: false,
        is_test: false,
        integrity: Integrity::Unchecked,
        geo: None,
        subject_ref: None,
        pii_dropped: Vec::new(),
        raw_ref: None,
        flags: Vec::new(),
    }
}

/// An event with an identity of the device's own.
pub(super) fn native(device: &str, native: &str, secs: i64) -> Event {
    let event_id = id::derive(&["native", device, native]);
    Event { event_id, native_id: Some(native.to_owned()), ..event(device, Kind::GateFault, secs) }
}

fn village(id: &str) -> PlaceRef {
    PlaceRef {
        id: Some(id.into()),
        kind: PlaceKind::Village,
        division_code: Some("360111003004".into()),
        resolved: true,
    }
}

fn registry() -> Registry {
    let place = |id: &str| registry::Place {
        id: id.into(),
        name: None,
        kind: PlaceKind::Village,
        division_code: Some("360111003004".into()),
        lat: None,
        lon: None,
        calendar: None,
    };
    let device = |id: &str, place: &str| registry::Device {
        id: id.into(),
        channel: None,
        place: place.into(),
        kind: Some("gate".into()),
        heartbeat: Some(Span::from_secs(60)),
    };
    let devices = vec![device("gate-1", "v1"), device("gate-2", "v1"), device("gate-9", "v2")];
    Registry::from_parts(vec![place("v1"), place("v2")], devices).unwrap()
}

const ROSTER: &str = "duties: [{id: rounds, kinds: [village], due: [\"08:30\", \"20:30\"], opens: 20m}]";

const ALL_TYPES: &str = r#"
rules:
  - {id: a-fault, when: immediate, kinds: [gate.fault], summary: {zh: "{place} {count}", en: "{place} {count} {devices}"}}
  - {id: b-denied, when: count, kinds: [access.denied], at_least: 3, within: 2m, by: [device], summary: {zh: z, en: "{count} in {within}"}}
  - {id: c-both, when: sequence, first: {kinds: [door.forced]}, then: {kinds: [gate.fault]}, within: 40m, summary: {zh: z, en: e}}
  - {id: d-without, when: sequence, first: {kinds: [video.loss]}, without: {kinds: [video.loss], if: "event.phase == 'end'"}, within: 30m, by: [device], feed: gate, summary: {zh: z, en: e}}
  - {id: e-rounds, when: absence, expect: {kinds: [patrol.checkin]}, duty: rounds, grace: 5m, summary: {zh: z, en: "{count} by {to}"}}
  - {id: f-silent, when: silence, of: device, devices: [gate], missed: 60, feed: gate, summary: {zh: z, en: "{devices} since {from}"}}
  - {id: g-place-silent, when: silence, of: place, devices: [gate, camera], after: 2h, summary: {zh: z, en: "{devices}"}}
  - {id: h-rate, when: baseline, kinds: [vehicle.passed], slot: 12h, min_weeks: 1, alpha: 0.01, summary: {zh: "{why}", en: "{count} not {expected}: {why}"}}
  - {id: j-flap, when: flap, kinds: [door.opened, door.closed], at_least: 4, within: 20m, summary: {zh: z, en: "{count} in {within}"}}
  - {id: k-flap-phases, when: flap, kinds: [gate.fault], at_least: 2, within: 10m, quiet_after: 5m, summary: {zh: z, en: "{count}"}}
  - {id: l-elsewhere, when: immediate, kinds: [door.forced], if: "event.place.id == 'v2'", summary: {zh: z, en: e}}
  - {id: m-value, when: value, kinds: [crowd.density], summary: {zh: "{why}", en: "{why}"}}
  - {id: n-learnt, when: silence, of: device, devices: [camera], learnt: {}, summary: {zh: "{why}", en: "{why}"}}
  - {id: i-drill, when: immediate, kinds: [panic.button], quiet_after: never, if: "local.hour < 99", summary: {zh: z, en: e}}
"#;

fn setup(rules: &str) -> Setup {
    let rules = RuleSet::parse(&[("rules.yaml", rules)]).unwrap();
    Setup::new(rules, Roster::parse("roster.yaml", ROSTER).unwrap(), Handle::fixed(registry())).unwrap()
}

/// A detector with the frontiers of two feeds and the offset of the log.
struct Log {
    detector: Detector,
    table: FrontierTable,
    offset: i64,
    found: Vec<Anomaly>,
    /// That of the latest event.
    fate: Fate,
}

impl Log {
    fn new(rules: &str) -> Self {
        let mut log = Self {
            detector: Detector::new(setup(rules), 0, 1),
            table: FrontierTable::default(),
            offset: 0,
            found: Vec::new(),
            fate: NO_RULE,
        };
        log.pass(0);
        log
    }

    fn fate(&mut self, event: &Event) -> Fate {
        self.event(event);
        self.fate
    }

    fn event(&mut self, event: &Event) {
        self.offset += 1;
        let is_asked_for = self.detector.asks_for(self.offset, "gate", event.kind);
        let found = self.detector.event(self.offset, "gate", event);
        assert!(is_asked_for || found.fate == NO_RULE, "what would not be read changes something");
        self.found.extend(found.anomalies);
        self.fate = found.fate;
    }

    fn mark(&mut self, feed: &str, secs: i64) {
        self.table.advance(&FrontierMark::new(feed, 1, vec![(0, at(secs))]));
        self.offset += 1;
        self.found.extend(self.detector.advance(self.offset, &self.table));
    }

    fn pass(&mut self, secs: i64) {
        self.mark("gate", secs);
        self.mark("camera", secs);
    }

    /// What was told since last time: rule, status, count.
    fn told(&mut self) -> Vec<(String, AnomalyStatus, f64)> {
        self.found.drain(..).map(|anomaly| (anomaly.rule.to_string(), anomaly.status, anomaly.count)).collect()
    }
}

fn firing(rule: &str, count: f64) -> (String, AnomalyStatus, f64) {
    (rule.to_owned(), AnomalyStatus::Firing, count)
}

fn resolved(rule: &str, count: f64) -> (String, AnomalyStatus, f64) {
    (rule.to_owned(), AnomalyStatus::Resolved, count)
}

const FAULT: &str =
    r#"rules: [{id: fault, when: immediate, kinds: [gate.fault, device.offline], summary: {zh: z, en: "{devices}"}}]"#;
const SILENT: &str = r"rules: [{id: silent, when: silence, of: device, devices: [gate], missed: 3, feed: gate, summary: {zh: z, en: e}}]";

#[test]
fn a_storm_of_repeats_is_one_condition_told_when_it_has_doubled_and_at_rest() {
    let mut log = Log::new(FAULT);
    for n in 0..20 {
        assert!(matches!(log.fate(&event("gate-1", Kind::GateFault, 10 + n)), Fate::Forwarded | NO_ANOMALY));
    }
    let counts: Vec<f64> = log.told().iter().map(|(_, _, count)| *count).collect();
    assert_eq!(counts, [1.0, 2.0, 4.0, 8.0, 16.0]);
    log.pass(200);
    assert_eq!(log.told(), [firing("fault", 20.0)]); // the last word, though nothing more came
    log.pass(10_000);
    assert_eq!(log.told(), []);
}

#[test]
fn an_end_resolves_what_a_start_opened_also_when_the_start_was_lost() {
    let phase = |phase: Phase, secs: i64| Event { phase, ..event("gate-1", Kind::GateFault, secs) };
    let mut log = Log::new(FAULT);
    log.event(&phase(Phase::Start, 10));
    log.event(&phase(Phase::Continue, 12));
    log.event(&phase(Phase::End, 20));
    assert_eq!(log.told(), [firing("fault", 1.0), firing("fault", 2.0), resolved("fault", 2.0)]);
    log.event(&phase(Phase::Continue, 40)); // its start was lost
    log.event(&phase(Phase::End, 50));
    assert_eq!(log.told(), [firing("fault", 1.0), resolved("fault", 1.0)]);
    assert_eq!(log.fate(&phase(Phase::End, 60)), NO_ANOMALY);
    log.event(&event("gate-1", Kind::DeviceOffline, 70));
    log.event(&event("gate-1", Kind::DeviceOnline, 80)); // ended by a kind of another name
    assert_eq!(log.told(), [firing("fault", 1.0), resolved("fault", 1.0)]);
}

#[test]
fn trap_20_a_statement_of_state_opens_a_standing_alarm_once_and_nothing_else() {
    let state = |flag: &'static str, secs: i64| Event {
        phase: Phase::Sync,
        flags: vec![flag.into()],
        ..event("gate-1", Kind::GateFault, secs)
    };
    let mut log = Log::new(FAULT);
    log.event(&state("place_unresolved", 10));
    assert_eq!(log.told(), []);
    for n in 0..50 {
        log.event(&state("standing", 20 + n * 3_600));
        log.pass(20 + n * 3_600);
    }
    assert_eq!(log.told(), [firing("fault", 1.0)]);
    log.event(&Event { phase: Phase::End, ..event("gate-1", Kind::GateFault, 200_000) });
    log.event(&state("standing", 200_100));
    assert_eq!(log.told(), [firing("fault", 1.0)]); // a new one after the end; the first was over long ago
}

#[test]
fn trap_09_a_stored_event_counts_and_fires_nothing_at_once() {
    let stored = |kind: Kind, secs: i64, late: i64| Event {
        is_replay: true,
        received_at: at(secs + late),
        ..event("gate-1", kind, secs)
    };
    let mut log = Log::new(ALL_TYPES);
    log.event(&stored(Kind::GateFault, 10, 901));
    assert_eq!(log.told(), []);
    log.event(&stored(Kind::GateFault, 20, 899));
    assert_eq!(log.told(), [firing("a-fault", 1.0)]);
    (0..3).for_each(|n| log.event(&stored(Kind::AccessDenied, 100 + n, 7_200)));
    assert_eq!(log.told(), [firing("b-denied", 3.0)]);
}

#[test]
fn a_drill_never_mixes_with_what_is_real() {
    let mut log = Log::new(FAULT);
    log.event(&event("gate-1", Kind::GateFault, 10));
    log.event(&Event { is_test: true, ..event("gate-1", Kind::GateFault, 11) });
    assert_eq!(log.found.iter().map(|anomaly| anomaly.is_test).collect::<Vec<_>>(), [false, true]);
    assert_ne!(log.found[0].condition, log.found[1].condition);
}

#[test]
fn trap_10_a_device_that_repeats_itself_is_a_duplicate() {
    let mut log = Log::new(FAULT);
    assert_eq!(log.fate(&native("gate-1", "17", 10)), Fate::Forwarded);
    assert_eq!(log.fate(&native("gate-1", "17", 12)), Fate::Duplicate);
    assert_eq!(log.fate(&native("gate-2", "17", 12)), Fate::Forwarded);
    assert_eq!(log.fate(&event("gate-1", Kind::CountFlow, 12)), NO_RULE);
}

#[test]
fn only_what_a_rule_of_the_feed_asks_for_is_read() {
    let mut faults = Log::new(FAULT).detector;
    assert!(faults.asks_for(1, "gate", Kind::GateFault) && faults.asks_for(1, "camera", Kind::GateFault));
    assert!(faults.asks_for(1, "gate", Kind::DeviceOnline), "it ends an absence");
    assert!(!faults.asks_for(1, "gate", Kind::CountFlow));
    let mut silent = Log::new(SILENT).detector;
    assert!(silent.asks_for(1, "gate", Kind::CountFlow) && silent.asks_for(1, "", Kind::CountFlow));
    assert!(!silent.asks_for(1, "camera", Kind::CountFlow));
}

#[test]
fn a_window_takes_events_in_any_order_and_no_more_than_its_length() {
    let denied = |secs: i64| event("door-1", Kind::AccessDenied, secs);
    let mut log = Log::new(ALL_TYPES);
    [300, 100, 500, 421].into_iter().for_each(|secs| log.event(&denied(secs)));
    assert_eq!(log.told(), []);
    log.event(&denied(221));
    assert_eq!(log.told(), []);
    log.event(&denied(419)); // 419, 421, 500
    assert_eq!(log.told(), [firing("b-denied", 3.0)]);
}

#[test]
fn a_without_b_is_judged_by_the_frontier_of_its_feed_alone() {
    let loss = |phase: Phase, secs: i64| Event { phase, ..event("camera-1", Kind::VideoLoss, secs) };
    let mut log = Log::new(ALL_TYPES);
    log.event(&loss(Phase::Start, 10));
    log.mark("camera", 5_000); // another feed's time
    assert_eq!(log.told(), []);
    log.mark("gate", 10 + 1_800); // all before the deadline is in, not what came at it
    assert_eq!(log.told(), []);
    log.mark("gate", 11 + 1_800);
    assert_eq!(log.told(), [firing("d-without", 1.0)]);
    log.event(&loss(Phase::End, 4_000));
    assert_eq!(log.told(), [resolved("d-without", 1.0)]);
    log.event(&loss(Phase::Start, 5_000));
    log.event(&loss(Phase::End, 5_000 + 1_801)); // too late, though no frontier has passed yet
    log.mark("gate", 8_000);
    let told: Vec<_> = log.told().into_iter().filter(|(rule, _, _)| rule == "d-without").collect();
    assert_eq!(told, [firing("d-without", 1.0), resolved("d-without", 1.0)]);
}

#[test]
fn nobody_is_called_silent_because_we_are_late() {
    let mut log = Log::new(SILENT);
    log.event(&event("gate-1", Kind::DeviceHeartbeat, 100));
    log.mark("camera", 50_000);
    log.mark("gate", 170);
    assert_eq!(log.told(), []);
    log.mark("gate", 281);
    // Its heartbeats were due at 160, 220 and 280. The others of the registry were never heard of.
    let silent: Vec<String> = log.found.iter().map(|anomaly| anomaly.devices[0].to_string()).collect();
    assert_eq!(silent, ["gate-2", "gate-1", "gate-9"]); // by their deadlines
    log.told();
    log.event(&event("gate-1", Kind::DeviceOffline, 290)); // said about it, not by it
    assert_eq!(log.told(), []);
    log.event(&event("gate-1", Kind::VehiclePassed, 300));
    assert_eq!(log.told(), [resolved("silent", 1.0)]);
    log.mark("gate", 10_000);
    assert_eq!(log.told(), [firing("silent", 1.0)]);
}

#[test]
fn the_first_frontier_begins_the_time_of_what_was_never_heard_of() {
    let mut detector = Detector::new(setup(SILENT), 0, 1);
    let mut table = FrontierTable::default();
    table.advance(&FrontierMark::new("gate", 1, vec![(0, at(1_000_000))]));
    assert_eq!(detector.advance(1, &table), []);
    table.advance(&FrontierMark::new("gate", 1, vec![(0, at(1_000_181))]));
    assert_eq!(detector.advance(2, &table).len(), 3);
}

#[test]
fn a_duty_is_judged_when_its_grace_has_passed_and_not_when_it_was_due_before_we_listened() {
    let mut log = Log::new(ALL_TYPES);
    log.pass(2_100); // 08:30 and five minutes of grace, not yet over
    assert_eq!(log.told(), []);
    log.pass(2_101);
    let mut told = log.told();
    told.retain(|(rule, _, _)| rule == "e-rounds");
    assert_eq!(told, [firing("e-rounds", 1.0), firing("e-rounds", 1.0)]); // both villages
    log.event(&event("wand-1", Kind::PatrolCheckin, 3_000));
    assert_eq!(log.told(), [resolved("e-rounds", 1.0)]);

    let mut late = Detector::new(setup(ALL_TYPES), 0, 1);
    let mut table = FrontierTable::default();
    for (offset, secs) in [(1, 1_801), (2, 2_200)] {
        for feed in ["gate", "camera"] {
            table.advance(&FrontierMark::new(feed, 1, vec![(0, at(secs))]));
        }
        assert!(late.advance(offset, &table).iter().all(|anomaly| &*anomaly.rule != "e-rounds"));
    }
}

#[test]
fn a_forged_stream_of_fresh_zones_and_devices_does_not_grow_without_bound() {
    let mut log = Log::new(ALL_TYPES);
    for n in 0..3_000 {
        let zone = Some(format!("forged-{n}"));
        log.event(&Event { zone, ..event("gate-1", Kind::GateFault, n) });
        log.event(&native(&format!("gate-x{n}"), "1", n));
        log.event(&event(&format!("camera-x{n}"), Kind::AccessDenied, n));
        log.event(&event(&format!("camera-x{n}"), Kind::VideoLoss, n));
    }
    let captured = log.detector.capture();
    let size = captured.iter().filter_map(|(_, state)| state.as_ref()).map(Vec::len).max().unwrap();
    assert!(size < 600_000, "{size}"); // a record may have 1 MiB
    for n in 0..10_100 {
        let place = PlaceRef::default();
        log.event(&Event { place, ..event(&format!("stranger-{n}"), Kind::GateFault, 10_000 + n) });
    }
    log.detector.capture();
    log.detector.capture();
    assert!(log.detector.size().keys <= 10_002, "{}", log.detector.size().keys);
}

#[test]
fn strangers_that_one_mark_passes_stay_apart_and_leave_when_nothing_is_left_of_them() {
    let mut log = Log::new(FAULT);
    for n in 0..3 {
        let place = PlaceRef::default();
        let fault = Event { place, ..event(&format!("stranger-{n}"), Kind::GateFault, 10) };
        log.event(&fault);
        log.event(&fault);
        log.event(&fault); // told once and twice, and once more at a time that all of them share
    }
    assert_eq!(log.detector.strangers.len(), 3);
    log.pass(100);
    assert_eq!(log.detector.strangers.len(), 3);
    log.pass(100_000);
    assert_eq!(log.detector.strangers.len(), 0);
}

#[test]
fn an_emptied_key_leaves_the_memory_and_the_snapshot() {
    let mut log = Log::new(FAULT);
    log.event(&event("gate-1", Kind::GateFault, 10));
    assert_eq!(log.detector.capture().len(), 1);
    log.pass(100_000);
    let kept = log.detector.capture();
    assert!(matches!(kept.as_slice(), [(key, Some(_))] if key == "v1"));
    assert_eq!(log.detector.capture(), [("v1".to_owned(), None)]);
    assert_eq!(log.detector.size().keys, 0);
}

#[test]
fn a_rule_that_names_an_unknown_duty_is_refused() {
    let rules = ALL_TYPES.replace("duty: rounds", "duty: walks");
    let rules = RuleSet::parse(&[("rules.yaml", &rules)]).unwrap();
    let roster = Roster::parse("roster.yaml", ROSTER).unwrap();
    let error = Setup::new(rules, roster, Handle::fixed(registry())).unwrap_err().to_string();
    assert_eq!(error, "rules.yaml: rule e-rounds: duty: no duty `walks` in the roster, which has: rounds");
}

#[test]
fn state_of_a_rule_that_is_gone_is_dropped_and_does_no_harm() {
    let mut log = Log::new(ALL_TYPES);
    log.event(&event("gate-1", Kind::GateFault, 10));
    let captured = log.detector.capture();
    let mut other = Detector::new(setup(SILENT), 0, 1);
    for (key, state) in captured {
        other.restore(&key, &state.unwrap()).unwrap();
    }
    assert_eq!(other.event(99, "gate", &event("gate-1", Kind::GateFault, 20)).anomalies, []);
    assert!(other.restore("v1", b"{}").is_err());
}
