//! A connection of this machine: to a port, to a socket file, or through a program.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes};
use tokio::io::AsyncWrite;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// Datagrams that wait on either side of [`Datagrams`]; what is more is lost.
pub const DATAGRAMS_MAX: usize = 64;

/// An open connection. Dropping it closes both directions.
#[derive(Debug)]
pub enum Socket {
    /// To or from a port.
    Tcp(TcpStream),
    /// From or to a socket file.
    #[cfg(unix)]
    Unix(UnixStream),
    /// Connected to a port that takes datagrams.
    Udp(UdpSocket),
    /// Datagrams of one of many that share a socket.
    Datagrams(Datagrams),
    /// Through a program.
    Pipes(Box<dyn Pipes>),
}

/// One end of a conversation in datagrams within this process.
#[derive(Debug)]
pub struct Datagrams {
    /// From the other end.
    pub incoming: mpsc::Receiver<Bytes>,
    /// To the other end.
    pub outgoing: mpsc::Sender<Bytes>,
}

impl Datagrams {
    /// Both ends, with room for [`DATAGRAMS_MAX`] each way.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (to_second, from_first) = mpsc::channel(DATAGRAMS_MAX);
        let (to_first, from_second) = mpsc::channel(DATAGRAMS_MAX);
        (
            Self { incoming: from_second, outgoing: to_second },
            Self { incoming: from_first, outgoing: to_first },
        )
    }
}

/// The streams of a program that stands for a connection. Dropping them ends it.
pub trait Pipes: fmt::Debug + Send {
    /// Reads what there is, at least one byte; 0 at the end.
    ///
    /// # Errors
    /// The pipe is broken.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `bytes`.
    ///
    /// # Errors
    /// Nobody reads any more.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Nothing will be written any more.
    fn close_write(&mut self);
}

impl From<TcpStream> for Socket {
    /// What is sent does not wait for more: whoever types through a tunnel should not.
    fn from(stream: TcpStream) -> Self {
        // It fails for a connection that is gone, which reading tells.
        let _ = stream.set_nodelay(true);
        Self::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Socket {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl From<UdpSocket> for Socket {
    fn from(socket: UdpSocket) -> Self {
        Self::Udp(socket)
    }
}

impl Socket {
    /// Whether what is read and written keeps its bounds, and has no end.
    #[must_use]
    pub fn is_of_datagrams(&self) -> bool {
        matches!(self, Self::Udp(_) | Self::Datagrams(_))
    }

    /// Reads what there is, at least one byte; 0 at the end. Of datagrams it is one, which may be empty.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, mut buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_buf(cx, &mut buffer)
    }

    /// As [`Self::poll_read`], into what `buffer` has room for.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_read_buf(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
                    stream.try_read_buf(buffer)
                }
                #[cfg(unix)]
                Self::Unix(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
                    stream.try_read_buf(buffer)
                }
                Self::Udp(socket) => {
                    ready!(socket.poll_recv_ready(cx))?;
                    socket.try_recv_buf(buffer)
                }
                Self::Datagrams(Datagrams { incoming, .. }) => match ready!(incoming.poll_recv(cx)) {
                    Some(datagram) if datagram.len() > buffer.remaining_mut() => continue,
                    Some(datagram) => {
                        buffer.put_slice(&datagram);
                        Ok(datagram.len())
                    }
                    None => Err(io::ErrorKind::ConnectionAborted.into()),
                },
                Self::Pipes(pipes) => return poll_read_pipes(pipes.as_mut(), cx, buffer),
            };
            if !matches!(&read, Err(error) if is_nothing(error)) {
                return Poll::Ready(read);
            }
        }
    }

    /// Writes some of `bytes`; of datagrams all.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    /// Writes some of `pieces`, one after another. Datagrams are single pieces.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first: &[u8] = pieces.first().map_or(&[], |piece| piece);
        loop {
            let written = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_write_vectored(pieces)
                }
                #[cfg(unix)]
                Self::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_write_vectored(pieces)
                }
                Self::Udp(socket) => {
                    ready!(socket.poll_send_ready(cx))?;
                    socket.try_send(first)
                }
                Self::Datagrams(Datagrams { outgoing, .. }) => {
                    match outgoing.try_send(Bytes::copy_from_slice(first)) {
                        // What has no room is lost, as with any socket.
                        Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(first.len()),
                        Err(mpsc::error::TrySendError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
                    }
                }
                Self::Pipes(pipes) => return pipes.poll_write(cx, first),
            };
            if !matches!(&written, Err(error) if is_nothing(error)) {
                return Poll::Ready(written);
            }
        }
    }

    /// Says that nothing follows, in this direction only. Datagrams have no such thing.
    pub fn close_write(&mut self) {
        // It does not wait for either kind of socket, and fails for one that is gone, which reading tells.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match self {
            Self::Tcp(stream) => drop(Pin::new(stream).poll_shutdown(&mut cx)),
            #[cfg(unix)]
            Self::Unix(stream) => drop(Pin::new(stream).poll_shutdown(&mut cx)),
            Self::Pipes(pipes) => pipes.close_write(),
            Self::Udp(_) | Self::Datagrams(_) => {}
        }
    }

    /// Closes it so that the other side sees that something went wrong, where that can be said.
    pub fn abort(self) {
        if let Self::Tcp(stream) = &self {
            // It fails for a connection that is gone.
            let _ = stream.set_zero_linger();
        }
    }
}

fn poll_read_pipes(
    pipes: &mut dyn Pipes,
    cx: &mut Context<'_>,
    buffer: &mut impl BufMut,
) -> Poll<io::Result<usize>> {
    /// What a pipe usually holds.
    const PIECE_BYTES: usize = 64 * 1024;
    let mut piece = vec![0; buffer.remaining_mut().min(PIECE_BYTES)];
    let count = ready!(pipes.poll_read(cx, &mut piece))?;
    buffer.put_slice(piece.get(..count).unwrap_or_default());
    Poll::Ready(Ok(count))
}

fn is_nothing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
