//! `chorus deliver --destination D`: alerts to one destination, in a consumer group of its own.

use std::sync::Arc;

use chorus_runtime::registry::Handle;
use chorus_runtime::{Input, Marks, Role, Worker, topics};
use chorus_sinks::DeliverTask;

use crate::exit::Exit;
use crate::process::{Process, Running};

/// Starts the worker of a destination, which is measured by the canaries of this registry's counties.
///
/// # Errors
/// A destination that is not configured.
pub fn start(process: &Process, name: &str, registry: &Handle) -> Result<Vec<Running>, Exit> {
    let config = &process.config;
    let settings = config.destinations.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = config.destinations.keys().map(String::as_str).collect();
        Exit::usage(format!("--destination {name}: not under `destinations`, which has: {}", known.join(", ")))
    })?;
    let canaries = config.canaries(registry);
    let topics = config.topics.clone();
    let alerts = topics.name("alerts");
    process.shared.metrics.declare("deliver", &alerts, chorus_sinks::FATES);
    let (shared, name) = (process.shared.clone(), name.to_owned());
    Ok(process.start(&format!("deliver-{name}"), 1, move |number, health| {
        let names = [alerts.clone(), topics.name("parked")];
        let [from, parked] = topics::resolve(&shared.kafka, names, &health, &shared.control)?;
        let delivery = chorus_sinks::open(&name, &settings, &shared.metrics, parked.clone(), Some(canaries.clone()))?;
        let role = Role {
            name: "deliver",
            group: topics.name(&format!("deliver.{name}")),
            from: from.clone(),
            input: Input::Derived,
            marks: Marks::None,
            snapshots: None,
            deliveries: delivery.deliveries(),
            workers: 1,
        };
        Worker::new(role, number, &shared, health, move |_, _| DeliverTask::new(Arc::clone(&delivery)))?.run()
    })?)
}
