//! Tags of resources.

use async_trait::async_trait;

use crate::{StoreError, text_enum};

/// A key and its value. The caller has checked both against AWS's constraints.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The key, unique within its resource.
    pub key: String,
    /// The value, possibly empty.
    pub value: String,
}

text_enum!(
    /// What kinds of resource carry tags, as `ResourceTypeForTagging` spells them.
    ResourceType,
    "a taggable resource type" {
        /// A managed node.
        ManagedInstance = "ManagedInstance",
        /// A document of the account.
        Document = "Document",
        /// A parameter.
        Parameter = "Parameter",
    }
);

/// The resource that carries tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceKey {
    /// Its kind.
    pub resource_type: ResourceType,
    /// Its identifier: a node ID, the name of a document or parameter.
    pub id: String,
}

impl ResourceKey {
    /// A managed node's tags.
    #[must_use]
    pub fn node(node: &postern_ids::NodeId) -> Self {
        Self { resource_type: ResourceType::ManagedInstance, id: node.to_string() }
    }

    /// The tags of a document of the account.
    #[must_use]
    pub fn document(name: &str) -> Self {
        Self { resource_type: ResourceType::Document, id: name.to_owned() }
    }
}

/// Why tags were not added.
#[derive(Debug, thiserror::Error)]
pub enum AddTagsError {
    /// The resource would have more tags than it may; none was added.
    #[error("a resource has at most {limit} tags")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// There is no such node or document (parameters are the caller's to check).
    #[error("the resource does not exist")]
    ResourceUnknown,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tags of resources.
#[async_trait]
pub trait TagStore: Send + Sync {
    /// Adds `tags`, replacing the values of keys that are there already: all of them, or none when the resource
    /// would then have more than `limit`. A node or document that is gone meanwhile gets none.
    async fn add_tags(&self, resource: &ResourceKey, tags: &[Tag], limit: usize) -> Result<(), AddTagsError>;

    /// Removes the tags with `keys`. A key that is not there is no error.
    async fn remove_tags(&self, resource: &ResourceKey, keys: &[String]) -> Result<(), StoreError>;

    /// The tags of a resource, ordered by key; none for an unknown resource.
    async fn tags(&self, resource: &ResourceKey) -> Result<Vec<Tag>, StoreError>;
}
