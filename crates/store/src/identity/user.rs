//! Users.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{IamPath, PolicyArn, PrincipalId, UserName};

use super::{IdentityError, PrincipalName};
use crate::{Page, Paged, StoreError, Tag};

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: UserName,
    /// The unique identifier, `AIDA…`.
    pub id: PrincipalId,
    /// Where it stands.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// The managed policy that bounds what its policies can allow.
    pub boundary: Option<PolicyArn>,
    /// Its tags, ordered by key. Keys that differ only in case are the same key.
    pub tags: Vec<Tag>,
    /// Temporary credentials that were issued before are refused.
    pub sessions_valid_after: Option<Timestamp>,
    /// When its password was last used.
    pub password_last_used_at: Option<Timestamp>,
}

impl User {
    /// A new user without anything that can be left out.
    #[must_use]
    pub fn new(name: UserName, id: PrincipalId, created_at: Timestamp) -> Self {
        Self {
            name,
            id,
            path: IamPath::root(),
            created_at,
            boundary: None,
            tags: Vec::new(),
            sessions_valid_after: None,
            password_last_used_at: None,
        }
    }
}

/// A change of name, path, or both. Everything else (identifier, keys, policies, tags) stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName<N> {
    /// The new name, which may differ from the old one only in case.
    pub name: Option<N>,
    /// The new path.
    pub path: Option<IamPath>,
}

/// Users.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Creates a user with all that it says, at once.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` for a customer managed boundary that does not exist; `LimitExceeded` for users or
    /// tags.
    async fn create_user(&self, user: &User) -> Result<(), IdentityError>;

    /// The user with this name.
    async fn user(&self, name: &UserName) -> Result<Option<User>, StoreError>;

    /// The user with this unique identifier.
    async fn user_by_id(&self, id: &PrincipalId) -> Result<Option<User>, StoreError>;

    /// The users whose path begins with `path_prefix`, ordered by name.
    async fn users(
        &self,
        path_prefix: &str,
        page: &Page<UserName>,
    ) -> Result<Paged<User, UserName>, StoreError>;

    /// A user whose sessions a policy for `session/${aws:username}-*` would confuse with those of `name`: the one
    /// name is the other one up to a hyphen, as with `ali` and `ali-ce`. `name` is a user's or a role session's.
    /// The user `besides`, who is about to be renamed, does not count.
    async fn user_confused_with(
        &self,
        name: &str,
        besides: Option<&UserName>,
    ) -> Result<Option<UserName>, StoreError>;

    /// Renames or moves a user. Trust policies that name the user name it by its new ARN from then on; where that would
    /// make one too long, by its unique identifier, so that at least nobody else is meant.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    async fn update_user(&self, name: &UserName, new: &NewName<UserName>) -> Result<(), IdentityError>;

    /// Deletes a user and its tags. Trust policies that name the user name its unique identifier from then on, which
    /// nobody has again.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while it has access keys, a login profile, MFA devices, groups or policies.
    async fn delete_user(&self, name: &UserName) -> Result<(), IdentityError>;

    /// Sets or removes the permissions boundary of a user or role.
    ///
    /// # Errors
    /// `NotFound` for the principal or a customer managed policy.
    async fn set_boundary(
        &self,
        principal: &PrincipalName,
        boundary: Option<&PolicyArn>,
    ) -> Result<(), IdentityError>;

    /// Refuses, from now on, the temporary credentials of a user or role that were issued before `at`. An earlier
    /// time than the one before changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    async fn revoke_sessions(&self, principal: &PrincipalName, at: Timestamp) -> Result<(), IdentityError>;
}
