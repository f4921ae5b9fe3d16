//! `DeleteLogGroup`.

use postern_api::ApiError;
use postern_api::logs::{DeleteLogGroupInput, DeleteLogGroupOutput, errors};
use postern_logs::DeleteGroupError;

use super::{group, refusal};
use crate::routes::call::Call;

pub(super) async fn delete_log_group(
    call: Call<DeleteLogGroupInput>,
) -> Result<DeleteLogGroupOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    call.app.logs.store.delete_group(&name).await.map_err(|error| match error {
        DeleteGroupError::Unknown => refusal::no_group(),
        DeleteGroupError::Protected => {
            let message = "The log group cannot be deleted because deletion protection is enabled.";
            ApiError::new(errors::VALIDATION_EXCEPTION, message)
        }
        DeleteGroupError::Storage(error) => refusal::storage(error),
    })?;
    Ok(DeleteLogGroupOutput {})
}
