//! What an endpoint serves.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::Stream;
use postern_store::{ObjectAttributes, Retention};

/// Bytes on their way out.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>;

/// What an object holds: a range of it, once.
pub type Contents = Box<dyn FnOnce(Range<u64>) -> ByteStream + Send>;

/// Buckets and the objects in them. Names come from the wire: an implementation must not take them for paths.
#[async_trait::async_trait]
pub trait Objects: Send + Sync + 'static {
    /// The names of all buckets, sorted, with the time they were made.
    ///
    /// # Errors
    /// They cannot be read.
    async fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>>;

    /// Whether there is such a bucket.
    ///
    /// # Errors
    /// It cannot be found out.
    async fn has_bucket(&self, bucket: &str) -> io::Result<bool>;

    /// At most `count_max` objects of a bucket in the order of their keys' bytes: those whose key begins with
    /// `prefix` and comes after `after`.
    ///
    /// # Errors
    /// They cannot be read.
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        count_max: usize,
    ) -> io::Result<Vec<ObjectInfo>>;

    /// Opens an object, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<Opened>>;
}

/// An object as listings show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// When it was written.
    pub modified_at: SystemTime,
    /// Its entity tag, without quotation marks.
    pub entity_tag: String,
}

/// An object that is about to be read.
pub struct Opened {
    /// As a listing would show it.
    pub info: ObjectInfo,
    /// What clients have said of it.
    pub attributes: ObjectAttributes,
    /// Until when it stays.
    pub retention: Option<Retention>,
    /// The lengths of the parts that it was uploaded in; none if it came whole.
    pub parts: Vec<u64>,
    /// Whether it is encrypted where it lies.
    pub is_encrypted: bool,
    /// Its bytes.
    pub contents: Contents,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("info", &self.info).finish_non_exhaustive()
    }
}
