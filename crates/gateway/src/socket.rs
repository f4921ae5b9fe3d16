//! A websocket of a node or a client, however it came about.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{CloseCode, Config, Limits, Message, ServerBuilder, WebSocketStream};

/// A connection that has been upgraded to a websocket.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// Bytes of the text frame in which a peer says who it is, before anything is known of it. Tokens have at
/// most a few hundred characters.
const HELLO_BYTES_MAX: usize = 8 * 1024;
/// Bytes collected before they are written: as many as a TLS record or a few of them hold.
const FLUSH_BYTES: usize = 64 * 1024;

/// Pings in a row whose pongs could not be written. The websocket queues a pong for each; a peer that pings and does
/// not read would fill the memory. Known programs ping a few times a minute.
const UNANSWERED_PINGS_MAX: u32 = 256;

/// A message that came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Binary(Bytes),
    Text(Bytes),
    Pong(Bytes),
    /// A ping, which is answered by the websocket itself.
    Ping,
}

/// See the [module's documentation](self).
pub(crate) struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
    unanswered_pings: u32,
}

impl Socket {
    /// Takes over a connection after the HTTP upgrade, with limits for a peer that is not known yet.
    pub(crate) fn new(io: impl Io) -> Self {
        let stream = ServerBuilder::new()
            .config(Config::default().flush_threshold(FLUSH_BYTES))
            .limits(Limits::default().max_payload_len(Some(HELLO_BYTES_MAX)))
            .serve(Box::new(io) as Box<dyn Io>);
        Self { stream, unanswered_pings: 0 }
    }

    /// Lets the peer send messages of up to `bytes`, now that it is known.
    pub(crate) fn allow_messages_of(&mut self, bytes: usize) {
        self.stream.limits_mut().set_max_payload_len(Some(bytes));
    }

    /// The next message; `None` when the connection is over, in whatever way.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        Pin::new(&mut self.stream).poll_next(cx).map(|next| {
            let message = next?.ok()?;
            if message.is_close() {
                return None;
            }
            let (is_text, is_binary, is_pong) = (message.is_text(), message.is_binary(), message.is_pong());
            if message.is_ping() {
                self.unanswered_pings += 1;
                if self.unanswered_pings > UNANSWERED_PINGS_MAX {
                    return None;
                }
            }
            let payload = Bytes::from(message.into_payload());
            Some(match () {
                () if is_binary => Incoming::Binary(payload),
                () if is_text => Incoming::Text(payload),
                () if is_pong => Incoming::Pong(payload),
                () => Incoming::Ping,
            })
        })
    }

    /// Whether another message may be queued. An error means that the connection is over.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.stream).poll_ready(cx).map_err(|_| Closed)
    }

    /// Queues a binary message.
    pub(crate) fn send(&mut self, frame: Bytes) -> Result<(), Closed> {
        self.start_send(Message::binary(frame))
    }

    /// Queues a text message.
    pub(crate) fn send_text(&mut self, text: String) -> Result<(), Closed> {
        self.start_send(Message::text(text))
    }

    /// Queues a ping.
    pub(crate) fn ping(&mut self, payload: Bytes) -> Result<(), Closed> {
        self.start_send(Message::ping(payload))
    }

    /// Queues a close frame. Neither of AWS's programs acts on its code: to them every close means "reconnect".
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Closed> {
        self.start_send(Message::close(Some(code), reason))
    }

    fn start_send(&mut self, message: Message) -> Result<(), Closed> {
        Pin::new(&mut self.stream).start_send(message).map_err(|_| Closed)
    }

    /// Writes what is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx).map_err(|_| Closed);
        if flushed.is_ready() {
            self.unanswered_pings = 0;
        }
        flushed
    }

    /// [`Self::poll_receive`] as a future. Dropping it loses nothing.
    pub(crate) async fn receive(&mut self) -> Option<Incoming> {
        std::future::poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// [`Self::poll_flush`] as a future.
    pub(crate) async fn flush(&mut self) -> Result<(), Closed> {
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }
}

/// The connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;
