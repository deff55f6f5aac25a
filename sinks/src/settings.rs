//! How a destination is configured. Keys of one type alone are refused for the others, with their path.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chorus_model::{Severity, Span};
use reqwest::Url;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::delivery::post;
use crate::destinations::{self, Kind, Problem};

/// Settings by destination. The name is the label `destination` of the metrics and part of the consumer group.
pub type DestinationSettings = BTreeMap<String, Settings>;

/// One destination.
///
/// Flat on purpose: serde forgets the path of an unknown key inside a tagged enum.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What it is: a name of the table [`destinations::DESTINATIONS`].
    #[serde(rename = "type")]
    #[schemars(schema_with = "type_schema")]
    pub kind: String,
    /// `http://` or `https://`, host and base path, without credentials.
    pub url: String,
    /// The key of the signature, at least 16 bytes. For `centre`, required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// A token for `Authorization: Bearer`. For `alertmanager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_file: Option<PathBuf>,
    /// `user:password` for `Authorization: Basic`. For `alertmanager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_file: Option<PathBuf>,
    /// PEM certificates to trust instead of the system's. For `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Alerts below are filtered.
    #[serde(default = "default_min_severity")]
    pub min_severity: Severity,
    /// Whether drills are delivered as well.
    #[serde(default)]
    pub drills: bool,
    /// Whether canaries are delivered, which show that the chain is whole; `drills` and `min_severity` are not asked. Absent: for
    /// `centre` they are, for `alertmanager` not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<bool>,
    /// The most requests at once, 1 to 1024.
    #[serde(default = "default_deliveries")]
    pub deliveries: usize,
    /// How long one attempt may take, 100ms to 1m.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// How long a standing alert stands there without another word (default 24h, at least 1m). For `alertmanager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Span>,
}

fn default_min_severity() -> Severity {
    Severity::Info
}
fn default_deliveries() -> usize {
    32
}
fn default_timeout() -> Span {
    Span::from_secs(5)
}

fn type_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": destinations::names()})
}

impl Settings {
    /// A destination of that type with everything else at its default.
    #[must_use]
    pub fn new(kind: &str, url: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            url: url.to_owned(),
            key_file: None,
            bearer_file: None,
            basic_file: None,
            ca_file: None,
            min_severity: default_min_severity(),
            drills: false,
            canary: None,
            deliveries: default_deliveries(),
            timeout: default_timeout(),
            hold: None,
        }
    }

    /// The row of the table.
    ///
    /// # Errors
    /// (key, message) for a type that does not exist.
    pub fn row(&self) -> Result<&'static Kind, Problem> {
        destinations::by_name(&self.kind)
            .ok_or_else(|| ("type", format!("unknown type, allowed: {}", destinations::names().join(", "))))
    }

    /// Whether canaries are delivered: as it says, else as usual for its type.
    #[must_use]
    pub fn takes_canaries(&self) -> bool {
        self.canary.unwrap_or_else(|| self.row().is_ok_and(|row| row.canary))
    }

    /// The base address.
    ///
    /// # Errors
    /// (key, message) without the address itself, which may hold a secret.
    pub fn base(&self) -> Result<Url, Problem> {
        let problem = |message: &str| ("url", message.to_owned());
        let url = Url::parse(&self.url).map_err(|_| problem("expected http://host:port or https://host"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(problem("expected http://host:port or https://host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(problem("may not hold credentials: secrets come from files"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(problem("may not have a query or a fragment"));
        }
        Ok(url)
    }

    /// What is wrong beyond shape, including files that cannot be read: (path, message).
    #[must_use]
    pub fn problems(&self, name: &str) -> Vec<(String, String)> {
        let mut found: Vec<Problem> = Vec::new();
        if !is_name(name) {
            found.push(("", "a destination's name has 1 to 40 small letters, digits and hyphens".to_owned()));
        }
        match self.row() {
            Err(problem) => found.push(problem),
            Ok(row) => {
                found.extend(self.foreign_keys(row));
                found.extend((row.open)(self).err());
            }
        }
        found.extend(self.base().and_then(|url| post::client(self, &url)).err());
        if !(1..=1024).contains(&self.deliveries) {
            found.push(("deliveries", "allowed: 1 to 1024".to_owned()));
        }
        if !(Span::from_millis(100)..=Span::from_secs(60)).contains(&self.timeout) {
            found.push(("timeout", "allowed: 100ms to 1m".to_owned()));
        }
        let path = |key: &str| format!("destinations.{name}.{key}").trim_end_matches('.').to_owned();
        found.into_iter().map(|(key, message)| (path(key), message)).collect()
    }

    fn foreign_keys(&self, row: &Kind) -> Vec<Problem> {
        let given = [
            ("key_file", self.key_file.is_some()),
            ("bearer_file", self.bearer_file.is_some()),
            ("basic_file", self.basic_file.is_some()),
            ("hold", self.hold.is_some()),
        ];
        let foreign = given.into_iter().filter(|(key, given)| *given && !row.keys.contains(key));
        foreign.map(|(key, _)| (key, format!("is no key of type {}", row.name))).collect()
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chorus_runtime::config::{ConfigError, parse};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        destinations: DestinationSettings,
    }

    fn read(settings: &str) -> Result<Settings, ConfigError> {
        let text = format!("destinations: {{desk: {settings}}}");
        let mut file: File = parse(&text, std::iter::empty(), Path::new("chorus.yaml"))?;
        Ok(file.destinations.remove("desk").unwrap())
    }

    fn paths(settings: &str) -> Vec<String> {
        read(settings).unwrap().problems("desk").into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_path_and_what_is_allowed() {
        let error = read("{type: alertmanager, url: 'http://a', min_severty: high}").unwrap_err();
        assert_eq!(error.path, "destinations.desk.min_severty");
        assert!(error.message.contains("min_severity"), "{}", error.message);
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_path() {
        let error = read("{type: alertmanager, url: 'http://a', min_severity: grave}").unwrap_err();
        assert_eq!(error.path, "destinations.desk.min_severity");
        let error = read("{type: alertmanager, url: 'http://a', timeout: soon}").unwrap_err();
        assert_eq!(error.path, "destinations.desk.timeout");
    }

    #[test]
    fn a_plain_alertmanager_needs_its_address_alone() {
        let settings = read("{type: alertmanager, url: 'http://127.0.0.1:9093'}").unwrap();
        assert_eq!(settings.problems("desk"), Vec::new());
        assert_eq!((settings.deliveries, settings.min_severity, settings.drills), (32, Severity::Info, false));
    }

    #[test]
    fn canaries_go_where_a_machine_looks_at_them_and_to_people_only_when_asked_for() {
        let takes = |settings: &str| read(settings).unwrap().takes_canaries();
        assert!(takes("{type: centre, url: 'http://a'}"));
        assert!(!takes("{type: centre, url: 'http://a', canary: false}"));
        assert!(!takes("{type: alertmanager, url: 'http://a', drills: true}"));
        assert!(takes("{type: alertmanager, url: 'http://a', canary: true}"));
    }

    #[test]
    fn what_cannot_work_is_told_with_its_path() {
        let table = [
            ("{type: pager, url: 'http://a'}", "destinations.desk.type"),
            ("{type: alertmanager, url: 'a:1'}", "destinations.desk.url"),
            ("{type: alertmanager, url: 'http://me:word@a'}", "destinations.desk.url"),
            ("{type: alertmanager, url: 'http://a/?key=1'}", "destinations.desk.url"),
            ("{type: alertmanager, url: 'http://a', key_file: /k}", "destinations.desk.key_file"),
            ("{type: alertmanager, url: 'http://a', bearer_file: /none/t}", "destinations.desk.bearer_file"),
            ("{type: alertmanager, url: 'http://a', hold: 1s}", "destinations.desk.hold"),
            ("{type: alertmanager, url: 'http://a', ca_file: /none/c}", "destinations.desk.ca_file"),
            ("{type: alertmanager, url: 'http://a', deliveries: 0}", "destinations.desk.deliveries"),
            ("{type: alertmanager, url: 'http://a', timeout: 1h}", "destinations.desk.timeout"),
            ("{type: centre, url: 'http://a'}", "destinations.desk.key_file"),
            ("{type: centre, url: 'http://a', key_file: /none/k}", "destinations.desk.key_file"),
        ];
        for (settings, path) in table {
            assert_eq!(paths(settings), [path], "{settings}");
        }
    }

    #[test]
    fn a_problem_never_shows_what_the_address_holds() {
        let problems = read("{type: alertmanager, url: 'http://me:hunter2@a'}").unwrap().problems("desk");
        assert!(!format!("{problems:?}").contains("hunter2"));
    }

    #[test]
    fn the_name_goes_into_metrics_and_groups_and_is_kept_plain() {
        let settings = Settings::new("alertmanager", "http://a");
        assert_eq!(settings.problems("").len() + settings.problems("Desk 1").len(), 2);
        assert!(settings.problems("desk-1").is_empty());
    }

    #[test]
    fn the_schema_lists_every_type() {
        let schema = serde_json::to_value(schemars::schema_for!(Settings)).unwrap();
        assert_eq!(schema["properties"]["type"]["enum"], serde_json::json!(["centre", "alertmanager"]));
    }
}
