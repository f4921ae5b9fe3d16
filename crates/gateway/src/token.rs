//! Single-use tokens with which a node opens its control channel and its data channels.
//!
//! They live in memory: a node that finds its token unknown after a restart asks for another. The tokens of
//! clients are in the store, since a client has one chance.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use postern_ids::{NodeId, SessionId};
use tokio::time::Instant;

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    ControlChannel(NodeId),
    DataChannel(NodeId, SessionId),
}

/// The SHA-256 of a token: what is kept of it.
pub(crate) type TokenHash = [u8; 32];

/// Hashes a token as it came over the wire.
pub(crate) fn hash(token: &str) -> TokenHash {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Tokens that were given out and not used yet.
#[derive(Debug, Default)]
pub(crate) struct TokenTable {
    grants: HashMap<TokenHash, (Grant, Instant)>,
}

impl TokenTable {
    /// AWS's agent opens the websocket within milliseconds; its own limit for the call is 15 s.
    const LIFETIME: Duration = Duration::from_secs(60);
    /// Enough for 100,000 nodes that reconnect at once. Beyond it the oldest tokens fall away and their nodes
    /// ask again.
    const TOKENS_MAX: usize = 200_000;

    /// Remembers that the token with this hash opens `grant`.
    pub(crate) fn insert(&mut self, hash: TokenHash, grant: Grant, now: Instant) {
        if self.grants.len() >= Self::TOKENS_MAX {
            self.grants.retain(|_, (_, expires_at)| *expires_at > now);
            if self.grants.len() >= Self::TOKENS_MAX {
                self.grants.clear();
            }
        }
        self.grants.insert(hash, (grant, now + Self::LIFETIME));
    }

    /// Forgets the tokens of `node`, which may open nothing any more.
    pub(crate) fn revoke(&mut self, node: &NodeId) {
        self.grants.retain(|_, (grant, _)| match grant {
            Grant::ControlChannel(granted) | Grant::DataChannel(granted, _) => granted != node,
        });
    }

    /// What the token opens, once.
    pub(crate) fn redeem(&mut self, hash: &TokenHash, now: Instant) -> Option<Grant> {
        let (grant, expires_at) = self.grants.remove(hash)?;
        (expires_at > now).then_some(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_one_channel_once() {
        let mut table = TokenTable::default();
        let now = Instant::now();
        let grant = Grant::ControlChannel("mi-0123456789abcdef0".parse().unwrap());
        table.insert(hash("a"), grant.clone(), now);
        assert_eq!(table.redeem(&hash("b"), now), None);
        assert_eq!(table.redeem(&hash("a"), now), Some(grant));
        assert_eq!(table.redeem(&hash("a"), now), None, "it was used");
    }

    #[test]
    fn a_node_that_is_gone_opens_nothing() {
        let mut table = TokenTable::default();
        let now = Instant::now();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        table.insert(hash("a"), Grant::DataChannel(node.clone(), "alice-1".parse().unwrap()), now);
        table.revoke(&node);
        assert_eq!(table.redeem(&hash("a"), now), None);
    }

    #[test]
    fn a_token_expires() {
        let mut table = TokenTable::default();
        let now = Instant::now();
        table.insert(hash("a"), Grant::ControlChannel("mi-0123456789abcdef0".parse().unwrap()), now);
        assert_eq!(table.redeem(&hash("a"), now + TokenTable::LIFETIME), None);
    }
}
