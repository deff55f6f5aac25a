//! Free ports.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};

/// Ports given out by this process: a port is free for the kernel until its new owner binds it.
static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(|| Mutex::new(HashSet::new()));

/// The lowest port that is tried.
const LOWEST: u16 = 10_000;

/// A port on the loopback interface that nothing listens on, never given twice by this process.
///
/// It lies below the range from which the kernel takes the source ports of connections, where that leaves room. A
/// client that keeps dialling a stopped broker inside that range ends up, now and then, connected to itself, and the
/// broker then cannot come back to its own port.
pub fn free_port() -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let first_ephemeral = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse::<u16>().ok())
        .unwrap_or(LOWEST);
    let room = u64::from(first_ephemeral.saturating_sub(LOWEST));
    for _ in 0..200 {
        // Room for fewer than a thousand ports means collisions: let the kernel choose.
        let wish = if room < 1000 { 0 } else { LOWEST + u16::try_from(random() % room)? };
        let Ok(listener) = TcpListener::bind(("127.0.0.1", wish)) else { continue };
        let port = listener.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
    None.context("no free port on 127.0.0.1 in 200 tries")
}

/// A random number, from the seed that the standard library takes from the system for each new hash map.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
