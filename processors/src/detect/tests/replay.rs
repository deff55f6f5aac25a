//! A restart changes nothing: the same log gives the same anomalies, byte for byte.

use chorus_model::{Anomaly, AnomalyStatus, Event, FrontierMark, FrontierTable, Kind, Phase, PlaceRef, id};

use super::super::{Detector, File, Publication, RuleSet};
use super::{ALL_TYPES, ROSTER, at, event, setup, village};

enum Entry {
    Event(Box<Event>),
    Mark(FrontierMark),
    Rules(Publication),
}

/// The rules of the test with changes: without the one, the other as a rule of another type.
fn changed(without: &str, counts: &str, secs: i64) -> Publication {
    let mut rules: String = ALL_TYPES
        .lines()
        .filter(|line| !line.contains(&format!("id: {without},")))
        .fold(String::new(), |text, line| text + line + "\n");
    rules = rules.replace(
        &format!("id: {counts}, when: immediate"),
        &format!("id: {counts}, when: count, at_least: 2, within: 10m"),
    );
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let registry = setup(ALL_TYPES).registry;
    Publication::new(vec![file("rules.yaml", &rules)], file("roster.yaml", ROSTER), "duty desk", at(secs), registry)
        .unwrap()
}

/// Which of three sets of rules comes into force.
fn pick_of(n: i64) -> usize {
    usize::try_from(n / 40 % 3).unwrap()
}

/// Five weeks of two villages and a few strangers: every kind of event in every phase, with repeats, delays and drills.
fn history() -> Vec<Entry> {
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let kinds = [
        Kind::GateFault,
        Kind::AccessDenied,
        Kind::DoorForced,
        Kind::VideoLoss,
        Kind::PatrolCheckin,
        Kind::VehiclePassed,
        Kind::PanicButton,
        Kind::DeviceHeartbeat,
        Kind::DoorOpened,
        Kind::DoorClosed,
        Kind::CrowdDensity,
    ];
    let phases = [Phase::Pulse, Phase::Pulse, Phase::Pulse, Phase::Start, Phase::End, Phase::Continue, Phase::Sync];
    let devices = ["gate-1", "gate-2", "camera-1", "door-1"];
    let mut log = Vec::new();
    let mut secs = 0;
    for n in 0..4_200_i64 {
        if n > 400 && n % 40 == 0 {
            let (without, counts) = [("f-silent", "a-fault"), ("e-rounds", "i-drill"), ("none", "none")][pick_of(n)];
            log.push(Entry::Rules(changed(without, counts, secs)));
        }
        secs += i64::try_from(if random(3) == 0 { random(4_000) } else { random(40) }).unwrap();
        let pick = usize::try_from(random(1_000)).unwrap();
        if random(4) == 0 {
            let input = if random(2) == 0 { "gate" } else { "camera" };
            let before = vec![(0, at(secs - i64::try_from(random(60)).unwrap()))];
            log.push(Entry::Mark(FrontierMark::new(input, 1, before)));
            continue;
        }
        let place = match random(10) {
            0 => PlaceRef::default(),
            1 | 2 => village("v2"),
            _ => village("v1"),
        };
        let is_replay = random(12) == 0;
        let late = if is_replay { i64::try_from(random(3_000)).unwrap() } else { 0 };
        let burst = n % 40 < 8; // a card that is refused again and again
        let kind = if burst { Kind::AccessDenied } else { kinds[pick % 11] };
        let device = devices[if burst { 3 } else { usize::try_from(random(4)).unwrap() }];
        let base = event(device, kind, secs - late);
        // A door that swings, a number that leaps once, a camera that falls silent for good.
        let base = match n % 40 {
            8..=13 => event("door-1", [Kind::DoorOpened, Kind::DoorClosed][usize::from(n % 2 == 0)], secs),
            15..=19 => row(secs, if (3_960..4_000).contains(&n) { 900 } else { 10 + n % 7 }),
            21..=23 if n < 3_600 => event("camera-2", Kind::MotionDetected, secs),
            28..=31 => Event {
                phase: [Phase::Start, Phase::End][usize::from(n % 2 == 1)],
                ..event("gate-3", Kind::GateFault, secs)
            },
            33 => Event { place: village("v2"), ..event("door-2", Kind::DoorForced, secs) },
            _ => base,
        };
        if base.device.id.as_ref() != device || (8..=13).contains(&(n % 40)) {
            log.push(Entry::Event(Box::new(Event { event_id: id::derive(&["own", &n.to_string()]), ..base })));
            continue;
        }
        log.push(Entry::Event(Box::new(Event {
            event_id: id::derive(&["n", &(n - i64::try_from(random(2)).unwrap()).to_string()]),
            native_id: (random(3) == 0).then(|| "n".to_owned()),
            phase: phases[pick % 7],
            zone: (random(5) == 0).then(|| "east".to_owned()),
            flags: if random(2) == 0 { vec!["standing".into()] } else { Vec::new() },
            is_test: random(15) == 0,
            count: (random(4) == 0).then_some(40),
            received_at: at(secs),
            is_replay,
            place,
            ..base
        })));
    }
    log
}

fn row(secs: i64, number: i64) -> Event {
    Event { count: Some(number), ..event("counter-1", Kind::CrowdDensity, secs) }
}

/// Runs a part of the log and returns what each offset told, as JSON.
fn run(detector: &mut Detector, table: &mut FrontierTable, log: &[Entry], from: usize, to: usize) -> Vec<Vec<u8>> {
    let mut told = Vec::new();
    for (offset, entry) in log.iter().enumerate().take(to).skip(from) {
        let offset = i64::try_from(offset).unwrap();
        let anomalies = match entry {
            Entry::Event(event) => detector.event(offset, "gate", event).anomalies,
            Entry::Mark(mark) => match table.advance(mark) {
                Some(_) => detector.advance(offset, table),
                None => Vec::new(),
            },
            Entry::Rules(publication) => detector.publish(offset, publication.clone()).unwrap().unwrap_or_default(),
        };
        told.push(serde_json::to_vec(&anomalies).unwrap());
    }
    told
}

#[test]
fn any_split_into_live_snapshot_and_replay_tells_byte_for_byte_the_same() {
    let log = history();
    let whole = run(&mut Detector::new(setup(ALL_TYPES), 0, 1), &mut FrontierTable::default(), &log, 0, log.len());
    let anomalies: Vec<Anomaly> =
        whole.iter().flat_map(|b| serde_json::from_slice::<Vec<Anomaly>>(b).unwrap()).collect();
    for rule in RuleSet::parse(&[("rules.yaml", ALL_TYPES)]).unwrap().rules() {
        let of_rule = |status: AnomalyStatus| anomalies.iter().any(|a| a.rule == rule.id && a.status == status);
        assert!(of_rule(AnomalyStatus::Firing), "the history never fires {}: the test would prove nothing", rule.id);
    }
    // A detector's own reason is in the summary, in both languages.
    for (rule, zh, en) in [("h-rate", "往常约", "usually about"), ("m-value", "仅超出 16 次", "passed only 16 times")]
    {
        let mut told = anomalies.iter().filter(|a| &*a.rule == rule && a.status == AnomalyStatus::Firing);
        assert!(told.all(|a| a.summary.zh.contains(zh) && a.summary.en.contains(en)), "{rule}");
    }
    for marker in (0..log.len()).step_by(211) {
        // Snapshots at 1/3, at 2/3 and at the marker; then one that was torn: half of its keys got written.
        let mut detector = Detector::new(setup(ALL_TYPES), 0, 1);
        let mut table = FrontierTable::default();
        let mut snapshot = std::collections::BTreeMap::new();
        let mut before = 0;
        for until in [marker / 3, marker * 2 / 3, marker] {
            run(&mut detector, &mut table, &log, before, until);
            before = until;
            for (key, state) in detector.capture() {
                match state {
                    Some(state) => drop(snapshot.insert(key, state)),
                    None => drop(snapshot.remove(&key)),
                }
            }
        }
        let at_marker = table.clone();
        let torn = (marker + 97).min(log.len());
        run(&mut detector, &mut table, &log, marker, torn);
        for (index, (key, state)) in detector.capture().into_iter().enumerate() {
            match state {
                Some(state) if index % 2 == marker % 2 => drop(snapshot.insert(key, state)),
                _ => {}
            }
        }
        let mut second = Detector::new(setup(ALL_TYPES), 0, 1);
        for (key, state) in &snapshot {
            second.restore(key, state).unwrap();
        }
        let mut table = at_marker;
        run(&mut second, &mut table, &log, marker, torn); // quiet: it was told before
        let again = run(&mut second, &mut table, &log, torn, log.len());
        for (index, (expected, got)) in whole[torn..].iter().zip(&again).enumerate() {
            assert_eq!(
                String::from_utf8_lossy(expected),
                String::from_utf8_lossy(got),
                "marker {marker}, torn at {torn}, offset {}",
                torn + index
            );
        }
    }
}

#[test]
fn rules_of_a_snapshot_that_cannot_be_worked_by_are_an_error_and_no_others_are_taken() {
    let mut detector = Detector::new(setup(ALL_TYPES), 0, 1);
    detector.publish(7, changed("f-silent", "a-fault", 0)).unwrap();
    let kept = detector.capture().into_iter().next().unwrap();
    let (key, state) = (kept.0, String::from_utf8(kept.1.unwrap()).unwrap());
    let restore = |state: &str| Detector::new(setup(ALL_TYPES), 0, 1).restore(&key, state.as_bytes());
    assert!(restore(&state).is_ok());
    let broken = state.replace("when: absence", "when: never");
    assert_ne!(broken, state);
    assert!(restore(&broken).is_err());
}
