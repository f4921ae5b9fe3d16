//! `DeregisterManagedInstance`: a node belongs here no longer. Its credentials, its channel and its sessions end.

use postern_api::ApiError;
use postern_api::ssm::{DeregisterManagedInstanceInput, DeregisterManagedInstanceOutput};
use postern_gateway::EndReason;
use postern_ids::NodeId;

use super::node;
use crate::app::App;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn deregister_managed_instance(
    call: Call<DeregisterManagedInstanceInput>,
) -> Result<DeregisterManagedInstanceOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let permit = call.authorize([call.check_tagged_node(&id).await?]).await?;
    deregister(&call.app, permit, &id).await?;
    Ok(DeregisterManagedInstanceOutput {})
}

async fn deregister(app: &App, _permit: Permit, id: &NodeId) -> Result<(), ApiError> {
    // First the store: from then on nothing new begins on the node.
    let deregistered = app.store.deregister_node(id).await.map_err(failure::store)?;
    let deregistered = deregistered.ok_or_else(|| node::unknown(id.as_str()))?;
    app.gateway.deregister_node(id);
    for session in &deregistered.live_sessions {
        app.gateway.end_session(session, EndReason::NodeDeregistered).await.map_err(failure::store)?;
    }
    tracing::info!(node.id = %id, "{id} was deregistered");
    Ok(())
}
