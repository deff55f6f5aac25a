//! Reading the configuration, and the sections that belong to the runtime.
//!
//! One YAML file serves all roles. Unknown keys are refused with their path. `CHORUS_KAFKA__BOOTSTRAP=…` overrides
//! `kafka.bootstrap`: two underscores step into a section. Secrets are files, never values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chorus_model::Span;
use rdkafka::config::ClientConfig;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A configuration that cannot be used. The program ends with exit code 64.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {}{message}", if path == WHOLE { String::new() } else { format!("{path}: ") })]
pub struct ConfigError {
    /// Which file.
    pub file: String,
    /// The path of the key, such as `feeds.gate.zone`; `.` for the file as a whole.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// The path of a problem that is not one key's.
const WHOLE: &str = ".";

/// Where the environment's overrides begin.
const PREFIX: &str = "CHORUS_";

/// Reads a YAML file with the environment's overrides.
///
/// # Errors
/// An unreadable file, broken YAML, an unknown key, or a value of the wrong kind; each names the path of the key.
pub fn load<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        problem(file, WHOLE, &format!("{error}; name the configuration with --config FILE or CHORUS_CONFIG"))
    })?;
    let environment = std::env::vars().filter(|(name, _)| name.starts_with(PREFIX));
    parse(&text, environment, file)
}

/// As [`load`], from text and given overrides.
///
/// # Errors
/// As [`load`].
pub fn parse<T: DeserializeOwned>(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
    file: &Path,
) -> Result<T, ConfigError> {
    let mut document: Value = serde_saphyr::from_str(text)
        .map_err(|error| problem(file, WHOLE, &format!("not readable as YAML: {error}")))?;
    if document.is_null() {
        document = Value::Object(serde_json::Map::new());
    }
    for (name, value) in environment {
        override_key(&mut document, &name, &value).map_err(|message| problem(file, &name, &message))?;
    }
    serde_path_to_error::deserialize(&document).map_err(|error| {
        let path = error.path().to_string();
        problem(file, &path, &error.into_inner().to_string())
    })
}

fn problem(file: &Path, path: &str, message: &str) -> ConfigError {
    ConfigError { file: file.display().to_string(), path: path.to_owned(), message: message.to_owned() }
}

/// Variables that are no configuration: read elsewhere.
const NOT_CONFIGURATION: [&str; 3] = ["CHORUS_BIN", "CHORUS_CONFIG", "CHORUS_LOG"];

fn override_key(document: &mut Value, name: &str, text: &str) -> Result<(), String> {
    if NOT_CONFIGURATION.contains(&name) {
        return Ok(());
    }
    let Some(path) = name.strip_prefix(PREFIX) else { return Ok(()) };
    let value: Value = serde_saphyr::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let mut at = document;
    for step in path.split("__") {
        let Value::Object(map) = at else { return Err("steps into a value that has no keys".to_owned()) };
        at = map.entry(step.to_ascii_lowercase()).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *at = value;
    Ok(())
}

/// How to reach Kafka.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// `host:port,host:port`.
    pub bootstrap: String,
    /// The longest that a record waits for others before it is sent.
    #[serde(default = "default_linger")]
    pub linger: Span,
    /// `none`, `lz4`, `gzip`, `snappy` or `zstd` where the build has it.
    #[serde(default = "default_compression")]
    pub compression: String,
    /// The longest that a fetch waits at the broker when there is nothing.
    #[serde(default = "default_fetch_wait")]
    pub fetch_wait: Span,
    /// How partitions find their worker.
    #[serde(default)]
    pub assignment: Assignment,
    /// A static member that is gone for longer than this loses its partitions.
    #[serde(default = "default_session")]
    pub session_timeout: Span,
    /// Further properties of librdkafka (security, sockets). They win over everything but what law 3 needs.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// Properties whose values are secrets: property to file.
    #[serde(default)]
    pub property_files: BTreeMap<String, PathBuf>,
}

fn default_linger() -> Span {
    Span::from_millis(2)
}
fn default_compression() -> String {
    "lz4".to_owned()
}
fn default_fetch_wait() -> Span {
    Span::from_millis(100)
}
fn default_session() -> Span {
    Span::from_secs(30)
}

/// How partitions find their worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "by", rename_all = "lowercase")]
pub enum Assignment {
    /// By the consumer group: static members, cooperative. The member's name is `member` (default: the host's name), the
    /// role and the worker's number.
    #[default]
    Group,
    /// As `group`, under a name of its own.
    Member {
        /// The name, stable over restarts: a StatefulSet's pod name.
        member: String,
    },
    /// Without a group: worker `ordinal` of `of` takes every `of`-th partition.
    Ordinal {
        /// From 0.
        ordinal: i32,
        /// How many in all.
        of: i32,
    },
}

impl Assignment {
    /// The assignment of worker `number` among the `workers` of this process: by ordinal, each takes its own share of the
    /// process's.
    pub(crate) fn of_worker(&self, number: usize, workers: usize) -> Self {
        let (number, workers) = (i32::try_from(number).unwrap_or(0), i32::try_from(workers).unwrap_or(1).max(1));
        match self {
            Self::Ordinal { ordinal, of } => Self::Ordinal { ordinal: ordinal * workers + number, of: of * workers },
            Self::Group | Self::Member { .. } => self.clone(),
        }
    }
}

/// What law 3 rests on: never overridden.
const PROTECTED: [&str; 6] = [
    "enable.idempotence",
    "enable.gapless.guarantee",
    "message.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
];

impl Kafka {
    /// The settings of a client: those of every one, its own, and the operator's properties over both.
    pub(crate) fn client(&self, own: impl FnOnce(&mut ClientConfig)) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("socket.nagle.disable", "true");
        config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "2000");
        own(&mut config);
        let is_ours = |key: &str| PROTECTED.contains(&key);
        for (key, value) in self.properties.iter().filter(|(key, _)| !is_ours(key)) {
            config.set(key, value);
        }
        for (key, file) in self.property_files.iter().filter(|(key, _)| !is_ours(key)) {
            if let Ok(value) = std::fs::read_to_string(file) {
                config.set(key, value.trim_end());
            }
        }
        config
    }

    /// The settings of a client that reads partitions to their end and belongs to no group.
    pub(crate) fn reader(&self, group: &str) -> ClientConfig {
        self.client(|config| {
            config.set("group.id", group).set("enable.auto.commit", "false").set("enable.partition.eof", "true");
            config.set("auto.offset.reset", "error");
        })
    }

    /// What is wrong with these settings beyond their shape: (path, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut say = |path: &str, message: &str| found.push((format!("kafka.{path}"), message.to_owned()));
        if self
            .bootstrap
            .split(',')
            .any(|server| server.rsplit_once(':').is_none_or(|(_, p)| p.parse::<u16>().is_err()))
        {
            say("bootstrap", "expected host:port, separated by commas");
        }
        if !["none", "lz4", "gzip", "snappy", "zstd"].contains(&self.compression.as_str()) {
            say("compression", "allowed: none, lz4, gzip, snappy, zstd");
        }
        if let Assignment::Ordinal { ordinal, of } = self.assignment
            && !(0..of).contains(&ordinal)
        {
            say("assignment.ordinal", "must be from 0 to one less than assignment.of");
        }
        let plain = self.properties.keys().map(|key| ("properties", key));
        let of_files = self.property_files.keys().map(|key| ("property_files", key));
        for (section, key) in plain.chain(of_files).filter(|(_, key)| PROTECTED.contains(&key.as_str())) {
            say(&format!("{section}.{key}"), "may not be set: exactly-once rests on it");
        }
        for (key, file) in &self.property_files {
            if std::fs::metadata(file).is_err() {
                say(&format!("property_files.{key}"), &format!("cannot read {}", file.display()));
            }
        }
        found
    }
}

/// The endpoint for probes and metrics that every role has.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where `/metrics`, `/healthz` and `/readyz` are served.
    pub listen: String,
    /// A worker that made no progress for this long makes `/healthz` fail; twice as long ends the process.
    pub stall_after: Span,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9600".to_owned(), stall_after: Span::from_secs(30) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        kafka: Kafka,
    }

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<File, ConfigError> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        parse(text, environment, Path::new("chorus.yaml"))
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_path_and_what_is_allowed() {
        let error = read("kafka: {bootstrap: 'a:1', compresion: lz4}", &[]).unwrap_err();
        assert_eq!(error.path, "kafka.compresion");
        assert!(error.message.contains("expected one of"), "{}", error.message);
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_path() {
        let error = read("kafka: {bootstrap: 'a:1', linger: soon}", &[]).unwrap_err();
        assert_eq!(error.path, "kafka.linger");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = read("kafka: {bootstrap: 'a:1'}", &[("CHORUS_KAFKA__BOOTSTRAP", "b:2")]).unwrap();
        assert_eq!(file.kafka.bootstrap, "b:2");
        assert!(read("kafka: {bootstrap: 'a:1'}", &[("CHORUS_KAFKA__BOTSTRAP", "b:2")]).is_err());
    }

    #[test]
    fn by_ordinal_every_partition_belongs_to_one_worker_of_one_process() {
        let mut owners = vec![0; 12];
        for ordinal in 0..2 {
            for number in 0..3 {
                let Assignment::Ordinal { ordinal, of } = (Assignment::Ordinal { ordinal, of: 2 }).of_worker(number, 3)
                else {
                    panic!("stays an ordinal")
                };
                (0..12).filter(|partition| partition % of == ordinal).for_each(|p| owners[p as usize] += 1);
            }
        }
        assert_eq!(owners, vec![1; 12]);
    }

    #[test]
    fn what_exactly_once_rests_on_cannot_be_switched_off() {
        let file = read("kafka: {bootstrap: 'a:1', properties: {enable.idempotence: 'false'}}", &[]).unwrap();
        assert_eq!(file.kafka.problems().len(), 1);
        let by_file = "kafka: {bootstrap: 'a:1', property_files: {enable.idempotence: /proc/version}}";
        let kafka = read(by_file, &[]).unwrap().kafka;
        assert_eq!(kafka.problems().len(), 1);
        let config = kafka.client(|config| {
            config.set("enable.idempotence", "true");
        });
        assert_eq!(config.get("enable.idempotence"), Some("true"));
    }
}
