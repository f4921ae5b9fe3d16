//! `ListTagsForResource`: the tags of a node.

use postern_api::ApiError;
use postern_api::ssm::{ListTagsForResourceInput, ListTagsForResourceOutput};
use postern_store::ResourceKey;

use super::tag;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn list_tags_for_resource(
    call: Call<ListTagsForResourceInput>,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let node = tag::tagged_node(&call.input.resource_type, &call.input.resource_id)?;
    let _permit = call.authorize([call.check_tagged_node(&node).await?]).await?;
    let store = &call.app.store;
    if store.node(&node).await.map_err(failure::store)?.is_none() {
        return Err(tag::unknown_resource(node.as_str()));
    }
    let tags = store.tags(&ResourceKey::node(&node)).await.map_err(failure::store)?;
    Ok(ListTagsForResourceOutput { tag_list: Some(tag::shown(tags)) })
}
