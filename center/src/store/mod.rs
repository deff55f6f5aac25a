//! The database: SQLite, or PostgreSQL, with the same statements.
//!
//! Invariants: a change takes its number first, and whoever takes a number holds the counter until its transaction ends,
//! so changes become visible in the order of their numbers and never mix; what was answered is on disk.

mod change;
mod list;
mod prune;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chorus_model::place::UNKNOWN_COUNTY;
use chorus_model::{Alert, Incident, IncidentState, Severity, Timestamp};
use chorus_runtime::{Metrics, clock, secret};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Row, Transaction};
use tokio::sync::{Mutex, watch};

use crate::Settings;
use crate::incident;
use crate::settings::Backend;

pub(crate) use change::{Acted, Outcome};
pub(crate) use list::{Detail, Listing, Page};

/// Readers beside the one writer. SQLite reads while it writes; PostgreSQL has many more.
const CONNECTIONS: u32 = 8;
/// The longest that a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that anything asked of the database may take. One that hangs (a PostgreSQL whose machine has gone says nothing
/// for many minutes) must neither keep the writers' turn nor gather what waits for it.
const LONGEST: Duration = Duration::from_secs(10);

/// So many unreadable rows are said, each once.
const MOST_SAID: usize = 1_000;

/// SQLite: readers beside the writer, and a delivery is on disk before it is acknowledged.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

/// The store did not answer, or holds what it should not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The database failed.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// It has not answered in time. What was asked may have been done all the same.
    #[error("the database took too long")]
    TooSlow,
    /// A row that this version cannot read.
    #[error("a stored {0} cannot be read by this version")]
    Unreadable(&'static str),
}

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    pool: AnyPool,
    begin: &'static str,
    /// Held while a change is written, so that the writers of this process wait here in turn and not at the database.
    turn: Mutex<()>,
    latest: watch::Sender<i64>,
    metrics: Arc<Metrics>,
    /// Numbers of changes that were said to be unreadable.
    unreadable: std::sync::Mutex<BTreeSet<i64>>,
}

/// Whether the connection answers in time; an error closes it at once.
async fn answers(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    tokio::time::timeout(PATIENCE, connection.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)?.map(|()| true)
}

impl Store {
    /// Connects, creates what is missing and migrates.
    pub(crate) async fn open(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let backend = settings.backend().context("center.database: not an address of a database")?;
        let options = connect_options(settings, backend)?;
        let mut pool = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        if backend == Backend::Sqlite {
            pool = pool
                .after_connect(|connection, _| Box::pin(async move { connection.execute(PRAGMAS).await.map(drop) }));
        } else {
            // The pool's own question to a connection that comes back has no end where the database vanished without a word: it would
            // keep its place for as long as TCP believes in it.
            pool = pool.after_release(|connection, _| Box::pin(answers(connection)));
        }
        let pool = pool.connect_with(options).await.context("center.database: cannot be opened")?;
        sqlx::migrate!().run(&pool).await.context("center.database: cannot be migrated")?;
        // A transaction of SQLite that begins by reading cannot always go on to write; this one may from the start.
        let begin = if backend == Backend::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let store = Self {
            pool,
            begin,
            turn: Mutex::default(),
            latest: watch::Sender::new(0),
            metrics,
            unreadable: std::sync::Mutex::default(),
        };
        store.follow().await?;
        Ok(store)
    }

    /// Tells of the number of the last change, whenever it grows.
    pub(crate) fn news(&self) -> watch::Receiver<i64> {
        self.latest.subscribe()
    }

    /// Looks up the number of the last change, which another instance may have written, or this one in a transaction whose
    /// end it did not live to see.
    pub(crate) async fn follow(&self) -> Result<(), StoreError> {
        self.tell(self.last_change().await?);
        Ok(())
    }

    /// The number of the last change.
    pub(crate) async fn last_change(&self) -> Result<i64, StoreError> {
        within(async {
            let row = sqlx::query("SELECT value FROM counter WHERE id = 1").fetch_one(&self.pool).await?;
            Ok(row.try_get(0)?)
        })
        .await
    }

    /// Counts the open alerts for the metric.
    pub(crate) async fn count_open(&self) -> Result<(), StoreError> {
        within(self.count_open_now()).await
    }

    async fn count_open_now(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let statement =
            "SELECT desk, severity, COUNT(*) FROM alerts WHERE is_open = 1 AND drill = 0 GROUP BY desk, severity";
        let mut open = BTreeMap::new();
        for row in sqlx::query(statement).fetch_all(&self.pool).await? {
            let (desk, severity): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            // Rows from before there were desks.
            let desk = if desk.is_empty() { UNKNOWN_COUNTY.to_owned() } else { desk };
            *open.entry((desk, severity)).or_default() += row.try_get::<i64, _>(2)?;
        }
        self.metrics.say_open(&open);
        let now = clock::now().as_micros();
        let statement = "SELECT severity, MIN(state_since) FROM alerts WHERE is_open = 1 AND drill = 0 AND state = 'reported' \
                         GROUP BY severity";
        for (severity, since) in self.by_severity(statement, now).await? {
            let waited = now.saturating_sub(since).max(0) / 1_000_000;
            self.metrics.unacknowledged.with_label_values(&[severity]).set(waited);
        }
        Ok(())
    }

    /// One number for each severity, `without` where the database has none.
    async fn by_severity(&self, statement: &'static str, without: i64) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let mut numbers: Vec<_> = Severity::ALL.iter().map(|severity| (severity.as_str(), without)).collect();
        for row in sqlx::query(statement).fetch_all(&self.pool).await? {
            let word: String = row.try_get(0)?;
            if let Some((_, number)) = numbers.iter_mut().find(|(severity, _)| *severity == word) {
                *number = row.try_get(1)?;
            }
        }
        Ok(numbers)
    }

    /// What a row holds; `None`, said once, when this version cannot read it. A newer version may have written it before
    /// somebody went back to this one: it is one alert that cannot be shown, and the others can.
    fn readable(&self, row: &AnyRow, change: i64) -> Result<Option<Alert>, StoreError> {
        match alert_from(row) {
            Ok(alert) => Ok(Some(alert)),
            Err(StoreError::Unreadable(what)) => {
                let mut known = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() < MOST_SAID && known.insert(change) {
                    tracing::warn!(change, what, "a stored row cannot be read by this version and is left out");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn tell(&self, change: i64) {
        self.latest.send_if_modified(|latest| {
            let is_newer = change > *latest;
            *latest = change.max(*latest);
            is_newer
        });
    }

    /// Begins to write; the caller holds [`Store::turn`]. `by` 1 takes a number, 0 only keeps others out. Gives the counter.
    async fn write(&self, by: i64) -> Result<(Transaction<'static, Any>, i64), StoreError> {
        let mut transaction = self.pool.begin_with(self.begin).await?;
        let statement = "UPDATE counter SET value = value + $1 WHERE id = 1 RETURNING value";
        let row = sqlx::query(statement).bind(by).fetch_one(&mut *transaction).await?;
        Ok((transaction, row.try_get(0)?))
    }
}

/// Gives up when the database does not answer; a transaction that was open is rolled back.
async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(LONGEST, work).await.unwrap_or(Err(StoreError::TooSlow))
}

fn connect_options(settings: &Settings, backend: Backend) -> anyhow::Result<AnyConnectOptions> {
    let mut address = settings.database.clone();
    if backend == Backend::Sqlite && !address.contains("mode=") {
        address.push_str(if address.contains('?') { "&mode=rwc" } else { "?mode=rwc" });
    }
    let mut options: AnyConnectOptions = address.parse().context("center.database: not an address of a database")?;
    if let Some(file) = &settings.database_password_file {
        let password = std::fs::read_to_string(file)
            .map_err(|error| secret::SecretError { file: file.display().to_string(), message: error.to_string() })?;
        let set = options.database_url.set_password(Some(password.trim()));
        set.map_err(|()| anyhow::anyhow!("center.database: has no host that a password could belong to"))?;
    }
    Ok(options)
}

/// An alert with its incident, from the columns `document`, `state` and `state_since`.
fn alert_from(row: &AnyRow) -> Result<Alert, StoreError> {
    let document: String = row.try_get("document")?;
    let mut alert: Alert = serde_json::from_str(&document).map_err(|_| StoreError::Unreadable("alert"))?;
    alert.incident = Some(Incident { state: state_of(row)?, since: instant(row, "state_since")? });
    Ok(alert)
}

fn state_of(row: &AnyRow) -> Result<IncidentState, StoreError> {
    let word: String = row.try_get("state")?;
    incident::state_from(&word).ok_or(StoreError::Unreadable("state"))
}

fn instant(row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_micros(row.try_get(column)?))
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    /// A store on a database of its own, which is gone with the folder.
    async fn fresh() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", dir.path().join("center.db").display());
        let settings = Settings { database, ..Settings::default() };
        let store = Store::open(&settings, Arc::new(Metrics::new().unwrap())).await.unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn what_is_answered_is_on_disk_and_reading_never_waits_for_writing() {
        let (_dir, store) = fresh().await;
        let mode = sqlx::query("PRAGMA journal_mode").fetch_one(&store.pool).await.unwrap();
        assert_eq!(mode.get::<String, _>(0), "wal");
        let synchronous = sqlx::query("PRAGMA synchronous").fetch_one(&store.pool).await.unwrap();
        assert_eq!(synchronous.get::<i64, _>(0), 2, "FULL");
        let (transaction, _) = store.write(1).await.unwrap();
        assert_eq!(store.last_change().await.unwrap(), 0, "read beside an open transaction");
        transaction.rollback().await.unwrap();
    }

    #[tokio::test]
    async fn a_database_that_hangs_is_left_and_nobody_waits_for_ever() {
        let (_dir, store) = fresh().await;
        // As if the one who has the turn never got an answer.
        let turn = store.turn.lock().await;
        tokio::time::pause();
        let acted = store.act("a", incident::Action::Resolve, "", Timestamp::from_micros(0)).await;
        assert!(matches!(acted, Err(StoreError::TooSlow)), "{acted:?}");
        let pruned = store.prune(Timestamp::from_micros(0)).await;
        assert!(matches!(pruned, Err(StoreError::TooSlow)), "{pruned:?}");
        tokio::time::resume();
        drop(turn);
        let acted = store.act("a", incident::Action::Resolve, "", Timestamp::from_micros(0)).await;
        assert!(matches!(acted, Ok(Acted::Unknown)), "and goes on when it answers again: {acted:?}");
    }

    #[tokio::test]
    async fn a_canary_is_one_row_however_often_it_comes_and_is_not_taken_where_it_cannot_be_written() {
        let (_dir, store) = fresh().await;
        let rows = async |table: &str| {
            let statement = format!("SELECT COUNT(*) FROM {table}");
            let row = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_one(&store.pool).await.unwrap();
            row.get::<i64, _>(0)
        };
        for revision in 1..=100 {
            // With another alert as often as it cannot be reopened any more.
            let canary = canary(&format!("alert-{}", revision / 10), revision);
            let taken = store.deliver(&canary, Timestamp::from_micros(i64::from(revision))).await;
            assert_eq!(taken.unwrap(), Outcome::Canary);
        }
        assert_eq!((rows("canaries").await, rows("alerts").await, rows("changes").await), (1, 0, 0));
        let row = sqlx::query("SELECT revision, taken_at FROM canaries").fetch_one(&store.pool).await.unwrap();
        assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (100, 100));
        store.pool.close().await;
        assert!(store.deliver(&canary("alert-10", 101), Timestamp::from_micros(0)).await.is_err());
    }

    fn canary(alert_id: &str, revision: u32) -> Alert {
        let text = format!(
            r#"{{"schema_version": 1, "alert_id": "{alert_id}", "revision": {revision}, "status": "firing",
            "kind": "device.heartbeat", "severity": "info", "starts_at": "2026-11-25T08:00:00Z",
            "place": {{"id": "canary-gate-360102", "name": "canary-gate-360102", "kind": "other"}},
            "updated_at": "2026-11-25T08:00:00Z", "summary": {{"zh": "", "en": ""}}, "is_test": true,
            "reasons": [{{"rule": "canary", "kind": "device.heartbeat", "status": "firing", "devices": [],
            "from": "2026-11-25T08:00:00Z", "to": "2026-11-25T08:00:00Z", "count": 1, "evidence": [],
            "summary": {{"zh": "", "en": ""}}}}], "tipped_at": "2026-11-25T08:00:00Z"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[tokio::test]
    async fn a_change_that_was_given_up_half_way_leaves_nothing_locked() {
        let (_dir, store) = fresh().await;
        // Dropped at once, and then a little later each time, up to the whole.
        for step in 0..100_u32 {
            let end = std::time::Instant::now() + Duration::from_micros(20) * step;
            let mut change = std::pin::pin!(store.prune(Timestamp::from_micros(0)));
            let mut is_done = false;
            while !is_done && std::time::Instant::now() <= end {
                is_done = std::future::poll_fn(|context| Poll::Ready(change.as_mut().poll(context).is_ready())).await;
                tokio::task::yield_now().await;
            }
        }
        let acted = store.act("a", incident::Action::Resolve, "", Timestamp::from_micros(0)).await;
        assert!(matches!(acted, Ok(Acted::Unknown)), "{acted:?}");
    }
}
