//! A destination of the test's own: keeps every request, answers as the script says, on a thread of its own.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use tokio::sync::oneshot;

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Requests under way when it came, itself included.
    pub(crate) under_way: usize,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) after: Duration,
}

pub(crate) fn status(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

type Script = Box<dyn FnMut(usize, &Received) -> Answer + Send>;

struct Desk {
    requests: Vec<Received>,
    under_way: usize,
    script: Script,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Answers as the script says: it is given the number of the request, from 0, and the request.
    pub(crate) fn start(script: impl FnMut(usize, &Received) -> Answer + Send + 'static) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    pub(crate) fn start_on(
        listener: TcpListener,
        script: impl FnMut(usize, &Received) -> Answer + Send + 'static,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Mutex::new(Desk { requests: Vec::new(), under_way: 0, script: Box::new(script) }));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&desk));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    stopped = stopped => drop(stopped),
                }
            });
        });
        Self { address, desk, stop: Some(stop), thread: Some(thread) }
    }

    /// One answer after the other; the last for all that follow.
    pub(crate) fn answering(answers: Vec<Answer>) -> Self {
        Self::start(move |number, _| answers[number.min(answers.len() - 1)].clone())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.desk.lock().unwrap().requests.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn receive(State(desk): State<Arc<Mutex<Desk>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (number, answer) = {
        let mut desk = desk.lock().unwrap();
        let number = desk.requests.len();
        desk.under_way += 1;
        let under_way = desk.under_way;
        let mut received =
            Received { at: Instant::now(), path: uri.to_string(), headers, body: body.to_vec(), under_way, status: 0 };
        let answer = (desk.script)(number, &received);
        received.status = answer.status;
        desk.requests.push(received);
        (number, answer)
    };
    // A request whose client goes away stays under way: tests that count give no such answer.
    tokio::time::sleep(answer.after).await;
    desk.lock().unwrap().under_way -= 1;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(format!("answer {number}"))).unwrap()
}

/// Waits until something holds, at most 20 seconds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
