//! `chorus check`: validates configuration without a broker.

use std::path::Path;

use chorus_processors::detect::{Roster, RuleSet};
use chorus_runtime::registry::Registry;

use crate::config::Config;
use crate::exit::Exit;
use crate::roles::ingest::sealer;

/// Reads everything that the configuration names: registry, rules, roster, keys.
///
/// # Errors
/// Everything that is wrong, with the path of its key.
pub fn run(file: Option<&Path>) -> Result<(), Exit> {
    let config = Config::load(file)?;
    let mut problems = Vec::new();
    match Registry::load(&config.registry) {
        Ok(registry) => {
            println!("registry: {} places, {} devices", registry.places().count(), registry.devices().count());
        }
        Err(error) => problems.push(format!("registry: {error:#}")),
    }
    match RuleSet::load(&config.detect.rules) {
        Ok(rules) => println!("rules: {}", rules.rules().len()),
        Err(error) => problems.push(format!("detect.rules: {error}")),
    }
    if let Some(roster) = &config.detect.roster
        && let Err(error) = Roster::load(roster)
    {
        problems.push(format!("detect.roster: {error}"));
    }
    if let Err(error) = sealer(&config) {
        problems.push(error.to_string());
    }
    if !problems.is_empty() {
        return Err(Exit::Usage(problems));
    }
    println!("configuration is valid");
    Ok(())
}
