//! `UpdateInstanceAssociationStatus`: how an association went. There are none, so every one is unknown.

use postern_api::ApiError;
use postern_api::ssm::{UpdateInstanceAssociationStatusInput, UpdateInstanceAssociationStatusOutput, errors};

use super::node;
use crate::routes::call::Call;

pub(super) async fn update_instance_association_status(
    call: Call<UpdateInstanceAssociationStatusInput>,
) -> Result<UpdateInstanceAssociationStatusOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let _permit = call.authorize([call.check_node(&id)]).await?;
    let message = format!("The association {:.64} does not exist.", call.input.association_id);
    Err(ApiError::new(errors::ASSOCIATION_DOES_NOT_EXIST, message))
}
