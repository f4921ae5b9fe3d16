//! `RegisterManagedInstance`: a machine with an activation code becomes a node. Nobody signs this call.

use std::time::Instant;

use postern_api::ApiError;
use postern_api::ssm::{RegisterManagedInstanceInput, RegisterManagedInstanceOutput, errors};
use postern_ids::{ActivationId, NodeId};
use postern_store::{RegisterError, Registration};

use super::activation;
use crate::auth::{NodePublicKey, Permit};
use crate::rate_limit::network;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn register_managed_instance(
    call: Call<RegisterManagedInstanceInput>,
) -> Result<RegisterManagedInstanceOutput, ApiError> {
    if !call.app.unsigned_calls.admits(network(call.caller.source_ip), Instant::now()) {
        // The one error after which AWS's agent tries again.
        let message = "Too many registrations from this address; try again later.";
        return Err(ApiError::new(errors::TOO_MANY_UPDATES, message));
    }
    let permit = call.authorize([call.check()]).await?;
    let activation = proven_activation(&call).await?;
    let key = NodePublicKey::from_base64(&call.input.public_key)
        .map_err(|error| ApiError::new(errors::INVALID_PUBLIC_KEY, error.to_string()))?;
    let registration = Registration {
        id: NodeId::from_random(call.app.random.bytes()),
        activation_id: activation,
        fingerprint: call.input.fingerprint.clone(),
        public_key_der: key.into_der(),
        at: call.at,
    };
    let node = register(&call, permit, &registration).await?;
    Ok(RegisterManagedInstanceOutput { instance_id: Some(node.to_string()) })
}

/// The activation whose code the caller knows. To those who do not, an unknown activation and a wrong code are the
/// same, and nothing is told about its expiry.
async fn proven_activation(call: &Call<RegisterManagedInstanceInput>) -> Result<ActivationId, ApiError> {
    let refused = || {
        let message = "The activation ID or the activation code is not valid.";
        ApiError::new(errors::INVALID_ACTIVATION, message)
    };
    let (Some(id), Some(code)) = (&call.input.activation_id, &call.input.activation_code) else {
        return Err(refused());
    };
    let id: ActivationId = id.parse().map_err(|_| refused())?;
    let found = call.app.store.activation(id).await.map_err(failure::store)?;
    let expected = found.as_ref().map_or([0; 32], |activation| activation.code_hash);
    if activation::is_code(code.expose_secret(), &expected) && found.is_some() {
        Ok(id)
    } else {
        Err(refused())
    }
}

async fn register(
    call: &Call<RegisterManagedInstanceInput>,
    _permit: Permit,
    registration: &Registration,
) -> Result<NodeId, ApiError> {
    let registered = call.app.store.register_node(registration).await.map_err(|error| match error {
        RegisterError::ActivationUnknown => ApiError::new(errors::INVALID_ACTIVATION, error.to_string()),
        RegisterError::ActivationExpired { .. } => {
            ApiError::new(errors::ACTIVATION_EXPIRED, error.to_string())
        }
        RegisterError::LimitReached { .. } => {
            ApiError::new(errors::REGISTRATION_LIMIT_EXCEEDED, error.to_string())
        }
        RegisterError::PublicKeyInUse { .. } => {
            let message = "Another managed instance has this public key. Was the disk copied?";
            ApiError::new(errors::INSTANCE_ALREADY_REGISTERED, message)
        }
        RegisterError::Store(error) => failure::store(error),
    })?;
    tracing::info!(
        node.id = %registered.id, activation.id = %registration.activation_id,
        "{} registered from {}", registered.id, call.caller.source_ip
    );
    Ok(registered.id)
}
