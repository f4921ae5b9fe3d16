//! What the deployment decided once and must find again: account, region, identifiers.

use async_trait::async_trait;

use crate::{Secret, StoreError};

/// Named values of the whole deployment.
#[async_trait]
pub trait SettingStore: Send + Sync {
    /// The value that was put last.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Puts a value in place of the one before. It is stored in clear.
    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;

    /// The sealed value that was put last.
    async fn secret_setting(&self, name: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError>;

    /// Puts a value in place of the one before, sealed with the master key. Clear and sealed values have names
    /// of their own: one does not replace the other.
    async fn put_secret_setting(&self, name: &str, value: &Secret<Vec<u8>>) -> Result<(), StoreError>;
}
