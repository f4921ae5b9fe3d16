//! How much a node may upload: nobody asks what it writes into its sessions' logs, so without a bound one node could fill the
//! disk for all.

use std::time::{Duration, Instant};

use postern_ids::NodeId;

use crate::token_bucket::TokenBuckets;

/// Nodes that are remembered; more than any installation has.
const NODES_MAX: usize = 65_536;
const REFILL_TIME: Duration = Duration::from_secs(60 * 60);
/// What every request counts at least: each is a row, a file or a record of its own.
const REQUEST_BYTES_MIN: u64 = 16 * 1024;

/// Bytes that each node may upload in an hour, in objects and log events together.
#[derive(Debug)]
pub(crate) struct NodeUploads {
    bytes_per_hour_max: u64,
    buckets: TokenBuckets<NodeId>,
}

/// A node uploads more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// It may later.
    ForNow,
    /// It may never, at once.
    AtOnce,
}

impl NodeUploads {
    pub(crate) fn new(bytes_per_hour_max: usize) -> Self {
        let buckets = TokenBuckets::new(bytes_per_hour_max as f64, REFILL_TIME, NODES_MAX);
        Self { bytes_per_hour_max: u64::try_from(bytes_per_hour_max).unwrap_or(u64::MAX), buckets }
    }

    /// Counts a request that brings so many bytes.
    ///
    /// # Errors
    /// [`TooMuch`]; nothing is counted then.
    pub(crate) fn admit(&self, node: &NodeId, bytes: u64, now: Instant) -> Result<(), TooMuch> {
        if bytes > self.bytes_per_hour_max {
            return Err(TooMuch::AtOnce);
        }
        let is_admitted = self.buckets.take_several(node.clone(), bytes.max(REQUEST_BYTES_MIN) as f64, now);
        if is_admitted { Ok(()) } else { Err(TooMuch::ForNow) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_uploads_too_much_waits_and_others_do_not() {
        let uploads = NodeUploads::new(1 << 20);
        let (one, other): (NodeId, NodeId) =
            ("mi-0123456789abcdef0".parse().unwrap(), "mi-00000000000000000".parse().unwrap());
        let start = Instant::now();
        assert_eq!(uploads.admit(&one, (1 << 20) + 1, start), Err(TooMuch::AtOnce));
        assert_eq!(uploads.admit(&one, 1 << 19, start), Ok(()));
        for _ in 0..32 {
            assert_eq!(uploads.admit(&one, 0, start), Ok(()), "each counts 16 KiB");
        }
        assert_eq!(uploads.admit(&one, 0, start), Err(TooMuch::ForNow));
        assert_eq!(uploads.admit(&other, 1 << 20, start), Ok(()));
        assert_eq!(uploads.admit(&one, 1 << 19, start + REFILL_TIME / 2), Ok(()));
    }
}
