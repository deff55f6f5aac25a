//! What a device says, in the format that it speaks.

use chorus_model::{Kind, Span, Timestamp};

use super::RawRecord;
use super::wire::isapi::Access;
use super::wire::{ga1400, gb28181, isapi, onvif, own, sia};
use super::world::{Speech, Unit};

/// How far behind a clock is that began again in 2012: fourteen years of 365.25 days.
const FOURTEEN_YEARS: Span = Span::from_secs(441_806_400);

impl Speech {
    /// The format's name in the header `format`.
    pub(crate) const fn format(self) -> &'static str {
        match self {
            Self::Isapi(_) => "hikvision-isapi",
            Self::Onvif => "onvif",
            Self::Sia => "sia-dc09",
            Self::Gb28181 => "gb-t-28181",
            Self::Ga1400 => "ga-t-1400",
            Self::Own => "chorus",
        }
    }
}

impl Unit {
    /// A record of this device in its own format.
    pub(crate) fn record(&self, at: Timestamp, value: Vec<u8>) -> RawRecord {
        self.record_as(self.speech.format(), at, value)
    }

    /// A record of this device in Chorus's own schema.
    pub(crate) fn own(&self, kind: Kind, at: Timestamp, members: &str) -> RawRecord {
        self.record_as(Speech::Own.format(), at, own::event(&self.source, &self.id, kind, at, members))
    }

    fn record_as(&self, format: &'static str, at: Timestamp, value: Vec<u8>) -> RawRecord {
        let (key, source) = (self.id.to_string(), self.source.clone());
        RawRecord { at, feed: self.feed, key, format, source, value, broken: false }
    }

    /// The instant on its own clock.
    fn clock(&self, at: Timestamp) -> Timestamp {
        if self.lives_in_2012 { at.minus(FOURTEEN_YEARS) } else { at }
    }

    /// That it is there.
    pub(crate) fn heartbeat(&self, at: Timestamp) -> RawRecord {
        let value = match self.speech {
            Speech::Isapi(spelling) => isapi::heartbeat(spelling, &self.id, self.clock(at)),
            // ONVIF has no heartbeat: the connector that holds the subscription says that it holds.
            Speech::Onvif | Speech::Own => return self.own(Kind::DeviceHeartbeat, at, ""),
            Speech::Sia => sia::null(&self.id, at),
            Speech::Gb28181 if self.phase % 4 == 0 => gb28181::keepalive_in_sip(&self.id, at),
            Speech::Gb28181 => gb28181::keepalive(&self.id, at),
            Speech::Ga1400 => ga1400::keepalive(&self.id),
        };
        self.record(at, value)
    }

    /// An access event of a controller that speaks ISAPI; of others, that somebody passed.
    pub(crate) fn access(&self, at: Timestamp, access: &Access<'_>) -> RawRecord {
        let value = match self.speech {
            Speech::Isapi(spelling) => isapi::access(spelling, &self.id, self.clock(at), access),
            _ => onvif::granted(at),
        };
        self.record(at, value)
    }

    /// A Contact ID event of an alarm panel; the first digit of the code is the qualifier.
    pub(crate) fn panel(&self, at: Timestamp, code: u32, zone: u32) -> RawRecord {
        let value = match self.speech {
            Speech::Isapi(_) => isapi::panel(&self.id, self.clock(at), code, zone),
            _ => sia::contact_id(&self.id, at, code, zone),
        };
        self.record(at, value)
    }

    /// An alarm of a camera that speaks GB/T 28181.
    pub(crate) fn alarm(&self, at: Timestamp, alarm: &gb28181::Alarm) -> RawRecord {
        self.record(at, gb28181::alarm(&self.id, at, alarm))
    }
}
