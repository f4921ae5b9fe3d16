//! Buckets in SQLite.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::require_bucket;
use crate::sqlite::{Fields, SqliteStore, failed};
use crate::{Bucket, BucketLock, BucketStore, ObjectError, RetentionMode, StoreError};

#[async_trait]
impl BucketStore for SqliteStore {
    async fn create_bucket(&self, bucket: &Bucket) -> Result<bool, StoreError> {
        let default = bucket.lock.and_then(|lock| lock.default);
        let done = sqlx::query(
            "INSERT INTO buckets (name, created_at, lock_enabled, lock_mode, lock_days) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&bucket.name)
        .bind(bucket.created_at.as_microsecond())
        .bind(bucket.lock.is_some())
        .bind(default.map(|(mode, _)| mode.as_str()))
        .bind(default.map(|(_, days)| days))
        .execute(&self.writer)
        .await
        .map_err(failed("make a bucket"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn bucket(&self, name: &str) -> Result<Option<Bucket>, StoreError> {
        let row = sqlx::query("SELECT * FROM buckets WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a bucket"))?;
        row.as_ref().map(read).transpose()
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let rows = sqlx::query("SELECT * FROM buckets ORDER BY name")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list buckets"))?;
        rows.iter().map(read).collect()
    }

    async fn set_bucket_lock(&self, name: &str, lock: BucketLock) -> Result<(), ObjectError> {
        let done = sqlx::query(
            "UPDATE buckets SET lock_enabled = TRUE, lock_mode = ?, lock_days = ? WHERE name = ?",
        )
        .bind(lock.default.map(|(mode, _)| mode.as_str()))
        .bind(lock.default.map(|(_, days)| days))
        .bind(name)
        .execute(&self.writer)
        .await
        .map_err(failed("write the lock of a bucket"))?;
        if done.rows_affected() == 0 { Err(ObjectError::NoSuchBucket) } else { Ok(()) }
    }

    async fn delete_bucket(&self, name: &str) -> Result<(), ObjectError> {
        let mut tx = self.begin().await?;
        require_bucket(&mut tx, name).await?;
        let is_used: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)
                 OR EXISTS (SELECT 1 FROM uploads WHERE bucket = ?1)",
        )
        .bind(name)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("look into a bucket"))?;
        if is_used {
            return Err(ObjectError::BucketNotEmpty);
        }
        sqlx::query("DELETE FROM buckets WHERE name = ?")
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failed("remove a bucket"))?;
        tx.commit().await.map_err(failed("remove a bucket"))?;
        Ok(())
    }
}

pub(super) fn read(row: &SqliteRow) -> Result<Bucket, StoreError> {
    let fields = Fields::new(row, "buckets", "name");
    let mode: Option<RetentionMode> = fields.parse_option("lock_mode")?;
    let days: Option<u32> = fields.get("lock_days")?;
    let is_locked: bool = fields.get("lock_enabled")?;
    Ok(Bucket {
        name: fields.get("name")?,
        created_at: fields.time("created_at")?,
        lock: is_locked.then_some(BucketLock { default: mode.zip(days) }),
    })
}
