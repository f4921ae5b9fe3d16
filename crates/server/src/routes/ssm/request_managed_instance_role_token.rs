//! `RequestManagedInstanceRoleToken`: a node gets credentials of its role for an hour.

use jiff::SignedDuration;
use postern_api::ssm::{RequestManagedInstanceRoleTokenInput, RequestManagedInstanceRoleTokenOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;
use postern_store::{Node, Role};

use super::node;
use super::node_role::SERVICE;
use crate::auth::{Bearer, Permit, Principal, TokenFacts};
use crate::routes::call::Call;
use crate::routes::failure;

/// As AWS's; agents ask again after half of it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn request_managed_instance_role_token(
    call: Call<RequestManagedInstanceRoleTokenInput>,
) -> Result<RequestManagedInstanceRoleTokenOutput, ApiError> {
    let Principal::Node { node: id, .. } = &call.caller.principal else {
        return Err(only_nodes());
    };
    let permit = call.authorize([call.check_node(id)]).await?;
    let found = call.app.store.node(id).await.map_err(failure::store)?;
    let found = found.ok_or_else(|| node::unknown(id.as_str()))?;
    if found.fingerprint != call.input.fingerprint {
        let message = "The fingerprint is not that of the registered machine: register it anew.";
        return Err(ApiError::new(errors::MACHINE_FINGERPRINT_DOES_NOT_MATCH, message));
    }
    let role = call.app.store.role(&found.role).await.map_err(failure::store)?;
    let role = role.ok_or_else(|| no_role(&found, "does not exist"))?;
    if !call.app.authorizer.trusts_service(&role, SERVICE, call.at) {
        return Err(no_role(&found, "does not trust ssm.amazonaws.com"));
    }
    issue(&call, permit, found.id, role)
}

fn issue(
    call: &Call<RequestManagedInstanceRoleTokenInput>,
    _permit: Permit,
    node: NodeId,
    role: Role,
) -> Result<RequestManagedInstanceRoleTokenOutput, ApiError> {
    let bearer =
        Bearer::Role { name: role.name, id: Some(role.id), session_name: node.to_string(), node: Some(node) };
    let facts = TokenFacts::new(call.at, LIFETIME);
    let issued = call.app.session_tokens.issue(bearer, facts, 0, &*call.app.random);
    let issued = issued.map_err(|error| failure::internal(&error))?;
    Ok(RequestManagedInstanceRoleTokenOutput {
        access_key_id: issued.credentials.access_key_id.to_string(),
        secret_access_key: issued.credentials.secret.expose_secret().as_str().into(),
        session_token: issued.token.expose_secret().as_str().into(),
        token_expiration_date: issued.credentials.facts.expires_at.into(),
        update_key_pair: false,
    })
}

fn no_role(node: &Node, problem: &str) -> ApiError {
    let (id, role) = (&node.id, &node.role);
    ApiError::new(CommonError::AccessDenied, format!("The role {role} of {id} {problem}."))
}

/// The answer to whoever calls this without a node's key.
pub(super) fn only_nodes() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "Only a managed instance may do this, signing with its own key.")
}
