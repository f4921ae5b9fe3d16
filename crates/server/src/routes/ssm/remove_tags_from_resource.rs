//! `RemoveTagsFromResource`: removes tags from a node. A key that is not there is no error.

use postern_api::ApiError;
use postern_api::ssm::{RemoveTagsFromResourceInput, RemoveTagsFromResourceOutput};
use postern_store::ResourceKey;

use super::tag;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn remove_tags_from_resource(
    call: Call<RemoveTagsFromResourceInput>,
) -> Result<RemoveTagsFromResourceOutput, ApiError> {
    let node = tag::tagged_node(&call.input.resource_type, &call.input.resource_id)?;
    call.input.tag_keys.iter().try_for_each(|key| tag::check_key(key))?;
    let check = call.check_tagged_node(&node).await?.with_tag_keys(call.input.tag_keys.clone());
    let _permit = call.authorize([check]).await?;
    let store = &call.app.store;
    if store.node(&node).await.map_err(failure::store)?.is_none() {
        return Err(tag::unknown_resource(node.as_str()));
    }
    store.remove_tags(&ResourceKey::node(&node), &call.input.tag_keys).await.map_err(failure::store)?;
    Ok(RemoveTagsFromResourceOutput {})
}
