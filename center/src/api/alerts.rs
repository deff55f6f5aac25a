//! `GET /api/v1/alerts` and `GET /api/v1/alerts/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chorus_model::id::is_id;

use super::Api;
use crate::answer::Refusal;
use crate::cursor::Cursor;
use crate::store::{Detail, Listing, Page};

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1_000;

/// The parameters of a query, in order.
pub(super) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

pub(super) async fn list(State(api): State<Api>, query: Parameters) -> Result<Json<Page>, Refusal> {
    let listing = listing(&parameters(query)?)?;
    Ok(Json(api.store.list(&listing).await?))
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Detail>, Refusal> {
    let detail = if is_id(&id) { api.store.detail(&id).await? } else { None };
    detail.map(Json).ok_or_else(unknown)
}

/// There is no such alert, or no longer.
pub(super) fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no such alert")
}

pub(super) fn parameters(query: Parameters) -> Result<Vec<(String, String)>, Refusal> {
    let bad = |_| Refusal::new(StatusCode::BAD_REQUEST, "the query is not name=value, joined by &");
    Ok(query.map_err(bad)?.0)
}

fn listing(parameters: &[(String, String)]) -> Result<Listing, Refusal> {
    let mut listing = Listing {
        after: Cursor::start(i64::MIN),
        limit: DEFAULT_LIMIT,
        status: "",
        place: String::new(),
        open: false,
        drills: false,
    };
    for (name, value) in parameters {
        match name.as_str() {
            "since" => {
                let since = Cursor::from_since(value);
                listing.after =
                    since.ok_or_else(|| bad("since", "an RFC 3339 time with an offset, or the next of an answer"))?;
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                listing.limit = limit.ok_or_else(|| bad("limit", "1 to 1000"))?;
            }
            "status" => {
                let status = ["firing", "resolved"].into_iter().find(|status| status == value);
                listing.status = status.ok_or_else(|| bad("status", "firing or resolved"))?;
            }
            "place" => {
                if value.is_empty() || value.len() > 256 || value.chars().any(char::is_control) {
                    return Err(bad("place", "the id of a place"));
                }
                listing.place.clone_from(value);
            }
            "open" => listing.open = flag("open", value)?,
            "drills" => listing.drills = flag("drills", value)?,
            _ => return Err(unknown_parameter("since, limit, status, place, open, drills")),
        }
    }
    Ok(listing)
}

pub(super) fn flag(name: &str, value: &str) -> Result<bool, Refusal> {
    value.parse().map_err(|_| bad(name, "true or false"))
}

pub(super) fn unknown_parameter(allowed: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, format!("unknown parameter; allowed: {allowed}"))
}

fn bad(name: &str, expected: &str) -> Refusal {
    Refusal::field(StatusCode::BAD_REQUEST, name, expected)
}
