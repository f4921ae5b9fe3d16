//! `ListTagsForResource`: the tags of a node or document.

use postern_api::ApiError;
use postern_api::ssm::{ListTagsForResourceInput, ListTagsForResourceOutput};

use super::tag::{self, Tagged};
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn list_tags_for_resource(
    call: Call<ListTagsForResourceInput>,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let tagged = Tagged::find(&call, &call.input.resource_type, &call.input.resource_id).await?;
    let permit = call.authorize([tagged.check.clone()]).await?;
    let resource = tagged.existing(&permit)?;
    let tags = call.app.store.tags(&resource).await.map_err(failure::store)?;
    Ok(ListTagsForResourceOutput { tag_list: Some(tag::shown(tags)) })
}
