//! Activations in SQLite.

use async_trait::async_trait;
use postern_ids::ActivationId;
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteRow;

use super::page::{one_of, paged};
use super::{Fields, SqliteStore, failed};
use crate::{Activation, ActivationFilter, ActivationStore, Page, Paged, StoreError};

#[async_trait]
impl ActivationStore for SqliteStore {
    async fn create_activation(&self, activation: &Activation) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO activations (id, code_hash, description, default_instance_name, role,
                 registration_limit, registrations_count, expires_at, created_at, tags)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(activation.id.to_string())
        .bind(activation.code_hash.as_slice())
        .bind(activation.description.as_deref())
        .bind(activation.default_instance_name.as_deref())
        .bind(activation.role.as_str())
        .bind(activation.registration_limit)
        .bind(activation.registrations_count)
        .bind(activation.expires_at.as_microsecond())
        .bind(activation.created_at.as_microsecond())
        .bind(serde_json::to_string(&activation.tags).expect("strings are always JSON"))
        .execute(&self.writer)
        .await
        .map_err(failed("create an activation"))?;
        Ok(())
    }

    async fn activation(&self, id: ActivationId) -> Result<Option<Activation>, StoreError> {
        let row = sqlx::query("SELECT * FROM activations WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an activation"))?;
        row.map(|row| Activation::try_from(&row)).transpose()
    }

    async fn activations(
        &self,
        filters: &[ActivationFilter],
        page: &Page<ActivationId>,
    ) -> Result<Paged<Activation, ActivationId>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM activations WHERE TRUE");
        if let Some(after) = page.after {
            query.push(" AND id > ").push_bind(after.to_string());
        }
        for filter in filters {
            match filter {
                ActivationFilter::Ids(ids) => one_of(&mut query, "id", ids.iter().map(ToString::to_string)),
                ActivationFilter::DefaultInstanceNames(names) => {
                    one_of(&mut query, "default_instance_name", names.iter().cloned());
                }
                ActivationFilter::Roles(roles) => {
                    one_of(&mut query, "role", roles.iter().map(ToString::to_string));
                }
            }
        }
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(page.limit) + 1);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list activations"))?;
        paged(&rows, page.limit, |activation: &Activation| activation.id)
    }

    async fn delete_activation(&self, id: ActivationId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM activations WHERE id = ?")
            .bind(id.to_string())
            .execute(&self.writer)
            .await
            .map_err(failed("delete an activation"))?;
        Ok(done.rows_affected() > 0)
    }
}

impl TryFrom<&SqliteRow> for Activation {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "activations", "id");
        Ok(Self {
            id: fields.parse("id")?,
            code_hash: fields.hash("code_hash")?,
            description: fields.get("description")?,
            default_instance_name: fields.get("default_instance_name")?,
            role: fields.parse("role")?,
            registration_limit: fields.get("registration_limit")?,
            registrations_count: fields.get("registrations_count")?,
            expires_at: fields.time("expires_at")?,
            created_at: fields.time("created_at")?,
            tags: fields.json("tags")?,
        })
    }
}
