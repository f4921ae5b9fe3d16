//! `CreateLogStream`.

use postern_api::ApiError;
use postern_api::logs::{CreateLogStreamInput, CreateLogStreamOutput, errors};
use postern_logs::CreateStreamError;

use super::{bounds, group, refusal, stream};
use crate::routes::call::Call;

pub(super) async fn create_log_stream(
    call: Call<CreateLogStreamInput>,
) -> Result<CreateLogStreamOutput, ApiError> {
    let group = group::named(&call.input.log_group_name)?;
    let name = stream::named(&call.input.log_stream_name)?;
    let _permit = call.authorize([stream::check(&call, &group, name.as_str()).await?]).await?;
    bounds::admit(&call, 0)?;
    let created = call.app.logs.store.create_stream(&group, &name, call.at.as_millisecond()).await;
    created.map_err(|error| match error {
        CreateStreamError::GroupUnknown => refusal::no_group(),
        CreateStreamError::Exists => {
            let message = "The specified log stream already exists";
            ApiError::new(errors::RESOURCE_ALREADY_EXISTS_EXCEPTION, message)
        }
        CreateStreamError::Storage(error) => refusal::storage(error),
    })?;
    Ok(CreateLogStreamOutput {})
}
