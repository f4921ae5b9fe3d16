//! Groups and their members.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{GroupName, IamPath, PrincipalId, UserName};

use super::{IdentityError, NewName, User};
use crate::{Page, Paged, StoreError};

/// An IAM group: users that share policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: GroupName,
    /// The unique identifier, `AGPA…`.
    pub id: PrincipalId,
    /// Where it stands.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Groups and their members.
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// Creates a group without members.
    ///
    /// # Errors
    /// `AlreadyExists`, `LimitExceeded`.
    async fn create_group(&self, group: &Group) -> Result<(), IdentityError>;

    /// The group with this name.
    async fn group(&self, name: &GroupName) -> Result<Option<Group>, StoreError>;

    /// The groups whose path begins with `path_prefix`, ordered by name.
    async fn groups(
        &self,
        path_prefix: &str,
        page: &Page<GroupName>,
    ) -> Result<Paged<Group, GroupName>, StoreError>;

    /// Renames or moves a group.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    async fn update_group(&self, name: &GroupName, new: &NewName<GroupName>) -> Result<(), IdentityError>;

    /// Deletes a group.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while it has users or policies.
    async fn delete_group(&self, name: &GroupName) -> Result<(), IdentityError>;

    /// Makes a user a member. One that is already stays so.
    ///
    /// # Errors
    /// `NotFound` for either, `LimitExceeded` for groups of the user.
    async fn add_user_to_group(&self, group: &GroupName, user: &UserName) -> Result<(), IdentityError>;

    /// Ends a membership.
    ///
    /// # Errors
    /// `NotFound` for the group, and for the user if it does not exist or is no member.
    async fn remove_user_from_group(&self, group: &GroupName, user: &UserName) -> Result<(), IdentityError>;

    /// The members of a group, ordered by name.
    ///
    /// # Errors
    /// `NotFound`.
    async fn group_members(
        &self,
        group: &GroupName,
        page: &Page<UserName>,
    ) -> Result<Paged<User, UserName>, IdentityError>;

    /// The groups that a user belongs to, ordered by name.
    ///
    /// # Errors
    /// `NotFound`.
    async fn groups_of_user(&self, user: &UserName) -> Result<Vec<Group>, IdentityError>;
}
