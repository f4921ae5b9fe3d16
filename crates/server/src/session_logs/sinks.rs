//! Where logs are written to: the seam between deliveries and stores.

mod embedded;
mod external;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use postern_ids::Region;
use postern_logs::LogStore;
use postern_objects::Vault;

use crate::clock::Clock;
use crate::config;
use embedded::{EmbeddedBuckets, EmbeddedGroups};
use external::{ExternalBuckets, ExternalGroups};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a sink did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// The bucket or the log group does not exist.
    #[error("{0} does not exist")]
    Missing(String),
    /// The sink refuses, and says why.
    #[error("{sink} refuses: {answer}")]
    Refused { sink: String, answer: String },
    /// The sink does not answer, or is broken.
    #[error("{sink} cannot be used")]
    Unavailable {
        sink: String,
        #[source]
        source: BoxError,
    },
}

/// What is known of a bucket before a session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BucketState {
    pub(crate) is_encrypted: bool,
}

/// What is known of a log group before a session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupState {
    pub(crate) is_encrypted: bool,
}

/// What an object holds, read as it goes.
pub(crate) type Contents = BoxStream<'static, std::io::Result<Bytes>>;

/// Buckets.
#[async_trait]
pub(crate) trait ObjectSink: Send + Sync {
    /// What the bucket is like.
    async fn bucket(&self, bucket: &str) -> Result<BucketState, SinkError>;

    /// Writes an object whole, or not at all.
    async fn put(&self, bucket: &str, key: &str, contents: Contents) -> Result<(), SinkError>;
}

/// Log groups.
#[async_trait]
pub(crate) trait EventSink: Send + Sync {
    /// What the group is like.
    async fn group(&self, group: &str) -> Result<GroupState, SinkError>;

    /// Creates a stream, if it does not exist.
    async fn open_stream(&self, group: &str, stream: &str) -> Result<(), SinkError>;

    /// Appends events of this moment to a stream: all or none. They keep to the bounds of a batch.
    async fn append(&self, group: &str, stream: &str, messages: Vec<String>) -> Result<(), SinkError>;
}

/// Where logs are written to.
pub(crate) struct Sinks {
    pub(crate) objects: Arc<dyn ObjectSink>,
    pub(crate) events: Arc<dyn EventSink>,
}

impl Sinks {
    /// Those that the settings name, or this server's own.
    pub(crate) fn new(
        config: &config::SessionLogs,
        region: &Region,
        vault: Vault,
        groups: Arc<dyn LogStore>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let clock = || Arc::clone(clock);
        let objects: Arc<dyn ObjectSink> = match config.s3.clone() {
            Some(external) => Arc::new(ExternalBuckets::new(external, region.as_str(), clock())),
            None => Arc::new(EmbeddedBuckets::new(vault, clock())),
        };
        let events: Arc<dyn EventSink> = match config.cloud_watch.clone() {
            Some(external) => Arc::new(ExternalGroups::new(external, region.as_str(), clock())),
            None => Arc::new(EmbeddedGroups::new(groups, clock())),
        };
        Self { objects, events }
    }
}
