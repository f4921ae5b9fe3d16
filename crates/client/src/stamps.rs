//! Message IDs and times, from this machine's random numbers and clock.

use std::time::{SystemTime, UNIX_EPOCH};

use postern_protocol::{Stamp, Stamps};
use uuid::Uuid;

/// The real source of stamps.
#[derive(Debug, Default)]
pub(crate) struct SystemStamps;

impl Stamps for SystemStamps {
    fn stamp(&mut self) -> Stamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Readers refuse messages that were made in 1970 sharp.
        let created_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
        Stamp { message_id: Uuid::new_v4(), created_ms }
    }
}
