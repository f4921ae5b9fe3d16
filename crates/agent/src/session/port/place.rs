//! What is at the node's end of a port session, and what happens there.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;

use postern_protocol::tunnel::TUNNEL_MESSAGE_BYTES;
use postern_tunnel::smux::{Happened, Tunnel};
use postern_tunnel::{Happened as StreamHappened, Streams};

use super::far::Far;

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The other end of the session.
pub(super) enum Place {
    /// Not open yet, or not any more; data opens it again.
    Closed,
    Opening(Boxed<Result<Far, String>>),
    Open(Far),
    /// Any number of connections.
    Many(Box<Tunnel>),
    /// The same, in the dialect of Postern's own ends.
    Streams(Box<Streams>),
    /// The file server is being ended.
    Ending(Boxed<()>),
}

/// What came first.
pub(super) enum Event {
    Opened(Result<Far, String>),
    Written(io::Result<usize>),
    Read(io::Result<usize>),
    Tunnel(Happened),
    Streams(StreamHappened),
    Ended,
}

impl Place {
    /// Waits for what happens there next: `front` is to be written, and `buffer` has room for a message if it `may_read`.
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self, front: Option<&[u8]>, buffer: &mut [u8], may_read: bool) -> Event {
        match self {
            Self::Closed => std::future::pending().await,
            Self::Opening(opening) => Event::Opened(opening.await),
            Self::Ending(ending) => {
                ending.await;
                Event::Ended
            }
            Self::Many(tunnel) => {
                let room = may_read.then_some(buffer.len());
                Event::Tunnel(poll_fn(|cx| tunnel.poll(cx, room)).await)
            }
            Self::Streams(streams) => {
                let room = may_read.then_some(TUNNEL_MESSAGE_BYTES);
                Event::Streams(poll_fn(|cx| streams.poll(cx, room)).await)
            }
            Self::Open(Far { reader, writer, .. }) => {
                let write = async {
                    match (writer, front) {
                        (Some(writer), Some(bytes)) => writer.write(bytes).await,
                        _ => std::future::pending().await,
                    }
                };
                let read = async {
                    match reader.as_mut().filter(|_| may_read) {
                        Some(reader) => reader.read(buffer).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    written = write => Event::Written(written),
                    read = read => Event::Read(read),
                }
            }
        }
    }
}
