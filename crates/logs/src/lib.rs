//! Log groups, their streams and events.
//!
//! [`LogStore`] says what a store of logs does, [`SqliteLogs`] keeps them in a database file of their own: each batch of
//! events is one compressed block in a row that says which time it spans. What is answered as written is on the disk.
//!
//! Times are milliseconds since 1970, as the API of CloudWatch Logs has them.

mod append;
mod block;
mod error;
mod follow;
mod group;
mod name;
mod position;
mod query;
mod selection;
mod sqlite;
mod store;
mod stream;

pub use append::{Append, Event, MissingStream, Written};
pub use error::{
    AppendError, CreateGroupError, CreateStreamError, DeleteGroupError, EventsError, GroupChangeError,
    OpenError, StorageError, StreamChangeError, TagError,
};
pub use follow::Arrived;
pub use group::{GroupFilter, LogGroup, NewGroup, Tag};
pub use name::{GroupName, ParseNameError, StreamName};
pub use position::{Cut, Direction};
pub use query::{EventPage, EventQuery, StoredEvent, Streams};
pub use sqlite::{SqliteLogs, SqliteLogsOptions};
pub use store::LogStore;
pub use stream::{LogStream, StreamFilter, StreamOrder, StreamPosition};

/// The most bytes of one event's message. Source: `InputLogEvent` in the service model (1 MB), less what a batch counts
/// for each event.
pub const EVENT_BYTES_MAX: usize = BATCH_BYTES_MAX - EVENT_OVERHEAD_BYTES;
/// The most bytes of a batch. Source: `PutLogEvents`, CloudWatch Logs API reference.
pub const BATCH_BYTES_MAX: usize = 1_048_576;
/// What a batch counts for each event besides its message. Source: as above.
pub const EVENT_OVERHEAD_BYTES: usize = 26;
/// The most events of a batch. Source: as above.
pub const BATCH_EVENTS_MAX: usize = 10_000;
/// The time that the events of a batch may span. Source: as above.
pub const BATCH_SPAN_MS: i64 = 24 * 60 * 60 * 1000;
/// A day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;
