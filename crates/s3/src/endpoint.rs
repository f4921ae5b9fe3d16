//! From an HTTP request to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, Response, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpError, S3Error, S3ErrorCode, S3Result};

use crate::backend::Backend;
use crate::call::{Call, Guard, Refused};
use crate::objects::Objects;

pub use s3s::Body;

/// What an endpoint is made with.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Where the buckets are.
    pub region: String,
    /// The host that is no bucket's, without a port.
    pub host: String,
    /// The buckets whose names may stand before a host's name: `bucket.host`.
    pub virtual_buckets: Vec<String>,
}

/// Answers requests. A copy answers for the same.
#[derive(Clone)]
pub struct Endpoint {
    service: S3Service,
}

impl Endpoint {
    /// Serves `store` to those whom `guard` lets.
    #[must_use]
    pub fn new(config: EndpointConfig, store: Arc<dyn Objects>, guard: impl Guard) -> Self {
        let mut builder = S3ServiceBuilder::new(Backend { store, region: config.region });
        builder.set_host(Hosts { host: config.host, buckets: config.virtual_buckets });
        builder.set_access(Access(guard));
        // Without one, the guard would not be asked.
        builder.set_auth(NoKeys);
        Self { service: builder.build() }
    }

    /// Answers a request whose signature has been verified. What it says about that is removed: `s3s` has no say in it.
    ///
    /// # Errors
    /// No answer could be made; the connection should be closed.
    pub async fn answer(&self, mut request: Request<Bytes>) -> Result<Response<Body>, HttpError> {
        request.headers_mut().remove(AUTHORIZATION);
        // Below HTTP/2 the host is a header only.
        if let Some(authority) = request.uri().authority()
            && !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::try_from(authority.as_str())
        {
            request.headers_mut().insert(HOST, host);
        }
        *request.uri_mut() = unsigned(request.uri());
        self.service.call(request.map(Body::from)).await
    }
}

/// The path and the query without what a presigned request has in it.
fn unsigned(uri: &Uri) -> Uri {
    let is_of_signature = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
    };
    let kept: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter(|pair| !is_of_signature(pair)).collect();
    let query = kept.join("&");
    let text = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
    text.parse().unwrap_or_else(|_| uri.clone())
}

/// Asks the guard.
struct Access<G>(G);

#[async_trait::async_trait]
impl<G: Guard> S3Access for Access<G> {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        let bucket = context.s3_path().get_bucket_name().map(str::to_owned);
        let key = context.s3_path().get_object_key().map(str::to_owned);
        let call = Call { operation: &operation, bucket: bucket.as_deref(), key: key.as_deref() };
        self.0.permit(&call, context.extensions_mut()).await.map_err(|refused| match refused {
            Refused::Denied(message) => S3Error::with_message(S3ErrorCode::AccessDenied, message),
            Refused::Failed => S3Error::with_message(
                S3ErrorCode::InternalError,
                "We encountered an internal error. Please try again.",
            ),
        })?;
        if call.is_read_only() {
            return Ok(());
        }
        let message = "The specified method is not allowed against this resource: it can only be read.";
        Err(S3Error::with_message(S3ErrorCode::MethodNotAllowed, message))
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
        Ok(match bucket {
            Some(bucket) if !name.eq_ignore_ascii_case(&self.host) => {
                VirtualHost::new(host).with_bucket(bucket.as_str())
            }
            Some(_) | None => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_in_the_query_is_removed_and_nothing_else() {
        for (from, to) in [
            ("/b/k?X-Amz-Signature=1&X-Amz-Date=2", "/b/k"),
            ("/b?list-type=2&X-Amz-Algorithm=x&prefix=x-amz-", "/b?list-type=2&prefix=x-amz-"),
            ("/b/a%20b?location", "/b/a%20b?location"),
            ("https://host/b/k?prefix=a", "/b/k?prefix=a"),
        ] {
            assert_eq!(unsigned(&from.parse().unwrap()).to_string(), to);
        }
    }

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
        ] {
            assert_eq!(hosts.parse_host_header(host).unwrap().bucket(), bucket, "{host}");
        }
    }
}
