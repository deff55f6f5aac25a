//! The rules that Chorus ships with.

use std::path::Path;

use chorus_runtime::registry::Handle;

use super::super::{Roster, RuleSet, Setup, run_tests};
use super::{Event, Kind, PlaceKind, Registry, at, event, registry};

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")
}

#[test]
fn the_shipped_rules_load_and_every_feed_has_some() {
    let rules = RuleSet::load(&[shipped()]).unwrap();
    let roster = Roster::load(&shipped().join("roster.yaml")).unwrap();
    for feed in ["school", "hospital", "gate", "camera", "grid"] {
        assert!(rules.feeds().contains(feed), "{feed}");
    }
    for rule in rules.written() {
        assert!(rule.summary.zh.contains("{place}") && rule.summary.en.contains("{place}"), "{}", rule.id);
    }
    Setup::new(rules, roster, Handle::fixed(registry())).unwrap();
}

#[test]
fn the_shipped_test_cases_pass() {
    let cases = run_tests(&shipped()).unwrap();
    let failed: Vec<_> = cases.iter().filter(|case| !case.failures.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(cases.len() >= 20, "{}", cases.len());
}

/// Drills of a canary, a minute apart, under the shipped rules and those of one more.
#[test]
fn a_canary_is_found_by_its_own_rule_alone_and_is_never_missed() {
    let registry = Registry::from_parts(
        vec![registry::Place {
            id: "v1".into(),
            name: None,
            kind: PlaceKind::Street,
            division_code: Some("360102".into()),
            lat: None,
            lon: None,
            calendar: None,
        }],
        Vec::new(),
    );
    let registry = registry.unwrap();
    let place = registry.place("canary-gate-360102").unwrap().to_ref();
    let roster = Roster::load(&shipped().join("roster.yaml")).unwrap();
    let rules = RuleSet::load(&[shipped()]).unwrap();
    let setup = Setup::new(rules, roster, Handle::fixed(registry)).unwrap();
    let mut replay = super::super::replay::Replay::new(setup, ["gate"]);
    let mut told = Vec::new();
    for minute in 0..3 * 1_440 {
        let mut canary = Event {
            is_test: true,
            place: place.clone(),
            ..event("canary-gate-360102", Kind::DeviceHeartbeat, minute * 60)
        };
        if minute < 1_440 {
            told.extend(replay.event("gate", &canary));
            // What only looks like one is none: not a drill, or a device of another kind.
            canary.is_test = false;
            assert!(replay.event("gate", &canary).is_empty());
            (canary.is_test, canary.device.kind) = (true, Some("gate".into()));
            assert!(replay.event("gate", &canary).is_empty());
        }
        told.extend(replay.advance(at(minute * 60 + 59)));
    }
    let others: Vec<_> =
        told.iter().filter(|anomaly| &*anomaly.rule != "canary").map(|a| (&a.rule, &a.place.id, &a.devices)).collect();
    assert_eq!(others, []);
    assert_eq!(told.len(), 1_440, "each is told anew, and none is missed when they stop");
    assert!(told.iter().all(|anomaly| &*anomaly.rule == "canary" && anomaly.is_test && &*anomaly.kind == "canary"));
}

#[test]
fn no_rule_can_take_the_canarys_name_and_its_rule_changes_no_version() {
    let error = RuleSet::parse(&[(
        "mine.yaml",
        "rules: [{id: canary, when: immediate, kinds: [panic.button], summary: {zh: z, en: e}}]",
    )]);
    assert!(error.unwrap_err().to_string().contains("already used: built in"));
    let none = RuleSet::parse(&[]).unwrap();
    assert_eq!((none.written().count(), none.version.len()), (0, 16));
}
