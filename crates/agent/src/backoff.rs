//! How long this agent waits before it tries again.

use std::time::Duration;

use postern_dial::Backoff;

/// For connections to the server: a restarting server is back within moments, and nobody should wait longer than half a
/// minute for a node whose network works again.
pub(crate) fn for_connections() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(30))
}
