//! What stands when its rule leaves, or when there is no room to follow it: no desk keeps an alert that nothing can end.

use std::sync::Arc;

use chorus_model::{AnomalyStatus, Event, Kind, Phase, PlaceRef};
use chorus_runtime::registry::Handle;

use super::super::{File, Publication};
use super::{FAULT, Log, ROSTER, SILENT, at, event, firing, registry, resolved};

impl Log {
    fn publish(&mut self, rules: &str, secs: i64) {
        let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
        let (rules, roster) = (vec![file("rules.yaml", rules)], file("roster.yaml", ROSTER));
        let publication = Publication::new(rules, roster, "desk-1", at(secs), Handle::fixed(registry())).unwrap();
        self.offset += 1;
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
