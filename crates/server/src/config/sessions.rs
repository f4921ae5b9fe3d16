//! Section `sessions`: rules of sessions.

use std::time::Duration;

use super::reader::Reader;

/// Rules of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    /// Whether a client may open its data channel with the session's token alone, as plugins before 1.2.764.0 and
    /// browser clients do. A signature that is present is verified in any case.
    pub allow_unsigned_data_channels: bool,
    /// How long a session waits for a node whose connection was lost.
    pub agent_returns_within: Duration,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_unsigned_data_channels: reader
                .truth("sessions.allow_unsigned_data_channels")
                .unwrap_or(true),
            // A reboot of a router, or of what stands before the server; a reboot of the node ends its shells anyway.
            agent_returns_within: reader
                .duration("sessions.agent_returns_within", Duration::from_secs(24 * 60 * 60))
                .unwrap_or(Duration::from_secs(5 * 60)),
        }
    }
}
