//! What encryption keys do: they encrypt and decrypt, are rotated and deleted in their time.
//!
//! Who may use a key, and whether its state lets anybody, is asked before, in `routes/kms`.

mod ciphertext;
mod data_keys;
mod encryption_context;
mod holder;
mod tend;
mod vault;
mod wrapped;

use std::sync::Arc;

use jiff::Timestamp;
use postern_ids::KmsKeyId;
use postern_store::{KmsKey, KmsMaterial, KmsMaterialName, KmsMaterialOrigin, Secret, Store, StoreError};

use crate::random::Random;

pub(crate) use ciphertext::Ciphertext;
pub(crate) use data_keys::DataKeyOpener;
pub(crate) use encryption_context::EncryptionContext;
pub(crate) use holder::{EmbeddedHolder, KeyHolder};
pub(crate) use tend::{next_rotation, tend};
pub(crate) use vault::Vault as VaultTransit;
pub(crate) use wrapped::WrappedHolder;

/// Why a key did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KmsError {
    /// It is no ciphertext of the key, or it was changed, or its encryption context is another.
    #[error("the ciphertext does not open")]
    InvalidCiphertext,
    /// The backing key is not where it should be.
    #[error("key {key} has no backing key {version}")]
    MaterialMissing { key: KmsKeyId, version: u32 },
    /// Its holder failed.
    #[error("the holder of the key failed")]
    Holder(#[from] holder::HolderError),
    /// Storage failed.
    #[error("storage failed")]
    Store(#[from] StoreError),
}

/// Works with keys.
pub(crate) struct Kms {
    store: Arc<dyn Store>,
    holder: Box<dyn KeyHolder>,
    random: Arc<dyn Random>,
}

impl Kms {
    pub(crate) fn new(store: Arc<dyn Store>, holder: Box<dyn KeyHolder>, random: Arc<dyn Random>) -> Self {
        Self { store, holder, random }
    }

    /// A new backing key of a version.
    pub(crate) async fn new_material(
        &self,
        version: u32,
        origin: KmsMaterialOrigin,
        created_at: Timestamp,
    ) -> Result<KmsMaterial, KmsError> {
        let name = hex::encode(self.random.bytes::<32>());
        let content = self.holder.create().await?;
        Ok(KmsMaterial { name: KmsMaterialName { version, name }, origin, content, created_at })
    }

    /// Adds a backing key, which encrypts from now on. `false`: the key has been rotated meanwhile.
    pub(crate) async fn rotate(
        &self,
        key: &KmsKey,
        origin: KmsMaterialOrigin,
        at: Timestamp,
    ) -> Result<bool, KmsError> {
        let material = self.new_material(key.current.version.saturating_add(1), origin, at).await?;
        let next = key.rotation.map(|rotation| next_rotation(at, rotation.days));
        Ok(self.store.rotate_kms_key(&key.id, &material, next).await?)
    }

    /// Encrypts with the current backing key of `key`.
    pub(crate) async fn encrypt(
        &self,
        key: &KmsKey,
        context: &EncryptionContext,
        plain: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let (id, version) = (key.id, key.current.version);
        let material =
            self.material(id, version).await?.ok_or(KmsError::MaterialMissing { key: id, version })?;
        let head = Ciphertext::head(id, version);
        let body = self.holder.encrypt(&material.content, &context.authenticated(&head), plain).await?;
        Ok([&head[..], &body].concat())
    }

    /// Opens a ciphertext, with the backing key that it was encrypted with.
    pub(crate) async fn decrypt(
        &self,
        ciphertext: &Ciphertext<'_>,
        context: &EncryptionContext,
    ) -> Result<Opened, KmsError> {
        let material = self.material(ciphertext.key, ciphertext.version).await?;
        let material = material.ok_or(KmsError::InvalidCiphertext)?;
        let authenticated = context.authenticated(&Ciphertext::head(ciphertext.key, ciphertext.version));
        let plain = self.holder.decrypt(&material.content, &authenticated, ciphertext.body).await?;
        Ok(Opened { plain: plain.ok_or(KmsError::InvalidCiphertext)?, material: material.name })
    }

    /// The key of this identifier.
    pub(crate) async fn key(&self, id: &KmsKeyId) -> Result<Option<KmsKey>, StoreError> {
        self.store.kms_key(id).await
    }

    async fn material(&self, key: KmsKeyId, version: u32) -> Result<Option<KmsMaterial>, StoreError> {
        self.store.kms_material(&key, version).await
    }
}

/// What a ciphertext held.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) plain: Secret<Vec<u8>>,
    /// The backing key that had encrypted it.
    pub(crate) material: KmsMaterialName,
}
