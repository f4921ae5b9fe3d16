//! A connection of this machine: to a port, or to a socket file.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// An open connection. Dropping it closes both directions.
#[derive(Debug)]
pub enum Socket {
    /// To or from a port.
    Tcp(TcpStream),
    /// From a socket file.
    #[cfg(unix)]
    Unix(UnixStream),
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

impl Socket {
    /// Reads what there is, at least one byte; 0 at the end.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(match self {
                Self::Tcp(stream) => stream.poll_read_ready(cx),
                #[cfg(unix)]
                Self::Unix(stream) => stream.poll_read_ready(cx),
            })?;
            let read = match self {
                Self::Tcp(stream) => stream.try_read(buffer),
                #[cfg(unix)]
                Self::Unix(stream) => stream.try_read(buffer),
            };
            if !matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                return Poll::Ready(read);
            }
        }
    }

    /// Writes some of `bytes`.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(match self {
                Self::Tcp(stream) => stream.poll_write_ready(cx),
                #[cfg(unix)]
                Self::Unix(stream) => stream.poll_write_ready(cx),
            })?;
            let written = match self {
                Self::Tcp(stream) => stream.try_write(bytes),
                #[cfg(unix)]
                Self::Unix(stream) => stream.try_write(bytes),
            };
            if !matches!(&written, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                return Poll::Ready(written);
            }
        }
    }
}
