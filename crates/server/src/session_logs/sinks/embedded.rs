//! The server's own buckets and log groups.

use std::sync::Arc;

use async_trait::async_trait;
use postern_logs::{
    Append, AppendError, CreateStreamError, Event, GroupName, LogStore, MissingStream, StreamName,
};
use postern_objects::Vault;
use postern_s3::{Deposit, DepositError, deposit};
use postern_session_log::CONTENT_TYPE;
use postern_store::ObjectError;

use super::{BucketState, Contents, EventSink, GroupState, ObjectSink, SinkError};
use crate::clock::Clock;

/// Buckets in the data directory.
pub(crate) struct EmbeddedBuckets {
    vault: Vault,
    clock: Arc<dyn Clock>,
}

/// Log groups in the data directory.
pub(crate) struct EmbeddedGroups {
    store: Arc<dyn LogStore>,
    clock: Arc<dyn Clock>,
}

impl EmbeddedBuckets {
    pub(crate) fn new(vault: Vault, clock: Arc<dyn Clock>) -> Self {
        Self { vault, clock }
    }
}

impl EmbeddedGroups {
    pub(crate) fn new(store: Arc<dyn LogStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

#[async_trait]
impl ObjectSink for EmbeddedBuckets {
    async fn bucket(&self, bucket: &str) -> Result<BucketState, SinkError> {
        match self.vault.store().bucket(bucket).await {
            // Every file is encrypted.
            Ok(Some(_)) => Ok(BucketState { is_encrypted: true }),
            Ok(None) => Err(no_bucket(bucket)),
            Err(error) => Err(unavailable(bucket, error)),
        }
    }

    async fn put(&self, bucket: &str, key: &str, contents: Contents) -> Result<(), SinkError> {
        let object = Deposit { bucket, key, content_type: CONTENT_TYPE, at: self.clock.now() };
        deposit(&self.vault, object, contents).await.map_err(|error| match error {
            DepositError::Object(ObjectError::NoSuchBucket) => no_bucket(bucket),
            DepositError::Object(ObjectError::Store(error)) => unavailable(bucket, error),
            DepositError::Object(refused) => {
                SinkError::Refused { sink: format!("bucket {bucket}"), answer: refused.to_string() }
            }
            DepositError::Io(_) | DepositError::Refused(_) => unavailable(bucket, error),
        })
    }
}

fn no_bucket(bucket: &str) -> SinkError {
    SinkError::Missing(format!("bucket {bucket}"))
}

fn unavailable(bucket: &str, error: impl Into<super::BoxError>) -> SinkError {
    SinkError::Unavailable { sink: format!("bucket {bucket}"), source: error.into() }
}

#[async_trait]
impl EventSink for EmbeddedGroups {
    async fn group(&self, group: &str) -> Result<GroupState, SinkError> {
        let found = self.store.group(&named(group)?).await.map_err(|error| failed(group, error))?;
        let found = found.ok_or_else(|| no_group(group))?;
        Ok(GroupState { is_encrypted: found.kms_key.is_some() })
    }

    async fn open_stream(&self, group: &str, stream: &str) -> Result<(), SinkError> {
        let (name, stream) = (named(group)?, stream_named(stream)?);
        match self.store.create_stream(&name, &stream, self.now_ms()).await {
            Ok(()) | Err(CreateStreamError::Exists) => Ok(()),
            Err(CreateStreamError::GroupUnknown) => Err(no_group(group)),
            Err(CreateStreamError::Storage(error)) => Err(failed(group, error)),
        }
    }

    async fn append(&self, group: &str, stream: &str, messages: Vec<String>) -> Result<(), SinkError> {
        let now_ms = self.now_ms();
        let append = Append {
            group: named(group)?,
            stream: stream_named(stream)?,
            missing_stream: MissingStream::Create,
            events: messages.into_iter().map(|message| Event { timestamp_ms: now_ms, message }).collect(),
            ingested_at_ms: now_ms,
        };
        match self.store.append(append).await {
            Ok(_) => Ok(()),
            Err(AppendError::GroupUnknown | AppendError::StreamUnknown) => Err(no_group(group)),
            Err(AppendError::Storage(error)) => Err(failed(group, error)),
        }
    }
}

fn named(group: &str) -> Result<GroupName, SinkError> {
    group.parse().map_err(|_| no_group(group))
}

fn stream_named(stream: &str) -> Result<StreamName, SinkError> {
    stream.parse().map_err(|_| SinkError::Missing(format!("stream {stream}")))
}

fn no_group(group: &str) -> SinkError {
    SinkError::Missing(format!("log group {group}"))
}

fn failed(group: &str, error: postern_logs::StorageError) -> SinkError {
    SinkError::Unavailable { sink: format!("log group {group}"), source: error.into() }
}
