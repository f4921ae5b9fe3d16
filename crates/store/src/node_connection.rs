//! How the control channels of nodes stand, and why they closed last.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::NodeId;

use crate::{StoreError, text_enum};

text_enum!(
    /// Whether a node has a control channel open.
    NodeConnectionStatus,
    "a status of a node's connection (Online or Away)" {
        /// It has one.
        Online = "Online",
        /// It has none.
        Away = "Away",
    }
);

text_enum!(
    /// Why a control channel closed, as far as the server can tell.
    CloseReason,
    "a reason why a control channel closed" {
        /// The node closed it, or something between it and the server did.
        Closed = "Closed",
        /// Nothing came from the node any more, or it took nothing in.
        NoAnswer = "NoAnswer",
        /// A newer connection of the same node took its place.
        Replaced = "Replaced",
        /// It was never open: the node proved who it is, but its first frame had no valid token.
        Refused = "Refused",
        /// The server stopped.
        ServerStopped = "ServerStopped",
    }
);

/// The end of a control channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastClose {
    /// Why.
    pub reason: CloseReason,
    /// When.
    pub at: Timestamp,
}

/// How the control channel of a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeConnection {
    /// Whether it is open.
    pub status: NodeConnectionStatus,
    /// Since when that is so.
    pub since: Timestamp,
    /// The last of this node's channels to close, if one ever has.
    pub last_close: Option<LastClose>,
}

/// How the control channels of nodes stand. Whoever carries them knows; this is for the time after a restart.
#[async_trait]
pub trait NodeConnectionStore: Send + Sync {
    /// How those of all registered nodes stood when that was written down last.
    async fn node_connections(&self) -> Result<Vec<(NodeId, NodeConnection)>, StoreError>;

    /// Writes down how some stand, all in one step. What is said of a node that is not registered (any more) is
    /// forgotten, as everything is when a node is deregistered.
    async fn record_node_connections(
        &self,
        connections: &[(NodeId, NodeConnection)],
    ) -> Result<(), StoreError>;
}
