//! Warnings of the national early-warning centre (12379) as JSON: weather services pass them on under names of their own.
//!
//! Read are the list of weather.com.cn and the NMC (`SIGNALTYPE`, `ISSUETIME`), the one of Caiyun (`pubtimestamp`, `adcode`), those
//! of QWeather (`pubTime`, `severityColor`; `issuedTime`, `messageType`), and what is like them; lists and wrappers are opened.
//!
//! | member | becomes |
//! |---|---|
//! | each warning | `external.warning` |
//! | `msgType`, `messageType.code`, `status`; else 解除, 更新 in the title | start, continue, end (trap 7) |
//! | colour: red, orange, yellow, blue, white; else the code of the level, else CAP's severity | critical, high, medium, low |
//! | what is warned of (`TYPECODE`, `SIGNALTYPE`, `eventType`, the title) | the zone, in one word of a table: an end meets its start in it |
//! | `adcode`, else the first six digits of a 12379 identifier, else the place of its id, else who issued it | the device |
//! | `ISSUETIME`, `pubTime`, `pubtimestamp` | the time: local (trap 1), zoned, or seconds since 1970 |
//! | 测试, 演练 in the title; status `Test`, `Exercise` | `is_test` |
//!
//! Who signed it, titles, texts and place names stay behind. When it is lifted (`RELIEVETIME`) is a plan and no event.

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Geo, Kind, Phase, Severity, SeveritySource};
use serde_json::value::RawValue;

use super::json::{self, Object};
use super::{ident, text, time};
use crate::observation::{Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "cn-warning";

/// The most warnings of one record.
const MAX_PIECES: usize = 1_000;

const WRAPPERS: &[&str] = &[
    "result", "data", "page", "alert", "alerts", "warning", "warnings", "alarm", "alarms", "content", "list",
    "records", "items",
];

/// When it was issued.
const ISSUED: &[&str] = &[
    "ISSUETIME",
    "issueTime",
    "issuetime",
    "issuedTime",
    "pubTime",
    "pubtime",
    "publishTime",
    "pubtimestamp",
    "sendTime",
    "sent",
    "effective",
];
/// Its identity; those of 12379 come first.
const IDENTITY: &[&str] = &["identifier", "alertId", "alertid", "warningId", "id", "ALERTID"];
/// What it is called.
const TITLES: &[&str] = &["title", "TITLE", "headline", "HEADLINE"];
/// What it says.
const TEXTS: &[&str] = &["ISSUECONTENT", "issueContent", "issuecontent", "description", "text"];
/// What it warns of, in words.
const TYPES: &[&str] = &["SIGNALTYPE", "signaltype", "signalType", "typeName", "event", "eventTypeName", "alarmType"];
/// Its colour.
const COLORS: &[&str] = &[
    "SIGNALLEVEL",
    "signallevel",
    "signalLevel",
    "severityColor",
    "color",
    "level",
    "YJYC_EN",
    "alarmLevel",
    "severity",
];

/// What stays behind, by name.
const PERSONAL: &[&str] = &[
    "CITY",
    "HEADLINE",
    "ISSUECONTENT",
    "NAMEEN",
    "PROVINCE",
    "STATIONNAME",
    "TITLE",
    "UNDERWRITER",
    "city",
    "county",
    "description",
    "headline",
    "instruction",
    "issueContent",
    "issuecontent",
    "location",
    "province",
    "signer",
    "text",
    "title",
    "underwriter",
];

/// True for JSON with a member that only such warnings have.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 4_096;
    const NAMES: &[&str] = &[
        "\"SIGNALTYPE\"",
        "\"SIGNALLEVEL\"",
        "\"ISSUECONTENT\"",
        "\"ISSUETIME\"",
        "\"signaltype\"",
        "\"signallevel\"",
        "\"issuetime\"",
        "\"pubtimestamp\"",
        "\"severityColor\"",
        "\"issuedTime\"",
        "\"pubTime\"",
        "\"alertid\"",
        "\"relatedAlertIds\"",
        "\"zeroResult\"",
    ];
    matches!(text::first_byte(bytes), Some(b'{' | b'['))
        && NAMES.iter().any(|name| text::contains(bytes, name.as_bytes(), HEAD))
}

/// Reads every warning of a record.
///
/// # Errors
/// None: what is no warning is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    json::unwrap_each(&payload.text, MAX_PIECES, WRAPPERS, pieces, |object, pieces| {
        warning(object, payload.flag, pieces);
    });
    Ok(())
}

fn warning(object: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let issued = object.text_of(ISSUED);
    let is_warning =
        object.text_of(IDENTITY).is_some() || object.text_of(TYPES).is_some() || object.text_of(TITLES).is_some();
    // A wrapper may have a time and a title of its own, but no such list has a warning around it.
    if issued.is_none() || !is_warning || WRAPPERS.iter().any(|name| object.get(name).is_some_and(is_list)) {
        return;
    }
    let title = heading(object);
    let mut observation = Observation::new("", DeviceScheme::Own, Kind::ExternalWarning);
    observation.device_id = device(object).unwrap_or_default();
    observation.device_kind = Some("alerting_authority");
    observation.phase = phase(object, &title);
    observation.time = issued.map(|at| time::any(&at)).unwrap_or_default();
    observation.native_id = object.text_of(IDENTITY).and_then(|id| ascii_start(&id));
    observation.zone = hazard(object, &title);
    observation.severity = severity(object, &title).map(|severity| (severity, SeveritySource::Device));
    observation.is_test = is_test(object, &title);
    observation.geo = position(object);
    object.note_personal(PERSONAL, &mut observation);
    observation.flags.extend(flag);
    pieces.push(Piece::Event(Box::new(observation)));
}

fn is_list(value: &RawValue) -> bool {
    value.get().starts_with('[') && value.get() != "[]"
}

/// The title; without one the text up to its first colon, which says the same. Read to see what it calls itself, never kept.
fn heading<'o>(object: &Object<'o>) -> Cow<'o, str> {
    const LONGEST: usize = 80;
    let Some(text) = object.text_of(TITLES).or_else(|| object.text_of(TEXTS)) else { return Cow::Borrowed("") };
    let head = text.split(['：', ':', '\n']).next().unwrap_or_default();
    Cow::Owned(head.chars().take(LONGEST).collect())
}

/// The place that a warning is for, by a code; else who issued it.
fn device(object: &Object<'_>) -> Option<String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(code) = object.text_of(&["adcode", "areaCode", "areacode"]).filter(|code| digits(code)) {
        return ident::token(&code);
    }
    let id = object.text_of(IDENTITY).unwrap_or_default();
    // 12379: the issuer's 14 digits begin with the division; then the time.
    if let Some((issuer, _)) = id.split_once('_').filter(|(issuer, _)| issuer.len() == 14 && digits(issuer)) {
        return issuer.get(..6).map(str::to_owned);
    }
    // QWeather: the number of a place, then the time and more.
    if id.len() > 23 && digits(&id) && id.starts_with("101") {
        return id.get(..9).map(str::to_owned);
    }
    let issuer = object.text_of(&["EFFECT", "senderName", "sender", "STATIONNAME", "source"]);
    issuer.and_then(|issuer| ident::label(&issuer))
}

/// What the message calls itself, else what its state is, else what its title says.
fn phase(object: &Object<'_>, title: &str) -> Phase {
    let message = object.object("messageType").and_then(|message| message.text("code"));
    let words = [message, object.text_of(&["msgType", "msgtype", "messageType", "MSGTYPE"]), object.text("status")];
    let told = words.into_iter().flatten().find_map(|word| match word.to_ascii_lowercase().as_str() {
        "update" | "updated" | "更新" | "变更" => Some(Phase::Continue),
        "cancel" | "cancelled" | "canceled" | "expired" | "解除" | "已解除" | "取消" => Some(Phase::End),
        "alert" | "active" | "预警中" | "发布" => Some(Phase::Start),
        _ => None,
    });
    let titled = match title {
        _ if title.contains("解除") => Some(Phase::End),
        _ if ["更新", "继续发布", "变更", "升级为", "降级为"].iter().any(|word| title.contains(word)) => {
            Some(Phase::Continue)
        }
        _ => None,
    };
    match (told, titled) {
        // Lists give lifted warnings out as alerts.
        (Some(Phase::Start) | None, Some(titled)) => titled,
        (told, _) => told.unwrap_or(Phase::Start),
    }
}

fn severity(object: &Object<'_>, title: &str) -> Option<Severity> {
    let nested = object.object("color").and_then(|color| color.text("code"));
    let told = nested.and_then(|word| color(&word));
    let told = told.or_else(|| COLORS.iter().find_map(|name| color(&object.text(name)?)));
    // The last two digits of the code say the same: 01 blue to 04 red.
    let code = object.text_of(&["LEVELCODE", "levelcode", "levelCode"]).or_else(|| object.text("code"));
    let by_code = || match code.as_deref().and_then(|code| code.get(code.len().checked_sub(2)?..)) {
        Some("00" | "01") => Some(Severity::Low),
        Some("02") => Some(Severity::Medium),
        Some("03") => Some(Severity::High),
        Some("04") => Some(Severity::Critical),
        _ => None,
    };
    told.or_else(by_code).or_else(|| color(title))
}

/// A colour, in Chinese anywhere in the text; in English, or a severity of CAP, as the whole of it.
fn color(text: &str) -> Option<Severity> {
    const CHINESE: [(&str, Severity); 5] = [
        ("红色", Severity::Critical),
        ("橙色", Severity::High),
        ("黄色", Severity::Medium),
        ("蓝色", Severity::Low),
        ("白色", Severity::Low),
    ];
    CHINESE.iter().find(|(word, _)| text.contains(word)).map(|(_, severity)| *severity).or_else(|| {
        Some(match text.to_ascii_lowercase().as_str() {
            "red" | "extreme" | "红" => Severity::Critical,
            "orange" | "severe" | "橙" => Severity::High,
            "yellow" | "moderate" | "黄" => Severity::Medium,
            "blue" | "white" | "minor" | "蓝" => Severity::Low,
            _ => return None,
        })
    })
}

/// What is warned of. The longer names come first: thunderstorm winds are no winds.
#[rustfmt::skip]
const HAZARDS: &[(&str, &str)] = &[
    ("雷雨大风", "thunderstorm_gale"), ("雷暴大风", "thunderstorm_gale"), ("沙尘", "sandstorm"), ("森林", "forest_fire"), ("草原", "grassland_fire"),
    ("火险", "fire_risk"), ("道路结冰", "icy_road"), ("道路冰雪", "icy_road"), ("持续低温", "cold"), ("低温", "cold"), ("寒冷", "cold"),
    ("降温", "cold"), ("干热风", "dry_hot_wind"), ("台风", "typhoon"), ("暴雨", "rainstorm"), ("暴雪", "snowstorm"), ("寒潮", "cold_wave"),
    ("大风", "gale"), ("高温", "heat"), ("干旱", "drought"), ("雷电", "lightning"), ("冰雹", "hail"), ("霜冻", "frost"), ("大雾", "fog"),
    ("灰霾", "haze"), ("霾", "haze"), ("重污染", "air_pollution"), ("空气", "air_pollution"), ("山洪", "flash_flood"), ("洪水", "flood"),
    ("内涝", "waterlogging"), ("积涝", "waterlogging"), ("地质灾害", "geological"), ("山体", "geological"), ("泥石流", "geological"),
    ("地震", "earthquake"), ("海浪", "waves"), ("海啸", "tsunami"), ("风暴潮", "storm_surge"), ("强对流", "convection"),
    ("雾", "fog"), ("雨雪冰冻", "freezing_rain"), ("冰冻", "freezing_rain"),
];

/// The types of weather.com.cn and Caiyun, which begin both their codes.
const CODES: [&str; 14] = [
    "typhoon",
    "rainstorm",
    "snowstorm",
    "cold_wave",
    "gale",
    "sandstorm",
    "heat",
    "drought",
    "lightning",
    "hail",
    "frost",
    "fog",
    "haze",
    "icy_road",
];

fn hazard(object: &Object<'_>, title: &str) -> Option<String> {
    let nested = object.object("eventType").and_then(|event| event.text("name"));
    let named = nested.or_else(|| object.text_of(TYPES)).unwrap_or_default();
    let of = |text: &str| HAZARDS.iter().find(|(name, _)| text.contains(name)).map(|(_, word)| *word);
    let code = object
        .text_of(&["TYPECODE", "typecode", "typeCode"])
        .or_else(|| object.text("code").filter(|code| code.len() == 4));
    let by_code = || {
        let number: usize = code.as_deref()?.get(..2)?.parse().ok()?;
        CODES.get(number.checked_sub(1)?).copied()
    };
    let word = of(&named).or_else(by_code).or_else(|| of(title));
    let own = || {
        object
            .object("eventType")
            .and_then(|event| event.text("code"))
            .or_else(|| object.text_of(&["type", "eventType"]))
    };
    word.map(str::to_owned).or_else(|| own().and_then(|code| ident::token(&code)))
}

fn is_test(object: &Object<'_>, title: &str) -> bool {
    let status = object.text("status").unwrap_or_default().to_ascii_lowercase();
    matches!(status.as_str(), "test" | "exercise" | "测试" | "演练")
        || object.truth_of(&["isTest", "test"]) == Some(true)
        || ["测试", "演练"].iter().any(|word| title.contains(word))
}

/// An identity up to the words that some lists put behind it.
fn ascii_start(id: &str) -> Option<String> {
    let end = id.find(|character: char| !character.is_ascii()).unwrap_or(id.len());
    id.get(..end).and_then(ident::token)
}

fn position(object: &Object<'_>) -> Option<Geo> {
    let pair: Vec<f64> = object.list("latlon").iter().filter_map(|value| json::number(&json::text(value)?)).collect();
    let (lat, lon) = match pair.as_slice() {
        [lat, lon] => (*lat, *lon),
        _ => {
            (object.number_of(&["latitude", "lat", "LATITUDE"])?, object.number_of(&["longitude", "lon", "LONGITUDE"])?)
        }
    };
    Some(Geo { lat, lon, datum: Cow::Borrowed("unknown") })
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![super::doc::left_behind(PERSONAL.iter().copied())]
}
