//! Chorus's own schema, for what has no public format: grid reports and all-clears, patrol check-ins, screening hits,
//! infant tags, one-key alarms. CloudEvents 1.0 in structured JSON mode, one event or an array of them.
//!
//! ```json
//! {"specversion":"1.0","id":"r-1","source":"grid-app","type":"chorus.report.all_safe","time":"2026-11-24T17:30:00+08:00",
//!  "data":{"device":"phone-12","channel":"1","phase":"pulse","zone":"gate 2","count":3,"severity":"medium",
//!          "lat":28.68,"lon":115.89,"datum":"gcj02","test":false,"replay":false}}
//! ```
//!
//! `type` is `chorus.` and a kind of the closed list; `id` must be unique per `source` (CloudEvents 1.0, section 3.1) and is
//! the native identity. `time` may lack its offset: then it is local. Every other member of `data` is left at the border.
//!
//! `device` is a technical token (ASCII letters, digits, `-_.:/`, at most 64); without one it is `source`, else the connector.
//! `channel` and `zone` are tokens, or a few words that end in what a place has (`gate 2`, `东门`). An `id`, `source`, `device`,
//! `channel` or `zone` that is not, or that holds the number of a mobile telephone or an identity card, is dropped and named in
//! `pii_dropped`; without `id` or `source`, a repeat is not known as one.

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Geo, Integrity, Kind, Phase, Severity, SeveritySource};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ident, text, time};
use crate::observation::{Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "chorus";

/// The most events in one array.
const MAX_EVENTS: usize = 1_000;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize, Default)]
struct Data<'a> {
    #[serde(borrow, default)]
    device: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    channel: Option<Cow<'a, str>>,
    #[serde(default)]
    phase: Option<Phase>,
    #[serde(borrow, default)]
    zone: Option<Cow<'a, str>>,
    #[serde(default)]
    count: Option<i64>,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    lat: Option<f64>,
    #[serde(default)]
    lon: Option<f64>,
    #[serde(borrow, default)]
    datum: Option<Cow<'a, str>>,
    #[serde(default)]
    test: bool,
    #[serde(default)]
    replay: bool,
    // Free text and names are recognised only to say that they were left behind.
    #[serde(default)]
    text: Option<IgnoredAny>,
    #[serde(default)]
    reporter: Option<IgnoredAny>,
}

/// True for JSON that names a CloudEvents version.
pub fn sniff(bytes: &[u8]) -> bool {
    matches!(text::first_byte(bytes), Some(b'{' | b'[')) && text::contains(bytes, b"\"specversion\"", 512)
}

/// Reads one event or an array of them.
///
/// # Errors
/// Broken JSON, or more events than a record may hold.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    if text::first_byte(raw.bytes) == Some(b'[') {
        // Read once when all are well; one by one, so that a bad one costs only itself, when they are not.
        if let Ok(events) = serde_json::from_str::<Vec<Envelope<'_>>>(&payload.text)
            && events.len() <= MAX_EVENTS
        {
            let read = |event| read(event, payload.flag).unwrap_or_else(Piece::Rejected);
            pieces.extend(events.into_iter().map(read));
            return Ok(());
        }
        let parts: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(&payload.text).map_err(|error| syntax(&error))?;
        if parts.len() > MAX_EVENTS {
            return Err(Reason::TooLarge);
        }
        for part in parts {
            pieces.push(one(part.get(), payload.flag).unwrap_or_else(Piece::Rejected));
        }
        return Ok(());
    }
    pieces.push(one(&payload.text, payload.flag)?);
    Ok(())
}

fn one(json: &str, flag: Option<&'static str>) -> Result<Piece, Reason> {
    read(serde_json::from_str(json).map_err(|error| syntax(&error))?, flag)
}

fn read(envelope: Envelope<'_>, flag: Option<&'static str>) -> Result<Piece, Reason> {
    if envelope.specversion != "1.0" {
        return Err(Reason::NotThisFormat);
    }
    let kind: Kind =
        envelope.kind.strip_prefix("chorus.").and_then(|kind| kind.parse().ok()).ok_or(Reason::UnknownCode)?;
    if envelope.id.is_empty() || envelope.source.is_empty() {
        return Err(Reason::MissingField);
    }
    let data = envelope.data.unwrap_or_default();
    let mut observation = Observation::new("", DeviceScheme::Own, kind);
    let device = passed("device", data.device, technical, &mut observation);
    observation.device_id = device.or_else(|| technical(&envelope.source)).unwrap_or_default();
    observation.channel = passed("channel", data.channel, ident::spot, &mut observation);
    observation.zone = passed("zone", data.zone, ident::spot, &mut observation);
    observation.phase = data.phase.unwrap_or(Phase::Pulse);
    observation.count = data.count;
    observation.severity = data.severity.map(|severity| (severity, SeveritySource::Device));
    observation.time = envelope.time.map(|text| time::iso(&text)).unwrap_or_default();
    observation.native_id = identity(&envelope.source, &envelope.id, &mut observation);
    observation.is_test = data.test;
    observation.is_replay = data.replay;
    observation.integrity = Integrity::Unchecked;
    observation.geo = data.lat.zip(data.lon).map(|(lat, lon)| Geo { lat, lon, datum: datum(data.datum.as_deref()) });
    if data.text.is_some() {
        observation.drop_field("text");
    }
    if data.reporter.is_some() {
        observation.drop_field("reporter");
    }
    observation.flags.extend(flag);
    Ok(Piece::Event(Box::new(observation)))
}

/// A member as it may pass; what may not is named.
fn passed(
    name: &'static str,
    text: Option<Cow<'_, str>>,
    read: fn(&str) -> Option<String>,
    observation: &mut Observation,
) -> Option<String> {
    let text = text.filter(|text| !text.is_empty())?;
    let passed = read(&text);
    if passed.is_none() {
        observation.drop_field(name);
    }
    passed
}

fn technical(text: &str) -> Option<String> {
    ident::token(text).filter(|token| !ident::is_of_a_person(token))
}

/// Any text may be an identity (the border lets only what is technical travel), but the number of a person is not even hashed.
fn identity(source: &str, id: &str, observation: &mut Observation) -> Option<String> {
    let mut is_of_a_person = false;
    for (name, text) in [("id", id), ("source", source)] {
        if ident::is_of_a_person(text) {
            observation.drop_field(name);
            is_of_a_person = true;
        }
    }
    (!is_of_a_person).then(|| format!("{source}/{id}"))
}

/// A datum is one of a closed list, or unknown.
fn datum(text: Option<&str>) -> Cow<'static, str> {
    Cow::Borrowed(match text {
        Some("wgs84") => "wgs84",
        Some("gcj02") => "gcj02",
        Some("bd09") => "bd09",
        _ => "unknown",
    })
}

/// What serde_json's error means for the fate of a record.
pub(crate) fn syntax(error: &serde_json::Error) -> Reason {
    match error.classify() {
        serde_json::error::Category::Eof => Reason::Truncated,
        serde_json::error::Category::Data if error.to_string().starts_with("missing field") => Reason::MissingField,
        serde_json::error::Category::Data => Reason::BadValue,
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => Reason::BadSyntax,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Piece>, Reason> {
        let mut pieces = Vec::new();
        let raw = Raw { bytes: json.as_bytes(), source: None, strict: false };
        decode(&raw, &mut pieces).map(|()| pieces)
    }

    #[test]
    fn an_all_clear_names_its_device_and_keeps_no_text() {
        let json = r#"{"specversion":"1.0","id":"r-1","source":"grid-app","type":"chorus.report.all_safe",
            "time":"2026-11-24T17:30:00","data":{"device":"phone-12","text":"王五在家","reporter":"李四"}}"#;
        let pieces = read(json).unwrap();
        let [Piece::Event(observation)] = pieces.as_slice() else { panic!("one event") };
        assert_eq!(observation.kind, Kind::ReportAllSafe);
        assert_eq!(observation.device_id, "phone-12");
        assert_eq!(observation.native_id.as_deref(), Some("grid-app/r-1"));
        assert_eq!(observation.dropped, ["text", "reporter"]);
        assert!(!format!("{observation:?}").contains("王五"));
    }

    #[test]
    fn nothing_of_a_person_passes_as_a_technical_member() {
        let event = |id: &str, source: &str, of: &str| {
            let json = format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"chorus.report.event",
                "data":{{"device":"{of}","channel":"{of}","zone":"{of}"}}}}"#
            );
            let Ok([Piece::Event(observation)]) = read(&json).map(|pieces| <[Piece; 1]>::try_from(pieces).unwrap())
            else {
                panic!("one event")
            };
            observation
        };
        for person in ["13812345678", "360102199001011234", "赣A12345", "张三", "Zhang San"] {
            let seen = event("1", "app", person);
            assert_eq!((seen.device_id.as_str(), &seen.channel, &seen.zone), ("app", &None, &None), "{person}");
            assert_eq!(seen.dropped, ["device", "channel", "zone"]);
        }
        for (id, source, dropped) in [("13812345678-1", "app", "id"), ("1", "360102199001011234", "source")] {
            let seen = event(id, source, "gate-1");
            assert_eq!(seen.native_id, None);
            assert_eq!(seen.dropped, [dropped]);
        }
        assert_eq!(event("1", "13812345678", "").device_id, "");
        for technical in ["34020000001320000001", "ac:b9:2f:00:00:01", "DS-K1T671-A1"] {
            let seen = event(technical, "app", technical);
            assert_eq!((seen.device_id.as_str(), seen.zone.as_deref()), (technical, Some(technical)));
            assert_eq!(seen.native_id, Some(format!("app/{technical}")));
        }
    }

    #[test]
    fn a_bad_member_of_a_list_does_not_cost_the_others() {
        let good = r#"{"specversion":"1.0","id":"1","source":"s","type":"chorus.patrol.checkin"}"#;
        let pieces = read(&format!("[{good},{{\"specversion\":\"1.0\"}},{good}]")).unwrap();
        assert!(matches!(pieces.as_slice(), [Piece::Event(_), Piece::Rejected(Reason::MissingField), Piece::Event(_)]));
    }

    #[test]
    fn what_is_not_ours_is_refused_with_a_reason() {
        assert_eq!(read("{").unwrap_err(), Reason::Truncated);
        assert_eq!(read("{]").unwrap_err(), Reason::BadSyntax);
        let unknown = r#"{"specversion":"1.0","id":"1","source":"s","type":"chorus.door.exploded"}"#;
        assert_eq!(read(unknown).unwrap_err(), Reason::UnknownCode);
    }
}
