//! What stands in the city: its places and devices, made up once from the seed.

use std::sync::Arc;

use chorus_model::{PlaceKind, Span};
use chorus_runtime::registry;

use super::names;
use super::random::Random;
use super::wire::isapi::Spelling;

/// Nanchang's districts and streets: `code,name`.
const DIVISIONS: &str = include_str!("nanchang.csv");

pub(crate) const SCHOOLS: usize = 137;
pub(crate) const HOSPITALS: usize = 39;
pub(crate) const VILLAGES: usize = 600;
pub(crate) const GATES: usize = 923;
pub(crate) const CAMERAS: usize = 1_999;
pub(crate) const COMMUNITIES: usize = 300;

/// The most gates of one village.
const MOST_GATES: usize = 4;

/// How often devices speak when all is well, in seconds.
const GATE_BEAT: i64 = 5;
const CAMERA_BEAT: i64 = 60;
const PANEL_BEAT: i64 = 30;

/// A place.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) kind: PlaceKind,
    pub(crate) division: String,
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    pub(crate) calendar: Option<&'static str>,
    /// What stands there.
    pub(crate) units: Vec<usize>,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Gate,
    Door,
    Panel,
    Camera,
    Phone,
    Button,
    Screening,
    TagGateway,
}

impl Class {
    /// The word in the registry.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Door => "door",
            Self::Panel => "panel",
            Self::Camera => "camera",
            Self::Phone => "phone",
            Self::Button => "button",
            Self::Screening => "screening",
            Self::TagGateway => "tag_gateway",
        }
    }
}

/// Which format a device speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Isapi(Spelling),
    Onvif,
    Sia,
    Gb28181,
    Ga1400,
    Own,
}

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Its id as the decoder gives it.
    pub(crate) id: Arc<str>,
    pub(crate) site: usize,
    pub(crate) class: Class,
    pub(crate) speech: Speech,
    /// The feed that it belongs to.
    pub(crate) feed: &'static str,
    /// The connector that receives it; of formats that name no device, the device.
    pub(crate) source: String,
    /// Seconds between heartbeats; 0 for none.
    pub(crate) beat: i64,
    /// When it beats within that time, in microseconds.
    pub(crate) phase: i64,
    /// Its clock says 2012.
    pub(crate) lives_in_2012: bool,
}

/// All places and devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) sites: Vec<Site>,
    pub(crate) units: Vec<Unit>,
}

impl World {
    /// The city of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self::default();
        let mut random = Random::of(&[seed, 1]);
        let streets = world.add_communities(&mut random);
        world.add_schools(&mut random);
        world.add_hospitals(&mut random);
        world.add_villages(&mut random);
        world.add_cameras(&streets, &mut random);
        // One panel has lost its clock's battery.
        let first = world.units.iter().position(|unit| unit.class == Class::Panel && unit.speech != Speech::Sia);
        if let Some(unit) = first.and_then(|index| world.units.get_mut(index)) {
            unit.lives_in_2012 = true;
        }
        world
    }

    /// The devices of a class, in their order.
    pub(crate) fn of(&self, class: Class) -> Vec<usize> {
        (0..self.units.len()).filter(|index| self.units[*index].class == class).collect()
    }

    /// Where a device stands.
    pub(crate) fn site_of(&self, unit: &Unit) -> &Site {
        &self.sites[unit.site]
    }

    /// The first device of a class at a place.
    pub(crate) fn at(&self, site: usize, class: Class) -> Option<usize> {
        self.sites[site].units.iter().copied().find(|index| self.units[*index].class == class)
    }

    /// Streets and their communities, each with the phone of its grid worker; answers the streets.
    fn add_communities(&mut self, random: &mut Random) -> Vec<usize> {
        let named: Vec<(&str, &str)> = DIVISIONS.lines().filter_map(|line| line.split_once(',')).collect();
        let streets: Vec<(&str, &str)> = named.into_iter().filter(|(code, _)| code.len() == 9).collect();
        let mut sites = Vec::with_capacity(streets.len());
        for (index, (code, name)) in streets.iter().enumerate() {
            sites.push(self.add_site(format!("street-{code}"), (*name).to_owned(), PlaceKind::Street, code, random));
            // The remainder goes to the first streets, so that the sum is exact.
            let count = COMMUNITIES / streets.len() + usize::from(index < COMMUNITIES % streets.len());
            for number in 1..=count {
                let division = format!("{code}{number:03}");
                let (id, name) = (format!("community-{division}"), names::community(name, number));
                let site = self.add_site(id, name, PlaceKind::Community, &division, random);
                self.add_unit(site, Class::Phone, Speech::Own, format!("phone-{division}"), "grid", random);
            }
        }
        sites
    }

    fn add_schools(&mut self, random: &mut Random) {
        for number in 1..=SCHOOLS {
            let division = self.any_community(random);
            let (id, name) = (format!("school-{number:03}"), names::school(number));
            let site = self.add_site(id, name, PlaceKind::School, &division, random);
            self.add_unit(site, Class::Door, Speech::Isapi(spelling(number)), mac(2, number), "school", random);
            // A good third of the schools have the door maker's panel, the others one that speaks SIA DC-09.
            let (speech, id) = if number % 3 == 0 {
                (Speech::Isapi(Spelling::Json), mac(3, number))
            } else {
                (Speech::Sia, format!("70{number:04}"))
            };
            self.add_unit(site, Class::Panel, speech, id, "school", random);
        }
    }

    fn add_hospitals(&mut self, random: &mut Random) {
        for number in 1..=HOSPITALS {
            let division = self.any_community(random);
            let (id, name) = (format!("hospital-{number:02}"), names::hospital(number));
            let site = self.add_site(id, name, PlaceKind::Hospital, &division, random);
            for door in 0..3 {
                let id = mac(4, number * 3 + door);
                self.add_unit(site, Class::Door, Speech::Isapi(spelling(door)), id, "hospital", random);
            }
            self.add_unit(site, Class::Panel, Speech::Sia, format!("80{number:04}"), "hospital", random);
            for (class, name) in [(Class::Screening, "screening"), (Class::TagGateway, "tags")] {
                self.add_unit(site, class, Speech::Own, format!("{name}-hospital-{number:02}"), "hospital", random);
            }
        }
    }

    fn add_villages(&mut self, random: &mut Random) {
        let mut gates = [1; VILLAGES];
        let mut left = GATES - VILLAGES;
        while left > 0 {
            let village = &mut gates[random.index(VILLAGES)];
            if *village < MOST_GATES {
                *village += 1;
                left -= 1;
            }
        }
        for (index, gates) in gates.into_iter().enumerate() {
            let number = index + 1;
            let division = self.any_community(random);
            let (id, name) = (format!("village-{number:03}"), names::village(number));
            let site = self.add_site(id, name, PlaceKind::Village, &division, random);
            for gate in 1..=gates {
                // A quarter of the villages bought ONVIF doors.
                let (speech, id) = if number % 4 == 0 {
                    (Speech::Onvif, format!("onvif-village-{number:03}-{gate}"))
                } else {
                    (Speech::Isapi(spelling(number)), mac(1, number * 10 + gate))
                };
                self.add_unit(site, Class::Gate, speech, id, "gate", random);
            }
            self.add_unit(site, Class::Button, Speech::Own, format!("button-village-{number:03}"), "gate", random);
        }
    }

    /// Four at a school, eight at a hospital, one at a village; the rest look at streets.
    fn add_cameras(&mut self, streets: &[usize], random: &mut Random) {
        let mut sites = Vec::with_capacity(CAMERAS);
        for (index, site) in self.sites.iter().enumerate() {
            let count = match site.kind {
                PlaceKind::School => 4,
                PlaceKind::Hospital => 8,
                PlaceKind::Village => 1,
                PlaceKind::Community | PlaceKind::Street | PlaceKind::Other => 0,
            };
            sites.extend(std::iter::repeat_n(index, count));
        }
        let left = CAMERAS - sites.len();
        sites.extend(streets.iter().cycle().take(left));
        for (index, site) in sites.into_iter().enumerate() {
            let on_street = self.sites[site].kind == PlaceKind::Street;
            let speech = if on_street && index % 3 != 0 { Speech::Ga1400 } else { Speech::Gb28181 };
            let (industry, kind) = if speech == Speech::Ga1400 { ("03", "119") } else { ("05", "132") };
            let county: String = self.sites[site].division.chars().take(6).collect();
            let id = format!("{county}00{industry}{kind}0{:06}", index + 1);
            self.add_unit(site, Class::Camera, speech, id, "camera", random);
        }
    }

    /// The division of some community: the place stands in it.
    fn any_community(&self, random: &mut Random) -> String {
        loop {
            let site = &self.sites[random.index(self.sites.len())];
            if site.kind == PlaceKind::Community {
                return site.division.clone();
            }
        }
    }

    fn add_site(&mut self, id: String, name: String, kind: PlaceKind, division: &str, random: &mut Random) -> usize {
        let (lat, lon) = names::position(division.get(..6).unwrap_or_default(), random);
        let calendar = (kind == PlaceKind::School).then_some("school");
        let (id, division) = (id.into(), division.to_owned());
        self.sites.push(Site { id, name, kind, division, lat, lon, calendar, units: Vec::new() });
        self.sites.len() - 1
    }

    fn add_unit(
        &mut self,
        site: usize,
        class: Class,
        speech: Speech,
        id: String,
        feed: &'static str,
        random: &mut Random,
    ) {
        let beat = match class {
            Class::Gate => GATE_BEAT,
            Class::Camera => CAMERA_BEAT,
            Class::Panel => PANEL_BEAT,
            Class::Door | Class::Phone | Class::Button | Class::Screening | Class::TagGateway => 0,
        };
        let source = match speech {
            Speech::Isapi(_) => format!("isapi-{feed}"),
            Speech::Onvif => id.clone(),
            Speech::Sia => format!("sia-{feed}"),
            Speech::Gb28181 => "gb28181-city".to_owned(),
            Speech::Ga1400 => "viid-city".to_owned(),
            Speech::Own => format!("{}-app", class.as_str()),
        };
        let phase = i64::try_from(random.below(beat.unsigned_abs() * 1_000_000)).unwrap_or(0);
        self.sites[site].units.push(self.units.len());
        let id = id.into();
        self.units.push(Unit { id, site, class, speech, feed, source, beat, phase, lives_in_2012: false });
    }

    /// The places, as the registry takes them.
    pub(crate) fn places(&self) -> Vec<registry::Place> {
        let place = |site: &Site| registry::Place {
            id: Arc::clone(&site.id),
            name: Some(site.name.as_str().into()),
            kind: site.kind,
            division_code: Some(site.division.as_str().into()),
            lat: Some(site.lat),
            lon: Some(site.lon),
            calendar: site.calendar.map(Arc::from),
        };
        self.sites.iter().map(place).collect()
    }

    /// The devices, as the registry takes them.
    pub(crate) fn devices(&self) -> Vec<registry::Device> {
        let device = |unit: &Unit| registry::Device {
            id: Arc::clone(&unit.id),
            channel: None,
            place: Arc::clone(&self.site_of(unit).id),
            kind: Some(unit.class.as_str().into()),
            heartbeat: (unit.beat > 0).then(|| Span::from_secs(unit.beat)),
        };
        self.units.iter().map(device).collect()
    }
}

/// An address that no maker owns (the second bit of the first byte says "locally administered").
fn mac(range: u8, number: usize) -> String {
    format!("02:36:01:{range:02x}:{:02x}:{:02x}", number / 256, number % 256)
}

/// Half of the controllers write XML, the others JSON or JSON with a picture.
fn spelling(number: usize) -> Spelling {
    match number % 4 {
        0 | 1 => Spelling::Xml,
        2 => Spelling::Json,
        _ => Spelling::Multipart,
    }
}
