//! Managed nodes.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{ActivationId, NodeId, RoleName, SessionId};

use crate::{Page, Paged, StoreError, text_enum};

text_enum!(
    /// What operating system a node runs, as AWS spells it.
    PlatformType,
    "a platform type (Linux, Windows or MacOS)" {
        /// Linux.
        Linux = "Linux",
        /// Windows.
        Windows = "Windows",
        /// macOS.
        MacOs = "MacOS",
    }
);

/// A registered node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The identifier.
    pub id: NodeId,
    /// The activation it registered with, which may have been deleted since.
    pub activation_id: Option<ActivationId>,
    /// The role whose credentials it gets.
    pub role: RoleName,
    /// The name it got from its activation.
    pub name: Option<String>,
    /// What its agent made of the machine's properties; a copied disk has another one.
    pub fingerprint: String,
    /// The public key that signs its requests (DER, `SubjectPublicKeyInfo`).
    pub public_key_der: Vec<u8>,
    /// Since when it is the key.
    pub public_key_since: Timestamp,
    /// The key before that one. Only for telling why a signature fails; it is no longer valid.
    pub previous_public_key_der: Option<Vec<u8>>,
    /// When it registered.
    pub registered_at: Timestamp,
    /// What it last said about itself.
    pub info: NodeInfo,
    /// When it last said so.
    pub last_ping_at: Option<Timestamp>,
}

/// What a node says about itself in `UpdateInstanceInformation`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// `AgentName`.
    pub agent_name: Option<String>,
    /// `AgentVersion`.
    pub agent_version: Option<String>,
    /// `AgentStatus`.
    pub agent_status: Option<String>,
    /// `PlatformType`.
    pub platform_type: Option<PlatformType>,
    /// `PlatformName`.
    pub platform_name: Option<String>,
    /// `PlatformVersion`.
    pub platform_version: Option<String>,
    /// `ComputerName`.
    pub computer_name: Option<String>,
    /// `IPAddress`.
    pub ip_address: Option<String>,
    /// `SSMConnectionChannel`.
    pub connection_channel: Option<String>,
}

/// A node that wants to register with an activation whose code the caller has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The new node's identifier.
    pub id: NodeId,
    /// The activation.
    pub activation_id: ActivationId,
    /// The node's fingerprint.
    pub fingerprint: String,
    /// The node's public key (DER, `SubjectPublicKeyInfo`), which the caller has parsed.
    pub public_key_der: Vec<u8>,
    /// The time.
    pub at: Timestamp,
}

/// Why a node was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is no such activation (any more).
    #[error("the activation does not exist")]
    ActivationUnknown,
    /// The activation's time is over.
    #[error("the activation expired at {expired_at}")]
    ActivationExpired {
        /// Since when.
        expired_at: Timestamp,
    },
    /// As many nodes have registered as the activation allows.
    #[error("the activation's limit of {limit} registrations is reached")]
    LimitReached {
        /// The limit.
        limit: u32,
    },
    /// Another node has this key: a copied disk.
    #[error("the public key is already registered, to {node}")]
    PublicKeyInUse {
        /// The other node.
        node: NodeId,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a node's key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplacePublicKeyError {
    /// There is no such node (any more).
    #[error("the node does not exist")]
    NodeUnknown,
    /// Another node has this key.
    #[error("the public key is already registered, to {node}")]
    PublicKeyInUse {
        /// The other node.
        node: NodeId,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A condition on listed nodes; one of the values must match. An empty list matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeFilter {
    /// `InstanceIds`.
    Ids(Vec<NodeId>),
    /// `PlatformTypes`.
    PlatformTypes(Vec<PlatformType>),
    /// `ActivationIds`.
    Activations(Vec<ActivationId>),
    /// `IamRole`.
    Roles(Vec<RoleName>),
    /// `AgentVersion`.
    AgentVersions(Vec<String>),
    /// `tag-key`: the node has a tag with one of these keys.
    TagKeys(Vec<String>),
    /// `tag:<key>`: the node has the tag with one of these values.
    Tag {
        /// The key.
        key: String,
        /// The values.
        values: Vec<String>,
    },
}

/// What is left to do after a node was deregistered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deregistered {
    /// Its live sessions, which the caller must end.
    pub live_sessions: Vec<SessionId>,
}

/// Managed nodes.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Registers a node and counts it against its activation in one step, so that never more nodes register than
    /// `registration_limit`. The node gets the activation's role, name and tags.
    ///
    /// # Errors
    /// Refuses an unknown, expired or exhausted activation, and a key that another node has.
    async fn register_node(&self, registration: &Registration) -> Result<Node, RegisterError>;

    /// The node with this identifier.
    async fn node(&self, id: &NodeId) -> Result<Option<Node>, StoreError>;

    /// The nodes that match all `filters`, ordered by identifier.
    async fn nodes(
        &self,
        filters: &[NodeFilter],
        page: &Page<NodeId>,
    ) -> Result<Paged<Node, NodeId>, StoreError>;

    /// Remembers what a node says about itself; what it does not say (`None`) stays as it was. A ping that is older
    /// than the last does not set the time back. `false`: there is no such node.
    async fn record_ping(&self, id: &NodeId, info: &NodeInfo, at: Timestamp) -> Result<bool, StoreError>;

    /// Switches a node to a new key in one step: from then on only the new one is valid. Repeating the call with the
    /// key it already has changes nothing, because the answer to the first may have been lost.
    ///
    /// # Errors
    /// Refuses an unknown node and a key that another node has.
    async fn replace_public_key(
        &self,
        id: &NodeId,
        public_key_der: &[u8],
        at: Timestamp,
    ) -> Result<(), ReplacePublicKeyError>;

    /// Gives a node another role. The credentials that it has stay those of the one before until they end. `false`: there
    /// is no such node.
    async fn set_node_role(&self, id: &NodeId, role: &RoleName) -> Result<bool, StoreError>;

    /// Forgets a node with its tags and unredeemed tokens, so that its credentials stop at once. Its sessions stay
    /// in the history; those still live are told. `None`: there was no such node.
    async fn deregister_node(&self, id: &NodeId) -> Result<Option<Deregistered>, StoreError>;
}
