//! Buckets of an S3-compatible store.
//!
//! Source: Amazon S3 API Reference, version 2006-03-01. Buckets are in the path, which every store understands.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::Fuse;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use postern_session_log::CONTENT_TYPE;

use super::super::{BucketState, Contents, ObjectSink, SinkError};
use super::Client;
use crate::clock::Clock;
use crate::config::ExternalSink;

/// What of a key is written as it is, as signatures want it.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The size of a part, and of what is written without parts. Each is held in memory.
const PART_BYTES: usize = 8 << 20;
/// So many parts have that size. There are 10,000 at most, so those of a very long log are larger.
const PARTS_SMALL: usize = 1_000;
const PART_BYTES_LARGE: usize = 64 << 20;
const ACL: &str = "x-amz-acl";
/// Source: `Upload` in aws/amazon-ssm-agent, agent/s3util/s3util.go.
const ACL_OF_LOGS: &str = "bucket-owner-full-control";

/// Buckets elsewhere.
pub(crate) struct ExternalBuckets(Client);

impl ExternalBuckets {
    /// `region`: this server's own.
    pub(crate) fn new(config: ExternalSink, region: &str, clock: Arc<dyn Clock>) -> Self {
        Self(Client::new(config, region, "s3", clock))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, SinkError> {
        self.0.send(method, path, headers, body).await
    }

    /// The answer, if it is a success.
    async fn done(
        &self,
        method: Method,
        bucket: &str,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, SinkError> {
        let answer = self.call(method, path, headers, body).await?;
        // Completing an upload may fail after its status has been sent.
        if answer.status().is_success() && element(&answer, "Code").is_none() {
            return Ok(answer);
        }
        Err(self.refused(bucket, &answer))
    }

    fn refused(&self, bucket: &str, answer: &Response<Bytes>) -> SinkError {
        let code = element(answer, "Code").unwrap_or_default();
        if code == "NoSuchBucket" {
            return SinkError::Missing(format!("bucket {bucket} of {}", self.0.endpoint()));
        }
        self.0.refused(answer, code, element(answer, "Message").unwrap_or_default())
    }

    async fn put_parts(
        &self,
        bucket: &str,
        path: &str,
        first: Bytes,
        mut contents: Parts,
    ) -> Result<(), SinkError> {
        let begun =
            self.done(Method::POST, bucket, &format!("{path}?uploads="), of_log(), Bytes::new()).await?;
        let id = element(&begun, "UploadId").ok_or_else(|| self.0.unavailable("an upload has no id"))?;
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC).to_string();
        let upload = format!("{path}?uploadId={id}");
        let written = self.write_parts(bucket, path, &id, first, &mut contents).await;
        let outcome = match written {
            Ok(list) => {
                self.done(Method::POST, bucket, &upload, HeaderMap::new(), list.into()).await.map(drop)
            }
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            // Its rules remove it one day otherwise.
            let _ = self.call(Method::DELETE, &upload, HeaderMap::new(), Bytes::new()).await;
        }
        outcome
    }

    /// Writes the parts; the list of them.
    async fn write_parts(
        &self,
        bucket: &str,
        path: &str,
        id: &str,
        first: Bytes,
        contents: &mut Parts,
    ) -> Result<String, SinkError> {
        let (mut list, mut part, mut number) = (String::from("<CompleteMultipartUpload>"), Some(first), 1);
        while let Some(bytes) = part {
            let of_part = format!("{path}?partNumber={number}&uploadId={id}");
            let answer = self.done(Method::PUT, bucket, &of_part, HeaderMap::new(), bytes).await?;
            let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
            let tag = tag.ok_or_else(|| self.0.unavailable("a part has no tag"))?.replace('"', "&quot;");
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
            let bytes_max = if number < PARTS_SMALL { PART_BYTES } else { PART_BYTES_LARGE };
            part = contents.next(bytes_max).await.map_err(|error| self.0.unavailable(error))?;
            number += 1;
        }
        list.push_str("</CompleteMultipartUpload>");
        Ok(list)
    }
}

#[async_trait]
impl ObjectSink for ExternalBuckets {
    async fn bucket(&self, bucket: &str) -> Result<BucketState, SinkError> {
        let head = self.call(Method::HEAD, &format!("/{bucket}"), HeaderMap::new(), Bytes::new()).await?;
        match head.status() {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => {
                return Err(SinkError::Missing(format!("bucket {bucket} of {}", self.0.endpoint())));
            }
            _ => return Err(self.refused(bucket, &head)),
        }
        let path = format!("/{bucket}?encryption=");
        let answer = self.call(Method::GET, &path, HeaderMap::new(), Bytes::new()).await?;
        match (answer.status(), element(&answer, "Code")) {
            (status, _) if status.is_success() => Ok(BucketState { is_encrypted: true }),
            (_, Some("ServerSideEncryptionConfigurationNotFoundError")) => {
                Ok(BucketState { is_encrypted: false })
            }
            _ => Err(self.refused(bucket, &answer)),
        }
    }

    async fn put(&self, bucket: &str, key: &str, contents: Contents) -> Result<(), SinkError> {
        let path = format!("/{bucket}/{}", utf8_percent_encode(key, KEY));
        let mut parts = Parts { contents: contents.fuse(), rest: BytesMut::new() };
        let failed = |error: std::io::Error| self.0.unavailable(error);
        let first = parts.next(PART_BYTES).await.map_err(failed)?.unwrap_or_default();
        if first.len() < PART_BYTES {
            return self.done(Method::PUT, bucket, &path, of_log(), first).await.map(drop);
        }
        self.put_parts(bucket, &path, first, parts).await
    }
}

/// Contents in pieces of a size.
struct Parts {
    contents: Fuse<Contents>,
    rest: BytesMut,
}

impl Parts {
    /// The next `bytes` bytes, fewer at the end, and then `None`.
    async fn next(&mut self, bytes: usize) -> std::io::Result<Option<Bytes>> {
        while self.rest.len() < bytes {
            let Some(more) = self.contents.next().await.transpose()? else { break };
            self.rest.extend_from_slice(&more);
        }
        let part = self.rest.split_to(self.rest.len().min(bytes)).freeze();
        Ok((!part.is_empty()).then_some(part))
    }
}

fn of_log() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
        (header::HeaderName::from_static(ACL), HeaderValue::from_static(ACL_OF_LOGS)),
    ])
}

/// What an element of an answer holds.
fn element<'a>(answer: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    let xml = std::str::from_utf8(answer.body()).ok()?;
    let rest = xml.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn contents_come_in_parts_of_a_size() {
        let pieces = ["abc", "defgh", "", "ij"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        let mut parts = Parts { contents: stream::iter(pieces).boxed().fuse(), rest: BytesMut::new() };
        let mut found = Vec::new();
        while let Some(part) = parts.next(4).await.unwrap() {
            found.push(part);
        }
        assert_eq!(found, ["abcd", "efgh", "ij"]);
    }

    #[test]
    fn keys_are_written_as_signatures_want_them() {
        let key = "team/späce und ü+/alice@example.com-0a1b.log";
        let expected = "team/sp%C3%A4ce%20und%20%C3%BC%2B/alice%40example.com-0a1b.log";
        assert_eq!(utf8_percent_encode(key, KEY).to_string(), expected);
    }
}
