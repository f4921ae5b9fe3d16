//! Tags as callers give them, and what they are attached to.

use std::collections::BTreeSet;

use postern_api::ssm::{self, ResourceTypeForTagging};
use postern_api::{ApiError, CommonError, Request};
use postern_ids::{Arn, NodeId};
use postern_store::{ResourceKey, Tag};

use crate::auth::{Check, Permit};
use crate::routes::call::Call;
use crate::routes::failure;

/// Tags of one resource. Source: "Tag naming limits and requirements", AWS General Reference.
pub(super) const TAGS_MAX: usize = 50;
/// Keys that only the service itself sets.
const RESERVED_PREFIX: &str = "aws:";

/// Checks what the model does not: reserved keys, keys given twice. Policies name keys without regard to case, so two
/// that differ only in that are one key given twice.
pub(super) fn checked(tags: Vec<ssm::Tag>) -> Result<Vec<Tag>, ApiError> {
    let mut keys = BTreeSet::new();
    for tag in &tags {
        check_key(&tag.key)?;
        if !keys.insert(tag.key.to_lowercase()) {
            let message = format!("Duplicate tag key: {}", tag.key);
            return Err(ApiError::new(CommonError::Validation, message));
        }
    }
    Ok(tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect())
}

/// Refuses keys that differ only in case from those that are there.
pub(super) fn check_case(new: &[Tag], present: &[Tag]) -> Result<(), ApiError> {
    let clash =
        |tag: &Tag, known: &Tag| tag.key != known.key && tag.key.to_lowercase() == known.key.to_lowercase();
    match new.iter().find_map(|tag| present.iter().find(|known| clash(tag, known))) {
        Some(known) => {
            let message = format!("The resource has a tag whose key differs only in case: {}", known.key);
            Err(ApiError::new(CommonError::Validation, message))
        }
        None => Ok(()),
    }
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

/// What carries the tags of a call. Of what AWS tags, nodes and the account's documents are here.
pub(super) struct Tagged {
    pub(super) resource: ResourceKey,
    /// The operation on it, with the tags that it has.
    pub(super) check: Check,
    exists: bool,
}

impl Tagged {
    pub(super) async fn find<T: Request>(
        call: &Call<T>,
        resource_type: &ResourceTypeForTagging,
        id: &str,
    ) -> Result<Self, ApiError> {
        let store = &call.app.store;
        match resource_type {
            ResourceTypeForTagging::ManagedInstance => {
                let node: NodeId = id.parse().map_err(|_| unknown_resource(id))?;
                let exists = store.node(&node).await.map_err(failure::store)?.is_some();
                Ok(Self {
                    resource: ResourceKey::node(&node),
                    check: call.check_tagged_node(&node).await?,
                    exists,
                })
            }
            ResourceTypeForTagging::Document => {
                let resource = ResourceKey::document(id);
                let tags = store.tags(&resource).await.map_err(failure::store)?;
                let arn = Arn::document(&call.app.region, &call.app.account, id);
                let exists = store.document(id).await.map_err(failure::store)?.is_some();
                Ok(Self { resource, check: call.check().on(arn).with_resource_tags(&tags), exists })
            }
            _ => Err(unknown_resource(id)),
        }
    }

    /// Only who may is told that it is not there.
    pub(super) fn existing(self, _permit: &Permit) -> Result<ResourceKey, ApiError> {
        if self.exists { Ok(self.resource) } else { Err(unknown_resource(&self.resource.id)) }
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
        assert!(checked(vec![tag("env"), tag("team"), tag("aw")]).is_ok());
        for wrong in
            [vec![tag("aws:x")], vec![tag("AWS:x")], vec![tag("a"), tag("a")], vec![tag("env"), tag("ENV")]]
        {
            assert!(checked(wrong).is_err());
        }
    }

    #[test]
    fn a_key_that_is_there_keeps_its_spelling() {
        let tags = |key: &str| vec![Tag { key: key.to_owned(), value: String::new() }];
        assert!(check_case(&tags("env"), &tags("env")).is_ok());
        assert!(check_case(&tags("ENV"), &tags("env")).is_err());
    }
}
