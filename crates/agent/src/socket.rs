//! A websocket to the control plane, with the keep-alive that both kinds of channel share.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use postern_dial::{Message, WebSocket};
use postern_protocol::{KeepAlive, Silence};
use tokio::time::{Instant, timeout};

/// What the exchange of close frames may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A binary message.
    Frame(Bytes),
    /// A ping, a pong or a text: a sign of life.
    SignOfLife,
}

/// The connection is over, with what the server said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) code: Option<u16>,
    pub(crate) reason: String,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Socket {
    websocket: WebSocket,
    keep_alive: KeepAlive<Instant>,
}

impl Socket {
    pub(crate) fn new(websocket: WebSocket) -> Self {
        Self { websocket, keep_alive: KeepAlive::new(Instant::now()) }
    }

    /// Sends the text that opens a channel.
    pub(crate) async fn say_hello(&mut self, json: Bytes) -> Result<(), Closed> {
        let text = String::from_utf8(json.into()).expect("JSON is UTF-8");
        self.start_send(Message::text(text))?;
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, Closed>> {
        Pin::new(&mut self.websocket).poll_next(cx).map(|next| {
            let Some(Ok(message)) = next else { return Err(Closed::default()) };
            self.keep_alive.handle_heard(Instant::now());
            if let Some((code, reason)) = message.as_close() {
                return Err(Closed { code: Some(code.into()), reason: printable(reason) });
            }
            if message.is_binary() {
                return Ok(Incoming::Frame(Bytes::from(message.into_payload())));
            }
            Ok(Incoming::SignOfLife)
        })
    }

    /// Whether another message may be queued.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.websocket).poll_ready(cx).map_err(|_| Closed::default())
    }

    /// Queues a binary message.
    pub(crate) fn send(&mut self, frame: Bytes) -> Result<(), Closed> {
        self.start_send(Message::binary(frame))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.websocket).poll_flush(cx).map_err(|_| Closed::default())
    }

    /// When to call [`Self::keep_alive`].
    pub(crate) fn keep_alive_at(&self) -> Instant {
        self.keep_alive.poll_timeout()
    }

    /// Pings a silent server, or gives it up.
    pub(crate) fn keep_alive(&mut self, now: Instant) -> Result<(), Closed> {
        match self.keep_alive.poll(now) {
            None => Ok(()),
            // AWS's programs send the same text.
            Some(Silence::Ping) => self.start_send(Message::ping(Bytes::from_static(b"keepalive"))),
            Some(Silence::Gone) => {
                Err(Closed { code: None, reason: "it has been silent for too long".to_owned() })
            }
        }
    }

    /// Says goodbye and waits for the answer. A connection that is closed while the server still sends is reset,
    /// which may cost the server what it has not read yet.
    pub(crate) async fn close(mut self) {
        let goodbye = async {
            self.start_send(Message::close(None, ""))?;
            poll_fn(|cx| self.poll_flush(cx)).await?;
            while poll_fn(|cx| self.poll_receive(cx)).await.is_ok() {}
            Ok::<(), Closed>(())
        };
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }

    fn start_send(&mut self, message: Message) -> Result<(), Closed> {
        Pin::new(&mut self.websocket).start_send(message).map_err(|_| Closed::default())
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
