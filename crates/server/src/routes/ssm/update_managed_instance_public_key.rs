//! `UpdateManagedInstancePublicKey`: a node changes its key, signing with the one it has.

use postern_api::ssm::{UpdateManagedInstancePublicKeyInput, UpdateManagedInstancePublicKeyOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;
use postern_store::ReplacePublicKeyError;

use super::node;
use super::request_managed_instance_role_token::only_nodes;
use crate::auth::{NodeKey, NodePublicKey, Principal};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn update_managed_instance_public_key(
    call: Call<UpdateManagedInstancePublicKeyInput>,
) -> Result<UpdateManagedInstancePublicKeyOutput, ApiError> {
    let Principal::Node { node: id, key, .. } = &call.caller.principal else { return Err(only_nodes()) };
    let new_key = NodePublicKey::from_base64(&call.input.new_public_key)
        .map_err(|error| ApiError::new(errors::INVALID_PUBLIC_KEY, error.to_string()))?
        .into_der();
    let _permit = call.authorize([call.check_node(id)]).await?;
    if *key == NodeKey::Previous {
        return repeat(&call, id, &new_key).await;
    }
    call.app.store.replace_public_key(id, &new_key, call.at).await.map_err(|error| match error {
        ReplacePublicKeyError::NodeUnknown => node::unknown(id.as_str()),
        ReplacePublicKeyError::PublicKeyInUse { .. } => {
            let message = "Another managed instance has this public key.";
            ApiError::new(errors::PUBLIC_KEY_ALREADY_REGISTERED, message)
        }
        ReplacePublicKeyError::Store(error) => failure::store(error),
    })?;
    tracing::info!(node.id = %id, "{id} changed its key");
    Ok(UpdateManagedInstancePublicKeyOutput {})
}

/// The answer to a change got lost: the old key may repeat it, and do nothing else.
async fn repeat(
    call: &Call<UpdateManagedInstancePublicKeyInput>,
    id: &NodeId,
    new_key: &[u8],
) -> Result<UpdateManagedInstancePublicKeyOutput, ApiError> {
    let found = call.app.store.node(id).await.map_err(failure::store)?;
    match found {
        Some(found) if found.public_key_der == new_key => Ok(UpdateManagedInstancePublicKeyOutput {}),
        _ => {
            let message = "The key that this request is signed with has been replaced.";
            Err(ApiError::new(CommonError::InvalidSignature, message))
        }
    }
}
