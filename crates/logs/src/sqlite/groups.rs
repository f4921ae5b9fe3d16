//! Groups and their tags.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};

use crate::{
    CreateGroupError, DeleteGroupError, GroupChangeError, GroupFilter, GroupName, LogGroup, NewGroup,
    StorageError, Tag, TagError,
};

const COLUMNS: &str = "name, created_at, class, retention_days, kms_key, deletion_protected, stored_bytes";

/// The number of the group of a name.
pub(super) async fn id(
    connection: &mut SqliteConnection,
    name: &GroupName,
) -> Result<Option<i64>, StorageError> {
    let id = sqlx::query_scalar("SELECT id FROM groups WHERE name = ?").bind(name.as_str());
    Ok(id.fetch_optional(connection).await?)
}

pub(super) async fn create(
    connection: &mut SqliteConnection,
    group: &NewGroup,
    now_ms: i64,
    groups_max: u32,
) -> Result<(), CreateGroupError> {
    if id(connection, &group.name).await?.is_some() {
        return Err(CreateGroupError::Exists);
    }
    let count =
        sqlx::query_scalar::<_, i64>("SELECT count(name) FROM groups").fetch_one(&mut *connection).await;
    if count.map_err(StorageError::from)? >= i64::from(groups_max) {
        return Err(CreateGroupError::TooMany { limit: groups_max });
    }
    let insert = sqlx::query_scalar(
        "INSERT INTO groups (name, created_at, class, kms_key, deletion_protected) VALUES (?, ?, ?, ?, ?)
         RETURNING id",
    );
    let inserted = insert
        .bind(group.name.as_str())
        .bind(now_ms)
        .bind(&group.class)
        .bind(&group.kms_key)
        .bind(group.is_deletion_protected)
        .fetch_one(&mut *connection)
        .await;
    let id: i64 = inserted.map_err(StorageError::from)?;
    Ok(put_tags(connection, id, &group.tags).await?)
}

/// Takes the name away: what the group holds is removed later, a piece at a time.
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    name: &GroupName,
) -> Result<(), DeleteGroupError> {
    let found =
        sqlx::query_scalar("SELECT deletion_protected FROM groups WHERE name = ?").bind(name.as_str());
    match found.fetch_optional(&mut *connection).await.map_err(StorageError::from)? {
        None => return Err(DeleteGroupError::Unknown),
        Some(true) => return Err(DeleteGroupError::Protected),
        Some(false) => {}
    }
    let forget = sqlx::query("UPDATE groups SET name = NULL WHERE name = ?").bind(name.as_str());
    forget.execute(connection).await.map_err(StorageError::from)?;
    Ok(())
}

pub(super) async fn one(readers: &SqlitePool, name: &GroupName) -> Result<Option<LogGroup>, StorageError> {
    let filter = GroupFilter { prefix: Some(name.as_str().to_owned()), ..GroupFilter::default() };
    let first = list(readers, &filter, None, 1).await?;
    Ok(first.into_iter().find(|group| group.name == *name))
}

pub(super) async fn list(
    readers: &SqlitePool,
    filter: &GroupFilter,
    after: Option<&GroupName>,
    limit: u32,
) -> Result<Vec<LogGroup>, StorageError> {
    let mut select: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT ");
    select.push(COLUMNS).push(" FROM groups WHERE name IS NOT NULL");
    if let Some(prefix) = &filter.prefix {
        select.push(" AND name >= ").push_bind(prefix).push(" AND name < ").push_bind(end_of(prefix));
    }
    if let Some(substring) = &filter.substring {
        select.push(" AND instr(name, ").push_bind(substring).push(") > 0");
    }
    if let Some(class) = &filter.class {
        select.push(" AND class = ").push_bind(class);
    }
    if let Some(after) = after {
        select.push(" AND name > ").push_bind(after.as_str());
    }
    select.push(" ORDER BY name LIMIT ").push_bind(limit);
    let rows = select.build().fetch_all(readers).await?;
    rows.iter().map(group).collect()
}

pub(super) async fn set_retention(
    connection: &mut SqliteConnection,
    name: &GroupName,
    days: Option<u32>,
) -> Result<(), GroupChangeError> {
    let update =
        sqlx::query("UPDATE groups SET retention_days = ? WHERE name = ?").bind(days).bind(name.as_str());
    changed(update.execute(connection).await)
}

pub(super) async fn set_kms_key(
    connection: &mut SqliteConnection,
    name: &GroupName,
    key: Option<&str>,
) -> Result<(), GroupChangeError> {
    let update = sqlx::query("UPDATE groups SET kms_key = ? WHERE name = ?").bind(key).bind(name.as_str());
    changed(update.execute(connection).await)
}

fn changed(outcome: Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>) -> Result<(), GroupChangeError> {
    match outcome.map_err(StorageError::from)?.rows_affected() {
        0 => Err(GroupChangeError::Unknown),
        _ => Ok(()),
    }
}

pub(super) async fn tags(readers: &SqlitePool, name: &GroupName) -> Result<Vec<Tag>, GroupChangeError> {
    let mut connection = readers.acquire().await.map_err(StorageError::from)?;
    let id = id(&mut connection, name).await?.ok_or(GroupChangeError::Unknown)?;
    let select =
        sqlx::query_as::<_, (String, String)>("SELECT key, value FROM tags WHERE group_id = ? ORDER BY key");
    let rows = select.bind(id).fetch_all(&mut *connection).await.map_err(StorageError::from)?;
    Ok(rows.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

pub(super) async fn add_tags(
    connection: &mut SqliteConnection,
    name: &GroupName,
    tags: &[Tag],
    limit: usize,
) -> Result<(), TagError> {
    let id = id(connection, name).await?.ok_or(TagError::GroupUnknown)?;
    put_tags(connection, id, tags).await?;
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM tags WHERE group_id = ?").bind(id);
    let count = count.fetch_one(connection).await.map_err(StorageError::from)?;
    if usize::try_from(count).is_ok_and(|count| count <= limit) {
        Ok(())
    } else {
        Err(TagError::TooMany { limit })
    }
}

async fn put_tags(connection: &mut SqliteConnection, group: i64, tags: &[Tag]) -> Result<(), StorageError> {
    for tag in tags {
        let put = sqlx::query("INSERT OR REPLACE INTO tags (group_id, key, value) VALUES (?, ?, ?)");
        put.bind(group).bind(&tag.key).bind(&tag.value).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn remove_tags(
    connection: &mut SqliteConnection,
    name: &GroupName,
    keys: &[String],
) -> Result<(), TagError> {
    let id = id(connection, name).await?.ok_or(TagError::GroupUnknown)?;
    for key in keys {
        let remove = sqlx::query("DELETE FROM tags WHERE group_id = ? AND key = ?").bind(id).bind(key);
        remove.execute(&mut *connection).await.map_err(StorageError::from)?;
    }
    Ok(())
}

/// What comes after every name that begins so.
pub(super) fn end_of(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

fn group(row: &SqliteRow) -> Result<LogGroup, StorageError> {
    let name: String = row.try_get("name")?;
    let invalid = |error: crate::ParseNameError| StorageError::from(sqlx::Error::Decode(error.into()));
    let stored: i64 = row.try_get("stored_bytes")?;
    Ok(LogGroup {
        name: name.parse().map_err(invalid)?,
        created_at_ms: row.try_get("created_at")?,
        class: row.try_get("class")?,
        retention_days: row.try_get("retention_days")?,
        kms_key: row.try_get("kms_key")?,
        is_deletion_protected: row.try_get("deletion_protected")?,
        stored_bytes: u64::try_from(stored).unwrap_or(0),
    })
}
