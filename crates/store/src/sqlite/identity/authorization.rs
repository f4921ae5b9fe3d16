//! What decisions are made from, in SQLite: a fixed number of statements whatever the principal holds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_ids::PolicyArn;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use tokio::sync::watch;

use super::super::generation;
use super::managed_policy::version_from;
use super::role::select_roles;
use super::tags_of;
use super::user::select_users;
use super::{Fields, SqliteStore, failed};
use crate::{
    AttachedPolicy, AuthorizationStore, Group, GroupPolicies, HeldPolicies, InlinePolicy, Principal,
    PrincipalName, PrincipalPolicies, Role, StoreError, User,
};

/// The rows that the principal `?1` and its groups hold.
macro_rules! where_held {
    () => {
        " WHERE holder_id IN (SELECT ?1 UNION ALL SELECT group_id FROM group_members WHERE user_id = ?1)"
    };
}

const USER: &str = select_users!("WHERE name = ?");
const ROLE: &str = select_roles!("WHERE name = ?");
const GROUPS: &str =
    "SELECT * FROM user_groups WHERE id IN (SELECT group_id FROM group_members WHERE user_id = ?)
     ORDER BY name";
const INLINE: &str = concat!("SELECT * FROM inline_policies", where_held!(), " ORDER BY name");
const ATTACHED: &str = concat!(
    "SELECT holder_id, policy_attachments.policy_arn AS arn, version, document FROM policy_attachments
     LEFT JOIN managed_policies ON managed_policies.arn = policy_attachments.policy_arn
     LEFT JOIN policy_versions
         ON policy_versions.policy_arn = managed_policies.arn AND version = default_version",
    where_held!(),
    " ORDER BY policy_attachments.policy_arn"
);
const BOUNDARY: &str = "SELECT ?1 AS arn, version, document FROM (SELECT 1)
     LEFT JOIN managed_policies ON managed_policies.arn = ?1
     LEFT JOIN policy_versions ON policy_arn = managed_policies.arn AND version = default_version";

#[async_trait]
impl AuthorizationStore for SqliteStore {
    async fn principal_policies(
        &self,
        principal: &PrincipalName,
    ) -> Result<Option<PrincipalPolicies>, StoreError> {
        let mut tx = self.snapshot().await?;
        let generation = generation::read(&mut *tx).await?;
        let Some(principal) = find(&mut tx, principal).await? else { return Ok(None) };
        let id = principal.id().as_str();
        let mut held = held_policies(&mut tx, id).await?;
        let groups = match &principal {
            Principal::User(_) => groups(&mut tx, id).await?,
            Principal::Role(_) => Vec::new(),
        };
        let boundary = match &principal {
            Principal::User(User { boundary, .. }) | Principal::Role(Role { boundary, .. }) => boundary,
        };
        let boundary = match boundary {
            Some(arn) => Some(policy(&mut tx, arn).await?),
            None => None,
        };
        let policies = held.remove(id).unwrap_or_default();
        let groups = groups
            .into_iter()
            .map(|group| {
                let policies = held.remove(group.id.as_str()).unwrap_or_default();
                GroupPolicies { group, policies }
            })
            .collect();
        Ok(Some(PrincipalPolicies { generation, principal, policies, groups, boundary }))
    }

    fn identity_generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    async fn refresh_identity_generation(&self) -> Result<u64, StoreError> {
        let generation = generation::read(&self.readers).await?;
        self.publish(generation);
        Ok(generation)
    }
}

async fn find(
    connection: &mut SqliteConnection,
    principal: &PrincipalName,
) -> Result<Option<Principal>, StoreError> {
    let (sql, name) = match principal {
        PrincipalName::User(name) => (USER, name.as_str()),
        PrincipalName::Role(name) => (ROLE, name.as_str()),
    };
    let row =
        sqlx::query(sql).bind(name).fetch_optional(connection).await.map_err(failed("read a principal"))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(match principal {
        PrincipalName::User(_) => Principal::User(User::try_from(&row)?),
        PrincipalName::Role(_) => Principal::Role(Role::try_from(&row)?),
    }))
}

async fn groups(connection: &mut SqliteConnection, user_id: &str) -> Result<Vec<Group>, StoreError> {
    let rows = sqlx::query(GROUPS)
        .bind(user_id)
        .fetch_all(connection)
        .await
        .map_err(failed("read a user's groups"))?;
    rows.iter().map(Group::try_from).collect()
}

/// The policies of a principal and of its groups, by the holder's unique identifier.
async fn held_policies(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<BTreeMap<String, HeldPolicies>, StoreError> {
    let mut held: BTreeMap<String, HeldPolicies> = BTreeMap::new();
    let rows = sqlx::query(INLINE)
        .bind(id)
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("read inline policies"))?;
    for row in &rows {
        let holder = Fields::new(row, "inline_policies", "holder_id").get("holder_id")?;
        held.entry(holder).or_default().inline.push(InlinePolicy::try_from(row)?);
    }
    let rows = sqlx::query(ATTACHED)
        .bind(id)
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("read attached policies"))?;
    for row in &rows {
        let holder = Fields::new(row, "policy_attachments", "holder_id").get("holder_id")?;
        held.entry(holder).or_default().attached.push(AttachedPolicy::try_from(row)?);
    }
    Ok(held)
}

/// A managed policy by its ARN.
async fn policy(connection: &mut SqliteConnection, arn: &PolicyArn) -> Result<AttachedPolicy, StoreError> {
    if arn.is_aws_managed() {
        return Ok(AttachedPolicy::AwsManaged(arn.clone()));
    }
    let row = sqlx::query(BOUNDARY)
        .bind(arn.as_str())
        .fetch_one(connection)
        .await
        .map_err(failed("read a boundary"))?;
    AttachedPolicy::try_from(&row)
}

/// A row with the document of a policy's default version, which must be there unless every account has the policy: a
/// policy that is passed over might be the one that denies.
impl TryFrom<&SqliteRow> for AttachedPolicy {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "managed_policies", "arn");
        let arn: PolicyArn = fields.parse("arn")?;
        if arn.is_aws_managed() {
            return Ok(Self::AwsManaged(arn));
        }
        let document = fields.get("document")?;
        Ok(Self::CustomerManaged { arn, version: version_from(&fields, "version")?, document })
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::{MasterKey, SqliteOptions};

    #[tokio::test]
    async fn a_decision_scans_no_table() {
        let directory = tempfile::TempDir::new().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap();
        for sql in [USER, ROLE, GROUPS, INLINE, ATTACHED, BOUNDARY] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = sqlx::query(explain).bind("x").fetch_all(&store.readers).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
            let tables = scans.filter(|step| *step != "SCAN CONSTANT ROW" && !step.contains("subquery"));
            assert_eq!(tables.collect::<Vec<_>>(), [""; 0], "{sql}");
            assert!(plan.iter().any(|step| step.starts_with("SEARCH")), "{sql}: {plan:?}");
        }
    }
}
