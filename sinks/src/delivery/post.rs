//! One attempt over HTTP.

use chorus_runtime::clock::now;
use std::fs;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, Url};

use super::outcome::{Outcome, Trouble, judge};
use crate::Settings;
use crate::destinations::{Message, Problem};

/// More of an answer than this is not read; the connection is closed instead of kept.
const MOST_OF_AN_ANSWER: usize = 64 * 1024;
/// Shorter than the idle time-out of usual servers and balancers, so that we are the one who closes.
const IDLE: Duration = Duration::from_secs(20);

/// Where a destination is and how it is spoken to.
pub(crate) struct Post {
    client: Client,
    url: Url,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive() // an address may hold a secret
    }
}

/// A client that obeys these settings and nothing else: no redirect (a signed alert goes where it was addressed), no proxy
/// and no certificate from the environment unless the system's are meant.
///
/// # Errors
/// (key, message) for certificates that cannot be used.
pub(crate) fn client(settings: &Settings, url: &Url) -> Result<Client, Problem> {
    let mut builder = Client::builder()
        .timeout(settings.timeout.to_std())
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("chorus/", env!("CARGO_PKG_VERSION")));
    match (&settings.ca_file, url.scheme()) {
        (Some(_), "http") => return Err(("ca_file", "is for https:// alone".to_owned())),
        // An image without certificates can still speak plain HTTP.
        (None, "http") => builder = builder.tls_certs_only([]),
        (None, _) => {}
        (Some(file), _) => {
            let problem = |message: String| ("ca_file", format!("{}: {message}", file.display()));
            let pem = fs::read(file).map_err(|error| problem(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(problem("expected certificates in PEM".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
    }
    builder.build().map_err(|_| ("ca_file", "no usable certificates: neither in ca_file nor in the system".to_owned()))
}

impl Post {
    /// To `path` below the configured address.
    pub(crate) fn new(settings: &Settings, path: &str) -> Result<Self, Problem> {
        let base = settings.base()?;
        let client = client(settings, &base)?;
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        Ok(Self { client, url })
    }

    /// Sends once, within the time-out of the settings.
    pub(crate) async fn send(&self, message: Message) -> Outcome {
        let request = self
            .client
            .post(self.url.clone())
            .headers(message.headers)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(message.body);
        match request.send().await {
            Ok(response) => {
                let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let outcome = judge(response.status().as_u16(), retry_after, now());
                drain(response).await;
                outcome
            }
            Err(error) => Outcome::Retry { after: None, why: trouble(&error) },
        }
    }
}

/// Only the class of an error is kept: its text holds the address.
fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        Trouble::Timeout
    } else if error.is_connect() {
        Trouble::Connect
    } else {
        Trouble::Transport
    }
}

/// Reads the answer to its end, so that the connection can be used again. What it says is of no interest: the status has
/// decided.
async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MOST_OF_AN_ANSWER {
            return;
        }
    }
}
