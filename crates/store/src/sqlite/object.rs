//! Buckets, objects and uploads in SQLite.

mod bucket;
mod upload;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{Fields, SqliteStore, failed};
use crate::{
    BucketLock, Bypass, ObjectError, ObjectStore, Precondition, Retention, RetentionMode, Segment,
    StoreError, StoredObject,
};

type Tx = Transaction<'static, Sqlite>;

/// The byte behind which no key goes on: UTF-8 has no 0xff.
const PAST_ALL_KEYS: u8 = 0xff;

#[async_trait]
impl ObjectStore for SqliteStore {
    async fn object(&self, bucket: &str, key: &str) -> Result<Option<StoredObject>, StoreError> {
        let row = sqlx::query("SELECT * FROM objects WHERE bucket = ? AND key = ?")
            .bind(bucket)
            .bind(key.as_bytes())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an object"))?;
        row.as_ref().map(read).transpose()
    }

    async fn object_contents(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<Option<(StoredObject, Vec<Segment>)>, StoreError> {
        let mut tx = self.snapshot().await?;
        let row = sqlx::query("SELECT * FROM objects WHERE bucket = ? AND key = ?")
            .bind(bucket)
            .bind(key.as_bytes())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed("read an object"))?;
        let Some(row) = row else { return Ok(None) };
        let object = read(&row)?;
        let id: i64 = Fields::new(&row, "objects", "id").get("id")?;
        let rows = sqlx::query("SELECT file, size FROM object_segments WHERE object = ? ORDER BY position")
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("read what an object holds"))?;
        let segments: Result<Vec<Segment>, StoreError> =
            rows.iter().map(|row| segment(&Fields::new(row, "object_segments", "file"))).collect();
        Ok(Some((object, segments?)))
    }

    async fn objects(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        count_max: u32,
    ) -> Result<Vec<StoredObject>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM objects WHERE bucket = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
        )
        .bind(bucket)
        .bind(prefix.as_bytes())
        .bind(behind(prefix))
        .bind(after.unwrap_or_default().as_bytes())
        .bind(count_max)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("list objects"))?;
        rows.iter().map(read).collect()
    }

    async fn put_object(
        &self,
        object: &StoredObject,
        contents: &[Segment],
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError> {
        let mut tx = self.begin().await?;
        let removed = replace(&mut tx, object, contents, precondition, bypass).await?;
        tx.commit().await.map_err(failed("write an object"))?;
        Ok(removed)
    }

    async fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError> {
        let mut tx = self.begin().await?;
        require_bucket(&mut tx, bucket).await?;
        let removed = clear(&mut tx, bucket, key, precondition, bypass).await?;
        tx.commit().await.map_err(failed("remove an object"))?;
        Ok(removed)
    }

    async fn set_retention(
        &self,
        bucket: &str,
        key: &str,
        retention: Option<Retention>,
        bypass: Bypass,
    ) -> Result<(), ObjectError> {
        let mut tx = self.begin().await?;
        let (id, object) = present(&mut tx, bucket, key).await?.ok_or(ObjectError::NoSuchObject)?;
        if let Some(held) = object.retention.filter(|held| held.holds(bypass)) {
            let is_longer = retention.is_some_and(|new| {
                let is_as_strict = held.mode == RetentionMode::Governance || new.mode == held.mode;
                new.until >= held.until && is_as_strict
            });
            if !is_longer {
                return Err(ObjectError::Retained { until: held.until });
            }
        }
        sqlx::query("UPDATE objects SET retention_mode = ?, retained_until = ? WHERE id = ?")
            .bind(retention.map(|retention| retention.mode.as_str()))
            .bind(retention.map(|retention| retention.until.as_microsecond()))
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed("write the retention of an object"))?;
        tx.commit().await.map_err(failed("write the retention of an object"))?;
        Ok(())
    }

    async fn files_needed(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT file FROM object_segments WHERE file >= ?1 AND file < ?2
             UNION ALL SELECT file FROM upload_parts WHERE file >= ?1 AND file < ?2",
        )
        .bind(prefix)
        .bind(format!("{prefix}{}", char::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("look for the owners of files"))
    }
}

/// Writes an object in the place of what has its key.
async fn replace(
    tx: &mut Tx,
    object: &StoredObject,
    contents: &[Segment],
    precondition: &Precondition,
    bypass: Bypass,
) -> Result<Vec<String>, ObjectError> {
    let lock = require_bucket(tx, &object.bucket).await?;
    let removed = clear(tx, &object.bucket, &object.key, precondition, bypass).await?;
    let retention = object.retention.or_else(|| default_retention(lock, object.modified_at));
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO objects
             (bucket, key, size, entity_tag, modified_at, attributes, retention_mode, retained_until)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&object.bucket)
    .bind(object.key.as_bytes())
    .bind(in_i64(object.size_bytes))
    .bind(&object.entity_tag)
    .bind(object.modified_at.as_microsecond())
    .bind(json(&object.attributes))
    .bind(retention.map(|retention| retention.mode.as_str()))
    .bind(retention.map(|retention| retention.until.as_microsecond()))
    .fetch_one(&mut **tx)
    .await
    .map_err(failed("write an object"))?;
    for (position, segment) in (0_i64..).zip(contents) {
        sqlx::query("INSERT INTO object_segments (object, position, file, size) VALUES (?, ?, ?, ?)")
            .bind(id)
            .bind(position)
            .bind(&segment.file)
            .bind(in_i64(segment.size_bytes))
            .execute(&mut **tx)
            .await
            .map_err(failed("write what an object holds"))?;
    }
    Ok(removed)
}

/// Removes what has this key, if that may be, and says which files it held.
async fn clear(
    tx: &mut Tx,
    bucket: &str,
    key: &str,
    precondition: &Precondition,
    bypass: Bypass,
) -> Result<Vec<String>, ObjectError> {
    let found = present(tx, bucket, key).await?;
    let holds = match (precondition, &found) {
        (Precondition::None, _) | (Precondition::IsAbsent, None) => true,
        (Precondition::HasTag(tag), Some((_, object))) => object.entity_tag == *tag,
        (Precondition::IsAbsent, Some(_)) | (Precondition::HasTag(_), None) => false,
    };
    if !holds {
        return Err(ObjectError::PreconditionFailed);
    }
    let Some((id, object)) = found else { return Ok(Vec::new()) };
    if let Some(held) = object.retention.filter(|held| held.holds(bypass)) {
        return Err(ObjectError::Retained { until: held.until });
    }
    let files = sqlx::query_scalar("DELETE FROM object_segments WHERE object = ? RETURNING file")
        .bind(id)
        .fetch_all(&mut **tx)
        .await
        .map_err(failed("remove what an object holds"))?;
    sqlx::query("DELETE FROM objects WHERE id = ?")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(failed("remove an object"))?;
    Ok(files)
}

async fn present(tx: &mut Tx, bucket: &str, key: &str) -> Result<Option<(i64, StoredObject)>, StoreError> {
    let row = sqlx::query("SELECT * FROM objects WHERE bucket = ? AND key = ?")
        .bind(bucket)
        .bind(key.as_bytes())
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed("read an object"))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((Fields::new(&row, "objects", "id").get("id")?, read(&row)?)))
}

/// The rule of a bucket that is there.
async fn require_bucket(tx: &mut Tx, name: &str) -> Result<Option<BucketLock>, ObjectError> {
    let row = sqlx::query("SELECT * FROM buckets WHERE name = ?")
        .bind(name)
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed("read a bucket"))?;
    let row = row.ok_or(ObjectError::NoSuchBucket)?;
    Ok(bucket::read(&row)?.lock)
}

/// What a bucket's rule gives an object that is written at a time.
fn default_retention(lock: Option<BucketLock>, at: Timestamp) -> Option<Retention> {
    let (mode, days) = lock?.default?;
    let until = at.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days)));
    Some(Retention { mode, until: until.unwrap_or(Timestamp::MAX) })
}

fn read(row: &SqliteRow) -> Result<StoredObject, StoreError> {
    let fields = Fields::new(row, "objects", "bucket");
    Ok(StoredObject {
        bucket: fields.get("bucket")?,
        key: key(&fields, row)?,
        size_bytes: size(&fields)?,
        entity_tag: fields.get("entity_tag")?,
        modified_at: fields.time("modified_at")?,
        attributes: fields.json("attributes")?,
        retention: retention(&fields)?,
    })
}

fn key(fields: &Fields<'_>, row: &SqliteRow) -> Result<String, StoreError> {
    let bytes: Vec<u8> = row.try_get("key").map_err(|error| fields.invalid("key", error))?;
    String::from_utf8(bytes).map_err(|error| fields.invalid("key", error))
}

fn segment(fields: &Fields<'_>) -> Result<Segment, StoreError> {
    Ok(Segment { file: fields.get("file")?, size_bytes: size(fields)? })
}

fn size(fields: &Fields<'_>) -> Result<u64, StoreError> {
    u64::try_from(fields.get::<i64>("size")?).map_err(|error| fields.invalid("size", error))
}

fn retention(fields: &Fields<'_>) -> Result<Option<Retention>, StoreError> {
    let mode: Option<RetentionMode> = fields.parse_option("retention_mode")?;
    Ok(match (mode, fields.time_option("retained_until")?) {
        (Some(mode), Some(until)) => Some(Retention { mode, until }),
        _ => None,
    })
}

/// The first text of bytes that is behind everything that begins with `prefix`.
fn behind(prefix: &str) -> Vec<u8> {
    let mut past = prefix.as_bytes().to_vec();
    past.push(PAST_ALL_KEYS);
    past
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts by text are JSON")
}

fn in_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
