//! Single-use tokens that open one end of one channel.

use jiff::Timestamp;
use postern_ids::{NodeId, SessionId};

use crate::text_enum;

/// The SHA-256 of a token. The token itself is never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

text_enum!(
    /// Which end of a data channel.
    ChannelSide,
    "a side of a data channel" {
        /// The user's.
        Client = "client",
        /// The node's.
        Agent = "agent",
    }
);

/// What a token opens, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenScope {
    /// A node's control channel.
    ControlChannel {
        /// The node.
        node: NodeId,
    },
    /// One end of a session's data channel.
    DataChannel {
        /// The session.
        session: SessionId,
        /// The end.
        side: ChannelSide,
    },
}

/// A token to remember until it is redeemed or expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// The token's hash.
    pub hash: TokenHash,
    /// What it opens.
    pub scope: TokenScope,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}
