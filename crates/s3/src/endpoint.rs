//! From an HTTP request to its answer.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use jiff::Timestamp;
use postern_objects::Vault;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::{CopyObjectInput, CopySource, DeleteObjectsInput, UploadPartCopyInput};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpError, S3Error, S3ErrorCode, S3Request, S3Result};

use crate::backend::Backend;
use crate::body::{CheckedBody, DECODED_LENGTH, DeclaredBody, Trailers};
use crate::call::{Call, Guard, Refused};
use crate::error::ErrorAnswer;
use crate::errors::error;
use crate::fault::Fault;
use crate::objects::Objects;
use crate::{presigned, write};

pub use s3s::Body;

/// Headers that ask for more than their operation does.
const RETENTION_MODE: &str = "x-amz-object-lock-mode";
const RETAINED_UNTIL: &str = "x-amz-object-lock-retain-until-date";
const BYPASS: &str = "x-amz-bypass-governance-retention";
/// What is read whole of a request that is described by XML: 1,000 keys of a kilobyte, or 10,000 parts with their checksums.
pub const XML_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Their bodies are what objects hold.
const WRITES: [&str; 2] = ["PutObject", "UploadPart"];
const DELETE_SEVERAL: &str = "DeleteObjects";
/// What a browser's form uploads. Key and retention stand in its fields, where nothing asks policies about them.
const FORM_UPLOAD: &str = "PostObject";

/// What an endpoint is made with.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Where the buckets are.
    pub region: String,
    /// The host that is no bucket's, without a port.
    pub host: String,
    /// The names of the buckets that can only be read; nobody else's bucket may have them. They may stand before any host's
    /// name, `bucket.host`; before `host` every bucket's may.
    pub virtual_buckets: Vec<String>,
}

/// Answers requests. A copy answers for the same.
#[derive(Clone)]
pub struct Endpoint {
    service: S3Service,
}

impl Endpoint {
    /// Serves the buckets of `fixed`, which are only read, and those of `vault`, to those whom `guard` lets.
    #[must_use]
    pub fn new(
        config: EndpointConfig,
        fixed: Arc<dyn Objects>,
        vault: Vault,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        guard: impl Guard,
    ) -> Self {
        let mut builder = S3ServiceBuilder::new(Backend {
            fixed,
            reserved: config.virtual_buckets.clone(),
            vault,
            region: config.region,
            clock: Arc::new(clock),
        });
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits()))));
        builder.set_host(Hosts { host: config.host, buckets: config.virtual_buckets });
        builder.set_access(Access(guard));
        // Without one, the guard would not be asked.
        builder.set_auth(NoKeys);
        Self { service: builder.build() }
    }

    /// Answers a request whose signature has been verified, but for what it says of the body: that is `declared`. What
    /// the request says about its signature is removed: `s3s` has no say in it.
    ///
    /// # Errors
    /// No answer could be made; the connection should be closed.
    pub async fn answer<S>(
        &self,
        mut request: Request<S>,
        declared: DeclaredBody,
    ) -> Result<Response<Body>, HttpError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Sync + Unpin + 'static,
    {
        request.headers_mut().remove(AUTHORIZATION);
        // Below HTTP/2 the host is a header only.
        if let Some(authority) = request.uri().authority()
            && !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::try_from(authority.as_str())
        {
            request.headers_mut().insert(HOST, host);
        }
        let uri = presigned::unsigned(&request.uri().clone(), request.headers_mut());
        *request.uri_mut() = uri;
        let mut length = None;
        if declared.is_chunked()
            && let Some(decoded) = request.headers_mut().remove(DECODED_LENGTH)
        {
            // What is no number bounds nothing: it lets nothing through.
            length = Some(decoded.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(0));
            request.headers_mut().insert(CONTENT_LENGTH, decoded);
        }
        let (trailers, fault) = (Trailers::default(), Fault::default());
        request.extensions_mut().insert(trailers.clone());
        request.extensions_mut().insert(fault.clone());
        let request = request.map(|body| {
            let checked = CheckedBody::new(body, declared, length, trailers);
            Body::http_body(StreamBody::new(fault.watch(checked, XML_BYTES_MAX).map_ok(Frame::data)))
        });
        let mut response = self.service.call(request).await?;
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR
            && let Some(refused) = fault.found()
        {
            return Ok(refusal(&refused));
        }
        // `s3s` says so of GET alone.
        if response.status() == StatusCode::OK && response.headers().contains_key(CONTENT_RANGE) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }
}

/// The answer that names an error.
fn refusal(error: &S3Error) -> Response<Body> {
    let (code, message) = (error.code().as_str(), error.message().unwrap_or_default());
    let answer = ErrorAnswer { code, message, resource: "", request_id: "" };
    let mut response = Response::new(Body::from(answer.body()));
    *response.status_mut() = error.status_code().unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(ErrorAnswer::CONTENT_TYPE));
    response
}

fn limits() -> S3Config {
    let mut limits = S3Config::default();
    limits.xml_max_body_size = XML_BYTES_MAX;
    limits
}

/// Asks the guard.
struct Access<G>(G);

impl<G: Guard> Access<G> {
    async fn permit(&self, calls: &[Call<'_>], extensions: &mut http::Extensions) -> S3Result<()> {
        self.0.permit(calls, extensions).await.map_err(|refused| match refused {
            Refused::Denied(message) => S3Error::with_message(S3ErrorCode::AccessDenied, message),
            Refused::Failed => S3Error::with_message(
                S3ErrorCode::InternalError,
                "We encountered an internal error. Please try again.",
            ),
        })
    }

    /// Leave to read what is copied.
    async fn permit_source(
        &self,
        copied: &CopySource,
        operation: &str,
        extensions: &mut http::Extensions,
    ) -> S3Result<()> {
        let (bucket, key) = write::source(copied)?;
        let read =
            Call { bucket: Some(bucket), key: Some(key), ..Call::new(operation).acting_as("GetObject") };
        self.permit(&[read], extensions).await
    }
}

#[async_trait::async_trait]
impl<G: Guard> S3Access for Access<G> {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        if operation == FORM_UPLOAD {
            return Err(error(S3ErrorCode::NotImplemented, "Uploads by forms are not supported here."));
        }
        if WRITES.contains(&operation.as_str())
            && let Some(fault) = context.extensions_mut().get::<Fault>()
        {
            fault.is_of_contents();
        }
        let bucket = context.s3_path().get_bucket_name().map(str::to_owned);
        let key = context.s3_path().get_object_key().map(str::to_owned);
        let asks_for = |name| context.headers().contains_key(name);
        let call = Call { bucket: bucket.as_deref(), key: key.as_deref(), ..Call::new(&operation) };
        let mut calls = vec![call];
        if asks_for(RETENTION_MODE) || asks_for(RETAINED_UNTIL) {
            calls.push(call.acting_as("PutObjectRetention"));
        }
        if asks_for(BYPASS) && operation != DELETE_SEVERAL {
            calls.push(call.acting_as("BypassGovernanceRetention"));
        }
        // What it removes is in its body, and asked about when that has been read.
        if operation == DELETE_SEVERAL {
            return Ok(());
        }
        self.permit(&calls, context.extensions_mut()).await
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.permit_source(&request.input.copy_source, "CopyObject", &mut request.extensions).await
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.permit_source(&request.input.copy_source, "UploadPartCopy", &mut request.extensions).await
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let input = &request.input;
        // Each is asked about, so their number is bounded before.
        if input.delete.objects.len() > write::KEYS_REMOVED_MAX {
            return Err(error(S3ErrorCode::MalformedXML, "At most 1000 keys can be removed in one request."));
        }
        let bypasses = input.bypass_governance_retention.unwrap_or(false);
        let mut calls = Vec::new();
        for object in &input.delete.objects {
            let call =
                Call { bucket: Some(&input.bucket), key: Some(&object.key), ..Call::new(DELETE_SEVERAL) };
            calls.push(call);
            if bypasses {
                calls.push(call.acting_as("BypassGovernanceRetention"));
            }
        }
        if calls.is_empty() {
            calls.push(Call { bucket: Some(&input.bucket), ..Call::new(DELETE_SEVERAL) });
        }
        self.permit(&calls, &mut request.extensions).await
    }
}

/// There are no signatures left to verify.
struct NoKeys;

#[async_trait::async_trait]
impl S3Auth for NoKeys {
    async fn get_secret_key(&self, _: &str) -> S3Result<SecretKey> {
        Err(S3Error::new(S3ErrorCode::InvalidAccessKeyId))
    }
}

/// Tells `bucket.host` from the host itself.
struct Hosts {
    host: String,
    buckets: Vec<String>,
}

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let bucket = self.buckets.iter().find(|bucket| {
            let rest = name.strip_prefix(bucket.as_str()).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| !rest.is_empty())
        });
        let below = || name.strip_suffix(self.host.as_str()).and_then(|rest| rest.strip_suffix('.'));
        let bucket = bucket.map(String::as_str).or_else(below).filter(|bucket| !bucket.is_empty());
        Ok(match bucket {
            Some(bucket) if !name.eq_ignore_ascii_case(&self.host) => {
                VirtualHost::new(host).with_bucket(bucket)
            }
            Some(_) | None => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_buckets_name_before_a_host_is_a_bucket() {
        let hosts = Hosts { host: "audit.example.net".into(), buckets: vec!["audit".into(), "logs".into()] };
        for (host, bucket) in [
            ("audit.example.net", None),
            ("audit.example.net:8443", None),
            ("logs.audit.example.net:8443", Some("logs")),
            ("audit.audit.example.net", Some("audit")),
            ("logsx.example.net", None),
            ("logs.", None),
            ("example.net", None),
            ("mine.audit.example.net", Some("mine")),
            ("with.dots.audit.example.net:8443", Some("with.dots")),
        ] {
            assert_eq!(hosts.parse_host_header(host).unwrap().bucket(), bucket, "{host}");
        }
    }
}
