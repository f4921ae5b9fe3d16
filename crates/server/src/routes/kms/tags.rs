//! Tags of keys.

use std::collections::BTreeSet;

use postern_api::ApiError;
use postern_api::kms::{
    self, ListResourceTagsInput, ListResourceTagsOutput, Operation, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput, errors,
};
use postern_store::Tag;

use super::named_key::{By, NamedKey};
use super::{keys, refusal};
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

/// Source: "Quotas", AWS KMS Developer Guide.
const TAGS_MAX: usize = 50;
/// A page that says no limit. Source: `ListResourceTags` of the KMS API Reference.
const PAGE_TAGS: u32 = 50;
/// Keys that only AWS's services set.
const RESERVED_PREFIX: &str = "aws:";

/// Checks what the model does not: reserved keys, and keys given twice.
pub(super) fn checked(tags: Option<&[kms::Tag]>) -> Result<Vec<Tag>, ApiError> {
    let invalid = |message: &str| ApiError::new(errors::TAG_EXCEPTION, message);
    let mut keys = BTreeSet::new();
    let tags = tags.unwrap_or_default();
    if tags.len() > TAGS_MAX {
        return Err(invalid("Too many tags"));
    }
    let checked = tags.iter().map(|tag| {
        if tag.tag_key.to_lowercase().starts_with(RESERVED_PREFIX) {
            return Err(invalid("Tag keys that begin with aws: are reserved."));
        }
        if !keys.insert(tag.tag_key.as_str()) {
            return Err(invalid("Duplicate tag keys"));
        }
        Ok(Tag { key: tag.tag_key.clone(), value: tag.tag_value.clone() })
    });
    checked.collect()
}

pub(super) async fn tag_resource(call: Call<TagResourceInput>) -> Result<TagResourceOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::TagResource);
    let tags = checked(Some(&input.tags))?;
    let named = NamedKey::find(&call, &input.key_id, By::Key, operation).await?;
    let _permit = call.authorize([named.check(&call, operation).with_request_tags(&tags)]).await?;
    named.require_staying()?;
    let tagged = call.app.store.tag_kms_key(&named.key.id, &tags, TAGS_MAX).await;
    tagged.map_err(|error| refusal::tags(&named.arn, error))?;
    Ok(TagResourceOutput {})
}

pub(super) async fn untag_resource(call: Call<UntagResourceInput>) -> Result<UntagResourceOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::UntagResource);
    let named = NamedKey::find(&call, &input.key_id, By::Key, operation).await?;
    let check = named.check(&call, operation).with_tag_keys(input.tag_keys.clone());
    let _permit = call.authorize([check]).await?;
    named.require_staying()?;
    if call.app.store.untag_kms_key(&named.key.id, &input.tag_keys).await.map_err(failure::store)? {
        Ok(UntagResourceOutput {})
    } else {
        Err(refusal::key_unknown(&named.arn))
    }
}

pub(super) async fn list_resource_tags(
    call: Call<ListResourceTagsInput>,
) -> Result<ListResourceTagsOutput, ApiError> {
    let input = &call.input;
    let named = NamedKey::find(&call, &input.key_id, By::Key, Operation::ListResourceTags).await?;
    let _permit = named.permitted(&call).await?;
    let listing = Listing::new("ListResourceTags", &named.key.id);
    let page: postern_store::Page<String> =
        keys::page(&call, &listing, input.marker.as_deref(), input.limit, PAGE_TAGS)?;
    let is_after = |tag: &Tag| page.after.as_ref().is_none_or(|after| tag.key > *after);
    let mut tags: Vec<Tag> = named.key.tags.into_iter().filter(is_after).collect();
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = tags.len() > limit;
    tags.truncate(limit);
    let next = tags.last().map(|tag| tag.key.clone()).filter(|_| has_more);
    Ok(ListResourceTagsOutput {
        tags: Some(tags.into_iter().map(|tag| kms::Tag { tag_key: tag.key, tag_value: tag.value }).collect()),
        truncated: Some(has_more),
        next_marker: next.map(|next| call.app.page_tokens.seal(&listing, &next)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> kms::Tag {
        kms::Tag { tag_key: key.to_owned(), tag_value: String::new() }
    }

    #[test]
    fn reserved_and_repeated_keys_are_refused() {
        assert_eq!(checked(None).unwrap(), []);
        assert!(checked(Some(&[tag("env"), tag("ENV")])).is_ok(), "keys differ in case");
        for wrong in [[tag("aws:x"), tag("a")], [tag("env"), tag("env")]] {
            assert_eq!(checked(Some(&wrong)).unwrap_err().code.name(), "TagException", "{wrong:?}");
        }
    }
}
