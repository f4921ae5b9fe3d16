//! Why it is not known who calls, and which of AWS's errors says so.

use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;
use postern_sigv4::{Refusal, RefusalKind};
use postern_store::StoreError;

/// Why a caller is not known. `Display` is what the caller is told.
#[derive(Debug, thiserror::Error)]
pub enum Unauthenticated {
    /// No signature.
    #[error("Missing Authentication Token")]
    NoSignature,
    /// The signature cannot be read, is not good for this request, or is wrong.
    #[error(transparent)]
    Signature(#[from] Refusal),
    /// No such key, or one that is switched off; a session token that is missing, altered, or of other
    /// credentials; a kind of key that this operation does not take.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The temporary credentials are past their time.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The node is not registered (any more). amazon-ssm-agent then tries again only after some 25 minutes.
    #[error("{node} is not a registered managed instance")]
    NodeUnknown {
        /// What it says to be.
        node: NodeId,
    },
    /// The operation takes no credentials of `GetSessionToken`, or only those made with an MFA code.
    #[error("Cannot call this operation with session credentials of a user")]
    NotByUserSessions,
    /// Storage failed.
    #[error("An error occurred on the server side.")]
    Store(#[from] StoreError),
}

impl Unauthenticated {
    /// The error that AWS's clients know this by.
    #[must_use]
    pub fn code(&self) -> CommonError {
        match self {
            Self::NoSignature => CommonError::MissingAuthentication,
            Self::Signature(refusal) => match refusal.kind() {
                RefusalKind::Incomplete => CommonError::IncompleteSignature,
                RefusalKind::Mismatch | RefusalKind::Skew | RefusalKind::Expired => {
                    CommonError::InvalidSignature
                }
            },
            Self::UnknownKey => CommonError::UnrecognizedClient,
            Self::ExpiredToken => CommonError::ExpiredToken,
            Self::NodeUnknown { .. } | Self::NotByUserSessions => CommonError::AccessDenied,
            Self::Store(_) => CommonError::Internal,
        }
    }
}

impl From<&Unauthenticated> for ApiError {
    fn from(error: &Unauthenticated) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
