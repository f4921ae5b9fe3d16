//! Customer managed policies in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{PolicyArn, PolicyName, PolicyVersionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection};

use super::super::page::paged;
use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{Fields, SqliteStore, count, count_of, failed, find_id, refuse_while, tags_of, unless_taken};
use crate::{
    Dependent, Entity, IdentityError, ManagedPolicy, ManagedPolicyStore, NewPolicy, Paged, PolicyQuery,
    PolicyUsage, PolicyUse, PolicyVersion, Quota, StoreError, VersionRank, policy_chars,
};

/// Reads policies with their tags and how often each is used.
macro_rules! select_policies {
    ($rest:literal) => {
        concat!(
            "SELECT managed_policies.*, ",
            tags_of!("managed_policies.id"),
            ", (SELECT count(*) FROM policy_attachments WHERE policy_arn = managed_policies.arn)
                 AS attachments_count,
               (SELECT count(*) FROM users WHERE boundary_arn = managed_policies.arn)
                 + (SELECT count(*) FROM roles WHERE boundary_arn = managed_policies.arn)
                 AS boundaries_count
             FROM managed_policies ",
            $rest
        )
    };
}

/// Reads versions with whether each is the default one.
macro_rules! select_versions {
    ($rest:literal) => {
        concat!(
            "SELECT policy_versions.*, version = default_version AS is_default
             FROM policy_versions JOIN managed_policies ON arn = policy_arn ",
            $rest
        )
    };
}

#[async_trait]
impl ManagedPolicyStore for SqliteStore {
    async fn create_policy(&self, policy: &NewPolicy) -> Result<ManagedPolicy, IdentityError> {
        self.within_chars(Quota::ManagedPolicyChars, policy_chars(&policy.document))?;
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO managed_policies (arn, name, id, path, description, default_version, last_version,
                 created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, 1, ?6, ?6)",
        )
        .bind(policy.arn.as_str())
        .bind(policy.arn.name().as_str())
        .bind(policy.id.as_str())
        .bind(policy.arn.path().as_str())
        .bind(policy.description.as_deref())
        .bind(policy.created_at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create a policy", || Entity::Policy(policy.arn.clone())))?;
        self.within(Quota::Policies, count(&mut tx, "SELECT count(*) FROM managed_policies").await?)?;
        insert_version(&mut tx, &policy.arn, PolicyVersionId::FIRST, &policy.document, policy.created_at)
            .await?;
        put_tags(&mut tx, policy.id.as_str(), &policy.tags, KeyCase::Kept).await?;
        self.check_tags(&mut tx, policy.id.as_str()).await?;
        let row = sqlx::query(select_policies!("WHERE arn = ?"))
            .bind(policy.arn.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("read a policy"))?;
        let created = ManagedPolicy::try_from(&row)?;
        self.commit_change(tx, "create a policy").await?;
        Ok(created)
    }

    async fn policy(&self, arn: &PolicyArn) -> Result<Option<ManagedPolicy>, StoreError> {
        let row = sqlx::query(select_policies!("WHERE arn = ?"))
            .bind(arn.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a policy"))?;
        row.map(|row| ManagedPolicy::try_from(&row)).transpose()
    }

    async fn policies(&self, query: &PolicyQuery) -> Result<Paged<ManagedPolicy, PolicyName>, StoreError> {
        const ATTACHED: &str =
            "EXISTS (SELECT 1 FROM policy_attachments WHERE policy_arn = managed_policies.arn)";
        const BOUNDARY: &str = "(EXISTS (SELECT 1 FROM users WHERE boundary_arn = managed_policies.arn)
             OR EXISTS (SELECT 1 FROM roles WHERE boundary_arn = managed_policies.arn))";
        let mut sql = QueryBuilder::new(select_policies!("WHERE TRUE"));
        match query.used_for {
            Some(PolicyUsage::PermissionsPolicy) => {
                sql.push(" AND ").push(ATTACHED);
            }
            Some(PolicyUsage::PermissionsBoundary) => {
                sql.push(" AND ").push(BOUNDARY);
            }
            None => {}
        }
        if query.only_used {
            sql.push(" AND (").push(ATTACHED).push(" OR ").push(BOUNDARY).push(")");
        }
        super::push_page(
            &mut sql,
            &query.path_prefix,
            query.page.after.as_ref().map(PolicyName::as_str),
            query.page.limit,
        );
        let rows = sql.build().fetch_all(&self.readers).await.map_err(failed("list policies"))?;
        paged(&rows, query.page.limit, |policy: &ManagedPolicy| policy.arn.name())
    }

    async fn delete_policy(&self, arn: &PolicyArn) -> Result<(), IdentityError> {
        let checks = [
            (Dependent::Attachments, "SELECT count(*) FROM policy_attachments WHERE policy_arn = ?"),
            (
                Dependent::Boundaries,
                "SELECT (SELECT count(*) FROM users WHERE boundary_arn = ?1)
                      + (SELECT count(*) FROM roles WHERE boundary_arn = ?1)",
            ),
            (Dependent::OtherVersions, "SELECT count(*) - 1 FROM policy_versions WHERE policy_arn = ?"),
        ];
        let mut tx = self.begin().await?;
        let id = policy_id(&mut tx, arn).await?;
        refuse_while(&mut tx, Entity::Policy(arn.clone()), arn.as_str(), &checks).await?;
        remove_all_tags(&mut tx, &id).await?;
        sqlx::query("DELETE FROM managed_policies WHERE arn = ?")
            .bind(arn.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a policy"))?;
        Ok(self.commit_change(tx, "delete a policy").await?)
    }

    async fn create_policy_version(
        &self,
        arn: &PolicyArn,
        document: &str,
        rank: VersionRank,
        at: Timestamp,
    ) -> Result<PolicyVersion, IdentityError> {
        self.within_chars(Quota::ManagedPolicyChars, policy_chars(document))?;
        let is_default = rank == VersionRank::Default;
        let mut tx = self.begin().await?;
        let number: Option<u32> = sqlx::query_scalar(
            "UPDATE managed_policies SET
                 last_version = last_version + 1,
                 default_version = iif(?, last_version + 1, default_version),
                 updated_at = ?
             WHERE arn = ? RETURNING last_version",
        )
        .bind(is_default)
        .bind(at.as_microsecond())
        .bind(arn.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("count a policy's versions"))?;
        let version = number
            .and_then(PolicyVersionId::new)
            .ok_or_else(|| IdentityError::NotFound(Entity::Policy(arn.clone())))?;
        insert_version(&mut tx, arn, version, document, at).await?;
        let sql = "SELECT count(*) FROM policy_versions WHERE policy_arn = ?";
        self.within(Quota::PolicyVersions, count_of(&mut tx, sql, arn.as_str()).await?)?;
        self.commit_change(tx, "create a policy version").await?;
        Ok(PolicyVersion { version, document: document.to_owned(), is_default, created_at: at })
    }

    async fn policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
    ) -> Result<Option<PolicyVersion>, StoreError> {
        let row = sqlx::query(select_versions!("WHERE policy_arn = ? AND version = ?"))
            .bind(arn.as_str())
            .bind(version.number())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a policy version"))?;
        row.map(|row| PolicyVersion::try_from(&row)).transpose()
    }

    async fn policy_versions(&self, arn: &PolicyArn) -> Result<Vec<PolicyVersion>, IdentityError> {
        let rows = sqlx::query(select_versions!("WHERE policy_arn = ? ORDER BY version DESC"))
            .bind(arn.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list policy versions"))?;
        if rows.is_empty() {
            return Err(IdentityError::NotFound(Entity::Policy(arn.clone())));
        }
        Ok(rows.iter().map(PolicyVersion::try_from).collect::<Result<_, _>>()?)
    }

    async fn delete_policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let entity = Entity::PolicyVersion(arn.clone(), version);
        if is_default(&mut tx, arn, version).await? {
            return Err(IdentityError::DeleteConflict { entity, remaining: vec![Dependent::DefaultVersion] });
        }
        sqlx::query("DELETE FROM policy_versions WHERE policy_arn = ? AND version = ?")
            .bind(arn.as_str())
            .bind(version.number())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a policy version"))?;
        Ok(self.commit_change(tx, "delete a policy version").await?)
    }

    async fn set_default_policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
        at: Timestamp,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        if is_default(&mut tx, arn, version).await? {
            return Ok(());
        }
        sqlx::query("UPDATE managed_policies SET default_version = ?, updated_at = ? WHERE arn = ?")
            .bind(version.number())
            .bind(at.as_microsecond())
            .bind(arn.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("set a policy's default version"))?;
        Ok(self.commit_change(tx, "set a policy's default version").await?)
    }
}

async fn policy_id(connection: &mut SqliteConnection, arn: &PolicyArn) -> Result<String, IdentityError> {
    let sql = "SELECT id FROM managed_policies WHERE arn = ?";
    find_id(connection, sql, arn.as_str(), || Entity::Policy(arn.clone())).await
}

/// Whether a version, which must exist, is its policy's default one.
async fn is_default(
    connection: &mut SqliteConnection,
    arn: &PolicyArn,
    version: PolicyVersionId,
) -> Result<bool, IdentityError> {
    policy_id(connection, arn).await?;
    let row = sqlx::query(select_versions!("WHERE policy_arn = ? AND version = ?"))
        .bind(arn.as_str())
        .bind(version.number())
        .fetch_optional(connection)
        .await
        .map_err(failed("read a policy version"))?;
    let row = row.ok_or_else(|| IdentityError::NotFound(Entity::PolicyVersion(arn.clone(), version)))?;
    Ok(PolicyVersion::try_from(&row)?.is_default)
}

async fn insert_version(
    connection: &mut SqliteConnection,
    arn: &PolicyArn,
    version: PolicyVersionId,
    document: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO policy_versions (policy_arn, version, document, created_at) VALUES (?, ?, ?, ?)",
    )
    .bind(arn.as_str())
    .bind(version.number())
    .bind(document)
    .bind(at.as_microsecond())
    .execute(connection)
    .await
    .map_err(failed("write a policy version"))?;
    Ok(())
}

/// A version's number, from a column that holds it without the `v`.
pub(super) fn version_from(fields: &Fields<'_>, column: &'static str) -> Result<PolicyVersionId, StoreError> {
    let number: u32 = fields.get(column)?;
    PolicyVersionId::new(number).ok_or_else(|| fields.invalid(column, "versions count from 1"))
}

impl TryFrom<&SqliteRow> for ManagedPolicy {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "managed_policies", "arn");
        Ok(Self {
            arn: fields.parse("arn")?,
            id: fields.parse("id")?,
            description: fields.get("description")?,
            default_version: version_from(&fields, "default_version")?,
            created_at: fields.time("created_at")?,
            updated_at: fields.time("updated_at")?,
            tags: fields.json("tags")?,
            used: PolicyUse {
                attachments_count: fields.get("attachments_count")?,
                boundaries_count: fields.get("boundaries_count")?,
            },
        })
    }
}

impl TryFrom<&SqliteRow> for PolicyVersion {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "policy_versions", "policy_arn");
        Ok(Self {
            version: version_from(&fields, "version")?,
            document: fields.get("document")?,
            is_default: fields.get("is_default")?,
            created_at: fields.time("created_at")?,
        })
    }
}
