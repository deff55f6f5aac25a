//! The section `center` of the configuration.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chorus_model::Span;
use chorus_runtime::secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard;

/// How many bytes the key of deliveries must have.
pub(crate) const KEY_BYTES: usize = 32;

/// What an operator can set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `address:port` of the API and the page. On the loopback interface reading is open; anywhere else it takes the token.
    pub listen: String,
    /// `sqlite://file.db`, or `postgres://user@host:port/database`. A password is never part of it.
    pub database: String,
    /// The file with PostgreSQL's password.
    pub database_password_file: Option<PathBuf>,
    /// The file with the key that deliveries are signed with, at least 32 bytes; the destination has the same.
    pub key_file: Option<PathBuf>,
    /// The file with the token that operators show, at least 16 characters. Needed when `listen` is not on loopback.
    pub api_token_file: Option<PathBuf>,
    /// How long an alert is kept after its incident was resolved and nothing more came.
    pub keep: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            database: "sqlite://chorus.db".to_owned(),
            database_password_file: None,
            key_file: None,
            api_token_file: None,
            keep: Span::from_secs(90 * 86_400),
        }
    }
}

/// Which database an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Settings {
    /// What is wrong with these settings beyond their shape: (path, message).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut say = |path: &str, message: &str| found.push((format!("center.{path}"), message.to_owned()));
        match self.is_loopback() {
            None => say("listen", "expected address:port, such as 127.0.0.1:8080"),
            Some(false) if self.api_token_file.is_none() => {
                say("api_token_file", "must be set when center.listen is not on the loopback interface");
            }
            Some(_) => {}
        }
        match self.backend() {
            None => say("database", "expected sqlite://file.db or postgres://user@host:port/database"),
            Some(Backend::Sqlite) if self.database.contains(":memory:") || self.database.contains("mode=memory") => {
                say("database", "expected a file: a database in memory forgets what was acknowledged");
            }
            Some(Backend::Sqlite) if self.database_password_file.is_some() => {
                say("database_password_file", "belongs to PostgreSQL; SQLite has no password");
            }
            Some(Backend::Postgres) if has_password(&self.database) => {
                say("database", "holds a password: put it into a file and name it in database_password_file");
            }
            Some(_) => {}
        }
        if let Some(Err(error)) = self.key_file.as_deref().map(|file| secret::read(file, KEY_BYTES)) {
            say("key_file", &error.to_string());
        }
        if let Some(Err(error)) = self.api_token_file.as_deref().map(guard::read_token) {
            say("api_token_file", &error.to_string());
        }
        if let Some(Err(error)) = self.database_password_file.as_deref().map(|file| secret::read(file, 1)) {
            say("database_password_file", &error.to_string());
        }
        if self.key_file.is_none() {
            say("key_file", "must be set: without it nothing can be delivered (openssl rand -hex 32)");
        }
        if self.keep < Span::from_secs(3_600) {
            say("keep", "must be at least 1h");
        }
        found
    }

    /// Whether `listen` is on the loopback interface; `None` when it is no address. A name is none: what it stands for can
    /// change, and with it who may read.
    pub(crate) fn is_loopback(&self) -> Option<bool> {
        self.listen.parse::<SocketAddr>().ok().map(|address| address.ip().is_loopback())
    }

    pub(crate) fn backend(&self) -> Option<Backend> {
        if self.database.strip_prefix("sqlite:").is_some_and(|rest| !rest.trim_matches('/').is_empty()) {
            return Some(Backend::Sqlite);
        }
        let postgres = ["postgres://", "postgresql://"].iter().any(|scheme| self.database.starts_with(scheme));
        postgres.then_some(Backend::Postgres)
    }
}

/// Whether a host, as it stands in a `Host` header without its port, is this machine's loopback.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn has_password(database: &str) -> bool {
    let authority = database.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || database.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(settings: &Settings) -> Vec<String> {
        settings.problems().into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn the_defaults_lack_nothing_but_a_key() {
        assert_eq!(paths(&Settings::default()), ["center.key_file"]);
    }

    #[test]
    fn a_listener_beyond_loopback_needs_a_token() {
        for (listen, path) in [
            ("0.0.0.0:8080", Some("center.api_token_file")),
            ("[::]:8080", Some("center.api_token_file")),
            ("center:8080", Some("center.listen")),
            ("8080", Some("center.listen")),
            ("localhost:99999", Some("center.listen")),
            ("localhost:8080", Some("center.listen")),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
        ] {
            let settings = Settings { listen: listen.to_owned(), ..Settings::default() };
            assert_eq!(paths(&settings).iter().map(String::as_str).find(|p| *p != "center.key_file"), path, "{listen}");
        }
    }

    #[test]
    fn a_password_is_a_file_and_never_a_value() {
        for (database, refused) in [
            ("postgres://chorus:hunter2@db/chorus", true),
            ("postgres://chorus@db/chorus?password=hunter2", true),
            ("postgres://chorus@db:5432/chorus", false),
            ("mysql://chorus@db/chorus", true),
            ("sqlite://", true),
            ("sqlite::memory:", true),
            ("sqlite:///var/lib/chorus/center.db", false),
        ] {
            let settings = Settings { database: database.to_owned(), ..Settings::default() };
            let problems = settings.problems();
            assert_eq!(problems.iter().any(|(path, _)| path == "center.database"), refused, "{database}");
            assert!(!problems.iter().any(|(_, message)| message.contains("hunter2")));
        }
    }

    #[test]
    fn an_unreadable_or_short_secret_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let short = dir.path().join("key");
        std::fs::write(&short, "abcd").unwrap();
        let settings =
            Settings { key_file: Some(short), api_token_file: Some("/nowhere".into()), ..Settings::default() };
        assert_eq!(paths(&settings), ["center.key_file", "center.api_token_file"]);
    }
}
