//! The incidents: four at fixed seconds, then one every 45 seconds or so.

use chorus_model::{Kind, PlaceKind, Span, Timestamp};

use super::incident::{self, Incident};
use super::random::Random;
use super::wire::gb28181::{self, Alarm};
use super::wire::isapi::{Access, code};
use super::world::{Class, Speech, World};
use super::{Expected, RawRecord};

/// From when on the gates of one village say nothing.
const SILENT_FROM: Span = Span::from_secs(5);
const PANIC_AT: Span = Span::from_secs(6);
const FORCED_AT: Span = Span::from_secs(8);
const INTRUSION_AT: Span = Span::from_secs(12);
/// When the due time of the communities' duty is.
pub(crate) const DUE_AT: Span = Span::from_secs(14);
/// All-clears come from the first second on, spread over so many microseconds.
const ALL_SAFE_FROM: Span = Span::from_secs(1);
const ALL_SAFE_SPREAD: u64 = 9_000_000;
/// How long what can end lasts.
const ENDS_AFTER: Span = Span::from_secs(120);

/// When the calm loop begins, and how far its incidents are apart.
const LOOP_FROM: i64 = 60;
const LOOP_EVERY: i64 = 45;

/// Who plays which part.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    seed: u64,
    panic_panel: usize,
    forced_door: usize,
    intrusion_camera: usize,
    /// A village of several gates.
    silent_site: usize,
    silent_gates: Vec<String>,
    /// The phone whose all-clear does not come.
    missing_phone: usize,
}

impl Script {
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let mut random = Random::of(&[seed, 3]);
        let mut pick = |candidates: Vec<usize>| candidates[random.index(candidates.len())];
        let of_kind = |kind| (0..world.sites.len()).filter(move |site| world.sites[*site].kind == kind);
        let gates =
            |site: usize| world.sites[site].units.iter().filter(|unit| world.units[**unit].class == Class::Gate);
        let panels = world.of(Class::Panel).into_iter().filter(|panel| {
            let unit = &world.units[*panel];
            unit.speech == Speech::Sia && world.site_of(unit).kind == PlaceKind::School
        });
        let hospital = pick(of_kind(PlaceKind::Hospital).collect());
        let silent_site = pick(of_kind(PlaceKind::Village).filter(|site| gates(*site).count() >= 2).collect());
        let first = |class| world.at(hospital, class).unwrap_or_default();
        Self {
            seed,
            panic_panel: pick(panels.collect()),
            forced_door: first(Class::Door),
            intrusion_camera: first(Class::Camera),
            silent_site,
            silent_gates: gates(silent_site).map(|unit| world.units[*unit].id.to_string()).collect(),
            missing_phone: pick(world.of(Class::Phone)),
        }
    }

    /// True for a record that is not sent, because its gate has fallen silent.
    pub(crate) fn silences(&self, start: Timestamp, record: &RawRecord) -> bool {
        record.feed == "gate" && record.at >= start.plus(SILENT_FROM) && self.silent_gates.contains(&record.key)
    }

    /// Adds what the script sends in a second since the epoch.
    pub(crate) fn second(&self, world: &World, start: Timestamp, second: i64, out: &mut Vec<RawRecord>) {
        let begin = Timestamp::from_micros(second.saturating_mul(1_000_000));
        let end = begin.plus(Span::from_secs(1));
        let now = |record: &RawRecord| record.at >= begin && record.at < end;
        // The seconds of the city need not begin where those of the epoch do.
        if begin <= start.plus(INTRUSION_AT).plus(ENDS_AFTER) {
            out.extend(self.opening(world, start).into_iter().filter(now));
            all_safe(world, start, Some(self.missing_phone), second, out);
        }
        for (number, at) in incidents_until(start, begin, end) {
            let mut told = Vec::new();
            self.incident(world, number, at, &mut told);
            out.extend(told.into_iter().filter(now));
        }
    }

    /// The incidents at fixed seconds, without the silence and the missing report, which nobody sends.
    fn opening(&self, world: &World, start: Timestamp) -> Vec<RawRecord> {
        let [panel, door, camera] =
            [self.panic_panel, self.forced_door, self.intrusion_camera].map(|unit| &world.units[unit]);
        let area = |event| Alarm { method: 5, kind: 6, event: Some(event), text: gb28181::text::AREA };
        let [panic, forced, entered] = [PANIC_AT, FORCED_AT, INTRUSION_AT].map(|after| start.plus(after));
        let (released, left) = (panic.plus(ENDS_AFTER), entered.plus(ENDS_AFTER));
        vec![
            panel.panel(panic, 1120, 5),
            door.access(forced, &Access { code: code::FORCED, door: 1, card: None }),
            camera.alarm(entered, &area(1)),
            panel.panel(released, 3120, 5),
            camera.alarm(left, &area(2)),
        ]
    }

    /// The `number`th incident of the loop: every kind comes once before any comes again.
    fn incident(&self, world: &World, number: i64, at: Timestamp, out: &mut Vec<RawRecord>) {
        let kinds = i64::try_from(Incident::ALL.len()).unwrap_or(1);
        let mut order = Incident::ALL.to_vec();
        Random::of(&[self.seed, 4, (number / kinds).unsigned_abs()]).shuffle(&mut order);
        let Some(kind) = usize::try_from(number % kinds).ok().and_then(|index| order.get(index)) else { return };
        let mut random = Random::of(&[self.seed, 5, number.unsigned_abs()]);
        let candidates: Vec<usize> = kind.speakers(world).filter(|unit| !self.plays(world, *unit)).collect();
        if let Some(unit) = candidates.get(random.index(candidates.len())) {
            kind.tell(&world.units[*unit], at, &mut random, out);
        }
    }

    /// True for a device at a place that has its part already.
    fn plays(&self, world: &World, unit: usize) -> bool {
        let parts = [self.panic_panel, self.forced_door, self.missing_phone].map(|part| world.units[part].site);
        let site = world.units[unit].site;
        site == self.silent_site || parts.contains(&site)
    }

    pub(crate) fn expected(&self, world: &World) -> Vec<Expected> {
        let at = |site: usize, kind: Kind, title| Expected {
            place: world.sites[site].id.to_string(),
            kind: kind.as_str(),
            title,
        };
        let of = |unit: usize| world.units[unit].site;
        vec![
            at(of(self.panic_panel), Kind::PanicButton, "a panic button at a school"),
            at(of(self.forced_door), Kind::DoorForced, "a forced door, then an intrusion at the same hospital"),
            at(of(self.missing_phone), Kind::ReportMissing, "a missing all-clear of a community"),
            at(self.silent_site, Kind::DeviceOffline, "a village whose gates fall silent"),
        ]
    }
}

/// The incidents of the loop that may still have something to say in this second: number and beginning.
fn incidents_until(start: Timestamp, begin: Timestamp, end: Timestamp) -> impl Iterator<Item = (i64, Timestamp)> {
    let every = LOOP_EVERY * 1_000_000;
    let since = |at: Timestamp| at.since(start).as_micros() - LOOP_FROM * 1_000_000;
    let first = (since(begin) - incident::LONGEST.as_micros()).div_euclid(every).max(0);
    let last = since(end).div_euclid(every);
    (first..=last).map(move |number| {
        let after = Span::from_micros(LOOP_FROM * 1_000_000 + number * every);
        (number, start.plus(after))
    })
}

/// Adds the all-clears of a second: every community's but that of `missing`.
pub(crate) fn all_safe(world: &World, start: Timestamp, missing: Option<usize>, second: i64, out: &mut Vec<RawRecord>) {
    let begin = Timestamp::from_micros(second.saturating_mul(1_000_000));
    if begin > start.plus(DUE_AT) {
        return;
    }
    let end = begin.plus(Span::from_secs(1));
    for index in world.of(Class::Phone).into_iter().filter(|index| Some(*index) != missing) {
        let spread = Random::of(&[6, index as u64]).below(ALL_SAFE_SPREAD);
        let at = start.plus(ALL_SAFE_FROM).plus(Span::from_micros(i64::try_from(spread).unwrap_or(0)));
        if at >= begin && at < end {
            out.push(world.units[index].own(Kind::ReportAllSafe, at, ""));
        }
    }
}
