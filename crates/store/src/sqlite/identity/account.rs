//! Guardrails and counts in SQLite.

use async_trait::async_trait;
use postern_ids::PolicyName;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, failed};
use crate::{AccountStore, Entity, Guardrail, IdentityCounts, IdentityError, Quotas, StoreError};

#[async_trait]
impl AccountStore for SqliteStore {
    fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    async fn identity_counts(&self) -> Result<IdentityCounts, StoreError> {
        let row = sqlx::query(
            "SELECT 'all' AS id,
                 (SELECT count(*) FROM users) AS users,
                 (SELECT count(*) FROM user_groups) AS groups,
                 (SELECT count(*) FROM roles) AS roles,
                 (SELECT count(*) FROM managed_policies) AS policies,
                 (SELECT count(*) FROM policy_versions) AS policy_versions,
                 (SELECT count(*) FROM instance_profiles) AS instance_profiles,
                 (SELECT count(*) FROM oidc_providers) AS oidc_providers,
                 (SELECT count(*) FROM mfa_devices) + (SELECT count(*) FROM passkeys) AS mfa_devices,
                 (SELECT count(user_id) FROM mfa_devices) + (SELECT count(*) FROM passkeys) AS mfa_devices_in_use",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(failed("count identities"))?;
        let fields = Fields::new(&row, "users", "id");
        Ok(IdentityCounts {
            users: fields.get("users")?,
            groups: fields.get("groups")?,
            roles: fields.get("roles")?,
            policies: fields.get("policies")?,
            policy_versions: fields.get("policy_versions")?,
            instance_profiles: fields.get("instance_profiles")?,
            oidc_providers: fields.get("oidc_providers")?,
            mfa_devices: fields.get("mfa_devices")?,
            mfa_devices_in_use: fields.get("mfa_devices_in_use")?,
        })
    }

    async fn put_guardrail(&self, guardrail: &Guardrail) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO guardrails (name, level, document, updated_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET name = excluded.name, level = excluded.level,
                 document = excluded.document, updated_at = excluded.updated_at",
        )
        .bind(guardrail.name.as_str())
        .bind(guardrail.level)
        .bind(guardrail.document.as_str())
        .bind(guardrail.updated_at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(failed("write a guardrail"))?;
        self.commit_change(tx, "write a guardrail").await
    }

    async fn guardrails(&self) -> Result<Vec<Guardrail>, StoreError> {
        let rows = sqlx::query("SELECT * FROM guardrails ORDER BY level, name")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list guardrails"))?;
        rows.iter().map(Guardrail::try_from).collect()
    }

    async fn delete_guardrail(&self, name: &PolicyName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("DELETE FROM guardrails WHERE name = ?")
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a guardrail"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::Guardrail(name.clone())));
        }
        Ok(self.commit_change(tx, "delete a guardrail").await?)
    }
}

impl TryFrom<&SqliteRow> for Guardrail {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "guardrails", "name");
        Ok(Self {
            name: fields.parse("name")?,
            level: fields.get("level")?,
            document: fields.get("document")?,
            updated_at: fields.time("updated_at")?,
        })
    }
}
