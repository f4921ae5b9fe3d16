//! Sessions in SQLite. A session is live while `ended_at` is NULL.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::SessionId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::page::paged;
use super::{Fields, SqliteStore, failed, token};
use crate::{
    CreateSessionError, HISTORY_KEPT, Paged, SessionClaim, SessionCursor, SessionEnd, SessionFilter,
    SessionQuery, SessionRecord, SessionState, SessionStatus, SessionStore, StoreError, TokenGrant,
    TokenHash, TokenScope,
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn create_session(
        &self,
        session: &SessionRecord,
        client_token: &TokenGrant,
    ) -> Result<(), CreateSessionError> {
        let mut tx = self.begin().await?;
        if !insert(&mut tx, session).await? {
            return Err(CreateSessionError::NodeUnknown { node: session.node.clone() });
        }
        token::insert(&mut tx, client_token).await?;
        tx.commit().await.map_err(failed("create a session"))?;
        Ok(())
    }

    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a session"))?;
        row.map(|row| SessionRecord::try_from(&row)).transpose()
    }

    async fn sessions(
        &self,
        query: &SessionQuery,
    ) -> Result<Paged<SessionRecord, SessionCursor>, StoreError> {
        let mut sql = QueryBuilder::new("SELECT * FROM sessions WHERE ");
        match query.state {
            SessionState::Active => sql.push("ended_at IS NULL"),
            SessionState::History { now } => {
                let oldest = now.saturating_sub(HISTORY_KEPT).unwrap_or(Timestamp::MIN);
                sql.push("ended_at >= ").push_bind(oldest.as_microsecond())
            }
            SessionState::Any => sql.push("TRUE"),
        };
        for filter in &query.filters {
            push_filter(&mut sql, filter);
        }
        if let Some(SessionCursor { started_at, id }) = &query.page.after {
            let started_at = started_at.as_microsecond();
            sql.push(" AND started_at <= ").push_bind(started_at);
            sql.push(" AND (started_at < ").push_bind(started_at);
            sql.push(" OR id > ").push_bind(id.to_string()).push(")");
        }
        sql.push(" ORDER BY started_at DESC, id LIMIT ").push_bind(i64::from(query.page.limit) + 1);
        let rows = sql.build().fetch_all(&self.readers).await.map_err(failed("list sessions"))?;
        paged(&rows, query.page.limit, |session: &SessionRecord| SessionCursor {
            started_at: session.started_at,
            id: session.id.clone(),
        })
    }

    async fn live_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY started_at, id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list live sessions"))?;
        rows.iter().map(SessionRecord::try_from).collect()
    }

    async fn session_claims(
        &self,
        after: Option<&SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionClaim>, StoreError> {
        // The tags as one text, so that many sessions cost one statement. What is not live is not looked at: the
        // index of live sessions has them all.
        let rows = sqlx::query(
            "SELECT id, node_id, owner_user_id, authority,
                 EXISTS (SELECT 1 FROM nodes WHERE nodes.id = node_id) AS node_exists,
                 (SELECT json_group_array(json_object('key', key, 'value', value)) FROM
                     (SELECT key, value FROM tags
                      WHERE resource_type = 'ManagedInstance' AND resource_id = node_id ORDER BY key)) AS node_tags
             FROM sessions WHERE ended_at IS NULL AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(after.map_or("", SessionId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read the claims to live sessions"))?;
        rows.iter().map(SessionClaim::try_from).collect()
    }

    async fn mark_connected(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sessions SET status = 'Connected', status_since = ?
             WHERE id = ? AND status IN ('Connecting', 'Disconnected')",
        )
        .bind(at.as_microsecond())
        .bind(id.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("mark a session connected"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn mark_disconnected(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sessions SET status = 'Disconnected', status_since = ? WHERE id = ? AND status = 'Connected'",
        )
        .bind(at.as_microsecond())
        .bind(id.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("mark a session disconnected"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn begin_termination(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sessions SET status = 'Terminating', status_since = ?
             WHERE id = ? AND ended_at IS NULL AND status <> 'Terminating'",
        )
        .bind(at.as_microsecond())
        .bind(id.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("begin to terminate a session"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn finish_session(&self, id: &SessionId, end: &SessionEnd) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE sessions
             SET status = ?1, status_since = ?2, ended_at = ?2, end_reason = ?3, details = ?4, exit_code = ?5
             WHERE id = ?6 AND ended_at IS NULL",
        )
        .bind(SessionStatus::from(end.status).as_str())
        .bind(end.at.as_microsecond())
        .bind(end.reason.as_str())
        .bind(end.details.as_deref())
        .bind(end.exit_code)
        .bind(id.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("finish a session"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM tokens WHERE session_id = ?")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("forget a session's tokens"))?;
        tx.commit().await.map_err(failed("finish a session"))?;
        Ok(true)
    }

    async fn issue_token(&self, grant: &TokenGrant, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        token::forget_expired(&mut tx, at).await?;
        let issued = token::insert(&mut tx, grant).await?;
        tx.commit().await.map_err(failed("issue a token"))?;
        Ok(issued)
    }

    async fn redeem_token(&self, hash: &TokenHash, at: Timestamp) -> Result<Option<TokenScope>, StoreError> {
        let mut tx = self.begin().await?;
        let scope = token::take(&mut tx, hash, at).await?;
        tx.commit().await.map_err(failed("redeem a token"))?;
        Ok(scope)
    }
}

/// Writes a session if its node exists.
async fn insert(connection: &mut SqliteConnection, session: &SessionRecord) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO sessions (id, node_id, owner_arn, owner_user_id, document_name, session_type, reason,
             access_type, status, status_since, started_at, ended_at, end_reason, details, exit_code, parameters,
             max_session_duration_minutes, idle_timeout_minutes, client_ip, authority)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20
         WHERE EXISTS (SELECT 1 FROM nodes WHERE id = ?2)",
    )
    .bind(session.id.as_str())
    .bind(session.node.as_str())
    .bind(session.owner_arn.as_str())
    .bind(session.owner_user_id.as_str())
    .bind(session.document_name.as_str())
    .bind(session.session_type.as_str())
    .bind(session.reason.as_deref())
    .bind(session.access_type.as_str())
    .bind(session.status.as_str())
    .bind(session.status_since.as_microsecond())
    .bind(session.started_at.as_microsecond())
    .bind(session.ended_at.map(Timestamp::as_microsecond))
    .bind(session.end_reason.as_deref())
    .bind(session.details.as_deref())
    .bind(session.exit_code)
    .bind(session.parameters.to_string())
    .bind(session.max_session_duration_minutes)
    .bind(session.idle_timeout_minutes)
    .bind(session.client_ip.as_deref())
    .bind(session.authority.as_ref().map(ToString::to_string))
    .execute(connection)
    .await
    .map_err(failed("write a session"))?;
    Ok(done.rows_affected() > 0)
}

fn push_filter(sql: &mut QueryBuilder<Sqlite>, filter: &SessionFilter) {
    match filter {
        SessionFilter::InvokedAfter(at) => sql.push(" AND started_at >= ").push_bind(at.as_microsecond()),
        SessionFilter::InvokedBefore(at) => sql.push(" AND started_at < ").push_bind(at.as_microsecond()),
        SessionFilter::Target(node) => sql.push(" AND node_id = ").push_bind(node.to_string()),
        SessionFilter::Owner(arn) => sql.push(" AND owner_arn = ").push_bind(arn.to_string()),
        SessionFilter::Status(status) => sql.push(" AND status = ").push_bind(status.as_str()),
        SessionFilter::SessionId(id) => sql.push(" AND id = ").push_bind(id.to_string()),
        SessionFilter::AccessType(access) => sql.push(" AND access_type = ").push_bind(access.as_str()),
    };
}

impl TryFrom<&SqliteRow> for SessionRecord {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "sessions", "id");
        Ok(Self {
            id: fields.parse("id")?,
            node: fields.parse("node_id")?,
            owner_arn: fields.parse("owner_arn")?,
            owner_user_id: fields.get("owner_user_id")?,
            document_name: fields.get("document_name")?,
            session_type: fields.get("session_type")?,
            reason: fields.get("reason")?,
            access_type: fields.parse("access_type")?,
            status: fields.parse("status")?,
            status_since: fields.time("status_since")?,
            started_at: fields.time("started_at")?,
            ended_at: fields.time_option("ended_at")?,
            end_reason: fields.get("end_reason")?,
            details: fields.get("details")?,
            exit_code: fields.get("exit_code")?,
            parameters: fields.json("parameters")?,
            max_session_duration_minutes: fields.get("max_session_duration_minutes")?,
            idle_timeout_minutes: fields.get("idle_timeout_minutes")?,
            client_ip: fields.get("client_ip")?,
            authority: authority(&fields)?,
        })
    }
}

fn authority(fields: &Fields<'_>) -> Result<Option<serde_json::Value>, StoreError> {
    let text: Option<&str> = fields.get("authority")?;
    let parsed = text.map(serde_json::from_str).transpose();
    parsed.map_err(|error| fields.invalid("authority", error))
}

impl TryFrom<&SqliteRow> for SessionClaim {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "sessions", "id");
        let node_exists: bool = fields.get("node_exists")?;
        Ok(Self {
            id: fields.parse("id")?,
            node: fields.parse("node_id")?,
            owner_user_id: fields.get("owner_user_id")?,
            authority: authority(&fields)?,
            node_tags: if node_exists { Some(fields.json("node_tags")?) } else { None },
        })
    }
}
