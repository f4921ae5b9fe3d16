//! Users with their access keys, and roles.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{AccessKeyId, PrincipalId, RoleName, UserName};

use crate::{Secret, StoreError, text_enum};

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, unique whatever its case.
    pub name: UserName,
    /// The unique identifier, `AIDA…`.
    pub id: PrincipalId,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name, unique whatever its case.
    pub name: RoleName,
    /// The unique identifier, `AROA…`.
    pub id: PrincipalId,
    /// When it was created.
    pub created_at: Timestamp,
}

text_enum!(
    /// Whether an access key may be used.
    KeyStatus,
    "an access key's status" {
        /// It may.
        Active = "Active",
        /// It may not, for now.
        Inactive = "Inactive",
    }
);

/// A user's long-term access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The identifier, `AKIA…`.
    pub id: AccessKeyId,
    /// The secret, sealed in the store. SigV4 needs it in clear, so a hash would not do.
    pub secret: Secret<String>,
    /// Whose it is.
    pub user: UserName,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Why a user, role or key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateIdentityError {
    /// The name or identifier is taken.
    #[error("it already exists")]
    AlreadyExists,
    /// The user that the key is for does not exist.
    #[error("the user does not exist")]
    UserUnknown,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Users with their access keys, and roles.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Creates a user; names that differ only in case are the same name, as in IAM.
    async fn create_user(&self, user: &User) -> Result<(), CreateIdentityError>;

    /// The user with this name.
    async fn user(&self, name: &UserName) -> Result<Option<User>, StoreError>;

    /// Creates an access key for a user that exists.
    async fn create_access_key(&self, key: &AccessKey) -> Result<(), CreateIdentityError>;

    /// The access key with this identifier, whatever its status.
    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>, StoreError>;

    /// Creates a role; names that differ only in case are the same name, as in IAM.
    async fn create_role(&self, role: &Role) -> Result<(), CreateIdentityError>;

    /// The role with this name.
    async fn role(&self, name: &RoleName) -> Result<Option<Role>, StoreError>;
}
