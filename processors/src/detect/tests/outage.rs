//! After an outage of ours: whoever could not be heard is given time to speak before it is missed.

use super::*;

impl Log {
    /// The gate feed's time has passed until `to`, and the log has been answering since `since`.
    fn resume(&mut self, since: i64, to: i64) {
        let mark = FrontierMark { since: vec![(0, at(since))], ..FrontierMark::new("gate", 1, vec![(0, at(to))]) };
        self.table.advance(&mark);
        self.offset += 1;
        self.found.extend(self.detector.advance(self.offset, &self.table));
    }

    fn told_by(&mut self, rule: &str) -> Vec<(String, AnomalyStatus, f64)> {
        self.told().into_iter().filter(|(by, _, _)| by == rule).collect()
    }
}

#[test]
fn after_an_outage_everybody_gets_as_long_as_the_rule_gives_before_being_called_silent() {
    let mut log = Log::new(SILENT);
    let beat = |secs: i64| event("gate-1", Kind::DeviceHeartbeat, secs);
    log.event(&beat(100));
    log.resume(50_000, 50_001); // nobody could be heard for half a day
    assert_eq!(log.told(), []);
    log.event(&beat(50_030));
    log.resume(50_000, 50_180);
    assert_eq!(log.told(), []);
    log.resume(50_000, 50_181); // three heartbeats since we listen: gate-2 and gate-9 said nothing
    let silent: Vec<String> = log.found.drain(..).map(|anomaly| anomaly.devices[0].to_string()).collect();
    assert_eq!(silent, ["gate-2", "gate-9"]);
    log.resume(50_000, 50_211);
    assert_eq!(log.told(), [firing("silent", 1.0)]);
}

#[test]
fn an_outage_forgives_a_rare_speaker_no_longer_than_an_hour() {
    let mut log = Log::new(
        r"rules: [{id: rare, when: silence, of: device, devices: [gate], after: 24h, feed: gate, summary: {zh: z, en: e}}]",
    );
    log.event(&event("gate-1", Kind::DeviceHeartbeat, 100));
    let day = 86_400;
    log.resume(day, day + 1);
    log.resume(day, day + 3_600);
    assert_eq!(log.told(), []);
    log.resume(day, day + 3_601);
    assert!(log.told().contains(&firing("rare", 1.0)), "restarts each day must not hide a dead device");
}

#[test]
fn a_report_that_a_connector_kept_during_an_outage_comes_in_time() {
    let mut log = Log::new(ALL_TYPES);
    log.event(&Event { received_at: at(1_900), ..event("wand-1", Kind::PatrolCheckin, 1_700) });
    log.resume(20_000, 20_001);
    log.mark("camera", 20_001);
    assert_eq!(log.told_by("e-rounds"), []);
    // The other village's report was made at 08:28 and kept by its connector until Kafka answered.
    let kept = event("wand-2", Kind::PatrolCheckin, 1_700);
    log.event(&Event { received_at: at(20_010), place: village("v2"), ..kept });
    log.resume(20_000, 30_000);
    log.mark("camera", 30_000);
    assert_eq!(log.told_by("e-rounds"), []);
}

#[test]
fn a_slot_that_we_could_not_listen_to_is_neither_a_drop_nor_learnt_from() {
    let (half_day, week) = (43_200, 604_800);
    let usual = |log: &mut Log, from: i64| {
        for n in 0..400 {
            log.event(&event("gate-1", Kind::VehiclePassed, from + n * 100));
        }
    };
    let mut log = Log::new(ALL_TYPES);
    for day in 0..14 {
        usual(&mut log, day * 86_400 + half_day);
        log.pass((day + 1) * 86_400 + half_day);
    }
    assert_eq!(log.told_by("h-rate"), []);
    let dark = 14 * 86_400 + half_day;
    log.resume(dark + half_day - 10, dark + half_day + 1);
    log.resume(dark + half_day - 10, dark + 2 * half_day + 1);
    log.mark("camera", dark + 2 * half_day + 1);
    assert_eq!(log.told_by("h-rate"), [], "nobody could be counted");
    log.pass(2 * week + week);
    assert!(log.told_by("h-rate").contains(&firing("h-rate", 0.0)), "the control: the next dark days are drops");
}

#[test]
fn the_size_tells_how_many_devices_are_heard_and_how_many_are_silent() {
    let rules = "rules: [{id: silent, when: silence, of: device, devices: [gate], after: 10m, summary: {zh: z, en: e}}, \
                 {id: dark, when: silence, of: place, devices: [gate], after: 10m, summary: {zh: z, en: e}}]";
    let mut log = Log::new(rules);
    let size = |log: &Log| (log.detector.size().keys, log.detector.size().devices.unwrap());
    for gate in ["gate-1", "gate-2"] {
        log.event(&event(gate, Kind::DeviceHeartbeat, 10));
    }
    log.pass(20);
    // The registry has one more gate, at another place.
    assert_eq!(size(&log), (2, (3, 0)));
    log.event(&event("gate-1", Kind::DeviceHeartbeat, 600));
    log.pass(900);
    assert_eq!(size(&log), (2, (1, 2)));
    log.event(&event("gate-2", Kind::DeviceHeartbeat, 905));
    assert_eq!(size(&log), (2, (2, 1)));
}
