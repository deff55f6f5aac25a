//! `chorus detect`: events to anomalies.

use std::sync::Arc;

use chorus_processors::detect::{self, DetectTask, Detector, Roster, RuleSet, Setup};
use chorus_runtime::registry::Handle;
use chorus_runtime::{Input, Marks, Role, Snapshots, Worker, topics};

use crate::config::Config;
use crate::exit::Exit;
use crate::process::{Process, Running};
use crate::shipped;

/// Starts the workers with the configured rules and roster, or the shipped ones where none are configured.
///
/// # Errors
/// Rules or a roster that cannot be used.
pub fn start(process: &Process, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let (rules, roster) = configured(&process.config)?;
    start_with(process, registry, rules, roster)
}

/// The rules and the roster of the configuration, or the shipped ones where none are configured.
///
/// # Errors
/// The first thing that is wrong, with file, rule and key.
pub fn configured(config: &Config) -> Result<(RuleSet, Roster), Exit> {
    let rules = match config.detect.rules.as_slice() {
        [] => shipped::rules(),
        paths => RuleSet::load(paths),
    };
    let roster = config.detect.roster.as_deref().map_or_else(shipped::roster, Roster::load);
    let rules = rules.map_err(|error| Exit::usage(format!("detect.rules: {error}")))?;
    let roster = roster.map_err(|error| Exit::usage(format!("detect.roster: {error}")))?;
    Ok((rules, roster))
}

/// Starts the workers with these rules and this roster.
///
/// # Errors
/// When a rule names a duty that the roster does not hold.
pub fn start_with(process: &Process, registry: &Handle, rules: RuleSet, roster: Roster) -> Result<Vec<Running>, Exit> {
    let setup =
        Setup::new(rules, roster, registry.clone()).map_err(|error| Exit::usage(format!("detect.rules: {error}")))?;
    let topics = process.config.topics.clone();
    let every = process.config.detect.snapshot_every.to_std();
    let events = topics.name("events");
    process.shared.metrics.declare("detect", &events, detect::FATES);
    for health in ["heard", "silent"] {
        process.shared.metrics.devices.with_label_values(&[health]);
    }
    tracing::info!(version = %setup.version(), rules = setup.rules.rules().len(), "rules in force");
    let shared = process.shared.clone();
    Ok(process.start("detect", 1, move |number, health| {
        let names = [events.clone(), topics.name("anomalies"), topics.name("snapshots")];
        let [from, anomalies, snapshots] = topics::resolve(&shared.kafka, names, &health, &shared.control)?;
        let role = Role {
            name: "detect",
            group: topics.name("detect"),
            from: from.clone(),
            input: Input::Derived,
            marks: Marks::Forward { input: Arc::clone(&from.name), to: anomalies.clone(), of: from.partitions },
            snapshots: Some(Snapshots { topic: snapshots.clone(), every }),
            deliveries: 0,
            workers: 1,
        };
        let (setup, anomalies, partitions) = (setup.clone(), anomalies.clone(), from.partitions);
        let open = move |_: &str, partition: i32| {
            DetectTask::new(Detector::new(setup.clone(), partition, partitions), anomalies.clone())
        };
        Worker::new(role, number, &shared, health, open)?.run()
    })?)
}
