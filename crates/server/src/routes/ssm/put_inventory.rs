//! `PutInventory`: this server keeps no inventory, and says so. AWS's agent logs one line and goes on.

use postern_api::ApiError;
use postern_api::ssm::{PutInventoryInput, PutInventoryOutput};

use super::node;
use crate::routes::call::Call;
use crate::routes::not_served;

pub(super) async fn put_inventory(call: Call<PutInventoryInput>) -> Result<PutInventoryOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let _permit = call.authorize([call.check_node(&id)]).await?;
    Err(not_served())
}
