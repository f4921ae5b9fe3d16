//! Reading events, a page at a time.
//!
//! Blocks come in the order of their beginnings (of their ends, backward), so that the page is complete as soon as the
//! next block begins behind it. What a page may look at is bounded; then it ends early, and the next goes on.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::task::spawn_blocking;

use super::blocks::Stored;
use super::groups::{self, end_of};
use super::streams;
use crate::selection::Selection;
use crate::{
    BATCH_SPAN_MS, Cut, Direction, EventPage, EventQuery, EventsError, StorageError, StoredEvent, StreamName,
    Streams,
};

/// What a page looks at, uncompressed, before it ends early.
const SCANNED_BYTES_MAX: i64 = 64 << 20;
/// Blocks that are looked for at a time.
const FOUND_MAX: i64 = 128;
/// What is in memory of blocks at a time, compressed, as long as one fits.
const LOADED_BYTES_MAX: i64 = 4 << 20;

/// A block that may have events of the page.
#[derive(Debug, Clone, Copy)]
struct Found {
    id: i64,
    /// By what blocks are ordered: their beginning forward, their end backward.
    edge: i64,
    raw_bytes: i64,
}

impl FromRow<'_, SqliteRow> for Found {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { id: row.try_get("id")?, edge: row.try_get("edge")?, raw_bytes: row.try_get("raw_bytes")? })
    }
}

/// Which blocks to look at.
#[derive(Debug)]
enum Scope {
    Group { group: i64 },
    Streams { ids: Vec<i64> },
    Prefix { group: i64, prefix: String },
}

/// A page as it comes about.
struct Reader {
    query: EventQuery,
    scope: Scope,
    selection: Selection,
    names: HashMap<i64, Arc<StreamName>>,
}

pub(super) async fn events(readers: &SqlitePool, query: EventQuery) -> Result<EventPage, EventsError> {
    // One moment: blocks may be put together meanwhile.
    let mut moment = readers.begin().await.map_err(StorageError::from)?;
    let scope = scope(&mut moment, &query).await?;
    let selection = Selection::new(query.direction, query.events_max, query.bytes_max);
    let direction = query.direction;
    let mut reader = Reader { query, scope, selection, names: HashMap::new() };
    reader.read(&mut moment).await?;
    moment.rollback().await.map_err(StorageError::from)?;
    let (events, end) = reader.selection.finish();
    let next = match direction {
        Direction::Forward => end,
        Direction::Backward => end.map(Cut::behind),
    };
    Ok(EventPage { events, next })
}

async fn scope(connection: &mut SqliteConnection, query: &EventQuery) -> Result<Scope, EventsError> {
    let group = groups::id(connection, &query.group).await?.ok_or(EventsError::GroupUnknown)?;
    Ok(match &query.streams {
        Streams::All => Scope::Group { group },
        Streams::Prefix(prefix) => Scope::Prefix { group, prefix: prefix.clone() },
        Streams::Named(names) => {
            let mut ids = Vec::with_capacity(names.len());
            for name in names {
                ids.push(streams::id(connection, group, name).await?.ok_or(EventsError::StreamUnknown)?);
            }
            Scope::Streams { ids }
        }
    })
}

impl Reader {
    async fn read(&mut self, connection: &mut SqliteConnection) -> Result<(), StorageError> {
        let mut after: Option<Found> = None;
        let mut scanned = 0;
        loop {
            let found = self.find(connection, after).await?;
            let Some(last) = found.last().copied() else { return Ok(()) };
            let mut rest = found.as_slice();
            while let Some(first) = rest.first() {
                if !self.selection.has_room_at(self.edge(first)) {
                    return Ok(());
                }
                // Ending here is of use only if the next page begins behind where this one did.
                if scanned >= SCANNED_BYTES_MAX && self.is_progress(first) {
                    self.selection.end_before(self.edge(first));
                    return Ok(());
                }
                let (now, later) = rest.split_at(together(rest));
                scanned += now.iter().map(|block| block.raw_bytes).sum::<i64>();
                self.look_at(connection, now).await?;
                rest = later;
            }
            after = Some(last);
        }
    }

    /// The place at which a block's events begin, in the direction of the query.
    fn edge(&self, found: &Found) -> Cut {
        match self.query.direction {
            Direction::Forward => Cut::before(found.edge),
            Direction::Backward => Cut::before(found.edge.saturating_add(1)),
        }
    }

    fn is_progress(&self, found: &Found) -> bool {
        match self.query.direction {
            Direction::Forward => self.edge(found) > self.first(),
            Direction::Backward => self.edge(found) < self.last(),
        }
    }

    /// The place before the first event that is meant.
    fn first(&self) -> Cut {
        let from = Cut::before(self.query.from_ms);
        match (self.query.direction, self.query.start) {
            (Direction::Forward, Some(start)) => start.max(from),
            _ => from,
        }
    }

    /// The place behind the last event that is meant.
    fn last(&self) -> Cut {
        let until = Cut::before(self.query.until_ms);
        match (self.query.direction, self.query.start) {
            (Direction::Backward, Some(start)) => start.min(until),
            _ => until,
        }
    }

    /// The next blocks that may have events of the page.
    async fn find(
        &self,
        connection: &mut SqliteConnection,
        after: Option<Found>,
    ) -> Result<Vec<Found>, StorageError> {
        let (edge, way, comparison) = match self.query.direction {
            Direction::Forward => ("first_time", "ASC", ">"),
            Direction::Backward => ("last_time", "DESC", "<"),
        };
        let mut select: QueryBuilder<Sqlite> =
            QueryBuilder::new(format!("SELECT id, {edge} AS edge, raw_bytes FROM blocks WHERE "));
        self.push_scope(&mut select);
        let (first_ms, last_ms) = (self.first().timestamp_ms, self.last().timestamp_ms);
        select.push(" AND last_time >= ").push_bind(first_ms);
        select.push(" AND first_time <= ").push_bind(last_ms);
        // No block spans more: this bounds what of an index is looked at.
        match self.query.direction {
            Direction::Forward => {
                select.push(" AND first_time >= ").push_bind(first_ms.saturating_sub(BATCH_SPAN_MS));
            }
            Direction::Backward => {
                select.push(" AND last_time <= ").push_bind(last_ms.saturating_add(BATCH_SPAN_MS));
            }
        }
        if let Some(after) = after {
            select.push(format!(" AND ({edge}, id) {comparison} ("));
            select.push_bind(after.edge).push(", ").push_bind(after.id).push(")");
        }
        select.push(format!(" ORDER BY {edge} {way}, id {way} LIMIT ")).push_bind(FOUND_MAX);
        Ok(select.build_query_as().fetch_all(connection).await?)
    }

    fn push_scope(&self, select: &mut QueryBuilder<Sqlite>) {
        match &self.scope {
            Scope::Group { group } => {
                select.push("group_id = ").push_bind(*group);
                select
                    .push(" AND stream_id NOT IN (SELECT id FROM streams WHERE name IS NULL AND group_id = ");
                select.push_bind(*group).push(")");
            }
            Scope::Streams { ids } => {
                select.push("stream_id IN (");
                let mut list = select.separated(", ");
                ids.iter().for_each(|id| {
                    list.push_bind(*id);
                });
                select.push(")");
            }
            Scope::Prefix { group, prefix } => {
                select.push("stream_id IN (SELECT id FROM streams WHERE group_id = ").push_bind(*group);
                select.push(" AND name >= ").push_bind(prefix.clone());
                select.push(" AND name < ").push_bind(end_of(prefix)).push(")");
            }
        }
    }

    /// Offers the events of blocks to the page.
    async fn look_at(
        &mut self,
        connection: &mut SqliteConnection,
        found: &[Found],
    ) -> Result<(), StorageError> {
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT id, stream_id, first_event, events, raw_bytes, data FROM blocks WHERE id IN (",
        );
        let mut list = select.separated(", ");
        found.iter().for_each(|block| {
            list.push_bind(block.id);
        });
        select.push(")");
        let blocks: Vec<Stored> = select.build_query_as().fetch_all(&mut *connection).await?;
        for block in &blocks {
            self.learn_name(connection, block.stream_id).await?;
        }
        let (first, last, pattern) = (self.first(), self.last(), self.query.pattern.clone());
        let names = self.names.clone();
        let nothing = Selection::new(self.query.direction, 1, 0);
        let mut selection = std::mem::replace(&mut self.selection, nothing);
        let choose = move || {
            for block in blocks {
                let Some(stream) = names.get(&block.stream_id) else { continue };
                for entry in block.entries()? {
                    let cut = Cut { timestamp_ms: entry.timestamp_ms, event_id: entry.number };
                    let is_meant = cut >= first
                        && cut < last
                        && selection.has_room_at(cut)
                        && pattern.as_ref().is_none_or(|pattern| pattern.matches(&entry.message));
                    if is_meant {
                        selection.offer(StoredEvent {
                            stream: Arc::clone(stream),
                            id: entry.number,
                            timestamp_ms: entry.timestamp_ms,
                            ingested_at_ms: entry.ingested_at_ms,
                            message: entry.message,
                        });
                    }
                }
            }
            Ok::<_, StorageError>(selection)
        };
        self.selection = spawn_blocking(choose).await.map_err(|_| StorageError::Closed)??;
        Ok(())
    }

    async fn learn_name(
        &mut self,
        connection: &mut SqliteConnection,
        stream: i64,
    ) -> Result<(), StorageError> {
        if self.names.contains_key(&stream) {
            return Ok(());
        }
        let name =
            sqlx::query_scalar::<_, Option<String>>("SELECT name FROM streams WHERE id = ?").bind(stream);
        let name = name.fetch_one(connection).await?;
        if let Some(name) = name.and_then(|name| name.parse().ok()) {
            self.names.insert(stream, Arc::new(name));
        }
        Ok(())
    }
}

/// How many of the blocks are looked at together.
fn together(found: &[Found]) -> usize {
    let mut bytes = 0;
    let fits = |block: &&Found| {
        bytes += block.raw_bytes;
        bytes <= LOADED_BYTES_MAX
    };
    found.iter().take_while(fits).count().max(1)
}
