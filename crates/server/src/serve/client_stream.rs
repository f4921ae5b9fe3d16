//! A peer's encrypted connection, which counts against the numbers of connections while it lives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::admission::Admission;
use super::lingering::{Lingering, Unread};

/// How a connection is protected.
#[derive(Debug, Clone)]
pub struct TlsFacts {
    /// Such as `TLSv1.3`.
    pub version: &'static str,
    /// By the name that IANA gave it, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: Arc<str>,
}

/// A peer's encrypted connection.
#[derive(Debug)]
pub struct ClientStream {
    tls: TlsStream<TcpStream>,
    /// What was read behind an HTTP request that turned the connection into something else. It comes first.
    unread: Bytes,
    lingering: Lingering,
    _admission: Admission,
}

impl ClientStream {
    pub(super) fn new(tls: TlsStream<TcpStream>, admission: Admission) -> Self {
        Self { tls, unread: Bytes::new(), lingering: Lingering::default(), _admission: admission }
    }

    /// Puts back what was read too early.
    pub(super) fn put_back(&mut self, unread: &[u8]) {
        // A copy, so that the whole buffer it was read into is not kept.
        self.unread = Bytes::copy_from_slice(unread);
    }

    /// Hears whether a request was answered that had not come yet.
    pub(super) fn unread_request(&self) -> Unread {
        self.lingering.unread()
    }

    /// How it is protected.
    pub(super) fn tls_facts(&self) -> TlsFacts {
        let connection = self.tls.get_ref().1;
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "unknown",
        };
        let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
        // rustls marks the suites of TLS 1.3, which IANA does not.
        let suite = suite.unwrap_or_default().replacen("TLS13_", "TLS_", 1);
        TlsFacts { version, cipher_suite: suite.into() }
    }

    /// Whether the peer chose HTTP/2 during the handshake.
    pub(super) fn speaks_http2(&self) -> bool {
        self.tls.get_ref().1.alpn_protocol() == Some(b"h2")
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.tls).poll_shutdown(context))?;
        this.lingering.poll(Pin::new(this.tls.get_mut().0), context).map(Ok)
    }
}
