//! From a TCP connection to requests and websockets. What is served comes in as a [`Respond`].
//!
//! Every wait has a limit and every size a bound, because nothing here knows yet who the peer is.

mod activity;
mod admission;
mod channel;
mod client_stream;
mod http_connection;
mod lingering;
mod upgrade;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use admission::Admissions;
pub(crate) use channel::is_channel;
pub use channel::{Channel, NotAChannel};
pub use client_stream::{ClientStream, TlsFacts};
pub use lingering::RequestBody;
pub use upgrade::{UpgradeRefused, upgrade};

/// A peer that connects has to finish its TLS handshake within this time.
const TLS_HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// After an accept failed (no file descriptors, mostly) the next is tried after this time, doubled each time.
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Answers requests.
pub trait Respond: Send + Sync + 'static {
    /// The answer to `request`, which came from `peer`. Dropping the future must lose nothing.
    fn respond(
        &self,
        request: Request<RequestBody>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// The body of an answer: whole, or as it is read.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended early.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body that is at hand.
#[must_use]
pub fn full(bytes: Bytes) -> Body {
    boxed(Full::new(bytes))
}

/// A body of another kind.
#[must_use]
pub fn boxed<B>(body: B) -> Body
where
    B: hyper::body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Accepts connections until `shutdown`, each served by a task of its own on `tasks`.
///
/// After `shutdown` each connection finishes the request it is at; websockets belong to whoever took them.
pub async fn serve<R: Respond>(
    listener: TcpListener,
    tls: TlsAcceptor,
    admissions: Admissions,
    responder: Arc<R>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        let accept = async {
            let room = admissions.room().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                pause = ACCEPT_PAUSE_MIN;
                // Whoever has too many is closed before TLS costs anything.
                let Some(admission) = admissions.admit(room, peer.ip(), Instant::now()) else { continue };
                let (tls, responder) = (tls.clone(), Arc::clone(&responder));
                let (inner_tasks, shutdown) = (tasks.clone(), shutdown.clone());
                tasks.spawn(async move {
                    let Some(tls) = handshake(tls, tcp, peer).await else { return };
                    let stream = ClientStream::new(tls, admission);
                    http_connection::run(stream, peer, responder, inner_tasks, shutdown).await;
                });
            }
            Err(error) if concerns_one_peer(&error) => tracing::debug!(%error, "a connection was gone"),
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections for now");
                time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

async fn handshake(
    tls: TlsAcceptor,
    tcp: TcpStream,
    peer: SocketAddr,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    // Keystrokes are small: they must not wait for a full segment.
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    match time::timeout(TLS_HANDSHAKE_TIME_MAX, tls.accept(tcp)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "TLS handshake took too long");
            None
        }
    }
}

/// Whether the next accept may well succeed at once.
fn concerns_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
