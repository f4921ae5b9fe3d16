//! Refusals, in AWS's words, and failures of the store.

use postern_api::ApiError;
use postern_api::logs::errors;
use postern_logs::{EventsError, GroupChangeError, StorageError};

/// Something of the input is not as it has to be.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(errors::INVALID_PARAMETER_EXCEPTION, message)
}

pub(super) fn no_group() -> ApiError {
    ApiError::new(errors::RESOURCE_NOT_FOUND_EXCEPTION, "The specified log group does not exist.")
}

pub(super) fn no_stream() -> ApiError {
    ApiError::new(errors::RESOURCE_NOT_FOUND_EXCEPTION, "The specified log stream does not exist.")
}

pub(super) fn invalid_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

/// Clients try again.
pub(super) fn storage(error: StorageError) -> ApiError {
    let error: &dyn std::error::Error = &error;
    tracing::error!(error, "the logs do not work");
    let message = "The service cannot complete the request. Try again later.";
    ApiError::new(errors::SERVICE_UNAVAILABLE_EXCEPTION, message)
}

pub(super) fn group_change(error: GroupChangeError) -> ApiError {
    match error {
        GroupChangeError::Unknown => no_group(),
        GroupChangeError::Storage(error) => storage(error),
    }
}

pub(super) fn events(error: EventsError) -> ApiError {
    match error {
        EventsError::GroupUnknown => no_group(),
        EventsError::StreamUnknown => no_stream(),
        EventsError::Storage(error) => storage(error),
    }
}
