//! Sessions as callers name them, and how clients reach them.

use postern_api::{ApiError, CommonError};
use postern_ids::SessionId;

use crate::config::PublicUrl;

/// The session that a member `SessionId` names.
pub(super) fn parse(text: &str) -> Result<SessionId, ApiError> {
    text.parse().map_err(|_| {
        let message = format!("SessionId {text:.96} is not valid.");
        ApiError::new(CommonError::Validation, message)
    })
}

/// Where the client opens the session's data channel.
/// Source of the form: `StreamUrl` as AWS answers it (CloudTrail records of `StartSession`).
pub(super) fn stream_url(public_url: &PublicUrl, session: &SessionId) -> String {
    // The characters of an identifier need no escaping in a path.
    format!("wss://{}/v1/data-channel/{session}?role=publish_subscribe", public_url.authority())
}
