//! HTTP/1.1 requests over connections that are kept for the next one.
//!
//! An idle connection is a bare socket without buffers or a task; hyper is put around it for the length of one
//! request. It can therefore also become a websocket, which saves a new TCP and TLS handshake.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::dialer::Dialer;
use crate::endpoint::Endpoint;
use crate::error::{DialError, Step};
use crate::stream::Stream;

/// The largest answer that is read, unless a client says otherwise.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// An idle connection is not used again after this long: common servers and balancers close at 60 s.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// Idle connections kept in all. Callers make one request after the other to one or two hosts.
const IDLE_CONNECTIONS_MAX: usize = 4;

/// An HTTP client.
#[derive(Debug)]
pub struct Http {
    dialer: Dialer,
    answer_bytes_max: usize,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    endpoint: Endpoint,
    stream: Stream,
    since: Instant,
}

impl Http {
    /// A client that connects through `dialer`.
    #[must_use]
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer, answer_bytes_max: ANSWER_BYTES_MAX, idle: Mutex::new(Vec::new()) }
    }

    /// Reads answers up to `bytes` only: for hosts that are less trusted than a server of ours.
    #[must_use]
    pub fn with_answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Sends a request with a full URL and reads the whole answer, whatever its status. `Host` is added.
    ///
    /// # Errors
    /// Any [`DialError`] but [`DialError::Refused`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, DialError> {
        let endpoint = Endpoint::of(request.uri())?;
        let mut request = origin_form(request, &endpoint).map(Full::new);
        if let Some(stream) = self.take_idle(&endpoint) {
            match self.exchange(&endpoint, stream, request).await {
                Ok(answer) => return Ok(answer),
                // The server closed the idle connection at the same moment; nothing was sent.
                Err(Failure { unsent: Some(unsent), .. }) => request = unsent,
                Err(Failure { error, .. }) => return Err(error),
            }
        }
        let stream = self.dialer.connect(&endpoint).await?;
        self.exchange(&endpoint, stream, request).await.map_err(|failure| failure.error)
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        stream: Stream,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Failure> {
        let mut unsent = None;
        let bytes_max = self.answer_bytes_max;
        let work = async { exchange(endpoint, stream, request, bytes_max, &mut unsent).await };
        let result = self.dialer.limits().apply(Step::Request, endpoint.authority(), work).await;
        let (answer, stream) = result.map_err(|error| Failure { error, unsent })?;
        if let Some(stream) = stream {
            self.keep_idle(endpoint.clone(), stream);
        }
        Ok(answer)
    }

    /// An idle connection to `endpoint` that is still open.
    pub(crate) fn take_idle(&self, endpoint: &Endpoint) -> Option<Stream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|idle| idle.since.elapsed() < IDLE_MAX && idle.stream.is_quiet());
        let newest = idle.iter().rposition(|idle| idle.endpoint.authority() == endpoint.authority())?;
        Some(idle.remove(newest).stream)
    }

    fn keep_idle(&self, endpoint: Endpoint, stream: Stream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= IDLE_CONNECTIONS_MAX {
            idle.remove(0);
        }
        idle.push(Idle { endpoint, stream, since: Instant::now() });
    }
}

/// An exchange that failed, with the request if no byte of it was sent.
struct Failure {
    error: DialError,
    unsent: Option<Request<Full<Bytes>>>,
}

/// One request and answer; gives the connection back if it can carry another.
async fn exchange(
    endpoint: &Endpoint,
    stream: Stream,
    request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
    unsent: &mut Option<Request<Full<Bytes>>>,
) -> Result<(Response<Bytes>, Option<Stream>), DialError> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| DialError::Request {
        host: endpoint.authority().to_owned(),
        source,
    };
    let (mut sender, mut connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| fail(error.into()))?;
    let answer = async {
        let sent = sender.try_send_request(request).await.map_err(|mut failure| {
            *unsent = failure.take_message();
            fail(failure.into_error().into())
        })?;
        let (parts, body) = sent.into_parts();
        let body = Limited::new(body, answer_bytes_max).collect().await.map_err(fail)?.to_bytes();
        Ok(Response::from_parts(parts, body))
    };
    // The connection does the reading and writing; the answer is ready first, except when the server closes.
    let answer = match select(pin!(answer), &mut connection).await {
        Either::Left((answer, _)) => answer?,
        Either::Right((_, answer)) => return Ok((answer.await?, None)),
    };
    // Whoever answers before it has read the whole request leaves a connection that is not idle.
    let closed = poll_fn(|cx| Poll::Ready(connection.poll_unpin(cx))).await.is_ready();
    let keep = !closed
        && sender.is_ready()
        && answer.headers().get(header::CONNECTION).is_none_or(|value| value != "close");
    let parts = connection.into_parts();
    let stream = (keep && parts.read_buf.is_empty()).then(|| parts.io.into_inner());
    Ok((answer, stream))
}

/// As it stands on the wire: only path and query in the first line, the host in its header.
fn origin_form(mut request: Request<Bytes>, endpoint: &Endpoint) -> Request<Bytes> {
    let host = HeaderValue::from_str(endpoint.authority()).expect("an authority is visible ASCII");
    request.headers_mut().insert(header::HOST, host);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse();
    *request.uri_mut() = target.expect("part of a URL");
    request
}
