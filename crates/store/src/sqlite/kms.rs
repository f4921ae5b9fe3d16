//! Encryption keys in SQLite.

mod alias;
mod material;

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{KmsAlias, KmsKeyId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Fields, SqliteStore, failed};
use crate::error::BoxError;
use crate::{
    IdentityError, KmsAliasError, KmsAliasRecord, KmsKey, KmsKeyState, KmsMaterial, KmsMaterialName,
    KmsPolicyError, KmsRotation, KmsStore, KmsTagError, Page, Paged, StoreError, Tag,
};

const TABLE: &str = "kms_keys";

/// A key with what belongs to it, in one row.
macro_rules! keys {
    ($rest:literal) => {
        concat!(
            "SELECT kms_keys.*,
                 (SELECT json_group_array(json_object('key', key, 'value', value) ORDER BY key)
                  FROM kms_tags WHERE key_id = kms_keys.id) AS tags,
                 (SELECT json_group_array(name ORDER BY name)
                  FROM kms_aliases WHERE key_id = kms_keys.id) AS aliases,
                 kms_materials.version AS material_version, kms_materials.name AS material_name
             FROM kms_keys JOIN kms_materials ON kms_materials.key_id = kms_keys.id
                 AND version = (SELECT max(version) FROM kms_materials WHERE key_id = kms_keys.id) ",
            $rest
        )
    };
}

#[async_trait]
impl KmsStore for SqliteStore {
    async fn create_kms_key(&self, key: &KmsKey, material: &KmsMaterial) -> Result<(), KmsPolicyError> {
        let mut tx = self.begin().await?;
        self.require_named(&mut tx, &key.policy).await?;
        let (state, deletion_at, deletion_days) = columns(key.state);
        sqlx::query(
            "INSERT INTO kms_keys (id, description, policy, state, deletion_at, deletion_days, rotation_days,
                 rotation_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(key.id.to_string())
        .bind(&key.description)
        .bind(&key.policy)
        .bind(state)
        .bind(deletion_at)
        .bind(deletion_days)
        .bind(key.rotation.map(|rotation| i64::from(rotation.days)))
        .bind(key.rotation.map(|rotation| rotation.at.as_microsecond()))
        .bind(key.created_at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(failed("create a key"))?;
        self.insert_material(&mut tx, &key.id, material).await?;
        put_tags(&mut tx, &key.id, &key.tags).await?;
        Ok(self.commit_change(tx, "create a key").await?)
    }

    async fn kms_key(&self, id: &KmsKeyId) -> Result<Option<KmsKey>, StoreError> {
        let row = sqlx::query(keys!("WHERE id = ?"))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a key"))?;
        row.as_ref().map(KmsKey::try_from).transpose()
    }

    async fn kms_key_of(&self, alias: &KmsAlias) -> Result<Option<KmsKey>, StoreError> {
        let row = sqlx::query(keys!("WHERE id = (SELECT key_id FROM kms_aliases WHERE name = ?)"))
            .bind(alias.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read the key of an alias"))?;
        row.as_ref().map(KmsKey::try_from).transpose()
    }

    async fn kms_keys(&self, page: &Page<KmsKeyId>) -> Result<Paged<KmsKeyId, KmsKeyId>, StoreError> {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM kms_keys WHERE (?1 IS NULL OR id > ?1) ORDER BY id LIMIT ?2")
                .bind(page.after.map(|after| after.to_string()))
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await
                .map_err(failed("list keys"))?;
        let parse = |id: &String| id.parse().map_err(|error| invalid(id, "id", error));
        let mut items = ids.iter().map(parse).collect::<Result<Vec<KmsKeyId>, _>>()?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().copied().filter(|_| has_more);
        Ok(Paged { items, next })
    }

    async fn kms_keys_due(&self, at: Timestamp, limit: u32) -> Result<Vec<KmsKey>, StoreError> {
        let rows = sqlx::query(keys!(
            "WHERE deletion_at <= ?1 OR (rotation_at <= ?1 AND state = 'Enabled') ORDER BY id LIMIT ?2"
        ))
        .bind(at.as_microsecond())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("look for keys that are due"))?;
        rows.iter().map(KmsKey::try_from).collect()
    }

    async fn describe_kms_key(&self, id: &KmsKeyId, description: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE kms_keys SET description = ? WHERE id = ?")
            .bind(description)
            .bind(id.to_string())
            .execute(&self.writer)
            .await
            .map_err(failed("describe a key"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn change_kms_key_state(
        &self,
        id: &KmsKeyId,
        from: KmsKeyState,
        to: KmsKeyState,
    ) -> Result<bool, StoreError> {
        let (old_state, old_at, old_days) = columns(from);
        let (state, at, days) = columns(to);
        let done = sqlx::query(
            "UPDATE kms_keys SET state = ?, deletion_at = ?, deletion_days = ?
             WHERE id = ? AND state = ? AND deletion_at IS ? AND deletion_days IS ?",
        )
        .bind(state)
        .bind(at)
        .bind(days)
        .bind(id.to_string())
        .bind(old_state)
        .bind(old_at)
        .bind(old_days)
        .execute(&self.writer)
        .await
        .map_err(failed("change the state of a key"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn put_kms_key_policy(&self, id: &KmsKeyId, policy: &str) -> Result<(), KmsPolicyError> {
        let mut tx = self.begin().await?;
        self.require_named(&mut tx, policy).await?;
        let done = sqlx::query("UPDATE kms_keys SET policy = ? WHERE id = ?")
            .bind(policy)
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed("put a key policy"))?;
        if done.rows_affected() == 0 {
            return Err(KmsPolicyError::KeyUnknown);
        }
        Ok(self.commit_change(tx, "put a key policy").await?)
    }

    async fn set_kms_key_rotation(
        &self,
        id: &KmsKeyId,
        rotation: Option<KmsRotation>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE kms_keys SET rotation_days = ?, rotation_at = ? WHERE id = ?")
            .bind(rotation.map(|rotation| i64::from(rotation.days)))
            .bind(rotation.map(|rotation| rotation.at.as_microsecond()))
            .bind(id.to_string())
            .execute(&self.writer)
            .await
            .map_err(failed("set the rotation of a key"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn rotate_kms_key(
        &self,
        id: &KmsKeyId,
        material: &KmsMaterial,
        next: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let current: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM kms_materials WHERE key_id = ?")
                .bind(id.to_string())
                .fetch_one(&mut *tx)
                .await
                .map_err(failed("read the version of a key"))?;
        if current.map(|current| current + 1) != Some(i64::from(material.name.version)) {
            return Ok(false);
        }
        self.insert_material(&mut tx, id, material).await?;
        if let Some(next) = next {
            sqlx::query("UPDATE kms_keys SET rotation_at = ? WHERE id = ? AND rotation_days IS NOT NULL")
                .bind(next.as_microsecond())
                .bind(id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(failed("set the next rotation of a key"))?;
        }
        tx.commit().await.map_err(failed("rotate a key"))?;
        Ok(true)
    }

    async fn kms_material(&self, id: &KmsKeyId, version: u32) -> Result<Option<KmsMaterial>, StoreError> {
        self.material(id, version).await
    }

    async fn kms_materials(&self, id: &KmsKeyId) -> Result<Vec<KmsMaterial>, StoreError> {
        self.materials(id).await
    }

    async fn delete_kms_key(&self, id: &KmsKeyId, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("DELETE FROM kms_keys WHERE id = ? AND deletion_at <= ?")
            .bind(id.to_string())
            .bind(at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a key"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.commit_change(tx, "delete a key").await?;
        Ok(true)
    }

    async fn create_kms_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError> {
        self.insert_alias(alias, key, at).await
    }

    async fn update_kms_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError> {
        self.move_alias(alias, key, at).await
    }

    async fn delete_kms_alias(&self, alias: &KmsAlias) -> Result<bool, StoreError> {
        self.remove_alias(alias).await
    }

    async fn kms_alias(&self, alias: &KmsAlias) -> Result<Option<KmsAliasRecord>, StoreError> {
        self.find_alias(alias).await
    }

    async fn kms_aliases(
        &self,
        key: Option<&KmsKeyId>,
        page: &Page<KmsAlias>,
    ) -> Result<Paged<KmsAliasRecord, KmsAlias>, StoreError> {
        self.list_aliases(key, page).await
    }

    async fn tag_kms_key(&self, id: &KmsKeyId, tags: &[Tag], limit: usize) -> Result<(), KmsTagError> {
        let mut tx = self.begin().await?;
        if !exists(&mut tx, id).await? {
            return Err(KmsTagError::KeyUnknown);
        }
        put_tags(&mut tx, id, tags).await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM kms_tags WHERE key_id = ?")
            .bind(id.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("count the tags of a key"))?;
        if usize::try_from(count).is_ok_and(|count| count > limit) {
            return Err(KmsTagError::TooMany { limit });
        }
        Ok(self.commit_change(tx, "tag a key").await?)
    }

    async fn untag_kms_key(&self, id: &KmsKeyId, keys: &[String]) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !exists(&mut tx, id).await? {
            return Ok(false);
        }
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM kms_tags WHERE key_id = ");
        query.push_bind(id.to_string());
        super::page::one_of(&mut query, "key", keys.iter().cloned());
        query.build().execute(&mut *tx).await.map_err(failed("untag a key"))?;
        self.commit_change(tx, "untag a key").await?;
        Ok(true)
    }
}

impl SqliteStore {
    async fn require_named(
        &self,
        connection: &mut SqliteConnection,
        policy: &str,
    ) -> Result<(), KmsPolicyError> {
        self.require_principals(connection, policy).await.map_err(|error| match error {
            IdentityError::PrincipalUnknown { principal } => KmsPolicyError::PrincipalUnknown { principal },
            IdentityError::Store(error) => KmsPolicyError::Store(error),
            other => KmsPolicyError::Store(StoreError::Database {
                action: "look up whom a key policy names",
                source: other.into(),
            }),
        })
    }
}

async fn exists(connection: &mut SqliteConnection, id: &KmsKeyId) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM kms_keys WHERE id = ?)")
        .bind(id.to_string())
        .fetch_one(connection)
        .await
        .map_err(failed("look for a key"))
}

async fn put_tags(connection: &mut SqliteConnection, id: &KmsKeyId, tags: &[Tag]) -> Result<(), StoreError> {
    for tag in tags {
        sqlx::query(
            "INSERT INTO kms_tags (key_id, key, value) VALUES (?, ?, ?)
             ON CONFLICT (key_id, key) DO UPDATE SET value = excluded.value",
        )
        .bind(id.to_string())
        .bind(&tag.key)
        .bind(&tag.value)
        .execute(&mut *connection)
        .await
        .map_err(failed("write a tag of a key"))?;
    }
    Ok(())
}

/// State, time and days as the columns have them.
fn columns(state: KmsKeyState) -> (&'static str, Option<i64>, Option<i64>) {
    match state {
        KmsKeyState::Enabled => ("Enabled", None, None),
        KmsKeyState::Disabled => ("Disabled", None, None),
        KmsKeyState::PendingDeletion { at, days } => {
            ("PendingDeletion", Some(at.as_microsecond()), Some(i64::from(days)))
        }
    }
}

fn invalid(id: &str, column: &'static str, error: impl Into<BoxError>) -> StoreError {
    StoreError::InvalidRow { table: TABLE, column, id: id.to_owned(), source: error.into() }
}

/// Columns that are there together or not at all.
fn both<T, U>(fields: &Fields<'_>, pair: (Option<T>, Option<U>)) -> Result<Option<(T, U)>, StoreError> {
    match pair {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        _ => Err(fields.invalid("state", "one of two columns is missing")),
    }
}

impl TryFrom<&SqliteRow> for KmsKey {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, TABLE, "id");
        let deletion = (fields.time_option("deletion_at")?, fields.get("deletion_days")?);
        let state = match (fields.get::<&str>("state")?, both(&fields, deletion)?) {
            ("Enabled", None) => KmsKeyState::Enabled,
            ("Disabled", None) => KmsKeyState::Disabled,
            ("PendingDeletion", Some((at, days))) => KmsKeyState::PendingDeletion { at, days },
            _ => return Err(fields.invalid("state", "there is no such state")),
        };
        let rotation = (fields.get("rotation_days")?, fields.time_option("rotation_at")?);
        let rotation = both(&fields, rotation)?.map(|(days, at)| KmsRotation { days, at });
        Ok(Self {
            id: fields.parse("id")?,
            description: fields.get("description")?,
            policy: fields.get("policy")?,
            state,
            rotation,
            created_at: fields.time("created_at")?,
            tags: fields.json("tags")?,
            aliases: fields.json("aliases")?,
            current: KmsMaterialName {
                version: fields.get("material_version")?,
                name: fields.get("material_name")?,
            },
        })
    }
}
