//! Writing and removing objects.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::{Extensions, HeaderMap};
use postern_store::{Bypass, ObjectAttributes, Precondition, Retention, Segment, StoredObject};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, MetadataDirective,
    PutObjectInput, PutObjectOutput, ServerSideEncryption, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::backend::Backend;
use crate::body::Trailers;
use crate::call::OnlyNew;
use crate::digests::{self, Digests, Verified, with_checksums};
use crate::errors::{error, failed, invalid_argument, no_such_bucket, of_object, read_only};
use crate::lock;
use crate::objects::Opened;
use crate::read::require_copied;
use crate::times;

/// The most that one request writes; more goes in parts. Source: "Amazon S3 multipart upload limits".
const PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// The longest key, in bytes. Source: "Naming Amazon S3 objects".
pub(crate) const KEY_BYTES_MAX: usize = 1024;
/// What metadata may take, names and values together. Source: "Working with object metadata".
const METADATA_BYTES_MAX: usize = 2 * 1024;
/// Keys in one request to remove them.
pub(crate) const KEYS_REMOVED_MAX: usize = 1000;
/// Headers that are kept with an object and sent with it again.
const KEPT_HEADERS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
/// A transfer coding, though it stands among the content codings.
const CHUNKED: &str = "aws-chunked";

/// Headers that ask for what is not here. Left alone, an object would not be what was asked for.
const NOT_HERE: [&str; 9] = [
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-object-lock-legal-hold",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-tagging",
    "x-amz-write-offset-bytes",
];
/// Canned ACLs that say what holds anyway: the account owns every object, and policies decide. `amazon-ssm-agent` sends the
/// second.
const HARMLESS_ACLS: [&str; 3] = ["private", "bucket-owner-full-control", "bucket-owner-read"];

/// What an upload has written, before anything names it.
pub(crate) struct Written {
    pub(crate) segment: Segment,
    pub(crate) verified: Verified,
}

impl Backend {
    /// Refuses what belongs to the server, and what does not exist.
    pub(crate) async fn writable(&self, bucket: &str) -> S3Result<postern_store::Bucket> {
        if self.fixed.has_bucket(bucket).await.map_err(failed)? {
            return Err(read_only());
        }
        let found =
            self.vault.store().bucket(bucket).await.map_err(|error| failed(io::Error::other(error)))?;
        found.ok_or_else(no_such_bucket)
    }

    /// Writes a body into a file, and verifies what was said of it. `length` is what the request says of its length; a body
    /// that there is no room for is not begun.
    pub(crate) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        length: Option<i64>,
        mut digests: Digests,
        trailers: &Trailers,
    ) -> S3Result<Written> {
        let body: BoxStream<'static, io::Result<Bytes>> = match body {
            Some(body) => body.map(|part| part.map_err(io::Error::other)).boxed(),
            None => stream::empty().boxed(),
        };
        let length = length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        let mut left = PUT_BYTES_MAX;
        let bounded = body.map(|part| {
            let part = part?;
            left = left.checked_sub(part.len() as u64).ok_or_else(|| io::Error::other(TooLarge))?;
            Ok(part)
        });
        let written = self.vault.write(bounded.boxed(), length, |bytes| digests.update(bytes)).await;
        let segment = written.map_err(of_body)?;
        match digests.verify(trailers) {
            Ok(verified) => Ok(Written { segment, verified }),
            Err(error) => {
                self.vault.discard(segment).await;
                Err(error)
            }
        }
    }

    pub(crate) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let S3Request { input, headers, extensions, .. } = request;
        let bucket = self.writable(&input.bucket).await?;
        require_key(&input.key)?;
        require_supported(&headers)?;
        let asked =
            lock::asked(input.object_lock_mode.as_ref(), input.object_lock_retain_until_date.as_ref())?;
        let retention = lock::of_new(&bucket, asked, self.now())?;
        let attributes = attributes(&headers, input.metadata.unwrap_or_default())?;
        require_encryption(input.server_side_encryption.as_ref())?;
        let precondition = precondition(input.if_match.as_ref(), input.if_none_match.as_ref(), &extensions)?;
        let algorithm = input.checksum_algorithm.as_ref().map(s3s::dto::ChecksumAlgorithm::as_str);
        let digests = Digests::of(&headers, input.content_md5.as_deref(), algorithm)?;
        let trailers = extensions.get::<Trailers>().cloned().unwrap_or_default();
        let written = self.receive(input.body, input.content_length, digests, &trailers).await?;
        let checksum = digests::of_stored(&written.verified.checksums);
        let entity_tag = self
            .store_written(&input.bucket, &input.key, written, attributes, retention, &precondition)
            .await?;
        Ok(S3Response::new(with_checksums!(
            checksum,
            PutObjectOutput {
                e_tag: Some(ETag::Strong(entity_tag)),
                server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
                ..PutObjectOutput::default()
            }
        )))
    }

    /// Names a file that was written as an object; answers its entity tag.
    async fn store_written(
        &self,
        bucket: &str,
        key: &str,
        written: Written,
        mut attributes: ObjectAttributes,
        retention: Option<Retention>,
        precondition: &Precondition,
    ) -> S3Result<String> {
        attributes.checksums = written.verified.checksums;
        let entity_tag = hex::encode(written.verified.md5);
        let object = StoredObject {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size_bytes: written.segment.size_bytes,
            entity_tag: entity_tag.clone(),
            modified_at: self.now(),
            attributes,
            retention,
        };
        let put = self.vault.put_object(&object, written.segment, precondition, self.no_bypass()).await;
        put.map_err(of_object)?;
        Ok(entity_tag)
    }

    pub(crate) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let S3Request { input, headers, .. } = request;
        let bucket = self.writable(&input.bucket).await?;
        require_key(&input.key)?;
        require_supported(&headers)?;
        let (from_bucket, from_key) = source(&input.copy_source)?;
        let source = self.open(from_bucket, from_key).await?;
        require_copied(
            &source.info,
            input.copy_source_if_match.as_ref(),
            input.copy_source_if_none_match.as_ref(),
            input.copy_source_if_modified_since.as_ref(),
            input.copy_source_if_unmodified_since.as_ref(),
        )?;
        let asked =
            lock::asked(input.object_lock_mode.as_ref(), input.object_lock_retain_until_date.as_ref())?;
        let retention = lock::of_new(&bucket, asked, self.now())?;
        require_encryption(input.server_side_encryption.as_ref())?;
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        if !replaces && (from_bucket, from_key) == (input.bucket.as_str(), input.key.as_str()) {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(error(S3ErrorCode::InvalidRequest, message));
        }
        let attributes = if replaces {
            attributes(&headers, input.metadata.unwrap_or_default())?
        } else {
            ObjectAttributes { checksums: BTreeMap::new(), ..source.attributes.clone() }
        };
        let Opened { info, contents, .. } = source;
        let size = info.size_bytes;
        if size > PUT_BYTES_MAX {
            let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(error(S3ErrorCode::InvalidRequest, message));
        }
        let algorithm = input.checksum_algorithm.as_ref().map(s3s::dto::ChecksumAlgorithm::as_str);
        let digests = Digests::of(&HeaderMap::new(), None, algorithm)?;
        let body = StreamingBlob::wrap(contents(0..size));
        let written =
            self.receive(Some(body), i64::try_from(size).ok(), digests, &Trailers::default()).await?;
        let checksum = digests::of_stored(&written.verified.checksums);
        let entity_tag = self
            .store_written(&input.bucket, &input.key, written, attributes, retention, &Precondition::None)
            .await?;
        let result = with_checksums!(
            checksum,
            CopyObjectResult {
                e_tag: Some(ETag::Strong(entity_tag)),
                last_modified: Some(times::to_wire(self.now())),
                ..CopyObjectResult::default()
            }
        );
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
            ..CopyObjectOutput::default()
        }))
    }

    pub(crate) async fn delete(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = &request.input;
        self.writable(&input.bucket).await?;
        require_no_version(input.version_id.as_deref())?;
        let precondition = precondition(input.if_match.as_ref(), None, &request.extensions)?;
        let bypass = self.bypass(input.bypass_governance_retention);
        self.vault
            .delete_object(&input.bucket, &input.key, &precondition, bypass)
            .await
            .map_err(of_object)?;
        Ok(S3Response::with_status(DeleteObjectOutput::default(), http::StatusCode::NO_CONTENT))
    }

    pub(crate) async fn delete_several(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        self.writable(&input.bucket).await?;
        let bypass = self.bypass(input.bypass_governance_retention);
        let is_quiet = input.delete.quiet.unwrap_or(false);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            let done = async {
                require_no_version(object.version_id.as_deref())?;
                let done = self.vault.delete_object(&input.bucket, &object.key, &Precondition::None, bypass);
                done.await.map_err(of_object)
            };
            match done.await {
                Ok(()) if is_quiet => {}
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Err(refused) => errors.push(told(object.key, &refused)),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    /// Nothing retained can be changed.
    pub(crate) fn no_bypass(&self) -> Bypass {
        self.bypass(None)
    }

    /// The guard has been asked for leave, if it is asked for.
    pub(crate) fn bypass(&self, asked: Option<bool>) -> Bypass {
        Bypass { at: self.now(), governance: asked.unwrap_or(false) }
    }
}

/// A request writes more than one may.
#[derive(Debug, thiserror::Error)]
#[error("Your proposed upload exceeds the maximum allowed object size.")]
struct TooLarge;

fn of_body(cause: io::Error) -> S3Error {
    if cause.get_ref().is_some_and(|inner| inner.is::<TooLarge>()) {
        return error(S3ErrorCode::EntityTooLarge, TooLarge.to_string());
    }
    failed(cause)
}

fn told(key: String, refused: &S3Error) -> s3s::dto::Error {
    s3s::dto::Error {
        code: Some(refused.code().as_str().to_owned()),
        key: Some(key),
        message: refused.message().map(str::to_owned),
        ..s3s::dto::Error::default()
    }
}

/// Refuses what a request to write asks for beside the object and is not here.
pub(crate) fn require_supported(headers: &HeaderMap) -> S3Result<()> {
    if let Some(name) = NOT_HERE.into_iter().find(|name| headers.contains_key(*name)) {
        return Err(error(
            S3ErrorCode::NotImplemented,
            format!("What the header {name} asks for is not supported here."),
        ));
    }
    let acl = headers.get("x-amz-acl").map(|value| value.to_str().unwrap_or_default());
    if acl.is_none_or(|acl| HARMLESS_ACLS.contains(&acl)) {
        return Ok(());
    }
    Err(error(S3ErrorCode::AccessControlListNotSupported, "The bucket does not allow ACLs"))
}

/// Refuses a version: there is one of each object, which has none, or `null`.
pub(crate) fn require_no_version(version: Option<&str>) -> S3Result<()> {
    if version.is_none_or(|version| version == "null") {
        return Ok(());
    }
    Err(error(S3ErrorCode::NoSuchVersion, "The specified version does not exist."))
}

pub(crate) fn require_key(key: &str) -> S3Result<()> {
    if key.len() <= KEY_BYTES_MAX {
        return Ok(());
    }
    Err(error(S3ErrorCode::KeyTooLongError, "Your key is too long"))
}

/// Everything is encrypted, with this server's keys; a request can ask for that and for nothing else.
pub(crate) fn require_encryption(asked: Option<&ServerSideEncryption>) -> S3Result<()> {
    match asked.map(ServerSideEncryption::as_str) {
        None | Some(ServerSideEncryption::AES256) => Ok(()),
        Some(other) => Err(invalid_argument(format!(
            "The encryption method {other} is not supported here; use AES256, which every object is encrypted with."
        ))),
    }
}

/// What is kept of a request beside its body.
pub(crate) fn attributes(
    headers: &HeaderMap,
    metadata: std::collections::HashMap<String, String>,
) -> S3Result<ObjectAttributes> {
    let metadata_bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if metadata_bytes > METADATA_BYTES_MAX {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(error(S3ErrorCode::MetadataTooLarge, message));
    }
    let mut kept = BTreeMap::new();
    for name in KEPT_HEADERS {
        let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
        let value = if name == "content-encoding" { without_chunked(value) } else { value.to_owned() };
        if !value.is_empty() {
            kept.insert(name.to_owned(), value);
        }
    }
    Ok(ObjectAttributes {
        headers: kept,
        metadata: metadata.into_iter().collect(),
        checksums: BTreeMap::new(),
    })
}

fn without_chunked(codings: &str) -> String {
    let codings = codings.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case(CHUNKED));
    codings.collect::<Vec<_>>().join(", ")
}

pub(crate) fn precondition(
    is: Option<&ETagCondition>,
    is_not: Option<&ETagCondition>,
    extensions: &Extensions,
) -> S3Result<Precondition> {
    match (is, is_not) {
        _ if extensions.get::<OnlyNew>().is_some() => Ok(Precondition::IsAbsent),
        (None, None) => Ok(Precondition::None),
        (Some(ETagCondition::ETag(tag)), None) => Ok(Precondition::HasTag(tag.value().to_owned())),
        (None, Some(ETagCondition::Any)) => Ok(Precondition::IsAbsent),
        _ => Err(error(
            S3ErrorCode::NotImplemented,
            "Writes take If-Match with an entity tag, or If-None-Match with *.",
        )),
    }
}

/// The object that is copied.
pub(crate) fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket, key)),
        _ => Err(error(
            S3ErrorCode::NotImplemented,
            "Name the copy source as bucket/key: there are no versions.",
        )),
    }
}
