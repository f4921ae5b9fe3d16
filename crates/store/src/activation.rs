//! Activations: permissions to register a number of nodes for some time.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{ActivationId, RoleName};

use crate::{Page, Paged, StoreError, Tag};

/// An activation. Its code is known only to whom it was shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The identifier, which is not secret.
    pub id: ActivationId,
    /// SHA-256 of the activation code.
    pub code_hash: [u8; 32],
    /// What the administrator wrote about it.
    pub description: Option<String>,
    /// The name that its nodes get.
    pub default_instance_name: Option<String>,
    /// The role that its nodes get.
    pub role: RoleName,
    /// How many nodes may register.
    pub registration_limit: u32,
    /// How many have registered.
    pub registrations_count: u32,
    /// From then on no node may register.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// The tags that its nodes get.
    pub tags: Vec<Tag>,
}

/// A condition on listed activations; one of the values must match. An empty list matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivationFilter {
    /// `ActivationIds`.
    Ids(Vec<ActivationId>),
    /// `DefaultInstanceName`.
    DefaultInstanceNames(Vec<String>),
    /// `IamRole`.
    Roles(Vec<RoleName>),
}

/// Activations. Registering a node with one is [`NodeStore::register_node`](crate::NodeStore::register_node).
#[async_trait]
pub trait ActivationStore: Send + Sync {
    /// Remembers a new activation, whose identifier is random and thus new.
    async fn create_activation(&self, activation: &Activation) -> Result<(), StoreError>;

    /// The activation with this identifier.
    async fn activation(&self, id: ActivationId) -> Result<Option<Activation>, StoreError>;

    /// The activations that match all `filters`, ordered by identifier.
    async fn activations(
        &self,
        filters: &[ActivationFilter],
        page: &Page<ActivationId>,
    ) -> Result<Paged<Activation, ActivationId>, StoreError>;

    /// Forgets an activation, so that no further node registers with it. Its nodes stay.
    /// `false`: there was none.
    async fn delete_activation(&self, id: ActivationId) -> Result<bool, StoreError>;
}
