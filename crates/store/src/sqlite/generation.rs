//! The identity generation: a row that moves with every change that can alter a decision.

use sqlx::{Sqlite, SqliteExecutor, Transaction};

use super::{SqliteStore, failed};
use crate::StoreError;

impl SqliteStore {
    /// Commits a change that can alter a decision, and tells those who wait for one.
    pub(super) async fn commit_change(
        &self,
        mut tx: Transaction<'static, Sqlite>,
        action: &'static str,
    ) -> Result<(), StoreError> {
        let generation: i64 = sqlx::query_scalar(
            "UPDATE generations SET value = value + 1 WHERE name = 'identity' RETURNING value",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("count a change"))?;
        tx.commit().await.map_err(failed(action))?;
        self.publish(generation.cast_unsigned());
        Ok(())
    }

    /// Tells of a generation, unless a later one is known.
    pub(super) fn publish(&self, generation: u64) {
        self.generation.send_if_modified(|known| {
            let is_newer = generation > *known;
            *known = generation.max(*known);
            is_newer
        });
    }
}

/// The generation that is stored.
pub(super) async fn read(executor: impl SqliteExecutor<'_>) -> Result<u64, StoreError> {
    let generation: i64 = sqlx::query_scalar("SELECT value FROM generations WHERE name = 'identity'")
        .fetch_one(executor)
        .await
        .map_err(failed("read the identity generation"))?;
    Ok(generation.cast_unsigned())
}
