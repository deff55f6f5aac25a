//! Removing what is past its keeping, a batch at a time.

use chorus_model::Timestamp;

use super::{Store, StoreError, within};

/// Alerts removed in one transaction, and changes in one statement.
const BATCH: i64 = 200;

const CHANGES_OF_DONE: &str = "DELETE FROM changes WHERE alert_id IN \
    (SELECT alert_id FROM alerts WHERE is_open = 0 AND changed_at < $1 ORDER BY changed_at, alert_id LIMIT $2)";

const DONE: &str = "DELETE FROM alerts WHERE alert_id IN \
    (SELECT alert_id FROM alerts WHERE is_open = 0 AND changed_at < $1 ORDER BY changed_at, alert_id LIMIT $2)";

/// What an alert that stands has left behind: the revision that stands, and what was done since, stay.
const SUPERSEDED: &str = "DELETE FROM changes WHERE change IN \
    (SELECT c.change FROM changes c JOIN alerts a ON a.alert_id = c.alert_id \
    WHERE c.at < $1 AND c.change < a.position ORDER BY c.change LIMIT $2)";

impl Store {
    /// Removes one batch of what was done with before `before`. Gives the number of rows; 0 when nothing is left.
    pub(crate) async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        within(self.prune_now(before)).await
    }

    async fn prune_now(&self, before: Timestamp) -> Result<u64, StoreError> {
        let _turn = self.turn.lock().await;
        let (mut transaction, _) = self.write(0).await?;
        let mut rows = 0;
        for statement in [CHANGES_OF_DONE, DONE, SUPERSEDED] {
            let query = sqlx::query(statement).bind(before.as_micros()).bind(BATCH);
            rows += query.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(rows)
    }
}
