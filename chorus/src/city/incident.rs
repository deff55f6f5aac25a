//! The further incidents of the calm loop, each told from its beginning to its end.

use chorus_model::{Kind, PlaceKind, Span, Timestamp};

use super::RawRecord;
use super::random::Random;
use super::wire::gb28181::{self, Alarm};
use super::wire::isapi::{Access, code};
use super::wire::{onvif, sia};
use super::world::{Class, Speech, Unit, World};

/// No incident lasts longer.
pub(crate) const LONGEST: Span = Span::from_secs(100);

/// A kind of incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incident {
    /// Smoke in a corridor of a hospital, over SIA DC-09.
    Fire,
    /// One card, refused six times at a village gate.
    RefusedCard,
    /// A camera at a school is covered.
    CameraCovered,
    /// A camera loses its picture.
    VideoLost,
    /// An infant tag leaves its ward.
    TagExit,
    /// An infant tag is cut.
    TagCut,
    /// The screening at a hospital finds something.
    Screening,
    /// A grid worker reports something of high severity.
    GridReport,
    /// A village gate stays open too long.
    HeldOpen,
    /// The one-key alarm at a village gate.
    OneKeyAlarm,
    /// A burglary zone of a school's panel.
    Burglary,
    /// Something crosses a guarded line at a school.
    LineCrossed,
    /// Several pass on one permission at a village gate.
    Tailgating,
    /// A gate is blocked.
    GateBlocked,
}

impl Incident {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Fire,
        Self::RefusedCard,
        Self::CameraCovered,
        Self::VideoLost,
        Self::TagExit,
        Self::TagCut,
        Self::Screening,
        Self::GridReport,
        Self::HeldOpen,
        Self::OneKeyAlarm,
        Self::Burglary,
        Self::LineCrossed,
        Self::Tailgating,
        Self::GateBlocked,
    ];

    /// The devices that can tell of it.
    pub(crate) fn speakers(self, world: &World) -> impl Iterator<Item = usize> {
        (0..world.units.len()).filter(move |index| {
            let unit = &world.units[*index];
            self.is_told_by(unit, world.site_of(unit).kind)
        })
    }

    fn is_told_by(self, unit: &Unit, place: PlaceKind) -> bool {
        let is_isapi = matches!(unit.speech, Speech::Isapi(_));
        match self {
            Self::Fire => unit.class == Class::Panel && place == PlaceKind::Hospital,
            Self::Burglary => unit.class == Class::Panel && place == PlaceKind::School && is_isapi,
            Self::RefusedCard | Self::Tailgating | Self::GateBlocked => unit.class == Class::Gate && is_isapi,
            Self::HeldOpen => unit.class == Class::Gate && unit.speech == Speech::Onvif,
            Self::CameraCovered | Self::LineCrossed => unit.class == Class::Camera && place == PlaceKind::School,
            Self::VideoLost => unit.class == Class::Camera && unit.speech == Speech::Gb28181,
            Self::TagExit | Self::TagCut => unit.class == Class::TagGateway,
            Self::Screening => unit.class == Class::Screening,
            Self::GridReport => unit.class == Class::Phone,
            Self::OneKeyAlarm => unit.class == Class::Button,
        }
    }

    /// Everything that a device sends of it, from its beginning at `at`.
    pub(crate) fn tell(self, unit: &Unit, at: Timestamp, random: &mut Random, out: &mut Vec<RawRecord>) {
        let after = |secs| at.plus(Span::from_secs(secs));
        let access = |at, code| unit.access(at, &Access { code, door: 1, card: None });
        let lasting = |kind, secs, zone: &str| {
            let members = |phase| format!(",\"phase\":\"{phase}\",\"zone\":\"{zone}\"");
            [unit.own(kind, at, &members("start")), unit.own(kind, after(secs), &members("end"))]
        };
        let seen = |at, method, kind, event, text| unit.alarm(at, &Alarm { method, kind, event, text });
        match self {
            Self::Fire => out.extend([
                unit.record(at, sia::sia_dcs(&unit.id, at, "FA", 12)),
                unit.record(after(80), sia::sia_dcs(&unit.id, after(80), "FH", 12)),
            ]),
            Self::RefusedCard => {
                let card = format!("360199{:07}", random.below(10_000_000));
                let shown = Access { code: code::CARD_UNKNOWN, door: 1, card: Some(&card) };
                out.extend((0..6).map(|time| unit.access(after(time * 6), &shown)));
            }
            Self::CameraCovered => out.push(seen(at, 2, 2, None, gb28181::text::COVERED)),
            Self::VideoLost => out.push(seen(at, 2, 1, None, gb28181::text::LOST)),
            Self::TagExit => out.extend(lasting(Kind::TagExit, 40, "ward-exit-2")),
            Self::TagCut => out.extend(lasting(Kind::TagTamper, 60, "ward-3")),
            Self::Screening => out.push(unit.own(Kind::ScreeningAlarm, at, ",\"zone\":\"entrance-1\",\"count\":1")),
            Self::GridReport => {
                let members = ",\"severity\":\"high\",\"text\":\"围墙倒塌\",\"reporter\":\"演示\"";
                out.push(unit.own(Kind::ReportEvent, at, members));
            }
            Self::HeldOpen => out.extend([
                unit.record(at, onvif::door_alarm(at, "DoorOpenTooLong")),
                unit.record(after(50), onvif::door_alarm(after(50), "Normal")),
            ]),
            Self::OneKeyAlarm => out.extend(lasting(Kind::PanicButton, 70, "gate-house")),
            Self::Burglary => out.extend([unit.panel(at, 1130, 7), unit.panel(after(75), 3130, 7)]),
            Self::LineCrossed => out.extend([
                seen(at, 5, 5, Some(1), gb28181::text::LINE),
                seen(after(20), 5, 5, Some(2), gb28181::text::LINE),
            ]),
            Self::Tailgating => out.extend((0..6).map(|time| access(after(time * 4), code::TAILGATING))),
            Self::GateBlocked => out.extend([access(at, code::OBSTRUCTED), access(after(90), code::OBSTRUCTION_GONE)]),
        }
    }
}
