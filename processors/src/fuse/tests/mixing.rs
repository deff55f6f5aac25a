//! However the anomalies of several partitions of `events` are mixed, and in however many steps time is passed, the alerts of a
//! place are the same.

use std::collections::BTreeMap;

use chorus_model::{AnomalyStatus, FrontierMark, FrontierTable, Passage, Severity, Span, Timestamp};

use super::dice::Dice;
use super::script::{Record, anomaly, fuser, second};

const PARTITIONS: i32 = 3;
/// Of each partition.
const PLACES: [[&str; 2]; 3] = [["school-1", "school-2"], ["gate-3", "gate-4"], ["ward-5", "ward-6"]];
const END: i64 = 6_000;

/// What detect writes of one partition: anomalies as they are tipped, by events or on the way of time, and every mark.
fn detected(dice: &mut Dice, places: [&str; 2]) -> Vec<Record> {
    let mut log = Vec::new();
    let mut now = 0;
    while now < END {
        let step = Passage { from: Some(second(now)), to: Some(second(now + 1 + dice.number(120))) };
        let tips = (0..dice.below(3)).map(|_| now + dice.number(120)).collect::<Vec<_>>();
        log.extend(tips.into_iter().map(|tip| found(dice, tip, places, step)));
        now = step.to.unwrap().since(second(0)).as_micros() / 1_000_000;
        log.push(Record::Frontier(second(now)));
        for _ in 0..dice.below(3) {
            let tip = now + dice.number(90);
            log.push(found(dice, tip, places, Passage::still(Some(second(now)))));
        }
    }
    log.push(Record::Frontier(second(2 * END)));
    log
}

fn found(dice: &mut Dice, tip: i64, places: [&str; 2], passage: Passage) -> Record {
    let status = if dice.below(5) == 0 { AnomalyStatus::Resolved } else { AnomalyStatus::Firing };
    let mut made = anomaly(tip, status, ["door", "cam", "panic"][dice.below(3)], places[dice.below(2)]);
    made.anomaly_id.push_str(&dice.below(1_000_000).to_string());
    made.severity = Severity::ALL[dice.below(5)];
    made.count = dice.number(40) as f64;
    made.quiet_after = (dice.below(4) != 0).then(|| Span::from_secs(dice.number(400)));
    made.is_test = dice.below(8) == 0;
    made.frontier = passage.at(made.tipped_at);
    Record::Anomaly(Box::new(made))
}

/// The revisions of each place, from the partitions read in the order that `next` says; of the marks only some are written.
fn fused(
    logs: &[Vec<Record>],
    mut next: impl FnMut(&[usize]) -> usize,
    mut is_written: impl FnMut() -> bool,
) -> BTreeMap<String, Vec<String>> {
    let mut fuser = fuser();
    let mut frontiers = FrontierTable::default();
    let mut at = vec![0; logs.len()];
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for offset in 0..logs.iter().map(Vec::len).sum::<usize>() {
        let open: Vec<usize> = (0..logs.len()).filter(|part| at[*part] < logs[*part].len()).collect();
        let part = open[next(&open)];
        let record = &logs[part][at[part]];
        at[part] += 1;
        let offset = i64::try_from(offset).unwrap();
        let alerts = match record {
            Record::Anomaly(anomaly) => fuser.process(anomaly, offset).unwrap_or_default(),
            Record::Frontier(frontier) if at[part] == logs[part].len() || is_written() => {
                let mark = FrontierMark::new("events", PARTITIONS, vec![(part.try_into().unwrap(), *frontier)]);
                let least: Option<Timestamp> = frontiers.advance(&mark);
                least.map(|least| fuser.advance(least, offset)).unwrap_or_default()
            }
            Record::Frontier(_) => Vec::new(),
        };
        for alert in alerts {
            places.entry(alert.place.id.to_string()).or_default().push(serde_json::to_string(&alert).unwrap());
        }
    }
    places
}

#[test]
fn the_alerts_of_a_place_do_not_depend_on_how_partitions_are_mixed() {
    let mut revisions = 0;
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let logs: Vec<_> = PLACES.iter().map(|places| detected(&mut dice, *places)).collect();
        // One partition's backlog after the other, and every mark is written.
        let one_by_one = fused(&logs, |_| 0, || true);
        revisions += one_by_one.values().map(Vec::len).sum::<usize>();
        for _ in 0..4 {
            let (mut order, mut marks) = (Dice(dice.roll()), Dice(dice.roll()));
            let mixed = fused(&logs, |open| order.below(open.len()), || marks.below(3) == 0);
            for (place, expected) in &one_by_one {
                assert_eq!(mixed.get(place), Some(expected), "seed {seed}, {place}");
            }
        }
    }
    assert!(revisions > 3_000, "only {revisions} revisions were compared");
}
