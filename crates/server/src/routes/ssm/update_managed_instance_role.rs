//! `UpdateManagedInstanceRole`: a node gets another role, whose credentials it has from the next time that it asks for some.

use postern_api::ApiError;
use postern_api::ssm::{UpdateManagedInstanceRoleInput, UpdateManagedInstanceRoleOutput};
use postern_ids::{NodeId, RoleName};

use super::node;
use super::node_role::NodeRole;
use crate::app::App;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

/// Both are resources of the operation: the node, with its tags, and the role.
/// Source: "Actions, resources, and condition keys for AWS Systems Manager", Service Authorization Reference.
pub(super) async fn update_managed_instance_role(
    call: Call<UpdateManagedInstanceRoleInput>,
) -> Result<UpdateManagedInstanceRoleOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let role = NodeRole::find(&call.app, &call.input.iam_role).await?;
    let on_node = call.check_tagged_node(&id).await?;
    let on_role = call.check().on(role.arn(&call.app));
    let permit = call.authorize([on_node, on_role, role.pass_role(&call.app)]).await?;
    let role = role.trusting(&call.app, call.at)?;
    set(&call.app, permit, &id, &role).await?;
    tracing::info!(node.id = %id, "{id} has the role {role} from now on");
    Ok(UpdateManagedInstanceRoleOutput {})
}

async fn set(app: &App, _permit: Permit, id: &NodeId, role: &RoleName) -> Result<(), ApiError> {
    if app.store.set_node_role(id, role).await.map_err(failure::store)? {
        Ok(())
    } else {
        Err(node::unknown(id.as_str()))
    }
}
