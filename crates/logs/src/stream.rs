//! Log streams.

use crate::StreamName;

/// A stream as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    /// The name.
    pub name: StreamName,
    /// When it was created.
    pub created_at_ms: i64,
    /// The time of the first event.
    pub first_event_ms: Option<i64>,
    /// The time of the last event.
    pub last_event_ms: Option<i64>,
    /// When the last events came.
    pub last_ingestion_ms: Option<i64>,
}

/// In which order to list streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamOrder {
    /// By name.
    #[default]
    Name,
    /// By the time of the last event; those without events come before all others.
    LastEvent,
}

/// Which streams of a group to list, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamFilter {
    /// How the name begins.
    pub prefix: Option<String>,
    /// The order.
    pub order: StreamOrder,
    /// Whether the order is the other way round.
    pub is_descending: bool,
}

/// Where a listing of streams goes on: behind this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPosition {
    /// The name.
    pub name: StreamName,
    /// The time of its last event; -1 if it has none.
    pub last_event_ms: i64,
}

impl StreamPosition {
    /// Behind `stream`.
    #[must_use]
    pub fn of(stream: &LogStream) -> Self {
        Self { name: stream.name.clone(), last_event_ms: stream.last_event_ms.unwrap_or(-1) }
    }
}
