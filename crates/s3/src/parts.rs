//! Uploads in parts.
//!
//! Source: "Uploading and copying objects using multipart upload", Amazon S3 User Guide.

use std::collections::BTreeMap;
use std::io;

use postern_store::{StoredObject, Upload, UploadPart};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, ServerSideEncryption,
    StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::backend::{Backend, in_i64};
use crate::body::Trailers;
use crate::digests::{self, Digests, with_checksums};
use crate::encoding::Encoding;
use crate::errors::{error, failed, invalid_argument, of_object};
use crate::objects::Opened;
use crate::read::require_copied;
use crate::write::{
    Written, attributes, precondition, require_encryption, require_key, require_supported, source,
};
use crate::{lock, times};

/// The highest number of a part. Source: "Amazon S3 multipart upload limits".
const PARTS_MAX: u32 = 10_000;
/// The least that a part holds unless it is the last.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// The largest object.
const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// Parts or uploads of one page.
const PAGE_MAX: u32 = 1000;
/// Bytes of an upload's id, which only its makers learn.
const ID_BYTES: usize = 32;
/// Where the algorithm that an upload was begun with is kept until it is complete.
const ALGORITHM: &str = "algorithm";
/// And whether its checksum will be that of the whole.
const KIND: &str = "type";

impl Backend {
    pub(crate) async fn begin_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let S3Request { input, headers, .. } = request;
        let bucket = self.writable(&input.bucket).await?;
        require_key(&input.key)?;
        require_supported(&headers)?;
        require_encryption(input.server_side_encryption.as_ref())?;
        let asked =
            lock::asked(input.object_lock_mode.as_ref(), input.object_lock_retain_until_date.as_ref())?;
        let retention = lock::of_new(&bucket, asked, self.now())?;
        let mut attributes = attributes(&headers, input.metadata.unwrap_or_default())?;
        let checksum_type = kind(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        if let (Some(algorithm), Some(kind)) = (&input.checksum_algorithm, &checksum_type) {
            attributes.checksums.insert(ALGORITHM.to_owned(), algorithm.as_str().to_owned());
            attributes.checksums.insert(KIND.to_owned(), kind.as_str().to_owned());
        }
        let mut id = [0; ID_BYTES];
        aws_lc_rs::rand::fill(&mut id)
            .map_err(|_| failed(io::Error::other("there are no random numbers")))?;
        let upload = Upload {
            id: hex::encode(id),
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            started_at: self.now(),
            attributes,
            retention,
        };
        self.vault.store().begin_upload(&upload).await.map_err(of_object)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type,
            key: Some(input.key),
            server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
            upload_id: Some(upload.id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    /// The upload that a request names, which is one of its bucket and key.
    async fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
        self.writable(bucket).await?;
        let upload = self.vault.store().upload(id).await.map_err(|cause| failed(io::Error::other(cause)))?;
        upload
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or_else(|| of_object(postern_store::ObjectError::NoSuchUpload))
    }

    async fn store_part(&self, upload: &Upload, number: u32, written: Written) -> S3Result<String> {
        let entity_tag = hex::encode(written.verified.md5);
        let part = UploadPart {
            number,
            segment: written.segment,
            entity_tag: entity_tag.clone(),
            modified_at: self.now(),
            checksums: written.verified.checksums,
        };
        self.vault.put_part(&upload.id, part).await.map_err(of_object)?;
        Ok(entity_tag)
    }

    pub(crate) async fn receive_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let S3Request { input, headers, extensions, .. } = request;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let number = part_number(input.part_number)?;
        let digests = Digests::of(&headers, input.content_md5.as_deref(), algorithm_of(&upload))?;
        let trailers = extensions.get::<Trailers>().cloned().unwrap_or_default();
        let written = self.receive(input.body, input.content_length, digests, &trailers).await?;
        let checksum = digests::of_stored(&written.verified.checksums);
        let entity_tag = self.store_part(&upload, number, written).await?;
        Ok(S3Response::new(with_checksums!(
            checksum,
            UploadPartOutput {
                e_tag: Some(ETag::Strong(entity_tag)),
                server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
                ..UploadPartOutput::default()
            }
        )))
    }

    pub(crate) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let number = part_number(input.part_number)?;
        let (bucket, key) = source(&input.copy_source)?;
        let Opened { info, contents, .. } = self.open(bucket, key).await?;
        require_copied(
            &info,
            input.copy_source_if_match.as_ref(),
            input.copy_source_if_none_match.as_ref(),
            input.copy_source_if_modified_since.as_ref(),
            input.copy_source_if_unmodified_since.as_ref(),
        )?;
        let range = match input.copy_source_range.as_deref() {
            None => 0..info.size_bytes,
            Some(text) => copied_range(text, info.size_bytes)?,
        };
        let digests = Digests::of(&http::HeaderMap::new(), None, algorithm_of(&upload))?;
        let length = i64::try_from(range.end.saturating_sub(range.start)).ok();
        let body = StreamingBlob::wrap(contents(range));
        let written = self.receive(Some(body), length, digests, &Trailers::default()).await?;
        let checksum = digests::of_stored(&written.verified.checksums);
        let entity_tag = self.store_part(&upload, number, written).await?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(with_checksums!(
                checksum,
                CopyPartResult {
                    e_tag: Some(ETag::Strong(entity_tag)),
                    last_modified: Some(times::to_wire(self.now())),
                }
            )),
            server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
            ..UploadPartCopyOutput::default()
        }))
    }

    pub(crate) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let S3Request { input, extensions, .. } = request;
        let named = input.multipart_upload.as_ref().and_then(|named| named.parts.as_deref());
        let upload = match self.upload(&input.bucket, &input.key, &input.upload_id).await {
            Err(gone) if *gone.code() == S3ErrorCode::NoSuchUpload => {
                let before = self.completed_before(&input, named.unwrap_or_default()).await?;
                return before.ok_or(gone).map(S3Response::new);
            }
            found => found?,
        };
        let parts = self.chosen(&upload, named.unwrap_or_default()).await?;
        let size_bytes: u64 = parts.iter().map(|part| part.segment.size_bytes).sum();
        if size_bytes > OBJECT_BYTES_MAX {
            return Err(error(S3ErrorCode::EntityTooLarge, "The object would be larger than 5 TiB."));
        }
        let tags: Vec<&str> = parts.iter().map(|part| part.entity_tag.as_str()).collect();
        let entity_tag = digests::entity_tag_of_parts(&tags)
            .ok_or_else(|| failed(io::Error::other("the entity tag of a part is damaged")))?;
        let mut attributes = upload.attributes.clone();
        attributes.checksums = of_parts(&upload, &parts);
        require_as_sent(&attributes.checksums, &input)?;
        let checksum = digests::of_stored(&attributes.checksums);
        let checksum_type = digests::kind_of_stored(&attributes.checksums);
        let object = StoredObject {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            size_bytes,
            entity_tag: entity_tag.clone(),
            modified_at: self.now(),
            attributes,
            retention: upload.retention,
        };
        let precondition = precondition(input.if_match.as_ref(), input.if_none_match.as_ref(), &extensions)?;
        let done =
            self.vault.complete_upload(&upload.id, &object, &parts, &precondition, self.no_bypass()).await;
        done.map_err(of_object)?;
        Ok(S3Response::new(with_checksums!(
            checksum,
            CompleteMultipartUploadOutput {
                bucket: Some(input.bucket),
                checksum_type,
                e_tag: Some(ETag::Strong(entity_tag)),
                key: Some(input.key),
                server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
                ..CompleteMultipartUploadOutput::default()
            }
        )))
    }

    /// The answer again to who missed it: the object is what these very parts make. S3 answers so for a while too.
    async fn completed_before(
        &self,
        input: &CompleteMultipartUploadInput,
        named: &[CompletedPart],
    ) -> S3Result<Option<CompleteMultipartUploadOutput>> {
        let tags: Option<Vec<&str>> = named.iter().map(|part| part.e_tag.as_ref().map(ETag::value)).collect();
        let Some(entity_tag) =
            tags.filter(|tags| !tags.is_empty()).and_then(|tags| digests::entity_tag_of_parts(&tags))
        else {
            return Ok(None);
        };
        let found = self.vault.store().object(&input.bucket, &input.key).await;
        let found = found.map_err(|cause| failed(io::Error::other(cause)))?;
        Ok(found.filter(|object| object.entity_tag == entity_tag).map(|object| {
            let checksum = digests::of_stored(&object.attributes.checksums);
            with_checksums!(
                checksum,
                CompleteMultipartUploadOutput {
                    bucket: Some(input.bucket.clone()),
                    checksum_type: digests::kind_of_stored(&object.attributes.checksums),
                    e_tag: Some(ETag::Strong(entity_tag)),
                    key: Some(input.key.clone()),
                    server_side_encryption: Some(ServerSideEncryption::from_static(
                        ServerSideEncryption::AES256
                    )),
                    ..CompleteMultipartUploadOutput::default()
                }
            )
        }))
    }

    /// The parts that a request names, in its order, each as it was written.
    async fn chosen(&self, upload: &Upload, named: &[CompletedPart]) -> S3Result<Vec<UploadPart>> {
        if named.is_empty() {
            return Err(error(S3ErrorCode::MalformedXML, "You must specify at least one part"));
        }
        let stored = self.vault.store().parts(&upload.id, 0, PARTS_MAX).await;
        let stored = stored.map_err(|cause| failed(io::Error::other(cause)))?;
        let mut by_number: BTreeMap<u32, UploadPart> =
            stored.into_iter().map(|part| (part.number, part)).collect();
        let mut chosen = Vec::with_capacity(named.len());
        let mut last = 0;
        for part in named {
            let number = part_number(part.part_number.unwrap_or_default())?;
            if number <= last {
                let message =
                    "The list of parts was not in ascending order. Parts must be ordered by part number.";
                return Err(error(S3ErrorCode::InvalidPartOrder, message));
            }
            last = number;
            let found = by_number.remove(&number).filter(|found| is_as_named(found, part));
            chosen.push(found.ok_or_else(|| of_object(postern_store::ObjectError::InvalidPart { number }))?);
        }
        let Some((_, all_but_last)) = chosen.split_last() else { return Ok(chosen) };
        if all_but_last.iter().any(|part| part.segment.size_bytes < PART_BYTES_MIN) {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(error(S3ErrorCode::EntityTooSmall, message));
        }
        Ok(chosen)
    }

    pub(crate) async fn abort_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        self.vault.abort_upload(&upload.id).await.map_err(of_object)?;
        let output = AbortMultipartUploadOutput::default();
        Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
    }

    pub(crate) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let count_max = page_size(input.max_parts)?;
        let after = u32::try_from(input.part_number_marker.unwrap_or(0)).unwrap_or(0);
        let found = self.vault.store().parts(&upload.id, after, count_max + 1).await;
        let mut found = found.map_err(|cause| failed(io::Error::other(cause)))?;
        let is_truncated = found.len() > count_max as usize;
        found.truncate(count_max as usize);
        let next = found.last().filter(|_| is_truncated).and_then(|part| i32::try_from(part.number).ok());
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            is_truncated: Some(is_truncated),
            key: Some(input.key),
            max_parts: i32::try_from(count_max).ok(),
            next_part_number_marker: next,
            part_number_marker: input.part_number_marker,
            parts: Some(found.into_iter().map(described).collect()),
            upload_id: Some(upload.id),
            ..ListPartsOutput::default()
        }))
    }

    pub(crate) async fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        self.writable(&input.bucket).await?;
        if input.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(error(S3ErrorCode::NotImplemented, "Uploads are listed without a delimiter."));
        }
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let count_max = page_size(input.max_uploads)?;
        // Without an id, the listing goes on behind all uploads of the key.
        let (key, id) = (input.key_marker.as_deref(), input.upload_id_marker.as_deref());
        let after = key.filter(|key| !key.is_empty()).map(|key| (key, id.unwrap_or("\u{10ffff}")));
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let found = self.vault.store().uploads(&input.bucket, prefix, after, count_max + 1).await;
        let mut found = found.map_err(|cause| failed(io::Error::other(cause)))?;
        let is_truncated = found.len() > count_max as usize;
        found.truncate(count_max as usize);
        let last = found.last().filter(|_| is_truncated);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            is_truncated: Some(is_truncated),
            max_uploads: i32::try_from(count_max).ok(),
            next_key_marker: last.map(|upload| encoding.apply(&upload.key)),
            next_upload_id_marker: last.map(|upload| upload.id.clone()),
            key_marker: key.map(|key| encoding.apply(key)),
            prefix: Some(encoding.apply(prefix)),
            upload_id_marker: id.map(str::to_owned),
            uploads: Some(
                found
                    .iter()
                    .map(|upload| MultipartUpload {
                        initiated: Some(times::to_wire(upload.started_at)),
                        key: Some(encoding.apply(&upload.key)),
                        upload_id: Some(upload.id.clone()),
                        ..MultipartUpload::default()
                    })
                    .collect(),
            ),
            bucket: Some(input.bucket),
            encoding_type: input.encoding_type,
            ..ListMultipartUploadsOutput::default()
        }))
    }
}

fn part_number(number: i32) -> S3Result<u32> {
    let number = u32::try_from(number).ok().filter(|number| (1..=PARTS_MAX).contains(number));
    number.ok_or_else(|| invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

fn page_size(asked: Option<i32>) -> S3Result<u32> {
    let asked = asked.map_or(Ok(PAGE_MAX), u32::try_from);
    let asked =
        asked.map_err(|_| invalid_argument("The size of a page must be a number between 1 and 1000"))?;
    Ok(asked.clamp(1, PAGE_MAX))
}

fn algorithm_of(upload: &Upload) -> Option<&str> {
    upload.attributes.checksums.get(ALGORITHM).map(String::as_str)
}

/// Whether a part is the one that was named: by its tag, and by the checksum if one was sent.
fn is_as_named(part: &UploadPart, named: &CompletedPart) -> bool {
    let tag = named.e_tag.as_ref().map(|tag| tag.value());
    let sent = [
        ("CRC32", &named.checksum_crc32),
        ("CRC32C", &named.checksum_crc32c),
        ("CRC64NVME", &named.checksum_crc64nvme),
        ("SHA1", &named.checksum_sha1),
        ("SHA256", &named.checksum_sha256),
    ];
    tag == Some(part.entity_tag.as_str())
        && sent.into_iter().all(|(name, sent)| {
            let (stored, sent) = (part.checksums.get(name), sent.as_ref());
            sent.is_none() || stored.is_none() || stored == sent
        })
}

/// What the checksum of an upload will be: of CRCs that of the whole can be told, of other digests that of the parts'.
///
/// Source: "Checking object integrity", Amazon S3 User Guide.
fn kind(
    algorithm: Option<&ChecksumAlgorithm>,
    asked: Option<&ChecksumType>,
) -> S3Result<Option<ChecksumType>> {
    let Some(algorithm) = algorithm.map(ChecksumAlgorithm::as_str) else { return Ok(None) };
    let (can_be_full, can_be_composite) = match algorithm {
        ChecksumAlgorithm::CRC64NVME => (true, false),
        ChecksumAlgorithm::CRC32 | ChecksumAlgorithm::CRC32C => (true, true),
        _ => (false, true),
    };
    let kind = match asked.map(ChecksumType::as_str) {
        None if can_be_composite => ChecksumType::COMPOSITE,
        None => ChecksumType::FULL_OBJECT,
        Some(ChecksumType::FULL_OBJECT) if can_be_full => ChecksumType::FULL_OBJECT,
        Some(ChecksumType::COMPOSITE) if can_be_composite => ChecksumType::COMPOSITE,
        Some(other) => {
            let message =
                format!("The {other} checksum type cannot be used with the {algorithm} checksum algorithm.");
            return Err(error(S3ErrorCode::InvalidRequest, message));
        }
    };
    Ok(Some(ChecksumType::from_static(kind)))
}

/// The checksum of an object of parts, if each part has one.
fn of_parts(upload: &Upload, parts: &[UploadPart]) -> BTreeMap<String, String> {
    let Some(algorithm) = algorithm_of(upload) else { return BTreeMap::new() };
    let of_part = |part: &'_ UploadPart| part.checksums.get(algorithm).cloned();
    let Some(sums) = parts.iter().map(of_part).collect::<Option<Vec<String>>>() else {
        return BTreeMap::new();
    };
    let is_full = upload.attributes.checksums.get(KIND).is_some_and(|kind| kind == ChecksumType::FULL_OBJECT);
    let value = if is_full {
        let sizes = parts.iter().map(|part| part.segment.size_bytes);
        digests::full(algorithm, &sums.iter().map(String::as_str).zip(sizes).collect::<Vec<_>>())
    } else {
        digests::composite(algorithm, &sums.iter().map(String::as_str).collect::<Vec<_>>())
    };
    value.into_iter().map(|value| (algorithm.to_owned(), value)).collect()
}

/// Refuses an object whose checksum is another than the client has for the whole.
fn require_as_sent(
    checksums: &BTreeMap<String, String>,
    input: &CompleteMultipartUploadInput,
) -> S3Result<()> {
    for (name, sent) in [
        ("CRC32", &input.checksum_crc32),
        ("CRC32C", &input.checksum_crc32c),
        ("CRC64NVME", &input.checksum_crc64nvme),
    ] {
        // One of the parts' checksums is compared part by part.
        let computed = checksums.get(name).filter(|value| !value.contains('-'));
        if let (Some(computed), Some(sent)) = (computed, sent)
            && computed != sent
        {
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(error(S3ErrorCode::BadDigest, message));
        }
    }
    Ok(())
}

fn described(part: UploadPart) -> Part {
    let checksum = digests::of_stored(&part.checksums);
    with_checksums!(
        checksum,
        Part {
            e_tag: Some(ETag::Strong(part.entity_tag)),
            last_modified: Some(times::to_wire(part.modified_at)),
            part_number: i32::try_from(part.number).ok(),
            size: Some(in_i64(part.segment.size_bytes)),
        }
    )
}

/// The part of an object that is copied: `bytes=first-last`, both within it.
fn copied_range(text: &str, size: u64) -> S3Result<std::ops::Range<u64>> {
    let invalid = || {
        invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
        )
    };
    let (first, last) =
        text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(invalid)?;
    let (first, last): (u64, u64) =
        (first.parse().map_err(|_| invalid())?, last.parse().map_err(|_| invalid())?);
    if first > last || last >= size {
        return Err(error(S3ErrorCode::InvalidRange, "Range specified is not valid for source object"));
    }
    Ok(first..last + 1)
}
