//! Tags of log groups, by the operations of today and by those of before.

use std::collections::BTreeMap;

use postern_api::logs::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ListTagsLogGroupInput, ListTagsLogGroupOutput,
    TagLogGroupInput, TagLogGroupOutput, TagResourceInput, TagResourceOutput, UntagLogGroupInput,
    UntagLogGroupOutput, UntagResourceInput, UntagResourceOutput, errors,
};
use postern_api::{ApiError, Request};
use postern_logs::{GroupName, TagError};
use postern_store::Tag;

use super::{group, refusal};
use crate::auth::Check;
use crate::routes::call::Call;

/// Source: "Tag naming limits and requirements", AWS General Reference.
const TAGS_MAX: usize = 50;
/// Keys that only services set.
const RESERVED_PREFIX: &str = "aws:";

pub(super) async fn tag_resource(call: Call<TagResourceInput>) -> Result<TagResourceOutput, ApiError> {
    let name = group::of_arn(&call.app, &call.input.resource_arn)?;
    let tags = checked(Some(&call.input.tags))?;
    add(&call, &name, check_plain(&call, &name).await?, &tags).await?;
    Ok(TagResourceOutput {})
}

pub(super) async fn tag_group(call: Call<TagLogGroupInput>) -> Result<TagLogGroupOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    let tags = checked(Some(&call.input.tags))?;
    add(&call, &name, group::check(&call, &name).await?, &tags).await?;
    Ok(TagLogGroupOutput {})
}

pub(super) async fn untag_resource(call: Call<UntagResourceInput>) -> Result<UntagResourceOutput, ApiError> {
    let name = group::of_arn(&call.app, &call.input.resource_arn)?;
    remove(&call, &name, check_plain(&call, &name).await?, &call.input.tag_keys).await?;
    Ok(UntagResourceOutput {})
}

pub(super) async fn untag_group(call: Call<UntagLogGroupInput>) -> Result<UntagLogGroupOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    remove(&call, &name, group::check(&call, &name).await?, &call.input.tags).await?;
    Ok(UntagLogGroupOutput {})
}

pub(super) async fn list_for_resource(
    call: Call<ListTagsForResourceInput>,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let name = group::of_arn(&call.app, &call.input.resource_arn)?;
    let tags = list(&call, &name, check_plain(&call, &name).await?).await?;
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}

pub(super) async fn list_of_group(
    call: Call<ListTagsLogGroupInput>,
) -> Result<ListTagsLogGroupOutput, ApiError> {
    let name = group::named(&call.input.log_group_name)?;
    let tags = list(&call, &name, group::check(&call, &name).await?).await?;
    Ok(ListTagsLogGroupOutput { tags: Some(tags) })
}

/// Checks what the model does not.
pub(super) fn checked(tags: Option<&BTreeMap<String, String>>) -> Result<Vec<Tag>, ApiError> {
    let tags = tags.into_iter().flatten();
    let is_reserved = |key: &str| {
        key.get(..RESERVED_PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESERVED_PREFIX))
    };
    if let Some((key, _)) = tags.clone().find(|(key, _)| is_reserved(key)) {
        let message = format!("Tag keys that begin with {RESERVED_PREFIX} are reserved: {key}");
        return Err(refusal::invalid(message));
    }
    Ok(tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect())
}

/// As the logs keep them.
pub(super) fn kept(tags: &[Tag]) -> Vec<postern_logs::Tag> {
    let kept = |tag: &Tag| postern_logs::Tag { key: tag.key.clone(), value: tag.value.clone() };
    tags.iter().map(kept).collect()
}

/// The operation on a group under its plain ARN: so do policies on these operations name it, and on no others.
///
/// Source: `arn` of `LogGroup`, CloudWatch Logs API reference.
async fn check_plain<T: Request>(call: &Call<T>, name: &GroupName) -> Result<Check, ApiError> {
    group::with_tags(&call.app, call.check().on(group::arn(&call.app, name)), name).await
}

async fn add<T: Request>(
    call: &Call<T>,
    name: &GroupName,
    check: Check,
    tags: &[Tag],
) -> Result<(), ApiError> {
    let _permit = call.authorize([check.with_request_tags(tags)]).await?;
    call.app.logs.store.add_tags(name, &kept(tags), TAGS_MAX).await.map_err(refused)
}

async fn remove<T: Request>(
    call: &Call<T>,
    name: &GroupName,
    check: Check,
    keys: &[String],
) -> Result<(), ApiError> {
    let _permit = call.authorize([check.with_tag_keys(keys.to_vec())]).await?;
    call.app.logs.store.remove_tags(name, keys).await.map_err(refused)
}

async fn list<T: Request>(
    call: &Call<T>,
    name: &GroupName,
    check: Check,
) -> Result<BTreeMap<String, String>, ApiError> {
    let _permit = call.authorize([check]).await?;
    let tags = call.app.logs.store.tags(name).await.map_err(refusal::group_change)?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn refused(error: TagError) -> ApiError {
    match error {
        TagError::GroupUnknown => refusal::no_group(),
        TagError::TooMany { limit } => ApiError::new(
            errors::TOO_MANY_TAGS_EXCEPTION,
            format!("A resource can have no more than {limit} tags."),
        ),
        TagError::Storage(error) => refusal::storage(error),
    }
}
