//! One websocket of a data channel.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use http::{HeaderMap, Method, Uri};
use postern_dial::{DialError, Message, Signer, WebSocket, WebSocketError};
use postern_protocol::payload::{MESSAGE_SCHEMA_VERSION, OpenDataChannel};
use postern_protocol::{DataChannel, KeepAlive, Silence, Stamps};
use uuid::Uuid;

use crate::api::Api;
use crate::window;

/// The words that make a stream URL a presigned one, which is used as it is. Source: aws/session-manager-plugin,
/// src/communicator/websocketchannel.go of 1.2.764.0.
const PRESIGNED_WORDS: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// Who this client is, over all its connections.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// A random UUID; a client that sends one can shake hands.
    pub(crate) client_id: Uuid,
    /// What the agent may expect of this client.
    pub(crate) client_version: String,
}

/// Why there is no data channel.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server's stream URL is no URL.
    #[error("the stream URL {0:?} is not a URL")]
    Url(String),
    /// The server was not reached, or did not open the websocket.
    #[error("cannot open the data channel")]
    Dial(#[from] DialError),
}

impl OpenError {
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Dial(error) if error.is_transient())
    }
}

/// Why a connection is no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    #[error("the server closed the connection")]
    Closed,
    #[error("the server has not answered for too long")]
    Silent,
    #[error(transparent)]
    Broken(#[from] WebSocketError),
}

/// Whether the URL carries its own signature. Such a session cannot be resumed either.
pub(crate) fn is_presigned(stream_url: &str) -> bool {
    stream_url.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| PRESIGNED_WORDS.contains(&pair.split('=').next().unwrap_or_default()))
    })
}

/// An open data channel: its websocket, on which the token has been sent.
#[derive(Debug)]
pub(crate) struct Connection {
    websocket: WebSocket,
    keep_alive: KeepAlive<Instant>,
    is_full: bool,
}

impl Connection {
    /// Dials the stream URL, signed as plugins since 1.2.764.0 do, and sends OpenDataChannel.
    pub(crate) async fn open(
        api: &Api,
        stream_url: &str,
        token_value: &str,
        identity: &Identity,
    ) -> Result<Self, OpenError> {
        let url: Uri = stream_url.parse().map_err(|_| OpenError::Url(stream_url.to_owned()))?;
        let headers = if is_presigned(stream_url) { HeaderMap::new() } else { signature(api, &url).await? };
        let websocket = api.http().websocket(&url, &headers).await?;
        let open = OpenDataChannel {
            message_schema_version: MESSAGE_SCHEMA_VERSION.to_owned(),
            request_id: Uuid::new_v4().to_string(),
            token_value: token_value.to_owned(),
            client_instance_id: None,
            client_id: Some(identity.client_id.to_string()),
            client_version: Some(identity.client_version.clone()),
            size: Some(window::size()),
            takes_over: false,
        };
        let text = String::from_utf8(open.to_json().to_vec()).expect("JSON is UTF-8");
        let mut connection = Self { websocket, keep_alive: KeepAlive::new(Instant::now()), is_full: false };
        // Queued only: it leaves with the first poll, and a failure shows up there.
        let _ = Pin::new(&mut connection.websocket).start_send(Message::text(text));
        Ok(connection)
    }

    /// Writes what is due, and gives the next frame. With `reading` off the server has to wait, and its silence
    /// means nothing. Safe to drop at any time: the state is all in `self` and `channel`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        channel: &mut DataChannel,
        stamps: &mut dyn Stamps,
        reading: bool,
    ) -> Poll<Result<Bytes, Lost>> {
        loop {
            self.poll_write(cx, channel, stamps)?;
            if !reading {
                self.keep_alive.handle_not_listening(Instant::now());
                return Poll::Pending;
            }
            self.keep_alive.handle_listening(Instant::now());
            let message = match ready!(Pin::new(&mut self.websocket).poll_next(cx)) {
                None => return Poll::Ready(Err(Lost::Closed)),
                Some(message) => message?,
            };
            self.keep_alive.handle_heard(Instant::now());
            if message.is_close() {
                return Poll::Ready(Err(Lost::Closed));
            }
            if message.is_binary() {
                return Poll::Ready(Ok(message.into_payload().into()));
            }
            // Pings are answered by the library, with the next write; texts and pongs say nothing.
        }
    }

    /// Hands the websocket what is due as long as it has room, and lets it write.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        channel: &mut DataChannel,
        stamps: &mut dyn Stamps,
    ) -> Result<(), Lost> {
        let mut websocket = Pin::new(&mut self.websocket);
        loop {
            match websocket.as_mut().poll_ready(cx)? {
                Poll::Pending => {
                    self.is_full = true;
                    return Ok(());
                }
                Poll::Ready(()) => self.is_full = false,
            }
            let Some(frame) = channel.poll_transmit(Instant::now(), stamps) else { break };
            websocket.as_mut().start_send(Message::binary(frame))?;
        }
        // Pending is fine: the next poll goes on.
        if let Poll::Ready(result) = websocket.poll_flush(cx) {
            result?;
        }
        Ok(())
    }

    /// Whether it takes nothing at the moment: it will tell when it does again, and no timer need ask.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.keep_alive.poll_timeout()
    }

    /// Asks a silent server whether it is there, or gives it up.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), Lost> {
        match self.keep_alive.poll(now) {
            None => Ok(()),
            Some(Silence::Gone) => Err(Lost::Silent),
            Some(Silence::Ping) => Ok(Pin::new(&mut self.websocket).start_send(Message::ping("keepalive"))?),
        }
    }
}

/// The signature of the websocket request; none without credentials, since the token is what admits us.
async fn signature(api: &Api, url: &Uri) -> Result<HeaderMap, DialError> {
    let Ok(credentials) = api.credentials().await else { return Ok(HeaderMap::new()) };
    let signer = Signer { credentials: &credentials, region: api.region(), service: "ssmmessages" };
    signer.sign(&Method::GET, url, &HeaderMap::new(), b"", SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presigned_urls_are_recognised_by_their_query() {
        for (url, presigned) in [
            ("wss://h/v1/data-channel/s?role=publish_subscribe", false),
            ("wss://h/v1/data-channel/s?role=publish_subscribe&X-Amz-Signature=00", true),
            ("wss://h/X-Amz-Signature?cell-number=X-Amz-Signature", false),
            ("wss://h/", false),
        ] {
            assert_eq!(is_presigned(url), presigned, "{url}");
        }
    }
}
