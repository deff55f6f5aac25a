//! `POST /api/v1/deliveries`: one alert at one revision, from the pipeline.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use chorus_runtime::clock;
use chorus_runtime::secret::{self, HEADER_SIGNATURE, HEADER_TIMESTAMP};
use serde::Serialize;

use super::Api;
use crate::answer::Refusal;
use crate::delivery::{self, HEADER_IDEMPOTENCY_KEY, HEADER_REVISION};
use crate::store::Outcome;

/// The outcome of a delivery that was not taken, in the metric.
pub(crate) const REFUSED: &str = "refused";

/// What the sender is told.
#[derive(Debug, Serialize)]
pub(super) struct Taken {
    outcome: &'static str,
}

pub(super) async fn take(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Taken>), Refusal> {
    let alert = match read(&api, &headers, body) {
        Ok(alert) => alert,
        Err(refusal) => {
            api.metrics.center_deliveries.with_label_values(&[REFUSED]).inc();
            if api.may_complain() {
                tracing::warn!(status = refusal.status.as_u16(), field = refusal.field.as_deref(), "delivery refused");
            }
            return Err(refusal);
        }
    };
    // In a task of its own: a sender that hangs up must not leave a change behind that nobody was told of.
    let store = Arc::clone(&api.store);
    let outcome = tokio::spawn(async move { store.deliver(&alert, clock::now()).await }).await;
    let outcome = outcome.map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the delivery failed"))??;
    api.metrics.center_deliveries.with_label_values(&[outcome.as_str()]).inc();
    let status = if outcome == Outcome::Known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Taken { outcome: outcome.as_str() })))
}

fn read(api: &Api, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<chorus_model::Alert, Refusal> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::field(StatusCode::PAYLOAD_TOO_LARGE, "body", "at most 1 MiB"),
        status => Refusal::new(status, "the body could not be read"),
    })?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header(HEADER_TIMESTAMP).and_then(|text| text.parse().ok());
    let now = clock::now().as_micros().div_euclid(1_000_000);
    let is_signed = timestamp
        .zip(header(HEADER_SIGNATURE))
        .is_some_and(|(timestamp, signature)| secret::verify(&api.key.0, timestamp, &body, signature, now));
    if !is_signed {
        let message = format!(
            "{HEADER_TIMESTAMP} and {HEADER_SIGNATURE}: expected a signature of this body with the key of deliveries, \
             not older than {} s",
            secret::TOLERANCE_SECONDS
        );
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, message));
    }
    delivery::read(&body, header(HEADER_IDEMPOTENCY_KEY), header(HEADER_REVISION))
        .map_err(|unusable| Refusal::field(StatusCode::UNPROCESSABLE_ENTITY, unusable.field, unusable.expected))
}
