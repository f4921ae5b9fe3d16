//! Logs of sessions in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::SessionId;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, failed};
use crate::{SessionLog, SessionLogFailure, SessionLogSink, SessionLogState, SessionLogStore, StoreError};

#[async_trait]
impl SessionLogStore for SqliteStore {
    async fn add_session_logs(&self, logs: &[SessionLog]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for log in logs {
            sqlx::query(
                "INSERT INTO session_logs (session_id, sink, destination, state, is_claimed, cursor, attempts,
                     failing_since, next_attempt_at, last_error, created_at)
                 VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
            )
            .bind(log.session.as_str())
            .bind(log.sink.as_str())
            .bind(log.destination.to_string())
            .bind(log.state.as_str())
            .bind(log.cursor.as_ref().map(Value::to_string))
            .bind(i64::from(log.attempts))
            .bind(log.failing_since.map(Timestamp::as_microsecond))
            .bind(log.next_attempt_at.as_microsecond())
            .bind(&log.last_error)
            .bind(log.created_at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(failed("write the log of a session"))?;
        }
        tx.commit().await.map_err(failed("write the log of a session"))
    }

    async fn session_logs(&self, session: &SessionId) -> Result<Vec<SessionLog>, StoreError> {
        let rows = sqlx::query("SELECT * FROM session_logs WHERE session_id = ? ORDER BY sink")
            .bind(session.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read the logs of a session"))?;
        rows.iter().map(SessionLog::try_from).collect()
    }

    async fn forget_session_logs(&self, session: &SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session_logs WHERE session_id = ?")
            .bind(session.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("forget the logs of a session"))?;
        Ok(())
    }

    async fn release_session_logs(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE session_logs SET is_claimed = 0 WHERE is_claimed = 1")
            .execute(&self.writer)
            .await
            .map_err(failed("release the logs of sessions"))?;
        Ok(())
    }

    async fn claim_session_logs(&self, session: &SessionId) -> Result<Vec<SessionLog>, StoreError> {
        let rows = sqlx::query(
            "UPDATE session_logs SET is_claimed = 1
             WHERE session_id = ? AND state = 'Waiting' AND is_claimed = 0 RETURNING *",
        )
        .bind(session.as_str())
        .fetch_all(&self.writer)
        .await
        .map_err(failed("claim the logs of a session"))?;
        rows.iter().map(SessionLog::try_from).collect()
    }

    async fn claim_due_session_logs(
        &self,
        sink: SessionLogSink,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionLog>, StoreError> {
        let rows = sqlx::query(
            "UPDATE session_logs SET is_claimed = 1 WHERE sink = ?1 AND session_id IN
                 (SELECT session_id FROM session_logs
                  WHERE sink = ?1 AND state = 'Waiting' AND is_claimed = 0 AND next_attempt_at <= ?2
                  ORDER BY next_attempt_at LIMIT ?3)
             RETURNING *",
        )
        .bind(sink.as_str())
        .bind(at.as_microsecond())
        .bind(i64::from(limit))
        .fetch_all(&self.writer)
        .await
        .map_err(failed("claim logs of sessions"))?;
        rows.iter().map(SessionLog::try_from).collect()
    }

    async fn advance_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        cursor: &Value,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE session_logs SET cursor = ?, attempts = 0, failing_since = NULL, last_error = NULL
             WHERE session_id = ? AND sink = ?",
        )
        .bind(cursor.to_string())
        .bind(session.as_str())
        .bind(sink.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("write how far the log of a session is"))?;
        Ok(())
    }

    async fn postpone_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        failure: &SessionLogFailure,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE session_logs
             SET is_claimed = 0, attempts = ?, failing_since = ?, next_attempt_at = ?, last_error = ?
             WHERE session_id = ? AND sink = ?",
        )
        .bind(i64::from(failure.attempts))
        .bind(failure.failing_since.as_microsecond())
        .bind(failure.next_attempt_at.as_microsecond())
        .bind(&failure.error)
        .bind(session.as_str())
        .bind(sink.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("postpone the log of a session"))?;
        Ok(())
    }

    async fn end_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        state: SessionLogState,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE session_logs SET state = ?, is_claimed = 0, last_error = ? WHERE session_id = ? AND sink = ?",
        )
        .bind(state.as_str())
        .bind(error)
        .bind(session.as_str())
        .bind(sink.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("end the log of a session"))?;
        Ok(())
    }
}

impl TryFrom<&SqliteRow> for SessionLog {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "session_logs", "session_id");
        let cursor = fields.get::<Option<&str>>("cursor")?.map(serde_json::from_str).transpose();
        Ok(Self {
            session: fields.parse("session_id")?,
            sink: fields.parse("sink")?,
            destination: fields.json("destination")?,
            state: fields.parse("state")?,
            cursor: cursor.map_err(|error| fields.invalid("cursor", error))?,
            attempts: fields.get("attempts")?,
            failing_since: fields.time_option("failing_since")?,
            next_attempt_at: fields.time("next_attempt_at")?,
            last_error: fields.get("last_error")?,
            created_at: fields.time("created_at")?,
        })
    }
}
