//! Canaries: an alert of their own every minute, whatever the rules are, and nothing else is ever said of them.

use chorus_model::{Alert, AlertStatus, Severity, canary};

use super::super::canary::{QUIET, may_be_one};
use super::*;
use crate::backtest::Backtest;
use crate::fuse;

const FEEDS: [&str; 5] = ["school", "hospital", "gate", "camera", "grid"];
const EVERY: i64 = 60;

/// Rules that would have something to say of any place and any heartbeat, and of what is not heard of any more.
const NOSY: &str = r#"
rules:
  - {id: a-beat, when: immediate, kinds: [device.heartbeat], summary: {zh: z, en: e}}
  - {id: b-beats, when: count, kinds: [device.heartbeat], at_least: 2, within: 5m, summary: {zh: z, en: e}}
  - {id: c-silent, when: silence, of: device, devices: [canary], learnt: {}, summary: {zh: z, en: e}}
  - {id: d-silent, when: silence, of: place, devices: [canary], after: 20m, summary: {zh: z, en: e}}
  - {id: e-rounds, when: absence, expect: {kinds: [patrol.checkin]}, duty: rounds, grace: 5m, summary: {zh: z, en: e}}
  - {id: f-beat, when: absence, expect: {kinds: [device.heartbeat]}, duty: rounds, grace: 5m, summary: {zh: z, en: e}}
  - {id: g-rate, when: baseline, kinds: [device.heartbeat], slot: 1h, min_weeks: 1, summary: {zh: z, en: e}}
  - {id: h-flap, when: flap, kinds: [device.heartbeat], at_least: 2, within: 10m, quiet_after: 5m, summary: {zh: z, en: e}}
"#;
const EVERYWHERE: &str = "duties: [{id: rounds, kinds: [other, village], due: [\"08:30\", \"20:30\"], opens: 20m}]";

fn with_canaries() -> Handle {
    Handle::fixed(registry().with_canaries(&FEEDS).unwrap())
}

/// As ingest makes it.
fn beat(handle: &Handle, feed: &str, secs: i64) -> Event {
    let id = canary::Canary { feed, county: "360111" }.id();
    let registry = handle.get();
    let device = registry.device(&id, None).unwrap();
    let mut event = Event { is_test: true, ..event(&id, Kind::DeviceHeartbeat, secs) };
    event.place = registry.place(&device.place).unwrap().to_ref();
    event.device.kind.clone_from(&device.kind);
    (event.event_time, event.time_quality) = (None, TimeQuality::Missing);
    event
}

fn setup_of(rules: RuleSet, roster: Roster) -> Setup {
    Setup::new(rules, roster, with_canaries()).unwrap()
}

/// Canaries of every feed for an hour, and then none for a week.
fn alerts_of(setup: Setup) -> Vec<Alert> {
    let handle = setup.registry.clone();
    let mut backtest = Backtest::new(setup, &fuse::Settings::default(), FEEDS);
    let mut alerts = Vec::new();
    for minute in 0..60 {
        for (n, feed) in FEEDS.iter().enumerate() {
            let mut event = beat(&handle, feed, minute * EVERY);
            event.received_at = event.received_at.plus(Span::from_millis(n as i64));
            backtest.event(feed, &event, &mut alerts);
        }
    }
    backtest.pass(at(7 * 86_400), &mut alerts);
    alerts
}

fn only_of_canaries(alerts: &[Alert], why: &str) {
    let at_their_places: Vec<&Alert> = alerts.iter().filter(|a| canary::of_id(&a.place.id).is_some()).collect();
    for alert in &at_their_places {
        assert!(canary::of_alert(alert).is_some(), "{why}: {alert:?}");
        assert_eq!((alert.severity, alert.is_test), (Severity::Info, true), "{why}");
    }
    for feed in FEEDS {
        let id = canary::Canary { feed, county: "360111" }.id();
        let of_feed: Vec<&&Alert> = at_their_places.iter().filter(|alert| *alert.place.id == *id).collect();
        let told: Vec<(u32, AlertStatus, Timestamp)> =
            of_feed.iter().map(|alert| (alert.revision, alert.status, alert.tipped_at)).collect();
        assert_eq!(told.len(), 120, "{why}: {feed}");
        let n = FEEDS.iter().position(|known| *known == feed).unwrap() as i64;
        for (index, pair) in told.chunks(2).enumerate() {
            let (revision, received) = (index as u32 * 2 + 1, at(index as i64 * EVERY).plus(Span::from_millis(n)));
            assert_eq!(pair[0], (revision, AlertStatus::Firing, received), "{why}");
            // Over because time has passed, and for nothing else.
            assert_eq!(pair[1], (revision + 1, AlertStatus::Resolved, received.plus(QUIET)), "{why}");
        }
        assert!(of_feed.iter().all(|alert| alert.alert_id == of_feed[0].alert_id), "{why}: one alert, reopened");
    }
}

#[test]
fn each_canary_fires_and_ends_and_no_rule_whatever_says_another_word_of_it() {
    let roster = || Roster::parse("roster.yaml", EVERYWHERE).unwrap();
    let none = RuleSet::parse(&[]).unwrap();
    only_of_canaries(&alerts_of(setup_of(none, roster())), "no rules");
    let nosy = RuleSet::parse(&[("nosy.yaml", NOSY)]).unwrap();
    let alerts = alerts_of(setup_of(nosy, roster()));
    only_of_canaries(&alerts, "nosy rules");
    // The same rules judge the city's own places: their duty is missed.
    assert!(alerts.iter().any(|alert| &*alert.place.id == "v1"), "{alerts:?}");
}

#[test]
fn the_shipped_rules_say_nothing_of_canaries() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let rules = RuleSet::load(std::slice::from_ref(&folder)).unwrap();
    let roster = Roster::load(&folder.join("roster.yaml")).unwrap();
    only_of_canaries(&alerts_of(setup_of(rules, roster)), "shipped rules");
}

#[test]
fn a_canary_costs_other_events_nothing() {
    let mut log = Log::new(FAULT);
    assert!(!log.detector.asks_for(1, "gate", Kind::DeviceHeartbeat), "heartbeats are not read because of it");
    assert!(may_be_one(Kind::DeviceHeartbeat, b"canary-gate-360111"));
    for (kind, key) in [(Kind::DeviceHeartbeat, "v1"), (Kind::GateFault, "canary-gate-360111")] {
        assert!(!may_be_one(kind, key.as_bytes()), "{kind} {key}");
    }
    // What a canary's device says beside its drills, or what is no drill, is judged as what it says.
    let handle = with_canaries();
    let real = Event { is_test: false, ..beat(&handle, "gate", 10) };
    assert_eq!(log.fate(&real), NO_RULE);
    let fault = Event { kind: Kind::GateFault, ..beat(&handle, "gate", 11) };
    log.event(&fault);
    assert_eq!(log.told(), [firing("fault", 1.0)]);
}

#[test]
fn a_canary_names_the_rules_in_force_and_outlives_their_change_and_a_restart() {
    let mut log = Log::new(FAULT);
    let handle = with_canaries();
    let version = |text: &str| RuleSet::parse(&[("rules.yaml", text)]).unwrap().version;
    assert_ne!(version(FAULT), version(SILENT));
    let beat_at = |log: &mut Log, secs: i64| {
        log.offset += 1;
        log.found.extend(log.detector.event(log.offset, "gate", &beat(&handle, "gate", secs)).anomalies);
    };
    beat_at(&mut log, 10);
    assert_eq!(log.found[0].rules_version, *log.detector.version());
    let file = |name: &str, text: &str| super::super::File { name: name.to_owned(), text: text.to_owned() };
    let publication = super::super::Publication::new(
        vec![file("rules.yaml", SILENT)],
        file("roster.yaml", ROSTER),
        "desk-1",
        at(11),
        Handle::fixed(registry()),
    );
    log.offset += 1;
    assert_eq!(log.detector.publish(log.offset, publication.unwrap()).unwrap(), Some(Vec::new()));
    beat_at(&mut log, 12); // the drill still stands: told when its count has doubled
    let captured = log.detector.capture();
    let mut restored = Detector::new(setup(FAULT), 0, 1);
    for (key, state) in &captured {
        restored.restore(key, state.as_deref().unwrap()).unwrap();
    }
    log.detector = restored;
    for secs in [13, 14, 70] {
        beat_at(&mut log, secs);
    }
    assert_eq!(
        log.told(),
        [firing("canary", 1.0), firing("canary", 2.0), firing("canary", 4.0), firing("canary", 1.0)]
    );
}

#[test]
fn no_file_may_hold_a_rule_of_that_name() {
    let text = "rules: [{id: canary, when: immediate, kinds: [gate.fault], summary: {zh: z, en: e}}]";
    let error = RuleSet::parse(&[("rules.yaml", text)]).unwrap_err();
    assert!(error.path == "rules[0].id" && error.message.contains("built in"), "{error}");
}
