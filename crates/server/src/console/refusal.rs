//! Answers to those who do not get what they ask for.

use http::{HeaderValue, Response, StatusCode};
use postern_api::{ApiError, Code, CommonError, ErrorCode};
use serde_json::{Map, Value};

use super::headers;
use crate::auth::{MfaRefused, PasswordRefused};
use crate::serve::{self, Body};

/// Why somebody does not get what the request asks for.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What the record says, if that is something else.
    recorded: Option<&'static str>,
    retry_after_seconds: Option<u32>,
}

/// What a record says of a wrong password or code. Source: "AWS Management Console sign-in events", AWS CloudTrail User
/// Guide.
const FAILED_AUTHENTICATION: &str = "Failed authentication";
/// How long somebody who guessed too often waits, at most: as long as the attempts take to come back.
const RETRY_AFTER_SECONDS: u32 = 15 * 60;

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), recorded: None, retry_after_seconds: None }
    }

    /// The request cannot be read.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
    }

    /// There is no such thing.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "There is nothing at this address.")
    }

    /// It does not come from a page of this server.
    pub(super) fn foreign(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    /// Nobody is signed in, or not any more.
    pub(super) fn signed_out() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ExpiredTokenException", "You are not signed in.")
    }

    /// The password or the code is wrong.
    pub(super) fn failed(message: &'static str) -> Self {
        let recorded = Some(FAILED_AUTHENTICATION);
        Self { recorded, ..Self::new(StatusCode::FORBIDDEN, "SignInFailed", message) }
    }

    /// There were too many wrong ones.
    pub(super) fn too_many_attempts() -> Self {
        let message = "There were too many failed attempts. Wait some minutes.";
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyAttempts", message);
        Self { retry_after_seconds: Some(RETRY_AFTER_SECONDS), ..refusal }
    }

    /// It cannot be with what there is already.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", message)
    }

    /// Passkeys belong to a name, and the public URL has none.
    pub(super) fn no_passkeys() -> Self {
        let message = "There are no passkeys here: the public URL of this server is an address.";
        Self::new(StatusCode::BAD_REQUEST, "PasskeysUnavailable", message)
    }

    /// It is for users who act as themselves.
    pub(super) fn not_a_user() -> Self {
        let message = "Passkeys belong to users. Switch back from the role, or sign in as a user.";
        Self::new(StatusCode::FORBIDDEN, "NotAUser", message)
    }

    /// Something of ours failed.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        crate::routes::failure::internal(error).into()
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// As the record of the request knows it.
    pub(super) fn as_error(&self) -> ApiError {
        let message = self.recorded.map_or_else(|| self.message.clone(), str::to_owned);
        if self.code == "AccessDeniedException" {
            return ApiError::new(CommonError::AccessDenied, message);
        }
        let code = ErrorCode { name: self.code, status: self.status.as_u16(), message_member: "message" };
        ApiError::new(code, message)
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut body = Map::new();
        body.insert("code".to_owned(), self.code.into());
        body.insert("message".to_owned(), self.message.into());
        if let Some(seconds) = self.retry_after_seconds {
            body.insert("retryAfterSeconds".to_owned(), seconds.into());
        }
        let mut response = headers::api(Response::new(serve::full(Value::from(body).to_string().into())));
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An operation of AWS's that the console asks for itself.
impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (code, status) = match error.code {
            Code::Common(CommonError::Internal) => ("InternalServerError", StatusCode::INTERNAL_SERVER_ERROR),
            Code::Common(CommonError::AccessDenied) => ("AccessDeniedException", StatusCode::FORBIDDEN),
            Code::Common(CommonError::ExpiredToken | CommonError::MissingAuthentication) => {
                ("ExpiredTokenException", StatusCode::FORBIDDEN)
            }
            code => (code.name(), StatusCode::BAD_REQUEST),
        };
        Self::new(status, code, error.message)
    }
}

impl From<postern_store::StoreError> for Refusal {
    fn from(error: postern_store::StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::audit::Unrecorded> for Refusal {
    fn from(error: crate::audit::Unrecorded) -> Self {
        ApiError::from(error).into()
    }
}

impl From<PasswordRefused> for Refusal {
    fn from(error: PasswordRefused) -> Self {
        match error {
            PasswordRefused::Wrong => Self::failed("The user name or the password is wrong."),
            PasswordRefused::TooManyAttempts => Self::too_many_attempts(),
            PasswordRefused::Hash(_) | PasswordRefused::Store(_) => Self::internal(&error),
        }
    }
}

impl From<MfaRefused> for Refusal {
    fn from(error: MfaRefused) -> Self {
        match error {
            MfaRefused::InvalidCode | MfaRefused::NotYourDevice | MfaRefused::Incomplete => {
                Self::failed("The code is wrong, or was used before.")
            }
            MfaRefused::TooManyAttempts => Self::too_many_attempts(),
            MfaRefused::Store(_) => Self::internal(&error),
        }
    }
}
