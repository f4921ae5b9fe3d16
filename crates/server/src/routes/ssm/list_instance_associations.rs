//! `ListInstanceAssociations`: what a node is to do regularly. There is no State Manager here, so nothing.

use postern_api::ApiError;
use postern_api::ssm::{ListInstanceAssociationsInput, ListInstanceAssociationsOutput};

use super::node;
use crate::routes::call::Call;

pub(super) async fn list_instance_associations(
    call: Call<ListInstanceAssociationsInput>,
) -> Result<ListInstanceAssociationsOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let _permit = call.authorize([call.check_node(&id)]).await?;
    Ok(ListInstanceAssociationsOutput { associations: Some(Vec::new()), next_token: None })
}
