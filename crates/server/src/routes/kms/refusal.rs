//! The refusals of KMS, in its words as far as they are known.

use postern_api::kms::errors;
use postern_api::{ApiError, CommonError};
use postern_ids::Arn;
use postern_store::{KmsAliasError, KmsKeyState, KmsPolicyError, KmsTagError};

use crate::kms::KmsError;
use crate::routes::failure;

pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(errors::NOT_FOUND_EXCEPTION, message)
}

pub(super) fn key_unknown(arn: &Arn) -> ApiError {
    not_found(format!("Key '{arn}' does not exist"))
}

pub(super) fn alias_unknown(arn: &Arn) -> ApiError {
    not_found(format!("Alias {arn} is not found."))
}

pub(super) fn invalid_state(message: impl Into<String>) -> ApiError {
    ApiError::new(errors::KMS_INVALID_STATE_EXCEPTION, message)
}

/// Why a key in this state does nothing; none if it is enabled.
pub(super) fn unusable(arn: &Arn, state: KmsKeyState) -> Option<ApiError> {
    match state {
        KmsKeyState::Enabled => None,
        KmsKeyState::Disabled => {
            Some(ApiError::new(errors::DISABLED_EXCEPTION, format!("{arn} is disabled.")))
        }
        KmsKeyState::PendingDeletion { .. } => Some(pending_deletion(arn)),
    }
}

pub(super) fn pending_deletion(arn: &Arn) -> ApiError {
    invalid_state(format!("{arn} is pending deletion."))
}

/// The state was changed between looking and acting.
pub(super) fn changed_meanwhile(arn: &Arn) -> ApiError {
    invalid_state(format!("{arn} was changed at the same time."))
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new(CommonError::Validation, message)
}

pub(super) fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::new(errors::UNSUPPORTED_OPERATION_EXCEPTION, message)
}

pub(super) fn malformed_policy(message: impl Into<String>) -> ApiError {
    ApiError::new(errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, message)
}

pub(super) fn invalid_marker() -> ApiError {
    ApiError::new(errors::INVALID_MARKER_EXCEPTION, "The marker is not valid for this listing.")
}

/// AWS says no more: which part of it is wrong is nobody's business.
pub(super) fn invalid_ciphertext() -> ApiError {
    ApiError::new(errors::INVALID_CIPHERTEXT_EXCEPTION, "The ciphertext cannot be decrypted.")
}

pub(super) fn kms(error: KmsError) -> ApiError {
    match error {
        KmsError::InvalidCiphertext => invalid_ciphertext(),
        KmsError::Holder(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "encryption keys cannot be used");
            ApiError::new(
                errors::DEPENDENCY_TIMEOUT_EXCEPTION,
                "What holds this server's encryption keys did not answer as it should. Try again.",
            )
        }
        other => failure::internal(&other),
    }
}

pub(super) fn policy(arn: &Arn, error: KmsPolicyError) -> ApiError {
    match error {
        KmsPolicyError::KeyUnknown => key_unknown(arn),
        KmsPolicyError::PrincipalUnknown { principal } => malformed_policy(format!(
            "Policy contains a statement with one or more invalid principals: {principal} does not exist."
        )),
        KmsPolicyError::Store(error) => failure::store(error),
    }
}

pub(super) fn alias(alias: &Arn, key: &Arn, error: KmsAliasError) -> ApiError {
    match error {
        KmsAliasError::AlreadyExists => ApiError::new(
            errors::ALREADY_EXISTS_EXCEPTION,
            format!("An alias with the name {alias} already exists"),
        ),
        KmsAliasError::KeyUnknown => key_unknown(key),
        KmsAliasError::AliasUnknown => alias_unknown(alias),
        KmsAliasError::Store(error) => failure::store(error),
    }
}

pub(super) fn tags(arn: &Arn, error: KmsTagError) -> ApiError {
    match error {
        KmsTagError::KeyUnknown => key_unknown(arn),
        KmsTagError::TooMany { limit } => {
            ApiError::new(errors::LIMIT_EXCEEDED_EXCEPTION, format!("A key has at most {limit} tags."))
        }
        KmsTagError::Store(error) => failure::store(error),
    }
}
