//! What an endpoint serves.

use std::collections::HashMap;
use std::io;
use std::time::SystemTime;

use tokio::fs::File;

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
}

/// An object that is about to be read.
#[derive(Debug)]
pub struct Opened {
    /// As a listing would show it.
    pub info: ObjectInfo,
    /// What clients see as `x-amz-meta-…`, without that prefix.
    pub metadata: HashMap<String, String>,
    /// Its bytes.
    pub file: File,
}

impl ObjectInfo {
    /// The entity tag. It changes when the object does, and looks like that of a multipart upload, which clients do
    /// not take for an MD5 of the contents.
    pub(crate) fn entity_tag(&self) -> String {
        let modified = self.modified_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{:016x}{:016x}-1", modified.as_nanos(), self.size_bytes)
    }
}
