//! Encrypted sessions in SQLite.

use async_trait::async_trait;
use postern_ids::SessionId;

use super::{SqliteStore, failed};
use crate::{SessionEncryptionStore, StoreError};

#[async_trait]
impl SessionEncryptionStore for SqliteStore {
    async fn put_session_encryption(&self, session: &SessionId, content: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO session_encryptions (session_id, content) VALUES (?, ?)
             ON CONFLICT (session_id) DO UPDATE SET content = excluded.content",
        )
        .bind(session.as_str())
        .bind(content)
        .execute(&self.writer)
        .await
        .map_err(failed("write the encryption of a session"))?;
        Ok(())
    }

    async fn session_encryption(&self, session: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar("SELECT content FROM session_encryptions WHERE session_id = ?")
            .bind(session.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read the encryption of a session"))
    }

    async fn delete_session_encryption(&self, session: &SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session_encryptions WHERE session_id = ?")
            .bind(session.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("forget the encryption of a session"))?;
        Ok(())
    }
}
