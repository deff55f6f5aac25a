//! The same at neighbouring places.

use chorus_model::{AnomalyStatus, Span, Together};

use super::script::{Record, Story, anomaly, play, tells};

#[test]
fn the_third_place_makes_one_alert_about_the_county_that_takes_over() {
    let story = tells(
        "0 fire silence@school-1 together=3,10m
         60 fire silence@school-2 together=3,10m
         90 fire silence@gate-3 together=3,10m
         95 fire silence@gate-4 together=3,10m
         200 end silence@school-1 together=3,10m
         210 end silence@school-2 together=3,10m
         220 end silence@gate-3 together=3,10m
         230 end silence@gate-4 together=3,10m",
        &[
            "0 A.1 firing medium silence: silence",
            "60 B.1 firing medium silence: silence",
            "90 C.1 firing medium silence: silence silence silence @360102",
            "90 A.2 resolved medium silence: -silence >C",
            "90 B.2 resolved medium silence: -silence >C",
            "95 C.2 firing medium silence: silence silence silence silence @360102",
            "200 C.3 firing medium silence: -silence silence silence silence @360102",
            "210 C.4 firing medium silence: -silence -silence silence silence @360102",
            "220 C.5 firing medium silence: -silence -silence -silence silence @360102",
            "230 C.6 resolved medium silence: -silence -silence -silence -silence @360102",
        ],
    );
    let wide = &story.alerts[2];
    assert_eq!((&*wide.place.id, wide.place.division_code.as_deref()), ("360102", Some("360102")));
    assert_eq!(wide.summary.en, "360102: the same at 3 places at once; the first: silence at Willow School");
    assert_eq!(wide.summary.zh, "360102：3 处同时出现同类情况，最早为：Willow School：silence");
    let places: Vec<_> = wide.reasons.iter().flat_map(|reason| &reason.places).map(|place| &**place).collect();
    assert_eq!(places, ["school-1", "school-2", "gate-3"]);
    assert_eq!(wide.reasons[2].summary.en, "silence at gate-3");
    assert_eq!(story.alerts[3].summary.en, "silence at Willow School (now part of the alert about 360102)");
}

#[test]
fn rules_that_find_the_same_kind_count_together() {
    let log: Vec<_> = [("gates-silent", "school-1"), ("doors-silent", "school-2")]
        .into_iter()
        .map(|(rule, place)| {
            let mut silent = anomaly(0, AnomalyStatus::Firing, rule, place);
            silent.kind = "anomaly.silence".into();
            silent.together = Some(Together { division: "360102".into(), places: 2, within: Span::from_secs(600) });
            Record::Anomaly(Box::new(silent))
        })
        .collect();
    let story = Story::of(&log);
    let rules: Vec<_> = story.alerts[1].reasons.iter().map(|reason| &*reason.rule).collect();
    assert_eq!((&*story.alerts[1].place.id, rules), ("360102", vec!["gates-silent", "doors-silent"]));
}

#[test]
fn two_devices_of_a_place_are_one_place() {
    let story = play(
        "0 fire silence@school-1 together=2,10m
         1 fire cam@school-1 together=2,10m
         2 fire silence@school-1 together=2,10m dev=b",
    );
    assert!(story.alerts.iter().all(|alert| &*alert.place.id == "school-1"), "{:?}", story.alerts);
}

#[test]
fn other_kinds_counties_and_drills_are_not_the_same() {
    let mut log: Vec<_> = ["silence", "cam", "rate"]
        .iter()
        .zip(["school-1", "school-2", "gate-3"])
        .map(|(rule, place)| anomaly(0, AnomalyStatus::Firing, rule, place))
        .collect();
    log.push(anomaly(1, AnomalyStatus::Firing, "silence", "gate-4"));
    log.push(anomaly(2, AnomalyStatus::Firing, "silence", "gate-5"));
    log.push(anomaly(3, AnomalyStatus::Firing, "silence", "gate-6"));
    log[3].kind = "anomaly.other".into();
    log[4].is_test = true;
    for anomaly in &mut log {
        anomaly.together = Some(Together { division: "360102".into(), places: 2, within: Span::from_secs(600) });
    }
    log[5].together = Some(Together { division: "360103".into(), places: 2, within: Span::from_secs(600) });
    let story = Story::of(&log.into_iter().map(|anomaly| Record::Anomaly(Box::new(anomaly))).collect::<Vec<_>>());
    assert_eq!(story.alerts.len(), 6);
    assert!(story.alerts.iter().all(|alert| alert.reasons.iter().all(|reason| reason.places.is_empty())));
}

#[test]
fn what_has_gone_on_for_long_and_is_told_again_makes_no_company() {
    tells(
        "0 fire silence@school-1 together=2,1m
         300 fire silence@school-1 together=2,1m x2
         310 fire silence@school-2 together=2,1m",
        &[
            "0 A.1 firing medium silence: silence",
            "300 A.2 firing medium silence: silence",
            "310 B.1 firing medium silence: silence",
        ],
    );
}

#[test]
fn what_has_ended_makes_no_company() {
    tells(
        "0 fire silence@school-1 together=2,10m
         5 end silence@school-1 together=2,10m
         6 fire silence@school-2 together=2,10m
         7 fire rate@gate-3 together=2,10m quiet=60s
         100 pass
         101 fire rate@gate-4 together=2,10m",
        &[
            "0 A.1 firing medium silence: silence",
            "5 A.2 resolved medium silence: -silence",
            "6 B.1 firing medium silence: silence",
            "7 C.1 firing medium rate: rate",
            "67 C.2 resolved medium rate: -rate",
            "101 D.1 firing medium rate: rate",
        ],
    );
}

#[test]
fn an_alert_of_a_place_that_has_other_reasons_goes_on_with_them() {
    let story = tells(
        "0 fire door@school-1 high
         1 fire silence@school-1 together=2,10m
         2 fire silence@school-2 together=2,10m
         3 end door@school-1",
        &[
            "0 A.1 firing high door: door",
            "1 A.2 firing high door: door silence",
            "2 B.1 firing medium silence: silence silence @360102",
            "2 A.3 firing high door: door -silence >B",
            "3 A.4 resolved high door: -door -silence >B",
        ],
    );
    assert_eq!(story.alerts[3].summary.en, "door at Willow School");
}

#[test]
fn quiet_ends_it_and_what_begins_later_begins_at_its_place() {
    tells(
        "0 fire rate@school-1 together=2,10m quiet=60s
         1 fire rate@school-2 together=2,10m quiet=60s
         100 pass
         1000 pass
         1001 fire rate@school-1 together=2,10m quiet=60s",
        &[
            "0 A.1 firing medium rate: rate",
            "1 B.1 firing medium rate: rate rate @360102",
            "1 A.2 resolved medium rate: -rate >B",
            "60 B.2 firing medium rate: -rate rate @360102",
            "61 B.3 resolved medium rate: -rate -rate @360102",
            "1001 C.1 firing medium rate: rate",
        ],
    );
}

#[test]
fn what_has_been_quiet_at_its_own_place_makes_no_company_and_ends_in_the_divisions_alert() {
    tells(
        "0 fire rate@school-1 together=2,10m quiet=60s
         100 fire rate@school-1 together=2,10m quiet=60s in=90
         101 fire rate@school-2 together=2,10m quiet=60s
         102 fire rate@gate-3 together=2,10m quiet=600s
         500 fire rate@school-2 together=2,10m quiet=60s in=490",
        &[
            "0 A.1 firing medium rate: rate",
            "60 A.2 resolved medium rate: -rate",
            "100 A.3 firing medium rate: rate",
            "101 B.1 firing medium rate: rate rate @360102",
            "101 A.4 resolved medium rate: -rate >B",
            "102 B.2 firing medium rate: rate rate rate @360102",
            "161 B.3 firing medium rate: rate -rate rate @360102",
            "500 B.4 firing medium rate: rate rate rate @360102",
        ],
    );
}

#[test]
fn a_thousand_places_are_one_alert_of_a_bounded_size() {
    let log: Vec<_> = (0..900)
        .map(|n| {
            let mut silent = anomaly(n / 10, AnomalyStatus::Firing, "silence", &format!("place-{n}"));
            silent.devices = vec![format!("gate-{n}").into()];
            silent.together = Some(Together { division: "360102".into(), places: 3, within: Span::from_secs(600) });
            Record::Anomaly(Box::new(silent))
        })
        .collect();
    let story = Story::of(&log);
    let firing: std::collections::BTreeMap<_, _> =
        story.alerts.iter().map(|alert| (&alert.alert_id, alert.status)).collect();
    assert_eq!(firing.len(), 3);
    assert_eq!(firing.values().filter(|status| **status == chorus_model::AlertStatus::Firing).count(), 1);
    let last = story.alerts.last().unwrap();
    let told: usize = last.summary.en.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!((450..=900).contains(&told), "{}", last.summary.en); // a count that has not doubled is not told
    assert!(serde_json::to_vec(last).unwrap().len() < 100_000);
}
