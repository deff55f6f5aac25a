//! What an access controller reports: major and minor codes of HCNetSDK, as in the maker's tables.
//!
//! Minor codes are decimal on the wire and hexadecimal in the tables; here they stand as in the tables. Where a code has a
//! partner that ends it, the pair is start and end; the rest are pulses. 5/0x36 to 5/0x44, 5/0x68 to 5/0x70 and 5/0x74 are
//! absent from the public table and known from the SDK's header, as are no others.

use chorus_model::{Kind, Phase};

use super::super::doc;

/// What a pair of codes says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something happened; a remark in a closed word may go with it.
    Event(Kind, Phase, Option<&'static str>),
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Meaning::{Event, Filtered};
use Phase::{End, Pulse, Start};

/// The meaning of a pair of codes, if the tables know it.
pub(super) fn by_code(major: u32, minor: u32) -> Option<Meaning> {
    match major {
        1 => alarm(minor),
        2 => exception(minor),
        3 => Some(operation(minor)),
        5 => event(minor),
        _ => None,
    }
}

const fn plain(kind: Kind, phase: Phase) -> Option<Meaning> {
    Some(Event(kind, phase, None))
}

const fn remark(kind: Kind, phase: Phase, word: &'static str) -> Option<Meaning> {
    Some(Event(kind, phase, Some(word)))
}

/// Major 1.
fn alarm(minor: u32) -> Option<Meaning> {
    match minor {
        // A zone's wires shorted, cut or out of range: somebody is at them. 0x403 restores all three.
        0x400..=0x402 => plain(Kind::CameraTamper, Start),
        0x403 => plain(Kind::CameraTamper, End),
        // Housings of the controller, a reader, the door unit, the lift and the lane controller.
        0x404 | 0x406 | 0x40f | 0x41e | 0x422 => plain(Kind::CameraTamper, Start),
        0x405 | 0x407 | 0x410 | 0x41f | 0x423 => plain(Kind::CameraTamper, End),
        0x408 => plain(Kind::InputChanged, Start),
        0x409 => plain(Kind::InputChanged, End),
        0x40a => plain(Kind::AccessDuress, Pulse),
        0x40b | 0x40d | 0x442 => plain(Kind::DeviceFault, Pulse),
        0x40c => remark(Kind::AccessDenied, Pulse, "max_attempts"),
        0x40e => Some(Filtered("linkage")),
        // The wires of the fire input, not the fire: 0x417 restores them.
        0x415 | 0x416 => plain(Kind::FireFault, Start),
        0x417 => plain(Kind::FireFault, End),
        0x418 | 0x424 => plain(Kind::FireAlarm, Start),
        0x419 | 0x425 => plain(Kind::FireAlarm, End),
        0x41a => remark(Kind::InputChanged, Start, "maintenance_button"),
        0x41b => remark(Kind::InputChanged, End, "maintenance_button"),
        0x41c => plain(Kind::PanicButton, Start),
        0x41d => plain(Kind::PanicButton, End),
        0x440 => Some(Filtered("printer")),
        _ => None,
    }
}

/// Major 2. When a part is cut off (a reader, a bus, a module), the controller that says so is not: a fault, not offline.
fn exception(minor: u32) -> Option<Meaning> {
    match minor {
        0x27 | 0x401 => plain(Kind::DeviceOffline, Pulse),
        0x400 | 0x407 => plain(Kind::DeviceOnline, Pulse),
        0x402 | 0x408 | 0x425 | 0x42f => plain(Kind::DeviceFault, Pulse),
        0x403 | 0x405 | 0x411 => remark(Kind::DeviceFault, Start, "power"),
        0x404 | 0x406 | 0x412 => remark(Kind::DeviceFault, End, "power"),
        0x3a | 0x409 | 0x40d | 0x40f | 0x413 | 0x415 | 0x417 | 0x419 | 0x41c | 0x41d | 0x41f | 0x421 | 0x423
        | 0x427 | 0x42a | 0x42d | 0x430 | 0x432 | 0x434 | 0x439 | 0x43c | 0x43e | 0x440 => {
            remark(Kind::DeviceFault, Start, "part_offline")
        }
        0x3b | 0x40a | 0x40e | 0x410 | 0x414 | 0x416 | 0x418 | 0x41a | 0x41b | 0x41e | 0x420 | 0x422 | 0x424
        | 0x426 | 0x42b | 0x42e | 0x431 | 0x433 | 0x435 | 0x438 | 0x43d | 0x43f | 0x441 => {
            remark(Kind::DeviceFault, End, "part_offline")
        }
        0x42c => plain(Kind::GateFault, Pulse),
        0x40b | 0x40c => Some(Filtered("indicator")),
        0x428 | 0x429 => Some(Filtered("operator_log")),
        0x436 | 0x437 => Some(Filtered("printer")),
        _ => None,
    }
}

/// Major 3: what an operator did. Arming passes for the audit, nothing is ever an access event (trap 11), and a code that the
/// table does not know is an operator's all the same.
fn operation(minor: u32) -> Meaning {
    match minor {
        0x79 | 0x408 | 0x419 => Event(Kind::ArmingChanged, Pulse, Some("armed")),
        0x7a | 0x409 | 0x41a => Event(Kind::ArmingChanged, Pulse, Some("disarmed")),
        _ => Filtered("operator_log"),
    }
}

/// Major 5.
fn event(minor: u32) -> Option<Meaning> {
    match minor {
        // Card, code, finger, face, number, in their combinations: accepted.
        0x01 | 0x02 | 0x10 | 0x22 | 0x26 | 0x28 | 0x2b | 0x2e | 0x36 | 0x39 | 0x3c | 0x3f | 0x42 | 0x45 | 0x48
        | 0x4b | 0x4d | 0x65 | 0x69 | 0x99 | 0xb3 | 0xb5 => plain(Kind::AccessGranted, Pulse),
        // The same: refused, timed out, expired, unknown, out of hours, blocked. 0x0f is described as "completed" and named
        // "fail": never taken for granted.
        0x03..=0x0f
        | 0x24
        | 0x27
        | 0x29
        | 0x2a
        | 0x2c
        | 0x2d
        | 0x2f..=0x31
        | 0x37
        | 0x38
        | 0x3a
        | 0x3b
        | 0x3d
        | 0x3e
        | 0x40
        | 0x41
        | 0x43
        | 0x44
        | 0x46
        | 0x47
        | 0x49
        | 0x4a
        | 0x4c
        | 0x4e..=0x50
        | 0x5e
        | 0x66
        | 0x67
        | 0x68
        | 0x70
        | 0x71
        | 0x75..=0x78
        | 0x82
        | 0x84
        | 0x8b
        | 0x97
        | 0x98
        | 0x9a
        | 0x9b
        | 0xa2..=0xa4
        | 0xa8..=0xab
        | 0xb4 => plain(Kind::AccessDenied, Pulse),
        // One step of several.
        0x21 | 0x23 | 0x32 | 0x51 | 0x52 => Some(Filtered("authentication_step")),
        // The lock, which is not the door: 21 unlocked, 22 locked (one public list has them swapped).
        0x15 => remark(Kind::GateState, Start, "unlocked"),
        0x16 => remark(Kind::GateState, End, "locked"),
        0x11 | 0x13 => remark(Kind::GateState, Start, "remain_open"),
        0x12 | 0x14 => remark(Kind::GateState, End, "remain_open"),
        0x1f => remark(Kind::GateState, Start, "remain_closed"),
        0x20 => remark(Kind::GateState, End, "remain_closed"),
        0x17 => plain(Kind::ExitRequested, Pulse),
        0x18 => Some(Filtered("button_released")),
        0x19 => plain(Kind::DoorOpened, Pulse),
        0x1a => plain(Kind::DoorClosed, Pulse),
        0x1b => plain(Kind::DoorForced, Pulse),
        0x1c => plain(Kind::DoorHeldOpen, Pulse),
        0x1d | 0x1e | 0x5f..=0x64 => Some(Filtered("relay_state")),
        0x25 | 0x33 => Some(Filtered("doorbell")),
        // The fire relay opened the doors.
        0x34 => plain(Kind::FireAlarm, Start),
        0x35 => plain(Kind::FireAlarm, End),
        // Wires of lock, contact and exit button.
        0x53..=0x5b => plain(Kind::DeviceFault, Pulse),
        0x5c | 0x5d => plain(Kind::GateFault, Pulse),
        0x72 | 0x73 => Some(Filtered("message")),
        // The address of a telephone nearby: whoever carries it is not followed.
        0x74 => Some(Filtered("telephone_nearby")),
        // Turnstiles.
        0x85 => plain(Kind::AccessTailgating, Pulse),
        0x86 => remark(Kind::AccessTailgating, Pulse, "reverse_passing"),
        0x87 => plain(Kind::DoorForced, Pulse),
        0x88 => remark(Kind::IntrusionLine, Pulse, "climb_over"),
        0x89 => Some(Filtered("passing_timed_out")),
        0x8a => plain(Kind::IntrusionArea, Pulse),
        0x8c => remark(Kind::GateFault, Start, "obstructed"),
        0x8d => remark(Kind::GateFault, End, "obstructed"),
        0xac..=0xb2 => Some(Filtered("maintenance")),
        _ => None,
    }
}

/// The codes, for the format's page.
pub(super) fn table() -> doc::Table {
    let row = |major: u32, minor: u32| {
        let cells = match by_code(major, minor)? {
            Event(kind, phase, word) => [kind.to_string(), phase.as_str().to_owned(), doc::cell(word)],
            Filtered(word) => [format!("filtered: {word}"), String::new(), String::new()],
        };
        Some((minor, cells.to_vec()))
    };
    let of_major = |major: u32| {
        // Whatever an operator did is filtered, so there the table shows what is not.
        let operator = |cells: &Vec<String>| major != 3 || !cells.iter().any(|cell| cell.contains("operator_log"));
        let rows = (0..0x1000).filter_map(move |minor| row(major, minor)).filter(move |(_, cells)| operator(cells));
        doc::ranges(rows, |minor| format!("{minor} (0x{minor:x})"))
            .into_iter()
            .map(move |cells| std::iter::once(major.to_string()).chain(cells).collect::<Vec<_>>())
    };
    doc::Table {
        title: "Codes of access controllers; of major 3 all that is not listed is filtered as operator_log",
        columns: &["major", "minor", "kind", "phase", "flag"],
        rows: [1, 2, 3, 5].into_iter().flat_map(of_major).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(major: u32, minor: u32) -> Option<Kind> {
        match by_code(major, minor) {
            Some(Event(kind, _, _)) => Some(kind),
            _ => None,
        }
    }

    #[test]
    fn every_code_of_the_guide_has_its_kind() {
        let table = [
            (5, 1, Kind::AccessGranted),
            (5, 6, Kind::AccessDenied),
            (5, 8, Kind::AccessDenied),
            (5, 9, Kind::AccessDenied),
            (5, 23, Kind::ExitRequested),
            (5, 25, Kind::DoorOpened),
            (5, 26, Kind::DoorClosed),
            (5, 27, Kind::DoorForced),
            (5, 28, Kind::DoorHeldOpen),
            (5, 75, Kind::AccessGranted),
            (5, 133, Kind::AccessTailgating),
            (1, 1028, Kind::CameraTamper),
            (1, 1030, Kind::CameraTamper),
            (1, 1034, Kind::AccessDuress),
            (1, 1048, Kind::FireAlarm),
            (1, 1052, Kind::PanicButton),
            (2, 39, Kind::DeviceOffline),
            (2, 1024, Kind::DeviceOnline),
            (2, 1029, Kind::DeviceFault),
            (2, 1031, Kind::DeviceOnline),
            (2, 1033, Kind::DeviceFault),
            (3, 121, Kind::ArmingChanged),
        ];
        for (major, minor, want) in table {
            assert_eq!(kind(major, minor), Some(want), "{major}/{minor}");
        }
        assert_eq!(by_code(5, 37), Some(Filtered("doorbell")));
        assert_eq!(by_code(4, 1), None);
        assert_eq!(by_code(5, 0x500), None);
    }

    #[test]
    fn trap_06_unlocked_and_locked_are_not_swapped() {
        assert_eq!(by_code(5, 21), remark(Kind::GateState, Start, "unlocked"));
        assert_eq!(by_code(5, 22), remark(Kind::GateState, End, "locked"));
    }

    #[test]
    fn trap_11_no_operator_log_is_an_access_event() {
        for minor in 0..0x1000 {
            assert!(kind(3, minor).is_none_or(|kind| kind == Kind::ArmingChanged), "{minor}");
        }
    }

    #[test]
    fn every_code_of_the_makers_tables_is_known_here() {
        let folder = "/work/shared/feeds/_codes";
        let tables = [(1, "ALARM-0x1"), (2, "EXCEPTION-0x2"), (3, "OPERATION-0x3"), (5, "EVENT-0x5")];
        for (major, name) in tables {
            let path = format!("{folder}/hikvision_MAJOR_{name}.json");
            let Ok(json) = std::fs::read_to_string(&path) else {
                eprintln!("skipped: {path} is absent");
                continue;
            };
            let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
            for row in rows {
                let code = row["Value"].as_str().unwrap().to_ascii_lowercase();
                // The ranges are the maker's custom codes: without a meaning, so unknown.
                let Ok(minor) = u32::from_str_radix(code.trim_start_matches("0x"), 16) else { continue };
                assert!(by_code(major, minor).is_some(), "{major}/{code} {}", row["Description"]);
            }
        }
    }
}
