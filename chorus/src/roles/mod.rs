//! The wiring of each role: which topics, which task, how many workers. One file a role; each reads top to bottom.

pub mod canary;
pub mod center;
pub mod deliver;
pub mod detect;
pub mod fuse;
pub mod ingest;

use axum::Router;

use crate::exit::Exit;
use crate::process::{Process, Running};

/// Runs one role as a process of its own: starts its workers, serves its endpoint, ends in order.
///
/// # Errors
/// A configuration that the role cannot use, a port that is taken, or whatever ended a worker.
pub fn run(
    process: &Process,
    runtime: &tokio::runtime::Runtime,
    start: impl FnOnce(&Process) -> Result<Vec<Running>, Exit>,
) -> Result<(), Exit> {
    let listener = runtime.block_on(Process::listen("http.listen", &process.config.http.listen))?;
    let running = start(process)?;
    Ok(runtime.block_on(process.serve(listener, Router::new(), running))?)
}
