//! The operations that there are, as `s3s` calls them.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    Bucket, BucketLocationConstraint, CommonPrefix, CommonPrefixList, ETag, EncodingType,
    GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput, HeadBucketInput,
    HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    Range, StreamingBlob,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::listing::{self, Asked, KEYS_MAX, Page};
use crate::objects::{ObjectInfo, Objects, Opened};
use crate::stream;

/// What `encoding-type=url` leaves as it is.
const RESERVED_IN_KEYS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The region whose buckets have no location constraint.
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";

/// The operations over a store.
pub(crate) struct Backend {
    pub(crate) store: Arc<dyn Objects>,
    pub(crate) region: String,
}

impl Backend {
    async fn bucket(&self, bucket: &str) -> S3Result<()> {
        if self.store.has_bucket(bucket).await.map_err(failed)? {
            return Ok(());
        }
        Err(S3Error::with_message(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist"))
    }

    async fn object(&self, bucket: &str, key: &str) -> S3Result<Opened> {
        self.bucket(bucket).await?;
        let opened = self.store.open(bucket, key).await.map_err(failed)?;
        opened
            .ok_or_else(|| S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist."))
    }

    async fn page(&self, asked: Asked<'_>) -> S3Result<Page> {
        self.bucket(asked.bucket).await?;
        listing::page(&*self.store, asked).await.map_err(failed)
    }
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.store.buckets().await.map_err(failed)?;
        let described = |(name, since): (String, SystemTime)| Bucket {
            creation_date: Some(since.into()),
            name: Some(name),
            ..Bucket::default()
        };
        let buckets = buckets.into_iter().map(described).collect();
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(buckets), ..ListBucketsOutput::default() }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket).await?;
        let bucket_region = Some(self.region.clone());
        Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bucket(&request.input.bucket).await?;
        let has_constraint = self.region != REGION_WITHOUT_CONSTRAINT;
        let location_constraint = has_constraint.then(|| BucketLocationConstraint::from(self.region.clone()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let keys_max = keys_max(input.max_keys)?;
        let asked = Asked {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: input.marker.as_deref().filter(|marker| !marker.is_empty()),
            keys_max,
        };
        let page = self.page(asked).await?;
        Ok(S3Response::new(ListObjectsOutput {
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.as_deref().map(|next| encoding.apply(next)),
            contents: Some(encoding.objects(page.objects)),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            name: Some(input.bucket),
            prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
            marker: Some(encoding.apply(input.marker.as_deref().unwrap_or_default())),
            max_keys: Some(in_i32(keys_max)),
            delimiter: input.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
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

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let Opened { info, metadata, .. } = self.object(&input.bucket, &input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(in_i64(info.size_bytes)),
            e_tag: Some(ETag::Strong(info.entity_tag())),
            last_modified: Some(info.modified_at.into()),
            metadata: Some(metadata),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let Opened { info, metadata, file } = self.object(&input.bucket, &input.key).await?;
        let size = info.size_bytes;
        let range = match &input.range {
            Some(range) => range_within(*range, size)?,
            None => 0..size,
        };
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        let content_length = in_i64(range.end - range.start);
        let body = StreamingBlob::wrap(stream::of_file(file, range).await.map_err(failed)?);
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(body),
            content_length: Some(content_length),
            content_range,
            e_tag: Some(ETag::Strong(info.entity_tag())),
            last_modified: Some(info.modified_at.into()),
            metadata: Some(metadata),
            ..GetObjectOutput::default()
        }))
    }
}

/// How keys are written in a listing.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "Invalid Encoding Method specified in Request",
            )),
        }
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, RESERVED_IN_KEYS).to_string(),
        }
    }

    fn objects(self, objects: Vec<ObjectInfo>) -> Vec<Object> {
        let described = |info: ObjectInfo| Object {
            e_tag: Some(ETag::Strong(info.entity_tag())),
            key: Some(self.apply(&info.key)),
            last_modified: Some(info.modified_at.into()),
            size: Some(in_i64(info.size_bytes)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Object::default()
        };
        objects.into_iter().map(described).collect()
    }

    fn prefixes(self, prefixes: &[String]) -> CommonPrefixList {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.apply(prefix)) }).collect()
    }
}

fn keys_max(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.map_or(Ok(KEYS_MAX), usize::try_from);
    asked.map_err(|_| {
        let message = "Argument maxKeys must be an integer between 0 and 2147483647";
        S3Error::with_message(S3ErrorCode::InvalidArgument, message)
    })
}

/// A token is the last key, in hexadecimal digits so that nobody takes it for one. It gives no access: the listing is
/// authorised each time.
fn token_of_key(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of_token(token: &str) -> S3Result<String> {
    let invalid = || {
        S3Error::with_message(S3ErrorCode::InvalidArgument, "The continuation token provided is incorrect")
    };
    let digits = token.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    bytes
        .filter(|_| token.len().is_multiple_of(2))
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)
}

fn range_within(range: Range, size: u64) -> S3Result<std::ops::Range<u64>> {
    let invalid =
        |_| S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    range.check(size).map_err(invalid)
}

fn in_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn in_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Logged in full, told in one sentence.
fn failed(error: io::Error) -> S3Error {
    tracing::error!(error = &error as &dyn std::error::Error, "the store of objects cannot be read");
    S3Error::with_message(S3ErrorCode::InternalError, "We encountered an internal error. Please try again.")
}
