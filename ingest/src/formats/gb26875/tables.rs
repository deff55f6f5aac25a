//! The tables of GB/T 26875.3: status bits, operations, parts of a fire system.

use chorus_model::{Kind, Phase};

use super::super::doc;

/// What a set bit of a status word says: the kind, and a remark.
pub(super) type Bit = (u16, Kind, Option<&'static str>);

/// Bits of a system's status (type 1). Bits 0 (normal, or under test), 11 (by hand), 12 (set up anew) and 13 (reset) are no
/// state of alarm.
pub(super) const SYSTEM: &[Bit] = &[
    (1, Kind::FireAlarm, None),
    (2, Kind::FireFault, None),
    // What guards no more, and what is watched (a valve, a water level), is a fault of the fire system.
    (3, Kind::FireFault, Some("shielded")),
    (4, Kind::FireFault, Some("supervisory")),
    (5, Kind::InputChanged, Some("started")),
    (6, Kind::InputChanged, Some("feedback")),
    (7, Kind::InputChanged, Some("delayed")),
    (8, Kind::FireFault, Some("main_power")),
    (9, Kind::FireFault, Some("backup_power")),
    (10, Kind::FireFault, Some("bus")),
];

/// Bit 13 of a system's status.
pub(super) const RESET: u16 = 1 << 13;

/// Bits of a part's status (type 2).
pub(super) const PART: &[Bit] = &[
    (1, Kind::FireAlarm, None),
    (2, Kind::FireFault, None),
    (3, Kind::FireFault, Some("shielded")),
    (4, Kind::FireFault, Some("supervisory")),
    (5, Kind::InputChanged, Some("started")),
    (6, Kind::InputChanged, Some("feedback")),
    (7, Kind::InputChanged, Some("delayed")),
    (8, Kind::FireFault, Some("power")),
];

/// Bits of the transmission device's own status (type 21).
pub(super) const DEVICE: &[Bit] = &[
    (1, Kind::FireAlarm, None),
    (2, Kind::FireFault, None),
    (3, Kind::FireFault, Some("main_power")),
    (4, Kind::FireFault, Some("backup_power")),
    (5, Kind::FireFault, Some("center_line")),
    (6, Kind::FireFault, Some("monitored_line")),
];

/// What an operation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Event(Kind, Phase, &'static str),
    Test(&'static str),
    Filtered(&'static str),
}

/// The bits of an operation (types 4 and 24). They differ in bit 5: at the fire system somebody confirms, at the
/// transmission device somebody answers the centre that he is at his post.
pub(super) fn operation(bit: u16, is_device: bool) -> Option<Operation> {
    Some(match bit {
        0 => Operation::Event(Kind::FireAlarm, Phase::End, "reset"),
        1 => Operation::Filtered("muted"),
        2 => Operation::Event(Kind::FireAlarm, Phase::Start, "by_hand"),
        3 => Operation::Event(Kind::FireAlarm, Phase::End, "cleared"),
        4 => Operation::Test("self_test"),
        5 if is_device => Operation::Event(Kind::PatrolCheckin, Phase::Pulse, "at_post"),
        5 => Operation::Filtered("confirmed"),
        6 => Operation::Test("test"),
        _ => return None,
    })
}

/// What a part is, by its type. Reserved types and those of a maker say nothing.
pub(super) fn part(code: u8) -> Option<&'static str> {
    Some(match code {
        1 | 81..=83 => "panel",
        10..=13 | 74 => "gas_detector",
        16..=18 => "electrical_fire_detector",
        21 => "detector_loop",
        22 => "display",
        23 => "call_point",
        24 => "hydrant_button",
        25 | 50..=53 | 61 | 62 | 69 | 78 | 79 => "fire_detector",
        30..=37 => "heat_detector",
        40..=44 => "smoke_detector",
        84..=88 => "module",
        91 | 95 | 105 => "pump",
        92 => "water_tank",
        96 => "flow_switch",
        97 | 98 | 101 | 103 | 106 | 113 => "valve",
        99 => "pressure_switch",
        102 | 118 => "fire_door",
        104 | 111 | 114..=116 => "smoke_control",
        117 => "fire_shutter",
        121 => "sounder",
        _ => return None,
    })
}

/// The bits, for the format's page.
pub(super) fn pages() -> Vec<doc::Table> {
    let bits = |title, bits: &[Bit]| doc::Table {
        title,
        columns: &["bit", "kind", "flag"],
        rows: bits.iter().map(|(bit, kind, flag)| vec![bit.to_string(), kind.to_string(), doc::cell(*flag)]).collect(),
    };
    vec![
        bits("Status of a fire system (type 1)", SYSTEM),
        bits("Status of a part (type 2)", PART),
        bits("Status of the transmission device (type 21)", DEVICE),
    ]
}
