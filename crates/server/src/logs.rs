//! Logs: where they are kept, and how many may be followed at a time.

use std::path::PathBuf;
use std::sync::Arc;

use postern_logs::LogStore;
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::disk_reserve::DiskReserve;

/// Live Tail sessions at a time. Source: "CloudWatch Logs quotas", Amazon CloudWatch Logs User Guide.
const LIVE_TAILS_MAX: usize = 15;
/// The body of a batch of events: a megabyte of messages and what AWS counts for each, with everything escaped that JSON
/// may escape in text for terminals.
pub(crate) const BATCH_BODY_BYTES_MAX: usize = 4 << 20;
/// How such a request is recognised before its body is read.
const BATCH_TARGET: &str = "Logs_20140328.PutLogEvents";

/// The logs of the account.
pub(crate) struct Logs {
    directory: PathBuf,
    /// What writes and reads them. In this process, too, events are written with `append`.
    pub(crate) store: Arc<dyn LogStore>,
    /// Room for Live Tail sessions.
    pub(crate) live_tails: Arc<Semaphore>,
}

impl Logs {
    /// Over a store whose files are in `directory`.
    pub(crate) fn new(store: Arc<dyn LogStore>, directory: PathBuf) -> Self {
        Self { directory, store, live_tails: Arc::new(Semaphore::new(LIVE_TAILS_MAX)) }
    }

    /// Whether the disk has room for more than what is reserved.
    pub(crate) fn has_room(&self, reserve: DiskReserve) -> bool {
        reserve.has_room(&self.directory)
    }
}

/// How large the body of a request with this `X-Amz-Target` may be.
pub(crate) fn body_bytes_max(target: Option<&str>, limits: &Limits) -> usize {
    if target == Some(BATCH_TARGET) {
        limits.body_bytes_max.max(BATCH_BODY_BYTES_MAX)
    } else {
        limits.body_bytes_max
    }
}
