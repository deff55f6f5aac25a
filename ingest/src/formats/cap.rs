//! CAP, the Common Alerting Protocol of OASIS: 1.2, and 1.0 and 1.1 which differ in their namespaces; bare or in an EDXL
//! envelope, signed or not.
//!
//! An alert is one event, however many languages and areas its `info` blocks have: they are one message.
//!
//! | alert | becomes |
//! |---|---|
//! | msgType `Alert` / `Update` / `Cancel` | `external.warning` start / continue / end |
//! | responseType `AllClear` in each info | end, whatever the msgType (trap 7) |
//! | status `Exercise`, `Test` | the same, `is_test`: pages nobody |
//! | status `System` | `device.heartbeat`: networks say that they are there in this way (trap 5) |
//! | status `Draft`; msgType `Ack`, `Error` | filtered |
//! | severity | of the worst info: Extreme critical, Severe high, Moderate medium, Minor low, Unknown info |
//! | category | a remark: `met`, `fire`, … |
//!
//! The device is the sender. The zone is the identifier of the alert that began it, from `references`, so that an end meets its
//! start; an update without one is flagged `no_reference`. The time is `sent`. A circle's centre is the position, in WGS-84
//! by the standard; a division code of GB/T 2260 among the geocodes is the channel. Contact, texts, addresses, names,
//! parameters and resources stay behind; attachments in base64 are not decoded.
//!
//! Text that is no UTF-8 is in the single-byte charset of its declaration (ISO-8859-1 is seen), else GB18030.

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Geo, Kind, Phase, Severity, SeveritySource};

use super::xml::{self, Node};
use super::{text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "cap";

/// The most alerts of one record.
const MAX_ALERTS: usize = 1_000;
/// Longer identifiers are none.
const LONGEST_ID: usize = 128;

/// Elements that hold texts for people, or people: the last step of their way and the name under which they are dropped.
const PERSONAL: [&str; 12] = [
    "contact",
    "description",
    "headline",
    "instruction",
    "senderName",
    "areaDesc",
    "note",
    "addresses",
    "source",
    "audience",
    "web",
    "password",
];

/// True for XML in a namespace of CAP, or an alert without one.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 8_192;
    let has = |needle: &str| text::contains(bytes, needle.as_bytes(), HEAD);
    text::first_byte(bytes) == Some(b'<')
        && (has("names:tc:emergency:cap:") || has("incident.com/cap/1.0") || has("<alert") && has("<msgType"))
}

/// Reads every alert of a record.
///
/// # Errors
/// Broken XML in which no alert is whole, or XML without an alert.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let (payload, flag) = decode_text(raw.bytes);
    let mut reader = Reader { flag, alert: None, pieces };
    let read = xml::walk(payload.trim_start(), |path, node| reader.visit(path, &node));
    match read {
        Err(reason) if pieces.is_empty() => Err(reason),
        // What came before the break counts.
        Err(reason) => {
            pieces.push(Piece::Rejected(reason));
            Ok(())
        }
        Ok(()) if pieces.is_empty() => Err(Reason::NotThisFormat),
        Ok(()) => Ok(()),
    }
}

/// Strict UTF-8, else the single-byte charset that is declared, else GB18030.
fn decode_text(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    const HEAD: usize = 200;
    if std::str::from_utf8(bytes).is_err() {
        let head = String::from_utf8_lossy(bytes.get(..HEAD.min(bytes.len())).unwrap_or_default()).to_ascii_lowercase();
        let label = head.split("encoding").nth(1).and_then(|rest| rest.split(['"', '\'']).nth(1)).unwrap_or_default();
        if let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes())
            && encoding.is_single_byte()
        {
            let (text, replaced) = encoding.decode_without_bom_handling(bytes);
            return (text, replaced.then_some("lossy_text"));
        }
    }
    let text::Text { text, flag } = text::decode(bytes);
    (text, flag)
}

struct Reader<'r> {
    flag: Option<&'static str>,
    /// The alert at hand, and how long the way to it is.
    alert: Option<(Alert, usize)>,
    pieces: &'r mut Vec<Piece>,
}

impl Reader<'_> {
    fn visit(&mut self, path: &xml::Path, node: &Node<'_>) -> Result<(), Reason> {
        if let Some((alert, depth)) = &mut self.alert {
            let inner = path.as_str().get(*depth..).unwrap_or_default().trim_start_matches('/');
            match node {
                Node::Open(_) if inner == "info" => alert.infos.push(Info::default()),
                Node::Open(_) if inner == "info/area/geocode" => alert.code_name.clear(),
                Node::Close { .. } if inner.is_empty() => {
                    let flag = self.flag;
                    if let Some((alert, _)) = self.alert.take() {
                        self.pieces.push(alert.finish(flag).unwrap_or_else(Piece::Rejected));
                    }
                }
                Node::Close { text } => alert.take(inner, text),
                Node::Open(_) => {}
            }
            return Ok(());
        }
        if matches!(node, Node::Open(_)) && path.name() == "alert" {
            if self.pieces.len() >= MAX_ALERTS {
                return Err(Reason::TooLarge);
            }
            self.alert = Some((Alert::default(), path.as_str().len()));
        }
        Ok(())
    }
}

/// What is kept of an alert.
#[derive(Default)]
struct Alert {
    identifier: String,
    sender: String,
    sent: String,
    status: String,
    message: String,
    scope: String,
    references: String,
    infos: Vec<Info>,
    /// The name of the geocode at hand.
    code_name: String,
    dropped: Vec<&'static str>,
}

#[derive(Default)]
struct Info {
    severity: Option<Severity>,
    is_all_clear: bool,
    categories: Vec<&'static str>,
    center: Option<(f64, f64)>,
    division: Option<String>,
}

impl Alert {
    fn take(&mut self, inner: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let name = inner.rsplit('/').next().unwrap_or_default();
        if let Some(personal) = PERSONAL.iter().find(|personal| **personal == name)
            && !self.dropped.contains(personal)
        {
            self.dropped.push(personal);
        }
        let field = match inner {
            "identifier" => &mut self.identifier,
            "sender" => &mut self.sender,
            "sent" => &mut self.sent,
            "status" => &mut self.status,
            "msgType" => &mut self.message,
            "scope" => &mut self.scope,
            "references" => &mut self.references,
            "info/area/geocode/valueName" => &mut self.code_name,
            _ => return self.take_info(inner, text),
        };
        text.clone_into(field);
    }

    fn take_info(&mut self, inner: &str, text: &str) {
        let code_name = std::mem::take(&mut self.code_name);
        let Some(info) = self.infos.last_mut() else { return };
        match inner {
            // One that is told twice is as bad as the worse.
            "info/severity" => info.severity = info.severity.max(severity(text)),
            "info/responseType" => info.is_all_clear |= text.eq_ignore_ascii_case("AllClear"),
            "info/category" => info.categories.extend(category(text)),
            "info/area/circle" => info.center = info.center.or_else(|| center(text)),
            "info/area/geocode/value" => info.division = info.division.take().or_else(|| division(&code_name, text)),
            // In CAP 1.0 and 1.1 a geocode is one text: `name=value`.
            "info/area/geocode" => {
                let of_text = text.split_once('=').and_then(|(name, value)| division(name, value));
                info.division = info.division.take().or(of_text);
            }
            _ => {}
        }
    }

    fn finish(self, flag: Option<&'static str>) -> Result<Piece, Reason> {
        let is_test = match self.status.to_ascii_lowercase().as_str() {
            "actual" => false,
            "exercise" | "test" => true,
            "system" => return Ok(self.event(Kind::DeviceHeartbeat, Phase::Pulse, false, flag)),
            "draft" => return Ok(Piece::Filtered("draft")),
            "" => return Err(Reason::MissingField),
            _ => return Err(Reason::BadValue),
        };
        let phase = match self.message.to_ascii_lowercase().as_str() {
            "alert" => Phase::Start,
            "update" => Phase::Continue,
            "cancel" => Phase::End,
            "ack" => return Ok(Piece::Filtered("acknowledgement")),
            "error" => return Ok(Piece::Filtered("error_message")),
            "" => return Err(Reason::MissingField),
            _ => return Err(Reason::BadValue),
        };
        let is_over = !self.infos.is_empty() && self.infos.iter().all(|info| info.is_all_clear);
        Ok(self.event(Kind::ExternalWarning, if is_over { Phase::End } else { phase }, is_test, flag))
    }

    fn event(self, kind: Kind, phase: Phase, is_test: bool, flag: Option<&'static str>) -> Piece {
        let mut observation = Observation::new(identifier(&self.sender).unwrap_or_default(), DeviceScheme::Own, kind);
        observation.device_kind = Some("alerting_authority");
        observation.phase = phase;
        observation.is_test = is_test;
        observation.time = time::iso(&self.sent);
        let own = identifier(&self.identifier);
        observation.native_id.clone_from(&own);
        if kind == Kind::ExternalWarning {
            let began = began(&self.references);
            if began.is_none() && !self.message.eq_ignore_ascii_case("alert") {
                observation.flags.push("no_reference");
            }
            observation.zone = began.or(own);
            let worst = self.infos.iter().filter_map(|info| info.severity).max();
            observation.severity = worst.map(|severity| (severity, SeveritySource::Device));
            observation.channel = self.infos.iter().find_map(|info| info.division.clone());
            let center = self.infos.iter().find_map(|info| info.center);
            observation.geo = center.map(|(lat, lon)| Geo { lat, lon, datum: Cow::Borrowed("wgs84") });
        }
        for category in self.infos.iter().flat_map(|info| &info.categories) {
            if !observation.flags.contains(category) {
                observation.flags.push(category);
            }
        }
        match self.scope.to_ascii_lowercase().as_str() {
            "restricted" => observation.flags.push("restricted"),
            "private" => observation.flags.push("private"),
            _ => {}
        }
        observation.flags.extend(flag);
        for name in self.dropped {
            observation.drop_field(name);
        }
        Piece::Event(Box::new(observation))
    }
}

/// An identifier has neither spaces nor commas nor `<` nor `&`, by the standard; nor what cannot be seen.
fn identifier(text: &str) -> Option<String> {
    let fits = !text.is_empty()
        && text.len() <= LONGEST_ID
        && text.chars().all(|mark| !mark.is_whitespace() && !mark.is_control() && !matches!(mark, ',' | '<' | '&'));
    fits.then(|| text.to_owned())
}

/// The identifier of the earliest message that is referred to: `sender,identifier,sent sender,identifier,sent`.
fn began(references: &str) -> Option<String> {
    let messages = references.split_whitespace().filter_map(|reference| {
        let mut parts = reference.split(',');
        let (_, named, sent) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        let at = match time::iso(sent) {
            DeviceTime::Zoned(at, _) => at.as_millis(),
            _ => i64::MAX,
        };
        Some((at, identifier(named)?))
    });
    // The first of those that are equally old.
    messages.min_by_key(|(at, _)| *at).map(|(_, named)| named)
}

fn severity(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "extreme" => Severity::Critical,
        "severe" => Severity::High,
        "moderate" => Severity::Medium,
        "minor" => Severity::Low,
        "unknown" => Severity::Info,
        _ => return None,
    })
}

fn category(word: &str) -> Option<&'static str> {
    const WORDS: [&str; 12] =
        ["geo", "met", "safety", "security", "rescue", "fire", "health", "env", "transport", "infra", "cbrne", "other"];
    WORDS.into_iter().find(|known| word.eq_ignore_ascii_case(known))
}

/// `latitude,longitude radius`.
fn center(circle: &str) -> Option<(f64, f64)> {
    let (lat, lon) = circle.split_whitespace().next()?.split_once(',')?;
    let (lat, lon): (f64, f64) = (lat.parse().ok()?, lon.parse().ok()?);
    (lat.is_finite() && lon.is_finite()).then_some((lat, lon))
}

/// A division code of GB/T 2260: its list is named so, or in Chinese.
fn division(name: &str, code: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let is_chinese = ["2260", "adcode", "行政区划"].iter().any(|word| name.contains(word));
    let fits = matches!(code.len(), 6 | 9 | 12) && code.bytes().all(|digit| digit.is_ascii_digit());
    (is_chinese && fits).then(|| code.to_owned())
}
