//! What a decision needs to know about a principal, and when it has to be asked again.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{PolicyArn, PolicyVersionId, PrincipalId, RoleName, UserName};
use tokio::sync::watch;

use super::{Group, InlinePolicy, Role, User};
use crate::{StoreError, Tag};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalName {
    /// A user.
    User(UserName),
    /// A role.
    Role(RoleName),
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Role(name) => write!(f, "role {name}"),
        }
    }
}

/// Who acts, with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A user.
    User(User),
    /// A role.
    Role(Role),
}

impl Principal {
    /// Its unique identifier.
    #[must_use]
    pub fn id(&self) -> &PrincipalId {
        match self {
            Self::User(user) => &user.id,
            Self::Role(role) => &role.id,
        }
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::User(user) => &user.tags,
            Self::Role(role) => &role.tags,
        }
    }

    /// Temporary credentials of it that were issued before are refused.
    #[must_use]
    pub fn sessions_valid_after(&self) -> Option<Timestamp> {
        match self {
            Self::User(user) => user.sessions_valid_after,
            Self::Role(role) => role.sessions_valid_after,
        }
    }
}

/// A managed policy that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachedPolicy {
    /// One that every account has; its document is not stored.
    AwsManaged(PolicyArn),
    /// One of the account.
    CustomerManaged {
        /// Its ARN.
        arn: PolicyArn,
        /// Its default version.
        version: PolicyVersionId,
        /// The document of that version.
        document: String,
    },
}

impl AttachedPolicy {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &PolicyArn {
        match self {
            Self::AwsManaged(arn) | Self::CustomerManaged { arn, .. } => arn,
        }
    }
}

/// The policies that one identity holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldPolicies {
    /// Those embedded in it, ordered by name.
    pub inline: Vec<InlinePolicy>,
    /// Those attached to it, ordered by ARN.
    pub attached: Vec<AttachedPolicy>,
}

/// A group of the principal, with its policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPolicies {
    /// The group.
    pub group: Group,
    /// What it holds.
    pub policies: HeldPolicies,
}

/// Everything about a principal that a decision needs, as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPolicies {
    /// The generation that this is of: as long as [`AuthorizationStore::identity_generation`] shows it, nothing here
    /// has changed.
    pub generation: u64,
    /// The identity itself.
    pub principal: Principal,
    /// What it holds.
    pub policies: HeldPolicies,
    /// A user's groups, ordered by name.
    pub groups: Vec<GroupPolicies>,
    /// Its permissions boundary.
    pub boundary: Option<AttachedPolicy>,
}

/// What decisions are made from.
///
/// # When to ask again
///
/// Every committed change that can alter a decision moves the *identity generation* by one, in the same transaction:
/// of users, groups, roles, memberships, policies and their versions, attachments, boundaries, guardrails, keys,
/// passwords, MFA devices, providers, any tags; and a node's deregistration. Uses (of keys, roles, passwords, codes)
/// and the registration of nodes do not.
///
/// What was made from a [`PrincipalPolicies`] is good while the receiver shows the same generation.
///
/// # Several processes
///
/// The receiver learns at once of changes made through this very store. Those that another process made, and one
/// whose call was dropped while it committed, it learns of at the next change or call of
/// [`refresh_identity_generation`](AuthorizationStore::refresh_identity_generation): whoever must know of all changes
/// within some time calls that as often.
#[async_trait]
pub trait AuthorizationStore: Send + Sync {
    /// Everything that a decision about this principal needs, read at one moment. `None`: it does not exist.
    async fn principal_policies(
        &self,
        principal: &PrincipalName,
    ) -> Result<Option<PrincipalPolicies>, StoreError>;

    /// The identity generation. It only grows, also across restarts.
    fn identity_generation(&self) -> watch::Receiver<u64>;

    /// Reads the generation from storage and tells the receivers if it has moved. Cheap: one row.
    async fn refresh_identity_generation(&self) -> Result<u64, StoreError>;
}
