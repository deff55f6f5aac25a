//! `chorus check`: validates configuration without a broker.

use chorus_ingest::feeds;
use chorus_processors::detect::Setup;
use chorus_runtime::registry::{Handle, Registry};

use crate::config::Config;
use crate::exit::Exit;
use crate::roles::detect::configured;
use crate::roles::ingest::{pseudonyms, sealer};

/// Reads everything that the configuration names: registry, rules, roster, keys.
///
/// # Errors
/// Everything that is wrong, with the path of its key.
pub fn run(config: &Config) -> Result<(), Exit> {
    look(config, true)
}

/// As [`run`], of what may be the part of one role alone: without the section `secrets` its keys are not missed.
///
/// # Errors
/// As [`run`].
pub fn part(config: &Config) -> Result<(), Exit> {
    look(config, has_secrets(config))
}

/// True where the section `secrets` names anything.
#[must_use]
pub const fn has_secrets(config: &Config) -> bool {
    config.secrets.rejects_key_file.is_some() || config.secrets.pseudonyms_key_file.is_some()
}

fn look(config: &Config, seals: bool) -> Result<(), Exit> {
    let mut problems = Vec::new();
    match Registry::load(&config.registry) {
        Ok(registry) => {
            println!("registry: {} places, {} devices", registry.places().count(), registry.devices().count());
            match registry.with_canaries(&feeds::names()) {
                Ok(registry) => say_canaries(config, registry),
                Err(error) => problems.push(format!("registry: {error:#}")),
            }
        }
        Err(error) => problems.push(format!("registry: {error:#}")),
    }
    match rules(config) {
        Ok(count) => println!("rules: {count}"),
        Err(exit) => problems.push(exit.to_string()),
    }
    if seals {
        problems.extend(sealer(config).err().map(|error| error.to_string()));
    }
    problems.extend(pseudonyms(config).err().map(|error| error.to_string()));
    if !problems.is_empty() {
        return Err(Exit::Usage(problems));
    }
    println!("configuration is valid");
    Ok(())
}

fn say_canaries(config: &Config, registry: Registry) {
    let counties = registry.counties().count();
    let watched = config.canaries(&Handle::fixed(registry)).feeds;
    let others: Vec<&str> = feeds::names().into_iter().filter(|name| !watched.contains(name)).collect();
    let others = if others.is_empty() { String::new() } else { format!("; none through {}", others.join(", ")) };
    println!("canaries: {} feeds, {counties} counties, every {}{others}", watched.len(), config.canary.every);
}

/// How many rules are in force; with the roster that they need.
fn rules(config: &Config) -> Result<usize, Exit> {
    let (rules, roster) = configured(config)?;
    let setup = Setup::new(rules, roster, Handle::fixed(Registry::default()))
        .map_err(|error| Exit::usage(format!("detect.rules: {error}")))?;
    Ok(setup.rules.rules().len())
}
