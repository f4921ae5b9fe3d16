//! Connections of port sessions in SQLite.

use async_trait::async_trait;
use postern_ids::SessionId;

use super::{SqliteStore, failed};
use crate::{ConnectionChanges, KnownConnections, SessionConnectionStore, StoreError};

#[async_trait]
impl SessionConnectionStore for SqliteStore {
    async fn change_session_connections(
        &self,
        session: &SessionId,
        changes: &ConnectionChanges,
    ) -> Result<(), StoreError> {
        let fail = || failed("write the connections of a session");
        let mut transaction = self.writer.begin().await.map_err(fail())?;
        sqlx::query(
            "INSERT INTO session_carriages (session_id, content) VALUES (?, ?)
             ON CONFLICT (session_id) DO UPDATE SET content = excluded.content",
        )
        .bind(session.as_str())
        .bind(&changes.carriage)
        .execute(&mut *transaction)
        .await
        .map_err(fail())?;
        for (number, content) in &changes.open {
            sqlx::query(
                "INSERT INTO session_connections (session_id, number, content) VALUES (?, ?, ?)
                 ON CONFLICT (session_id, number) DO UPDATE SET content = excluded.content",
            )
            .bind(session.as_str())
            .bind(i64::from(*number))
            .bind(content)
            .execute(&mut *transaction)
            .await
            .map_err(fail())?;
        }
        for number in &changes.closed {
            sqlx::query("DELETE FROM session_connections WHERE session_id = ? AND number = ?")
                .bind(session.as_str())
                .bind(i64::from(*number))
                .execute(&mut *transaction)
                .await
                .map_err(fail())?;
        }
        transaction.commit().await.map_err(fail())
    }

    async fn session_connections(&self, session: &SessionId) -> Result<Option<KnownConnections>, StoreError> {
        let fail = || failed("read the connections of a session");
        let carriage = sqlx::query_scalar("SELECT content FROM session_carriages WHERE session_id = ?")
            .bind(session.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(fail())?;
        let Some(carriage) = carriage else { return Ok(None) };
        let open = sqlx::query_scalar(
            "SELECT content FROM session_connections WHERE session_id = ? ORDER BY number",
        )
        .bind(session.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(fail())?;
        Ok(Some(KnownConnections { carriage, open }))
    }

    async fn delete_session_connections(&self, session: &SessionId) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM session_carriages WHERE session_id = ?",
            "DELETE FROM session_connections WHERE session_id = ?",
        ] {
            sqlx::query(statement)
                .bind(session.as_str())
                .execute(&self.writer)
                .await
                .map_err(failed("forget the connections of a session"))?;
        }
        Ok(())
    }
}
