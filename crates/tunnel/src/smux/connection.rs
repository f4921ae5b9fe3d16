//! One connection, and what it has not taken yet.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use postern_protocol::smux::{DATA_BYTES_MAX, HEAD_BYTES, StreamId, data_head};
use tokio::time::Instant;

use crate::Socket;

/// A connection that is being made; the error is for the log.
pub type Opening = Pin<Box<dyn Future<Output = Result<Socket, String>> + Send>>;

/// What an empty buffer may keep.
const KEPT_BYTES_MAX: usize = 64 * 1024;

enum Far {
    Opening(Opening),
    Open(Socket),
}

/// What a connection did.
pub(crate) enum Did {
    Opened,
    NotOpened(String),
    /// So many bytes are no longer to be written.
    Wrote(usize),
    /// A frame for the peer.
    Read(Bytes),
    Ended,
}

/// See the [module's documentation](self).
pub(crate) struct Connection {
    far: Far,
    pending: BytesMut,
    /// Nobody reads there any more.
    is_deaf: bool,
    /// When something was last written, or began to wait for it.
    moved_at: Instant,
}

impl Connection {
    pub(crate) fn opening(opening: Opening, now: Instant) -> Self {
        Self { far: Far::Opening(opening), pending: BytesMut::new(), is_deaf: false, moved_at: now }
    }

    pub(crate) fn open(socket: Socket, now: Instant) -> Self {
        Self { far: Far::Open(socket), pending: BytesMut::new(), is_deaf: false, moved_at: now }
    }

    /// Adds what is to be written, and returns how much it is; nothing if nobody would read it.
    pub(crate) fn push(&mut self, data: &[u8], now: Instant) -> usize {
        if self.is_deaf {
            return 0;
        }
        if self.pending.is_empty() {
            self.moved_at = now;
        }
        self.pending.extend_from_slice(data);
        data.len()
    }

    /// How much is to be written.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn moved_at(&self) -> Instant {
        self.moved_at
    }

    /// Opens it, writes what waits, and reads what a message of `room` bytes has room for: what of these comes first. It is
    /// opened and read only with room, because both are to be told.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        id: StreamId,
        room: Option<usize>,
        scratch: &mut Vec<u8>,
    ) -> Poll<Did> {
        if let Poll::Ready(did) = self.poll_write(cx, room.is_some()) {
            return Poll::Ready(did);
        }
        let (Far::Open(socket), Some(room)) = (&mut self.far, room) else { return Poll::Pending };
        scratch.resize(room.saturating_sub(HEAD_BYTES).clamp(1, DATA_BYTES_MAX) + HEAD_BYTES, 0);
        let Some((head, space)) = scratch.split_at_mut_checked(HEAD_BYTES) else { return Poll::Pending };
        match std::task::ready!(socket.poll_read(cx, space)) {
            Ok(count) if count > 0 => {
                head.copy_from_slice(&data_head(id, u16::try_from(count).unwrap_or(u16::MAX)));
                let frame = scratch.get(..HEAD_BYTES + count).unwrap_or_default();
                Poll::Ready(Did::Read(Bytes::copy_from_slice(frame)))
            }
            Ok(_) | Err(_) => Poll::Ready(Did::Ended),
        }
    }

    /// Opens it if it `may_open`, and writes what waits.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, may_open: bool) -> Poll<Did> {
        match &mut self.far {
            Far::Opening(opening) if may_open => match std::task::ready!(opening.as_mut().poll(cx)) {
                Ok(socket) => {
                    self.far = Far::Open(socket);
                    Poll::Ready(Did::Opened)
                }
                Err(error) => Poll::Ready(Did::NotOpened(error)),
            },
            Far::Open(socket) if !self.pending.is_empty() => {
                let written = std::task::ready!(socket.poll_write(cx, &self.pending));
                self.moved_at = Instant::now();
                let count = match written {
                    Ok(count) => count.min(self.pending.len()),
                    // It does not read any more; what it still says is passed on, and its end is met there.
                    Err(_) => {
                        self.is_deaf = true;
                        self.pending.len()
                    }
                };
                self.pending.advance(count);
                if self.pending.is_empty() && self.pending.capacity() > KEPT_BYTES_MAX {
                    self.pending = BytesMut::new();
                }
                Poll::Ready(Did::Wrote(count))
            }
            Far::Opening(_) | Far::Open(_) => Poll::Pending,
        }
    }
}
