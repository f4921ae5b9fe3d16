//! Roles in SQLite.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{PolicyArn, PrincipalId, RoleName};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteExecutor};

use super::super::page::paged;
use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{
    Fields, HELD_POLICIES, SqliteStore, count, failed, refuse_while, require_policy, role_id, tags_of,
    unless_taken,
};
use crate::{
    Dependent, Entity, IdentityError, Page, Paged, Quota, Role, RoleLastUsed, RoleStore, RoleUpdate, RoleUse,
    StoreError, policy_chars,
};

/// Reads roles with their tags.
macro_rules! select_roles {
    ($rest:literal) => {
        concat!("SELECT roles.*, ", tags_of!("roles.id"), " FROM roles ", $rest)
    };
}
pub(super) use select_roles;

#[async_trait]
impl RoleStore for SqliteStore {
    async fn create_role(&self, role: &Role) -> Result<(), IdentityError> {
        self.within_chars(Quota::TrustPolicyChars, policy_chars(&role.trust_policy))?;
        let mut tx = self.begin().await?;
        self.require_principals(&mut tx, &role.trust_policy).await?;
        sqlx::query(
            "INSERT INTO roles (name, id, path, created_at, description, trust_policy, session_seconds_max,
                 boundary_arn, sessions_valid_after, last_used_at, last_used_region)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(role.name.as_str())
        .bind(role.id.as_str())
        .bind(role.path.as_str())
        .bind(role.created_at.as_microsecond())
        .bind(role.description.as_deref())
        .bind(role.trust_policy.as_str())
        .bind(role.session_duration_max.as_secs())
        .bind(role.boundary.as_ref().map(PolicyArn::as_str))
        .bind(role.sessions_valid_after.map(Timestamp::as_microsecond))
        .bind(role.last_used.as_ref().map(|used| used.at.as_microsecond()))
        .bind(role.last_used.as_ref().map(|used| used.region.as_str()))
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create a role", || Entity::Role(role.name.clone())))?;
        if let Some(boundary) = &role.boundary {
            require_policy(&mut tx, boundary).await?;
        }
        self.within(Quota::Roles, count(&mut tx, "SELECT count(*) FROM roles").await?)?;
        put_tags(&mut tx, role.id.as_str(), &role.tags, KeyCase::Ignored).await?;
        self.check_tags(&mut tx, role.id.as_str()).await?;
        Ok(self.commit_change(tx, "create a role").await?)
    }

    async fn role(&self, name: &RoleName) -> Result<Option<Role>, StoreError> {
        find(&self.readers, name).await
    }

    async fn role_by_id(&self, id: &PrincipalId) -> Result<Option<Role>, StoreError> {
        let row = sqlx::query(select_roles!("WHERE id = ?"))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a role"))?;
        row.map(|row| Role::try_from(&row)).transpose()
    }

    async fn roles(
        &self,
        path_prefix: &str,
        page: &Page<RoleName>,
    ) -> Result<Paged<Role, RoleName>, StoreError> {
        let mut query = QueryBuilder::new(select_roles!("WHERE TRUE"));
        super::push_page(&mut query, path_prefix, page.after.as_ref().map(RoleName::as_str), page.limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list roles"))?;
        paged(&rows, page.limit, |role: &Role| role.name.clone())
    }

    async fn update_role(&self, name: &RoleName, update: &RoleUpdate) -> Result<Role, IdentityError> {
        if let Some(document) = &update.trust_policy {
            self.within_chars(Quota::TrustPolicyChars, policy_chars(document))?;
        }
        let mut tx = self.begin().await?;
        let id = role_id(&mut tx, name).await?;
        if let Some(document) = &update.trust_policy {
            self.require_principals(&mut tx, document).await?;
        }
        sqlx::query(
            "UPDATE roles SET
                 description = nullif(coalesce(?, description), ''),
                 session_seconds_max = coalesce(?, session_seconds_max),
                 trust_policy = coalesce(?, trust_policy)
             WHERE id = ?",
        )
        .bind(update.description.as_deref())
        .bind(update.session_duration_max.map(|duration| duration.as_secs()))
        .bind(update.trust_policy.as_deref())
        .bind(&id)
        .execute(&mut *tx)
        .await
        .map_err(failed("update a role"))?;
        let row = sqlx::query(select_roles!("WHERE id = ?"))
            .bind(&id)
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("read a role"))?;
        let role = Role::try_from(&row)?;
        self.commit_change(tx, "update a role").await?;
        Ok(role)
    }

    async fn delete_role(&self, name: &RoleName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let role = find(&mut *tx, name).await?;
        let role = role.ok_or_else(|| IdentityError::NotFound(Entity::Role(name.clone())))?;
        let id = role.id.to_string();
        let checks = [
            HELD_POLICIES[0],
            HELD_POLICIES[1],
            (Dependent::InstanceProfiles, "SELECT count(*) FROM instance_profiles WHERE role_id = ?"),
        ];
        refuse_while(&mut tx, Entity::Role(name.clone()), &id, &checks).await?;
        remove_all_tags(&mut tx, &id).await?;
        sqlx::query("DELETE FROM roles WHERE id = ?")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a role"))?;
        self.forget_principal(&mut tx, &self.known_role(&role.path, &role.name), &id).await?;
        Ok(self.commit_change(tx, "delete a role").await?)
    }

    async fn touch_roles(&self, uses: &[RoleUse]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for RoleUse { role, used } in uses {
            sqlx::query(
                "UPDATE roles SET last_used_at = ?1, last_used_region = ?2
                 WHERE name = ?3 AND (last_used_at IS NULL OR last_used_at < ?1)",
            )
            .bind(used.at.as_microsecond())
            .bind(used.region.as_str())
            .bind(role.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("remember a role's use"))?;
        }
        tx.commit().await.map_err(failed("remember roles' uses"))
    }
}

/// The role with this name.
pub(super) async fn find<'c>(
    executor: impl SqliteExecutor<'c>,
    name: &RoleName,
) -> Result<Option<Role>, StoreError> {
    let row = sqlx::query(select_roles!("WHERE name = ?"))
        .bind(name.as_str())
        .fetch_optional(executor)
        .await
        .map_err(failed("read a role"))?;
    row.map(|row| Role::try_from(&row)).transpose()
}

impl TryFrom<&SqliteRow> for Role {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "roles", "name");
        let last_used = match fields.time_option("last_used_at")? {
            Some(at) => Some(RoleLastUsed { at, region: fields.parse("last_used_region")? }),
            None => None,
        };
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            path: fields.parse("path")?,
            created_at: fields.time("created_at")?,
            description: fields.get("description")?,
            trust_policy: fields.get("trust_policy")?,
            session_duration_max: SignedDuration::from_secs(fields.get("session_seconds_max")?),
            boundary: fields.parse_option("boundary_arn")?,
            tags: fields.json("tags")?,
            sessions_valid_after: fields.time_option("sessions_valid_after")?,
            last_used,
        })
    }
}
