//! One connection's HTTP, version 1.1 or 2, with the bounds that apply before anyone has signed anything.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::activity::Activity;
use super::lingering::{RequestBody, Unread};
use super::{Body, ClientStream, Respond, TlsFacts};

/// AWS's clients send some 1.5 KiB of headers, session tokens included; those of other issuers may be 8 KiB.
/// In HTTP/1.1 the last read may exceed it by as much again.
const HEADER_BYTES_MAX: u32 = 32 << 10;
const HEADERS_MAX: usize = 64;
/// A request's head has to arrive within this time, counted from when the connection became idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// A connection on which nothing was asked for so long is closed, and so is one whose peer does not take its answers.
/// Clients keep connections open for less, or notice and connect again.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// What a peer gets to let go of a connection that is being closed.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);
/// Requests of one HTTP/2 connection that are answered at a time. A browser's page asks for a handful; further ones
/// wait at the client.
const STREAMS_MAX: u32 = 8;
/// Unread body bytes of an HTTP/2 connection that its peer may send.
const WINDOW_BYTES: u32 = 256 << 10;
const HTTP2_PING_AFTER: Duration = Duration::from_secs(20);
const HTTP2_PONG_TIME_MAX: Duration = Duration::from_secs(25);

/// Serves the connection until it ends or is idle; after `shutdown` it ends with the request it is at.
pub(super) async fn run<R: Respond>(
    stream: ClientStream,
    peer: SocketAddr,
    responder: Arc<R>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let responder = Arc::new(OverTls { responder, tls: stream.tls_facts() });
    let version = if stream.speaks_http2() { Version::HTTP_2 } else { Version::HTTP_11 };
    let unread = stream.unread_request();
    if let Err(error) = serve(stream, version, unread, peer, responder, tasks, shutdown).await {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// Tells with each request how its connection is protected.
struct OverTls<R> {
    responder: Arc<R>,
    tls: TlsFacts,
}

impl<R: Respond> Respond for OverTls<R> {
    async fn respond(
        &self,
        mut request: http::Request<RequestBody>,
        peer: SocketAddr,
    ) -> http::Response<Body> {
        request.extensions_mut().insert(self.tls.clone());
        self.responder.respond(request, peer).await
    }
}

async fn serve<R: Respond>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    version: Version,
    unread: Unread,
    peer: SocketAddr,
    responder: Arc<R>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) -> hyper::Result<()> {
    let io = TokioIo::new(stream);
    let activity = Activity::new();
    let service = service_fn(|request: http::Request<Incoming>| {
        let responder = Arc::clone(&responder);
        let answering = activity.begin();
        unread.forget();
        // HTTP/2 says by itself that no more is wanted.
        let unread = (version != Version::HTTP_2).then(|| unread.clone());
        let request = request.map(|body| RequestBody::new(body, unread));
        async move {
            let response = responder.respond(request, peer).await;
            drop(answering);
            Ok::<_, Infallible>(response)
        }
    });
    // The two connection types have no trait in common.
    macro_rules! run_until_idle_or_shutdown {
        ($connection:expr) => {{
            let mut connection = std::pin::pin!($connection);
            tokio::select! {
                result = connection.as_mut() => return result,
                () = shutdown.cancelled() => {}
                () = activity.idle_for(IDLE_TIME_MAX) => {}
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection => result,
                () = activity.idle_for(CLOSE_TIME_MAX) => Ok(()),
            }
        }};
    }
    if version == Version::HTTP_2 {
        run_until_idle_or_shutdown!(http2_builder(tasks).serve_connection(io, service))
    } else {
        run_until_idle_or_shutdown!(http1_builder().serve_connection(io, service).with_upgrades())
    }
}

fn http1_builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX as usize);
    builder
}

fn http2_builder(tasks: TaskTracker) -> http2::Builder<OwnedTasks> {
    let mut builder = http2::Builder::new(OwnedTasks(tasks));
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .keep_alive_interval(HTTP2_PING_AFTER)
        .keep_alive_timeout(HTTP2_PONG_TIME_MAX);
    builder
}

/// Runs the tasks of HTTP/2 streams where the server's end waits for them.
#[derive(Clone)]
struct OwnedTasks(TaskTracker);

impl<F> Executor<F> for OwnedTasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Empty;
    use hyper_util::rt::TokioExecutor;
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    /// Answers after a while.
    struct Slow(Duration);

    impl Respond for Slow {
        async fn respond(&self, _: Request<RequestBody>, _: SocketAddr) -> Response<Body> {
            tokio::time::sleep(self.0).await;
            Response::new(crate::serve::full(Bytes::new()))
        }
    }

    /// How long a connection lives whose client makes one call that takes `call_time`, and stays.
    async fn lifetime(version: Version, call_time: Duration) -> Duration {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let started_at = Instant::now();
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let mut tasks = JoinSet::new();
        if version == Version::HTTP_2 {
            let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
                .handshake::<_, Empty<Bytes>>(TokioIo::new(theirs))
                .await
                .unwrap();
            tasks.spawn(async move { drop(connection.await) });
            tasks.spawn(async move {
                sender.send_request(Request::new(Empty::new())).await.unwrap();
                std::future::pending::<()>().await;
            });
        } else {
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(theirs)).await.unwrap();
            tasks.spawn(async move { drop(connection.await) });
            tasks.spawn(async move {
                sender.send_request(Request::new(Empty::new())).await.unwrap();
                std::future::pending::<()>().await;
            });
        }
        let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
        // However it ends.
        let responder = Arc::new(Slow(call_time));
        let _ = serve(ours, version, Unread::default(), peer, responder, tracker, shutdown).await;
        started_at.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
        let call_time = Duration::from_secs(500);
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let lifetime = lifetime(version, call_time).await;
            let expected = call_time + IDLE_TIME_MAX;
            assert!(
                lifetime >= expected && lifetime <= expected + CLOSE_TIME_MAX,
                "{version:?}: {lifetime:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_says_nothing_at_all_is_not_waited_for() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let (ours, _theirs) = tokio::io::duplex(64 << 10);
            let started_at = Instant::now();
            let peer = SocketAddr::from(([192, 0, 2, 1], 1));
            let responder = Arc::new(Slow(Duration::ZERO));
            let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
            let _ = serve(ours, version, Unread::default(), peer, responder, tracker, shutdown).await;
            assert!(started_at.elapsed() <= IDLE_TIME_MAX + CLOSE_TIME_MAX, "{version:?}");
        }
    }
}
