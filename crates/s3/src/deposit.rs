//! What the server itself puts into a bucket, as if it had come over the wire.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use jiff::Timestamp;
use postern_objects::Vault;
use postern_store::{Bypass, ObjectAttributes, ObjectError, Precondition, StoredObject};
use s3s::S3Error;

use crate::body::Trailers;
use crate::digests::Digests;

/// An object to be.
#[derive(Debug, Clone, Copy)]
pub struct Deposit<'a> {
    /// The bucket, which must exist.
    pub bucket: &'a str,
    /// The key. What has it is replaced.
    pub key: &'a str,
    /// What it holds, as in `text/plain`.
    pub content_type: &'a str,
    /// The time.
    pub at: Timestamp,
}

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub enum DepositError {
    /// There is no such bucket, or what is there may not be replaced.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The contents cannot be read, or the file cannot be written.
    #[error("it cannot be written")]
    Io(#[from] io::Error),
    /// A rule of S3 forbids it.
    #[error("it cannot be put")]
    Refused(#[source] S3Error),
}

/// Puts an object of `contents` into a bucket, with the retention that the bucket has for new ones. Where the very same is
/// retained already, nothing is to be done.
///
/// # Errors
/// Nothing stays of an object that could not be put.
pub async fn deposit(
    vault: &Vault,
    deposit: Deposit<'_>,
    contents: impl Stream<Item = io::Result<Bytes>> + Unpin,
) -> Result<(), DepositError> {
    if vault.store().bucket(deposit.bucket).await.map_err(ObjectError::from)?.is_none() {
        return Err(ObjectError::NoSuchBucket.into());
    }
    let mut digests = Digests::of(&HeaderMap::new(), None, None).map_err(DepositError::Refused)?;
    let segment = vault.write(contents, 0, |bytes| digests.update(bytes)).await?;
    let verified = digests.verify(&Trailers::default()).map_err(DepositError::Refused)?;
    let headers = BTreeMap::from([("content-type".to_owned(), deposit.content_type.to_owned())]);
    let object = StoredObject {
        bucket: deposit.bucket.to_owned(),
        key: deposit.key.to_owned(),
        size_bytes: segment.size_bytes,
        entity_tag: hex::encode(verified.md5),
        modified_at: deposit.at,
        attributes: ObjectAttributes { headers, ..ObjectAttributes::default() },
        // As the bucket's rule says.
        retention: None,
    };
    let bypass = Bypass { at: deposit.at, governance: false };
    match vault.put_object(&object, segment, &Precondition::None, bypass).await {
        // It is there already, and stays.
        Err(ObjectError::Retained { .. }) if is_there(vault, &object).await? => Ok(()),
        outcome => Ok(outcome?),
    }
}

async fn is_there(vault: &Vault, object: &StoredObject) -> Result<bool, ObjectError> {
    let found = vault.store().object(&object.bucket, &object.key).await?;
    Ok(found.is_some_and(|found| {
        (found.entity_tag, found.size_bytes) == (object.entity_tag.clone(), object.size_bytes)
    }))
}
