//! `TerminateSession`: ends a session. One that has ended, or never was, is no error: AWS's model has none for it.

use postern_api::ApiError;
use postern_api::ssm::{TerminateSessionInput, TerminateSessionOutput};
use postern_gateway::EndReason;

use super::session;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn terminate_session(
    call: Call<TerminateSessionInput>,
) -> Result<TerminateSessionOutput, ApiError> {
    let id = session::parse(&call.input.session_id)?;
    let found = call.app.store.session(&id).await.map_err(failure::store)?;
    let _permit = call.authorize([call.check_session(&id, found.as_ref())]).await?;
    call.app.gateway.end_session(&id, EndReason::Terminated).await.map_err(failure::store)?;
    Ok(TerminateSessionOutput { session_id: Some(call.input.session_id) })
}
