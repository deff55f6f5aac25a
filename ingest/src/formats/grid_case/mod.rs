//! Grid workers' reports as the platforms of city operations pass them on: `ReportCase`, problems, disputes by GB/T 31000,
//! inspections with a sign-in.
//!
//! There is no schema that all keep to, so an object is what its members make of it, by the tables in `fields.rs`; lists and
//! wrappers are opened wherever they stand.
//!
//! | object | becomes |
//! |---|---|
//! | `isSignin` true, or a time of signing in | `patrol.checkin` at that time; the point is the zone |
//! | `isSignin` false | filtered: that a patrol was missed is judged by its plan, not by this |
//! | a report that says that all is well (`zeroReport`, `hasProblem` false, a result of 正常) | `report.all_safe` |
//! | a case, a problem, a dispute | `report.event`; phase from its status (settled is an end), else a pulse; severity from its levels, the worst of them |
//! | a known case that is passed on | filtered as `case_handling` |
//! | tables of people who are watched or ill (`ZZ_ZSZHJSB` and its kin) | filtered as `special_population`, unread: they are not for us |
//!
//! The device is the grid, else the smallest area that has a code: it is where the report belongs. The zone is the kind of
//! matter by its catalogue (`itemCode`). Times are local (trap 1), down to where they are written: a day stays a day. When it
//! happened comes before when it was reported (flag `report_time`). Positions go to the border as they are (trap 18);
//! their datum is unknown unless it is named. Names, texts, addresses, pictures, reporters and parties stay behind.

mod fields;

use std::borrow::Cow;

use chorus_model::{DeviceScheme, Geo, Kind, Phase, Severity, SeveritySource};

use super::json::{self, Object};
use super::{ident, text, time};
use crate::observation::{DeviceTime, Observation, Piece, Raw, Reason};

/// The format's name.
pub const NAME: &str = "grid-case";

/// The most reports of one record.
const MAX_PIECES: usize = 1_000;

/// True for JSON with a member that only such reports have.
pub fn sniff(bytes: &[u8]) -> bool {
    const HEAD: usize = 8_192;
    const NAMES: &[&str] = &[
        "\"caseName\"",
        "\"caseCode\"",
        "\"itemCode\"",
        "\"occurrenceDate\"",
        "\"reportPersonalInfo\"",
        "\"problemLevel\"",
        "\"problemSource\"",
        "\"isSignin\"",
        "\"isSignIn\"",
        "\"signinTime\"",
        "\"gridCode\"",
        "\"disputeName\"",
        "\"disputeType\"",
        "\"contradictionsDate\"",
        "\"ReportCase\"",
        "\"zeroReport\"",
        "\"事件名称\"",
        "\"发生日期\"",
        "\"网格编码\"",
        "\"sjmc\"",
        "\"ZZ_",
    ];
    matches!(text::first_byte(bytes), Some(b'{' | b'['))
        && NAMES.iter().any(|name| {
            // Names in Chinese may come in GB18030.
            let is_plain = name.is_ascii();
            text::contains(bytes, name.as_bytes(), HEAD)
                || !is_plain && text::contains(bytes, &encoding_rs::GB18030.encode(name).0, HEAD)
        })
}

/// Reads every report of a record.
///
/// # Errors
/// None: what is no report is a refused piece.
pub fn decode(raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
    let payload = text::decode(raw.bytes);
    json::unwrap_each(&payload.text, MAX_PIECES, fields::WRAPPERS, pieces, |object, pieces| match unwanted(object) {
        Some(word) => pieces.push(Piece::Filtered(word)),
        None => report(object, payload.flag, pieces),
    });
    Ok(())
}

/// Tables about people who are watched or ill.
fn unwanted(object: &Object<'_>) -> Option<&'static str> {
    let table = object.text_of(fields::TABLES).unwrap_or_default();
    let is_table = table.starts_with("ZZ_") && !table.contains("MDJF") && !table.contains("SJ");
    let names_people = object.names().any(|name| {
        fields::SPECIAL.iter().any(|special| name.eq_ignore_ascii_case(special))
            || name.starts_with("ZZ_") && !name.contains("MDJF") && !name.contains("SJ")
    });
    (is_table || names_people).then_some("special_population")
}

/// The pieces that one object is; none when it is no report.
fn report(object: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let before = pieces.len();
    let signed = object.truth_of(fields::SIGNED_IN);
    let signed_at = object.text_of(fields::SIGNED_IN_AT);
    if signed == Some(true) || (signed.is_none() && signed_at.is_some()) {
        let mut checkin = observe(object, Kind::PatrolCheckin);
        checkin.zone = object.text_of(fields::POINT).and_then(|point| ident::token(&point));
        checkin.time = signed_at.map(|at| time::any(&at)).unwrap_or_default();
        if checkin.time == DeviceTime::Missing {
            checkin.time = object.text_of(fields::PROCESSED).map(|at| time::any(&at)).unwrap_or_default();
        }
        finish(checkin, object, flag, pieces);
    }
    if is_well(object) {
        finish(observe(object, Kind::ReportAllSafe), object, flag, pieces);
    } else if signed.is_none() && is_case(object) {
        let mut case = observe(object, Kind::ReportEvent);
        case.zone = object.text_of(fields::MATTER).and_then(|matter| matter_of(&matter));
        case.phase = phase(object);
        case.severity = severity(object).map(|severity| (severity, SeveritySource::Device));
        finish(case, object, flag, pieces);
    }
    if pieces.len() > before {
        return;
    }
    if signed == Some(false) {
        pieces.push(Piece::Filtered("not_signed_in"));
    } else if object.present(fields::HANDLING).next().is_some() {
        pieces.push(Piece::Filtered("case_handling"));
    }
}

/// It has what only a report has, or says that a case is settled: that must close what was opened (trap 7).
fn is_case(object: &Object<'_>) -> bool {
    object.present(fields::MARKS).next().is_some() || object.text("caseCode").is_some() && phase(object) == Phase::End
}

/// A code of a catalogue, or a word of at most a few characters: no sentence passes for a kind of matter.
fn matter_of(text: &str) -> Option<String> {
    const LONGEST_WORD: usize = 12;
    ident::token(text).or_else(|| {
        ident::label(text).filter(|word| {
            word.chars().count() <= LONGEST_WORD
                && word.chars().all(|character| !character.is_ascii() && character.is_alphanumeric())
        })
    })
}

/// An identity that is not a person's: not the number of an identity card or a mobile telephone.
fn identity(object: &Object<'_>) -> Option<String> {
    object.text_of(fields::IDENTITY).and_then(|id| ident::token(&id)).filter(|id| !ident::is_of_a_person(id))
}

/// It says so, and nothing in it says otherwise.
fn is_well(object: &Object<'_>) -> bool {
    let verdicts =
        fields::VERDICT.iter().filter_map(|name| object.text(name)).filter_map(|word| fields::verdict(&word));
    let wrong = object.truth_of(fields::WRONG).map(|wrong| !wrong);
    let mut said: Vec<bool> = verdicts.chain(wrong).chain(object.truth_of(fields::WELL)).collect();
    said.sort_unstable();
    said.first() == Some(&true)
}

fn phase(object: &Object<'_>) -> Phase {
    if object.truth_of(fields::SETTLED) == Some(true) {
        return Phase::End;
    }
    object.text_of(fields::STATUS).and_then(|status| fields::phase(&status)).unwrap_or(Phase::Pulse)
}

fn severity(object: &Object<'_>) -> Option<Severity> {
    fields::LEVELS.iter().filter_map(|name| object.text(name)).filter_map(|word| fields::level(&word)).max()
}

/// What every event of a report shares.
fn observe(object: &Object<'_>, kind: Kind) -> Observation {
    let code = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| ident::token(&object.text(name)?).filter(|code| code.bytes().any(|digit| digit != b'0')))
    };
    let (device, device_kind) = match code(fields::GRID) {
        Some(grid) => (grid, Some("grid")),
        None => match code(fields::AREA) {
            Some(area) => (area, Some("area")),
            None => (String::new(), None),
        },
    };
    let mut observation = Observation::new(device, DeviceScheme::Own, kind);
    observation.device_kind = device_kind;
    observation.time = object.text_of(fields::HAPPENED).map(|at| time::any(&at)).unwrap_or_default();
    observation
}

fn finish(mut observation: Observation, object: &Object<'_>, flag: Option<&'static str>, pieces: &mut Vec<Piece>) {
    let reported = object.text_of(fields::REPORTED).map(|at| time::any(&at)).unwrap_or_default();
    if observation.time == DeviceTime::Missing && reported != DeviceTime::Missing {
        observation.time = reported;
        observation.flags.push("report_time");
    }
    observation.flags.extend(time::order(observation.time, reported));
    observation.native_id = identity(object);
    observation.count = object.number_of(fields::PEOPLE).and_then(whole);
    observation.is_test = object.truth_of(&["isTest", "test", "isDrill", "drill"]) == Some(true);
    observation.is_replay = object.truth_of(&["isOffline", "offline", "isSupplement", "isReplay"]) == Some(true);
    observation.geo = position(object);
    object.note_personal(fields::PERSONAL, &mut observation);
    observation.flags.extend(flag);
    pieces.push(Piece::Event(Box::new(observation)));
}

#[allow(clippy::cast_possible_truncation, reason = "the number is whole and small")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && (0.0..1e9).contains(&number)).then_some(number as i64)
}

/// As it is told: which is which, and whether it can be at all, is seen at the border.
fn position(object: &Object<'_>) -> Option<Geo> {
    let lat = object.number_of(&["latitude", "lat", "wd", "纬度"])?;
    let lon = object.number_of(&["longitude", "lon", "lng", "jd", "经度"])?;
    if lat == 0.0 && lon == 0.0 {
        return None;
    }
    let datum = object.text_of(&["datum", "coordType", "coordinateType", "coordinateSystem", "coordSys"]);
    let datum = match datum.unwrap_or_default().to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "wgs84" | "wgs84ll" | "epsg:4326" => "wgs84",
        "gcj02" | "gcj02ll" => "gcj02",
        "bd09" | "bd09ll" => "bd09",
        _ => "unknown",
    };
    Some(Geo { lat, lon, datum: Cow::Borrowed(datum) })
}

/// The tables of the format's page.
pub(super) fn tables() -> Vec<super::doc::Table> {
    vec![super::doc::left_behind(fields::PERSONAL.iter().copied())]
}
