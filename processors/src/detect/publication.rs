//! Rules and a roster on their way through the log.
//!
//! A publication is a control record that stands in every partition of `events` at one place. From there on each detector
//! works by it, live, in a replay and after a restart: what the log says is stronger than the files that a role was started
//! with.

use std::sync::Arc;

use chorus_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::load::RuleError;
use super::roster::Roster;
use super::rules::RuleSet;
use super::setup::Setup;

/// A file: its name and its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// As error messages name it.
    pub name: String,
    /// YAML.
    pub text: String,
}

/// A set of rules with its roster, and who put it into force when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The version that anomalies will name.
    pub version: Arc<str>,
    /// When it was published.
    pub at: Timestamp,
    /// A role or a desk, never a person's name.
    pub by: String,
    /// Every rule file.
    pub rules: Vec<File>,
    /// The roster.
    pub roster: File,
}

/// A publication that cannot come into force; the rules before it stay.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A rule, a duty that no roster holds, or the roster itself.
    #[error(transparent)]
    Contents(#[from] RuleError),
    /// It says that it is what it is not.
    #[error("its version is {said}, its contents are {is}")]
    Version {
        /// What it says.
        said: Arc<str>,
        /// What it is.
        is: Arc<str>,
    },
}

impl Publication {
    /// Makes one of these files, once they are found to be valid for `setup`'s registry.
    ///
    /// # Errors
    /// The first thing that is wrong with rules or roster.
    pub fn new(
        rules: Vec<File>,
        roster: File,
        by: &str,
        at: Timestamp,
        registry: chorus_runtime::registry::Handle,
    ) -> Result<Self, Refused> {
        let mut publication = Self { version: Arc::from(""), at, by: by.to_owned(), rules, roster };
        publication.version = publication.compile(registry)?.version();
        Ok(publication)
    }

    /// The rules and the roster, with the registry that a role has.
    ///
    /// # Errors
    /// When they are not valid, or not what the version says.
    pub fn setup(&self, registry: chorus_runtime::registry::Handle) -> Result<Setup, Refused> {
        let setup = self.compile(registry)?;
        let is = setup.version();
        if is == self.version { Ok(setup) } else { Err(Refused::Version { said: Arc::clone(&self.version), is }) }
    }

    fn compile(&self, registry: chorus_runtime::registry::Handle) -> Result<Setup, Refused> {
        let files: Vec<(&str, &str)> = self.rules.iter().map(|file| (&*file.name, &*file.text)).collect();
        let roster = Roster::parse(&self.roster.name, &self.roster.text)?;
        Ok(Setup::new(RuleSet::parse(&files)?, roster, registry)?)
    }
}

/// A publication, and the offset at which it came into force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InForce {
    pub(crate) offset: i64,
    pub(crate) publication: Publication,
}

/// What a snapshot says of rules: those in force, and those before, by which a replay begins that starts ahead of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Published {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<InForce>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) now: Option<InForce>,
}
