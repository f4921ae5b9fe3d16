//! Places between events.
//!
//! Events are ordered by their time, and those of one time by the number that they got when they came. So what is read
//! once keeps its place, whatever comes later.

/// A place between two events: those that are less are before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    /// The time of the event behind the place.
    pub timestamp_ms: i64,
    /// Its number.
    pub event_id: i64,
}

impl Cut {
    /// Before every event of a time or later.
    #[must_use]
    pub const fn before(timestamp_ms: i64) -> Self {
        Self { timestamp_ms, event_id: i64::MIN }
    }

    /// Right behind this event.
    #[must_use]
    pub(crate) const fn behind(self) -> Self {
        Self { timestamp_ms: self.timestamp_ms, event_id: self.event_id.saturating_add(1) }
    }
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The earliest first.
    #[default]
    Forward,
    /// The latest first.
    Backward,
}
