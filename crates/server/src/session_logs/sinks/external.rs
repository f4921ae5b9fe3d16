//! A service elsewhere that speaks AWS's protocols, real AWS included.

mod cloud_watch;
mod credentials;
mod s3;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use postern_dial::{Dialer, Endpoint, Http, Limits, Proxies, Signer, Trust};

pub(crate) use cloud_watch::ExternalGroups;
pub(crate) use s3::ExternalBuckets;

use super::SinkError;
use crate::clock::Clock;
use crate::config::ExternalSink;

/// Connecting, and the handshake.
const STEP_TIME_MAX: Duration = Duration::from_secs(10);
/// One request with its answer: a part of an object at a slow pace.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// Answers are short.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// What is kept of an answer that refuses.
const TOLD_CHARS_MAX: usize = 300;

/// Signs and sends requests to a service.
struct Client {
    config: ExternalSink,
    region: String,
    /// The signing name.
    service: &'static str,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl Client {
    fn new(config: ExternalSink, region: &str, service: &'static str, clock: Arc<dyn Clock>) -> Self {
        let trust = match &config.ca_certificates {
            Some(file) => Trust::native_and_ca_file(file),
            None => Trust::native(),
        };
        let step = STEP_TIME_MAX;
        let limits = Limits { connect: step, proxy: step, tls: step, request: REQUEST_TIME_MAX };
        let dialer = Dialer::new(trust, Proxies::from_env()).with_limits(limits);
        let http = Http::new(dialer).with_answer_bytes_max(ANSWER_BYTES_MAX);
        let region = config.region.clone().unwrap_or_else(|| region.to_owned());
        Self { config, region, service, http, clock }
    }

    fn endpoint(&self) -> &Endpoint {
        &self.config.endpoint
    }

    async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, SinkError> {
        let credentials = credentials::read(&self.config).await.map_err(|error| self.unavailable(error))?;
        let url = self.endpoint().url(path_and_query).map_err(|error| self.unavailable(error))?;
        let signer = Signer { credentials: &credentials, region: &self.region, service: self.service };
        let signed = signer.sign(&method, &url, &headers, &body, self.now());
        headers.extend(signed.map_err(|error| self.unavailable(error))?);
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, url, headers);
        self.http.send(request).await.map_err(|error| self.unavailable(error))
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(self.clock.now().as_second()).unwrap_or(0))
    }

    fn unavailable(&self, error: impl Into<super::BoxError>) -> SinkError {
        SinkError::Unavailable { sink: self.endpoint().to_string(), source: error.into() }
    }

    /// An answer that is not the one hoped for: the status, and what the service says of it.
    fn refused(&self, answer: &Response<Bytes>, code: &str, message: &str) -> SinkError {
        let told: String = format!("{} {code} {message}", answer.status().as_u16())
            .chars()
            .filter(|char| !char.is_control())
            .take(TOLD_CHARS_MAX)
            .collect();
        if answer.status().is_server_error() {
            return self.unavailable(told);
        }
        SinkError::Refused { sink: self.endpoint().to_string(), answer: told.trim_end().to_owned() }
    }
}
