//! Reading buckets and objects.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    ObjectLockMode, Range, ServerSideEncryption, StreamingBlob, Timestamp,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::backend::{Backend, in_i64};
use crate::digests::{self, with_checksums};
use crate::encoding::{Encoding, in_i32, key_of_token, keys_max, token_of_key};
use crate::errors::{error, failed, no_such_bucket, no_such_key, of_object};
use crate::listing::{self, Asked, Page};
use crate::objects::{ObjectInfo, Objects, Opened};
use crate::{times, write};

/// What an object is that nobody has said anything else of.
const CONTENT_TYPE_DEFAULT: HeaderValue = HeaderValue::from_static("binary/octet-stream");
/// Objects come from the host that the console comes from, and say themselves what they are: no browser may take
/// one for a page of the console.
const HARMLESS: [(&str, HeaderValue); 2] = [
    ("content-security-policy", HeaderValue::from_static("sandbox; default-src 'none'")),
    ("x-content-type-options", HeaderValue::from_static("nosniff")),
];

impl Backend {
    /// The store that a bucket is in.
    pub(crate) async fn store_of(&self, bucket: &str) -> S3Result<Arc<dyn Objects>> {
        if self.fixed.has_bucket(bucket).await.map_err(failed)? {
            return Ok(Arc::clone(&self.fixed));
        }
        if self.vault.has_bucket(bucket).await.map_err(failed)? {
            return Ok(Arc::new(self.vault.clone()));
        }
        Err(no_such_bucket())
    }

    pub(crate) async fn open(&self, bucket: &str, key: &str) -> S3Result<Opened> {
        let opened = self.store_of(bucket).await?.open(bucket, key).await.map_err(failed)?;
        opened.ok_or_else(no_such_key)
    }

    async fn page(&self, asked: Asked<'_>) -> S3Result<Page> {
        let store = self.store_of(asked.bucket).await?;
        listing::page(&*store, asked).await.map_err(failed)
    }

    pub(crate) async fn list(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let encoding = Encoding::of(request.input.encoding_type.as_ref())?;
        let listed = self.list_v2(request.map_input(ListObjectsV2Input::from)).await?.output;
        // Where a page ends is said by the key itself.
        let next = listed.next_continuation_token.as_deref().map(key_of_token).transpose()?;
        Ok(S3Response::new(ListObjectsOutput {
            is_truncated: listed.is_truncated,
            next_marker: next.map(|next| encoding.apply(&next)),
            contents: listed.contents,
            common_prefixes: listed.common_prefixes,
            name: listed.name,
            prefix: listed.prefix,
            marker: Some(listed.start_after.unwrap_or_default()),
            max_keys: listed.max_keys,
            delimiter: listed.delimiter,
            encoding_type: listed.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    pub(crate) async fn list_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let keys_max = keys_max(input.max_keys)?;
        let token = input.continuation_token.as_deref().map(key_of_token).transpose()?;
        let asked = Asked {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: token.as_deref().or(input.start_after.as_deref()),
            keys_max,
        };
        let page = self.page(asked).await?;
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_deref().map(token_of_key),
            key_count: Some(in_i32(page.objects.len() + page.common_prefixes.len())),
            contents: Some(encoding.objects(page.objects)),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            name: Some(input.bucket),
            prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
            max_keys: Some(in_i32(keys_max)),
            continuation_token: input.continuation_token,
            start_after: input.start_after.as_deref().map(|after| encoding.apply(after)),
            delimiter: input.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        }))
    }

    pub(crate) async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        write::require_no_version(input.version_id.as_deref())?;
        let opened = self.open(&input.bucket, &input.key).await?;
        let conditions = Conditions {
            is: input.if_match.as_ref(),
            is_not: input.if_none_match.as_ref(),
            changed_since: input.if_modified_since.as_ref(),
            unchanged_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&opened.info)?;
        let span = Span::of(&opened, input.range, input.part_number)?;
        let headers = headers(&opened, &[]);
        let said = Said::of(&opened, input.checksum_mode.as_ref().filter(|_| span.is_whole()));
        let info = opened.info;
        let output = with_checksums!(
            said.checksum,
            HeadObjectOutput {
                accept_ranges: Some("bytes".to_owned()),
                checksum_type: said.checksum_type,
                content_length: Some(in_i64(span.length())),
                content_range: span.content_range,
                e_tag: Some(ETag::Strong(info.entity_tag)),
                last_modified: Some(info.modified_at.into()),
                metadata: Some(opened.attributes.metadata.into_iter().collect()),
                object_lock_mode: said.lock_mode,
                object_lock_retain_until_date: said.retained_until,
                parts_count: span.parts_count,
                server_side_encryption: said.encryption,
                ..HeadObjectOutput::default()
            }
        );
        Ok(S3Response::with_headers(output, headers))
    }

    pub(crate) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        write::require_no_version(input.version_id.as_deref())?;
        let opened = self.open(&input.bucket, &input.key).await?;
        let conditions = Conditions {
            is: input.if_match.as_ref(),
            is_not: input.if_none_match.as_ref(),
            changed_since: input.if_modified_since.as_ref(),
            unchanged_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&opened.info)?;
        let span = Span::of(&opened, input.range, input.part_number)?;
        let asked = [
            ("cache-control", input.response_cache_control.as_deref()),
            ("content-disposition", input.response_content_disposition.as_deref()),
            ("content-encoding", input.response_content_encoding.as_deref()),
            ("content-language", input.response_content_language.as_deref()),
            ("content-type", input.response_content_type.as_deref()),
        ];
        let headers = headers(&opened, &asked);
        let said = Said::of(&opened, input.checksum_mode.as_ref().filter(|_| span.is_whole()));
        let content_length = in_i64(span.length());
        let Opened { info, attributes, contents, .. } = opened;
        let output = with_checksums!(
            said.checksum,
            GetObjectOutput {
                accept_ranges: Some("bytes".to_owned()),
                checksum_type: said.checksum_type,
                body: Some(StreamingBlob::wrap(contents(span.bytes))),
                content_length: Some(content_length),
                content_range: span.content_range,
                parts_count: span.parts_count,
                e_tag: Some(ETag::Strong(info.entity_tag)),
                last_modified: Some(info.modified_at.into()),
                metadata: Some(attributes.metadata.into_iter().collect()),
                object_lock_mode: said.lock_mode,
                object_lock_retain_until_date: said.retained_until,
                server_side_encryption: said.encryption,
                ..GetObjectOutput::default()
            }
        );
        Ok(S3Response::with_headers(output, headers))
    }
}

/// What answers about an object have in common.
struct Said {
    checksum: s3s::dto::Checksum,
    checksum_type: Option<ChecksumType>,
    lock_mode: Option<ObjectLockMode>,
    retained_until: Option<Timestamp>,
    encryption: Option<ServerSideEncryption>,
}

impl Said {
    fn of(opened: &Opened, checksum_mode: Option<&ChecksumMode>) -> Self {
        let wants_checksums = checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        let checksums =
            if wants_checksums { opened.attributes.checksums.clone() } else { Default::default() };
        Self {
            checksum: digests::of_stored(&checksums),
            checksum_type: digests::kind_of_stored(&checksums),
            lock_mode: opened.retention.map(|kept| kept.mode.as_str().to_owned().into()),
            retained_until: opened.retention.map(|kept| times::to_wire(kept.until)),
            encryption: opened
                .is_encrypted
                .then(|| ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        }
    }
}

/// The headers that clients have given an object, or want to see in their place.
fn headers(opened: &Opened, asked: &[(&str, Option<&str>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, CONTENT_TYPE_DEFAULT);
    let stored = opened.attributes.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let asked = asked.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    for (name, value) in stored.chain(asked) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    for (name, value) in HARMLESS {
        headers.insert(name, value);
    }
    headers
}

/// What a client knows of an object already.
///
/// Source: RFC 9110, section 13.
struct Conditions<'a> {
    is: Option<&'a ETagCondition>,
    is_not: Option<&'a ETagCondition>,
    changed_since: Option<&'a Timestamp>,
    unchanged_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    fn check(&self, info: &ObjectInfo) -> S3Result<()> {
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(tag) => tag.value() == info.entity_tag,
        };
        let modified: Timestamp = info.modified_at.into();
        let is_later = |since: &Timestamp| times::seconds(&modified) > times::seconds(since);
        let is_wanted = match (self.is, self.unchanged_since) {
            (Some(condition), _) => matches(condition),
            (None, Some(since)) => !is_later(since),
            (None, None) => true,
        };
        if !is_wanted {
            let message = "At least one of the pre-conditions you specified did not hold";
            return Err(error(S3ErrorCode::PreconditionFailed, message));
        }
        let is_news = match (self.is_not, self.changed_since) {
            (Some(condition), _) => !matches(condition),
            (None, Some(since)) => is_later(since),
            (None, None) => true,
        };
        if is_news { Ok(()) } else { Err(error(S3ErrorCode::NotModified, "Not Modified")) }
    }
}

/// The same of an object that is copied: whatever does not hold, nothing is copied.
///
/// Source: `CopyObject`, Amazon S3 API Reference.
pub(crate) fn require_copied(
    info: &ObjectInfo,
    is: Option<&ETagCondition>,
    is_not: Option<&ETagCondition>,
    changed_since: Option<&Timestamp>,
    unchanged_since: Option<&Timestamp>,
) -> S3Result<()> {
    let conditions = Conditions { is, is_not, changed_since, unchanged_since };
    conditions.check(info).map_err(|_| of_object(postern_store::ObjectError::PreconditionFailed))
}

/// What of an object is asked for: all of it, a range of its bytes, or one of the parts that it was made of.
struct Span {
    bytes: std::ops::Range<u64>,
    /// Where these are, unless it is all.
    content_range: Option<String>,
    /// How many parts there are, if one was asked for.
    parts_count: Option<i32>,
}

impl Span {
    fn of(opened: &Opened, range: Option<Range>, part: Option<i32>) -> S3Result<Self> {
        let size = opened.info.size_bytes;
        let (bytes, parts_count) = match (range, part) {
            (None, None) => return Ok(Self { bytes: 0..size, content_range: None, parts_count: None }),
            (Some(range), None) => (range_within(range, size)?, None),
            (None, Some(number)) => (part_within(&opened.parts, number, size)?, in_parts(&opened.parts)),
            (Some(_), Some(_)) => {
                let message = "Cannot specify both Range header and partNumber query parameter";
                return Err(error(S3ErrorCode::InvalidRequest, message));
            }
        };
        let content_range =
            (!bytes.is_empty()).then(|| format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1));
        Ok(Self { bytes, content_range, parts_count })
    }

    fn is_whole(&self) -> bool {
        self.content_range.is_none()
    }

    fn length(&self) -> u64 {
        self.bytes.end - self.bytes.start
    }
}

fn in_parts(parts: &[u64]) -> Option<i32> {
    (!parts.is_empty()).then(|| in_i32(parts.len()))
}

/// The bytes of a part. An object that did not come in parts is its only one.
fn part_within(parts: &[u64], number: i32, size: u64) -> S3Result<std::ops::Range<u64>> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let found = match index {
        Some(0) if parts.is_empty() => Some(0..size),
        Some(index) => parts.get(index).map(|length| {
            let start: u64 = parts.iter().take(index).sum();
            start..start + length
        }),
        None => None,
    };
    found.ok_or_else(|| {
        let mut refused = error(
            S3ErrorCode::Custom("InvalidPartNumber".into()),
            "The requested partnumber is not satisfiable",
        );
        refused.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
        refused
    })
}

fn range_within(range: Range, size: u64) -> S3Result<std::ops::Range<u64>> {
    let invalid = |_| error(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    range.check(size).map_err(invalid)
}
