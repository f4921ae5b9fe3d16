//! One connection's HTTP, version 1.1 or 2, with the bounds that apply before anyone has signed anything.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{ClientStream, Respond};

/// AWS's clients send some 1.5 KiB of headers, session tokens included; those of other issuers may be 8 KiB.
/// In HTTP/1.1 the last read may exceed it by as much again.
const HEADER_BYTES_MAX: u32 = 32 << 10;
const HEADERS_MAX: usize = 64;
/// A request's head has to arrive within this time, counted from when the connection became idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Requests of one HTTP/2 connection that are answered at a time.
const STREAMS_MAX: u32 = 32;
/// Unread body bytes of an HTTP/2 connection that its peer may send.
const WINDOW_BYTES: u32 = 256 << 10;
const HTTP2_PING_AFTER: Duration = Duration::from_secs(20);
const HTTP2_PONG_TIME_MAX: Duration = Duration::from_secs(25);

/// Serves the connection until it ends; after `shutdown` it ends with the request it is at.
pub(super) async fn run<R: Respond>(
    stream: ClientStream,
    peer: SocketAddr,
    responder: Arc<R>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let speaks_http2 = stream.speaks_http2();
    let io = TokioIo::new(stream);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let responder = Arc::clone(&responder);
        async move { Ok::<_, Infallible>(responder.respond(request, peer).await) }
    });
    // The two connection types have no trait in common.
    macro_rules! run_until_shutdown {
        ($connection:expr) => {{
            let mut connection = std::pin::pin!($connection);
            tokio::select! {
                result = connection.as_mut() => result,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }};
    }
    let ended = if speaks_http2 {
        run_until_shutdown!(http2_builder(tasks).serve_connection(io, service))
    } else {
        run_until_shutdown!(http1_builder().serve_connection(io, service).with_upgrades())
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
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
