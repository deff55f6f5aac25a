//! The API under `/api/v1`.

mod actions;
mod alerts;
mod deliveries;
mod stream;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chorus_runtime::Metrics;
use tokio::sync::{Semaphore, watch};

use crate::gate::Gate;
use crate::guard::Guard;
use crate::store::Store;

pub(crate) use deliveries::REFUSED;

/// The largest delivery, in bytes.
const LARGEST_DELIVERY: usize = 1 << 20;
/// The largest body of an action.
const LARGEST_ACTION: usize = 4 << 10;
/// Deliveries under way at once: with their size, the memory that they can take.
const DELIVERIES: usize = 64;
/// Readers and actions under way at once; apart from deliveries, so that neither keeps the other out.
const PEOPLE: usize = 64;
/// Streams open at once.
const STREAMS: usize = 256;
/// Refused deliveries are logged at most this often; the metric counts each.
const COMPLAIN_EVERY: Duration = Duration::from_secs(5);

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    store: Arc<Store>,
    key: Key,
    guard: Arc<Guard>,
    metrics: Arc<Metrics>,
    streams: Arc<Semaphore>,
    /// True when the program ends, and the streams with it.
    closing: Arc<watch::Sender<bool>>,
    complained: Arc<Mutex<Option<Instant>>>,
}

/// The key of deliveries; never shown.
#[derive(Clone)]
struct Key(Arc<[u8]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Api {
    pub(crate) fn new(store: Arc<Store>, key: Vec<u8>, guard: Guard, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            key: Key(key.into()),
            guard: Arc::new(guard),
            metrics,
            streams: Arc::new(Semaphore::new(STREAMS)),
            closing: Arc::new(watch::Sender::new(false)),
            complained: Arc::default(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Ends every stream, and those that come.
    pub(crate) fn end_streams(&self) {
        self.closing.send_replace(true);
    }

    /// True when a refusal is to be logged: anybody can cause one, so not every one is.
    fn may_complain(&self) -> bool {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
        if is_due {
            *complained = Some(Instant::now());
        }
        is_due
    }
}

/// The routes.
pub(crate) fn router(api: Api) -> Router {
    let deliveries = Router::new()
        .route("/api/v1/deliveries", post(deliveries::take))
        .layer(DefaultBodyLimit::max(LARGEST_DELIVERY))
        .route_layer(from_fn_with_state(Gate::new(DELIVERIES), Gate::pass));
    let people = Gate::new(PEOPLE);
    let reading = Router::new()
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{id}", get(alerts::one))
        .route_layer(from_fn_with_state(people.clone(), Gate::pass));
    let acting = Router::new()
        .route("/api/v1/alerts/{id}/acknowledge", post(actions::acknowledge))
        .route("/api/v1/alerts/{id}/resolve", post(actions::resolve))
        .layer(DefaultBodyLimit::max(LARGEST_ACTION))
        .route_layer(from_fn_with_state(people, Gate::pass))
        .route_layer(from_fn_with_state(api.clone(), may_act));
    let streaming = Router::new().route("/api/v1/stream", get(stream::open));
    let reading = reading.merge(streaming).route_layer(from_fn_with_state(api.clone(), may_read));
    deliveries.merge(reading).merge(acting).with_state(api)
}

async fn may_read(State(api): State<Api>, request: Request, next: Next) -> Response {
    match api.guard.may_read(request.headers()) {
        Ok(()) => never_kept(next.run(request).await),
        Err(refusal) => refusal.into_response(),
    }
}

async fn may_act(State(api): State<Api>, request: Request, next: Next) -> Response {
    match api.guard.may_act(request.headers()) {
        Ok(()) => never_kept(next.run(request).await),
        Err(refusal) => refusal.into_response(),
    }
}

/// What stands changes by the second: no cache keeps it.
fn never_kept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
