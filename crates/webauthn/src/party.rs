//! For whom answers must have been made.

use aws_lc_rs::digest;

/// The relying party: one site, of which one origin's pages may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

impl RelyingParty {
    /// `id` is the host that credentials belong to, `origin` that of the pages, as browsers write it.
    #[must_use]
    pub fn new(id: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { id: id.into(), origin: origin.into() }
    }

    /// The host that credentials belong to.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin of the pages that may ask.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What authenticators call it by.
    pub(crate) fn id_hash(&self) -> digest::Digest {
        digest::digest(&digest::SHA256, self.id.as_bytes())
    }
}
