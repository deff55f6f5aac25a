//! `chorus fuse`: anomalies to alerts.

use chorus_processors::fuse::{self, FuseTask};
use chorus_runtime::registry::Handle;
use chorus_runtime::{Input, Marks, Role, Snapshots, Worker, topics};

use crate::exit::Exit;
use crate::process::{Process, Running};

/// Starts the worker.
///
/// # Errors
/// When its thread cannot be started.
pub fn start(process: &Process, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let (settings, topics) = (process.config.fuse.clone(), process.config.topics.clone());
    let anomalies = topics.name("anomalies");
    process.shared.metrics.declare("fuse", &anomalies, fuse::FATES);
    let (shared, registry) = (process.shared.clone(), registry.clone());
    Ok(process.start("fuse", 1, move |number, health| {
        let names = [anomalies.clone(), topics.name("alerts"), topics.name("snapshots")];
        let [from, alerts, snapshots] = topics::resolve(&shared.kafka, names, &health, &shared.control)?;
        let role = Role {
            name: "fuse",
            group: topics.name("fuse"),
            from: from.clone(),
            input: Input::Derived,
            marks: Marks::None,
            snapshots: Some(Snapshots { topic: snapshots.clone(), every: settings.snapshot_every.to_std() }),
            deliveries: 0,
            workers: 1,
        };
        let (settings, registry, alerts) = (settings.clone(), registry.clone(), alerts.clone());
        let open = move |_: &str, _: i32| FuseTask::new(&settings, registry.clone(), alerts.clone());
        Worker::new(role, number, &shared, health, open)?.run()
    })?)
}
