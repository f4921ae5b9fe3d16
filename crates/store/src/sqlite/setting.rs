//! Settings in SQLite.

use async_trait::async_trait;

use super::{SqliteStore, failed};
use crate::seal::Place;
use crate::{Secret, SettingStore, StoreError};

/// Where a secret setting is sealed for.
fn place(name: &str) -> Place<'_> {
    Place { table: "secret_settings", column: "value_sealed", id: name }
}

#[async_trait]
impl SettingStore for SqliteStore {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a setting"))
    }

    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES (?, ?)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&self.writer)
        .await
        .map_err(failed("write a setting"))?;
        Ok(())
    }

    async fn secret_setting(&self, name: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT value_sealed FROM secret_settings WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("read a secret setting"))?;
        sealed.map(|sealed| self.unseal(place(name), &sealed).map(Secret::new)).transpose()
    }

    async fn put_secret_setting(&self, name: &str, value: &Secret<Vec<u8>>) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO secret_settings (name, value_sealed) VALUES (?, ?)
             ON CONFLICT (name) DO UPDATE SET value_sealed = excluded.value_sealed",
        )
        .bind(name)
        .bind(self.seal(place(name), value.expose_secret())?)
        .execute(&self.writer)
        .await
        .map_err(failed("write a secret setting"))?;
        Ok(())
    }
}
