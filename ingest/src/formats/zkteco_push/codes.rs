//! The event numbers of ZKTeco's controllers.

use chorus_model::{Kind, Phase};

use super::super::{codes, doc};

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something happened; a remark in a closed word may go with it.
    Event(Kind, Phase, Option<&'static str>),
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Kind::{
    AccessDenied, AccessDuress, AccessGranted, CameraTamper, DeviceFault, DeviceOffline, DeviceOnline, DoorClosed,
    DoorForced, DoorHeldOpen, DoorOpened, ExitRequested, FireAlarm, GateState, InputChanged,
};
use Meaning::{Event, Filtered};
use Phase::{End, Pulse, Start};

/// Every number that is known, ascending. 14 to 19, 30 to 35, 40, 43 to 57, 103 to 116 and 203 to 247 are those of the
/// controllers' own document that the public table lacks.
#[rustfmt::skip]
const EVENTS: &[(i64, Meaning)] = &[
    // Let in: by card, finger, number, face, the first or the last of several.
    (0, Event(AccessGranted, Pulse, None)),
    (1, Event(AccessGranted, Pulse, None)),
    (2, Event(AccessGranted, Pulse, None)),
    (3, Event(AccessGranted, Pulse, None)),
    (4, Event(AccessGranted, Pulse, Some("emergency_password"))),
    (5, Event(GateState, Start, Some("remain_open"))),
    (6, Filtered("linkage")),
    (7, Filtered("operator_log")),
    // What the centre does is no access (trap 11).
    (8, Event(GateState, Start, Some("remote"))),
    (9, Event(GateState, End, Some("remote"))),
    (10, Event(GateState, End, Some("remain_open"))),
    (11, Event(GateState, Start, Some("remain_open"))),
    (12, Filtered("relay_state")),
    (13, Filtered("relay_state")),
    (14, Event(AccessGranted, Pulse, None)),
    (15, Event(AccessGranted, Pulse, None)),
    (16, Event(AccessGranted, Pulse, None)),
    (17, Event(AccessGranted, Pulse, None)),
    (18, Event(AccessGranted, Pulse, None)),
    (19, Event(AccessGranted, Pulse, None)),
    // Refused.
    (20, Event(AccessDenied, Pulse, None)),
    (21, Event(AccessDenied, Pulse, None)),
    (22, Event(AccessDenied, Pulse, None)),
    (23, Event(AccessDenied, Pulse, None)),
    (24, Event(AccessDenied, Pulse, Some("anti_passback"))),
    (25, Event(AccessDenied, Pulse, Some("interlock"))),
    (26, Filtered("authentication_step")),
    (27, Event(AccessDenied, Pulse, None)),
    (28, Event(DoorHeldOpen, Pulse, None)),
    (29, Event(AccessDenied, Pulse, None)),
    (30, Event(AccessDenied, Pulse, None)),
    (31, Event(AccessDenied, Pulse, None)),
    (32, Filtered("authentication_step")),
    (33, Event(AccessDenied, Pulse, None)),
    (34, Event(AccessDenied, Pulse, None)),
    (35, Event(AccessDenied, Pulse, None)),
    (36, Event(ExitRequested, Pulse, Some("refused"))),
    (37, Event(DoorHeldOpen, Pulse, None)),
    (38, Event(AccessDenied, Pulse, Some("lost_card"))),
    (39, Event(AccessDenied, Pulse, None)),
    (40, Event(AccessDenied, Pulse, None)),
    (41, Event(AccessDenied, Pulse, None)),
    (42, Event(AccessDenied, Pulse, None)),
    (43, Event(AccessDenied, Pulse, Some("anti_passback"))),
    (44, Event(AccessDenied, Pulse, None)),
    (45, Event(AccessDenied, Pulse, None)),
    (47, Filtered("command_result")),
    (48, Event(AccessDenied, Pulse, None)),
    (49, Event(AccessDenied, Pulse, None)),
    (50, Event(AccessDenied, Pulse, None)),
    (51, Filtered("authentication_step")),
    (52, Event(AccessDenied, Pulse, None)),
    (53, Event(AccessDenied, Pulse, None)),
    (54, Event(DeviceFault, Pulse, Some("power"))),
    (55, Event(DeviceFault, Pulse, Some("power"))),
    // Alarms.
    (100, Event(CameraTamper, Pulse, None)),
    (101, Event(AccessDuress, Pulse, None)),
    (102, Event(DoorForced, Pulse, None)),
    (103, Event(AccessDuress, Pulse, None)),
    (104, Event(AccessDenied, Pulse, Some("max_attempts"))),
    (105, Event(DeviceOffline, Pulse, None)),
    (106, Event(DeviceFault, Pulse, Some("power"))),
    (107, Event(DeviceFault, Pulse, Some("power"))),
    (108, Event(DeviceOffline, Pulse, None)),
    (109, Event(CameraTamper, Pulse, None)),
    (110, Event(DeviceFault, Start, Some("part_offline"))),
    (112, Event(DeviceFault, Start, Some("part_offline"))),
    // Doors, buttons, inputs.
    (200, Event(DoorOpened, Pulse, None)),
    (201, Event(DoorClosed, Pulse, None)),
    (202, Event(ExitRequested, Pulse, None)),
    (203, Event(AccessGranted, Pulse, None)),
    (204, Event(GateState, End, Some("remain_open"))),
    (205, Event(GateState, Start, Some("remain_open"))),
    (206, Event(DeviceOnline, Pulse, Some("restarted"))),
    (207, Event(AccessGranted, Pulse, None)),
    (208, Event(AccessGranted, Pulse, Some("superuser"))),
    (209, Event(ExitRequested, Pulse, Some("refused"))),
    (210, Event(FireAlarm, Start, None)),
    (211, Event(GateState, End, Some("superuser"))),
    (212, Filtered("lift")),
    (213, Filtered("lift")),
    (214, Event(DeviceOnline, Pulse, None)),
    (215, Event(AccessGranted, Pulse, None)),
    (216, Event(AccessGranted, Pulse, None)),
    (217, Event(AccessGranted, Pulse, None)),
    (220, Event(InputChanged, End, None)),
    (221, Event(InputChanged, Start, None)),
    (222, Event(AccessGranted, Pulse, None)),
    (223, Filtered("authentication_step")),
    (224, Filtered("doorbell")),
    (225, Event(InputChanged, End, None)),
    (226, Event(InputChanged, Start, None)),
    (233, Event(GateState, Start, Some("remain_closed"))),
    (234, Event(GateState, End, Some("remain_closed"))),
    (237, Event(DeviceFault, End, Some("part_offline"))),
    (247, Event(DeviceFault, End, Some("part_offline"))),
    // A statement of state in the old form.
    (255, Filtered("status")),
    (300, Filtered("linkage")),
    (700, Event(DeviceOffline, Pulse, None)),
];

/// The meaning of a number, if the table knows it.
pub(super) fn by_code(code: i64) -> Option<Meaning> {
    codes::find(EVENTS, code)
}

/// The bits of a door's alarm byte in a statement of state.
pub(super) const ALARMS: [(u8, Kind); 5] = [
    (1, Kind::DoorForced),
    (2, Kind::CameraTamper),
    (4, Kind::AccessDuress),
    (8, Kind::AccessDuress),
    (16, Kind::DoorHeldOpen),
];

/// The numbers, for the format's page.
pub(super) fn table() -> doc::Table {
    let row = |(code, meaning): &(i64, Meaning)| {
        let cells = match *meaning {
            Event(kind, phase, flag) => vec![kind.to_string(), phase.as_str().to_owned(), doc::cell(flag)],
            Filtered(word) => vec![format!("filtered: {word}"), String::new(), String::new()],
        };
        Some((u32::try_from(*code).ok()?, cells))
    };
    doc::Table {
        title: "`event`",
        columns: &["number", "kind", "phase", "flag"],
        rows: doc::ranges(EVENTS.iter().filter_map(row), |code| code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_knows_every_number_of_the_guides() {
        codes::check(EVENTS, "zkteco_event_codes.tsv", 999);
    }
}
