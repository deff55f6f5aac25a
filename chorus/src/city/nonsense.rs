//! What devices send that nobody can read: a few records a minute, each marked as broken.

use chorus_model::{Span, Timestamp};

use super::RawRecord;
use super::random::Random;
use super::wire::isapi::{self, Access, Spelling, code};
use super::wire::{gb28181, sia};
use super::world::World;

/// How many a second: four a minute.
const RATE: f64 = 4.0 / 60.0;

/// An address of a device that nobody entered into the registry.
const STRANGER: &str = "02:ff:ff:00:00:07";

/// Adds the nonsense of one second.
pub(crate) fn second(world: &World, random: &mut Random, begin: Timestamp, out: &mut Vec<RawRecord>) {
    for _ in 0..random.poisson(RATE) {
        let at = begin.plus(Span::from_micros(random.micros()));
        let unit = &world.units[random.index(world.units.len())];
        out.push(one(random, &unit.id, at));
    }
}

fn one(random: &mut Random, device: &str, at: Timestamp) -> RawRecord {
    let access = Access { code: code::OPENED, door: 1, card: None };
    let (feed, format, value) = match random.below(7) {
        0 => ("gate", "hikvision-isapi", half(isapi::access(Spelling::Json, device, at, &access))),
        1 => ("school", "hikvision-isapi", b"<html><body>404 Not Found</body></html>".to_vec()),
        2 => ("camera", "gb-t-28181", half(gb28181::keepalive(device, at))),
        3 => ("hospital", "sia-dc09", half(sia::null("809999", at))),
        4 => (
            "grid",
            "chorus",
            b"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"old-app\",\"type\":\"report\"}".to_vec(),
        ),
        5 => ("camera", "ga-t-1400", (0..64).map(|_| random.next().to_le_bytes()[0]).collect()),
        // Well formed, from a device that is not in the registry.
        _ => ("gate", "hikvision-isapi", isapi::heartbeat(Spelling::Xml, STRANGER, at)),
    };
    RawRecord { at, feed, key: device.to_owned(), format, source: format!("connector-{feed}"), value, broken: true }
}

/// The first half of a message whose rest was lost.
fn half(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}
