//! Identities in SQLite: what the parts have in common.

mod access_key;
mod account;
mod authorization;
mod federation;
mod group;
mod held_policy;
mod instance_profile;
mod managed_policy;
mod mfa;
mod role;
mod sign_in;
mod tagging;
mod trust_policy;
mod user;

use postern_ids::{GroupName, PolicyArn, RoleName, UserName};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Fields, SqliteStore, failed};
use crate::{Dependent, Entity, IdentityError, PolicyHolder, PrincipalName, Quota, StoreError};

/// The tags of the row whose unique identifier `$owner` names, as one column of JSON.
macro_rules! tags_of {
    ($owner:literal) => {
        concat!(
            "(SELECT json_group_array(json_object('key', key, 'value', value) ORDER BY key) ",
            "FROM identity_tags WHERE owner_id = ",
            $owner,
            ") AS tags"
        )
    };
}
use tags_of;

impl SqliteStore {
    /// Refuses a count that is over its limit. Whoever counts has written already: the error rolls it back.
    fn within(&self, quota: Quota, count: impl Into<i64>) -> Result<(), IdentityError> {
        let max = self.quotas.max(quota);
        if count.into() > i64::from(max) {
            return Err(IdentityError::LimitExceeded { quota, max });
        }
        Ok(())
    }

    /// Refuses a document that is longer than its limit.
    fn within_chars(&self, quota: Quota, chars: usize) -> Result<(), IdentityError> {
        self.within(quota, i64::try_from(chars).unwrap_or(i64::MAX))
    }
}

/// What `sql` counts.
async fn count(connection: &mut SqliteConnection, sql: &'static str) -> Result<i64, StoreError> {
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(failed("count identities"))
}

/// What `sql` counts for one identifier.
async fn count_of(connection: &mut SqliteConnection, sql: &'static str, id: &str) -> Result<i64, StoreError> {
    sqlx::query_scalar(sql).bind(id).fetch_one(connection).await.map_err(failed("count what an identity has"))
}

/// The unique identifier that `sql` finds by name.
async fn find_id(
    connection: &mut SqliteConnection,
    sql: &'static str,
    name: &str,
    entity: impl FnOnce() -> Entity,
) -> Result<String, IdentityError> {
    let id: Option<String> = sqlx::query_scalar(sql)
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(failed("look up an identity"))?;
    id.ok_or_else(|| IdentityError::NotFound(entity()))
}

async fn user_id(connection: &mut SqliteConnection, name: &UserName) -> Result<String, IdentityError> {
    let sql = "SELECT id FROM users WHERE name = ?";
    find_id(connection, sql, name.as_str(), || Entity::User(name.clone())).await
}

async fn group_id(connection: &mut SqliteConnection, name: &GroupName) -> Result<String, IdentityError> {
    let sql = "SELECT id FROM user_groups WHERE name = ?";
    find_id(connection, sql, name.as_str(), || Entity::Group(name.clone())).await
}

async fn role_id(connection: &mut SqliteConnection, name: &RoleName) -> Result<String, IdentityError> {
    let sql = "SELECT id FROM roles WHERE name = ?";
    find_id(connection, sql, name.as_str(), || Entity::Role(name.clone())).await
}

async fn holder_id(
    connection: &mut SqliteConnection,
    holder: &PolicyHolder,
) -> Result<String, IdentityError> {
    match holder {
        PolicyHolder::User(name) => user_id(connection, name).await,
        PolicyHolder::Group(name) => group_id(connection, name).await,
        PolicyHolder::Role(name) => role_id(connection, name).await,
    }
}

async fn principal_id(
    connection: &mut SqliteConnection,
    principal: &PrincipalName,
) -> Result<String, IdentityError> {
    match principal {
        PrincipalName::User(name) => user_id(connection, name).await,
        PrincipalName::Role(name) => role_id(connection, name).await,
    }
}

/// Refuses a customer managed policy that does not exist.
async fn require_policy(connection: &mut SqliteConnection, arn: &PolicyArn) -> Result<(), IdentityError> {
    if arn.is_aws_managed() {
        return Ok(());
    }
    let sql = "SELECT id FROM managed_policies WHERE arn = ?";
    find_id(connection, sql, arn.as_str(), || Entity::Policy(arn.clone())).await.map(drop)
}

/// Refuses to delete `entity` while something else is there. Each check asks, for the identifier, whether it is.
async fn refuse_while(
    connection: &mut SqliteConnection,
    entity: Entity,
    id: &str,
    checks: &[(Dependent, &'static str)],
) -> Result<(), IdentityError> {
    let mut remaining = Vec::new();
    for (dependent, sql) in checks {
        if count_of(connection, sql, id).await? > 0 {
            remaining.push(*dependent);
        }
    }
    if remaining.is_empty() { Ok(()) } else { Err(IdentityError::DeleteConflict { entity, remaining }) }
}

/// What every holder of policies must have given up.
const HELD_POLICIES: [(Dependent, &str); 2] = [
    (Dependent::AttachedPolicies, "SELECT count(*) FROM policy_attachments WHERE holder_id = ?"),
    (Dependent::InlinePolicies, "SELECT count(*) FROM inline_policies WHERE holder_id = ?"),
];

/// Tells the constraint that was meant to refuse a name from failures.
fn unless_taken(
    action: &'static str,
    entity: impl FnOnce() -> Entity,
) -> impl FnOnce(sqlx::Error) -> IdentityError {
    move |error| match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
        Some(sqlx::error::ErrorKind::UniqueViolation) => IdentityError::AlreadyExists(entity()),
        _ => failed(action)(error).into(),
    }
}

/// Adds conditions and the order of a listing by path and name, and asks for one row more than the page holds.
fn push_page(query: &mut QueryBuilder<Sqlite>, path_prefix: &str, after: Option<&str>, limit: u32) {
    let prefix = path_prefix.to_owned();
    query.push(" AND substr(path, 1, length(").push_bind(prefix.clone()).push(")) = ").push_bind(prefix);
    if let Some(after) = after {
        query.push(" AND name > ").push_bind(after.to_owned());
    }
    query.push(" ORDER BY name LIMIT ").push_bind(i64::from(limit) + 1);
}
