//! What detectors are made of: rules, the roster that they name duties of, and the registry.

use std::sync::Arc;

use chorus_model::id;
use chorus_runtime::registry::Handle;

use super::load::RuleError;
use super::roster::Roster;
use super::rules::{RuleSet, When};

/// What every partition's detector shares.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Duties and calendars.
    pub roster: Arc<Roster>,
    /// Places and devices.
    pub registry: Handle,
}

impl Setup {
    /// Rules with the roster that they name duties of.
    ///
    /// # Errors
    /// When a rule names a duty that the roster does not hold.
    pub fn new(rules: RuleSet, roster: Roster, registry: Handle) -> Result<Self, RuleError> {
        for rule in rules.rules() {
            let When::Absence { duty, .. } = &rule.when else { continue };
            if roster.duty_of(duty).is_none() {
                let known: Vec<&str> = roster.duties().map(|duty| &**duty).collect();
                return Err(RuleError {
                    file: rule.file.to_string(),
                    rule: Some(rule.id.to_string()),
                    path: "duty".to_owned(),
                    message: format!("no duty `{duty}` in the roster, which has: {}", known.join(", ")),
                });
            }
        }
        Ok(Self { rules: Arc::new(rules), roster: Arc::new(roster), registry })
    }

    /// The version that anomalies name: of the rules and the roster together.
    #[must_use]
    pub fn version(&self) -> Arc<str> {
        id::derive(&[&self.rules.version, &self.roster.version]).chars().take(16).collect::<String>().into()
    }
}
