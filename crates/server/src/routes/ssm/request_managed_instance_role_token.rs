//! `RequestManagedInstanceRoleToken`: a node gets credentials of its role for an hour.

use jiff::SignedDuration;
use postern_api::ssm::{RequestManagedInstanceRoleTokenInput, RequestManagedInstanceRoleTokenOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_store::Node;

use super::node;
use crate::auth::{Permit, Principal};
use crate::routes::call::Call;
use crate::routes::failure;

/// As AWS's; agents ask again after half of it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn request_managed_instance_role_token(
    call: Call<RequestManagedInstanceRoleTokenInput>,
) -> Result<RequestManagedInstanceRoleTokenOutput, ApiError> {
    let Principal::Node { node: id, arn, .. } = &call.caller.principal else {
        return Err(only_nodes());
    };
    let permit = call.authorize(std::slice::from_ref(arn))?;
    let found = call.app.store.node(id).await.map_err(failure::store)?;
    let found = found.ok_or_else(|| node::unknown(id.as_str()))?;
    if found.fingerprint != call.input.fingerprint {
        let message = "The fingerprint is not that of the registered machine: register it anew.";
        return Err(ApiError::new(errors::MACHINE_FINGERPRINT_DOES_NOT_MATCH, message));
    }
    Ok(issue(&call, permit, found))
}

fn issue(
    call: &Call<RequestManagedInstanceRoleTokenInput>,
    _permit: Permit,
    node: Node,
) -> RequestManagedInstanceRoleTokenOutput {
    let issued = call.app.session_tokens.issue(
        node.role,
        node.id.to_string(),
        Some(node.id),
        call.at,
        LIFETIME,
        &*call.app.random,
    );
    RequestManagedInstanceRoleTokenOutput {
        access_key_id: issued.credentials.access_key_id.to_string(),
        secret_access_key: issued.credentials.secret.expose_secret().as_str().into(),
        session_token: issued.token.expose_secret().as_str().into(),
        token_expiration_date: issued.credentials.expires_at.into(),
        update_key_pair: false,
    }
}

/// The answer to whoever calls this without a node's key.
pub(super) fn only_nodes() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "Only a managed instance may do this, signing with its own key.")
}
