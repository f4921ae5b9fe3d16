//! Logs in a SQLite database of their own.
//!
//! One connection writes. Batches that come while it waits for the disk go into one transaction together; each is
//! answered when that transaction is on the disk. Reads take other connections, and see one moment each.

mod blocks;
mod groups;
mod open;
mod reading;
mod streams;
mod tending;
mod transaction;
mod writing;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{
    Append, AppendError, Arrived, CreateGroupError, CreateStreamError, DeleteGroupError, EventPage,
    EventQuery, EventsError, GroupChangeError, GroupFilter, GroupName, LogGroup, LogStore, LogStream,
    NewGroup, OpenError, StorageError, StreamChangeError, StreamFilter, StreamName, StreamPosition, Tag,
    TagError, Written,
};
use transaction::Transaction;
use writing::Job;

/// Batches that wait for the writer, of at most a megabyte each when they come over the API.
const JOBS_MAX: usize = 64;
/// Batches that a follower may lag behind.
const ARRIVED_MAX: usize = 32;

/// Where to keep logs.
#[derive(Debug, Clone)]
pub struct SqliteLogsOptions {
    /// A directory of their own; it is created.
    pub directory: PathBuf,
    /// How many groups there may be.
    pub groups_max: u32,
    /// How often expired and deleted events are removed and small blocks put together.
    pub tended_every: Duration,
}

impl SqliteLogsOptions {
    /// The usual choices.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), groups_max: 10_000, tended_every: Duration::from_secs(60) }
    }
}

/// Logs in a database.
#[derive(Debug)]
pub struct SqliteLogs {
    writer: SqlitePool,
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
    arrived: broadcast::Sender<Arc<Arrived>>,
    groups_max: u32,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl SqliteLogs {
    /// Opens the logs, and takes up what an earlier process left. `now_ms` tells the time, for what expires.
    ///
    /// # Errors
    /// Says what is wrong with the file, and leaves it as it is.
    pub async fn open(
        options: SqliteLogsOptions,
        now_ms: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let (writer, readers) = open::open(&options.directory).await?;
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let (arrived, _) = broadcast::channel(ARRIVED_MAX);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(writing::run(writer.clone(), queue, arrived.clone(), stop.clone()));
        tasks.spawn(tending::run(writer.clone(), options.tended_every, now_ms, stop.clone()));
        Ok(Self { writer, readers, jobs, arrived, groups_max: options.groups_max, tasks, stop })
    }

    /// Writes what has been taken, and closes the file.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A transaction that writes. Dropped, it has done nothing.
    async fn begin(&self) -> Result<Transaction, StorageError> {
        if self.stop.is_cancelled() {
            return Err(StorageError::Closed);
        }
        Transaction::begin(&self.writer).await
    }
}

#[async_trait]
impl LogStore for SqliteLogs {
    async fn create_group(&self, group: NewGroup, now_ms: i64) -> Result<(), CreateGroupError> {
        let mut transaction = self.begin().await?;
        groups::create(&mut transaction, &group, now_ms, self.groups_max).await?;
        Ok(transaction.commit().await?)
    }

    async fn delete_group(&self, name: &GroupName) -> Result<(), DeleteGroupError> {
        let mut transaction = self.begin().await?;
        groups::delete(&mut transaction, name).await?;
        Ok(transaction.commit().await?)
    }

    async fn group(&self, name: &GroupName) -> Result<Option<LogGroup>, StorageError> {
        groups::one(&self.readers, name).await
    }

    async fn groups(
        &self,
        filter: &GroupFilter,
        after: Option<&GroupName>,
        limit: u32,
    ) -> Result<Vec<LogGroup>, StorageError> {
        groups::list(&self.readers, filter, after, limit).await
    }

    async fn set_retention(&self, group: &GroupName, days: Option<u32>) -> Result<(), GroupChangeError> {
        let mut transaction = self.begin().await?;
        groups::set_retention(&mut transaction, group, days).await?;
        Ok(transaction.commit().await?)
    }

    async fn set_kms_key(&self, group: &GroupName, key: Option<&str>) -> Result<(), GroupChangeError> {
        let mut transaction = self.begin().await?;
        groups::set_kms_key(&mut transaction, group, key).await?;
        Ok(transaction.commit().await?)
    }

    async fn tags(&self, group: &GroupName) -> Result<Vec<Tag>, GroupChangeError> {
        groups::tags(&self.readers, group).await
    }

    async fn add_tags(&self, group: &GroupName, tags: &[Tag], limit: usize) -> Result<(), TagError> {
        let mut transaction = self.begin().await?;
        groups::add_tags(&mut transaction, group, tags, limit).await?;
        Ok(transaction.commit().await?)
    }

    async fn remove_tags(&self, group: &GroupName, keys: &[String]) -> Result<(), TagError> {
        let mut transaction = self.begin().await?;
        groups::remove_tags(&mut transaction, group, keys).await?;
        Ok(transaction.commit().await?)
    }

    async fn create_stream(
        &self,
        group: &GroupName,
        stream: &StreamName,
        now_ms: i64,
    ) -> Result<(), CreateStreamError> {
        let mut transaction = self.begin().await?;
        streams::create(&mut transaction, group, stream, now_ms).await?;
        Ok(transaction.commit().await?)
    }

    async fn delete_stream(&self, group: &GroupName, stream: &StreamName) -> Result<(), StreamChangeError> {
        let mut transaction = self.begin().await?;
        streams::delete(&mut transaction, group, stream).await?;
        Ok(transaction.commit().await?)
    }

    async fn streams(
        &self,
        group: &GroupName,
        filter: &StreamFilter,
        after: Option<&StreamPosition>,
        limit: u32,
    ) -> Result<Vec<LogStream>, EventsError> {
        streams::list(&self.readers, group, filter, after, limit).await
    }

    async fn append(&self, append: Append) -> Result<Written, AppendError> {
        writing::append(&self.jobs, append).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, EventsError> {
        reading::events(&self.readers, query).await
    }

    fn follow(&self) -> broadcast::Receiver<Arc<Arrived>> {
        self.arrived.subscribe()
    }
}
