//! `ResumeSession`: a client whose connection was lost gets another token.

use postern_api::ApiError;
use postern_api::ssm::{ResumeSessionInput, ResumeSessionOutput, errors};
use postern_gateway::{ResumeSessionError, Resumed};
use postern_ids::SessionId;

use super::session;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn resume_session(call: Call<ResumeSessionInput>) -> Result<ResumeSessionOutput, ApiError> {
    let id = session::parse(&call.input.session_id)?;
    let found = call.app.store.session(&id).await.map_err(failure::store)?;
    let permit = call.authorize([call.check_session(&id, found.as_ref())]).await?;
    resume(&call, permit, &id).await
}

/// Without a token in the answer AWS's plugin says that the session timed out and ends; an error would make it
/// ask again (src/sessionmanagerplugin/session/sessionhandler.go in aws/session-manager-plugin).
async fn resume(
    call: &Call<ResumeSessionInput>,
    _permit: Permit,
    id: &SessionId,
) -> Result<ResumeSessionOutput, ApiError> {
    let resumed = call.app.gateway.resume_session(id).await.map_err(|error| match error {
        ResumeSessionError::Unknown { .. } => {
            ApiError::new(errors::DOES_NOT_EXIST_EXCEPTION, format!("Session {id} does not exist."))
        }
        ResumeSessionError::Store(error) => failure::store(error),
    })?;
    let session_id = Some(id.to_string());
    let stream_url = Some(session::stream_url(&call.app.public_url, id));
    let token_value = match resumed {
        Resumed::Live(token) => Some(token.expose_secret().into()),
        Resumed::Over => None,
    };
    Ok(ResumeSessionOutput { session_id, token_value, stream_url })
}
