//! The event codes of Contact ID (SIA DC-05), which alarm panels speak over SIA DC-09 and, as `cidEvent`, over ISAPI.
//!
//! The qualifier (1 new, 3 restore, 6 still there) gives the phase. Codes that say nothing about safety
//! but show that the panel lives (somebody entered programming mode) are a heartbeat, never an alarm.

use chorus_model::{Kind, Phase};

use super::doc;

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// What happened.
    pub(crate) kind: Kind,
    /// A periodic or manual test: it must not page anyone.
    pub(crate) is_test: bool,
}

/// The meaning of the three digits behind the qualifier.
pub(crate) fn by_code(code: u16) -> Option<Meaning> {
    let kind = match code {
        // Medical.
        100..=102 => Kind::MedicalCall,
        // Fire: smoke, heat, water flow, pull station, flame, "near".
        110..=118 => Kind::FireAlarm,
        // Panic; 121, 122, 126 and 146 are silent; 124 and 125 are credentials used under duress.
        120 | 123 | 129 => Kind::PanicButton,
        121 | 122 | 126 | 146 => Kind::DuressSilent,
        124 | 125 => Kind::AccessDuress,
        // Burglary; 155 is the foil on a window, 374 an exit error that became an alarm.
        130..=136 | 138..=140 | 155 | 374 => Kind::IntrusionZone,
        // Tamper of the panel, a sensor or a module: the list has one kind for it.
        137 | 144 | 145 | 341 | 383 => Kind::CameraTamper,
        // 24-hour zones that guard no door: gas, cold, heat, water, air flow.
        150..=154 | 157..=159 | 161..=163 => Kind::EnvironmentAlarm,
        // Fire supervisory, fire zones in trouble or bypassed, smoke sensors out of range.
        200..=206 | 373 | 385 | 386 | 471 | 571 => Kind::FireFault,
        // The panel, or a part of it, is cut off.
        344 | 350 | 353..=360 | 381 | 382 => Kind::DeviceOffline,
        // Power, modules, sirens, lines, sensors in trouble, the log full, the clock wrong, no activity.
        141..=143
        | 147
        | 156
        | 300..=313
        | 320..=343
        | 351
        | 352
        | 370..=372
        | 375..=380
        | 384
        | 387..=393
        | 413..=415
        | 427
        | 622..=624
        | 626
        | 654 => Kind::DeviceFault,
        // Opened, closed, late, early, failed, partly, cancelled; a zone or group bypassed.
        400..=409 | 441 | 442 | 450..=457 | 463 | 464 | 470 | 473 | 570 | 572..=577 => Kind::ArmingChanged,
        421 | 424 | 461 => Kind::AccessDenied,
        422 | 425 | 462 => Kind::AccessGranted,
        423 => Kind::DoorForced,
        426 => Kind::DoorHeldOpen,
        // Tests.
        601..=604 | 607 | 608 | 611..=616 => return Some(Meaning { kind: Kind::DeviceHeartbeat, is_test: true }),
        // Remote access, logs and schedules changed, programming mode, listen-in.
        411 | 412 | 416 | 605 | 606 | 609 | 621 | 625 | 627..=632 => Kind::DeviceHeartbeat,
        900 => Kind::DeviceOnline,
        _ => return None,
    };
    Some(Meaning { kind, is_test: false })
}

/// The phase that a qualifier gives to a kind; none for a qualifier that is not in the standard.
pub(crate) fn phase(qualifier: u16, kind: Kind) -> Option<Phase> {
    let lives = matches!(kind, Kind::DeviceHeartbeat | Kind::DeviceOnline);
    let momentary = lives || matches!(kind, Kind::AccessGranted | Kind::AccessDenied | Kind::AccessDuress);
    match qualifier {
        3 if lives => Some(Phase::Pulse),
        1 if momentary => Some(Phase::Pulse),
        1 => Some(Phase::Start),
        3 => Some(Phase::End),
        6 => Some(Phase::Continue),
        _ => None,
    }
}

/// Whether a code of arming says that the system is on or off now: 1 is an opening, 3 a closing.
pub(crate) fn arming(qualifier: u16, code: u16) -> Option<&'static str> {
    let says = matches!(code, 400..=403 | 407..=409 | 441 | 442 | 456);
    says.then_some(if qualifier == 1 { "disarmed" } else { "armed" })
}

/// True when the number behind the partition is a user, not a zone. DC-05 says which; 12x is the code under duress.
pub(crate) fn names_a_user(code: u16) -> bool {
    matches!(
        code,
        121 | 124 | 125 | 313 | 400..=409 | 411..=416 | 421 | 422 | 429..=431 | 441 | 442 | 450..=459 | 461..=466
            | 574 | 601 | 604 | 607 | 625 | 642 | 652 | 653
    )
}

/// The codes, for the pages of the formats that carry them.
pub(crate) fn table() -> doc::Table {
    let row = |code: u16| {
        let meaning = by_code(code)?;
        let number = if names_a_user(code) { "user: pseudonym or nothing" } else { "zone" };
        let test = if meaning.is_test { "test" } else { "" };
        Some((u32::from(code), vec![meaning.kind.to_string(), number.to_owned(), test.to_owned()]))
    };
    doc::Table {
        title: "Contact ID: the three digits behind the qualifier (1 new, 3 restore, 6 still there)",
        columns: &["code", "kind", "the number is a", ""],
        rows: doc::ranges((0..1_000).filter_map(row), |code| format!("{code:03}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_guide_has_its_kind() {
        let table = [
            (110, Kind::FireAlarm),
            (118, Kind::FireAlarm),
            (120, Kind::PanicButton),
            (121, Kind::DuressSilent),
            (122, Kind::DuressSilent),
            (123, Kind::PanicButton),
            (130, Kind::IntrusionZone),
            (131, Kind::IntrusionZone),
            (137, Kind::CameraTamper),
            (144, Kind::CameraTamper),
            (151, Kind::EnvironmentAlarm),
            (301, Kind::DeviceFault),
            (302, Kind::DeviceFault),
            (350, Kind::DeviceOffline),
            (373, Kind::FireFault),
            (401, Kind::ArmingChanged),
            (421, Kind::AccessDenied),
            (423, Kind::DoorForced),
            (602, Kind::DeviceHeartbeat),
        ];
        for (code, kind) in table {
            assert_eq!(by_code(code).map(|meaning| meaning.kind), Some(kind), "{code}");
        }
        assert_eq!(by_code(999), None);
    }

    #[test]
    fn a_zone_of_an_alarm_is_no_user_and_an_opening_names_one() {
        for code in [110, 120, 130, 131, 137, 144, 151, 301, 373, 423, 426, 570] {
            assert!(!names_a_user(code), "{code}");
        }
        for code in [121, 401, 403, 406, 409, 421, 422, 441, 457] {
            assert!(names_a_user(code), "{code}");
        }
    }

    #[test]
    fn only_tests_are_tests() {
        let tests: Vec<u16> = (0..1_000).filter(|code| by_code(*code).is_some_and(|meaning| meaning.is_test)).collect();
        assert!(tests.iter().all(|code| (601..=616).contains(code)), "{tests:?}");
        assert!(tests.contains(&601) && tests.contains(&602));
    }

    #[test]
    fn every_code_that_the_sia_mapping_knows_is_known_here() {
        let path = "/work/shared/feeds/_codes/contact_id_to_sia.tsv";
        let Ok(table) = std::fs::read_to_string(path) else {
            eprintln!("skipped: {path} is absent");
            return;
        };
        for line in table.lines().skip(1) {
            let code: u16 = line.split('\t').next().unwrap().parse().unwrap();
            assert!(by_code(code).is_some(), "{code}");
        }
    }
}
