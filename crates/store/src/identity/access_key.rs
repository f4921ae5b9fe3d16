//! Users' long-term access keys.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{AccessKeyId, UserName};

use super::IdentityError;
use crate::{Secret, StoreError, text_enum};

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
    /// Whose it is, spelled as the user is.
    pub user: UserName,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its last use, to the precision that [`AccessKeyStore::touch_access_keys`] is called with.
    pub last_used: Option<KeyLastUsed>,
}

impl AccessKey {
    /// A new key, ready for use.
    #[must_use]
    pub fn new(id: AccessKeyId, secret: Secret<String>, user: UserName, created_at: Timestamp) -> Self {
        Self { id, secret, user, status: KeyStatus::Active, created_at, last_used: None }
    }
}

/// The last use of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLastUsed {
    /// When.
    pub at: Timestamp,
    /// The signing name of the service, such as `ssm`.
    pub service: String,
    /// The region that the request was signed for.
    pub region: String,
}

/// A use of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyUse {
    /// The key.
    pub id: AccessKeyId,
    /// When and for what.
    pub used: KeyLastUsed,
}

/// Users' long-term access keys.
#[async_trait]
pub trait AccessKeyStore: Send + Sync {
    /// Creates an access key of a user.
    ///
    /// # Errors
    /// `NotFound` for the user, `AlreadyExists`, `LimitExceeded`: a user has at most two.
    async fn create_access_key(&self, key: &AccessKey) -> Result<(), IdentityError>;

    /// The access key with this identifier, whatever its status.
    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>, StoreError>;

    /// The access keys of a user, oldest first.
    ///
    /// # Errors
    /// `NotFound`.
    async fn access_keys(&self, user: &UserName) -> Result<Vec<AccessKey>, IdentityError>;

    /// Lets a user's key be used, or not.
    ///
    /// # Errors
    /// `NotFound` for the user or the key, also when it is another user's.
    async fn set_access_key_status(
        &self,
        user: &UserName,
        id: &AccessKeyId,
        status: KeyStatus,
    ) -> Result<(), IdentityError>;

    /// Deletes a user's key.
    ///
    /// # Errors
    /// `NotFound` for the user or the key, also when it is another user's.
    async fn delete_access_key(&self, user: &UserName, id: &AccessKeyId) -> Result<(), IdentityError>;

    /// Remembers when keys were last used, for all of `uses` in one transaction; a use older than the one on record
    /// and an unknown key are passed over. Meant to be called now and then, not on every use.
    async fn touch_access_keys(&self, uses: &[AccessKeyUse]) -> Result<(), StoreError>;
}
