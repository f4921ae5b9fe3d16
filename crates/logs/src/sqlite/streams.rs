//! Streams.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::groups::{self, end_of};
use crate::{
    CreateStreamError, EventsError, GroupName, LogStream, StorageError, StreamChangeError, StreamFilter,
    StreamName, StreamOrder, StreamPosition,
};

/// The number of the stream of a name.
pub(super) async fn id(
    connection: &mut SqliteConnection,
    group: i64,
    name: &StreamName,
) -> Result<Option<i64>, StorageError> {
    let id = sqlx::query_scalar("SELECT id FROM streams WHERE group_id = ? AND name = ?");
    Ok(id.bind(group).bind(name.as_str()).fetch_optional(connection).await?)
}

/// Makes a stream that does not exist.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    group: i64,
    name: &StreamName,
    now_ms: i64,
) -> Result<i64, StorageError> {
    let insert =
        sqlx::query_scalar("INSERT INTO streams (group_id, name, created_at) VALUES (?, ?, ?) RETURNING id");
    Ok(insert.bind(group).bind(name.as_str()).bind(now_ms).fetch_one(connection).await?)
}

pub(super) async fn create(
    connection: &mut SqliteConnection,
    group: &GroupName,
    name: &StreamName,
    now_ms: i64,
) -> Result<(), CreateStreamError> {
    let group = groups::id(connection, group).await?.ok_or(CreateStreamError::GroupUnknown)?;
    if id(connection, group, name).await?.is_some() {
        return Err(CreateStreamError::Exists);
    }
    insert(connection, group, name, now_ms).await?;
    Ok(())
}

/// Takes the name away: what the stream holds is removed later, a piece at a time.
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    group: &GroupName,
    name: &StreamName,
) -> Result<(), StreamChangeError> {
    let group = groups::id(connection, group).await?.ok_or(StreamChangeError::GroupUnknown)?;
    let id = id(connection, group, name).await?.ok_or(StreamChangeError::StreamUnknown)?;
    let forget = sqlx::query("UPDATE streams SET name = NULL WHERE id = ?").bind(id);
    forget.execute(connection).await.map_err(StorageError::from)?;
    Ok(())
}

pub(super) async fn list(
    readers: &SqlitePool,
    group: &GroupName,
    filter: &StreamFilter,
    after: Option<&StreamPosition>,
    limit: u32,
) -> Result<Vec<LogStream>, EventsError> {
    let mut connection = readers.acquire().await.map_err(StorageError::from)?;
    let group = groups::id(&mut connection, group).await?.ok_or(EventsError::GroupUnknown)?;
    let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
        "SELECT name, created_at, first_event, last_event, last_ingestion FROM streams
         WHERE name IS NOT NULL AND group_id = ",
    );
    select.push_bind(group);
    if let Some(prefix) = &filter.prefix {
        select.push(" AND name >= ").push_bind(prefix).push(" AND name < ").push_bind(end_of(prefix));
    }
    let (comparison, way) = if filter.is_descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(after) = after {
        match filter.order {
            StreamOrder::Name => {
                select.push(format!(" AND name {comparison} ")).push_bind(after.name.as_str());
            }
            StreamOrder::LastEvent => {
                select.push(format!(" AND (last_event, name) {comparison} ("));
                select.push_bind(after.last_event_ms).push(", ").push_bind(after.name.as_str()).push(")");
            }
        }
    }
    select.push(match filter.order {
        StreamOrder::Name => format!(" ORDER BY name {way} LIMIT "),
        StreamOrder::LastEvent => format!(" ORDER BY last_event {way}, name {way} LIMIT "),
    });
    select.push_bind(limit);
    let rows = select.build().fetch_all(&mut *connection).await.map_err(StorageError::from)?;
    Ok(rows.iter().map(stream).collect::<Result<_, StorageError>>()?)
}

fn stream(row: &SqliteRow) -> Result<LogStream, StorageError> {
    let name: String = row.try_get("name")?;
    let invalid = |error: crate::ParseNameError| StorageError::from(sqlx::Error::Decode(error.into()));
    let (first, last): (i64, i64) = (row.try_get("first_event")?, row.try_get("last_event")?);
    Ok(LogStream {
        name: name.parse().map_err(invalid)?,
        created_at_ms: row.try_get("created_at")?,
        first_event_ms: Some(first).filter(|first| *first >= 0),
        last_event_ms: Some(last).filter(|last| *last >= 0),
        last_ingestion_ms: row.try_get("last_ingestion")?,
    })
}
