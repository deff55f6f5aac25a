//! A blocking look at an HTTP page.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::runtime::{Builder, Runtime};

/// One runtime for the harness's own asynchronous calls.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    #[allow(clippy::expect_used)] // without threads there is no test to run
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("tokio starts")
});

/// One client, because making one loads the machine's TLS roots.
static CLIENT: LazyLock<Result<reqwest::Client, reqwest::Error>> = LazyLock::new(|| {
    // No idle connections: the roles under test are killed and restarted on the same port.
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(10)).build()
});

/// Drives a future to its end from a blocking test, also from one that runs inside another tokio runtime.
pub(crate) fn block_on<F>(future: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    let driven = thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(future)).join());
    driven.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// GETs `url`: the status and the body as text.
pub fn http_get(url: &str) -> Result<(u16, String)> {
    send(|client| client.get(url)).with_context(|| format!("GET {url}"))
}

/// POSTs `body` to `url` with the given content type: the status and the body of the answer as text.
pub fn http_post(url: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Result<(u16, String)> {
    let body = body.into();
    send(|client| client.post(url).header("content-type", content_type).body(body))
        .with_context(|| format!("POST {url}"))
}

fn send(request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder) -> Result<(u16, String)> {
    let client = CLIENT.as_ref().map_err(|error| anyhow!("no HTTP client: {error}"))?;
    let request = request(client);
    block_on(async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await?))
    })
}
