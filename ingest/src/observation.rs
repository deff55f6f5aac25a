//! What a decoder says: observations, before the registry, the border and the clock of receipt have seen them.
//!
//! A decoder is a pure function over bytes. It knows its format and nothing else: no registry, no configuration but what
//! [`Raw`] carries, no clock. Whatever identifies a person must not be put into an [`Observation`], with one exception:
//! [`Credential`], which the border turns into a pseudonym and which no formatting can print.

use std::borrow::Cow;
use std::fmt;

use chorus_model::{
    DeviceScheme, Geo, Integrity, Kind, Outcome, Phase, Severity, SeveritySource, TimePrecision, Timestamp,
};
use jiff::civil;

/// One raw record, as a decoder sees it.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// The value of the record.
    pub bytes: &'a [u8],
    /// The connector that received it, from the header `source`. Formats whose records do not name their device (SIA's
    /// panels do, ONVIF's and Dahua's do not) take it as the device id.
    pub source: Option<&'a str>,
    /// Refuse what fails the format's own integrity check, instead of flagging it.
    pub strict: bool,
}

/// What one part of a record turned out to be. A record may hold many parts; they keep their order.
#[derive(Debug)]
pub enum Piece {
    /// Something happened.
    Event(Box<Observation>),
    /// Well formed, and no safety event: why, in a closed word.
    Filtered(&'static str),
    /// This part cannot be read; the rest of the record still counts.
    Rejected(Reason),
}

/// Why bytes were refused. A closed list: it labels metrics and the header `reason` of a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No known format, or not the one that was named.
    NotThisFormat,
    /// The text's encoding cannot be told.
    BadEncoding,
    /// Broken XML, JSON, or framing.
    BadSyntax,
    /// It ends too early.
    Truncated,
    /// More bytes, parts or nesting than the limits allow.
    TooLarge,
    /// A field without which the record means nothing is missing.
    MissingField,
    /// A field holds what it cannot hold.
    BadValue,
    /// The format's own check failed and the source is read strictly.
    BadIntegrity,
    /// Encrypted by the device; Chorus holds no key for it.
    Encrypted,
    /// A record type or code that the format's table does not know.
    UnknownCode,
    /// The record has no value.
    Empty,
    /// The format named in the header is not one that this feed accepts.
    FormatNotAccepted,
    /// The event would be larger than the topic takes.
    EventTooLarge,
}

impl Reason {
    /// Every reason, so that series exist at 0 from the start.
    pub const ALL: [Self; 13] = [
        Self::NotThisFormat,
        Self::BadEncoding,
        Self::BadSyntax,
        Self::Truncated,
        Self::TooLarge,
        Self::MissingField,
        Self::BadValue,
        Self::BadIntegrity,
        Self::Encrypted,
        Self::UnknownCode,
        Self::Empty,
        Self::FormatNotAccepted,
        Self::EventTooLarge,
    ];

    /// The word used in headers, metrics and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotThisFormat => "not_this_format",
            Self::BadEncoding => "bad_encoding",
            Self::BadSyntax => "bad_syntax",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::MissingField => "missing_field",
            Self::BadValue => "bad_value",
            Self::BadIntegrity => "bad_integrity",
            Self::Encrypted => "encrypted",
            Self::UnknownCode => "unknown_code",
            Self::Empty => "empty",
            Self::FormatNotAccepted => "format_not_accepted",
            Self::EventTooLarge => "event_too_large",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When the device says that it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DeviceTime {
    /// It does not say.
    #[default]
    Missing,
    /// With an offset, or in a format that is defined in UTC.
    Zoned(Timestamp, TimePrecision),
    /// Without one: the source's configured zone applies.
    Local(civil::DateTime, TimePrecision),
    /// The record holds two times that disagree by more than the format's tolerance; this is the better one.
    Contradictory(Timestamp, TimePrecision),
}

/// The identifier of a card, a code or a user, on its way to the border. Never printed, never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Takes the identifier, unless it is one of the placeholders that devices send for "none".
    #[must_use]
    pub fn new(identifier: &str) -> Option<Self> {
        let identifier = identifier.trim();
        let placeholder = matches!(identifier, "_无_" | "无" | "无车牌" | "未知" | "unknown" | "none" | "null" | "-")
            || identifier.chars().all(|c| c == '0');
        (!placeholder).then(|| Self(identifier.to_owned()))
    }

    /// The identifier itself. Only the border calls this.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// What a decoder read: the facts of one event, in the words of the model.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Id of the device in `scheme`; empty when the record does not name it and the connector must.
    pub device_id: String,
    /// What the id is.
    pub scheme: DeviceScheme,
    /// Channel, door, reader or lane.
    pub channel: Option<String>,
    /// What the device is, where the format tells.
    pub device_kind: Option<&'static str>,
    /// What happened.
    pub kind: Kind,
    /// Beginning, end, …
    pub phase: Phase,
    /// `person`, `vehicle`, …
    pub object_class: Option<&'static str>,
    /// How many.
    pub count: Option<i64>,
    /// For access attempts.
    pub outcome: Option<Outcome>,
    /// Zone, region or line.
    pub zone: Option<String>,
    /// Only where the kind leaves the severity open; otherwise the kind decides.
    pub severity: Option<(Severity, SeveritySource)>,
    /// The device's time.
    pub time: DeviceTime,
    /// The identity that the device gave to this happening, without anything personal.
    pub native_id: Option<String>,
    /// The device's running number.
    pub native_seq: Option<u64>,
    /// Stored by the device and sent late.
    pub is_replay: bool,
    /// Drill or periodic test.
    pub is_test: bool,
    /// The format's own check.
    pub integrity: Integrity,
    /// Where, unchecked.
    pub geo: Option<Geo>,
    /// Who, for the pseudonym.
    pub credential: Option<Credential>,
    /// Names of personal fields that were present and left behind.
    pub dropped: Vec<Cow<'static, str>>,
    /// Remarks in closed words.
    pub flags: Vec<&'static str>,
}

impl Observation {
    /// An observation with nothing but what every one has: everything else is absent, a pulse, unchecked.
    #[must_use]
    pub fn new(device_id: impl Into<String>, scheme: DeviceScheme, kind: Kind) -> Self {
        Self {
            device_id: device_id.into(),
            scheme,
            channel: None,
            device_kind: None,
            kind,
            phase: Phase::Pulse,
            object_class: None,
            count: None,
            outcome: None,
            zone: None,
            severity: None,
            time: DeviceTime::Missing,
            native_id: None,
            native_seq: None,
            is_replay: false,
            is_test: false,
            integrity: Integrity::Unchecked,
            geo: None,
            credential: None,
            dropped: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// Notes a personal field that was present, by its name.
    pub fn drop_field(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        if !self.dropped.contains(&name) {
            self.dropped.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_credentials() {
        for nothing in ["", " ", "0", "0000000000", "_无_", "无车牌"] {
            assert!(Credential::new(nothing).is_none(), "{nothing:?}");
        }
        assert!(Credential::new("10").is_some());
    }

    #[test]
    fn no_formatting_prints_a_credential() {
        let credential = Credential::new("SECRET-4711").unwrap();
        assert!(!format!("{credential:?}").contains("4711"));
    }
}
