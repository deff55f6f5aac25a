//! Reading: the list, one alert with its history, and the changes after a number.

use chorus_model::{Alert, Timestamp};
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, alert_from, instant, within};
use crate::cursor::Cursor;

/// A page of the list holds no more than this, whatever its limit: an alert can be large.
const PAGE_BYTES: usize = 8 << 20;
/// Changes read at a time for a stream.
const BATCH: i64 = 32;
/// The most of its history that an alert is shown with, the latest.
const HISTORY: i64 = 500;

/// Which alerts are wanted.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) after: Cursor,
    pub(crate) limit: usize,
    /// `firing` or `resolved`; empty for both.
    pub(crate) status: &'static str,
    /// The place's id; empty for all.
    pub(crate) place: String,
    /// Only what is with people.
    pub(crate) open: bool,
    /// Drills as well.
    pub(crate) drills: bool,
}

/// A page of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) alerts: Vec<Alert>,
    /// For `since`, when there is more.
    pub(crate) next: Option<String>,
}

/// One alert with what happened to it.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    #[serde(flatten)]
    alert: Alert,
    /// The first first.
    history: Vec<Event>,
}

/// Something that happened to an alert.
#[derive(Debug, Serialize)]
struct Event {
    change: i64,
    at: Timestamp,
    what: String,
    revision: i64,
    #[serde(skip_serializing_if = "is_zero")]
    skipped: i64,
    status: String,
    severity: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
    state: String,
}

/// A change as the stream tells it: the alert at that revision, the incident as it was then.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) number: i64,
    /// `None` when this version cannot read it.
    pub(crate) alert: Option<Alert>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

const LIST: &str = "SELECT document, state, state_since, updated_at, position FROM alerts \
    WHERE (updated_at, position) < ($1, $2) AND updated_at >= $3 AND ($4 = '' OR status = $4) \
    AND ($5 = '' OR place_id = $5) AND ($6 = 0 OR is_open = 1) AND ($7 = 1 OR drill = 0) \
    ORDER BY updated_at DESC, position DESC LIMIT $8";

const DETAIL: &str = "SELECT document, state, state_since FROM alerts WHERE alert_id = $1";

const EVENTS: &str = "SELECT change, at, what, revision, skipped, status, severity, desk, state FROM changes \
    WHERE alert_id = $1 ORDER BY change DESC LIMIT $2";

const CHANGES: &str = "SELECT c.change, c.state, c.state_since, d.document FROM changes c \
    JOIN changes d ON d.alert_id = c.alert_id AND d.revision = c.revision AND d.what = 'delivered' \
    WHERE c.change > $1 ORDER BY c.change LIMIT $2";

impl Store {
    /// A page of alerts, newest first.
    pub(crate) async fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        within(self.list_now(listing)).await
    }

    async fn list_now(&self, listing: &Listing) -> Result<Page, StoreError> {
        // One row more than asked tells whether there is more.
        let rows = i64::try_from(listing.limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut stream = sqlx::query(LIST)
            .bind(listing.after.updated_at)
            .bind(listing.after.position)
            .bind(listing.after.not_before)
            .bind(listing.status)
            .bind(&listing.place)
            .bind(i64::from(listing.open))
            .bind(i64::from(listing.drills))
            .bind(rows)
            .fetch(&self.pool);
        // Rows are counted, not alerts: one that cannot be read is passed over and does not make the page the last.
        let (mut alerts, mut read, mut bytes, mut last) = (Vec::new(), 0, 0, listing.after);
        while let Some(row) = stream.try_next().await? {
            if read == listing.limit || bytes > PAGE_BYTES {
                return Ok(Page { alerts, next: Some(last.to_text()) });
            }
            read += 1;
            bytes += row.try_get::<String, _>("document")?.len();
            last.updated_at = row.try_get("updated_at")?;
            last.position = row.try_get("position")?;
            alerts.extend(self.readable(&row, last.position)?);
        }
        Ok(Page { alerts, next: None })
    }

    /// One alert with its history.
    pub(crate) async fn detail(&self, alert_id: &str) -> Result<Option<Detail>, StoreError> {
        within(self.detail_now(alert_id)).await
    }

    async fn detail_now(&self, alert_id: &str) -> Result<Option<Detail>, StoreError> {
        let Some(row) = sqlx::query(DETAIL).bind(alert_id).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let alert = alert_from(&row)?;
        let rows = sqlx::query(EVENTS).bind(alert_id).bind(HISTORY).fetch_all(&self.pool).await?;
        let history = rows.iter().rev().map(event_from).collect::<Result<_, _>>()?;
        Ok(Some(Detail { alert, history }))
    }

    /// The changes after `number`, in order, and whether there may be more.
    pub(crate) async fn changes_after(&self, number: i64) -> Result<(Vec<Change>, bool), StoreError> {
        within(self.changes_after_now(number)).await
    }

    async fn changes_after_now(&self, number: i64) -> Result<(Vec<Change>, bool), StoreError> {
        let rows = sqlx::query(CHANGES).bind(number).bind(BATCH).fetch_all(&self.pool).await?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == BATCH);
        let change = |row: &AnyRow| {
            let number = row.try_get("change")?;
            Ok(Change { number, alert: self.readable(row, number)? })
        };
        Ok((rows.iter().map(change).collect::<Result<_, StoreError>>()?, is_full))
    }
}

fn event_from(row: &AnyRow) -> Result<Event, StoreError> {
    Ok(Event {
        change: row.try_get("change")?,
        at: instant(row, "at")?,
        what: row.try_get("what")?,
        revision: row.try_get("revision")?,
        skipped: row.try_get("skipped")?,
        status: row.try_get("status")?,
        severity: row.try_get("severity")?,
        by: row.try_get("desk")?,
        state: row.try_get("state")?,
    })
}
