//! A normal day: heartbeats, arrivals, traffic, patrols. Nothing here raises an alert under sane rules.

use std::collections::BTreeMap;

use chorus_model::{Kind, PlaceKind, Span, Timestamp};

use super::RawRecord;
use super::nonsense;
use super::random::Random;
use super::rhythm::{Rates, Rhythm};
use super::wire::isapi::{self, Access, code};
use super::wire::{ga1400, gb28181, onvif};
use super::world::{Class, Speech, Unit, World};

/// One passage in so many is told twice: the connector's answer got lost, and the device tried again.
const RETRIES: f64 = 0.01;
/// After how long it does.
const RETRY_AFTER: Span = Span::from_millis(400);
/// How often somewhere a platform lists its cameras, and a connector subscribes again: once in so many seconds.
const CATALOG_EVERY: i64 = 20;
const SUBSCRIBE_EVERY: i64 = 15;

/// The day, and who takes part in it.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    seed: u64,
    pub(crate) rhythm: Rhythm,
    pub(crate) load: f64,
    /// For each interval in seconds, what beats in each second of it.
    beats: BTreeMap<i64, Vec<Vec<Beat>>>,
    school_doors: Vec<usize>,
    hospital_doors: Vec<usize>,
    gates: Vec<usize>,
    barriers: Vec<usize>,
    onvif_gates: Vec<usize>,
    traffic_cameras: Vec<usize>,
    motion_cameras: Vec<usize>,
    school_panels: Vec<usize>,
    phones: Vec<usize>,
    guarded: Vec<usize>,
}

/// When in its second a device beats.
#[derive(Clone, Copy, Debug)]
struct Beat {
    unit: usize,
    micros: i64,
}

/// One second that is being made.
struct Second<'a> {
    world: &'a World,
    random: Random,
    begin: Timestamp,
    out: &'a mut Vec<RawRecord>,
}

impl Background {
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let doors = world.of(Class::Door);
        let gates = world.of(Class::Gate);
        let cameras = world.of(Class::Camera);
        let at = |units: &[usize], kind: PlaceKind| filter(world, units, |unit| world.site_of(unit).kind == kind);
        let street_cameras = at(&cameras, PlaceKind::Street);
        Self {
            seed,
            rhythm: Rhythm::wall_clock(),
            load: 1.0,
            beats: beats(world),
            school_doors: at(&doors, PlaceKind::School),
            hospital_doors: at(&doors, PlaceKind::Hospital),
            barriers: filter(world, &gates, |unit| unit.speech != Speech::Onvif),
            onvif_gates: filter(world, &gates, |unit| unit.speech == Speech::Onvif),
            traffic_cameras: filter(world, &street_cameras, |unit| unit.speech == Speech::Ga1400),
            motion_cameras: filter(world, &street_cameras, |unit| unit.speech == Speech::Gb28181),
            school_panels: at(&world.of(Class::Panel), PlaceKind::School),
            phones: world.of(Class::Phone),
            guarded: (0..world.sites.len()).filter(|site| world.at(*site, Class::Panel).is_some()).collect(),
            gates,
        }
    }

    /// What is sent in a second since the epoch, in no order.
    pub(crate) fn second(&self, world: &World, start: Timestamp, second: i64, out: &mut Vec<RawRecord>) {
        let begin = Timestamp::from_micros(second.saturating_mul(1_000_000));
        self.heartbeats(world, begin, second, out);
        let random = Random::of(&[self.seed, 2, second.unsigned_abs()]);
        let rates = Rates::at(self.rhythm.hour(start, begin)).times(self.load);
        let mut now = Second { world, random, begin, out };
        self.doors(&rates, &mut now);
        self.vehicles(&rates, &mut now);
        self.streets(&rates, &mut now);
        self.people(&rates, &mut now);
        self.states(second, &mut now);
        nonsense::second(world, &mut now.random, begin, now.out);
    }

    fn heartbeats(&self, world: &World, begin: Timestamp, second: i64, out: &mut Vec<RawRecord>) {
        for (interval, seconds) in &self.beats {
            let due = usize::try_from(second.rem_euclid(*interval)).ok().and_then(|index| seconds.get(index));
            for beat in due.into_iter().flatten() {
                out.push(world.units[beat.unit].heartbeat(begin.plus(Span::from_micros(beat.micros))));
            }
        }
    }

    /// Who goes through doors and gates on foot.
    fn doors(&self, rates: &Rates, now: &mut Second<'_>) {
        for (doors, rate) in
            [(&self.school_doors, rates.school), (&self.hospital_doors, rates.hospital), (&self.gates, rates.gate)]
        {
            for _ in 0..now.random.poisson(rate) {
                now.pass(doors);
            }
        }
        for _ in 0..now.random.poisson(rates.denied) {
            let (unit, at) = now.any(&self.barriers);
            let card = now.card();
            now.out.push(unit.access(at, &Access { code: code::CARD_UNKNOWN, door: 1, card: Some(&card) }));
        }
    }

    fn vehicles(&self, rates: &Rates, now: &mut Second<'_>) {
        for _ in 0..now.random.poisson(rates.gate_vehicle) {
            let (unit, at) = now.any(&self.barriers);
            let plate = now.plate();
            let direction = if now.random.chance(0.5) { "forward" } else { "reverse" };
            now.out.push(unit.record(at, isapi::vehicle(&unit.id, at, &plate, direction)));
        }
        for _ in 0..now.random.poisson(rates.vehicle) {
            let (unit, at) = now.any(&self.traffic_cameras);
            let (plate, lane) = (now.plate(), 1 + now.random.below(4));
            now.out.push(unit.record(at, ga1400::vehicle(&unit.id, at, &plate, lane)));
        }
    }

    fn streets(&self, rates: &Rates, now: &mut Second<'_>) {
        for _ in 0..now.random.poisson(rates.person) {
            let (unit, at) = now.any(&self.traffic_cameras);
            let walks = now.random.chance(0.7);
            let value = if walks { ga1400::person(&unit.id, at) } else { ga1400::nonmotor(&unit.id, at) };
            now.out.push(unit.record(at, value));
        }
        let motion = gb28181::Alarm { method: 5, kind: 2, event: None, text: gb28181::text::MOTION };
        for _ in 0..now.random.poisson(rates.motion) {
            let (unit, at) = now.any(&self.motion_cameras);
            now.out.push(unit.alarm(at, &motion));
        }
    }

    /// What people report, and what they arm and disarm.
    fn people(&self, rates: &Rates, now: &mut Second<'_>) {
        for _ in 0..now.random.poisson(rates.patrol) {
            let (unit, at) = now.any(&self.phones);
            let zone = format!(",\"zone\":\"point-{}\"", 1 + now.random.below(8));
            now.out.push(unit.own(Kind::PatrolCheckin, at, &zone));
        }
        for _ in 0..now.random.poisson(rates.report) {
            let (unit, at) = now.any(&self.phones);
            let members = ",\"severity\":\"low\",\"text\":\"路灯不亮\",\"reporter\":\"演示\"";
            now.out.push(unit.own(Kind::ReportEvent, at, members));
        }
        for _ in 0..now.random.poisson(rates.arming) {
            let (unit, at) = now.any(&self.school_panels);
            let code = if now.random.chance(0.5) { 1401 } else { 3401 };
            now.out.push(unit.panel(at, code, 1));
        }
    }

    /// How things are, told again and again: catalogues and subscriptions.
    fn states(&self, second: i64, now: &mut Second<'_>) {
        if second.rem_euclid(CATALOG_EVERY) == 0 {
            let site = &now.world.sites[self.guarded[now.random.index(self.guarded.len())]];
            let units = site.units.iter().map(|index| &now.world.units[*index]);
            let cameras: Vec<&Unit> = units.filter(|unit| unit.speech == Speech::Gb28181).collect();
            let ids: Vec<&str> = cameras.iter().map(|unit| &*unit.id).collect();
            if let (Some(first), at) = (cameras.first(), now.moment()) {
                // The platform's own number: a camera's with the type 200 in digits 11 to 13.
                let platform: String = first.id.chars().take(10).chain("2000000001".chars()).collect();
                now.out.push(first.record(at, gb28181::catalog(&platform, at, &ids)));
            }
        }
        if second.rem_euclid(SUBSCRIBE_EVERY) == 0 {
            let (unit, at) = now.any(&self.onvif_gates);
            now.out.push(unit.record(at, onvif::initialized(at)));
        }
    }
}

impl<'a> Second<'a> {
    fn moment(&mut self) -> Timestamp {
        self.begin.plus(Span::from_micros(self.random.micros()))
    }

    /// One of these devices, at some moment of the second.
    fn any(&mut self, units: &[usize]) -> (&'a Unit, Timestamp) {
        let world = self.world;
        let unit = &world.units[units[self.random.index(units.len())]];
        (unit, self.moment())
    }

    /// Ten digits behind Nanchang's code: no card that was ever printed.
    fn card(&mut self) -> String {
        format!("360100{:07}", self.random.below(10_000_000))
    }

    /// No plate has a dot and five leading digits of which the first is 0.
    fn plate(&mut self) -> String {
        format!("赣A·0{:04}", self.random.below(10_000))
    }

    /// Somebody passes a door: accepted, opened, closed, or out by the button.
    fn pass(&mut self, doors: &[usize]) {
        let (unit, at) = self.any(doors);
        let card = self.card();
        let what = self.random.below(100);
        let record = match (unit.speech, what) {
            (Speech::Onvif, 0..10) => unit.record(at, onvif::physical_state(at, "Open")),
            (Speech::Onvif, 10..20) => unit.record(at, onvif::physical_state(at, "Closed")),
            (_, 0..8) => unit.access(at, &Access { code: code::OPENED, door: 1, card: None }),
            (_, 8..16) => unit.access(at, &Access { code: code::CLOSED, door: 1, card: None }),
            (_, 16..20) => unit.access(at, &Access { code: code::EXIT_BUTTON, door: 1, card: None }),
            (_, 20..70) => unit.access(at, &Access { code: code::FACE_ACCEPTED, door: 1, card: Some(&card) }),
            _ => unit.access(at, &Access { code: code::CARD_ACCEPTED, door: 1, card: Some(&card) }),
        };
        let again = at.plus(RETRY_AFTER);
        if self.random.chance(RETRIES) && again < self.begin.plus(Span::from_secs(1)) {
            self.out.push(RawRecord { at: again, ..record.clone() });
        }
        self.out.push(record);
    }
}

fn filter(world: &World, units: &[usize], keep: impl Fn(&Unit) -> bool) -> Vec<usize> {
    units.iter().copied().filter(|index| keep(&world.units[*index])).collect()
}

/// Sorts what beats by interval and second, so that a second looks at nobody whose turn it is not.
fn beats(world: &World) -> BTreeMap<i64, Vec<Vec<Beat>>> {
    let mut beats: BTreeMap<i64, Vec<Vec<Beat>>> = BTreeMap::new();
    for (index, unit) in world.units.iter().enumerate().filter(|(_, unit)| unit.beat > 0) {
        let length = usize::try_from(unit.beat).unwrap_or(1);
        let seconds = beats.entry(unit.beat).or_insert_with(|| vec![Vec::new(); length]);
        let second = usize::try_from(unit.phase / 1_000_000).unwrap_or(0);
        seconds[second].push(Beat { unit: index, micros: unit.phase % 1_000_000 });
    }
    beats
}
