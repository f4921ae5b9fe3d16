//! Tokens in SQLite.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{Fields, failed};
use crate::{ChannelSide, StoreError, TokenGrant, TokenHash, TokenScope};

/// Writes a token, unless its session has ended or its node is gone.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    grant: &TokenGrant,
) -> Result<bool, StoreError> {
    let (node, session, side) = match &grant.scope {
        TokenScope::ControlChannel { node } => (Some(node.as_str()), None, None),
        TokenScope::DataChannel { session, side } => (None, Some(session.as_str()), Some(side.as_str())),
    };
    let done = sqlx::query(
        "INSERT INTO tokens (hash, node_id, session_id, side, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5
         WHERE EXISTS (SELECT 1 FROM nodes WHERE id = ?2)
            OR EXISTS (SELECT 1 FROM sessions WHERE id = ?3 AND ended_at IS NULL)",
    )
    .bind(grant.hash.0.as_slice())
    .bind(node)
    .bind(session)
    .bind(side)
    .bind(grant.expires_at.as_microsecond())
    .execute(connection)
    .await
    .map_err(failed("write a token"))?;
    Ok(done.rows_affected() > 0)
}

/// Forgets the tokens that open nothing any more.
pub(super) async fn forget_expired(
    connection: &mut SqliteConnection,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM tokens WHERE expires_at <= ?")
        .bind(at.as_microsecond())
        .execute(connection)
        .await
        .map_err(failed("forget expired tokens"))?;
    Ok(())
}

/// Takes a token out, so that no other call can. One statement: of two calls the second finds nothing.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    hash: &TokenHash,
    at: Timestamp,
) -> Result<Option<TokenScope>, StoreError> {
    let row =
        sqlx::query("DELETE FROM tokens WHERE hash = ? AND expires_at > ? RETURNING *, hex(hash) AS name")
            .bind(hash.0.as_slice())
            .bind(at.as_microsecond())
            .fetch_optional(connection)
            .await
            .map_err(failed("redeem a token"))?;
    row.map(|row| TokenScope::try_from(&row)).transpose()
}

impl TryFrom<&SqliteRow> for TokenScope {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "tokens", "name");
        if let Some(node) = fields.parse_option("node_id")? {
            return Ok(Self::ControlChannel { node });
        }
        Ok(Self::DataChannel {
            session: fields.parse("session_id")?,
            side: fields.parse::<ChannelSide>("side")?,
        })
    }
}
