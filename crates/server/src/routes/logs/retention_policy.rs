//! `PutRetentionPolicy` and `DeleteRetentionPolicy`: how long a group keeps events.

use postern_api::ApiError;
use postern_api::logs::{
    DeleteRetentionPolicyInput, DeleteRetentionPolicyOutput, PutRetentionPolicyInput,
    PutRetentionPolicyOutput,
};

use super::{group, refusal};
use crate::routes::call::Call;

/// Source: `Days` of `PutRetentionPolicy`, CloudWatch Logs API reference.
const DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) async fn put(call: Call<PutRetentionPolicyInput>) -> Result<PutRetentionPolicyOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    let days = call.input.retention_in_days;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    if !DAYS.contains(&days) {
        let message = format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member \
             must satisfy enum value set: {DAYS:?}"
        );
        return Err(refusal::invalid(message));
    }
    let days = u32::try_from(days).ok();
    call.app.logs.store.set_retention(&name, days).await.map_err(refusal::group_change)?;
    Ok(PutRetentionPolicyOutput {})
}

pub(super) async fn delete(
    call: Call<DeleteRetentionPolicyInput>,
) -> Result<DeleteRetentionPolicyOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    call.app.logs.store.set_retention(&name, None).await.map_err(refusal::group_change)?;
    Ok(DeleteRetentionPolicyOutput {})
}
