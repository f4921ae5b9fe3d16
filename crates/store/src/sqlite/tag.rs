//! Tags in SQLite.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{Fields, SqliteStore, failed};
use crate::{AddTagsError, ResourceKey, ResourceType, StoreError, Tag, TagStore};

#[async_trait]
impl TagStore for SqliteStore {
    async fn add_tags(&self, resource: &ResourceKey, tags: &[Tag], limit: usize) -> Result<(), AddTagsError> {
        let mut tx = self.begin().await?;
        let exists = match resource.resource_type {
            ResourceType::ManagedInstance => Some("SELECT EXISTS (SELECT 1 FROM nodes WHERE id = ?)"),
            ResourceType::Document => Some("SELECT EXISTS (SELECT 1 FROM documents WHERE name = ?)"),
            ResourceType::Parameter => None,
        };
        if let Some(exists) = exists {
            let known: bool = sqlx::query_scalar(exists)
                .bind(resource.id.as_str())
                .fetch_one(&mut *tx)
                .await
                .map_err(failed("look for a tagged resource"))?;
            if !known {
                return Err(AddTagsError::ResourceUnknown);
            }
        }
        put_tags(&mut tx, resource, tags).await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tags WHERE resource_type = ? AND resource_id = ?")
                .bind(resource.resource_type.as_str())
                .bind(resource.id.as_str())
                .fetch_one(&mut *tx)
                .await
                .map_err(failed("count tags"))?;
        if usize::try_from(count).is_ok_and(|count| count > limit) {
            return Err(AddTagsError::TooMany { limit });
        }
        Ok(self.commit_change(tx, "write tags").await?)
    }

    async fn remove_tags(&self, resource: &ResourceKey, keys: &[String]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for key in keys {
            sqlx::query("DELETE FROM tags WHERE resource_type = ? AND resource_id = ? AND key = ?")
                .bind(resource.resource_type.as_str())
                .bind(resource.id.as_str())
                .bind(key)
                .execute(&mut *tx)
                .await
                .map_err(failed("remove tags"))?;
        }
        self.commit_change(tx, "remove tags").await
    }

    async fn tags(&self, resource: &ResourceKey) -> Result<Vec<Tag>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tags WHERE resource_type = ? AND resource_id = ? ORDER BY key")
            .bind(resource.resource_type.as_str())
            .bind(resource.id.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read tags"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::new(row, "tags", "resource_id");
                Ok(Tag { key: fields.get("key")?, value: fields.get("value")? })
            })
            .collect()
    }
}

/// Writes tags inside a transaction, over those with the same keys.
pub(super) async fn put_tags(
    connection: &mut SqliteConnection,
    resource: &ResourceKey,
    tags: &[Tag],
) -> Result<(), StoreError> {
    for tag in tags {
        sqlx::query(
            "INSERT INTO tags (resource_type, resource_id, key, value) VALUES (?, ?, ?, ?)
             ON CONFLICT (resource_type, resource_id, key) DO UPDATE SET value = excluded.value",
        )
        .bind(resource.resource_type.as_str())
        .bind(resource.id.as_str())
        .bind(tag.key.as_str())
        .bind(tag.value.as_str())
        .execute(&mut *connection)
        .await
        .map_err(failed("write a tag"))?;
    }
    Ok(())
}
