//! Logs: JSON in a pod, text on a terminal; never a payload.

use std::io::IsTerminal;

use rdkafka::config::RDKafkaLogLevel;
use tracing_subscriber::EnvFilter;

/// Starts logging to stderr. `CHORUS_LOG` sets the filter (default `info`).
pub fn init() {
    start("info");
}

/// As [`init`], but only errors by default: for a program that shows something else on the terminal.
pub fn init_quiet() {
    start("error");
}

fn start(default: &str) {
    // rust-rdkafka logs the end of a partition as an error; what matters of its clients comes through their callbacks.
    let default = || EnvFilter::new(format!("{default},rdkafka=off"));
    let filter = EnvFilter::try_from_env("CHORUS_LOG").unwrap_or_else(|_| default());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call (tests, the demo inside a test) keeps the first subscriber.
    let result = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
    drop(result);
}

/// librdkafka's own lines. What matters to an operator comes through error callbacks, so these are for debugging.
pub(crate) fn librdkafka(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", facility, message, "kafka client");
        }
        _ => tracing::debug!(target: "librdkafka", facility, message, "kafka client"),
    }
}
