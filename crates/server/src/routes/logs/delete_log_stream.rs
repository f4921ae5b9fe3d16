//! `DeleteLogStream`.

use postern_api::ApiError;
use postern_api::logs::{DeleteLogStreamInput, DeleteLogStreamOutput, errors};
use postern_logs::StreamChangeError;

use super::{group, refusal, stream};
use crate::routes::call::Call;

pub(super) async fn delete_log_stream(
    call: Call<DeleteLogStreamInput>,
) -> Result<DeleteLogStreamOutput, ApiError> {
    let group = group::named(&call.input.log_group_name)?;
    let name = stream::named(&call.input.log_stream_name)?;
    let _permit = call.authorize([stream::check(&call, &group, name.as_str()).await?]).await?;
    if group::ensure_exists(&call.app, &group).await?.is_deletion_protected {
        let message =
            "The log stream cannot be deleted because its log group's deletion protection is enabled.";
        return Err(ApiError::new(errors::VALIDATION_EXCEPTION, message));
    }
    call.app.logs.store.delete_stream(&group, &name).await.map_err(|error| match error {
        StreamChangeError::GroupUnknown => refusal::no_group(),
        StreamChangeError::StreamUnknown => refusal::no_stream(),
        StreamChangeError::Storage(error) => refusal::storage(error),
    })?;
    Ok(DeleteLogStreamOutput {})
}
