//! `GET /api/v1/stream`: every change once, in order, as Server-Sent Events.
//!
//! A client is fed from the store, at its own pace, by a task of its own: what it has not taken waits in the database and
//! not in memory, and a delivery never waits for it. A client that takes nothing for too long is let go; when it comes back
//! with `Last-Event-ID`, it goes on where it stood.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use super::alerts::{Parameters, flag, parameters, unknown_parameter};
use crate::answer::Refusal;
use crate::store::Store;

/// A comment goes out after this long without a change, so that both ends notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// A client that takes nothing for this long is let go.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events between the store and a client.
const AHEAD: usize = 8;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx not to gather the stream.
const UNBUFFERED: [(HeaderName, &str); 1] = [(HeaderName::from_static("x-accel-buffering"), "no")];

type Sender = mpsc::Sender<Result<Event, Infallible>>;

pub(super) async fn open(State(api): State<Api>, headers: HeaderMap, query: Parameters) -> Result<Response, Refusal> {
    let mut drills = false;
    for (name, value) in parameters(query)? {
        match name.as_str() {
            "drills" => drills = flag("drills", &value)?,
            _ => return Err(unknown_parameter("drills")),
        }
    }
    let Ok(place) = Arc::clone(&api.streams).try_acquire_owned() else {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many streams, try again"));
    };
    let news = api.store.news();
    let latest = api.store.last_change().await?;
    let asked = asked(&headers)?;
    let (events, receiver) = mpsc::channel(AHEAD);
    let feed = Feed {
        store: Arc::clone(&api.store),
        // A number that was never given out is from another database: the client begins anew.
        at: asked.filter(|asked| *asked <= latest).unwrap_or(latest),
        is_reset: asked.is_some_and(|asked| asked > latest),
        drills,
        news,
        is_closing: api.closing.subscribe(),
        events,
        heard: Instant::now(),
        _place: place,
    };
    tokio::spawn(feed.run());
    Ok((UNBUFFERED, Sse::new(ReceiverStream::new(receiver))).into_response())
}

fn asked(headers: &HeaderMap) -> Result<Option<i64>, Refusal> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|number| *number >= 0);
    let bad = || Refusal::field(StatusCode::BAD_REQUEST, "last-event-id", "the id of an event of this stream");
    number.map(Some).ok_or_else(bad)
}

/// What feeds one client.
struct Feed {
    store: Arc<Store>,
    /// The number of the last change that the client has, or may do without.
    at: i64,
    is_reset: bool,
    drills: bool,
    news: watch::Receiver<i64>,
    is_closing: watch::Receiver<bool>,
    events: Sender,
    /// When the client heard something last.
    heard: Instant,
    _place: OwnedSemaphorePermit,
}

/// The client is gone, too slow, or the program ends.
struct Over;

impl Feed {
    async fn run(mut self) {
        // The id comes at once, alone: a client that is cut off before the first change resumes from here.
        let first = Event::default().id(self.at.to_string());
        let first = if self.is_reset { first.event("reset").data("{}") } else { first };
        let mut state = self.send(first).await;
        while state.is_ok() {
            state = self.step().await;
        }
    }

    async fn step(&mut self) -> Result<(), Over> {
        // Read before the store: whatever is up to here is visible there.
        let latest = *self.news.borrow_and_update();
        let (changes, is_full) = self.store.changes_after(self.at).await.map_err(|error| {
            tracing::warn!(%error, "a stream ends, the store did not answer");
            Over
        })?;
        for change in changes {
            self.at = change.number;
            if let Some(alert) = change.alert.filter(|alert| self.drills || !alert.is_test) {
                let data = serde_json::to_string(&alert).map_err(|_| Over)?;
                self.send(Event::default().event("alert").id(change.number.to_string()).data(data)).await?;
            }
        }
        if is_full {
            return Ok(());
        }
        // Numbers up to `latest` without a row were pruned.
        self.at = self.at.max(latest);
        self.wait().await
    }

    /// Returns when there is something to look at. Changes that are not for this client are none to hear.
    async fn wait(&mut self) -> Result<(), Over> {
        tokio::select! {
            news = self.news.changed(), if self.heard.elapsed() < HEARTBEAT => return news.map_err(|_| Over),
            _ = self.is_closing.wait_for(|is_closing| *is_closing) => return Err(Over),
            () = self.events.closed() => return Err(Over),
            () = tokio::time::sleep_until(self.heard + HEARTBEAT) => {}
        }
        self.send(Event::default().comment("")).await
    }

    async fn send(&mut self, event: Event) -> Result<(), Over> {
        self.heard = Instant::now();
        self.events.send_timeout(Ok(event), PATIENCE).await.map_err(|_| Over)
    }
}
