//! The incidents, the roster and the duties: at their seconds, at their places, and no others.

use std::collections::BTreeSet;

use chorus_model::{Event, Kind, Phase, Severity, Span, Timestamp};

use super::{City, RawRecord, Reader, after, start};

#[test]
fn the_four_incidents_come_at_their_seconds_and_places() {
    for seed in 0..20 {
        let mut city = City::new(seed);
        let reader = Reader::new(&city);
        let [panic, forced, missing, silent] = city.expected().try_into().unwrap();
        let places: BTreeSet<_> = [&panic, &forced, &missing, &silent].map(|expected| &expected.place).into();
        assert_eq!(places.len(), 4);
        let records = city.records(start(), after(40));
        let loud = |event: &Event| {
            event.phase != Phase::Sync
                && event.kind.default_severity() >= Severity::Medium
                && event.kind != Kind::ReportEvent
        };
        let told: Vec<_> = reader
            .events(&records)
            .into_iter()
            .filter(loud)
            .map(|event| (event.received_at, event.kind.as_str(), event.place.id.unwrap().to_string()))
            .collect();
        let expected = [
            (after(6), "panic.button", panic.place),
            (after(8), "door.forced", forced.place.clone()),
            (after(12), "intrusion.area", forced.place),
        ];
        assert_eq!(told, expected, "seed {seed}");
        let feeds: Vec<_> =
            [6, 8, 12].map(|secs| records.iter().find(|record| record.at == after(secs)).unwrap().feed).into();
        assert_eq!(feeds, ["school", "hospital", "camera"]);
    }
}

#[test]
fn the_gates_of_one_village_fall_silent_and_no_others_do() {
    let mut city = City::new(2);
    let silent = city.expected()[3].place.clone();
    let (_, devices) = city.registry();
    let gates: Vec<_> = devices.iter().filter(|device| device.kind.as_deref() == Some("gate")).collect();
    let of_village = gates.iter().filter(|gate| *gate.place == *silent).count();
    assert!(of_village >= 2);
    let speakers = |records: Vec<RawRecord>| -> BTreeSet<String> {
        records.into_iter().filter(|record| !record.broken).map(|record| record.key).collect()
    };
    let before = speakers(city.records(start(), after(5)));
    let behind = speakers(city.records(after(5), after(10)));
    assert!(gates.iter().all(|gate| before.contains(&*gate.id)));
    for gate in gates {
        assert_eq!(behind.contains(&*gate.id), *gate.place != *silent, "{}", gate.id);
    }
}

#[test]
fn all_communities_but_one_report_that_all_is_safe() {
    let reports = |mut city: City| -> BTreeSet<String> {
        let reader = Reader::new(&city);
        let of_grid: Vec<_> =
            city.records(start(), after(60)).into_iter().filter(|record| record.feed == "grid").collect();
        let all_safe = |event: &Event| event.kind == Kind::ReportAllSafe;
        let events: Vec<_> = reader.events(&of_grid).into_iter().filter(all_safe).collect();
        assert!(events.iter().all(|event| event.received_at >= after(1) && event.received_at < after(10)));
        events.into_iter().map(|event| event.place.id.unwrap().to_string()).collect()
    };
    let city = City::new(2);
    let missing = city.expected()[2].place.clone();
    let told = reports(city.clone());
    assert_eq!((told.len(), told.contains(&missing)), (299, false));
    assert_eq!(reports(city.calm()).len(), 300);
}

#[test]
fn the_loop_brings_every_kind_of_incident_away_from_the_first_four_and_ends_what_can_end() {
    let mut city = City::new(6);
    let reader = Reader::new(&city);
    let taken: BTreeSet<_> = city.expected().into_iter().map(|expected| expected.place).collect();
    let opening = city.records(start(), after(60));
    assert!(!opening.is_empty());
    let second_round = after(60 + 14 * 45);
    let mut kinds = BTreeSet::new();
    let mut open: BTreeSet<(String, &str)> = BTreeSet::new();
    // Fourteen incidents, 45 s apart, and the time that the last one takes.
    for step in 0..15 {
        let begin = after(60 + step * 50);
        for event in reader.events(&city.records(begin, begin.plus(Span::from_secs(50)))) {
            let place = event.place.id.as_deref().unwrap().to_owned();
            let key = (event.device.id.to_string(), event.kind.as_str());
            match event.phase {
                Phase::Start if event.kind != Kind::ArmingChanged && event.received_at < second_round => {
                    assert!(!taken.contains(&place), "{} at {place}", event.kind);
                    open.insert(key);
                }
                Phase::End => {
                    open.remove(&key);
                }
                _ => {}
            }
            kinds.insert(event.kind.as_str());
        }
    }
    for kind in [
        "access.tailgating",
        "camera.tamper",
        "door.held_open",
        "fire.alarm",
        "gate.fault",
        "environment.alarm",
        "intrusion.zone",
        "panic.button",
        "report.event",
        "screening.alarm",
        "tag.exit",
        "tag.tamper",
        "video.loss",
    ] {
        assert!(kinds.contains(kind), "{kind} is missing in {kinds:?}");
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_roster_makes_the_all_clear_due_on_the_whole_second_after_the_fourteenth() {
    let roster = City::roster_yaml(start());
    assert!(roster.contains("\"due\":\"07:20:15\"") && roster.contains("\"days\":[\"2026-11-24\"]"), "{roster}");
    let roster = City::roster_yaml("2026-11-24T15:59:50Z".parse().unwrap());
    assert!(roster.contains("\"due\":\"00:00:04\"") && roster.contains("\"days\":[\"2026-11-25\"]"), "{roster}");
}

#[test]
fn the_duty_joins_those_of_another_roster() {
    let shipped = "duties:\n  - {id: other, kinds: [village], due: \"23:00\"}\ncalendars: {}\n";
    let joined: serde_json::Value = serde_json::from_str(&City::roster_over(shipped, start()).unwrap()).unwrap();
    let ids: Vec<_> = joined["duties"].as_array().unwrap().iter().map(|duty| duty["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["other", "city-all-clear"]);
    assert!(City::roster_over("calendars: {}", start()).is_err());
}

#[test]
fn everybody_does_the_duties_of_the_shipped_roster_within_their_windows() {
    for (kind, class, begin) in [
        (Kind::PatrolCheckin, "wand", "2026-11-24T14:00:00Z"),
        (Kind::PatrolCheckin, "wand", "2026-11-24T18:00:00Z"),
        (Kind::ReportAllSafe, "phone", "2026-11-24T08:00:00Z"),
    ] {
        let mut city = City::new(3).calm();
        let begin: Timestamp = begin.parse().unwrap();
        let mut due: BTreeSet<String> = city
            .registry()
            .1
            .into_iter()
            .filter(|device| device.kind.as_deref() == Some(class))
            .map(|device| device.id.to_string())
            .collect();
        let word = format!("chorus.{kind}");
        let hours = if kind == Kind::PatrolCheckin { 1 } else { 2 };
        // Not the first minute, in which a calm city reports once more.
        for minute in 1..60 * hours {
            let from = begin.plus(Span::from_secs(minute * 60));
            for record in city.records(from, from.plus(Span::from_secs(60))) {
                if record.feed == "grid" && !record.broken && String::from_utf8_lossy(&record.value).contains(&word) {
                    due.remove(&record.key);
                }
            }
        }
        assert!(due.is_empty(), "{kind} of {} devices is missing", due.len());
    }
}
