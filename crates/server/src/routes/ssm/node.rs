//! Nodes as callers name them.

use postern_api::ApiError;
use postern_api::ssm::errors;
use postern_ids::NodeId;

/// The node that a member `InstanceId` names.
pub(super) fn parse(text: &str) -> Result<NodeId, ApiError> {
    text.parse().map_err(|_| unknown(text))
}

pub(super) fn unknown(text: &str) -> ApiError {
    ApiError::new(
        errors::INVALID_INSTANCE_ID,
        format!("Instance {text:.64} is not a registered managed instance."),
    )
}
