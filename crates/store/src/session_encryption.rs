//! What is known of live sessions that are encrypted between client and node.

use async_trait::async_trait;
use postern_ids::SessionId;

use crate::StoreError;

/// What the next process must know of an encrypted session to go on with its recording.
#[async_trait]
pub trait SessionEncryptionStore: Send + Sync {
    /// Puts what is known of a session in place of what was. It is stored in clear: data keys in it are encrypted.
    async fn put_session_encryption(&self, session: &SessionId, content: &[u8]) -> Result<(), StoreError>;

    /// What was put last.
    async fn session_encryption(&self, session: &SessionId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets it.
    async fn delete_session_encryption(&self, session: &SessionId) -> Result<(), StoreError>;
}
