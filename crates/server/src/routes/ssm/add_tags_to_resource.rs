//! `AddTagsToResource`: adds tags to a node, or replaces their values.

use postern_api::ApiError;
use postern_api::ssm::{AddTagsToResourceInput, AddTagsToResourceOutput, errors};
use postern_store::{AddTagsError, ResourceKey};

use super::tag;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn add_tags_to_resource(
    call: Call<AddTagsToResourceInput>,
) -> Result<AddTagsToResourceOutput, ApiError> {
    let node = tag::tagged_node(&call.input.resource_type, &call.input.resource_id)?;
    let tags = tag::checked(call.input.tags.clone())?;
    let _permit = call.authorize([call.check_tagged_node(&node).await?.with_request_tags(&tags)]).await?;
    let resource = ResourceKey::node(&node);
    let present = call.app.store.tags(&resource).await.map_err(failure::store)?;
    tag::check_case(&tags, &present)?;
    let added = call.app.store.add_tags(&resource, &tags, tag::TAGS_MAX).await;
    added.map_err(|error| match error {
        AddTagsError::TooMany { limit } => {
            ApiError::new(errors::TOO_MANY_TAGS_ERROR, format!("A resource has at most {limit} tags."))
        }
        AddTagsError::ResourceUnknown => tag::unknown_resource(node.as_str()),
        AddTagsError::Store(error) => failure::store(error),
    })?;
    Ok(AddTagsToResourceOutput {})
}
