//! What a fleet costs: memory of 250,000 devices under the shipped rules, and processor time of an event over that state.
//!
//! `cargo bench -p chorus-processors --bench fleet [-- DEVICES]`. One place of each kind, with twenty devices, lives through 60 days; its
//! state is captured as a snapshot would, and restored under the names of all places of the city: so each has what it has
//! after two months (weeks of counts, rhythms of devices, recent ids), exactly. Memory is resident memory, as the kernel
//! counts it. Each sort of state is measured by itself in a process of its own.

#![allow(clippy::unwrap_used)] // a benchmark ends where it cannot go on

use std::path::Path;
use std::time::Duration;

use chorus_model::partition::partition_for;
use chorus_model::{Event, FrontierMark, FrontierTable, Kind, Span, Timestamp, id};
use chorus_processors::detect::{Detector, Roster, RuleSet, Setup};
use chorus_runtime::registry::{self, Handle, Registry};
use common::{FEEDS, PLACES, cpu, random};
use serde::de::IgnoredAny;

mod common;

/// As the binary does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The devices of a place: kind, heartbeat in minutes, what it says beside that, and how often a day.
const DEVICES: [(&str, usize, i64, Kind, u64); 7] = [
    ("camera", 10, 0, Kind::MotionDetected, 72),
    ("gate", 3, 15, Kind::VehiclePassed, 150),
    ("door", 3, 15, Kind::AccessGranted, 100),
    ("panel", 1, 60, Kind::ArmingChanged, 2),
    ("recorder", 1, 15, Kind::DeviceFault, 0),
    ("button", 1, 60, Kind::PanicButton, 0),
    ("phone", 1, 0, Kind::PatrolCheckin, 2),
];
const PER_PLACE: usize = 20;
const PARTITIONS: i32 = 12;
const DAYS: i64 = 60;
/// Sunday, 2026-01-04, 16:00 UTC: Monday, 00:00 in Nanchang.
const START: Timestamp = Timestamp::from_micros(1_767_542_400_000_000);
/// Events before the measured ones: in the first of an hour a place's usual count is worked out, which is once in some eighty
/// events of a place and would be once in a few here.
const WARM_UP: usize = 200_000;
/// Events over the filled state.
const EVENTS: usize = 300_000;
/// In a child: only state of rules of this type is restored.
const ONLY: &str = "CHORUS_BENCH_ONLY";
const SORTS: [&str; 4] = ["silence", "baseline", "recent", NOTHING];
/// A state of keys alone, which the others are measured with.
const NOTHING: &str = "nothing";
/// In a child: the hour in which everything breaks.
const WORST: &str = "worst";

fn main() {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let devices: usize = wanted.unwrap_or(250_000);
    match std::env::var(ONLY).ok().as_deref() {
        Some(WORST) => return City::build(devices / PER_PLACE, None).worst_hour(),
        Some(only) => return println!("{}", City::build(devices / PER_PLACE, Some(only)).state),
        None => {}
    }
    let places = devices / PER_PLACE;
    let mut city = City::build(places, None);
    println!("{} devices at {places} places, {PARTITIONS} partitions, {} rules\n", places * PER_PLACE, city.rules);
    println!("| memory | MiB | bytes a device |\n|---|---|---|");
    let row = |what: &str, bytes: u64| {
        println!("| {what} | {:.0} | {} |", bytes as f64 / 1_048_576.0, bytes / (places * PER_PLACE) as u64);
    };
    row("registry, and what detectors hold of it", city.registry);
    row("state", city.state);
    row("both", city.registry + city.state);
    let keys = alone(NOTHING, devices)[0];
    row("of the state: keys and deadlines", keys);
    for sort in SORTS.into_iter().filter(|sort| *sort != NOTHING) {
        row(&format!("of the state: {sort}"), alone(sort, devices)[0].saturating_sub(keys));
    }
    println!(
        "| a snapshot of everything, as JSON | {:.0} | {} |",
        city.json as f64 / 1_048_576.0,
        city.json / (places * PER_PLACE)
    );
    let (time, parse, told) = city.live();
    let each = |time: Duration| time.as_nanos() as f64 / EVENTS as f64;
    println!("\n| {EVENTS} events of all devices | ns an event | share |\n|---|---|---|");
    println!("| JSON to nothing | {:.0} | |", each(parse));
    println!(
        "| JSON to event, all rules, frontiers each second | {:.0} | {:.2} |",
        each(time),
        parse.as_secs_f64() / time.as_secs_f64()
    );
    println!("\n{:.0} events per CPU-second; {told} anomalies", EVENTS as f64 / time.as_secs_f64());

    let [events, told, worst, held, json] = *alone(WORST, devices) else { panic!("five figures") };
    println!("\nAn hour in which everything breaks everywhere: {events} events, {told} anomalies\n");
    println!("| memory | MiB | bytes a device |\n|---|---|---|");
    row("registry and state", worst);
    row("both, and a snapshot of one partition that waits for its commit", held);
    row("the snapshots of all partitions, as JSON", json);
}

/// Measures one sort of state, or [`WORST`], in a process of its own: what was freed before would hide what is taken.
fn alone(sort: &str, devices: usize) -> Vec<u64> {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.arg(devices.to_string()).env(ONLY, sort).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(|figure| figure.parse().unwrap()).collect()
}

struct City {
    detectors: Vec<Detector>,
    places: usize,
    rules: usize,
    offset: i64,
    /// Bytes.
    registry: u64,
    state: u64,
    json: usize,
}

impl City {
    fn build(places: usize, only: Option<&str>) -> Self {
        let states: Vec<String> = (0..PLACES.len()).map(|kind| lived_state(kind, only)).collect();
        let before = resident();
        let setup = setup(places);
        let rules = setup.rules.rules().len();
        let mut detectors: Vec<Detector> =
            (0..PARTITIONS).map(|partition| Detector::new(setup.clone(), partition, PARTITIONS)).collect();
        let registry = resident() - before;
        let (before, mut json) = (resident(), 0);
        for place in 0..places {
            let key = place_id(place);
            let partition = usize::try_from(partition_for(key.as_bytes(), PARTITIONS)).unwrap();
            let state = states[place % PLACES.len()].replace(&place_id(place % PLACES.len()), &key);
            json += state.len();
            detectors[partition].restore(&key, state.as_bytes()).unwrap();
        }
        let offset = DAYS * 1_000_000;
        let table = frontiers(START.plus(Span::from_secs(DAYS * 86_400)));
        for detector in &mut detectors {
            detector.advance(offset, &table); // what a restored state still needs: deadlines
        }
        Self { detectors, places, rules, offset, registry, state: resident().saturating_sub(before), json }
    }

    /// Processor time of events over the state and of reading their JSON to nothing, and how many anomalies came.
    fn live(&mut self) -> (Duration, Duration, usize) {
        let mut random = random(11);
        let from = START.plus(Span::from_secs(DAYS * 86_400));
        let events: Vec<(usize, &str, Vec<u8>)> = (0..WARM_UP + EVENTS)
            .map(|n| {
                let place = random(self.places);
                let at = from.plus(Span::from_millis(n as i64 / 5)); // five thousand a second
                let (kind, device, _, says, a_day) = one_device(random(PER_PLACE));
                let says = if a_day == 0 || random(4) == 0 { Kind::DeviceHeartbeat } else { says };
                let event = event(place, kind, device, says, at, n);
                let mut json = Vec::new();
                event.write_json(&mut json).unwrap();
                let partition = partition_for(place_id(place).as_bytes(), PARTITIONS);
                (usize::try_from(partition).unwrap(), FEEDS[place % PLACES.len()], json)
            })
            .collect();
        let begun = cpu();
        for (_, _, json) in events.iter().skip(WARM_UP) {
            serde_json::from_slice::<IgnoredAny>(json).unwrap();
        }
        let parse = cpu().saturating_sub(begun);
        let (mut begun, mut told) = (cpu(), 0);
        for (n, (partition, feed, json)) in events.iter().enumerate() {
            if n == WARM_UP {
                begun = cpu();
            }
            self.offset += 1;
            let event = Event::read_json(json).unwrap();
            told += self.detectors[*partition].event(self.offset, feed, &event).anomalies.len();
            if n % 5_000 == 4_999 {
                let table = frontiers(event.received_at);
                self.offset += 1;
                told += self
                    .detectors
                    .iter_mut()
                    .map(|detector| detector.advance(self.offset, &table).len())
                    .sum::<usize>();
            }
        }
        (cpu().saturating_sub(begun), parse, told)
    }
}

impl City {
    /// Every device of the city has each trouble that its kind may have, and every camera flaps; little of it ends. Prints how many
    /// events that were, how many anomalies came, and bytes: of registry and state, the same with the largest snapshot of a partition (the
    /// runtime takes them one after the other), and of all snapshots as JSON.
    fn worst_hour(mut self) {
        let from = START.plus(Span::from_secs(DAYS * 86_400 + 3_600));
        let (before, mut told, mut events) = (resident(), 0, 0);
        for minute in 0..60 {
            let at = from.plus(Span::from_secs(60 * minute as i64));
            for place in 0..self.places {
                for index in (0..PER_PLACE).filter(|index| (place + index) % 3 == minute % 3) {
                    let (device, number, ..) = one_device(index);
                    let troubles = troubles(device);
                    let trouble = troubles[minute / 3 % troubles.len()];
                    events += 1;
                    let mut event = event(place, device, number, trouble, at, WARM_UP + EVENTS + events);
                    event.subject_ref = (trouble == Kind::AccessDenied).then(|| format!("subject-{}", minute % 6));
                    self.offset += 1;
                    let partition = usize::try_from(partition_for(event.key().as_bytes(), PARTITIONS)).unwrap();
                    let feed = FEEDS[place % PLACES.len()];
                    told += self.detectors[partition].event(self.offset, feed, &event).anomalies.len();
                }
            }
            let table = frontiers(at);
            self.offset += 1;
            told += self.detectors.iter_mut().map(|d| d.advance(self.offset, &table).len()).sum::<usize>();
        }
        let bytes = self.registry + self.state + resident().saturating_sub(before);
        let (mut held, mut json) = (0, 0);
        for detector in &mut self.detectors {
            let before = resident();
            let mut snapshot = detector.capture();
            snapshot.iter_mut().filter_map(|(_, state)| state.as_mut()).for_each(Vec::shrink_to_fit);
            held = held.max(resident().saturating_sub(before));
            json += snapshot.iter().filter_map(|(_, state)| state.as_ref()).map(Vec::len).sum::<usize>();
        }
        println!("{events} {told} {bytes} {} {json}", bytes + held);
    }
}

/// What may go wrong with a device, or be noticed by it.
fn troubles(device: &str) -> &'static [Kind] {
    match device {
        "camera" => &[
            Kind::DeviceOffline,
            Kind::DeviceOnline,
            Kind::VideoLoss,
            Kind::IntrusionArea,
            Kind::DeviceOffline,
            Kind::CameraTamper,
            Kind::CrowdDensity,
            Kind::DeviceFault,
        ],
        "gate" | "door" => &[
            Kind::DoorForced,
            Kind::AccessDenied,
            Kind::DoorHeldOpen,
            Kind::AccessTailgating,
            Kind::GateFault,
            Kind::VehicleWrongWay,
        ],
        "panel" => &[Kind::IntrusionZone, Kind::FireAlarm, Kind::EnvironmentAlarm, Kind::FireFault, Kind::DuressSilent],
        "button" => &[Kind::PanicButton, Kind::MedicalCall, Kind::TagSos],
        "phone" => &[Kind::ReportEvent, Kind::PatrolMissed, Kind::ExternalWarning],
        _ => &[Kind::DeviceFault, Kind::DeviceOffline],
    }
}

/// What a place of a kind leaves in a snapshot after [`DAYS`] days, under the name of the first place of that kind.
fn lived_state(kind: usize, only: Option<&str>) -> String {
    let mut detector = Detector::new(setup(PLACES.len()), 0, 1);
    let (mut random, mut offset) = (random(kind as u64), 0);
    for minute in 0..DAYS * 1_440 {
        let at = START.plus(Span::from_secs(minute * 60));
        let hour = minute / 60 % 24;
        let busy = if (7..21).contains(&hour) { 5 } else { 1 }; // of 80 a day
        for index in 0..PER_PLACE {
            let (name, device, heartbeat, says, a_day) = one_device(index);
            let mut say = |kind_of_event| {
                offset += 1;
                let event =
                    event(kind, name, device, kind_of_event, at.plus(Span::from_secs(index as i64)), offset as usize);
                detector.event(offset, FEEDS[kind], &event);
            };
            if heartbeat > 0 && minute % heartbeat == 0 {
                say(Kind::DeviceHeartbeat);
            }
            if random(1_440 * 80 / 24) < usize::try_from(a_day).unwrap() * busy {
                say(says);
            }
        }
        if minute % 5 == 4 {
            offset += 1;
            detector.advance(offset, &frontiers(at.plus(Span::from_secs(59))));
        }
        if minute % 1_440 == 0 && minute < (DAYS - 1) * 1_440 {
            drop(detector.capture());
        }
    }
    let captured = detector.capture();
    let key = place_id(kind);
    let state = captured.into_iter().find(|(name, _)| *name == key).and_then(|(_, state)| state).unwrap();
    match only {
        None => String::from_utf8(state).unwrap(),
        Some(only) => keep_only(&state, only),
    }
}

/// The state with rules of one type alone, or with the recent ids alone.
fn keep_only(state: &[u8], only: &str) -> String {
    let mut state: serde_json::Value = serde_json::from_slice(state).unwrap();
    let fields = state.as_object_mut().unwrap();
    if only != "recent" {
        fields.remove("d");
    }
    if let Some(rules) = fields.get_mut("r").and_then(|rules| rules.as_object_mut()) {
        rules.retain(|_, state| state.get(only).is_some());
    }
    state.to_string()
}

fn frontiers(at: Timestamp) -> FrontierTable {
    let mut table = FrontierTable::default();
    for feed in FEEDS {
        table.advance(&FrontierMark::new(feed, 1, vec![(0, at)]));
    }
    table
}

/// Kind, number among its like at the place, heartbeat, what it says, how often a day.
fn one_device(index: usize) -> (&'static str, usize, i64, Kind, u64) {
    let mut left = index;
    for (kind, count, heartbeat, says, a_day) in DEVICES {
        if left < count {
            return (kind, left, heartbeat, says, a_day);
        }
        left -= count;
    }
    ("camera", index, 0, Kind::MotionDetected, 0)
}

fn place_id(place: usize) -> String {
    format!("place-{place:06}")
}

fn setup(places: usize) -> Setup {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let place = |n: usize| registry::Place {
        id: place_id(n).into(),
        name: Some(format!("Place {n}").into()),
        kind: PLACES[n % PLACES.len()],
        division_code: Some(division(n).into()),
        lat: Some(28.68),
        lon: Some(115.89),
        calendar: None,
    };
    let devices = (0..places).flat_map(|n| {
        (0..PER_PLACE).map(move |index| {
            let (kind, number, heartbeat, ..) = one_device(index);
            registry::Device {
                id: device_id(n, kind, number).into(),
                channel: None,
                place: place_id(n).into(),
                kind: Some(kind.into()),
                heartbeat: (heartbeat > 0).then(|| Span::from_secs(heartbeat * 60)),
            }
        })
    });
    let registry = Registry::from_parts((0..places).map(place).collect(), devices.collect()).unwrap();
    let roster = Roster::load(&rules.join("roster.yaml")).unwrap();
    Setup::new(RuleSet::load(&[rules]).unwrap(), roster, Handle::fixed(registry)).unwrap()
}

fn division(place: usize) -> String {
    format!("3601{:02}{:03}{:03}", 1 + place % 9, 1 + place % 97, 1 + place % 31)
}

fn device_id(place: usize, kind: &str, number: usize) -> String {
    format!("{kind}-{number:02}-{}", place_id(place))
}

fn event(place: usize, device: &str, number: usize, kind: Kind, at: Timestamp, n: usize) -> Event {
    let id = device_id(place, device, number);
    let event_id = id::derive(&["bench", &id, &n.to_string()]);
    let at_place = (place_id(place), PLACES[place % PLACES.len()], &*division(place));
    Event { native_id: Some(n.to_string()), ..common::event(event_id, (id, device), at_place, kind, at) }
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1_024
}
