//! Customer managed policies and their versions. Policies that every account has are not stored.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{PolicyArn, PolicyName, PolicyVersionId, PrincipalId};

use super::{IdentityError, PolicyUse};
use crate::{Page, Paged, StoreError, Tag};

/// A customer managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its ARN, which holds path and name. The name is unique in the account whatever the path.
    pub arn: PolicyArn,
    /// The unique identifier, `ANPA…`.
    pub id: PrincipalId,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// The version that counts.
    pub default_version: PolicyVersionId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its newest version was created, or its default version last changed.
    pub updated_at: Timestamp,
    /// Its tags, ordered by key.
    pub tags: Vec<Tag>,
    /// How often it is used.
    pub used: PolicyUse,
}

/// A policy to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// Its ARN.
    pub arn: PolicyArn,
    /// The unique identifier, `ANPA…`.
    pub id: PrincipalId,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// The document of version `v1`.
    pub document: String,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it is created.
    pub created_at: Timestamp,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Which one.
    pub version: PolicyVersionId,
    /// The document.
    pub document: String,
    /// Whether it is the one that counts.
    pub is_default: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Whether a new version counts from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionRank {
    /// It is the default version.
    Default,
    /// It waits for [`ManagedPolicyStore::set_default_policy_version`].
    Other,
}

/// For what a policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyUsage {
    /// Attached to identities.
    PermissionsPolicy,
    /// As their boundary.
    PermissionsBoundary,
}

/// Which policies to list, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyQuery {
    /// Their path begins with this.
    pub path_prefix: String,
    /// They are in use for this.
    pub used_for: Option<PolicyUsage>,
    /// They are in use for whatever.
    pub only_used: bool,
    /// Which page.
    pub page: Page<PolicyName>,
}

/// Customer managed policies and their versions.
#[async_trait]
pub trait ManagedPolicyStore: Send + Sync {
    /// Creates a policy with its first version, `v1`.
    ///
    /// # Errors
    /// `AlreadyExists` also for the name with another path; `LimitExceeded` for policies, tags or the document's size.
    async fn create_policy(&self, policy: &NewPolicy) -> Result<ManagedPolicy, IdentityError>;

    /// The policy with this ARN.
    async fn policy(&self, arn: &PolicyArn) -> Result<Option<ManagedPolicy>, StoreError>;

    /// The policies that match, ordered by name.
    async fn policies(&self, query: &PolicyQuery) -> Result<Paged<ManagedPolicy, PolicyName>, StoreError>;

    /// Deletes a policy with its only version and its tags.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while it is attached, a boundary, or has other versions than the default one.
    async fn delete_policy(&self, arn: &PolicyArn) -> Result<(), IdentityError>;

    /// Adds a version. Numbers go up by one and are never used again.
    ///
    /// # Errors
    /// `NotFound`; `LimitExceeded` for versions (at most five are kept, none goes by itself) or the document's size.
    async fn create_policy_version(
        &self,
        arn: &PolicyArn,
        document: &str,
        rank: VersionRank,
        at: Timestamp,
    ) -> Result<PolicyVersion, IdentityError>;

    /// A version of a policy.
    async fn policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
    ) -> Result<Option<PolicyVersion>, StoreError>;

    /// The versions of a policy, newest first.
    ///
    /// # Errors
    /// `NotFound`.
    async fn policy_versions(&self, arn: &PolicyArn) -> Result<Vec<PolicyVersion>, IdentityError>;

    /// Deletes a version.
    ///
    /// # Errors
    /// `NotFound` for the policy or the version; `DeleteConflict` for the default version.
    async fn delete_policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
    ) -> Result<(), IdentityError>;

    /// Makes a version the one that counts.
    ///
    /// # Errors
    /// `NotFound` for the policy or the version.
    async fn set_default_policy_version(
        &self,
        arn: &PolicyArn,
        version: PolicyVersionId,
        at: Timestamp,
    ) -> Result<(), IdentityError>;
}
