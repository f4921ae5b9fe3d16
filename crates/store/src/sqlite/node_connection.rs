//! How the control channels of nodes stand, in SQLite.

use async_trait::async_trait;
use postern_ids::NodeId;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, failed};
use crate::{CloseReason, LastClose, NodeConnection, NodeConnectionStore, StoreError};

#[async_trait]
impl NodeConnectionStore for SqliteStore {
    async fn node_connections(&self) -> Result<Vec<(NodeId, NodeConnection)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM node_connections")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read how nodes are connected"))?;
        rows.iter().map(read).collect()
    }

    async fn record_node_connections(
        &self,
        connections: &[(NodeId, NodeConnection)],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (node, connection) in connections {
            let closed = connection.last_close;
            sqlx::query(
                "INSERT INTO node_connections (node_id, status, since, closed_because, closed_at)
                 SELECT id, ?, ?, ?, ? FROM nodes WHERE id = ?
                 ON CONFLICT (node_id) DO UPDATE SET
                     status = excluded.status,
                     since = excluded.since,
                     closed_because = excluded.closed_because,
                     closed_at = excluded.closed_at",
            )
            .bind(connection.status.as_str())
            .bind(connection.since.as_microsecond())
            .bind(closed.map(|closed| closed.reason.as_str()))
            .bind(closed.map(|closed| closed.at.as_microsecond()))
            .bind(node.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("write how a node is connected"))?;
        }
        tx.commit().await.map_err(failed("write how nodes are connected"))
    }
}

fn read(row: &SqliteRow) -> Result<(NodeId, NodeConnection), StoreError> {
    let fields = Fields::new(row, "node_connections", "node_id");
    let reason: Option<CloseReason> = fields.parse_option("closed_because")?;
    let last_close = match (reason, fields.time_option("closed_at")?) {
        (Some(reason), Some(at)) => Some(LastClose { reason, at }),
        _ => None,
    };
    let connection =
        NodeConnection { status: fields.parse("status")?, since: fields.time("since")?, last_close };
    Ok((fields.parse("node_id")?, connection))
}
