//! The policies of users, groups and roles: embedded in them, or attached to them.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use postern_ids::{GroupName, IamPath, PolicyArn, PolicyName, PrincipalId, RoleName, UserName};

use super::IdentityError;
use crate::StoreError;

/// Who holds policies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PolicyHolder {
    /// A user.
    User(UserName),
    /// A group.
    Group(GroupName),
    /// A role.
    Role(RoleName),
}

impl fmt::Display for PolicyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Role(name) => write!(f, "role {name}"),
        }
    }
}

/// A policy embedded in an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlinePolicy {
    /// Its name, unique within its identity whatever its case.
    pub name: PolicyName,
    /// The document.
    pub document: String,
}

/// How often a managed policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyUse {
    /// By how many identities it is held.
    pub attachments_count: u32,
    /// Of how many identities it is the boundary.
    pub boundaries_count: u32,
}

/// An identity that uses a managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEntity {
    /// Its kind and name.
    pub holder: PolicyHolder,
    /// Its unique identifier.
    pub id: PrincipalId,
    /// Where it stands.
    pub path: IamPath,
}

/// Who uses a managed policy. Users come first, then groups, then roles, each ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyEntities {
    /// Whom it is attached to.
    pub attached_to: Vec<PolicyEntity>,
    /// Whose boundary it is.
    pub boundary_of: Vec<PolicyEntity>,
}

/// The policies of users, groups and roles.
#[async_trait]
pub trait HeldPolicyStore: Send + Sync {
    /// Embeds a policy, in place of one with the same name.
    ///
    /// # Errors
    /// `NotFound`; `LimitExceeded` for the characters of all the holder's inline policies together.
    async fn put_inline_policy(
        &self,
        holder: &PolicyHolder,
        policy: &InlinePolicy,
    ) -> Result<(), IdentityError>;

    /// The inline policy with this name.
    ///
    /// # Errors
    /// `NotFound` for the holder.
    async fn inline_policy(
        &self,
        holder: &PolicyHolder,
        name: &PolicyName,
    ) -> Result<Option<InlinePolicy>, IdentityError>;

    /// The inline policies of a holder, ordered by name.
    ///
    /// # Errors
    /// `NotFound`.
    async fn inline_policies(&self, holder: &PolicyHolder) -> Result<Vec<InlinePolicy>, IdentityError>;

    /// Removes an inline policy.
    ///
    /// # Errors
    /// `NotFound` for the holder or the policy.
    async fn delete_inline_policy(
        &self,
        holder: &PolicyHolder,
        name: &PolicyName,
    ) -> Result<(), IdentityError>;

    /// Attaches a managed policy. One that is attached already stays so. Whether an AWS managed policy exists is the
    /// caller's to check.
    ///
    /// # Errors
    /// `NotFound` for the holder or a customer managed policy; `LimitExceeded`.
    async fn attach_policy(&self, holder: &PolicyHolder, policy: &PolicyArn) -> Result<(), IdentityError>;

    /// Detaches a managed policy.
    ///
    /// # Errors
    /// `NotFound` for the holder or the attachment.
    async fn detach_policy(&self, holder: &PolicyHolder, policy: &PolicyArn) -> Result<(), IdentityError>;

    /// The managed policies attached to a holder, ordered by ARN.
    ///
    /// # Errors
    /// `NotFound`.
    async fn attached_policies(&self, holder: &PolicyHolder) -> Result<Vec<PolicyArn>, IdentityError>;

    /// Who uses a managed policy.
    ///
    /// # Errors
    /// `NotFound` for a customer managed policy that does not exist.
    async fn policy_entities(&self, policy: &PolicyArn) -> Result<PolicyEntities, IdentityError>;

    /// Every managed policy that is used, AWS managed or not, and how often.
    async fn policy_uses(&self) -> Result<BTreeMap<PolicyArn, PolicyUse>, StoreError>;
}
