//! What is read.

use std::sync::Arc;

use postern_log_filter::FilterPattern;

use crate::{Cut, Direction, GroupName, StreamName};

/// Which events to read.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// The group.
    pub group: GroupName,
    /// Which of its streams.
    pub streams: Streams,
    /// The earliest time, included.
    pub from_ms: i64,
    /// The latest time, not included.
    pub until_ms: i64,
    /// Which way.
    pub direction: Direction,
    /// Where to begin: forward with the first event behind it, backward with the last one before it.
    pub start: Option<Cut>,
    /// What they say.
    pub pattern: Option<Arc<FilterPattern>>,
    /// At most this many events.
    pub events_max: usize,
    /// At most this many bytes, counted as in a batch; one event may have more.
    pub bytes_max: usize,
}

/// Streams of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// All of them.
    All,
    /// Those with these names. One that does not exist is an error.
    Named(Vec<StreamName>),
    /// Those whose names begin so.
    Prefix(String),
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The stream.
    pub stream: Arc<StreamName>,
    /// Its number, which no other event of the store has.
    pub id: i64,
    /// When it happened.
    pub timestamp_ms: i64,
    /// When it came.
    pub ingested_at_ms: i64,
    /// What it says.
    pub message: String,
}

impl StoredEvent {
    /// The place before it.
    #[must_use]
    pub fn cut(&self) -> Cut {
        Cut { timestamp_ms: self.timestamp_ms, event_id: self.id }
    }

    /// The place behind it.
    #[must_use]
    pub fn behind(&self) -> Cut {
        self.cut().behind()
    }
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the direction of the query.
    pub events: Vec<StoredEvent>,
    /// Where the next page in the same direction begins, if there may be more. It is behind `start` of this one even when
    /// there is no event.
    pub next: Option<Cut>,
}
