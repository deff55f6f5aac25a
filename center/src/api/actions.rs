//! `POST /api/v1/alerts/{id}/acknowledge` and `/resolve`: what people do.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chorus_model::Alert;
use chorus_model::id::is_id;
use chorus_runtime::clock;
use serde::Deserialize;

use super::Api;
use super::alerts::unknown;
use crate::answer::Refusal;
use crate::incident::{Action, state_word};
use crate::store::Acted;

const LONGEST_DESK: usize = 64;

/// The optional body. No free text: what people write about people is not kept here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    by: Option<String>,
}

pub(super) async fn acknowledge(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Alert>, Refusal> {
    act(&api, id, Action::Acknowledge, body).await
}

pub(super) async fn resolve(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Alert>, Refusal> {
    act(&api, id, Action::Resolve, body).await
}

async fn act(
    api: &Api,
    id: String,
    action: Action,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Alert>, Refusal> {
    let desk = desk(body)?;
    if !is_id(&id) {
        return Err(unknown());
    }
    // In a task of its own: a browser that is closed must not leave a change behind that no stream tells of.
    let store = Arc::clone(&api.store);
    let acted = tokio::spawn(async move { store.act(&id, action, &desk, clock::now()).await }).await;
    match acted.map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the action failed"))?? {
        Acted::Done(alert) => Ok(Json(*alert)),
        Acted::Unknown => Err(unknown()),
        Acted::Impossible(state) => {
            let message = format!("cannot {} an incident that is {}", action.as_str(), state_word(state));
            Err(Refusal::new(StatusCode::CONFLICT, message))
        }
    }
}

/// The desk that the body names; empty for none.
fn desk(body: Result<Bytes, BytesRejection>) -> Result<String, Refusal> {
    let body = body.map_err(|rejection| Refusal::new(rejection.status(), "body: expected at most 4 KiB"))?;
    if body.trim_ascii().is_empty() {
        return Ok(String::new());
    }
    let expected = "{\"by\": \"desk-3\"} and nothing else: free text is not stored";
    let request: Request = serde_json::from_slice(&body)
        .map_err(|_| Refusal::field(StatusCode::UNPROCESSABLE_ENTITY, "body", expected))?;
    match request.by {
        None => Ok(String::new()),
        Some(desk) if desk.len() <= LONGEST_DESK && is_id(&desk) => Ok(desk),
        Some(_) => {
            let expected = "a desk or a role, never a person: 1 to 64 letters, digits, '.', '_' or '-'";
            Err(Refusal::field(StatusCode::UNPROCESSABLE_ENTITY, "by", expected))
        }
    }
}
