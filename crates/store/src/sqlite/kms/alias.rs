//! Aliases of encryption keys in SQLite.

use jiff::Timestamp;
use postern_ids::{KmsAlias, KmsKeyId};
use sqlx::sqlite::SqliteRow;

use super::super::page::paged;
use super::super::{Fields, SqliteStore, failed};
use super::exists;
use crate::{KmsAliasError, KmsAliasRecord, Page, Paged, StoreError};

impl SqliteStore {
    pub(super) async fn insert_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError> {
        let mut tx = self.begin().await?;
        if !exists(&mut tx, key).await? {
            return Err(KmsAliasError::KeyUnknown);
        }
        let done = sqlx::query(
            "INSERT INTO kms_aliases (name, key_id, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(alias.as_str())
        .bind(key.to_string())
        .bind(at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(failed("create an alias"))?;
        if done.rows_affected() == 0 {
            return Err(KmsAliasError::AlreadyExists);
        }
        Ok(self.commit_change(tx, "create an alias").await?)
    }

    pub(super) async fn move_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError> {
        let mut tx = self.begin().await?;
        if !exists(&mut tx, key).await? {
            return Err(KmsAliasError::KeyUnknown);
        }
        let done = sqlx::query("UPDATE kms_aliases SET key_id = ?, updated_at = ? WHERE name = ?")
            .bind(key.to_string())
            .bind(at.as_microsecond())
            .bind(alias.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("move an alias"))?;
        if done.rows_affected() == 0 {
            return Err(KmsAliasError::AliasUnknown);
        }
        Ok(self.commit_change(tx, "move an alias").await?)
    }

    pub(super) async fn remove_alias(&self, alias: &KmsAlias) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("DELETE FROM kms_aliases WHERE name = ?")
            .bind(alias.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an alias"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.commit_change(tx, "delete an alias").await?;
        Ok(true)
    }

    pub(super) async fn find_alias(&self, alias: &KmsAlias) -> Result<Option<KmsAliasRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM kms_aliases WHERE name = ?")
            .bind(alias.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an alias"))?;
        row.as_ref().map(KmsAliasRecord::try_from).transpose()
    }

    pub(super) async fn list_aliases(
        &self,
        key: Option<&KmsKeyId>,
        page: &Page<KmsAlias>,
    ) -> Result<Paged<KmsAliasRecord, KmsAlias>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM kms_aliases WHERE (?1 IS NULL OR key_id = ?1) AND (?2 IS NULL OR name > ?2)
             ORDER BY name LIMIT ?3",
        )
        .bind(key.map(ToString::to_string))
        .bind(page.after.as_ref().map(KmsAlias::as_str))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("list aliases"))?;
        paged(&rows, page.limit, |alias: &KmsAliasRecord| alias.name.clone())
    }
}

impl TryFrom<&SqliteRow> for KmsAliasRecord {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "kms_aliases", "name");
        Ok(Self {
            name: fields.parse("name")?,
            key: fields.parse("key_id")?,
            created_at: fields.time("created_at")?,
            updated_at: fields.time("updated_at")?,
        })
    }
}
