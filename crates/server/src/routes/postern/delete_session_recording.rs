//! `DeleteSessionRecording`: removes the recording of a session that is over. The audit trail says so before it goes, and
//! for ever.

use postern_api::ApiError;
use postern_api::postern::{DeleteSessionRecordingInput, DeleteSessionRecordingOutput, errors};

use super::session_recording::{check, not_found, parse, shown};
use crate::recordings::{self, NotRemoved};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn delete_session_recording(
    call: Call<DeleteSessionRecordingInput>,
) -> Result<DeleteSessionRecordingOutput, ApiError> {
    let session = parse(&call.input.session_id)?;
    let _permit = call.authorize([check(&call, &session).await?]).await?;
    let by = call.caller.principal.name().parse().map_err(|error| failure::internal(&error))?;
    let removed = recordings::remove(&call.app, session, by, call.input.reason).await;
    let removed = removed.map_err(|error| match error {
        NotRemoved::Unknown(session) => not_found(&session),
        NotRemoved::InProgress(_) => {
            ApiError::new(errors::RECORDING_IN_PROGRESS_EXCEPTION, format!("{error}; end it first."))
        }
        NotRemoved::LogWaiting(_) => ApiError::new(
            errors::RECORDING_IN_PROGRESS_EXCEPTION,
            format!("{error}; it is tried until it is there or session_logs.give_up_after is over."),
        ),
        NotRemoved::Unrecorded(unrecorded) => unrecorded.into(),
        NotRemoved::Files(_) => failure::internal(&error),
    })?;
    Ok(DeleteSessionRecordingOutput { recording: Some(shown(removed)) })
}
