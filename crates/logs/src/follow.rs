//! Events as they come.

use crate::{Event, GroupName, StreamName};

/// Events that have just been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The group.
    pub group: GroupName,
    /// The stream.
    pub stream: StreamName,
    /// When they came.
    pub ingested_at_ms: i64,
    /// The events, by time.
    pub events: Vec<Event>,
}
