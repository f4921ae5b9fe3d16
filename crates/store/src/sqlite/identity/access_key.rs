//! Access keys in SQLite.

use async_trait::async_trait;
use postern_ids::{AccessKeyId, UserName};
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, count_of, failed, find_id, unless_taken, user_id};
use crate::seal::Place;
use crate::{
    AccessKey, AccessKeyStore, AccessKeyUse, Entity, IdentityError, KeyLastUsed, KeyStatus, Quota, Secret,
    StoreError,
};

#[async_trait]
impl AccessKeyStore for SqliteStore {
    async fn create_access_key(&self, key: &AccessKey) -> Result<(), IdentityError> {
        let sealed = self.seal(secret_place(key.id.as_str()), key.secret.expose_secret().as_bytes())?;
        let mut tx = self.begin().await?;
        // Spelled as the user is, so that renaming finds it.
        let user = find_id(&mut tx, "SELECT name FROM users WHERE name = ?", key.user.as_str(), || {
            Entity::User(key.user.clone())
        })
        .await?;
        sqlx::query(
            "INSERT INTO access_keys (id, secret_sealed, user_name, status, created_at, last_used_at,
                 last_used_service, last_used_region)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(key.id.as_str())
        .bind(sealed)
        .bind(&user)
        .bind(key.status.as_str())
        .bind(key.created_at.as_microsecond())
        .bind(key.last_used.as_ref().map(|used| used.at.as_microsecond()))
        .bind(key.last_used.as_ref().map(|used| used.service.as_str()))
        .bind(key.last_used.as_ref().map(|used| used.region.as_str()))
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create an access key", || Entity::AccessKey(key.id.clone())))?;
        let sql = "SELECT count(*) FROM access_keys WHERE user_name = ?";
        self.within(Quota::AccessKeysPerUser, count_of(&mut tx, sql, &user).await?)?;
        Ok(self.commit_change(tx, "create an access key").await?)
    }

    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM access_keys WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an access key"))?;
        row.map(|row| self.access_key_from(&row)).transpose()
    }

    async fn access_keys(&self, user: &UserName) -> Result<Vec<AccessKey>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = user_id(&mut tx, user).await?;
        let rows = sqlx::query(
            "SELECT * FROM access_keys WHERE user_name = (SELECT name FROM users WHERE id = ?)
             ORDER BY created_at, id",
        )
        .bind(id)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("list access keys"))?;
        Ok(rows.iter().map(|row| self.access_key_from(row)).collect::<Result<_, _>>()?)
    }

    async fn set_access_key_status(
        &self,
        user: &UserName,
        id: &AccessKeyId,
        status: KeyStatus,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let user_id = user_id(&mut tx, user).await?;
        let done = sqlx::query(
            "UPDATE access_keys SET status = ?
             WHERE id = ? AND user_name = (SELECT name FROM users WHERE id = ?)",
        )
        .bind(status.as_str())
        .bind(id.as_str())
        .bind(user_id)
        .execute(&mut *tx)
        .await
        .map_err(failed("change an access key"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::AccessKey(id.clone())));
        }
        Ok(self.commit_change(tx, "change an access key").await?)
    }

    async fn delete_access_key(&self, user: &UserName, id: &AccessKeyId) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let user_id = user_id(&mut tx, user).await?;
        let done = sqlx::query(
            "DELETE FROM access_keys WHERE id = ? AND user_name = (SELECT name FROM users WHERE id = ?)",
        )
        .bind(id.as_str())
        .bind(user_id)
        .execute(&mut *tx)
        .await
        .map_err(failed("delete an access key"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::AccessKey(id.clone())));
        }
        Ok(self.commit_change(tx, "delete an access key").await?)
    }

    async fn touch_access_keys(&self, uses: &[AccessKeyUse]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for AccessKeyUse { id, used } in uses {
            sqlx::query(
                "UPDATE access_keys SET last_used_at = ?1, last_used_service = ?2, last_used_region = ?3
                 WHERE id = ?4 AND (last_used_at IS NULL OR last_used_at < ?1)",
            )
            .bind(used.at.as_microsecond())
            .bind(used.service.as_str())
            .bind(used.region.as_str())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("remember an access key's use"))?;
        }
        tx.commit().await.map_err(failed("remember access keys' uses"))
    }
}

impl SqliteStore {
    fn access_key_from(&self, row: &SqliteRow) -> Result<AccessKey, StoreError> {
        let fields = Fields::new(row, "access_keys", "id");
        let secret = self.unseal(secret_place(fields.id()), fields.get("secret_sealed")?)?;
        let last_used = match fields.time_option("last_used_at")? {
            Some(at) => Some(KeyLastUsed {
                at,
                service: fields.get("last_used_service")?,
                region: fields.get("last_used_region")?,
            }),
            None => None,
        };
        Ok(AccessKey {
            id: fields.parse("id")?,
            secret: String::from_utf8(secret)
                .map(Secret::new)
                .map_err(|error| fields.invalid("secret_sealed", error.utf8_error()))?,
            user: fields.parse("user_name")?,
            status: fields.parse("status")?,
            created_at: fields.time("created_at")?,
            last_used,
        })
    }
}

/// Where an access key's secret is sealed for.
fn secret_place(id: &str) -> Place<'_> {
    Place { table: "access_keys", column: "secret_sealed", id }
}
