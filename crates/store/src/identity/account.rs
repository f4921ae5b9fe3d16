//! What concerns the account as a whole: guardrails, quotas, counts.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::PolicyName;

use super::{IdentityError, Quotas};
use crate::StoreError;

/// An account-wide guardrail: it allows nothing, but what it does not allow nobody can do. It works as AWS's service
/// control policies do: of each level, one must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// Its name, unique whatever its case.
    pub name: PolicyName,
    /// Its level, as root, unit and account are levels of an organisation.
    pub level: u32,
    /// The policy document.
    pub document: String,
    /// When it was last put.
    pub updated_at: Timestamp,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "their names say it all")]
pub struct IdentityCounts {
    pub users: u32,
    pub groups: u32,
    pub roles: u32,
    pub policies: u32,
    pub policy_versions: u32,
    pub instance_profiles: u32,
    pub oidc_providers: u32,
    pub mfa_devices: u32,
    pub mfa_devices_in_use: u32,
}

/// What concerns the account as a whole.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The limits that this store keeps.
    fn quotas(&self) -> &Quotas;

    /// How much there is of what.
    async fn identity_counts(&self) -> Result<IdentityCounts, StoreError>;

    /// Puts a guardrail in place of one with the same name.
    async fn put_guardrail(&self, guardrail: &Guardrail) -> Result<(), StoreError>;

    /// All guardrails, ordered by level, then name.
    async fn guardrails(&self) -> Result<Vec<Guardrail>, StoreError>;

    /// Removes a guardrail.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_guardrail(&self, name: &PolicyName) -> Result<(), IdentityError>;
}
