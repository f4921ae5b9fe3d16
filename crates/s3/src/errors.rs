//! What goes wrong, in S3's words.

use std::io;

use postern_store::ObjectError;
use s3s::{S3Error, S3ErrorCode};

use crate::body::BodyError;

/// An error of the given code.
pub(crate) fn error(code: S3ErrorCode, message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::with_message(code, message)
}

pub(crate) fn no_such_bucket() -> S3Error {
    error(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist")
}

pub(crate) fn no_such_key() -> S3Error {
    error(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

pub(crate) fn invalid_argument(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    error(S3ErrorCode::InvalidArgument, message)
}

/// What belongs to the server is changed by nobody.
pub(crate) fn read_only() -> S3Error {
    error(
        S3ErrorCode::MethodNotAllowed,
        "The specified method is not allowed against this resource: it can only be read.",
    )
}

/// Logged in full, told in one sentence.
pub(crate) fn failed(cause: io::Error) -> S3Error {
    if let Some(body) = BodyError::of(&cause) {
        let code = match body {
            BodyError::Mismatch => S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            BodyError::Chunks => S3ErrorCode::InvalidRequest,
            BodyError::Incomplete => S3ErrorCode::IncompleteBody,
            BodyError::Signature => return error(S3ErrorCode::SignatureDoesNotMatch, body.to_string()),
        };
        let mut refused = error(code, body.to_string());
        refused.set_status_code(http::StatusCode::BAD_REQUEST);
        return refused;
    }
    if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        tracing::error!(error = &cause as &dyn std::error::Error, "there is no room for an object");
        return error(
            S3ErrorCode::ServiceUnavailable,
            "There is no room left on the server. Please try again later.",
        );
    }
    tracing::error!(error = &cause as &dyn std::error::Error, "the store of objects failed");
    error(S3ErrorCode::InternalError, "We encountered an internal error. Please try again.")
}

pub(crate) fn of_object(cause: ObjectError) -> S3Error {
    match cause {
        ObjectError::NoSuchBucket => no_such_bucket(),
        ObjectError::NoSuchObject => no_such_key(),
        ObjectError::BucketNotEmpty => {
            error(S3ErrorCode::BucketNotEmpty, "The bucket you tried to delete is not empty")
        }
        ObjectError::NoSuchUpload => error(
            S3ErrorCode::NoSuchUpload,
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        ),
        ObjectError::InvalidPart { .. } => error(
            S3ErrorCode::InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        ),
        ObjectError::PreconditionFailed => error(
            S3ErrorCode::PreconditionFailed,
            "At least one of the pre-conditions you specified did not hold",
        ),
        ObjectError::Retained { until } => error(
            S3ErrorCode::AccessDenied,
            format!("Access Denied because object protected by object lock until {until}."),
        ),
        ObjectError::Store(cause) => failed(io::Error::other(cause)),
    }
}
