//! From facts to credentials and their place in an answer.

use postern_api::sts::{Credentials, errors};
use postern_api::{ApiError, CommonError};

use crate::app::App;
use crate::auth::{Bearer, Issued, Permit, TOKEN_CHARS_MAX, TokenFacts};

/// New credentials for `bearer`. `minimum_size` is that of the token, as the request has it.
pub(super) fn issue(
    app: &App,
    _permit: Permit,
    bearer: Bearer,
    facts: TokenFacts,
    minimum_size: Option<i32>,
) -> Result<Issued, ApiError> {
    let minimum_size = minimum_size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let issued = app.session_tokens.issue(bearer, facts, minimum_size, &*app.random);
    issued.map_err(|error| ApiError::new(errors::PACKED_POLICY_TOO_LARGE_EXCEPTION, error.to_string()))
}

/// Credentials as answers have them.
pub(super) fn answered(issued: &Issued) -> Credentials {
    Credentials {
        access_key_id: issued.credentials.access_key_id.to_string(),
        secret_access_key: issued.credentials.secret.expose_secret().as_str().into(),
        session_token: issued.token.expose_secret().clone(),
        expiration: issued.credentials.facts.expires_at.into(),
    }
}

/// `SessionTokenSize`: the token's bytes.
pub(super) fn token_size(issued: &Issued) -> i32 {
    i32::try_from(issued.token.expose_secret().len()).unwrap_or(i32::MAX)
}

/// `SessionTokenUtilization`: how much of the longest possible token this one is, in hundredths, rounded up.
pub(super) fn token_utilization(issued: &Issued) -> i32 {
    let percent = (issued.token.expose_secret().len() * 100).div_ceil(TOKEN_CHARS_MAX);
    i32::try_from(percent).unwrap_or(100)
}

/// The answer to whoever lacks what the operation needs, whatever policies say.
pub(super) fn denied(message: impl Into<String>) -> ApiError {
    ApiError::new(CommonError::AccessDenied, message)
}

/// The answer to input that the model allows and the operation does not.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(CommonError::Validation, message)
}
