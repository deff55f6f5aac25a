//! The rules and the roster of the folder `rules/`, compiled in: what is in force where nothing else is configured.

use std::path::{Path, PathBuf};

use chorus_processors::detect::{Roster, RosterError, RuleError, RuleSet};

macro_rules! shipped {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../../rules/", $name))),)*] };
}

const RULES: [(&str, &str); 6] =
    shipped! { "camera.yaml" "common.yaml" "gate.yaml" "grid.yaml" "hospital.yaml" "school.yaml" };
/// The text of the shipped roster.
pub const ROSTER: &str = include_str!("../../rules/roster.yaml");

/// The shipped rules.
///
/// # Errors
/// None that a test would not have shown.
pub fn rules() -> Result<RuleSet, RuleError> {
    rules_and(&[])
}

/// The shipped rules and further ones: (name, text).
///
/// # Errors
/// The first thing that is wrong in the further ones.
pub fn rules_and(further: &[(&str, &str)]) -> Result<RuleSet, RuleError> {
    RuleSet::parse(&[&RULES, further].concat())
}

/// The shipped roster.
///
/// # Errors
/// None that a test would not have shown.
pub fn roster() -> Result<Roster, RosterError> {
    Roster::parse("roster.yaml", ROSTER)
}

/// The roster that belongs to these rules: the one that was named, else `roster.yaml` in one of their folders. `None` for the
/// shipped one.
#[must_use]
pub fn roster_file(rules: &[PathBuf], named: Option<&Path>) -> Option<PathBuf> {
    let beside = || rules.iter().map(|path| path.join("roster.yaml")).find(|path| path.is_file());
    named.map(Path::to_owned).or_else(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_of_the_folder_is_compiled_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml") && !name.contains(".test.") && name != "roster.yaml")
            .collect();
        names.sort();
        assert_eq!(names, RULES.map(|(name, _)| name));
    }

    #[test]
    fn the_shipped_rules_find_their_duties_in_the_shipped_roster() {
        use chorus_processors::detect::Setup;
        use chorus_runtime::registry::{Handle, Registry};
        let registry = Handle::fixed(Registry::default());
        Setup::new(rules().unwrap(), roster().unwrap(), registry).unwrap();
    }
}
