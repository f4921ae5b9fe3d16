//! `GetSessionRecording`: some of a recording, as asciicast v3. Of one that is being written, what is on record.

use postern_api::postern::{GetSessionRecordingInput, GetSessionRecordingOutput, errors};
use postern_api::{ApiError, Blob};
use postern_recording::RecordingStatus;
use serde_json::json;

use super::session_recording::{check, not_found, parse, saturated, shown};
use crate::routes::call::Call;
use crate::routes::failure;

/// Bytes of an answer if nobody asks for fewer; the model allows no more.
const BYTES_DEFAULT: u64 = 1024 * 1024;

pub(super) async fn get_session_recording(
    call: Call<GetSessionRecordingInput>,
) -> Result<GetSessionRecordingOutput, ApiError> {
    call.entry.data_event();
    let session = parse(&call.input.session_id)?;
    let _permit = call.authorize([check(&call, &session).await?]).await?;
    let from = call.input.offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0);
    let bytes_max = call.input.max_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(BYTES_DEFAULT);
    let read = call.app.recordings.part(&session, from, bytes_max).await;
    let (summary, part) =
        read.map_err(|error| failure::internal(&error))?.ok_or_else(|| not_found(&session))?;
    if from > part.readable {
        let message = format!("The offset is behind the end of the recording at {}.", part.readable);
        return Err(ApiError::new(errors::INVALID_OFFSET_EXCEPTION, message));
    }
    let next = from + u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
    call.entry.fact("recording", json!({"offset": from, "bytes": part.bytes.len()}));
    Ok(GetSessionRecordingOutput {
        complete: Some(next == part.readable && summary.status != RecordingStatus::Running),
        recording: Some(shown(summary)),
        content: Some(Blob(part.bytes)),
        offset: Some(saturated(from)),
        next_offset: Some(saturated(next)),
    })
}
