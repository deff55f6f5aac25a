//! What holds for every log: a restart anywhere changes nothing.

use std::collections::BTreeMap;

use chorus_model::{AnomalyStatus, Severity, Span, Timestamp, Together};
use chorus_runtime::Fate;

use super::dice::Dice;
use super::script::{Record, anomaly, fuser, second};
use crate::fuse::{Fuser, NOTHING_TO_RESOLVE};

fn random_log(seed: u64, length: usize) -> Vec<Record> {
    let mut dice = Dice(seed);
    let (mut now, mut frontier) = (0_i64, 0_i64);
    let record = |_| {
        now += dice.number(90);
        if dice.below(4) == 0 {
            frontier = frontier.max(now - dice.number(120));
            return Record::Frontier(second(frontier));
        }
        let status = if dice.below(4) == 0 { AnomalyStatus::Resolved } else { AnomalyStatus::Firing };
        let place = ["school-1", "school-2", "gate-3", "gate-4", "gate-5", "?"][dice.below(6)];
        // Some are tipped long before, so that a deadline may be over by the time that the anomaly comes.
        let tipped = now - i64::try_from(dice.below(3) * dice.below(120)).unwrap();
        let mut made = anomaly(tipped, status, ["door", "cam", "panic", "silence"][dice.below(4)], place);
        made.severity = Severity::ALL[dice.below(5)];
        made.devices = vec![format!("dev-{}", dice.below(3)).into()];
        // Floats with every digit: what is restored must be the very same number.
        made.count = 1.0 + (dice.roll() >> 11) as f64 / 3e14;
        made.expected = (dice.below(3) == 0).then(|| (dice.roll() >> 11) as f64 / 3e14);
        made.quiet_after = (dice.below(2) == 0).then(|| Span::from_secs(45));
        made.from = second(tipped - dice.number(400));
        made.frontier = (dice.below(3) != 0).then(|| second(frontier));
        made.is_test = dice.below(6) == 0;
        // Some rules ask for one alert about the county; of one the rule changes on the way.
        let asks = match &*made.rule {
            "silence" => true,
            "cam" => now % 3_000 < 2_000,
            _ => false,
        };
        let division = made.place.division_code.as_deref().map(|code| code[..6].into());
        let together = |division| Together { division, places: 3, within: Span::from_secs(200) };
        made.together = division.filter(|_| asks).map(together);
        Record::Anomaly(Box::new(made))
    };
    (0..length).map(record).collect()
}

/// What one record gives, as the bytes that go to the topic.
fn apply(fuser: &mut Fuser, record: &Record, offset: usize) -> Vec<String> {
    let offset = i64::try_from(offset).unwrap();
    let alerts = match record {
        Record::Frontier(frontier) => fuser.advance(*frontier, offset),
        Record::Anomaly(anomaly) => fuser.process(anomaly, offset).unwrap_or_default(),
    };
    alerts.iter().map(|alert| serde_json::to_string(alert).unwrap()).collect()
}

/// The compacted topic: states by key, and the offset that the marker names.
#[derive(Clone, Default)]
struct Topic {
    states: BTreeMap<String, Vec<u8>>,
    marker: usize,
}

impl Topic {
    fn write(&mut self, (key, state): (String, Option<Vec<u8>>)) {
        match state {
            Some(state) => self.states.insert(key, state),
            None => self.states.remove(&key),
        };
    }

    fn restore(&self) -> Fuser {
        let mut fuser = fuser();
        for (key, state) in &self.states {
            fuser.restore(key, state).unwrap();
        }
        fuser
    }
}

#[test]
fn a_crash_anywhere_even_amid_a_snapshot_gives_the_same_alerts_byte_for_byte() {
    let mut compared = 0;
    for seed in 0..200 {
        let log = random_log(seed, 160);
        let mut whole = fuser();
        let expected: Vec<_> = log.iter().enumerate().map(|(n, record)| apply(&mut whole, record, n)).collect();
        let mut dice = Dice(seed ^ 0xdead);
        let mut topic = Topic::default();
        let mut fuser = fuser();
        let mut position = 0;
        while position < log.len() {
            // Live for a while, then a snapshot, of which only the first keys may reach the topic before the crash.
            let until = (position + 1 + dice.below(25)).min(log.len());
            for offset in position..until {
                assert_eq!(apply(&mut fuser, &log[offset], offset), expected[offset], "seed {seed}, offset {offset}");
                compared += expected[offset].len();
            }
            position = until;
            let captured = fuser.capture();
            let torn = dice.below(2) == 0;
            let reached = if torn { dice.below(captured.len() + 1) } else { captured.len() };
            captured.into_iter().take(reached).for_each(|write| topic.write(write));
            if !torn {
                topic.marker = position;
            }
            if torn || dice.below(3) == 0 {
                fuser = topic.restore();
                (topic.marker..position).for_each(|offset| drop(apply(&mut fuser, &log[offset], offset)));
            }
        }
    }
    assert!(compared > 10_000, "only {compared} revisions were compared");
}

#[test]
fn offsets_that_were_applied_are_skipped_after_a_restore() {
    let log = random_log(7, 80);
    let mut live = fuser();
    log.iter().enumerate().for_each(|(n, record)| drop(apply(&mut live, record, n)));
    let states = live.capture();
    let mut restored = fuser();
    for (key, state) in &states {
        if let Some(state) = state {
            restored.restore(key, state).unwrap();
        }
    }
    for (offset, record) in (0..).zip(&log) {
        match record {
            Record::Frontier(_) => {}
            Record::Anomaly(anomaly) => {
                let fate = restored.process(anomaly, offset).map(|alerts| alerts.len());
                assert!(matches!(fate, Err(Fate::Duplicate | NOTHING_TO_RESOLVE)), "{fate:?} at {offset}");
            }
        }
    }
}

#[test]
fn what_is_forgotten_leaves_the_memory_and_the_topic_even_over_a_restart() {
    let mut topic = Topic::default();
    let mut live = fuser();
    let log = [
        Record::Anomaly(Box::new(anomaly(0, AnomalyStatus::Firing, "door", "school-1"))),
        Record::Anomaly(Box::new(anomaly(1, AnomalyStatus::Resolved, "door", "school-1"))),
        Record::Frontier(second(1_000)),
    ];
    log.iter().enumerate().for_each(|(n, record)| drop(apply(&mut live, record, n)));
    assert_eq!(live.alerts(), 0);
    live.capture().into_iter().for_each(|write| topic.write(write));
    assert_eq!(topic.states.len(), 1, "the offset stays for one snapshot");
    let mut restored = topic.restore();
    for _ in 0..2 {
        restored.capture().into_iter().for_each(|write| topic.write(write));
    }
    assert!(topic.states.is_empty());
    assert_eq!(restored.capture(), []);
}

#[test]
fn every_revision_of_an_alert_follows_the_one_before_and_its_times_come_from_the_log() {
    for seed in 100..130 {
        let log = random_log(seed, 200);
        let latest = second(200 * 90);
        let mut fuser = fuser();
        let mut revisions: BTreeMap<String, (u32, Timestamp, bool)> = BTreeMap::new();
        for (offset, record) in log.iter().enumerate() {
            for json in apply(&mut fuser, record, offset) {
                let alert: chorus_model::Alert = serde_json::from_str(&json).unwrap();
                let known = revisions.entry(alert.alert_id.clone()).or_insert((0, alert.updated_at, alert.is_test));
                assert_eq!(alert.revision, known.0 + 1);
                assert!(alert.updated_at >= known.1 && alert.updated_at <= latest);
                assert_eq!(alert.is_test, known.2);
                assert!(alert.ends_at.is_none_or(|end| end >= alert.starts_at));
                assert_eq!(alert.ends_at.is_some(), alert.status == chorus_model::AlertStatus::Resolved);
                *known = (alert.revision, alert.updated_at, alert.is_test);
            }
        }
    }
}
