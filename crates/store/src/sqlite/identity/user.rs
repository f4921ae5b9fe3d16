//! Users in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{Arn, PolicyArn, PrincipalId, UserName};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection, SqliteExecutor};

use super::super::page::paged;
use super::mfa::MFA_DEVICES;
use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{
    Fields, HELD_POLICIES, SqliteStore, count, failed, principal_id, refuse_while, require_policy, tags_of,
    unless_taken,
};
use crate::{
    Dependent, Entity, IdentityError, NewName, Page, Paged, PrincipalName, Quota, StoreError, User, UserStore,
};

/// Reads users with their tags.
macro_rules! select_users {
    ($rest:literal) => {
        concat!("SELECT users.*, ", tags_of!("users.id"), " FROM users ", $rest)
    };
}
pub(super) use select_users;

#[async_trait]
impl UserStore for SqliteStore {
    async fn create_user(&self, user: &User) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO users (name, id, path, created_at, boundary_arn, sessions_valid_after,
                 password_last_used_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(user.name.as_str())
        .bind(user.id.as_str())
        .bind(user.path.as_str())
        .bind(user.created_at.as_microsecond())
        .bind(user.boundary.as_ref().map(PolicyArn::as_str))
        .bind(user.sessions_valid_after.map(Timestamp::as_microsecond))
        .bind(user.password_last_used_at.map(Timestamp::as_microsecond))
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create a user", || Entity::User(user.name.clone())))?;
        if let Some(boundary) = &user.boundary {
            require_policy(&mut tx, boundary).await?;
        }
        self.within(Quota::Users, count(&mut tx, "SELECT count(*) FROM users").await?)?;
        put_tags(&mut tx, user.id.as_str(), &user.tags, KeyCase::Ignored).await?;
        self.check_tags(&mut tx, user.id.as_str()).await?;
        Ok(self.commit_change(tx, "create a user").await?)
    }

    async fn user(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        find(&self.readers, name).await
    }

    async fn user_by_id(&self, id: &PrincipalId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(select_users!("WHERE id = ?"))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a user"))?;
        row.map(|row| User::try_from(&row)).transpose()
    }

    async fn users(
        &self,
        path_prefix: &str,
        page: &Page<UserName>,
    ) -> Result<Paged<User, UserName>, StoreError> {
        let mut query = QueryBuilder::new(select_users!("WHERE TRUE"));
        super::push_page(&mut query, path_prefix, page.after.as_ref().map(UserName::as_str), page.limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list users"))?;
        paged(&rows, page.limit, |user: &User| user.name.clone())
    }

    async fn user_confused_with(
        &self,
        name: &str,
        besides: Option<&UserName>,
    ) -> Result<Option<UserName>, StoreError> {
        // Policies compare session ARNs with their case.
        let row = sqlx::query(
            "SELECT name FROM users
             WHERE (substr(name, 1, length(?1) + 1) = (?1 || '-') COLLATE BINARY
                OR substr(?1, 1, length(name) + 1) = (name || '-') COLLATE BINARY)
               AND (?2 IS NULL OR name <> ?2)
             ORDER BY name LIMIT 1",
        )
        .bind(name)
        .bind(besides.map(UserName::as_str))
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("compare user names"))?;
        row.map(|row| Fields::new(&row, "users", "name").parse("name")).transpose()
    }

    async fn update_user(&self, name: &UserName, new: &NewName<UserName>) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let old = require(&mut tx, name).await?;
        let id = old.id.to_string();
        if let Some(new_name) = &new.name {
            // Keys refer to the name: for a moment they refer to nobody.
            sqlx::query("PRAGMA defer_foreign_keys = ON")
                .execute(&mut *tx)
                .await
                .map_err(failed("rename a user"))?;
            sqlx::query(
                "UPDATE access_keys SET user_name = ? WHERE user_name = (SELECT name FROM users WHERE id = ?)",
            )
            .bind(new_name.as_str())
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("rename a user"))?;
        }
        sqlx::query("UPDATE users SET name = coalesce(?, name), path = coalesce(?, path) WHERE id = ?")
            .bind(new.name.as_ref().map(UserName::as_str))
            .bind(new.path.as_ref().map(postern_ids::IamPath::as_str))
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(unless_taken("rename a user", || {
                Entity::User(new.name.clone().unwrap_or_else(|| name.clone()))
            }))?;
        let (path, name) = (new.path.as_ref().unwrap_or(&old.path), new.name.as_ref().unwrap_or(&old.name));
        let renamed = Arn::user(&self.account, path, name);
        let old = self.known_user(&old.path, &old.name);
        self.rename_principal(&mut tx, &old, renamed.as_str(), &id).await?;
        Ok(self.commit_change(tx, "rename a user").await?)
    }

    async fn delete_user(&self, name: &UserName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let user = require(&mut tx, name).await?;
        let id = user.id.to_string();
        let entity = || Entity::User(name.clone());
        let checks = [
            HELD_POLICIES[0],
            HELD_POLICIES[1],
            (
                Dependent::AccessKeys,
                "SELECT count(*) FROM access_keys WHERE user_name = (SELECT name FROM users WHERE id = ?)",
            ),
            (Dependent::LoginProfile, "SELECT count(*) FROM login_profiles WHERE user_id = ?"),
            (Dependent::MfaDevices, MFA_DEVICES),
            (Dependent::Groups, "SELECT count(*) FROM group_members WHERE user_id = ?"),
        ];
        refuse_while(&mut tx, entity(), &id, &checks).await?;
        remove_all_tags(&mut tx, &id).await?;
        sqlx::query("DELETE FROM users WHERE id = ?")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a user"))?;
        self.forget_principal(&mut tx, &self.known_user(&user.path, &user.name), &id).await?;
        Ok(self.commit_change(tx, "delete a user").await?)
    }

    async fn set_boundary(
        &self,
        principal: &PrincipalName,
        boundary: Option<&PolicyArn>,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = principal_id(&mut tx, principal).await?;
        if let Some(boundary) = boundary {
            require_policy(&mut tx, boundary).await?;
        }
        let sql = match principal {
            PrincipalName::User(_) => "UPDATE users SET boundary_arn = ? WHERE id = ?",
            PrincipalName::Role(_) => "UPDATE roles SET boundary_arn = ? WHERE id = ?",
        };
        sqlx::query(sql)
            .bind(boundary.map(PolicyArn::as_str))
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("set a boundary"))?;
        Ok(self.commit_change(tx, "set a boundary").await?)
    }

    async fn revoke_sessions(&self, principal: &PrincipalName, at: Timestamp) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = principal_id(&mut tx, principal).await?;
        let sql = match principal {
            PrincipalName::User(_) => {
                "UPDATE users SET sessions_valid_after = max(?1, coalesce(sessions_valid_after, ?1)) WHERE id = ?2"
            }
            PrincipalName::Role(_) => {
                "UPDATE roles SET sessions_valid_after = max(?1, coalesce(sessions_valid_after, ?1)) WHERE id = ?2"
            }
        };
        sqlx::query(sql)
            .bind(at.as_microsecond())
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("revoke sessions"))?;
        Ok(self.commit_change(tx, "revoke sessions").await?)
    }
}

/// The user with this name.
pub(super) async fn find<'c>(
    executor: impl SqliteExecutor<'c>,
    name: &UserName,
) -> Result<Option<User>, StoreError> {
    let row = sqlx::query(select_users!("WHERE name = ?"))
        .bind(name.as_str())
        .fetch_optional(executor)
        .await
        .map_err(failed("read a user"))?;
    row.map(|row| User::try_from(&row)).transpose()
}

async fn require(connection: &mut SqliteConnection, name: &UserName) -> Result<User, IdentityError> {
    let found = find(connection, name).await?;
    found.ok_or_else(|| IdentityError::NotFound(Entity::User(name.clone())))
}

impl TryFrom<&SqliteRow> for User {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "users", "name");
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            path: fields.parse("path")?,
            created_at: fields.time("created_at")?,
            boundary: fields.parse_option("boundary_arn")?,
            tags: fields.json("tags")?,
            sessions_valid_after: fields.time_option("sessions_valid_after")?,
            password_last_used_at: fields.time_option("password_last_used_at")?,
        })
    }
}
