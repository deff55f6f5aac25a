//! Writing: a delivery, or something that people did. One transaction each.

use chorus_model::place::UNKNOWN_COUNTY;
use chorus_model::{Alert, Incident, IncidentState, Severity, Timestamp, canary};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError, instant, within};
use crate::incident::{self, Action, Step, state_word};

/// What a delivery came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is the next revision.
    Stored,
    /// Stored, and at least one revision before it never came.
    Gap,
    /// This revision or a later one was there.
    Known,
    /// A canary, which is written and never shown.
    Canary,
}

impl Outcome {
    /// All of them, for the series of the metric.
    pub(crate) const ALL: [Self; 4] = [Self::Stored, Self::Gap, Self::Known, Self::Canary];

    /// The word in the answer and in the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Gap => "gap",
            Self::Known => "known",
            Self::Canary => "canary",
        }
    }
}

/// What an action came to.
#[derive(Debug)]
pub(crate) enum Acted {
    /// No such alert.
    Unknown,
    /// Not from this state.
    Impossible(IncidentState),
    /// The alert as it stands now; nothing changed when it stood so before.
    Done(Box<Alert>),
}

/// What stands of an alert, as far as a revision after it needs it.
struct Before {
    revision: u32,
    is_test: bool,
    desk: String,
    severity: String,
    state: IncidentState,
    since: Timestamp,
    /// `None` when this version cannot read it.
    alert: Option<Alert>,
}

/// What goes into the order of changes.
struct Entry<'a> {
    change: i64,
    at: Timestamp,
    what: &'static str,
    skipped: u32,
    desk: &'a str,
    alert: &'a Alert,
    incident: &'a Incident,
    document: &'a str,
}

impl Store {
    /// Takes one revision of one alert.
    pub(crate) async fn deliver(&self, alert: &Alert, at: Timestamp) -> Result<Outcome, StoreError> {
        if canary::of_alert(alert).is_some() {
            return within(self.keep_canary(alert, at)).await;
        }
        within(self.deliver_now(alert, at)).await
    }

    /// Writes over what was there of this canary: it is no change, so it takes no number, and nobody is told.
    async fn keep_canary(&self, alert: &Alert, at: Timestamp) -> Result<Outcome, StoreError> {
        let _turn = self.turn.lock().await;
        sqlx::query(PUT_CANARY)
            .bind(&*alert.place.id)
            .bind(&alert.alert_id)
            .bind(i64::from(alert.revision))
            .bind(at.as_micros())
            .execute(&self.pool)
            .await?;
        Ok(Outcome::Canary)
    }

    async fn deliver_now(&self, alert: &Alert, at: Timestamp) -> Result<Outcome, StoreError> {
        let document = serde_json::to_string(alert).map_err(|_| StoreError::Unreadable("alert"))?;
        let _turn = self.turn.lock().await;
        let (mut transaction, change) = self.write(1).await?;
        let before = self.find(&mut transaction, &alert.alert_id).await?;
        let last = before.as_ref().map_or(0, |before| before.revision);
        if alert.revision <= last {
            transaction.rollback().await?;
            return Ok(Outcome::Known);
        }
        let skipped = alert.revision - last - 1;
        let incident = incident_after(before.as_ref(), alert, at);
        put(&mut transaction, alert, &incident, change, at, &document).await?;
        let entry =
            Entry { change, at, what: "delivered", skipped, desk: "", alert, incident: &incident, document: &document };
        record(&mut transaction, &entry).await?;
        transaction.commit().await?;
        self.changed(change, before.as_ref(), alert, incident.state);
        Ok(if skipped == 0 { Outcome::Stored } else { Outcome::Gap })
    }

    /// Does what people ask of an incident; a repeat changes nothing.
    pub(crate) async fn act(
        &self,
        alert_id: &str,
        action: Action,
        desk: &str,
        at: Timestamp,
    ) -> Result<Acted, StoreError> {
        within(self.act_now(alert_id, action, desk, at)).await
    }

    async fn act_now(&self, alert_id: &str, action: Action, desk: &str, at: Timestamp) -> Result<Acted, StoreError> {
        let _turn = self.turn.lock().await;
        let (mut transaction, change) = self.write(1).await?;
        let Some(mut before) = self.find(&mut transaction, alert_id).await? else {
            transaction.rollback().await?;
            return Ok(Acted::Unknown);
        };
        // The answer is the alert, so nobody acts on one that cannot be shown.
        let alert = before.alert.take().ok_or(StoreError::Unreadable("alert"))?;
        let state = match incident::act(before.state, action) {
            Step::To(state) => state,
            Step::Already => {
                transaction.rollback().await?;
                return Ok(Acted::Done(Box::new(alert)));
            }
            Step::Impossible => {
                transaction.rollback().await?;
                return Ok(Acted::Impossible(before.state));
            }
        };
        let incident = Incident { state, since: at };
        set_state(&mut transaction, alert_id, &incident, at).await?;
        let what = action.as_str();
        let entry = Entry { change, at, what, skipped: 0, desk, alert: &alert, incident: &incident, document: "" };
        record(&mut transaction, &entry).await?;
        transaction.commit().await?;
        self.changed(change, Some(&before), &alert, state);
        Ok(Acted::Done(Box::new(Alert { incident: Some(incident), ..alert })))
    }

    /// After the commit: moves the gauge and wakes the streams.
    fn changed(&self, change: i64, before: Option<&Before>, after: &Alert, state: IncidentState) {
        if let Some(before) = before
            && !before.is_test
            && incident::is_open(before.state)
            // A severity of a newer version has no series.
            && Severity::ALL.iter().any(|severity| severity.as_str() == before.severity)
        {
            self.metrics.open_alerts.with_label_values(&[&before.desk, &before.severity]).dec();
        }
        if !after.is_test && incident::is_open(state) {
            self.metrics.open_alerts.with_label_values(&[after.place.county(), after.severity.as_str()]).inc();
        }
        self.tell(change);
    }

    async fn find(
        &self,
        transaction: &mut Transaction<'static, Any>,
        alert_id: &str,
    ) -> Result<Option<Before>, StoreError> {
        let row = sqlx::query(FIND).bind(alert_id).fetch_optional(&mut **transaction).await?;
        let Some(row) = row else { return Ok(None) };
        let desk: String = row.try_get("desk")?;
        Ok(Some(Before {
            revision: u32::try_from(row.try_get::<i64, _>("revision")?).unwrap_or(0),
            is_test: row.try_get::<i64, _>("drill")? == 1,
            // Rows from before there were desks.
            desk: if desk.is_empty() { UNKNOWN_COUNTY.to_owned() } else { desk },
            severity: row.try_get("severity")?,
            state: known_state(&row)?,
            since: instant(&row, "state_since")?,
            alert: self.readable(&row, row.try_get("position")?)?,
        }))
    }
}

/// A state of a newer version is taken for the one that hides the alert from nobody: with people, or open to return.
fn known_state(row: &AnyRow) -> Result<IncidentState, StoreError> {
    let is_open = row.try_get::<i64, _>("is_open")? == 1;
    let instead = if is_open { IncidentState::Reported } else { IncidentState::Resolved };
    Ok(incident::state_from(&row.try_get::<String, _>("state")?).unwrap_or(instead))
}

fn incident_after(before: Option<&Before>, alert: &Alert, at: Timestamp) -> Incident {
    let seen = before.and_then(|before| before.alert.as_ref());
    let stood = before.map_or(IncidentState::Reported, |before| before.state);
    let state = incident::deliver(seen, stood, alert);
    let since = before.filter(|before| before.state == state).map_or(at, |before| before.since);
    Incident { state, since }
}

const FIND: &str = "SELECT revision, drill, desk, severity, state, state_since, is_open, position, document FROM alerts \
    WHERE alert_id = $1";

const PUT_CANARY: &str = "INSERT INTO canaries (place_id, alert_id, revision, taken_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (place_id) DO UPDATE SET alert_id = excluded.alert_id, revision = excluded.revision, \
    taken_at = excluded.taken_at";

const PUT: &str = "INSERT INTO alerts (alert_id, revision, status, severity, place_id, drill, updated_at, position, \
    changed_at, state, state_since, is_open, document, desk) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
    ON CONFLICT (alert_id) DO UPDATE SET revision = excluded.revision, status = excluded.status, \
    severity = excluded.severity, place_id = excluded.place_id, drill = excluded.drill, \
    updated_at = excluded.updated_at, position = excluded.position, changed_at = excluded.changed_at, \
    state = excluded.state, state_since = excluded.state_since, is_open = excluded.is_open, document = excluded.document, \
    desk = excluded.desk";

async fn put(
    transaction: &mut Transaction<'static, Any>,
    alert: &Alert,
    incident: &Incident,
    change: i64,
    at: Timestamp,
    document: &str,
) -> Result<(), StoreError> {
    sqlx::query(PUT)
        .bind(&alert.alert_id)
        .bind(i64::from(alert.revision))
        .bind(alert.status.as_str())
        .bind(alert.severity.as_str())
        .bind(&*alert.place.id)
        .bind(i64::from(alert.is_test))
        .bind(alert.updated_at.as_micros())
        .bind(change)
        .bind(at.as_micros())
        .bind(state_word(incident.state))
        .bind(incident.since.as_micros())
        .bind(i64::from(incident::is_open(incident.state)))
        .bind(document)
        .bind(alert.place.county())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn set_state(
    transaction: &mut Transaction<'static, Any>,
    alert_id: &str,
    incident: &Incident,
    at: Timestamp,
) -> Result<(), StoreError> {
    let statement = "UPDATE alerts SET state = $2, state_since = $3, is_open = $4, changed_at = $5 WHERE alert_id = $1";
    sqlx::query(statement)
        .bind(alert_id)
        .bind(state_word(incident.state))
        .bind(incident.since.as_micros())
        .bind(i64::from(incident::is_open(incident.state)))
        .bind(at.as_micros())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

const RECORD: &str = "INSERT INTO changes (change, alert_id, at, what, revision, skipped, status, severity, desk, state, \
    state_since, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

async fn record(transaction: &mut Transaction<'static, Any>, entry: &Entry<'_>) -> Result<(), StoreError> {
    sqlx::query(RECORD)
        .bind(entry.change)
        .bind(&entry.alert.alert_id)
        .bind(entry.at.as_micros())
        .bind(entry.what)
        .bind(i64::from(entry.alert.revision))
        .bind(i64::from(entry.skipped))
        .bind(entry.alert.status.as_str())
        .bind(entry.alert.severity.as_str())
        .bind(entry.desk)
        .bind(state_word(entry.incident.state))
        .bind(entry.incident.since.as_micros())
        .bind(entry.document)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
