//! `AttachSession`: leave to follow a session while it runs.

use postern_api::ApiError;
use postern_api::postern::{AttachSessionInput, AttachSessionOutput};

use super::session_recording::parse;
use crate::follow;
use crate::routes::call::Call;

pub(super) async fn attach_session(call: Call<AttachSessionInput>) -> Result<AttachSessionOutput, ApiError> {
    let session = parse(&call.input.session_id)?;
    let attached = follow::attach(&call.app, &call.entry, &call.caller, &call.context, session).await?;
    Ok(AttachSessionOutput {
        session_id: Some(call.input.session_id),
        ticket: Some(attached.ticket.into()),
        url: Some(attached.url.into()),
        expires_at: Some(attached.expires_at.into()),
    })
}
