//! An HTTP receiver of the test's own: it keeps every request and answers as the test says.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::sync::oneshot;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// 0 for the first request, and so on.
    pub arrival: usize,
    /// When its body was complete.
    pub at: Instant,
    /// `POST`, mostly.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers; names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The first header of that name, given in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("request {} is no JSON", self.arrival))
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    after: Duration,
}

impl Answer {
    /// An empty answer with that status.
    pub fn status(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Answer {
        self.body = body.into();
        self
    }

    /// Sent only after that time: a slow receiver, or one that hangs longer than its client has patience.
    pub fn after(mut self, delay: Duration) -> Answer {
        self.after = delay;
        self
    }
}

type Script = Box<dyn FnMut(&Received) -> Answer + Send>;

struct Desk {
    requests: Vec<Received>,
    queue: VecDeque<Answer>,
    script: Script,
}

struct Shared {
    desk: Mutex<Desk>,
    arrived: Condvar,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An HTTP server on the loopback interface, on a thread of its own. Unless told otherwise it answers 200.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Starts a receiver on a free port.
    pub fn start() -> Result<Receiver> {
        Receiver::start_on(0)
    }

    /// Starts a receiver on a port known before, from [`crate::process::free_port`]: one that was dead and comes back.
    pub fn start_on(port: u16) -> Result<Receiver> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let script: Script = Box::new(|_| Answer::status(200));
        let desk = Mutex::new(Desk { requests: Vec::new(), queue: VecDeque::new(), script });
        let shared = Arc::new(Shared { desk, arrived: Condvar::new() });
        let router = Router::new().fallback(receive).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let server = thread::spawn(move || {
            runtime.block_on(async move {
                let serving = axum::serve(listener, router).into_future();
                // Not a graceful end: a receiver that dies drops its connections.
                tokio::select! { _ = serving => {} _ = stopped => {} }
            });
        });
        Ok(Receiver { address, shared, stop: Some(stop), server: Some(server) })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT` followed by `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests with these, one each, before the script has its say.
    pub fn queue(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.desk().queue.extend(answers);
    }

    /// Answers every request for which no answer is queued.
    pub fn answer_with(&self, script: impl FnMut(&Received) -> Answer + Send + 'static) {
        self.shared.desk().script = Box::new(script);
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.desk().requests.clone()
    }

    /// Waits until `enough` holds of the requests so far, at most for `timeout`, and returns them.
    pub fn await_until(&self, timeout: Duration, enough: impl Fn(&[Received]) -> bool) -> Result<Vec<Received>> {
        let desk = self.shared.desk();
        let waited = self.shared.arrived.wait_timeout_while(desk, timeout, |desk| !enough(&desk.requests));
        let (desk, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            bail!("waited {timeout:?} for requests: {} came, and they are not enough", desk.requests.len());
        }
        Ok(desk.requests.clone())
    }

    /// Ends the receiver: its port refuses connections afterwards. The requests stay.
    pub fn stop(&mut self) {
        // A sender that is gone wakes the server as well as one that speaks.
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        // The client went away in the middle: nothing was received.
        return plain(StatusCode::BAD_REQUEST);
    };
    let headers = head.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let (headers, path) = (headers.collect(), head.uri.to_string());
    let answer = shared.answer(head.method.to_string(), path, headers, &body);
    if !answer.after.is_zero() {
        tokio::time::sleep(answer.after).await;
    }
    let mut response = plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = Body::from(answer.body);
    response
}

impl Shared {
    /// Keeps the request, decides the answer and wakes who waits, in one step: arrival order is the order of answers.
    fn answer(&self, method: String, path: String, headers: Vec<(String, String)>, body: &Bytes) -> Answer {
        let mut desk = self.desk();
        let arrival = desk.requests.len();
        let request = Received { arrival, at: Instant::now(), method, path, headers, body: body.to_vec() };
        let queued = desk.queue.pop_front();
        let answer = queued.unwrap_or_else(|| (desk.script)(&request));
        desk.requests.push(request);
        drop(desk);
        self.arrived.notify_all();
        answer
    }
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
