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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// Tokens that were given out and not used yet: the last one for each channel, so that nobody fills the table.
#[derive(Debug, Default)]
pub(crate) struct TokenTable {
    grants: HashMap<TokenHash, (Grant, Instant)>,
    last: HashMap<Grant, TokenHash>,
}

impl TokenTable {
    /// AWS's agent opens the websocket within milliseconds; its own limit for the call is 15 s.
    const LIFETIME: Duration = Duration::from_secs(60);

    /// Remembers that the token with this hash opens `grant`. A former one that was not used is void.
    pub(crate) fn insert(&mut self, hash: TokenHash, grant: Grant, now: Instant) {
        if let Some(former) = self.last.insert(grant.clone(), hash) {
            self.grants.remove(&former);
        }
        self.grants.insert(hash, (grant, now + Self::LIFETIME));
    }

    /// Forgets the tokens of `node`, which may open nothing any more.
    pub(crate) fn revoke(&mut self, node: &NodeId) {
        let grants = &mut self.grants;
        self.last.retain(|grant, hash| {
            let (Grant::ControlChannel(granted) | Grant::DataChannel(granted, _)) = grant;
            if granted == node {
                grants.remove(hash);
            }
            granted != node
        });
    }

    /// What the token opens, once.
    pub(crate) fn redeem(&mut self, hash: &TokenHash, now: Instant) -> Option<Grant> {
        let (grant, expires_at) = self.grants.remove(hash)?;
        self.last.remove(&grant);
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
    fn only_the_last_token_of_a_channel_is_good() {
        let mut table = TokenTable::default();
        let now = Instant::now();
        let grant = Grant::ControlChannel("mi-0123456789abcdef0".parse().unwrap());
        for number in 0..1_000 {
            table.insert(hash(&number.to_string()), grant.clone(), now);
        }
        assert_eq!((table.grants.len(), table.last.len()), (1, 1));
        assert_eq!(table.redeem(&hash("0"), now), None);
        assert_eq!(table.redeem(&hash("999"), now), Some(grant));
    }

    #[test]
    fn a_token_expires() {
        let mut table = TokenTable::default();
        let now = Instant::now();
        table.insert(hash("a"), Grant::ControlChannel("mi-0123456789abcdef0".parse().unwrap()), now);
        assert_eq!(table.redeem(&hash("a"), now + TokenTable::LIFETIME), None);
    }
}
