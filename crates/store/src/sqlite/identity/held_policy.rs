//! Inline and attached policies in SQLite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_ids::{PolicyArn, PolicyName};
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, count_of, failed, holder_id, require_policy};
use crate::{
    Entity, HeldPolicyStore, IdentityError, InlinePolicy, PolicyEntities, PolicyEntity, PolicyHolder,
    PolicyUse, Quota, StoreError, policy_chars,
};

#[async_trait]
impl HeldPolicyStore for SqliteStore {
    async fn put_inline_policy(
        &self,
        holder: &PolicyHolder,
        policy: &InlinePolicy,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = holder_id(&mut tx, holder).await?;
        sqlx::query(
            "INSERT INTO inline_policies (holder_id, name, document) VALUES (?, ?, ?)
             ON CONFLICT (holder_id, name) DO UPDATE SET name = excluded.name, document = excluded.document",
        )
        .bind(&id)
        .bind(policy.name.as_str())
        .bind(policy.document.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("write an inline policy"))?;
        let documents: Vec<String> =
            sqlx::query_scalar("SELECT document FROM inline_policies WHERE holder_id = ?")
                .bind(&id)
                .fetch_all(&mut *tx)
                .await
                .map_err(failed("read inline policies"))?;
        let quota = match holder {
            PolicyHolder::User(_) => Quota::UserPolicyChars,
            PolicyHolder::Group(_) => Quota::GroupPolicyChars,
            PolicyHolder::Role(_) => Quota::RolePolicyChars,
        };
        self.within_chars(quota, documents.iter().map(|document| policy_chars(document)).sum())?;
        Ok(self.commit_change(tx, "write an inline policy").await?)
    }

    async fn inline_policy(
        &self,
        holder: &PolicyHolder,
        name: &PolicyName,
    ) -> Result<Option<InlinePolicy>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = holder_id(&mut tx, holder).await?;
        let row = sqlx::query("SELECT * FROM inline_policies WHERE holder_id = ? AND name = ?")
            .bind(id)
            .bind(name.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed("read an inline policy"))?;
        Ok(row.map(|row| InlinePolicy::try_from(&row)).transpose()?)
    }

    async fn inline_policies(&self, holder: &PolicyHolder) -> Result<Vec<InlinePolicy>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = holder_id(&mut tx, holder).await?;
        let rows = sqlx::query("SELECT * FROM inline_policies WHERE holder_id = ? ORDER BY name")
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list inline policies"))?;
        Ok(rows.iter().map(InlinePolicy::try_from).collect::<Result<_, _>>()?)
    }

    async fn delete_inline_policy(
        &self,
        holder: &PolicyHolder,
        name: &PolicyName,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = holder_id(&mut tx, holder).await?;
        let done = sqlx::query("DELETE FROM inline_policies WHERE holder_id = ? AND name = ?")
            .bind(id)
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an inline policy"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::InlinePolicy(name.clone())));
        }
        Ok(self.commit_change(tx, "delete an inline policy").await?)
    }

    async fn attach_policy(&self, holder: &PolicyHolder, policy: &PolicyArn) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = holder_id(&mut tx, holder).await?;
        require_policy(&mut tx, policy).await?;
        sqlx::query(
            "INSERT INTO policy_attachments (holder_id, policy_arn) VALUES (?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(policy.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("attach a policy"))?;
        let sql = "SELECT count(*) FROM policy_attachments WHERE holder_id = ?";
        self.within(Quota::AttachedPolicies, count_of(&mut tx, sql, &id).await?)?;
        Ok(self.commit_change(tx, "attach a policy").await?)
    }

    async fn detach_policy(&self, holder: &PolicyHolder, policy: &PolicyArn) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = holder_id(&mut tx, holder).await?;
        let done = sqlx::query("DELETE FROM policy_attachments WHERE holder_id = ? AND policy_arn = ?")
            .bind(id)
            .bind(policy.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("detach a policy"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::Attachment(policy.clone())));
        }
        Ok(self.commit_change(tx, "detach a policy").await?)
    }

    async fn attached_policies(&self, holder: &PolicyHolder) -> Result<Vec<PolicyArn>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = holder_id(&mut tx, holder).await?;
        let rows = sqlx::query("SELECT * FROM policy_attachments WHERE holder_id = ? ORDER BY policy_arn")
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list attached policies"))?;
        let arn = |row| Fields::new(row, "policy_attachments", "holder_id").parse("policy_arn");
        Ok(rows.iter().map(arn).collect::<Result<_, _>>()?)
    }

    async fn policy_entities(&self, policy: &PolicyArn) -> Result<PolicyEntities, IdentityError> {
        let mut tx = self.snapshot().await?;
        require_policy(&mut tx, policy).await?;
        let rows = sqlx::query(
            "SELECT FALSE AS is_boundary, 1 AS kind, name, id, path FROM users
                 WHERE id IN (SELECT holder_id FROM policy_attachments WHERE policy_arn = ?1)
             UNION ALL SELECT FALSE, 2, name, id, path FROM user_groups
                 WHERE id IN (SELECT holder_id FROM policy_attachments WHERE policy_arn = ?1)
             UNION ALL SELECT FALSE, 3, name, id, path FROM roles
                 WHERE id IN (SELECT holder_id FROM policy_attachments WHERE policy_arn = ?1)
             UNION ALL SELECT TRUE, 1, name, id, path FROM users WHERE boundary_arn = ?1
             UNION ALL SELECT TRUE, 3, name, id, path FROM roles WHERE boundary_arn = ?1
             ORDER BY kind, name",
        )
        .bind(policy.as_str())
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("list a policy's entities"))?;
        let mut entities = PolicyEntities::default();
        for row in &rows {
            let is_boundary: bool = Fields::new(row, "policy_attachments", "id").get("is_boundary")?;
            let list = if is_boundary { &mut entities.boundary_of } else { &mut entities.attached_to };
            list.push(PolicyEntity::try_from(row)?);
        }
        Ok(entities)
    }

    async fn policy_uses(&self) -> Result<BTreeMap<PolicyArn, PolicyUse>, StoreError> {
        let rows = sqlx::query(
            "SELECT arn, sum(attached) AS attachments_count, sum(1 - attached) AS boundaries_count FROM (
                 SELECT policy_arn AS arn, 1 AS attached FROM policy_attachments
                 UNION ALL SELECT boundary_arn, 0 FROM users WHERE boundary_arn IS NOT NULL
                 UNION ALL SELECT boundary_arn, 0 FROM roles WHERE boundary_arn IS NOT NULL
             ) GROUP BY arn",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed("count uses of policies"))?;
        let counted = |row| {
            let fields = Fields::new(row, "policy_attachments", "arn");
            let used = PolicyUse {
                attachments_count: fields.get("attachments_count")?,
                boundaries_count: fields.get("boundaries_count")?,
            };
            Ok((fields.parse("arn")?, used))
        };
        rows.iter().map(counted).collect()
    }
}

impl TryFrom<&SqliteRow> for InlinePolicy {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "inline_policies", "holder_id");
        Ok(Self { name: fields.parse("name")?, document: fields.get("document")? })
    }
}

impl TryFrom<&SqliteRow> for PolicyEntity {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "policy_attachments", "id");
        let holder = match fields.get::<i64>("kind")? {
            1 => PolicyHolder::User(fields.parse("name")?),
            2 => PolicyHolder::Group(fields.parse("name")?),
            _ => PolicyHolder::Role(fields.parse("name")?),
        };
        Ok(Self { holder, id: fields.parse("id")?, path: fields.parse("path")? })
    }
}
