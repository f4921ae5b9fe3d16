//! Buckets, the objects in them, and uploads in parts.
//!
//! What an object holds is not here: it lies in files, which are named here. Whoever writes one names it when it is
//! complete; what an answer calls no longer needed can be removed then.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{StoreError, text_enum};

text_enum!(
    /// Who may shorten an object's retention.
    RetentionMode,
    "a retention mode (GOVERNANCE or COMPLIANCE)" {
        /// Those who may `s3:BypassGovernanceRetention`.
        Governance = "GOVERNANCE",
        /// Nobody.
        Compliance = "COMPLIANCE",
    }
);

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether its objects can be kept from being removed.
    pub lock: Option<BucketLock>,
}

/// What holds for objects of a bucket with object lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BucketLock {
    /// What an object gets that is written without a retention of its own: mode and days.
    pub default: Option<(RetentionMode, u32)>,
}

/// Until when an object stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Who may change that.
    pub mode: RetentionMode,
    /// Until then it is neither removed nor written anew.
    pub until: Timestamp,
}

/// What clients say of an object beside its contents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectAttributes {
    /// Headers to answer with, such as `content-type`; names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent as `x-amz-meta-…`, without that prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Base64 by algorithm, as in `CRC32`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
}

/// A file with a part of what an object holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name.
    pub file: String,
    /// What it holds, in bytes.
    pub size_bytes: u64,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// What it holds, in bytes.
    pub size_bytes: u64,
    /// Without quotation marks.
    pub entity_tag: String,
    /// When it was written.
    pub modified_at: Timestamp,
    /// What clients say of it.
    pub attributes: ObjectAttributes,
    /// Until when it stays.
    pub retention: Option<Retention>,
}

/// An upload in parts that is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What clients name it by.
    pub id: String,
    /// Where the object will be.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// Of the object.
    pub attributes: ObjectAttributes,
    /// Of the object, if the upload asked for one.
    pub retention: Option<Retention>,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPart {
    /// From 1.
    pub number: u32,
    /// Its contents.
    pub segment: Segment,
    /// Without quotation marks.
    pub entity_tag: String,
    /// When it was written.
    pub modified_at: Timestamp,
    /// Base64 by algorithm.
    pub checksums: BTreeMap<String, String>,
}

/// What must hold of the object that is there for one to be written in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// There is none.
    IsAbsent,
    /// It has this entity tag.
    HasTag(String),
}

/// Leave to change what is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bypass {
    /// Now.
    pub at: Timestamp,
    /// Whether retention in governance mode does not count.
    pub governance: bool,
}

/// Why something about objects was not done.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoSuchBucket,
    /// The bucket is not empty, or uploads to it are not complete.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// There is no such object.
    #[error("there is no such object")]
    NoSuchObject,
    /// There is no such upload.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// A part is not there, or is another one than was named.
    #[error("part {number} was not found")]
    InvalidPart {
        /// Its number.
        number: u32,
    },
    /// What must hold of the object that is there does not.
    #[error("the precondition does not hold")]
    PreconditionFailed,
    /// The object stays as it is.
    #[error("the object is retained until {until}")]
    Retained {
        /// Until then.
        until: Timestamp,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retention {
    /// Whether it keeps an object from being changed.
    #[must_use]
    pub fn holds(&self, bypass: Bypass) -> bool {
        bypass.at < self.until && !(bypass.governance && self.mode == RetentionMode::Governance)
    }
}

/// Buckets.
#[async_trait]
pub trait BucketStore: Send + Sync {
    /// Makes a bucket; `false` if there is one of that name.
    async fn create_bucket(&self, bucket: &Bucket) -> Result<bool, StoreError>;

    /// The bucket of that name.
    async fn bucket(&self, name: &str) -> Result<Option<Bucket>, StoreError>;

    /// All buckets, by name.
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError>;

    /// Says what holds for objects that are written from now on.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`].
    async fn set_bucket_lock(&self, name: &str, lock: BucketLock) -> Result<(), ObjectError>;

    /// Removes an empty bucket.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`], [`ObjectError::BucketNotEmpty`].
    async fn delete_bucket(&self, name: &str) -> Result<(), ObjectError>;
}

/// Objects.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// The object with that key.
    async fn object(&self, bucket: &str, key: &str) -> Result<Option<StoredObject>, StoreError>;

    /// The same with its contents, both of one moment.
    async fn object_contents(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<Option<(StoredObject, Vec<Segment>)>, StoreError>;

    /// At most `count_max` objects in the order of their keys' bytes: those whose key begins with `prefix` and comes
    /// after `after`.
    async fn objects(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        count_max: u32,
    ) -> Result<Vec<StoredObject>, StoreError>;

    /// Writes an object whole, in the place of what has its key. Answers the files that are no longer needed.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`], [`ObjectError::PreconditionFailed`], [`ObjectError::Retained`].
    async fn put_object(
        &self,
        object: &StoredObject,
        contents: &[Segment],
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError>;

    /// Removes an object, if there is one. Answers the files that are no longer needed.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`], [`ObjectError::PreconditionFailed`], [`ObjectError::Retained`].
    async fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError>;

    /// Says until when an object stays. What holds already can only be made longer, unless it does not hold for
    /// `bypass`.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchObject`], [`ObjectError::Retained`].
    async fn set_retention(
        &self,
        bucket: &str,
        key: &str,
        retention: Option<Retention>,
        bypass: Bypass,
    ) -> Result<(), ObjectError>;

    /// The files that belong to anything and whose names begin with `prefix`.
    async fn files_needed(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// Uploads in parts.
#[async_trait]
pub trait UploadStore: Send + Sync {
    /// Begins one.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`].
    async fn begin_upload(&self, upload: &Upload) -> Result<(), ObjectError>;

    /// The upload with that id.
    async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError>;

    /// At most `count_max` uploads to a bucket by key and id: those whose key begins with `prefix` and that come after
    /// `after`, a key and an id.
    async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<(&str, &str)>,
        count_max: u32,
    ) -> Result<Vec<Upload>, StoreError>;

    /// The uploads begun before a time, to all buckets; at most `count_max`.
    async fn uploads_before(&self, time: Timestamp, count_max: u32) -> Result<Vec<Upload>, StoreError>;

    /// Writes a part, in the place of one with its number. Answers the files that are no longer needed.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`].
    async fn put_part(&self, upload: &str, part: &UploadPart) -> Result<Vec<String>, ObjectError>;

    /// At most `count_max` parts of an upload, with numbers above `after`.
    async fn parts(&self, upload: &str, after: u32, count_max: u32) -> Result<Vec<UploadPart>, StoreError>;

    /// Makes the object of the named `parts` of an upload, which must still be those, and ends the upload. `object` says
    /// all but the contents. Answers the files that are no longer needed.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`], [`ObjectError::InvalidPart`], [`ObjectError::PreconditionFailed`],
    /// [`ObjectError::Retained`].
    async fn complete_upload(
        &self,
        upload: &str,
        object: &StoredObject,
        parts: &[UploadPart],
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<Vec<String>, ObjectError>;

    /// Ends an upload. Answers the files that are no longer needed.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`].
    async fn abort_upload(&self, upload: &str) -> Result<Vec<String>, ObjectError>;
}
