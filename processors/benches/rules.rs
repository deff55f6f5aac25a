//! What rules cost: processor time of the detector for an event with ten rules and with 5,000, of all types.
//!
//! `cargo bench -p chorus-processors [-- MILLISECONDS]`: processor time spent on each figure, 1,000 unless said otherwise. The events
//! are a city's day: nine of ten are routine (heartbeats, passages, motion), at 300 places of five kinds by five feeds. Three sets of
//! 5,000 rules hold the same ten and others of one feed and kind of place each. *Of places*: sixteen for each place
//! (`event.place.id == …`), on what is not routine, and silences of some models of devices. *General*: the same, but half of the rules are for all places of their kind,
//! sequences among them; about four concern each event that is not routine, and are paid for. *Evenly*: as general, for no one place, and
//! spread over routine events too, so that some concern every event. docs/rules.md says what is indexed.

#![allow(clippy::unwrap_used)] // a benchmark ends where it cannot go on

use std::fmt::Write as _;
use std::time::Duration;

use chorus_model::{Event, FrontierMark, FrontierTable, Kind, Span, Timestamp, id};
use chorus_processors::detect::{Detector, Roster, RuleSet, Setup};
use chorus_runtime::registry::{self, Handle, Registry};
use common::{FEEDS, PLACES, cpu, random};

mod common;

/// As the binary does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SITES: usize = 300;
const DEVICES: [&str; 8] = ["gate", "door", "camera", "panel", "button", "recorder", "sensor", "phone"];
/// What most events are, with how many of a hundred.
const ROUTINE: [(Kind, u64); 5] = [
    (Kind::DeviceHeartbeat, 45),
    (Kind::VehiclePassed, 16),
    (Kind::AccessGranted, 15),
    (Kind::MotionDetected, 9),
    (Kind::CountFlow, 5),
];
/// Monday, 2026-01-05, 08:00 in Nanchang.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);
const EVENTS: usize = 20_000;
/// The sets take turns, so that a neighbour's noise meets all of them.
const TURNS: u32 = 8;

const TEN: &str = r#"rules:
  - {id: 0-door, when: immediate, kinds: [door.forced], summary: {zh: z, en: e}}
  - {id: 0-night, when: immediate, kinds: [motion.detected], places: [school], if: "local.hour < 5", summary: {zh: z, en: e}}
  - {id: 0-refused, when: count, kinds: [access.denied], at_least: 5, within: 2m, by: [device], summary: {zh: z, en: e}}
  - {id: 0-both, when: sequence, first: {kinds: [door.forced]}, then: {kinds: [intrusion.zone]}, within: 5m, summary: {zh: z, en: e}}
  - {id: 0-loss, when: sequence, feed: camera, first: {kinds: [video.loss]}, without: {kinds: [video.loss], if: "event.phase == 'end'"}, within: 2m, by: [device], summary: {zh: z, en: e}}
  - {id: 0-rounds, when: absence, places: [community], expect: {kinds: [patrol.checkin]}, duty: rounds, grace: 30m, summary: {zh: z, en: e}}
  - {id: 0-silent, when: silence, of: device, devices: [gate, camera, panel], missed: 3, summary: {zh: z, en: e}}
  - {id: 0-dark, when: silence, of: place, devices: [gate], missed: 3, places: [village], summary: {zh: z, en: e}}
  - {id: 0-rate, when: baseline, places: [village], kinds: [vehicle.passed], slot: 1h, summary: {zh: z, en: e}}
  - {id: 0-crowd, when: value, kinds: [crowd.density], summary: {zh: z, en: e}}
"#;

fn main() {
    let milliseconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    let spent = Duration::from_millis(milliseconds) / TURNS;
    let events = events();
    let sets = [
        ("10", TEN.to_owned()),
        ("5,000 of places", many(Spread::Places)),
        ("5,000 general", many(Spread::General)),
        ("5,000 evenly", many(Spread::Evenly)),
    ];
    let mut runs: Vec<Run> = sets.iter().map(|(name, rules)| Run::new(name, rules)).collect();
    for _ in 0..TURNS {
        for run in &mut runs {
            run.work(&events, spent);
        }
    }
    println!("| rules | CPU ns an event | times ten | told |");
    println!("|---|---|---|---|");
    let ten = runs[0].nanoseconds();
    for run in &runs {
        let nanoseconds = run.nanoseconds();
        println!("| {} | {nanoseconds:.0} | {:.2} | {} |", run.name, nanoseconds / ten, run.told);
    }
}

struct Run {
    name: &'static str,
    detector: Detector,
    table: FrontierTable,
    offset: i64,
    laps: i64,
    told: usize,
    events: usize,
    time: Duration,
}

impl Run {
    fn new(name: &'static str, rules: &str) -> Self {
        let rules = RuleSet::parse(&[("rules.yaml", rules)]).unwrap();
        let roster = "duties: [{id: rounds, kinds: [community], due: \"18:00\"}]";
        let roster = Roster::parse("roster.yaml", roster).unwrap();
        let setup = Setup::new(rules, roster, Handle::fixed(registry())).unwrap();
        let detector = Detector::new(setup, 0, 1);
        let table = FrontierTable::default();
        Self { name, detector, table, offset: 0, laps: 0, told: 0, events: 0, time: Duration::ZERO }
    }

    /// Goes through the events, later each time, with the frontiers of all feeds every second.
    fn work(&mut self, events: &[(&'static str, Event)], spend: Duration) {
        let mut time = Duration::ZERO;
        while time < spend {
            let shift = Span::from_micros(self.laps * EVENTS as i64 * STEP.as_micros());
            let mut moved: Vec<_> = events.to_vec();
            for (_, event) in &mut moved {
                event.received_at = event.received_at.plus(shift);
                event.event_time = event.event_time.map(|at| at.plus(shift));
            }
            let from = cpu();
            for (index, (feed, event)) in moved.iter().enumerate() {
                self.offset += 1;
                self.told += self.detector.event(self.offset, feed, event).anomalies.len();
                if index % 1_000 == 999 {
                    self.pass(event.received_at);
                }
            }
            time += cpu().saturating_sub(from);
            self.detector.capture(); // not timed: what snapshots cost is in the benchmark of throughput
            self.laps += 1;
            self.events += events.len();
        }
        self.time += time;
    }

    fn pass(&mut self, at: Timestamp) {
        for feed in FEEDS {
            self.table.advance(&FrontierMark::new(feed, 1, vec![(0, at)]));
            self.offset += 1;
            self.told += self.detector.advance(self.offset, &self.table).len();
        }
    }

    fn nanoseconds(&self) -> f64 {
        self.time.as_nanos() as f64 / self.events as f64
    }
}

/// A thousand events a second.
const STEP: Span = Span::from_millis(1);

/// Whom the rules concern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    Places,
    General,
    Evenly,
}

/// The ten rules, and others of every type that has no duty.
fn many(spread: Spread) -> String {
    let mut text = TEN.to_owned();
    let mut random = random(7);
    let special: Vec<Kind> =
        Kind::ALL.iter().copied().filter(|kind| !ROUTINE.iter().any(|(routine, _)| routine == kind)).collect();
    for n in 10..5_000_usize {
        let mut kind = || {
            if spread != Spread::Evenly { special[random(special.len())] } else { Kind::ALL[random(Kind::ALL.len())] }
        };
        let (one, other) = (kind(), kind());
        let device = DEVICES[random(DEVICES.len())];
        let what = match n % 9 {
            0..=2 => format!("immediate, kinds: [{one}, {other}]"),
            3..=4 => format!("count, kinds: [{one}], at_least: 4, within: 5m, by: [device]"),
            5 if spread != Spread::Places => {
                format!("sequence, first: {{kinds: [{one}]}}, then: {{kinds: [{other}]}}, within: 5m")
            }
            // A kind of device of its own for most: a city's rules name models and uses.
            6 => format!("silence, of: device, devices: [{device}-{}], after: 1h", random(20)),
            5 | 7 => format!("baseline, kinds: [{one}], slot: 1h"),
            _ => format!("value, kinds: [{one}]"),
        };
        let can = !what.starts_with("sequence") && !what.starts_with("silence");
        let is_of_place = match spread {
            Spread::Places => can,
            Spread::General => can && random(2) == 0,
            Spread::Evenly => false,
        };
        let condition = match is_of_place {
            true => format!("if: \"event.place.id == 'place-{}' && local.hour < 6\", ", random(SITES)),
            false if can => "if: \"local.hour < 6\", ".to_owned(),
            false => String::new(),
        };
        let place = PLACES[random(PLACES.len())].as_str();
        let feed = FEEDS[random(FEEDS.len())];
        writeln!(
            text,
            "  - {{id: r-{n}, when: {what}, {condition}places: [{place}], feed: {feed}, summary: {{zh: z, en: e}}}}"
        )
        .unwrap();
    }
    text
}

fn registry() -> Registry {
    let place = |n: usize| registry::Place {
        id: format!("place-{n}").into(),
        name: None,
        kind: PLACES[n % PLACES.len()],
        division_code: Some("360111003004".into()),
        lat: None,
        lon: None,
        calendar: None,
    };
    let device = |n: usize, kind: &str| registry::Device {
        id: format!("{kind}-{n}").into(),
        channel: None,
        place: format!("place-{n}").into(),
        kind: Some(kind.into()),
        heartbeat: Some(Span::from_secs(3_600)),
    };
    let devices = (0..SITES).flat_map(|n| DEVICES.map(|kind| device(n, kind))).collect();
    Registry::from_parts((0..SITES).map(place).collect(), devices).unwrap()
}

fn events() -> Vec<(&'static str, Event)> {
    let mut random = random(7);
    let mut one = |n: usize| {
        let site = random(SITES);
        let mut share = random(100) as u64;
        let routine = ROUTINE.iter().find(|(_, of_hundred)| {
            let is_it = share < *of_hundred;
            share = share.saturating_sub(*of_hundred);
            is_it
        });
        let kind = routine.map_or_else(|| Kind::ALL[random(Kind::ALL.len())], |(kind, _)| *kind);
        let device = DEVICES[random(DEVICES.len())];
        let at = START.plus(Span::from_micros(STEP.as_micros() * n as i64));
        (FEEDS[site % PLACES.len()], event(site, device, kind, at, n))
    };
    (0..EVENTS).map(&mut one).collect()
}

fn event(site: usize, device: &str, kind: Kind, at: Timestamp, n: usize) -> Event {
    let id = id::derive(&["bench", &n.to_string()]);
    let place = (format!("place-{site}"), PLACES[site % PLACES.len()], "360111003004");
    common::event(id, (format!("{device}-{site}"), device), place, kind, at)
}
