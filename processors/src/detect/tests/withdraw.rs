//! What stands when its rule leaves, or when there is no room to follow it: no desk keeps an alert that nothing can end.

use std::sync::Arc;

use chorus_model::{AnomalyStatus, Event, Kind, Phase, PlaceRef};
use chorus_runtime::registry::{Handle, Registry};

use super::super::{File, Publication};
use super::{Detector, FAULT, Log, ROSTER, Roster, RuleSet, SILENT, Setup, at, event, firing, registry, resolved};

fn publication(rules: &str, roster: &str, secs: i64) -> Publication {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let (rules, roster) = (vec![file("rules.yaml", rules)], file("roster.yaml", roster));
    Publication::new(rules, roster, "desk-1", at(secs), Handle::fixed(registry())).unwrap()
}

impl Log {
    fn publish(&mut self, rules: &str, secs: i64) {
        self.publish_with(rules, ROSTER, secs);
    }

    fn publish_with(&mut self, rules: &str, roster: &str, secs: i64) {
        self.offset += 1;
        let publication = publication(rules, roster, secs);
        self.found.extend(self.detector.publish(self.offset, publication).unwrap().unwrap_or_default());
    }
}

fn fault(rest: &str) -> String {
    format!("rules: [{{id: fault, when: immediate, kinds: [gate.fault], {rest} summary: {{zh: z, en: e}}}}]")
}

#[test]
fn a_device_that_is_silent_under_a_rule_that_leaves_is_not_silent_for_ever() {
    let mut log = Log::new(SILENT);
    log.event(&event("gate-2", Kind::DeviceHeartbeat, 10));
    log.pass(300);
    assert_eq!(log.told(), vec![firing("silent", 1.0); 3]);
    let before = Arc::clone(log.detector.version());
    log.publish(&SILENT.replace("id: silent", "id: mute"), 310);
    let ended: Vec<&str> = log.found.iter().map(|anomaly| &*anomaly.condition).collect();
    assert_eq!(ended, ["silent|v1|gate-1", "silent|v1|gate-2", "silent|v2|gate-9"], "by name, not by chance");
    let one = &log.found[0];
    assert_eq!((&one.rules_version, one.tipped_at, one.to), (&before, at(310), at(310)));
    assert_eq!(log.told(), vec![resolved("silent", 1.0); 3]);
    log.pass(320); // the new rule listens from here
    assert_eq!(log.told(), []);
    log.pass(600);
    assert_eq!(log.told(), vec![firing("mute", 1.0); 3]);
    log.publish(&SILENT.replace("id: silent", "id: mute").replace("of: device", "of: place"), 610);
    assert_eq!(log.told(), vec![resolved("mute", 1.0); 3]);
    log.pass(620);
    log.pass(900);
    assert_eq!(log.told(), [firing("mute", 2.0), firing("mute", 1.0)]);
    log.publish(FAULT, 910);
    assert_eq!(log.told(), [resolved("mute", 2.0), resolved("mute", 1.0)]);
}

#[test]
fn what_only_an_end_ends_is_ended_by_any_change_that_loses_it_and_by_no_other() {
    let mut log = Log::new(&fault("quiet_after: never,"));
    log.event(&Event { phase: Phase::Start, ..event("gate-1", Kind::GateFault, 10) });
    log.event(&Event { phase: Phase::Start, is_test: true, ..event("gate-2", Kind::GateFault, 11) });
    assert_eq!(log.told(), [firing("fault", 1.0), firing("fault", 1.0)]);
    log.publish(&fault("quiet_after: never, severity: high,"), 20);
    assert_eq!(log.told(), [], "the rule is still there");
    log.publish(&fault("quiet_after: never, by: [device],"), 30);
    let mut is_test: Vec<bool> = log.found.iter().map(|anomaly| anomaly.is_test).collect();
    is_test.sort_unstable();
    assert_eq!(is_test, [false, true], "a drill ends as a drill");
    assert_eq!(log.told(), [resolved("fault", 1.0), resolved("fault", 1.0)]);
    log.event(&event("gate-1", Kind::GateFault, 40));
    log.publish(&fault("quiet_after: 10m, by: [device],"), 50);
    assert_eq!(log.told(), [firing("fault", 1.0), resolved("fault", 1.0)], "a desk was told that it is never quiet");
    log.event(&event("gate-1", Kind::GateFault, 60));
    log.publish(SILENT, 70);
    assert_eq!(log.told(), [firing("fault", 1.0)], "that it ends by being quiet is known");
}

#[test]
fn a_rule_that_looks_at_less_misses_nobody_whom_it_does_not_hear() {
    let rules = |devices: &str, rest: &str| {
        format!(
            "rules: [{{id: silent, when: silence, of: device, devices: {devices}, after: 5m, {rest} summary: {{zh: z, en: e}}}}]"
        )
    };
    let mut log = Log::new(&rules("[gate, cam]", ""));
    log.event(&event("cam-1", Kind::DeviceHeartbeat, 10));
    log.publish(&rules("[gate, cam, door]", ""), 20);
    log.pass(315);
    assert_eq!(log.told().len(), 4, "a rule that looks at more goes on: three gates and the camera");
    log.publish(&rules("[cam]", ""), 320);
    assert_eq!(log.told(), vec![resolved("silent", 1.0); 4]);
    log.event(&event("cam-1", Kind::DeviceHeartbeat, 330));
    for (rest, secs) in [("places: [school],", 340), ("feed: camera,", 440)] {
        log.publish(&rules("[cam]", ""), secs);
        log.event(&event("cam-1", Kind::DeviceHeartbeat, secs + 1));
        log.publish(&rules("[cam]", rest), secs + 2);
        log.pass(secs + 3_600);
        assert_eq!(log.told(), [], "{rest}");
    }
}

#[test]
fn a_silent_device_that_has_to_make_room_is_not_silent_for_ever() {
    let rules = "rules: [{id: silent, when: silence, of: device, devices: [cam], after: 5m, feed: gate, summary: {zh: z, en: e}}]";
    let mut log = Log::new(rules);
    log.event(&event("cam-first", Kind::DeviceHeartbeat, 10));
    log.pass(400);
    assert_eq!(log.told(), [firing("silent", 1.0)]);
    for n in 0..511 {
        log.event(&event(&format!("cam-{n}"), Kind::DeviceHeartbeat, 500));
    }
    assert_eq!(log.told(), []);
    log.event(&event("cam-last", Kind::DeviceHeartbeat, 510));
    assert_eq!(log.found[0].condition, "silent|v1|cam-first");
    assert_eq!(log.told(), [resolved("silent", 1.0)]);
}

#[test]
fn a_stranger_that_has_to_make_room_leaves_nothing_standing() {
    let lost = |device: &str, secs| Event { place: PlaceRef::default(), ..event(device, Kind::GateFault, secs) };
    let mut log = Log::new(&fault("quiet_after: never,"));
    for n in 0..10_000 {
        log.event(&lost(&format!("stranger-{n}"), 10 + n));
    }
    assert!(log.found.drain(..).all(|anomaly| anomaly.status == AnomalyStatus::Firing));
    log.event(&lost("one-more", 20_000));
    assert_eq!(&*log.found[1].devices[0], "stranger-0");
    assert_eq!(log.told(), [firing("fault", 1.0), resolved("fault", 1.0)]);
}

#[test]
fn a_change_of_what_silence_is_lets_go_whom_it_does_not_judge_and_tells_the_others_anew() {
    let rules = |rest: &str| {
        format!(
            "rules: [{{id: silent, when: silence, of: device, devices: [gate, cam], {rest}, summary: {{zh: z, en: e}}}}]"
        )
    };
    let mut log = Log::new(&rules("after: 5m"));
    for device in ["cam-1", "gate-1"] {
        log.event(&event(device, Kind::DeviceHeartbeat, 10));
    }
    log.pass(400);
    assert_eq!(log.told(), vec![firing("silent", 1.0); 4]);
    log.publish(&rules("missed: 3"), 410);
    log.pass(420);
    assert_eq!(log.found[0].condition, "silent|v1|cam-1", "it has no heartbeat that could be missed");
    assert_eq!(log.told(), [resolved("silent", 1.0)]);
    log.publish(&rules("missed: 3, quiet_after: 24h"), 430);
    assert_eq!(log.told(), vec![resolved("silent", 1.0); 3], "a desk was told that it is never quiet");
    log.pass(440);
    assert_eq!(log.told(), vec![firing("silent", 1.0); 3], "they are silent all the same");
    log.publish(FAULT, 450);
    assert_eq!(log.told(), [], "these end by being quiet");
}

#[test]
fn a_silent_device_that_leaves_the_registry_is_let_go_though_nobody_speaks_there() {
    let mut log = Log::new(SILENT);
    let handle = Handle::fixed(registry());
    let rules = RuleSet::parse(&[("rules.yaml", SILENT)]).unwrap();
    let setup = Setup::new(rules, Roster::parse("roster.yaml", ROSTER).unwrap(), handle.clone()).unwrap();
    log.detector = Detector::new(setup, 0, 1);
    log.pass(10);
    log.pass(400);
    assert_eq!(log.told(), vec![firing("silent", 1.0); 3]);
    let known = registry();
    let places = known.places().map(|place| (**place).clone()).collect();
    let devices = known.devices().filter(|device| &*device.id == "gate-1").map(|device| (**device).clone()).collect();
    handle.replace(Registry::from_parts(places, devices).unwrap());
    log.pass(410);
    let let_go: Vec<&str> = log.found.iter().map(|anomaly| &*anomaly.condition).collect();
    assert_eq!(let_go, ["silent|v1|gate-2", "silent|v2|gate-9"]);
    assert_eq!(log.told(), vec![resolved("silent", 1.0); 2]);
}

#[test]
fn a_duty_that_binds_a_place_no_more_is_not_missed_there() {
    let rules = r"rules: [{id: rounds, when: absence, expect: {kinds: [patrol.checkin]}, duty: rounds, grace: 5m, quiet_after: never, summary: {zh: z, en: e}}]";
    let schools = ROSTER.replace("[village]", "[school]");
    let mut log = Log::new(rules);
    log.pass(3_600);
    assert_eq!(log.told(), vec![firing("rounds", 1.0); 2]);
    log.publish_with(rules, &schools, 3_610);
    log.pass(3_620);
    assert_eq!(log.told(), vec![resolved("rounds", 1.0); 2]);
    log.pass(14 * 3_600); // the round of the evening
    log.publish(rules, 14 * 3_600);
    log.pass(14 * 3_600 + 60);
    assert_eq!(log.told(), [], "what was due while it did not bind is nobody's business");
}

#[test]
fn of_a_hundred_dark_cameras_each_is_told_and_each_ends_and_of_more_none_stands_for_ever() {
    let rules = r"rules: [{id: dark, when: sequence, first: {kinds: [device.offline]}, without: {kinds: [device.online]}, within: 5m, by: [device], quiet_after: never, summary: {zh: z, en: e}}]";
    let told = |log: &mut Log, status| {
        let mut conditions: Vec<String> =
            log.found.drain(..).filter(|anomaly| anomaly.status == status).map(|anomaly| anomaly.condition).collect();
        conditions.sort();
        conditions.dedup();
        conditions.len()
    };
    for (cameras, let_go) in [(100, 0), (600, 344)] {
        let mut log = Log::new(rules);
        for n in 0..cameras {
            log.event(&event(&format!("cam-{n}"), Kind::DeviceOffline, 10 + n / 10));
        }
        log.pass(1_000);
        let ended = log.found.iter().filter(|anomaly| anomaly.status == AnomalyStatus::Resolved).count();
        assert_eq!(ended, let_go, "{cameras}");
        assert_eq!(told(&mut log, AnomalyStatus::Firing), usize::try_from(cameras).unwrap());
        for n in 0..cameras {
            log.event(&event(&format!("cam-{n}"), Kind::DeviceOnline, 2_000 + n));
        }
        assert_eq!(let_go + told(&mut log, AnomalyStatus::Resolved), usize::try_from(cameras).unwrap());
    }
}

#[test]
fn what_a_torn_snapshot_holds_of_rules_that_are_to_come_is_kept() {
    let mute = SILENT.replace("id: silent", "id: mute");
    let mut log = Log::new(FAULT);
    log.publish(&mute, 5); // the first ever
    log.pass(10);
    log.pass(400);
    assert_eq!(log.told(), vec![firing("mute", 1.0); 3]);
    let captured = log.detector.capture();
    let mut again = Log::new(FAULT);
    for (key, state) in &captured {
        again.detector.restore(key, state.as_deref().unwrap()).unwrap();
    }
    // Its marker did not arrive: the replay begins ahead of the publication, and is quiet.
    again.offset = 0;
    again.pass(0);
    again.publish(&mute, 5);
    again.pass(10);
    again.pass(400);
    again.found.clear();
    again.event(&event("gate-1", Kind::DeviceHeartbeat, 500));
    assert_eq!(again.told(), [resolved("mute", 1.0)]);
}

#[test]
fn a_rule_that_tells_no_end_must_say_when_it_is_over() {
    let text = "rules: [{id: x, when: value, kinds: [crowd.density], quiet_after: never, summary: {zh: z, en: e}}]";
    let error = RuleSet::parse(&[("rules.yaml", text)]).unwrap_err();
    assert_eq!(error.path, "rules[0].quiet_after");
}

#[test]
fn a_kind_that_the_centre_would_refuse_is_refused_with_the_rule() {
    for (kind, is_taken) in [("anomaly.night-visit_2", true), ("夜间闯入", false), ("door forced", false), ("", false)]
    {
        let text = format!(
            "rules: [{{id: x, when: immediate, kinds: [door.forced], kind: '{kind}', summary: {{zh: z, en: e}}}}]"
        );
        let path = RuleSet::parse(&[("rules.yaml", &text)]).err().map(|error| error.path);
        assert_eq!(path, (!is_taken).then(|| "rules[0].kind".to_owned()), "{kind}");
    }
}
