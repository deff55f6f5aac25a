//! A process: what its roles share, its endpoint, its end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use chorus_runtime::control::{Fenced, Stopped};
use chorus_runtime::health::Health;
use chorus_runtime::http::Admin;
use chorus_runtime::worker::Shared;
use chorus_runtime::{Control, Metrics};
use tokio::net::TcpListener;

use crate::config::Config;

/// What the roles of a process share.
#[derive(Clone, Debug)]
pub struct Process {
    /// The configuration.
    pub config: Arc<Config>,
    /// The runtime's part.
    pub shared: Shared,
    /// Probes and metrics.
    pub admin: Admin,
}

/// A worker's thread.
pub type Running = JoinHandle<anyhow::Result<()>>;

impl Process {
    /// A process that has no role yet. `runtime` serves HTTP and deliveries.
    ///
    /// # Errors
    /// When the metrics cannot be declared.
    pub fn new(config: Config, runtime: tokio::runtime::Handle) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new()?);
        let admin = Admin::new(Arc::clone(&metrics), config.http.stall_after.to_std());
        let shared = Shared { kafka: config.kafka.clone(), metrics, control: Control::default(), runtime };
        Ok(Self { config: Arc::new(config), shared, admin })
    }

    /// Starts `count` threads of a role; each is watched, and the end of one is the end of the process.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        &self,
        role: &str,
        count: usize,
        work: impl Fn(usize, Health) -> anyhow::Result<()> + Send + Clone + 'static,
    ) -> anyhow::Result<Vec<Running>> {
        let mut running = Vec::new();
        for number in 0..count {
            let name = format!("{role}-{number}");
            let health = Health::new(&name, &self.config.kafka.bootstrap);
            self.admin.watch(health.clone());
            let (control, work, metrics) =
                (self.shared.control.clone(), work.clone(), Arc::clone(&self.shared.metrics));
            let of_role = role.split('-').next().unwrap_or(role).to_owned();
            let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
                let began_anew = || metrics.work_restarts.with_label_values(&[&of_role]).inc();
                let result = match not_fenced(|| work(number, health.clone()), began_anew) {
                    Err(error) if error.is::<Stopped>() => Ok(()),
                    result => result,
                };
                health.end();
                if let Err(error) = &result {
                    let error = format!("{error:#}");
                    tracing::error!(worker = %name, %error, "worker ended");
                }
                // A role without one of its workers does half its work: better none, and a restart.
                control.stop();
                result
            })?;
            running.push(thread);
        }
        Ok(running)
    }

    /// Takes the port of the endpoint, before anything is started that a taken port would end at once. `key` is where the
    /// operator set it.
    ///
    /// # Errors
    /// A port that is taken, or an address that is not this machine's.
    pub async fn listen(key: &str, listen: &str) -> anyhow::Result<TcpListener> {
        TcpListener::bind(listen).await.with_context(|| format!("{key}: cannot listen on {listen}"))
    }

    /// Serves the endpoint, with a role's own routes, until the process is asked to end; then waits for the workers.
    ///
    /// # Errors
    /// The first worker's error.
    pub async fn serve(&self, listener: TcpListener, routes: Router, running: Vec<Running>) -> anyhow::Result<()> {
        let address = listener.local_addr()?;
        let control = self.shared.control.clone();
        let asked = control.ending()?; // before anybody may think that it runs
        tracing::info!(%address, "serving /metrics, /healthz, /readyz");
        let watchdog = tokio::spawn(self.admin.clone().watchdog());
        let router = self.admin.router().merge(routes);
        let served = tokio::spawn(async move {
            // Open streams would hold a graceful end up for ever: the listener closes, and they end with the process.
            tokio::select! {
                result = axum::serve(listener, router).into_future() => result,
                () = stopping(control) => Ok(()),
            }
        });
        asked.await;
        tracing::info!("ending: draining and committing");
        let result = tokio::task::spawn_blocking(move || join(running)).await?;
        watchdog.abort();
        served.await??;
        result
    }
}

/// A worker that is fenced again so soon after it began has a rival under its own name.
const RIVAL: Duration = Duration::from_secs(60);

/// Begins anew, from the committed offset, where a worker was fenced by its own older self: an outage of Kafka restarts no
/// process. A rival that runs under the same name ends it.
fn not_fenced(work: impl Fn() -> anyhow::Result<()>, began_anew: impl Fn()) -> anyhow::Result<()> {
    let mut fenced: Option<Instant> = None;
    loop {
        match work() {
            Err(error) if error.is::<Fenced>() && fenced.is_none_or(|at| at.elapsed() > RIVAL) => {
                tracing::warn!(%error, "beginning anew");
                fenced = Some(Instant::now());
                began_anew();
            }
            result => return result,
        }
    }
}

async fn stopping(control: Control) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
    while !control.stopping() {
        tick.tick().await;
    }
}

/// Waits for all workers; the first error wins.
///
/// # Errors
/// A worker's error, or its panic.
pub fn join(running: Vec<Running>) -> anyhow::Result<()> {
    let mut first = Ok(());
    for thread in running {
        let result = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked")));
        first = first.and(result);
    }
    first
}
