//! `/metrics`, `/healthz`, `/readyz`: on every role.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::health::Health;
use crate::metrics::Metrics;

/// What the endpoint looks at.
#[derive(Clone, Debug)]
pub struct Admin {
    metrics: Arc<Metrics>,
    workers: Arc<Mutex<Vec<Health>>>,
    stall_after: Duration,
}

impl Admin {
    /// An endpoint over these metrics.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, stall_after: Duration) -> Self {
        Self { metrics, workers: Arc::default(), stall_after }
    }

    /// Adds a worker to be watched.
    pub fn watch(&self, worker: Health) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    fn workers(&self) -> Vec<Health> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The routes, to be merged with a role's own.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(self.clone())
    }

    /// True when every worker is connected and has its partitions.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.workers().iter().all(Health::is_ready)
    }

    /// The worker that has made no progress for longest, when that is too long.
    #[must_use]
    pub fn stalled(&self) -> Option<Health> {
        self.workers().into_iter().find(|worker| worker.stalled() > self.stall_after)
    }

    /// Ends the process when a worker has stalled for twice the limit: an orchestrator that looks at `/healthz` acts first,
    /// and where there is none, a restart beats a worker that hangs.
    pub async fn watchdog(self) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tick.tick().await;
            if let Some(worker) = self.workers().into_iter().find(|w| w.stalled() > self.stall_after * 2) {
                let stalled_s = worker.stalled().as_secs();
                tracing::error!(worker = worker.name(), stalled_s, "worker stalled, ending the process");
                std::process::exit(1);
            }
        }
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    match admin.metrics.render() {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text),
        Err(error) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::INTERNAL_SERVER_ERROR, kind, error.to_string())
        }
    }
}

async fn healthz(State(admin): State<Admin>) -> (StatusCode, String) {
    match admin.stalled() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(worker) => {
            let seconds = worker.stalled().as_secs();
            (StatusCode::SERVICE_UNAVAILABLE, format!("{} made no progress for {seconds} s\n", worker.name()))
        }
    }
}

async fn readyz(State(admin): State<Admin>) -> (StatusCode, String) {
    let waiting: Vec<String> = admin.workers().iter().filter(|w| !w.is_ready()).map(|w| w.name().to_owned()).collect();
    if waiting.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", waiting.join(", ")))
    }
}
