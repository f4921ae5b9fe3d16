//! Rows of blocks.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use crate::StorageError;
use crate::block::{self, Block, Entry};

/// What blocks of one stream belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) group: i64,
    pub(super) stream: i64,
}

/// Puts a block in; its first event has the number `first_event`.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    owner: Owner,
    block: &Block,
    first_event: i64,
) -> Result<(), StorageError> {
    let insert = sqlx::query(
        "INSERT INTO blocks (group_id, stream_id, first_time, last_time, first_event, events, raw_bytes, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let insert = insert.bind(owner.group).bind(owner.stream).bind(block.first_ms).bind(block.last_ms);
    let insert =
        insert.bind(first_event).bind(count(block.events)).bind(count(block.raw_bytes)).bind(&block.data);
    insert.execute(&mut *connection).await?;
    add_stored(connection, owner.group, count(block.data.len())).await
}

/// Counts what a group takes up.
pub(super) async fn add_stored(
    connection: &mut SqliteConnection,
    group: i64,
    bytes: i64,
) -> Result<(), StorageError> {
    let add = sqlx::query("UPDATE groups SET stored_bytes = max(0, stored_bytes + ?) WHERE id = ?");
    add.bind(bytes).bind(group).execute(connection).await?;
    Ok(())
}

/// A block as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) stream_id: i64,
    pub(super) first_event: i64,
    pub(super) events: i64,
    pub(super) raw_bytes: i64,
    pub(super) data: Vec<u8>,
}

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            stream_id: row.try_get("stream_id")?,
            first_event: row.try_get("first_event")?,
            events: row.try_get("events")?,
            raw_bytes: row.try_get("raw_bytes")?,
            data: row.try_get("data")?,
        })
    }
}

impl Stored {
    /// Its events, each with its number in the store.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, StorageError> {
        let damaged = StorageError::Damaged { block: self.id };
        let (Ok(events), Ok(raw_bytes)) = (usize::try_from(self.events), usize::try_from(self.raw_bytes))
        else {
            return Err(damaged);
        };
        let mut entries = block::decode(&self.data, raw_bytes, events).map_err(|_| damaged)?;
        for entry in &mut entries {
            entry.number = entry.number.saturating_add(self.first_event);
        }
        Ok(entries)
    }
}

/// A number of things in memory, as the database has it.
pub(super) fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}
