//! What a desk sees of a course of things.

use chorus_model::{AlertStatus, AnomalyStatus};
use chorus_runtime::Fate;

use super::script::{Record, Story, anomaly, play, second, tells};
use crate::fuse::{BAD_ANOMALY, MAX_CONDITIONS, MAX_DEVICES, MAX_REASONS, NO_CHANGE, NOTHING_TO_RESOLVE};

#[test]
fn two_feeds_at_one_place_are_one_alert_and_the_first_does_not_wait() {
    let story = tells(
        "0 fire door@school-1 medium
         40 fire fire@school-1 critical
         60 end fire@school-1
         90 end door@school-1",
        &[
            "0 A.1 firing medium door: door",
            "40 A.2 firing critical fire: door fire",
            "60 A.3 firing medium door: door -fire",
            "90 A.4 resolved critical fire: -door -fire",
        ],
    );
    let last = story.alerts.last().unwrap();
    assert_eq!((last.starts_at, last.ends_at), (second(0), Some(second(90))));
    assert!(story.alerts.iter().take(3).all(|alert| alert.ends_at.is_none()));
    assert_eq!(last.tipped_at, second(90));
}

#[test]
fn the_sentence_is_that_of_the_worst_reason_with_the_places_name_and_how_many_more() {
    let story = play("0 fire door@school-1\n1 fire fire@school-1 critical\n2 fire cam@school-1\n3 end fire@school-1");
    let texts: Vec<_> = story.alerts.iter().map(|alert| alert.summary.en.as_str()).collect();
    assert_eq!(
        texts,
        [
            "door at Willow School",
            "fire at Willow School (and 1 more)",
            "fire at Willow School (and 2 more)",
            "door at Willow School (and 1 more)",
        ]
    );
    assert_eq!(story.alerts[2].summary.zh, "Willow School：fire（另有 2 项）");
    assert_eq!(story.alerts[2].reasons[2].summary.en, "cam at Willow School");
    assert_eq!(&*story.alerts[0].place.name, "Willow School");
}

#[test]
fn places_do_not_share_alerts() {
    tells(
        "0 fire door@school-1
         1 fire door@school-2
         2 end door@school-1",
        &["0 A.1 firing medium door: door", "1 B.1 firing medium door: door", "2 A.2 resolved medium door: -door"],
    );
}

#[test]
fn without_a_known_place_the_device_stands_for_it() {
    let story = tells(
        "0 fire door@? dev=cam-1
         1 fire tamper@? dev=cam-1
         2 fire tamper@? dev=cam-2",
        &[
            "0 A.1 firing medium door: door",
            "1 A.2 firing medium door: door tamper",
            "2 B.1 firing medium tamper: tamper",
        ],
    );
    assert_eq!((&*story.alerts[0].place.id, &*story.alerts[0].place.name), ("cam-1", "cam-1"));
}

#[test]
fn what_names_no_place_and_no_device_is_not_lost_and_no_key_is_empty() {
    let mut nowhere = anomaly(0, AnomalyStatus::Firing, "door", "?");
    nowhere.devices = vec!["".into()];
    let mut nothing = nowhere.clone();
    nothing.condition = String::new();
    let story = Story::of(&[Record::Anomaly(Box::new(nowhere)), Record::Anomaly(Box::new(nothing))]);
    assert_eq!(&*story.alerts[0].place.id, "door|?");
    assert_eq!(story.fates, [Fate::Forwarded, BAD_ANOMALY]);
}

#[test]
fn a_storm_of_repeats_is_few_revisions_and_its_count_is_kept() {
    let log: Vec<_> = (1..=1_000)
        .map(|n| {
            let mut repeat = anomaly(n, AnomalyStatus::Firing, "door", "school-1");
            repeat.count = n as f64;
            Record::Anomaly(Box::new(repeat))
        })
        .chain([Record::Anomaly(Box::new({
            let mut end = anomaly(1_001, AnomalyStatus::Resolved, "door", "school-1");
            end.count = 1_000.0;
            end
        }))])
        .collect();
    let story = Story::of(&log);
    assert_eq!(story.alerts.len(), 11); // at 1, 2, 4, … 512, and the end
    assert_eq!(story.fates.iter().filter(|fate| **fate == NO_CHANGE).count(), 1_001 - 11);
    let last = story.alerts.last().unwrap();
    let reason = &last.reasons[0];
    assert_eq!((last.revision, last.status, reason.count), (11, AlertStatus::Resolved, 1_000.0));
    assert_eq!((reason.from, reason.to), (second(1), second(1_001)));
    assert_eq!(reason.evidence.len(), chorus_model::anomaly::MAX_EVIDENCE);
    assert_eq!(reason.evidence.last().unwrap(), "door-1001");
}

#[test]
fn a_repeat_is_written_when_severity_or_devices_change() {
    tells(
        "0 fire door@school-1 medium dev=a
         1 fire door@school-1 medium dev=a
         2 fire door@school-1 high dev=a
         3 fire door@school-1 high dev=b
         4 fire door@school-1 high dev=a
         5 fire door@school-1 low dev=b",
        &[
            "0 A.1 firing medium door: door",
            "2 A.2 firing high door: door",
            "3 A.3 firing high door: door",
            "5 A.4 firing low door: door",
        ],
    );
}

#[test]
fn a_measure_that_swings_does_not_write_revision_after_revision() {
    let swing: String =
        (0..100).map(|n| format!("{n} fire rate@school-1 x{}\n", if n % 2 == 0 { 4 } else { 10 })).collect();
    assert_eq!(play(&swing).alerts.len(), 2);
}

#[test]
fn a_condition_that_flaps_stays_one_alert() {
    tells(
        "0 fire door@school-1
         10 end door@school-1
         20 fire door@school-1
         30 end door@school-1
         31 pass
         330 fire door@school-1",
        &[
            "0 A.1 firing medium door: door",
            "10 A.2 resolved medium door: -door",
            "20 A.3 firing medium door: door",
            "30 A.4 resolved medium door: -door",
            "330 A.5 firing medium door: door",
        ],
    );
}

#[test]
fn later_than_the_window_a_condition_makes_a_new_alert_whether_or_not_time_was_seen_to_pass() {
    let expected = [
        "0 A.1 firing medium door: door",
        "10 A.2 resolved medium door: -door",
        "311 B.1 firing medium door: door",
        "312 B.2 resolved medium door: -door",
    ];
    tells("0 fire door@school-1\n10 end door@school-1\n311 fire door@school-1\n312 end door@school-1", &expected);
    tells(
        "0 fire door@school-1\n10 end door@school-1\n311 pass\n311 fire door@school-1\n312 end door@school-1",
        &expected,
    );
}

#[test]
fn a_condition_that_fires_again_while_its_alert_stands_is_no_new_alert_however_late() {
    tells(
        "0 fire offline@school-1 high
         1 fire door@school-1
         2 end door@school-1
         5000 pass
         5000 fire door@school-1",
        &[
            "0 A.1 firing high offline: offline",
            "1 A.2 firing high offline: offline door",
            "2 A.3 firing high offline: offline -door",
            "5000 A.4 firing high offline: offline door",
        ],
    );
}

#[test]
fn a_late_end_still_ends_and_an_end_without_a_beginning_is_nothing() {
    let story = tells(
        "0 end door@school-1
         1 fire door@school-1
         90000 pass
         90000 end door@school-1
         90001 end door@school-1
         99999 pass
         99999 end door@school-1",
        &["1 A.1 firing medium door: door", "90000 A.2 resolved medium door: -door"],
    );
    assert_eq!(
        story.fates,
        [NOTHING_TO_RESOLVE, Fate::Forwarded, Fate::Forwarded, NOTHING_TO_RESOLVE, NOTHING_TO_RESOLVE]
    );
}

#[test]
fn repeats_do_not_stretch_the_window_so_that_old_trouble_does_not_swallow_new() {
    tells(
        "0 fire offline@school-1
         200 fire offline@school-1
         400 fire panic@school-1 critical
         500 fire door@school-1",
        &[
            "0 A.1 firing medium offline: offline",
            "400 B.1 firing critical panic: panic",
            "500 B.2 firing critical panic: panic door",
        ],
    );
}

#[test]
fn what_is_told_late_joins_what_began_at_the_same_time() {
    tells(
        "0 fire video@school-1
         900 fire silence@school-1 from=10",
        &["0 A.1 firing medium video: video", "900 A.2 firing medium video: video silence"],
    );
}

#[test]
fn a_drill_never_joins_what_is_real_nor_the_other_way_round() {
    tells(
        "0 fire fire@school-1 critical test
         1 fire door@school-1
         2 fire fire@school-1 critical
         3 fire door@school-1 test
         4 end fire@school-1 test
         5 end fire@school-1",
        &[
            "0 A.1 firing critical fire: fire (test)",
            "1 B.1 firing medium door: door",
            "2 B.2 firing critical fire: door fire",
            "3 A.2 firing critical fire: fire door (test)",
            "4 A.3 firing medium door: -fire door (test)",
            "5 B.3 firing medium door: door -fire",
        ],
    );
}

#[test]
fn a_quiet_condition_ends_only_when_time_has_passed_its_last_repeat() {
    let story = tells(
        "0 fire panic@school-1 critical quiet=60s
         30 fire panic@school-1 critical quiet=60s
         89 pass
         90 pass
         91 pass
         200 fire panic@school-1 critical quiet=60s
         900 pass
         901 fire panic@school-1 critical quiet=60s",
        &[
            "0 A.1 firing critical panic: panic",
            "90 A.2 resolved critical panic: -panic",
            "200 A.3 firing critical panic: panic",
            "260 A.4 resolved critical panic: -panic",
            "901 B.1 firing critical panic: panic",
        ],
    );
    assert_eq!(story.alerts[1].ends_at, Some(second(90)));
    assert_eq!(story.alerts[1].tipped_at, second(90));
    assert_eq!(story.alerts[1].reasons[0].to, second(30));
}

#[test]
fn what_was_quiet_where_it_comes_from_has_ended_however_late_that_is_known_of_all() {
    tells(
        "0 fire panic@school-1 quiet=60s
         1 fire door@school-1 quiet=200s in=0
         100 fire panic@school-1 quiet=60s in=60
         300 fire panic@school-1 quiet=60s in=290
         900 fire panic@school-1 quiet=60s in=890",
        &[
            "0 A.1 firing medium panic: panic",
            "1 A.2 firing medium panic: panic door",
            "60 A.3 firing medium door: -panic door",
            "100 A.4 firing medium panic: panic door",
            "160 A.5 firing medium door: -panic door",
            "201 A.6 resolved medium panic: -panic -door",
            "300 A.7 firing medium panic: panic -door",
            "360 A.8 resolved medium panic: -panic -door",
            "900 B.1 firing medium panic: panic",
        ],
    );
}

#[test]
fn a_feed_that_stands_still_makes_no_repeat_of_what_begins_anew() {
    tells(
        "0 fire panic@school-1 quiet=60s
         30 fire panic@school-1 quiet=60s from=0
         200 fire panic@school-1 quiet=60s in=0
         500 fire panic@school-1 quiet=60s from=210 in=0",
        &[
            "0 A.1 firing medium panic: panic",
            "90 A.2 resolved medium panic: -panic",
            "200 A.3 firing medium panic: panic",
        ],
    );
}

#[test]
fn a_canary_fires_again_only_where_time_has_passed() {
    tells(
        "0 fire canary@c quiet=20s in=0 test
         60 fire canary@c quiet=20s in=59 test
         120 fire canary@c quiet=20s in=59 test
         180 fire canary@c quiet=20s in=59 test
         300 fire canary@c quiet=20s in=299 test",
        &[
            "0 A.1 firing medium canary: canary (test)",
            "20 A.2 resolved medium canary: -canary (test)",
            "60 A.3 firing medium canary: canary (test)",
            "200 A.4 resolved medium canary: -canary (test)",
            "300 A.5 firing medium canary: canary (test)",
        ],
    );
}

#[test]
fn at_the_very_deadline_a_condition_still_holds_and_an_alert_can_still_be_reopened() {
    let story = tells(
        "0 fire panic@school-1 quiet=60s
         60 pass
         60 fire panic@school-1
         100 end panic@school-1
         400 pass
         400 fire panic@school-1",
        &[
            "0 A.1 firing medium panic: panic",
            "100 A.2 resolved medium panic: -panic",
            "400 A.3 firing medium panic: panic",
        ],
    );
    assert_eq!(story.fates[1], NO_CHANGE);
}

#[test]
fn quiet_conditions_end_each_at_its_deadline_however_long_the_step_and_those_of_one_deadline_in_one_revision() {
    tells(
        "0 fire a@school-1 quiet=10s
         1 fire b@school-1 high quiet=10s
         2 fire c@school-1 low
         3 fire d@school-1 info quiet=8s
         60 pass",
        &[
            "0 A.1 firing medium a: a",
            "1 A.2 firing high b: a b",
            "2 A.3 firing high b: a b c",
            "3 A.4 firing high b: a b c d",
            "10 A.5 firing high b: -a b c d",
            "11 A.6 firing low c: -a -b c -d",
        ],
    );
}

#[test]
fn another_condition_within_the_window_reopens_the_alert() {
    tells(
        "0 fire door@school-1
         10 end door@school-1
         60 fire cam@school-1",
        &[
            "0 A.1 firing medium door: door",
            "10 A.2 resolved medium door: -door",
            "60 A.3 firing medium cam: -door cam",
        ],
    );
}

/// `number` anomalies of one rule, each of a condition and a device of its own.
fn many(rule: &str, number: usize, status: AnomalyStatus) -> impl Iterator<Item = Record> {
    (0..number).map(move |n| {
        let mut made = anomaly(if status == AnomalyStatus::Firing { 1 } else { 2 }, status, rule, "school-1");
        made.condition = format!("{rule}|school-1|{n}");
        made.anomaly_id = format!("{rule}-{n}");
        made.devices = vec![format!("{rule}-{n}").into()];
        Record::Anomaly(Box::new(made))
    })
}

#[test]
fn beyond_the_cap_reasons_are_merged_by_rule_and_the_last_of_all_resolves() {
    let mut log: Vec<_> = many("silence", 200, AnomalyStatus::Firing).collect();
    log.push(Record::Anomaly(Box::new(anomaly(1, AnomalyStatus::Firing, "fire", "school-1"))));
    log.extend(many("silence", 200, AnomalyStatus::Resolved));
    let before_end = Story::of(&log);
    let listed = before_end.alerts.iter().map(|alert| alert.reasons.len()).max().unwrap();
    assert_eq!(listed, MAX_REASONS);
    let fire = before_end.alerts.iter().find(|alert| alert.reasons.iter().any(|r| &*r.rule == "fire")).unwrap();
    assert_eq!(fire.reasons.iter().map(|r| r.count).sum::<f64>(), 201.0);
    assert_eq!(fire.summary.en, "silence at Willow School (and 200 more)");
    assert!(fire.reasons.iter().all(|reason| reason.devices.len() <= MAX_DEVICES));
    let last = before_end.alerts.last().unwrap();
    assert_eq!((last.status, &*last.kind), (AlertStatus::Firing, "fire"));
    assert!(before_end.alerts.len() < 200, "{} revisions", before_end.alerts.len());

    log.push(Record::Anomaly(Box::new(anomaly(3, AnomalyStatus::Resolved, "fire", "school-1"))));
    let story = Story::of(&log);
    let last = story.alerts.last().unwrap();
    assert_eq!(last.status, AlertStatus::Resolved);
    assert!(story.alerts.iter().all(|alert| alert.alert_id == last.alert_id));
}

#[test]
fn an_alert_that_is_full_makes_room_for_no_more_and_another_begins() {
    let log: Vec<_> = many("silence", MAX_CONDITIONS + 1, AnomalyStatus::Firing).collect();
    let last = Story::of(&log).alerts.pop().unwrap();
    assert_eq!((last.revision, last.reasons.len()), (1, 1));
}

#[test]
fn revisions_have_no_gaps_and_the_id_comes_from_the_first_anomaly() {
    let log: Vec<_> = many("silence", 50, AnomalyStatus::Firing).collect();
    let story = Story::of(&log);
    let revisions: Vec<u32> = story.alerts.iter().map(|alert| alert.revision).collect();
    assert_eq!(revisions, (1..=u32::try_from(revisions.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(story.alerts[0].alert_id, chorus_model::id::derive(&["alert", "silence-0"]));
}
