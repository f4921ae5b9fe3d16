//! Tags as callers give them, and what they are attached to.

use std::collections::BTreeSet;

use postern_api::ssm::{self, ResourceTypeForTagging};
use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;
use postern_store::Tag;

/// Tags of one resource. Source: "Tag naming limits and requirements", AWS General Reference.
pub(super) const TAGS_MAX: usize = 50;
/// Keys that only the service itself sets.
const RESERVED_PREFIX: &str = "aws:";

/// Checks what the model does not: reserved keys, keys given twice.
pub(super) fn checked(tags: Vec<ssm::Tag>) -> Result<Vec<Tag>, ApiError> {
    let mut keys = BTreeSet::new();
    for tag in &tags {
        check_key(&tag.key)?;
        if !keys.insert(tag.key.as_str()) {
            let message = format!("Duplicate tag key: {}", tag.key);
            return Err(ApiError::new(CommonError::Validation, message));
        }
    }
    Ok(tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect())
}

/// Refuses reserved keys.
pub(super) fn check_key(key: &str) -> Result<(), ApiError> {
    let is_reserved =
        key.get(..RESERVED_PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESERVED_PREFIX));
    if is_reserved {
        let message = format!("Tag keys that begin with {RESERVED_PREFIX} are reserved: {key}");
        return Err(ApiError::new(CommonError::Validation, message));
    }
    Ok(())
}

/// The node that carries the tags. Of what AWS tags, only nodes are here.
pub(super) fn tagged_node(resource_type: &ResourceTypeForTagging, id: &str) -> Result<NodeId, ApiError> {
    match resource_type {
        ResourceTypeForTagging::ManagedInstance => id.parse().map_err(|_| unknown_resource(id)),
        _ => Err(unknown_resource(id)),
    }
}

pub(super) fn unknown_resource(id: &str) -> ApiError {
    ApiError::new(ssm::errors::INVALID_RESOURCE_ID, format!("The resource ID is not valid: {id:.128}"))
}

/// As the API shows them.
pub(super) fn shown(tags: Vec<Tag>) -> Vec<ssm::Tag> {
    tags.into_iter().map(|tag| ssm::Tag { key: tag.key, value: tag.value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> ssm::Tag {
        ssm::Tag { key: key.to_owned(), value: String::new() }
    }

    #[test]
    fn reserved_and_repeated_keys_are_refused() {
        assert!(checked(vec![tag("env"), tag("ENV"), tag("aw")]).is_ok());
        for wrong in [vec![tag("aws:x")], vec![tag("AWS:x")], vec![tag("a"), tag("a")]] {
            assert!(checked(wrong).is_err());
        }
    }
}
