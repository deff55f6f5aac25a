//! The one configuration file of all roles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chorus_ingest::feeds::{self, FeedSettings};
use chorus_model::Span;
use chorus_runtime::canary::Canaries;
use chorus_runtime::config::{Http, Kafka};
use chorus_runtime::registry::{self, Handle};
use chorus_runtime::topics::Topics;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::exit::Exit;

/// Everything that can be configured. A role reads the sections that it needs; all are checked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How to reach Kafka.
    pub kafka: Kafka,
    /// Names and sizes of topics.
    #[serde(default)]
    pub topics: Topics,
    /// Places and devices.
    #[serde(default)]
    pub registry: registry::Settings,
    /// The endpoint for probes and metrics.
    #[serde(default)]
    pub http: Http,
    /// Keys, by file.
    #[serde(default)]
    pub secrets: Secrets,
    /// How each feed is read.
    #[serde(default)]
    pub feeds: FeedSettings,
    /// Rules and rosters.
    #[serde(default)]
    pub detect: chorus_processors::detect::Settings,
    /// How anomalies become alerts.
    #[serde(default)]
    pub fuse: chorus_processors::fuse::Settings,
    /// Where alerts go, by name.
    #[serde(default)]
    pub destinations: BTreeMap<String, chorus_sinks::Settings>,
    /// The records by which a broken chain is noticed; for the roles `canary` and `deliver`.
    #[serde(default)]
    pub canary: Canary,
    /// The governance centre; needed by its role alone.
    #[serde(default)]
    pub center: Option<chorus_center::Settings>,
}

/// Keys, by file: never by value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// 32 bytes as 64 hexadecimal digits; seals rejects. Needed by `ingest` and `rejects`.
    pub rejects_key_file: Option<PathBuf>,
    /// At least 32 bytes; makes pseudonyms of credentials. Without it credentials are dropped.
    pub pseudonyms_key_file: Option<PathBuf>,
}

/// The section `canary`: a synthetic drill record per feed and county goes through the whole chain, again and again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Canary {
    /// How often, 30s to 2m: each is to be over before the next comes, and an alert waits for it for three minutes.
    pub every: Span,
    /// Through which feeds; absent for all that accept the format `chorus`, and `[]` for no canaries at all.
    pub feeds: Option<Vec<String>>,
}

impl Default for Canary {
    fn default() -> Self {
        Self { every: Span::from_secs(60), feeds: None }
    }
}

/// What canaries are written in.
pub const CANARY_FORMAT: &str = "chorus";

/// Where the configuration is looked for when neither `--config` nor `CHORUS_CONFIG` says.
pub const DEFAULT_FILE: &str = "chorus.yaml";

impl Config {
    /// Reads and checks a file with the environment's overrides.
    ///
    /// # Errors
    /// [`Exit::Usage`] with the path of every key that is wrong and what is allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, Exit> {
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let config: Self = chorus_runtime::config::load(file)?;
        let problems = config.problems();
        if problems.is_empty() {
            return Ok(config);
        }
        let line = |(path, message): (String, String)| format!("{}: {path}: {message}", file.display());
        Err(Exit::Usage(problems.into_iter().map(line).collect()))
    }

    /// What is wrong beyond the shape: (path of the key, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = self.kafka.problems();
        found.extend(self.topics.problems());
        for (name, settings) in &self.feeds {
            match feeds::by_name(name) {
                Some(feed) => {
                    let problems = settings.problems(feed).into_iter();
                    found.extend(problems.map(|(key, message)| (format!("feeds.{name}.{key}"), message)));
                }
                None => {
                    let known: Vec<&str> = feeds::FEEDS.iter().map(|feed| feed.name).collect();
                    found.push((format!("feeds.{name}"), format!("no such feed, allowed: {}", known.join(", "))));
                }
            }
        }
        for (name, settings) in &self.destinations {
            found.extend(settings.problems(name));
        }
        found.extend(self.fuse.problems());
        found.extend(self.canary_problems());
        found.extend(self.center.iter().flat_map(chorus_center::Settings::problems));
        if self.http.listen.parse::<std::net::SocketAddr>().is_err() {
            found.push(("http.listen".to_owned(), "expected address:port, such as 0.0.0.0:9600".to_owned()));
        }
        found
    }

    fn canary_problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if !(Span::from_secs(30)..=Span::from_secs(120)).contains(&self.canary.every) {
            found.push(("canary.every".to_owned(), "allowed: 30s to 2m".to_owned()));
        }
        for (index, name) in self.canary.feeds.iter().flatten().enumerate() {
            let path = format!("canary.feeds[{index}]");
            match feeds::by_name(name) {
                Some(feed) if self.accepts_canaries(feed) => {}
                Some(_) => {
                    found.push((
                        path,
                        format!("feeds.{name}.formats leaves out {CANARY_FORMAT}, in which canaries come"),
                    ));
                }
                None => found.push((path, format!("no such feed, allowed: {}", feeds::names().join(", ")))),
            }
        }
        found
    }

    fn accepts_canaries(&self, feed: &feeds::Feed) -> bool {
        self.feed(feed.name).accepted(feed).is_ok_and(|accepted| accepted.has(CANARY_FORMAT))
    }

    /// The canaries that are to come, in the counties of this registry.
    #[must_use]
    pub fn canaries(&self, registry: &Handle) -> Canaries {
        let is_meant = |feed: &&feeds::Feed| match &self.canary.feeds {
            Some(names) => names.iter().any(|name| name == feed.name),
            None => self.accepts_canaries(feed),
        };
        let feeds = feeds::FEEDS.iter().filter(is_meant).map(|feed| feed.name).collect();
        Canaries { feeds, registry: registry.clone() }
    }

    /// The settings of a feed, or its defaults.
    #[must_use]
    pub fn feed(&self, name: &str) -> feeds::Settings {
        self.feeds.get(name).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use chorus_runtime::registry::Registry;

    use super::*;

    #[test]
    fn canaries_go_through_the_feeds_that_can_read_them_unless_others_are_named() {
        let feeds = |text: &str| {
            let text = format!("kafka: {{bootstrap: 'a:1'}}\n{text}");
            let config: Config = chorus_runtime::config::parse(&text, std::iter::empty(), Path::new("x")).unwrap();
            assert_eq!(config.problems(), Vec::new(), "{text}");
            config.canaries(&Handle::fixed(Registry::default())).feeds
        };
        assert_eq!(feeds(""), feeds::names());
        assert_eq!(feeds("feeds: {gate: {formats: [onvif]}, grid: {formats: [cap, chorus]}}").len(), 4);
        assert_eq!(feeds("canary: {feeds: [grid, school]}"), ["school", "grid"]);
        assert!(feeds("canary: {feeds: []}").is_empty());
    }
}
