//! Whom trust policies and key policies name, in the transactions that change who there is.

use postern_ids::{Arn, IamPath, RoleName, UserName};
use sqlx::SqliteConnection;

use super::{SqliteStore, failed, role, user};
use crate::identity::trust_policy::{self, Known, Named};
use crate::{IdentityError, Quota, policy_chars};

impl SqliteStore {
    /// Refuses a policy that names a user or role of the account that does not exist.
    pub(in crate::sqlite) async fn require_principals(
        &self,
        connection: &mut SqliteConnection,
        policy: &str,
    ) -> Result<(), IdentityError> {
        for (principal, named) in trust_policy::named(policy, &self.account) {
            let is_there = match named {
                Named::User(name, arn) => self.arn_of_user(connection, &name).await? == Some(arn),
                Named::Role(name, arn) => self.arn_of_role(connection, &name).await? == Some(arn),
                Named::Session(name) => self.arn_of_role(connection, &name).await?.is_some(),
                Named::Nobody => false,
            };
            if !is_there {
                return Err(IdentityError::PrincipalUnknown { principal });
            }
        }
        Ok(())
    }

    /// Makes every policy that names `old` name `new`; where that would make a trust policy too long, `id`.
    pub(super) async fn rename_principal(
        &self,
        connection: &mut SqliteConnection,
        old: &Known,
        new: &str,
        id: &str,
    ) -> Result<(), IdentityError> {
        let policies: Vec<(String, String)> = sqlx::query_as("SELECT id, trust_policy FROM roles")
            .fetch_all(&mut *connection)
            .await
            .map_err(failed("read trust policies"))?;
        let max = usize::try_from(self.quotas.max(Quota::TrustPolicyChars)).unwrap_or(usize::MAX);
        for (role, policy) in policies {
            let Some(renamed) = trust_policy::renamed(&policy, old, new) else { continue };
            let is_too_long = policy_chars(&renamed) > max;
            let shorter = is_too_long.then(|| trust_policy::renamed(&policy, old, id)).flatten();
            sqlx::query("UPDATE roles SET trust_policy = ? WHERE id = ?")
                .bind(shorter.unwrap_or(renamed))
                .bind(role)
                .execute(&mut *connection)
                .await
                .map_err(failed("change a trust policy"))?;
        }
        rename_in_key_policies(connection, old, new).await
    }

    /// Makes every policy that names `gone` name its unique identifier, which is nobody's any more.
    pub(super) async fn forget_principal(
        &self,
        connection: &mut SqliteConnection,
        gone: &Known,
        id: &str,
    ) -> Result<(), IdentityError> {
        self.rename_principal(connection, gone, id, id).await
    }

    pub(super) fn known_user(&self, path: &IamPath, name: &UserName) -> Known {
        Known::user(&self.account, path, name)
    }

    pub(super) fn known_role(&self, path: &IamPath, name: &RoleName) -> Known {
        Known::role(&self.account, path, name)
    }

    async fn arn_of_user(
        &self,
        connection: &mut SqliteConnection,
        name: &UserName,
    ) -> Result<Option<Arn>, IdentityError> {
        let found = user::find(connection, name).await?;
        Ok(found.map(|user| Arn::user(&self.account, &user.path, &user.name)))
    }

    async fn arn_of_role(
        &self,
        connection: &mut SqliteConnection,
        name: &RoleName,
    ) -> Result<Option<Arn>, IdentityError> {
        let found = role::find(connection, name).await?;
        Ok(found.map(|role| Arn::role(&self.account, &role.path, &role.name)))
    }
}

/// Makes every key policy that names `old` name `new`.
async fn rename_in_key_policies(
    connection: &mut SqliteConnection,
    old: &Known,
    new: &str,
) -> Result<(), IdentityError> {
    let policies: Vec<(String, String)> = sqlx::query_as("SELECT id, policy FROM kms_keys")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("read key policies"))?;
    for (key, policy) in policies {
        let Some(renamed) = trust_policy::renamed(&policy, old, new) else { continue };
        sqlx::query("UPDATE kms_keys SET policy = ? WHERE id = ?")
            .bind(renamed)
            .bind(key)
            .execute(&mut *connection)
            .await
            .map_err(failed("change a key policy"))?;
    }
    Ok(())
}
