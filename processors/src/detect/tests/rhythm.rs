//! Silence by a device's own rhythm: few false alarms on what speaks by chance, and the dead found while they are missed.

use super::super::rhythm::{Learnt, Rhythm};
use super::*;

const ALLOWED: f64 = 0.5;
const LEARNT: Learnt = Learnt { a_year: ALLOWED, factor: 1.5, least: Span::from_secs(1) };
const YEAR: i64 = 365 * 86_400;
const WEEK: i64 = 7 * 86_400;

/// Numbers in (0, 1], the same in every run.
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(7_919) + 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 + 1.0) / f64::from(1_u32 << 31)
    }
}

/// A device that speaks by chance: `mean` seconds apart, where `share` says how often of that at a time of the week.
struct Device<R> {
    rhythm: Rhythm,
    last: f64,
    random: R,
    mean: f64,
    share: fn(i64) -> f64,
    /// Events that come together, at most.
    burst: f64,
    together: f64,
    alarms: usize,
}

fn seconds(at: f64) -> Timestamp {
    START.plus(Span::from_micros((at * 1e6) as i64))
}

/// Seconds since the beginning of a week on Monday at midnight; the tests begin at eight.
fn of_week(secs: i64) -> i64 {
    (secs + 8 * 3_600).rem_euclid(WEEK)
}

fn always(_: i64) -> f64 {
    1.0
}

/// Open on weekdays from twenty past seven to six, which no hour of the rhythm begins with.
fn office(secs: i64) -> f64 {
    let (day, of_day) = (of_week(secs) / 86_400, of_week(secs) % 86_400);
    f64::from(u8::from(day < 5 && (26_400..64_800).contains(&of_day)))
}

impl<R: FnMut() -> f64> Device<R> {
    fn new(mean: f64, share: fn(i64) -> f64, burst: f64, random: R) -> Self {
        Self { rhythm: Rhythm::begin(START), last: 0.0, random, mean, share, burst, together: 0.0, alarms: 0 }
    }

    fn next(&mut self) -> f64 {
        if self.together >= 1.0 {
            self.together -= 1.0;
            return self.last + 1.0 + 4.0 * (self.random)();
        }
        self.together = (self.burst * (self.random)()).floor();
        let mut at = self.last;
        loop {
            at -= self.mean * (self.random)().ln();
            if (self.random)() <= (self.share)(at as i64) {
                return at;
            }
        }
    }

    /// Lives until then; counts how often it would have been called silent.
    fn live(&mut self, until: i64) {
        loop {
            let at = self.next();
            if at > until as f64 {
                return;
            }
            self.hear(at);
        }
    }

    fn hear(&mut self, at: f64) {
        let (last, now) = (seconds(self.last), seconds(at));
        let is_late = self.rhythm.span(last, &LEARNT).is_some_and(|span| now > last.plus(span));
        self.alarms += usize::from(is_late);
        self.rhythm.heard(last, now, true, is_late, &LEARNT);
        self.last = at;
    }

    /// In how many seconds it would be called silent if it died at once.
    fn found_in(&self) -> Option<i64> {
        self.rhythm.span(seconds(self.last), &LEARNT).map(|span| span.as_micros() / 1_000_000)
    }
}

/// False alarms of one device in one year, over many of them.
fn false_a_year(devices: u64, years: i64, mean: f64, share: fn(i64) -> f64, burst: f64) -> f64 {
    let lives = (0..devices).map(|seed| {
        let mut device = Device::new(mean, share, burst, random(seed));
        device.live(years * YEAR);
        device.alarms
    });
    let alarms = lives.sum::<usize>() as f64 / devices as f64 / years as f64;
    println!("mean {mean} s, burst {burst}: {alarms:.3} false alarms a device-year");
    alarms
}

#[test]
fn a_back_door_that_speaks_twice_a_week_is_not_called_silent_more_often_than_allowed() {
    assert!(false_a_year(200, 3, WEEK as f64 / 2.0, always, 1.0) <= ALLOWED);
    let mut device = Device::new(WEEK as f64 / 2.0, always, 1.0, random(1));
    device.live(2 * YEAR);
    let found = device.found_in().unwrap();
    assert!((WEEK..10 * WEEK).contains(&found), "dead for {} days", found / 86_400);
}

#[test]
fn a_camera_that_speaks_each_second_is_missed_within_the_minute_and_not_without_need() {
    let mut device = Device::new(1.0, always, 1.0, random(3));
    device.live(3 * WEEK - 3_600);
    assert_eq!(device.found_in(), None, "too little is known of it");
    device.live(3 * WEEK + 86_400);
    assert_eq!(device.alarms, 0);
    let found = device.found_in().unwrap();
    assert!((10..60).contains(&found), "{found} s");
}

#[test]
fn a_door_of_an_office_sleeps_at_night_and_at_the_weekend() {
    assert!(false_a_year(12, 1, 240.0, office, 1.0) <= ALLOWED);
    let mut device = Device::new(240.0, office, 1.0, random(5));
    device.live(8 * WEEK + 4 * 86_400 + 2 * 3_600); // Friday, ten o'clock
    let noon = device.found_in().unwrap();
    assert!(noon < 3 * 3_600, "{noon} s");
    device.live(8 * WEEK + 4 * 86_400 + 86_400); // Saturday morning; it spoke last before six on Friday
    let died = device.last as i64;
    let told = of_week(died + device.found_in().unwrap());
    assert!((7 * 3_600..12 * 3_600).contains(&told), "not on Monday morning: {told}");
}

#[test]
fn visitors_that_come_together_are_one_gap_and_not_many() {
    assert!(false_a_year(100, 2, 6.0 * 3_600.0, always, 12.0) <= ALLOWED);
    assert!(false_a_year(10, 1, 1_800.0, office, 6.0) <= ALLOWED);
}

#[test]
fn a_failure_of_days_does_not_teach_patience() {
    let mut device = Device::new(600.0, always, 1.0, random(9));
    device.live(8 * WEEK);
    let before = device.found_in().unwrap();
    device.hear(device.last + 4.0 * 86_400.0);
    assert_eq!(device.alarms, 1);
    device.live(8 * WEEK + 5 * 86_400);
    let after = device.found_in().unwrap();
    assert!(after < before * 2, "{before} s before, {after} s after");
}

const RULE: &str = r#"rules: [{id: quiet, when: silence, of: device, devices: [sensor, gate], learnt: {}, feed: gate, summary: {zh: "{why}", en: "{why}"}}]"#;

#[test]
fn a_rule_tells_what_was_to_be_expected_and_leaves_devices_with_a_heartbeat_alone() {
    let mut log = Log::new(RULE);
    let end = 4 * WEEK;
    for n in 0..end / 300 {
        log.event(&event("sensor-1", Kind::VehiclePassed, n * 300));
        log.event(&event("gate-1", Kind::VehiclePassed, n * 300)); // the registry has its heartbeat
    }
    log.mark("gate", end);
    log.mark("gate", end + 86_400);
    let told: Vec<_> = log.found.drain(..).collect();
    let [silent] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&*silent.devices[0], silent.from), ("sensor-1", at(end - 300)));
    assert!(silent.to < at(end + 3_600), "{}", silent.to);
    assert!(silent.summary.en.starts_with("nothing for 3"), "{}", silent.summary.en);
    assert!(silent.summary.zh.contains("往常这段时间约有"), "{}", silent.summary.zh);
    log.event(&event("sensor-1", Kind::VehiclePassed, end + 90_000));
    assert_eq!(log.told(), [resolved("quiet", 1.0)]);
}

#[test]
fn a_rule_that_learns_a_place_or_says_two_limits_is_refused() {
    let error = |with: &str| {
        let rule = RULE.replace("of: device, devices: [sensor, gate], learnt: {}", with);
        RuleSet::parse(&[("rules.yaml", &rule)]).unwrap_err().to_string()
    };
    assert!(error("of: place, devices: [gate], learnt: {}").contains("belongs to `of: device`"));
    assert!(error("of: device, devices: [gate], learnt: {}, after: 5m").contains("exactly one of"));
    assert!(error("of: device, devices: [gate], learnt: {a_year: 0}").contains("learnt.a_year: allowed"));
    assert!(error("of: device, devices: [gate], learnt: {years: 1}").contains("unknown field"));
    assert!(error("of: device, devices: [gate], after: 5m").contains("{why} is known to"));
}
