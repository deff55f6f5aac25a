//! The two-letter event codes of SIA DC-03.
//!
//! Most codes are a family (`B` burglary, `F` fire, …) and what happened to it (`A` alarm, `H` restored, `T` trouble, …); the
//! rest stand in a list of their own, which is asked first. The number behind a code is a zone, a user, an area or a door: the
//! code says which. Codes that say nothing about safety but show that the panel lives (somebody programmed it) are a
//! heartbeat with the remark `panel_log`, never an alarm. Makers' own codes beyond DC-03 are those of one maker of hubs.

use chorus_model::{Kind, Phase};

use self::Number::{Area, Door, Nothing, User, Zone};
use super::super::doc;

/// What the number behind a code counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// A zone, point, relay, line or part of the panel.
    Zone,
    /// A user: a person. It never passes as a number.
    User,
    /// An area, group or partition.
    Area,
    /// A door.
    Door,
    /// Nothing: whatever stands there is filling.
    Nothing,
}

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What happened.
    pub(super) kind: Kind,
    /// Whether it began, ended or has no length.
    pub(super) phase: Phase,
    /// What the number is.
    pub(super) number: Number,
    /// More, in a closed word.
    pub(super) remark: Option<&'static str>,
    /// A periodic or manual test: it must not page anyone.
    pub(super) is_test: bool,
}

/// The meaning of two letters.
pub(super) fn by_code(code: &str) -> Option<Meaning> {
    log(code)
        .or_else(|| test(code))
        .or_else(|| arming(code))
        .or_else(|| door(code))
        .or_else(|| panel(code))
        .or_else(|| single(code))
        .or_else(|| family(code))
}

const fn meaning(kind: Kind, phase: Phase, number: Number, remark: Option<&'static str>) -> Option<Meaning> {
    Some(Meaning { kind, phase, number, remark, is_test: false })
}

/// Tests of the panel, of its zones and of its printer.
fn test(code: &str) -> Option<Meaning> {
    let number = match code {
        "BX" | "FX" | "GX" | "TP" | "RY" => Zone,
        "FI" | "FK" => Area,
        "RX" => User,
        "RP" | "TC" | "TE" | "TS" | "TX" | "VX" => Nothing,
        _ => return None,
    };
    Some(Meaning { kind: Kind::DeviceHeartbeat, phase: Phase::Pulse, number, remark: None, is_test: true })
}

/// Cards and codes administered, programming, listening in, photographs, messages.
fn log(code: &str) -> Option<Meaning> {
    let number = match code {
        "DA" | "DB" | "JD" | "JH" | "JK" | "JP" | "JS" | "JT" | "JV" | "JX" | "JY" | "JZ" | "PC" | "PD" => User,
        "JR" => Area,
        "DS" => Door,
        "FL" | "XI" => Zone,
        "CO" | "CX" | "DU" | "L_" | "LB" | "LD" | "LE" | "LF" | "LS" | "LU" | "LX" | "MI" | "PE" | "PG" | "RA"
        | "RB" | "RD" | "RN" | "RS" | "RU" | "TW" | "TZ" | "XA" | "XE" | "XF" | "YB" | "YG" | "YN" | "YO" | "YY" => {
            Nothing
        }
        _ => return None,
    };
    meaning(Kind::DeviceHeartbeat, Phase::Pulse, number, Some("panel_log"))
}

/// Openings (disarmed: a start, as the new event of Contact ID 401), closings (armed: an end) and what is said about them.
fn arming(code: &str) -> Option<Meaning> {
    let (phase, number, remark) = match code {
        "OH" | "OJ" | "OK" | "OL" | "OP" | "OQ" | "OR" => (Phase::Start, User, "disarmed"),
        "OA" | "OB" | "OG" | "NO" => (Phase::Start, Area, "disarmed"),
        "OS" | "OZ" | "NP" => (Phase::Start, Zone, "disarmed"),
        "CF" | "CJ" | "CK" | "CL" | "CP" | "CQ" => (Phase::End, User, "armed"),
        "CA" | "CB" | "CG" | "CW" | "NF" | "NL" | "NM" => (Phase::End, Area, "armed"),
        "CS" | "CZ" => (Phase::End, Zone, "armed"),
        // By a scenario: in which direction it does not say.
        "AF" => (Phase::Pulse, Zone, "scenario"),
        "NB" => (Phase::Pulse, Area, "scenario"),
        "CC" | "NE" => (Phase::Pulse, Area, "arming_failed"),
        "CD" | "CI" => (Phase::Pulse, Area, "not_armed"),
        "OT" => (Phase::Pulse, User, "not_armed"),
        "CT" | "OI" => (Phase::Pulse, Area, "not_disarmed"),
        "CE" => (Phase::Pulse, User, "closing_extended"),
        "CR" => (Phase::Pulse, User, "recent_closing"),
        "EE" => (Phase::Pulse, User, "exit_error"),
        // Somebody with a code says that it is nothing. The alarm ends with its restore, not with this.
        "BC" | "OC" => (Phase::Pulse, User, "alarm_cancelled"),
        "AB" | "FC" => (Phase::Pulse, Zone, "alarm_cancelled"),
        "XW" => (Phase::Pulse, Zone, "zone_bypassed"),
        _ => return None,
    };
    meaning(Kind::ArmingChanged, phase, number, Some(remark))
}

/// Doors and who is let through.
fn door(code: &str) -> Option<Meaning> {
    let (kind, phase, remark) = match code {
        "DG" => (Kind::AccessGranted, Phase::Pulse, None),
        "DD" | "DI" | "DK" | "DP" | "DQ" | "DV" | "DW" | "DZ" => (Kind::AccessDenied, Phase::Pulse, None),
        "DF" | "DJ" => (Kind::DoorForced, Phase::Start, None),
        "DR" => (Kind::DoorForced, Phase::End, None),
        "DL" | "DM" => (Kind::DoorHeldOpen, Phase::Start, None),
        "DH" => (Kind::DoorHeldOpen, Phase::End, None),
        // By its own definition neither alarm nor trouble.
        "DN" => (Kind::DoorOpened, Phase::Pulse, Some("cycle_time_expired")),
        "DE" => (Kind::DoorOpened, Phase::Pulse, Some("request_to_enter")),
        "DX" => (Kind::ExitRequested, Phase::Pulse, None),
        "DY" => (Kind::GateState, Phase::End, Some("locked")),
        "DC" => (Kind::GateState, Phase::Start, Some("remain_closed")),
        "DO" => (Kind::GateState, Phase::End, Some("remain_closed")),
        _ => return None,
    };
    meaning(kind, phase, Door, remark)
}

/// Power, parts, lines, the printer: the panel about itself.
fn panel(code: &str) -> Option<Meaning> {
    use Phase::{End, Pulse, Start};
    let (phase, number, remark) = match code {
        "AT" | "YM" | "YP" | "YT" => (Start, Nothing, "power"),
        "AR" | "YQ" | "YR" => (End, Nothing, "power"),
        "XT" => (Start, Zone, "power"),
        "XR" => (End, Zone, "power"),
        "BZ" | "EM" | "PF" | "UY" | "XL" => (Start, Zone, "part_offline"),
        "EN" => (End, Zone, "part_offline"),
        "PO" | "XC" => (End, Nothing, "part_offline"),
        "LT" | "NT" | "YD" => (Start, Zone, "line"),
        "LR" | "NR" | "YE" => (End, Zone, "line"),
        "NC" => (Pulse, Zone, "line"),
        "XQ" => (Start, Zone, "jamming"),
        "XH" => (End, Zone, "jamming"),
        "NA" => (Start, Zone, "no_activity"),
        "NS" => (End, Zone, "no_activity"),
        "BD" | "ET" | "IA" | "OU" | "SM" => (Start, Zone, "part"),
        "BE" | "ER" | "IR" | "OV" => (End, Zone, "part"),
        "YU" => (Pulse, Zone, "part"),
        "YA" | "YI" => (Start, Nothing, "part"),
        "YH" | "YJ" => (End, Nothing, "part"),
        "VO" | "VT" | "VZ" => (Start, Nothing, "printer"),
        "VI" | "VR" | "VY" => (End, Nothing, "printer"),
        "DT" | "YS" | "YX" => (Start, Nothing, "service"),
        "YZ" => (End, Nothing, "service"),
        "JL" | "JO" | "RT" | "YF" | "YW" => (Pulse, Nothing, "service"),
        _ => return None,
    };
    meaning(Kind::DeviceFault, phase, number, Some(remark))
}

/// What belongs to no family.
fn single(code: &str) -> Option<Meaning> {
    use Phase::{Continue, End, Pulse, Start};
    match code {
        // Two points that confirm each other, and one that was not confirmed: an alarm all the same.
        "BM" | "XM" => meaning(Kind::IntrusionZone, Start, Zone, Some("verified")),
        "BV" => meaning(Kind::IntrusionZone, Continue, Area, Some("verified")),
        "BG" | "UG" => meaning(Kind::IntrusionZone, Start, Zone, Some("unverified")),
        "EA" => meaning(Kind::IntrusionZone, Start, Zone, Some("exit_error")),
        "UX" => meaning(Kind::IntrusionZone, Pulse, Nothing, Some("undefined")),
        "FM" => meaning(Kind::FireAlarm, Start, Zone, Some("verified")),
        "FG" => meaning(Kind::FireAlarm, Start, Zone, Some("unverified")),
        "AS" | "FW" | "FY" | "FZ" => meaning(Kind::FireFault, Start, Zone, None),
        "AN" | "FQ" | "FV" => meaning(Kind::FireFault, End, Zone, None),
        // Night mode ended under duress.
        "ND" => meaning(Kind::DuressSilent, Start, Area, None),
        "JA" => meaning(Kind::AccessDenied, Start, Area, Some("max_attempts")),
        "JC" => meaning(Kind::AccessDenied, End, Area, Some("max_attempts")),
        "AA" => meaning(Kind::CameraTamper, Pulse, Zone, Some("panel_substituted")),
        "ES" | "XS" => meaning(Kind::CameraTamper, Start, Zone, None),
        "EJ" | "XJ" => meaning(Kind::CameraTamper, End, Zone, None),
        // A point that vanished while it was armed: somebody may have taken it off the wall.
        "CM" | "EZ" | "UZ" => meaning(Kind::CameraTamper, Start, Zone, Some("part_missing")),
        "EX" | "SC" => meaning(Kind::InputChanged, Pulse, Zone, None),
        "RC" => meaning(Kind::InputChanged, Start, Zone, Some("relay")),
        "RO" => meaning(Kind::InputChanged, End, Zone, Some("relay")),
        "YC" | "ZZ" | "XX" => meaning(Kind::DeviceOffline, Pulse, Nothing, None),
        "YK" | "ZY" | "RR" => meaning(Kind::DeviceOnline, Pulse, Nothing, None),
        _ => None,
    }
}

/// The first letter is what is guarded, the second what happened to it.
fn family(code: &str) -> Option<Meaning> {
    let mut letters = code.chars();
    let (alarm, fault) = match letters.next()? {
        'B' | 'U' => (Kind::IntrusionZone, Kind::DeviceFault),
        'F' | 'K' | 'S' => (Kind::FireAlarm, Kind::FireFault),
        'G' | 'W' | 'Z' => (Kind::EnvironmentAlarm, Kind::DeviceFault),
        'H' => (Kind::DuressSilent, Kind::DeviceFault),
        'M' | 'Q' => (Kind::MedicalCall, Kind::DeviceFault),
        'P' => (Kind::PanicButton, Kind::DeviceFault),
        'T' => (Kind::CameraTamper, Kind::CameraTamper),
        _ => return None,
    };
    let bypassed = match fault {
        // A fire zone that guards no more is a fault of the fire system; of a burglar alarm it is how it was set.
        Kind::FireFault => (Kind::FireFault, Phase::Start, Phase::End),
        _ => (Kind::ArmingChanged, Phase::Pulse, Phase::Pulse),
    };
    let (kind, phase, remark) = match letters.next()? {
        'A' => (alarm, Phase::Start, None),
        'H' | 'R' => (alarm, Phase::End, None),
        'T' | 'S' => (fault, Phase::Start, None),
        'J' => (fault, Phase::End, None),
        'B' => (bypassed.0, bypassed.1, Some("zone_bypassed")),
        'U' => (bypassed.0, bypassed.2, Some("zone_unbypassed")),
        _ => return None,
    };
    meaning(kind, phase, Zone, remark)
}

/// The codes of two letters, for the format's page.
pub(super) fn table() -> doc::Table {
    let pairs = ('A'..='Z').flat_map(|first| ('A'..='Z').chain(['_']).map(move |second| format!("{first}{second}")));
    let row = |code: String| {
        let meaning = by_code(&code)?;
        let number = match meaning.number {
            Zone => "zone",
            User => "user: pseudonym or nothing",
            Area => "area",
            Door => "door",
            Nothing => "",
        };
        let test = meaning.is_test.then_some("test");
        let remark = doc::cell(meaning.remark.or(test));
        Some(vec![code, meaning.kind.to_string(), meaning.phase.as_str().to_owned(), number.to_owned(), remark])
    };
    doc::Table {
        title: "Codes of SIA DC-03",
        columns: &["code", "kind", "phase", "the number is a", "flag"],
        rows: pairs.filter_map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_guide_has_its_kind() {
        let table = [
            ("DG", Kind::AccessGranted, Phase::Pulse),
            ("DD", Kind::AccessDenied, Phase::Pulse),
            ("DP", Kind::AccessDenied, Phase::Pulse),
            ("DV", Kind::AccessDenied, Phase::Pulse),
            ("JA", Kind::AccessDenied, Phase::Start),
            ("HA", Kind::DuressSilent, Phase::Start),
            ("DF", Kind::DoorForced, Phase::Start),
            ("DL", Kind::DoorHeldOpen, Phase::Start),
            ("DX", Kind::ExitRequested, Phase::Pulse),
            ("PA", Kind::PanicButton, Phase::Start),
            ("MA", Kind::MedicalCall, Phase::Start),
            ("QA", Kind::MedicalCall, Phase::Start),
            ("BA", Kind::IntrusionZone, Phase::Start),
            ("FA", Kind::FireAlarm, Phase::Start),
            ("KA", Kind::FireAlarm, Phase::Start),
            ("FT", Kind::FireFault, Phase::Start),
            ("WA", Kind::EnvironmentAlarm, Phase::Start),
            ("GA", Kind::EnvironmentAlarm, Phase::Start),
            ("OP", Kind::ArmingChanged, Phase::Start),
            ("CL", Kind::ArmingChanged, Phase::End),
            ("YC", Kind::DeviceOffline, Phase::Pulse),
            ("YK", Kind::DeviceOnline, Phase::Pulse),
            ("AT", Kind::DeviceFault, Phase::Start),
            ("YT", Kind::DeviceFault, Phase::Start),
            ("TA", Kind::CameraTamper, Phase::Start),
        ];
        for (code, kind, phase) in table {
            let read = by_code(code).map(|meaning| (meaning.kind, meaning.phase));
            assert_eq!(read, Some((kind, phase)), "{code}");
        }
        // Held open, and by its definition no alarm.
        assert_ne!(by_code("DN").map(|meaning| meaning.kind), Some(Kind::DoorHeldOpen));
        for unknown in ["ZX", "", "B", "@@", "ÄÖ"] {
            assert_eq!(by_code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn trap_07_no_restore_is_a_start() {
        for code in
            ["BH", "BR", "FH", "FR", "GH", "HH", "JC", "KH", "KR", "MH", "PH", "QH", "SH", "TR", "TH", "WH", "ZH"]
        {
            assert_eq!(by_code(code).map(|meaning| meaning.phase), Some(Phase::End), "{code}");
        }
    }

    #[test]
    fn only_heartbeats_are_tests_and_no_alarm_counts_users() {
        for (first, second) in letters() {
            let code = format!("{first}{second}");
            let Some(meaning) = by_code(&code) else { continue };
            assert!(!meaning.is_test || meaning.kind == Kind::DeviceHeartbeat, "{code}");
            // What is about a person is never a zone or a channel.
            assert!(meaning.number != User || !matches!(meaning.kind, Kind::IntrusionZone | Kind::FireAlarm), "{code}");
        }
        assert!(by_code("RP").is_some_and(|meaning| meaning.is_test));
    }

    #[test]
    fn every_code_of_the_shared_tables_is_known_here() {
        let folder = "/work/shared/feeds/_codes";
        let Ok(table) = std::fs::read_to_string(format!("{folder}/sia_codes.csv")) else {
            eprintln!("skipped: {folder} is absent");
            return;
        };
        let rows = table.lines().skip(1).filter_map(|line| line.split_once(',')).map(|(code, _)| code.to_owned());
        let json = std::fs::read_to_string(format!("{folder}/sia_codes_pysiaalarm.json")).unwrap_or_default();
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).unwrap_or_default();
        let unknown: Vec<String> = rows.chain(object.keys().cloned()).filter(|code| by_code(code).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_user_is_a_user_wherever_the_shared_table_says_so() {
        let path = "/work/shared/feeds/_codes/sia_codes_pysiaalarm.json";
        let Ok(json) = std::fs::read_to_string(path) else {
            eprintln!("skipped: {path} is absent");
            return;
        };
        let table: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
        for (code, row) in table {
            let concerns = row.get("concerns").and_then(serde_json::Value::as_str).unwrap_or_default();
            if concerns.starts_with("User") {
                assert_eq!(by_code(&code).map(|meaning| meaning.number), Some(User), "{code}");
            }
        }
    }

    fn letters() -> impl Iterator<Item = (char, char)> {
        ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| (first, second)))
    }
}
