//! `RemoveTagsFromResource`: removes tags from a node or document. A key that is not there is no error.

use postern_api::ApiError;
use postern_api::ssm::{RemoveTagsFromResourceInput, RemoveTagsFromResourceOutput};

use super::tag::{self, Tagged};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn remove_tags_from_resource(
    call: Call<RemoveTagsFromResourceInput>,
) -> Result<RemoveTagsFromResourceOutput, ApiError> {
    let tagged = Tagged::find(&call, &call.input.resource_type, &call.input.resource_id).await?;
    call.input.tag_keys.iter().try_for_each(|key| tag::check_key(key))?;
    let permit = call.authorize([tagged.check.clone().with_tag_keys(call.input.tag_keys.clone())]).await?;
    let resource = tagged.existing(&permit)?;
    call.app.store.remove_tags(&resource, &call.input.tag_keys).await.map_err(failure::store)?;
    Ok(RemoveTagsFromResourceOutput {})
}
