//! Why a token of an OIDC provider is not accepted, and which of AWS's errors says so.

use postern_api::{ApiError, CommonError, sts::errors};
use postern_store::StoreError;

/// Why a token is not accepted. `Display` is what the caller is told; the log gets the sources as well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    #[error("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")]
    NotAToken,
    #[error(
        "The ID Token is signed with an algorithm that is not accepted: it must be one of RS256, RS384, RS512, ES256, ES384"
    )]
    Algorithm,
    #[error("No OpenIDConnect provider found in your account for {issuer:.256}")]
    ProviderUnknown { issuer: String },
    #[error("Missing a required claim: {claim}")]
    MissingClaim { claim: &'static str },
    #[error("Incorrect token audience")]
    Audience,
    #[error("The claim {claim} of the ID Token is not acceptable")]
    Claim { claim: &'static str },
    #[error("Token expired: current date/time {now} must be before the expiration date/time {expires}")]
    Expired { now: i64, expires: i64 },
    #[error("The identity provider has no key with the ID of this ID Token, or none for its algorithm")]
    KeyUnknown,
    #[error("The signature of the ID Token is not that of its identity provider")]
    Signature,
    #[error(
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements: {problem}"
    )]
    Provider { problem: &'static str },
    #[error("The identity provider could not be reached")]
    Unreachable { source: Option<Box<dyn std::error::Error + Send + Sync>> },
    #[error("An error occurred on the server side.")]
    Store(#[from] StoreError),
}

impl From<&OidcError> for ApiError {
    fn from(error: &OidcError) -> Self {
        let code = match error {
            OidcError::NotAToken
            | OidcError::Algorithm
            | OidcError::ProviderUnknown { .. }
            | OidcError::MissingClaim { .. }
            | OidcError::Audience
            | OidcError::KeyUnknown
            | OidcError::Signature
            | OidcError::Provider { .. } => errors::INVALID_IDENTITY_TOKEN_EXCEPTION,
            OidcError::Claim { .. } => errors::IDP_REJECTED_CLAIM_EXCEPTION,
            OidcError::Expired { .. } => errors::EXPIRED_TOKEN_EXCEPTION,
            OidcError::Unreachable { .. } => errors::IDP_COMMUNICATION_ERROR_EXCEPTION,
            OidcError::Store(_) => return Self::new(CommonError::Internal, error.to_string()),
        };
        Self::new(code, error.to_string())
    }
}
