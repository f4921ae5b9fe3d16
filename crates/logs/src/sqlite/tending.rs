//! What is done in the background: removing what is expired or deleted, and putting small blocks together.
//!
//! Each step is a short transaction, so that writers never wait long.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{SqliteConnection, SqlitePool};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::blocks::{self, Owner, Stored};
use super::transaction::Transaction;
use crate::block::{Block, Entry};
use crate::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, BATCH_SPAN_MS, DAY_MS, StorageError};

/// Blocks that are removed in one transaction.
const REMOVED_MAX: i64 = 128;
/// A stream's small blocks are put together when there are this many.
const SMALL_BLOCKS_MIN: i64 = 16;
/// Blocks that are put together at a time.
const JOINED_MAX: i64 = 128;
/// Streams whose blocks are put together in one round.
const STREAMS_MAX: i64 = 64;
/// Pages of the file that are given back in one round.
const PAGES_FREED: &str = "PRAGMA incremental_vacuum(4096)";

/// Tends the file until told to stop.
pub(super) async fn run(
    writer: SqlitePool,
    every: Duration,
    now_ms: impl Fn() -> i64,
    stop: CancellationToken,
) {
    loop {
        let tended = tokio::select! {
            () = stop.cancelled() => return,
            tended = tend(&writer, now_ms()) => tended,
        };
        if let Err(error) = tended {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the logs cannot be tended");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// One round.
pub(super) async fn tend(writer: &SqlitePool, now_ms: i64) -> Result<(), StorageError> {
    while remove_deleted(writer).await? {}
    while remove_expired(writer, now_ms).await? {}
    for stream in fragmented(writer).await? {
        while join(writer, stream).await? {}
    }
    let mut transaction = Transaction::begin(writer).await?;
    sqlx::query(PAGES_FREED).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Removes some of what is in groups and streams that have been deleted. Whether there may be more.
async fn remove_deleted(writer: &SqlitePool) -> Result<bool, StorageError> {
    let mut transaction = Transaction::begin(writer).await?;
    let blocks = sqlx::query(
        "DELETE FROM blocks WHERE id IN (
             SELECT b.id FROM streams s JOIN blocks b ON b.stream_id = s.id
             WHERE s.name IS NULL OR s.group_id IN (SELECT id FROM groups WHERE name IS NULL) LIMIT ?)",
    );
    let removed = blocks.bind(REMOVED_MAX).execute(&mut *transaction).await?.rows_affected();
    if removed == 0 {
        let streams = sqlx::query(
            "DELETE FROM streams WHERE (name IS NULL OR group_id IN (SELECT id FROM groups WHERE name IS NULL))
                 AND NOT EXISTS (SELECT 1 FROM blocks WHERE stream_id = streams.id)",
        );
        streams.execute(&mut *transaction).await?;
        let groups = sqlx::query(
            "DELETE FROM groups WHERE name IS NULL
                 AND NOT EXISTS (SELECT 1 FROM streams WHERE group_id = groups.id)",
        );
        groups.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(removed > 0)
}

/// Removes some of the blocks whose last event is older than its group keeps them. Whether there may be more.
async fn remove_expired(writer: &SqlitePool, now_ms: i64) -> Result<bool, StorageError> {
    let mut transaction = Transaction::begin(writer).await?;
    let expired = sqlx::query_as::<_, (i64, i64, i64, i64)>(
        "SELECT b.id, b.group_id, b.stream_id, length(b.data) FROM groups g JOIN blocks b ON b.group_id = g.id
         WHERE g.retention_days IS NOT NULL AND b.last_time < ? - g.retention_days * ? LIMIT ?",
    );
    let expired = expired.bind(now_ms).bind(DAY_MS).bind(REMOVED_MAX).fetch_all(&mut *transaction).await?;
    let mut owners = BTreeMap::new();
    for (block, group, stream, bytes) in &expired {
        remove(&mut transaction, *block).await?;
        blocks::add_stored(&mut transaction, *group, -*bytes).await?;
        owners.insert(*stream, ());
    }
    for stream in owners.keys() {
        let first = sqlx::query(
            "UPDATE streams SET first_event = coalesce((SELECT min(first_time) FROM blocks WHERE stream_id = ?1), -1)
             WHERE id = ?1",
        );
        first.bind(stream).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(!expired.is_empty())
}

async fn remove(connection: &mut SqliteConnection, block: i64) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM blocks WHERE id = ?").bind(block).execute(connection).await?;
    Ok(())
}

/// Streams that have many small blocks.
async fn fragmented(writer: &SqlitePool) -> Result<Vec<i64>, StorageError> {
    let select = sqlx::query_scalar(
        "SELECT stream_id FROM blocks INDEXED BY small_blocks WHERE raw_bytes < 262144
         GROUP BY stream_id HAVING count(*) >= ? LIMIT ?",
    );
    Ok(select.bind(SMALL_BLOCKS_MIN).bind(STREAMS_MAX).fetch_all(writer).await?)
}

/// Puts some small blocks of a stream together. Whether there may be more.
async fn join(writer: &SqlitePool, stream: i64) -> Result<bool, StorageError> {
    let mut transaction = Transaction::begin(writer).await?;
    let select = sqlx::query_as(
        "SELECT id, stream_id, first_event, events, raw_bytes, data FROM blocks INDEXED BY small_blocks
         WHERE stream_id = ? AND raw_bytes < 262144 ORDER BY first_time LIMIT ?",
    );
    let small: Vec<Stored> = select.bind(stream).bind(JOINED_MAX).fetch_all(&mut *transaction).await?;
    if blocks::count(small.len()) < SMALL_BLOCKS_MIN {
        return Ok(false);
    }
    let is_last = blocks::count(small.len()) < JOINED_MAX;
    let group = sqlx::query_scalar("SELECT group_id FROM streams WHERE id = ?").bind(stream);
    let group: i64 = group.fetch_one(&mut *transaction).await?;
    let before: usize = small.iter().map(|block| block.data.len()).sum();
    let ids: Vec<i64> = small.iter().map(|block| block.id).collect();
    let joined = spawn_blocking(move || joined(&small)).await.map_err(|_| StorageError::Closed)??;
    // Events that are far apart stay apart.
    if joined.len() * 2 > ids.len() {
        return Ok(false);
    }
    for block in ids {
        remove(&mut transaction, block).await?;
    }
    blocks::add_stored(&mut transaction, group, -blocks::count(before)).await?;
    for (block, first_event) in &joined {
        blocks::insert(&mut transaction, Owner { group, stream }, block, *first_event).await?;
    }
    transaction.commit().await?;
    Ok(!is_last)
}

/// The events of blocks in larger ones, each with the number from which its events are counted.
fn joined(small: &[Stored]) -> Result<Vec<(Block, i64)>, StorageError> {
    let mut entries: Vec<Entry> = Vec::new();
    for block in small {
        entries.extend(block.entries()?);
    }
    entries.sort_by_key(|entry| (entry.timestamp_ms, entry.number));
    let mut blocks = Vec::new();
    let mut rest = entries.as_mut_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at_mut(fitting(rest));
        let first_event = now.iter().map(|entry| entry.number).min().unwrap_or(0);
        now.iter_mut().for_each(|entry| entry.number -= first_event);
        // Compressing what is in memory does not fail.
        blocks.push((Block::new(now).ok_or(StorageError::Closed)?, first_event));
        rest = later;
    }
    Ok(blocks)
}

fn fitting(entries: &[Entry]) -> usize {
    let first_ms = entries.first().map_or(0, |entry| entry.timestamp_ms);
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += entry.message.len();
        bytes <= BATCH_BYTES_MAX && entry.timestamp_ms.saturating_sub(first_ms) <= BATCH_SPAN_MS
    };
    entries.iter().take(BATCH_EVENTS_MAX).take_while(fits).count().max(1)
}
