//! `GetConnectionStatus`: whether a session could be started on a node.

use postern_api::ApiError;
use postern_api::ssm::{ConnectionStatus, GetConnectionStatusInput, GetConnectionStatusOutput};
use postern_ids::NodeId;

use super::target;
use crate::routes::call::Call;

pub(super) async fn get_connection_status(
    call: Call<GetConnectionStatusInput>,
) -> Result<GetConnectionStatusOutput, ApiError> {
    // What cannot be a node of ours is not connected either.
    let node = call.input.target.parse::<NodeId>().ok();
    let check = target::check(&call, &call.input.target).await?.unwrap_or_else(|| call.check());
    let _permit = call.authorize([check]).await?;
    let is_connected = node.is_some_and(|node| call.app.gateway.presence(&node).is_some());
    let status = if is_connected { ConnectionStatus::Connected } else { ConnectionStatus::Notconnected };
    Ok(GetConnectionStatusOutput { target: Some(call.input.target), status: Some(status) })
}
