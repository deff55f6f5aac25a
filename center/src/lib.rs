//! The governance centre: takes alerts, keeps the incident that people handle for each, and shows both to the desk.
//!
//! A delivery is an alert at one revision, signed. Each revision is a full statement, so the highest one wins, whatever
//! order they come in. Every change (a revision, or something that people did) takes a number in one order; the list, the
//! history and the stream are readings of that order. Nothing here is about a person: `by` names a desk or a role.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chorus_model::{Span, Timestamp};
use chorus_runtime::clock::now;
use chorus_runtime::{Control, Metrics, secret};

mod answer;
mod api;
mod cursor;
mod delivery;
mod gate;
mod guard;
mod incident;
mod page;
mod settings;
mod store;

pub use delivery::{HEADER_IDEMPOTENCY_KEY, HEADER_REVISION};
pub use settings::Settings;

use guard::Guard;
use store::Store;

/// How often changes that another instance wrote into the same database are looked for.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// How often the open alerts are counted anew, since another instance changes them too.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How often what is past its keeping is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// How often the wish to stop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The centre, open on its database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Center {
    api: api::Api,
    keep: Span,
}

/// Opens the database, brings it to this version's form, and reads the secrets.
///
/// # Errors
/// What [`Settings::problems`] says, or a database that cannot be reached.
pub async fn open(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Center> {
    let problems: Vec<String> =
        settings.problems().into_iter().map(|(path, message)| format!("{path}: {message}")).collect();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("; "));
    let Some(key_file) = &settings.key_file else { anyhow::bail!("center.key_file: must be set") };
    let key = secret::read(key_file, settings::KEY_BYTES)?;
    let token = settings.api_token_file.as_deref().map(guard::read_token).transpose()?;
    let guard = Guard::new(token.as_deref(), settings.is_loopback().unwrap_or(false));

    for outcome in store::Outcome::ALL {
        metrics.center_deliveries.with_label_values(&[outcome.as_str()]);
    }
    metrics.center_deliveries.with_label_values(&[api::REFUSED]);
    let store = Store::open(settings, Arc::clone(&metrics)).await?;
    store.count_open().await?;

    let api = api::Api::new(Arc::new(store), key, guard, metrics);
    Ok(Center { api, keep: settings.keep })
}

impl Center {
    /// The API and the page, to be merged with `/metrics`, `/healthz` and `/readyz`.
    pub fn router(&self) -> axum::Router {
        api::router(self.api.clone()).merge(page::router())
    }

    /// Keeps the store small and the streams current until the program stops; then ends the streams, which would hold a
    /// graceful shutdown up for ever.
    pub async fn run_background(&self, control: Control) {
        let store = self.api.store();
        let (mut followed, mut counted, mut pruned) = (Instant::now(), Instant::now(), None::<Instant>);
        while !control.stopping() {
            if followed.elapsed() >= FOLLOW_EVERY {
                followed = Instant::now();
                complain("follow", store.follow().await);
            }
            if counted.elapsed() >= COUNT_EVERY {
                counted = Instant::now();
                complain("count", store.count_open().await);
            }
            if pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
                pruned = Some(Instant::now());
                complain("prune", self.prune_until(now().minus(self.keep), &control).await.map(drop));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.api.end_streams();
    }

    /// Removes the alerts that were done with, and last changed, before `before`, and what the others have left behind from
    /// before it. A batch at a time, so that deliveries pass in between. Gives the number of rows.
    ///
    /// # Errors
    /// When the database does not answer; what was removed until then stays removed.
    pub async fn prune(&self, before: Timestamp) -> anyhow::Result<u64> {
        Ok(self.prune_until(before, &Control::default()).await?)
    }

    async fn prune_until(&self, before: Timestamp, control: &Control) -> Result<u64, store::StoreError> {
        let mut removed = 0;
        while !control.stopping() {
            match self.api.store().prune(before).await? {
                0 => break,
                rows => removed += rows,
            }
        }
        if removed > 0 {
            tracing::info!(rows = removed, "pruned");
        }
        Ok(removed)
    }
}

fn complain(what: &'static str, result: Result<(), store::StoreError>) {
    if let Err(error) = result {
        tracing::warn!(what, %error, "the store did not answer, trying again");
    }
}
