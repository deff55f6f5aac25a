//! `chorus center`: the governance centre, without Kafka.

use std::sync::Arc;

use crate::exit::Exit;
use crate::process::Process;

/// Serves API, page, probes and metrics on `center.listen`.
///
/// # Errors
/// A database or a key that cannot be used; a port that cannot be bound.
pub fn run(process: &Process, runtime: &tokio::runtime::Runtime) -> Result<(), Exit> {
    let settings = process.config.center.as_ref().ok_or_else(|| Exit::usage("center: needed by this role"))?;
    Ok(runtime.block_on(async {
        let listener = Process::listen("center.listen", &settings.listen).await?;
        let center = chorus_center::open(settings, Arc::clone(&process.shared.metrics)).await?;
        let background = {
            let (center, control) = (center.clone(), process.shared.control.clone());
            tokio::spawn(async move { center.run_background(control).await })
        };
        let served = process.serve(listener, center.router(), Vec::new()).await;
        background.await?;
        served
    })?)
}
