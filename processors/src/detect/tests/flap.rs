//! What changes its state too often.

use super::*;

const FLAP: &str = r#"
rules:
  - {id: flap, when: flap, kinds: [device.offline, device.online], at_least: 4, within: 10m, summary: {zh: "{count}", en: "{count} within {within}"}}
  - {id: phases, when: flap, kinds: [gate.fault], at_least: 4, within: 10m, by: [device], summary: {zh: z, en: e}}
"#;

fn state(is_online: bool, secs: i64) -> Event {
    event("gate-1", if is_online { Kind::DeviceOnline } else { Kind::DeviceOffline }, secs)
}

#[test]
fn changes_are_counted_and_not_how_often_a_state_is_said() {
    let mut log = Log::new(FLAP);
    (0..50).for_each(|n| log.event(&state(false, 10 + n)));
    (0..50).for_each(|n| log.event(&state(true, 100 + n)));
    log.event(&state(false, 200));
    assert_eq!(log.told(), []);
    log.event(&state(true, 300));
    assert_eq!(log.told(), [firing("flap", 4.0)]);
    log.event(&state(true, 301));
    assert_eq!(log.told(), []);
}

#[test]
fn it_ends_when_nothing_has_changed_for_so_long_and_that_is_told() {
    let mut log = Log::new(FLAP);
    (0..6).for_each(|n| log.event(&state(n % 2 == 1, n * 10)));
    log.pass(120);
    assert_eq!(log.told(), [firing("flap", 4.0), firing("flap", 6.0)]); // the second when it had rested for a minute
    log.pass(50 + 600);
    assert_eq!(log.told(), []);
    log.pass(51 + 600);
    assert_eq!(log.told(), [resolved("flap", 6.0)]);
    log.pass(100_000);
    assert_eq!(log.detector.capture().len(), 1);
    assert_eq!(log.detector.capture(), [("v1".to_owned(), None)], "nothing is remembered of what is at rest");
}

#[test]
fn a_change_that_comes_after_the_end_but_before_time_has_passed_ends_it_all_the_same() {
    let mut log = Log::new(FLAP);
    (0..4).for_each(|n| log.event(&state(n % 2 == 1, n * 10)));
    log.told();
    log.event(&state(false, 1_000));
    assert_eq!(log.told(), [resolved("flap", 4.0)]);
    assert_eq!(log.found, []);
}

#[test]
fn the_phases_of_one_kind_are_two_states_and_statements_are_none() {
    let phase = |phase: Phase, secs: i64| Event { phase, ..event("gate-1", Kind::GateFault, secs) };
    let mut log = Log::new(FLAP);
    for n in 0..20 {
        log.event(&phase(Phase::Sync, n * 10));
        log.event(&phase(Phase::Continue, n * 10 + 1));
    }
    assert_eq!(log.told(), []);
    for n in 0..2 {
        log.event(&phase(Phase::Start, 300 + n * 10));
        log.event(&phase(Phase::End, 301 + n * 10));
    }
    assert_eq!(log.told(), [firing("phases", 4.0)]);
}

#[test]
fn what_is_older_than_the_latest_and_what_is_slow_is_no_flapping() {
    let mut log = Log::new(FLAP);
    log.event(&state(true, 1_000));
    for n in 0..20 {
        log.event(&Event { received_at: at(1_001 + n), is_replay: true, ..state(n % 2 == 1, 500 + n) });
    }
    (0..20).for_each(|n| log.event(&state(n % 2 == 1, 2_000 + n * 201)));
    assert_eq!(log.told(), []);
}

#[test]
fn a_rule_on_more_than_two_states_or_by_kind_is_refused() {
    let error = |rule: &str| RuleSet::parse(&[("rules.yaml", rule)]).unwrap_err().to_string();
    let rule = |kinds: &str, by: &str| {
        format!(
            "rules: [{{id: f, when: flap, kinds: [{kinds}], at_least: 4, within: 10m, by: [{by}], summary: {{zh: z, en: e}}}}]"
        )
    };
    let allowed = "rules.yaml: rule f: rules[0].kinds: allowed: one kind with phases, or a kind and its opposite";
    assert_eq!(error(&rule("door.opened, door.closed, door.forced", "device")), allowed);
    assert_eq!(error(&rule("door.opened, door.opened", "device")), allowed);
    let by = "rules.yaml: rule f: rules[0].by: kind would keep the two states of one thing apart";
    assert_eq!(error(&rule("door.opened, door.closed", "kind")), by);
}
