//! IDs and times for messages, from this machine's clock and random source.

use std::time::{SystemTime, UNIX_EPOCH};

use postern_protocol::payload::{Stamp, Stamps};

use crate::random;

/// Makes stamps.
pub(crate) struct SystemStamps;

impl Stamps for SystemStamps {
    fn stamp(&mut self) -> Stamp {
        stamp()
    }
}

/// A stamp of now.
pub(crate) fn stamp() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Zero would make AWS's programs drop the message.
    let created_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
    Stamp { message_id: random::uuid(), created_ms }
}
