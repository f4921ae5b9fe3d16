//! Who opens the data key of an encrypted session for its recording.

use async_trait::async_trait;
use postern_store::{Secret, SessionRecord};

/// A data key as the client handed it to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDataKey {
    /// Encrypted by some KMS.
    pub ciphertext: Vec<u8>,
    /// What the agent asked to have in the encryption context, if the client put it there.
    pub challenge: Option<String>,
}

/// Why a data key does not open, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotOpened(pub String);

/// Opens data keys that this server's own KMS has encrypted.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// Opens the data key of a session.
    ///
    /// # Errors
    /// If it is another KMS's, or its key may not be used.
    async fn open(
        &self,
        session: &SessionRecord,
        sealed: &SealedDataKey,
    ) -> Result<Secret<Vec<u8>>, NotOpened>;
}

/// Opens none: there is no KMS.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDataKeys;

#[async_trait]
impl DataKeys for NoDataKeys {
    async fn open(&self, _: &SessionRecord, _: &SealedDataKey) -> Result<Secret<Vec<u8>>, NotOpened> {
        Err(NotOpened("this server has no KMS".to_owned()))
    }
}
