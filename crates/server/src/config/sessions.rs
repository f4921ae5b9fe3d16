//! Section `sessions`: rules of sessions.

use super::reader::Reader;

/// Rules of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    /// Whether a client may open its data channel with the session's token alone, as plugins before 1.2.764.0 and
    /// browser clients do. A signature that is present is verified in any case.
    pub allow_unsigned_data_channels: bool,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_unsigned_data_channels: reader
                .truth("sessions.allow_unsigned_data_channels")
                .unwrap_or(true),
        }
    }
}
