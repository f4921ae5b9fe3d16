//! Roles.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{IamPath, PolicyArn, PrincipalId, Region, RoleName};

use super::IdentityError;
use crate::{Page, Paged, StoreError, Tag};

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name.
    pub name: RoleName,
    /// The unique identifier, `AROA…`.
    pub id: PrincipalId,
    /// Where it stands.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// The policy that says who may assume it.
    pub trust_policy: String,
    /// The longest that a session of it may be asked to last.
    pub session_duration_max: SignedDuration,
    /// The managed policy that bounds what its policies can allow.
    pub boundary: Option<PolicyArn>,
    /// Its tags, ordered by key. Keys that differ only in case are the same key.
    pub tags: Vec<Tag>,
    /// Temporary credentials that were issued before are refused.
    pub sessions_valid_after: Option<Timestamp>,
    /// When and where it last acted.
    pub last_used: Option<RoleLastUsed>,
}

impl Role {
    /// How long sessions may last unless the role says otherwise.
    /// Source: AWS IAM API reference, `CreateRole`, `MaxSessionDuration`.
    pub const SESSION_DURATION_DEFAULT: SignedDuration = SignedDuration::from_hours(1);

    /// A new role without anything that can be left out.
    #[must_use]
    pub fn new(
        name: RoleName,
        id: PrincipalId,
        trust_policy: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            name,
            id,
            path: IamPath::root(),
            created_at,
            description: None,
            trust_policy: trust_policy.into(),
            session_duration_max: Self::SESSION_DURATION_DEFAULT,
            boundary: None,
            tags: Vec::new(),
            sessions_valid_after: None,
            last_used: None,
        }
    }
}

/// The last use of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLastUsed {
    /// When.
    pub at: Timestamp,
    /// In which region.
    pub region: Region,
}

/// A use of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleUse {
    /// The role.
    pub role: RoleName,
    /// When and where.
    pub used: RoleLastUsed,
}

/// A change of a role; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleUpdate {
    /// The new description; an empty one removes it.
    pub description: Option<String>,
    /// The new longest duration of sessions.
    pub session_duration_max: Option<SignedDuration>,
    /// The new trust policy.
    pub trust_policy: Option<String>,
}

/// Roles. Boundaries and revocation are as for users:
/// [`UserStore::set_boundary`](super::UserStore::set_boundary),
/// [`UserStore::revoke_sessions`](super::UserStore::revoke_sessions).
#[async_trait]
pub trait RoleStore: Send + Sync {
    /// Creates a role with all that it says, at once.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` for a customer managed boundary that does not exist; `PrincipalUnknown`;
    /// `LimitExceeded` for roles, tags or the size of the trust policy.
    async fn create_role(&self, role: &Role) -> Result<(), IdentityError>;

    /// The role with this name.
    async fn role(&self, name: &RoleName) -> Result<Option<Role>, StoreError>;

    /// The role with this unique identifier.
    async fn role_by_id(&self, id: &PrincipalId) -> Result<Option<Role>, StoreError>;

    /// The roles whose path begins with `path_prefix`, ordered by name.
    async fn roles(
        &self,
        path_prefix: &str,
        page: &Page<RoleName>,
    ) -> Result<Paged<Role, RoleName>, StoreError>;

    /// Changes what `update` says.
    ///
    /// # Errors
    /// `NotFound`, `PrincipalUnknown`, `LimitExceeded` for the size of the trust policy.
    async fn update_role(&self, name: &RoleName, update: &RoleUpdate) -> Result<Role, IdentityError>;

    /// Deletes a role and its tags. Trust policies that name the role, or a session of it, name its unique identifier from
    /// then on, which nobody has again.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while it has policies or instance profiles hold it.
    async fn delete_role(&self, name: &RoleName) -> Result<(), IdentityError>;

    /// Remembers when roles were last used, for all of `uses` in one transaction; a use older than the one on record
    /// and an unknown role are passed over. Meant to be called now and then, not on every use.
    async fn touch_roles(&self, uses: &[RoleUse]) -> Result<(), StoreError>;
}
