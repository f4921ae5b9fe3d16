//! What a store of logs does.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::{
    Append, AppendError, Arrived, CreateGroupError, CreateStreamError, DeleteGroupError, EventPage,
    EventQuery, EventsError, GroupChangeError, GroupFilter, GroupName, LogGroup, LogStream, NewGroup,
    StorageError, StreamChangeError, StreamFilter, StreamName, StreamPosition, Tag, TagError, Written,
};

/// Log groups, their streams and events. What is answered with success is on the disk.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Creates a group.
    async fn create_group(&self, group: NewGroup, now_ms: i64) -> Result<(), CreateGroupError>;

    /// Deletes a group with all that is in it. What is written to it at the same moment is gone, too, or refused.
    async fn delete_group(&self, name: &GroupName) -> Result<(), DeleteGroupError>;

    /// A group, or `None` if there is none of this name.
    async fn group(&self, name: &GroupName) -> Result<Option<LogGroup>, StorageError>;

    /// Groups by name, from behind `after`, at most `limit`.
    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupName>,
        limit: u32,
    ) -> Result<Vec<LogGroup>, StorageError>;

    /// Sets how many days events are kept; `None`: for ever.
    async fn set_retention(&self, group: &GroupName, days: Option<u32>) -> Result<(), GroupChangeError>;

    /// Associates a key with a group, or none.
    async fn set_kms_key(&self, group: &GroupName, key: Option<&str>) -> Result<(), GroupChangeError>;

    /// The tags of a group, by key.
    async fn tags(&self, group: &GroupName) -> Result<Vec<Tag>, GroupChangeError>;

    /// Adds tags to a group or replaces their values; at most `limit` may be there afterwards.
    async fn add_tags(&self, group: &GroupName, tags: &[Tag], limit: usize) -> Result<(), TagError>;

    /// Removes the tags with these keys from a group; those that it does not have are none.
    async fn remove_tags(&self, group: &GroupName, keys: &[String]) -> Result<(), TagError>;

    /// Creates a stream.
    async fn create_stream(
        &self,
        group: &GroupName,
        stream: &StreamName,
        now_ms: i64,
    ) -> Result<(), CreateStreamError>;

    /// Deletes a stream with its events.
    async fn delete_stream(&self, group: &GroupName, stream: &StreamName) -> Result<(), StreamChangeError>;

    /// Streams of a group, from behind `after`, at most `limit`.
    async fn streams(
        &self,
        group: &GroupName,
        filter: &StreamFilter,
        after: Option<&StreamPosition>,
        limit: u32,
    ) -> Result<Vec<LogStream>, EventsError>;

    /// Writes events, all or none.
    async fn append(&self, append: Append) -> Result<Written, AppendError>;

    /// Reads events.
    async fn events(&self, query: EventQuery) -> Result<EventPage, EventsError>;

    /// Events of all groups as they come. A receiver that is too slow misses some, and is told so.
    fn follow(&self) -> broadcast::Receiver<Arc<Arrived>>;
}
