//! `chorus check`: validates configuration without a broker.

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
    let mut problems = Vec::new();
    match Registry::load(&config.registry) {
        Ok(registry) => {
            println!("registry: {} places, {} devices", registry.places().count(), registry.devices().count());
        }
        Err(error) => problems.push(format!("registry: {error:#}")),
    }
    match rules(config) {
        Ok(count) => println!("rules: {count}"),
        Err(exit) => problems.push(exit.to_string()),
    }
    problems.extend(sealer(config).err().map(|error| error.to_string()));
    problems.extend(pseudonyms(config).err().map(|error| error.to_string()));
    if !problems.is_empty() {
        return Err(Exit::Usage(problems));
    }
    println!("configuration is valid");
    Ok(())
}

/// How many rules are in force; with the roster that they need.
fn rules(config: &Config) -> Result<usize, Exit> {
    let (rules, roster) = configured(config)?;
    let setup = Setup::new(rules, roster, Handle::fixed(Registry::default()))
        .map_err(|error| Exit::usage(format!("detect.rules: {error}")))?;
    Ok(setup.rules.rules().len())
}
