//! The rules that Chorus ships with.

use std::path::Path;

use chorus_runtime::registry::Handle;

use super::super::{Roster, RuleSet, Setup, run_tests};
use super::registry;

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")
}

#[test]
fn the_shipped_rules_load_and_every_feed_has_some() {
    let rules = RuleSet::load(&[shipped()]).unwrap();
    let roster = Roster::load(&shipped().join("roster.yaml")).unwrap();
    for feed in ["school", "hospital", "gate", "camera", "grid"] {
        assert!(rules.feeds().contains(feed), "{feed}");
    }
    for rule in rules.rules() {
        assert!(rule.summary.zh.contains("{place}") && rule.summary.en.contains("{place}"), "{}", rule.id);
    }
    Setup::new(rules, roster, Handle::fixed(registry())).unwrap();
}

#[test]
fn the_shipped_test_cases_pass() {
    let cases = run_tests(&shipped()).unwrap();
    let failed: Vec<_> = cases.iter().filter(|case| !case.failures.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(cases.len() >= 20, "{}", cases.len());
}
