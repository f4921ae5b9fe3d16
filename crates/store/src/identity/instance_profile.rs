//! Instance profiles: the containers in which AWS hands roles to machines.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{IamPath, InstanceProfileName, PrincipalId, RoleName};

use super::IdentityError;
use crate::{Page, Paged, StoreError, Tag};

/// An instance profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceProfile {
    /// The name.
    pub name: InstanceProfileName,
    /// The unique identifier, `AIPA…`.
    pub id: PrincipalId,
    /// Where it stands.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// The role in it.
    pub role: Option<RoleName>,
    /// Its tags, ordered by key.
    pub tags: Vec<Tag>,
}

/// Instance profiles.
#[async_trait]
pub trait InstanceProfileStore: Send + Sync {
    /// Creates a profile with all that it says, at once.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` for the role; `LimitExceeded` for profiles or tags.
    async fn create_instance_profile(&self, profile: &InstanceProfile) -> Result<(), IdentityError>;

    /// The profile with this name.
    async fn instance_profile(
        &self,
        name: &InstanceProfileName,
    ) -> Result<Option<InstanceProfile>, StoreError>;

    /// The profiles whose path begins with `path_prefix`, ordered by name.
    async fn instance_profiles(
        &self,
        path_prefix: &str,
        page: &Page<InstanceProfileName>,
    ) -> Result<Paged<InstanceProfile, InstanceProfileName>, StoreError>;

    /// The profiles that hold a role, ordered by name.
    ///
    /// # Errors
    /// `NotFound`.
    async fn instance_profiles_of_role(&self, role: &RoleName)
    -> Result<Vec<InstanceProfile>, IdentityError>;

    /// Puts a role in a profile.
    ///
    /// # Errors
    /// `NotFound` for either; `LimitExceeded` when there is a role in it, even this one.
    async fn add_role_to_instance_profile(
        &self,
        name: &InstanceProfileName,
        role: &RoleName,
    ) -> Result<(), IdentityError>;

    /// Takes a role out of a profile.
    ///
    /// # Errors
    /// `NotFound` for the profile, or for the role if it does not exist or is not in it.
    async fn remove_role_from_instance_profile(
        &self,
        name: &InstanceProfileName,
        role: &RoleName,
    ) -> Result<(), IdentityError>;

    /// Deletes a profile and its tags.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while there is a role in it.
    async fn delete_instance_profile(&self, name: &InstanceProfileName) -> Result<(), IdentityError>;
}
