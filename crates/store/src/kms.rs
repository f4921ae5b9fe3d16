//! Encryption keys: what is known of them, their backing keys, their aliases.
//!
//! Which state allows what is the caller's to know; the store keeps changes from crossing.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{KmsAlias, KmsKeyId};

use crate::{Page, Paged, Secret, StoreError, Tag, text_enum};

/// An encryption key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    /// Its identifier.
    pub id: KmsKeyId,
    /// What people say it is for.
    pub description: String,
    /// Its key policy.
    pub policy: String,
    /// What it can be used for by now.
    pub state: KmsKeyState,
    /// How it is rotated by itself; `None`: it is not.
    pub rotation: Option<KmsRotation>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its tags, ordered by key.
    pub tags: Vec<Tag>,
    /// Its aliases, ordered.
    pub aliases: Vec<KmsAlias>,
    /// The backing key that encrypts by now.
    pub current: KmsMaterialName,
}

/// What a key can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KmsKeyState {
    /// Everything.
    Enabled,
    /// Nothing, until it is enabled.
    Disabled,
    /// Nothing, and it will be deleted.
    PendingDeletion {
        /// When.
        at: Timestamp,
        /// How long it was to wait, in days.
        days: u16,
    },
}

/// How a key is rotated by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KmsRotation {
    /// How often, in days.
    pub days: u16,
    /// When next.
    pub at: Timestamp,
}

/// Which backing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsMaterialName {
    /// From 1, one more with each rotation. Ciphertexts carry it.
    pub version: u32,
    /// The name by which the API calls it: 64 hexadecimal digits.
    pub name: String,
}

text_enum!(
    /// Where a backing key came from, as `ListKeyRotations` spells it.
    KmsMaterialOrigin,
    "an origin of key material" {
        /// With the key.
        Created = "CREATED",
        /// By a rotation in its time.
        Automatic = "AUTOMATIC",
        /// By a rotation that somebody asked for.
        OnDemand = "ON_DEMAND",
    }
);

/// A backing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsMaterial {
    /// Which one.
    pub name: KmsMaterialName,
    /// Where it came from.
    pub origin: KmsMaterialOrigin,
    /// What its holder needs to work with it: the key itself, or where it is. It is stored sealed.
    pub content: Secret<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An alias with the key that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsAliasRecord {
    /// The alias.
    pub name: KmsAlias,
    /// The key.
    pub key: KmsKeyId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it got its key.
    pub updated_at: Timestamp,
}

/// Why a key policy was not stored.
#[derive(Debug, thiserror::Error)]
pub enum KmsPolicyError {
    /// There is no such key.
    #[error("there is no such key")]
    KeyUnknown,
    /// The policy names a user or role of the account that does not exist.
    #[error("{principal} does not exist")]
    PrincipalUnknown {
        /// As the policy names it.
        principal: String,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an alias was not given.
#[derive(Debug, thiserror::Error)]
pub enum KmsAliasError {
    /// A key has it.
    #[error("the alias exists")]
    AlreadyExists,
    /// There is no such key.
    #[error("there is no such key")]
    KeyUnknown,
    /// There is no such alias.
    #[error("there is no such alias")]
    AliasUnknown,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why tags were not given.
#[derive(Debug, thiserror::Error)]
pub enum KmsTagError {
    /// There is no such key.
    #[error("there is no such key")]
    KeyUnknown,
    /// The key would have more tags than it may; none was added.
    #[error("a key has at most {limit} tags")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Encryption keys. What names a key that does not exist changes nothing and says `false`.
#[async_trait]
pub trait KmsStore: Send + Sync {
    /// Creates a key with its first backing key, without aliases.
    ///
    /// # Errors
    /// If its policy names somebody who does not exist.
    async fn create_kms_key(&self, key: &KmsKey, material: &KmsMaterial) -> Result<(), KmsPolicyError>;

    /// The key of this identifier.
    async fn kms_key(&self, id: &KmsKeyId) -> Result<Option<KmsKey>, StoreError>;

    /// The key of this alias.
    async fn kms_key_of(&self, alias: &KmsAlias) -> Result<Option<KmsKey>, StoreError>;

    /// The keys, ordered by identifier.
    async fn kms_keys(&self, page: &Page<KmsKeyId>) -> Result<Paged<KmsKeyId, KmsKeyId>, StoreError>;

    /// The keys that are to be deleted or rotated at `at`, at most `limit`.
    async fn kms_keys_due(&self, at: Timestamp, limit: u32) -> Result<Vec<KmsKey>, StoreError>;

    /// Describes a key anew.
    async fn describe_kms_key(&self, id: &KmsKeyId, description: &str) -> Result<bool, StoreError>;

    /// Brings a key from one state into another; `false`, too, if it is in another by now.
    async fn change_kms_key_state(
        &self,
        id: &KmsKeyId,
        from: KmsKeyState,
        to: KmsKeyState,
    ) -> Result<bool, StoreError>;

    /// Puts a key policy in place of the one before.
    ///
    /// # Errors
    /// If there is no such key, or the policy names somebody who does not exist.
    async fn put_kms_key_policy(&self, id: &KmsKeyId, policy: &str) -> Result<(), KmsPolicyError>;

    /// Has a key rotated by itself from now on, or no longer.
    async fn set_kms_key_rotation(
        &self,
        id: &KmsKeyId,
        rotation: Option<KmsRotation>,
    ) -> Result<bool, StoreError>;

    /// Adds the backing key that encrypts from now on, of the version after the current one; `false`, too, if that is
    /// there by now. A key that is rotated by itself gets its next time.
    async fn rotate_kms_key(
        &self,
        id: &KmsKeyId,
        material: &KmsMaterial,
        next: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// A backing key.
    async fn kms_material(&self, id: &KmsKeyId, version: u32) -> Result<Option<KmsMaterial>, StoreError>;

    /// All backing keys of a key, the oldest first.
    async fn kms_materials(&self, id: &KmsKeyId) -> Result<Vec<KmsMaterial>, StoreError>;

    /// Deletes a key that waits for it and whose time has come by `at`, with its backing keys and its aliases.
    async fn delete_kms_key(&self, id: &KmsKeyId, at: Timestamp) -> Result<bool, StoreError>;

    /// Gives a key an alias that no key has.
    ///
    /// # Errors
    /// [`KmsAliasError`].
    async fn create_kms_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError>;

    /// Gives an alias to another key.
    ///
    /// # Errors
    /// [`KmsAliasError`].
    async fn update_kms_alias(
        &self,
        alias: &KmsAlias,
        key: &KmsKeyId,
        at: Timestamp,
    ) -> Result<(), KmsAliasError>;

    /// Takes an alias away; its key stays. `false`: there is no such alias.
    async fn delete_kms_alias(&self, alias: &KmsAlias) -> Result<bool, StoreError>;

    /// An alias.
    async fn kms_alias(&self, alias: &KmsAlias) -> Result<Option<KmsAliasRecord>, StoreError>;

    /// The aliases, of one key or of all, ordered.
    async fn kms_aliases(
        &self,
        key: Option<&KmsKeyId>,
        page: &Page<KmsAlias>,
    ) -> Result<Paged<KmsAliasRecord, KmsAlias>, StoreError>;

    /// Gives a key tags, in place of those with the same keys: all of them, or none.
    ///
    /// # Errors
    /// [`KmsTagError`].
    async fn tag_kms_key(&self, id: &KmsKeyId, tags: &[Tag], limit: usize) -> Result<(), KmsTagError>;

    /// Takes the tags with `keys` from a key. One that is not there is no error.
    async fn untag_kms_key(&self, id: &KmsKeyId, keys: &[String]) -> Result<bool, StoreError>;
}
