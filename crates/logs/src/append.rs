//! What is written.

use crate::{GroupName, StreamName};

/// An event as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub timestamp_ms: i64,
    /// What it says.
    pub message: String,
}

/// Events for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The group, which must exist.
    pub group: GroupName,
    /// The stream.
    pub stream: StreamName,
    /// What to do if there is no such stream.
    pub missing_stream: MissingStream,
    /// The events, in any order and number.
    pub events: Vec<Event>,
    /// When they came.
    pub ingested_at_ms: i64,
}

/// What to do if there is no stream to append to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingStream {
    /// Nothing is written.
    #[default]
    Refuse,
    /// It is created.
    Create,
}

/// Events that are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of the last event of the store.
    pub last_event_id: i64,
}
