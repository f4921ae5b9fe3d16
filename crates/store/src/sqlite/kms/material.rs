//! Backing keys in SQLite, sealed.

use postern_ids::KmsKeyId;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::super::{Fields, SqliteStore, failed};
use crate::seal::Place;
use crate::{KmsMaterial, KmsMaterialName, StoreError};

/// What names a backing key where it is sealed.
fn row_id(key: &KmsKeyId, version: u32) -> String {
    format!("{key}/{version}")
}

fn place(id: &str) -> Place<'_> {
    Place { table: "kms_materials", column: "content_sealed", id }
}

impl SqliteStore {
    pub(super) async fn insert_material(
        &self,
        connection: &mut SqliteConnection,
        key: &KmsKeyId,
        material: &KmsMaterial,
    ) -> Result<(), StoreError> {
        let sealed =
            self.seal(place(&row_id(key, material.name.version)), material.content.expose_secret())?;
        sqlx::query(
            "INSERT INTO kms_materials (key_id, version, name, origin, content_sealed, created_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(key.to_string())
        .bind(material.name.version)
        .bind(&material.name.name)
        .bind(material.origin.as_str())
        .bind(sealed)
        .bind(material.created_at.as_microsecond())
        .execute(connection)
        .await
        .map_err(failed("write a backing key"))?;
        Ok(())
    }

    pub(super) async fn material(
        &self,
        key: &KmsKeyId,
        version: u32,
    ) -> Result<Option<KmsMaterial>, StoreError> {
        let row = sqlx::query("SELECT * FROM kms_materials WHERE key_id = ? AND version = ?")
            .bind(key.to_string())
            .bind(version)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a backing key"))?;
        row.map(|row| self.material_of(key, &row)).transpose()
    }

    pub(super) async fn materials(&self, key: &KmsKeyId) -> Result<Vec<KmsMaterial>, StoreError> {
        let rows = sqlx::query("SELECT * FROM kms_materials WHERE key_id = ? ORDER BY version")
            .bind(key.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list backing keys"))?;
        rows.iter().map(|row| self.material_of(key, row)).collect()
    }

    fn material_of(&self, key: &KmsKeyId, row: &SqliteRow) -> Result<KmsMaterial, StoreError> {
        let fields = Fields::new(row, "kms_materials", "key_id");
        let version = fields.get("version")?;
        let sealed = fields.get("content_sealed")?;
        Ok(KmsMaterial {
            name: KmsMaterialName { version, name: fields.get("name")? },
            origin: fields.parse("origin")?,
            content: self.unseal(place(&row_id(key, version)), sealed)?.into(),
            created_at: fields.time("created_at")?,
        })
    }
}
