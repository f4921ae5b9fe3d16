//! Uploads in parts, in SQLite.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::{Tx, behind, in_i64, json, key, replace, require_bucket, retention, segment};
use crate::sqlite::{Fields, SqliteStore, failed};
use crate::{
    Bypass, ObjectError, Precondition, Segment, StoreError, StoredObject, Upload, UploadPart, UploadStore,
};

#[async_trait]
impl UploadStore for SqliteStore {
    async fn begin_upload(&self, upload: &Upload) -> Result<(), ObjectError> {
        let mut tx = self.begin().await?;
        require_bucket(&mut tx, &upload.bucket).await?;
        sqlx::query(
            "INSERT INTO uploads (id, bucket, key, started_at, attributes, retention_mode, retained_until)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&upload.id)
        .bind(&upload.bucket)
        .bind(upload.key.as_bytes())
        .bind(upload.started_at.as_microsecond())
        .bind(json(&upload.attributes))
        .bind(upload.retention.map(|retention| retention.mode.as_str()))
        .bind(upload.retention.map(|retention| retention.until.as_microsecond()))
        .execute(&mut *tx)
        .await
        .map_err(failed("begin an upload"))?;
        tx.commit().await.map_err(failed("begin an upload"))?;
        Ok(())
    }

    async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        let row = sqlx::query("SELECT * FROM uploads WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an upload"))?;
        row.as_ref().map(read).transpose()
    }

    async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<(&str, &str)>,
        count_max: u32,
    ) -> Result<Vec<Upload>, StoreError> {
        let (key, id) = after.unwrap_or_default();
        let rows = sqlx::query(
            "SELECT * FROM uploads WHERE bucket = ? AND key >= ? AND key < ? AND (key, id) > (?, ?)
             ORDER BY key, id LIMIT ?",
        )
        .bind(bucket)
        .bind(prefix.as_bytes())
        .bind(behind(prefix))
        .bind(key.as_bytes())
        .bind(id)
        .bind(count_max)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("list uploads"))?;
        rows.iter().map(read).collect()
    }

    async fn uploads_before(&self, time: Timestamp, count_max: u32) -> Result<Vec<Upload>, StoreError> {
        let rows = sqlx::query("SELECT * FROM uploads WHERE started_at < ? ORDER BY started_at LIMIT ?")
            .bind(time.as_microsecond())
            .bind(count_max)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list uploads"))?;
        rows.iter().map(read).collect()
    }

    async fn put_part(&self, upload: &str, part: &UploadPart) -> Result<Vec<String>, ObjectError> {
        let mut tx = self.begin().await?;
        require_upload(&mut tx, upload).await?;
        let removed =
            sqlx::query_scalar("DELETE FROM upload_parts WHERE upload = ? AND number = ? RETURNING file")
                .bind(upload)
                .bind(part.number)
                .fetch_all(&mut *tx)
                .await
                .map_err(failed("replace a part of an upload"))?;
        sqlx::query(
            "INSERT INTO upload_parts (upload, number, file, size, entity_tag, modified_at, checksums)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(upload)
        .bind(part.number)
        .bind(&part.segment.file)
        .bind(in_i64(part.segment.size_bytes))
        .bind(&part.entity_tag)
        .bind(part.modified_at.as_microsecond())
        .bind(json(&part.checksums))
        .execute(&mut *tx)
        .await
        .map_err(failed("write a part of an upload"))?;
        tx.commit().await.map_err(failed("write a part of an upload"))?;
        Ok(removed)
    }

    async fn parts(&self, upload: &str, after: u32, count_max: u32) -> Result<Vec<UploadPart>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM upload_parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?")
                .bind(upload)
                .bind(after)
                .bind(count_max)
                .fetch_all(&self.readers)
                .await
                .map_err(failed("list the parts of an upload"))?;
        rows.iter().map(read_part).collect()
    }

    async fn complete_upload(
        &self,
        upload: &str,
        object: &StoredObject,
        parts: &[UploadPart],
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError> {
        let mut tx = self.begin().await?;
        require_upload(&mut tx, upload).await?;
        let mut unused: HashSet<String> = end(&mut tx, upload).await?.into_iter().collect();
        let mut contents: Vec<Segment> = Vec::with_capacity(parts.len());
        for part in parts {
            if !unused.remove(&part.segment.file) {
                return Err(ObjectError::InvalidPart { number: part.number });
            }
            contents.push(part.segment.clone());
        }
        let mut removed = Vec::from_iter(unused);
        removed.extend(replace(&mut tx, object, &contents, precondition, bypass).await?);
        tx.commit().await.map_err(failed("complete an upload"))?;
        Ok(removed)
    }

    async fn abort_upload(&self, upload: &str) -> Result<Vec<String>, ObjectError> {
        let mut tx = self.begin().await?;
        require_upload(&mut tx, upload).await?;
        let removed = end(&mut tx, upload).await?;
        tx.commit().await.map_err(failed("abort an upload"))?;
        Ok(removed)
    }
}

async fn require_upload(tx: &mut Tx, id: &str) -> Result<(), ObjectError> {
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?)")
        .bind(id)
        .fetch_one(&mut **tx)
        .await
        .map_err(failed("read an upload"))?;
    if is_there { Ok(()) } else { Err(ObjectError::NoSuchUpload) }
}

/// Removes an upload, and says which files its parts held.
async fn end(tx: &mut Tx, id: &str) -> Result<Vec<String>, StoreError> {
    let files = sqlx::query_scalar("DELETE FROM upload_parts WHERE upload = ? RETURNING file")
        .bind(id)
        .fetch_all(&mut **tx)
        .await
        .map_err(failed("remove the parts of an upload"))?;
    sqlx::query("DELETE FROM uploads WHERE id = ?")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(failed("remove an upload"))?;
    Ok(files)
}

fn read(row: &SqliteRow) -> Result<Upload, StoreError> {
    let fields = Fields::new(row, "uploads", "id");
    Ok(Upload {
        id: fields.get("id")?,
        bucket: fields.get("bucket")?,
        key: key(&fields, row)?,
        started_at: fields.time("started_at")?,
        attributes: fields.json("attributes")?,
        retention: retention(&fields)?,
    })
}

fn read_part(row: &SqliteRow) -> Result<UploadPart, StoreError> {
    let fields = Fields::new(row, "upload_parts", "file");
    Ok(UploadPart {
        number: fields.get("number")?,
        segment: segment(&fields)?,
        entity_tag: fields.get("entity_tag")?,
        modified_at: fields.time("modified_at")?,
        checksums: fields.json("checksums")?,
    })
}
