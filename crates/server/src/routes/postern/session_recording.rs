//! Recordings as callers name and see them.

use postern_api::postern::{RecordingStatus as Status, SessionRecording, errors};
use postern_api::{ApiError, CommonError, Request};
use postern_ids::SessionId;
use postern_recording::{RecordingStatus, RecordingSummary};

use crate::auth::Check;
use crate::recordings;
use crate::routes::call::Call;
use crate::routes::failure;

/// The session that a member `SessionId` names.
pub(super) fn parse(text: &str) -> Result<SessionId, ApiError> {
    text.parse().map_err(|_| {
        let message = format!("SessionId {text:.96} is not valid.");
        ApiError::new(CommonError::Validation, message)
    })
}

/// The operation on the recording of a session.
pub(super) async fn check<T: Request>(call: &Call<T>, session: &SessionId) -> Result<Check, ApiError> {
    recordings::check(&call.app, T::OPERATION, session).await.map_err(failure::store)
}

pub(super) fn shown(summary: RecordingSummary) -> SessionRecording {
    let RecordingSummary { info, status, ended_at, end_reason, exit_code, bytes, sha256 } = summary;
    SessionRecording {
        session_id: Some(info.session_id.to_string()),
        node: Some(info.node.to_string()),
        node_name: info.node_name,
        owner: Some(info.owner.to_string()),
        document_name: Some(info.document),
        session_type: Some(info.session_type),
        reason: info.reason,
        status: Some(shown_status(status)),
        started_at: Some(info.started_at.into()),
        ended_at: ended_at.map(Into::into),
        end_reason,
        exit_code,
        bytes: bytes.map(saturated),
        sha256,
    }
}

pub(super) fn shown_status(status: RecordingStatus) -> Status {
    match status {
        RecordingStatus::Running => Status::Running,
        RecordingStatus::Finished => Status::Finished,
        RecordingStatus::Interrupted => Status::Interrupted,
    }
}

/// A number of bytes as the model has it.
pub(super) fn saturated(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn not_found(session: &SessionId) -> ApiError {
    let message = format!("There is no recording of session {session}.");
    ApiError::new(errors::RECORDING_NOT_FOUND_EXCEPTION, message)
}
