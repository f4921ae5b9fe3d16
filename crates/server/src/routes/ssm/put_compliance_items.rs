//! `PutComplianceItems`: this server keeps no compliance data, and says so. AWS's agent logs one line and goes on.

use postern_api::ApiError;
use postern_api::ssm::{PutComplianceItemsInput, PutComplianceItemsOutput};

use super::node;
use crate::routes::call::Call;
use crate::routes::not_served;

pub(super) async fn put_compliance_items(
    call: Call<PutComplianceItemsInput>,
) -> Result<PutComplianceItemsOutput, ApiError> {
    let id = node::parse(&call.input.resource_id)?;
    let _permit = call.authorize([call.check_node(&id)]).await?;
    Err(not_served())
}
