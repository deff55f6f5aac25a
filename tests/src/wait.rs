//! Waiting for a condition: a bounded loop, and an error that says what was awaited.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The pause between two looks at a condition that cannot announce itself.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Asks `look` until it answers `Some`, at most for `timeout`; an error of `look` ends the wait at once.
///
/// `what` completes the sentence "waited … for …" of the error.
pub fn wait_for<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if started.elapsed() >= timeout {
            bail!("waited {timeout:?} for {what}, in vain");
        }
        thread::sleep(PAUSE);
    }
}

/// The last `lines` lines of a log, for an error message; a log that cannot be read says so instead.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = match fs::read(log) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("(no log at {}: {error})", log.display()),
    };
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
