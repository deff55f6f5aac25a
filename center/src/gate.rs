//! How many requests of a sort are under way at once, and for how long. What does not fit is told to come back.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::answer::Refusal;

/// The longest that a request may take, with the reading of its body.
const LONGEST: Duration = Duration::from_secs(15);

/// Places for requests of one sort.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)) }
    }

    /// Lets a request pass when there is a place for it.
    pub(crate) async fn pass(State(gate): State<Self>, request: Request, next: Next) -> Response {
        let Ok(_place) = gate.places.try_acquire() else {
            return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once, try again")
                .into_response();
        };
        match tokio::time::timeout(LONGEST, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response(),
        }
    }
}
