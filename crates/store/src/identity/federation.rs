//! OIDC providers, whose tokens are as good as their issuer.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::OidcIssuer;

use super::IdentityError;
use crate::{StoreError, Tag};

/// An OIDC provider. Its ARN is made from the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProvider {
    /// The issuer URL, without its scheme.
    pub issuer: OidcIssuer,
    /// The audiences that its tokens may name.
    pub client_ids: Vec<String>,
    /// SHA-1 of the certificates that may stand above the issuer's, in hexadecimal digits.
    pub thumbprints: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its tags, ordered by key.
    pub tags: Vec<Tag>,
}

/// A change of a provider; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OidcUpdate {
    /// The new audiences.
    pub client_ids: Option<Vec<String>>,
    /// The new thumbprints.
    pub thumbprints: Option<Vec<String>>,
}

/// OIDC providers.
#[async_trait]
pub trait OidcStore: Send + Sync {
    /// Creates a provider with all that it says, at once.
    ///
    /// # Errors
    /// `AlreadyExists`, `LimitExceeded` for providers or tags.
    async fn create_oidc_provider(&self, provider: &OidcProvider) -> Result<(), IdentityError>;

    /// The provider with this issuer.
    async fn oidc_provider(&self, issuer: &OidcIssuer) -> Result<Option<OidcProvider>, StoreError>;

    /// All providers, ordered by issuer.
    async fn oidc_providers(&self) -> Result<Vec<OidcProvider>, StoreError>;

    /// Changes what `update` says.
    ///
    /// # Errors
    /// `NotFound`.
    async fn update_oidc_provider(
        &self,
        issuer: &OidcIssuer,
        update: &OidcUpdate,
    ) -> Result<(), IdentityError>;

    /// Deletes a provider and its tags.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_oidc_provider(&self, issuer: &OidcIssuer) -> Result<(), IdentityError>;
}
