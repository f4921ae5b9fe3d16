//! `DeleteActivation`: no further node registers with it. Its nodes stay.

use postern_api::ApiError;
use postern_api::ssm::{DeleteActivationInput, DeleteActivationOutput, errors};
use postern_ids::ActivationId;

use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn delete_activation(
    call: Call<DeleteActivationInput>,
) -> Result<DeleteActivationOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let unknown = || {
        let message = format!("The activation ID {} is not valid.", call.input.activation_id);
        ApiError::new(errors::INVALID_ACTIVATION_ID, message)
    };
    let id: ActivationId = call.input.activation_id.parse().map_err(|_| unknown())?;
    if call.app.store.delete_activation(id).await.map_err(failure::store)? {
        Ok(DeleteActivationOutput {})
    } else {
        Err(unknown())
    }
}
