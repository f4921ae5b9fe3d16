//! Failures that are ours: logged in full, told in one sentence.

use std::error::Error;

use postern_api::{ApiError, CommonError};
use postern_store::StoreError;

/// Storage failed.
pub(crate) fn store(error: StoreError) -> ApiError {
    internal(&error)
}

/// Anything of ours failed.
pub(crate) fn internal(error: &(dyn Error + 'static)) -> ApiError {
    tracing::error!(error, "a request could not be served");
    ApiError::new(CommonError::Internal, "An error occurred on the server side.")
}
