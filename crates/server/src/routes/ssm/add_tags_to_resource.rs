//! `AddTagsToResource`: adds tags to a node or document, or replaces their values.

use postern_api::ApiError;
use postern_api::ssm::{AddTagsToResourceInput, AddTagsToResourceOutput, errors};
use postern_store::AddTagsError;

use super::tag::{self, Tagged};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn add_tags_to_resource(
    call: Call<AddTagsToResourceInput>,
) -> Result<AddTagsToResourceOutput, ApiError> {
    let tagged = Tagged::find(&call, &call.input.resource_type, &call.input.resource_id).await?;
    let tags = tag::checked(call.input.tags.clone())?;
    let permit = call.authorize([tagged.check.clone().with_request_tags(&tags)]).await?;
    let resource = tagged.existing(&permit)?;
    let present = call.app.store.tags(&resource).await.map_err(failure::store)?;
    tag::check_case(&tags, &present)?;
    let added = call.app.store.add_tags(&resource, &tags, tag::TAGS_MAX).await;
    added.map_err(|error| match error {
        AddTagsError::TooMany { limit } => {
            ApiError::new(errors::TOO_MANY_TAGS_ERROR, format!("A resource has at most {limit} tags."))
        }
        AddTagsError::ResourceUnknown => tag::unknown_resource(&resource.id),
        AddTagsError::Store(error) => failure::store(error),
    })?;
    Ok(AddTagsToResourceOutput {})
}
