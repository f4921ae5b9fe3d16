//! Websockets over the same connections.

use http::{HeaderMap, Uri};
use tokio_websockets::{ClientBuilder, Config, Limits, WebSocketStream, upgrade};

pub use tokio_websockets::{Error as WebSocketError, Message};

use crate::endpoint::Endpoint;
use crate::error::{DialError, Step};
use crate::http1::Http;
use crate::stream::Stream;

/// An open websocket, to be read as a stream and written as a sink of [`Message`]s.
pub type WebSocket = WebSocketStream<Stream>;

/// The largest message that is read. Senders of the session protocol stay at or below 64 KiB; a line of a recording that is
/// followed may have six times what a session's task takes at once, half a MiB.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes queued before a sender has to wait for the socket: about two full stream messages.
const QUEUED_BYTES: usize = 64 * 1024;

impl Http {
    /// Opens the websocket at `url` (`wss://`, or `ws://` to this machine) with extra `headers`, on an idle
    /// connection if there is one.
    ///
    /// # Errors
    /// Any [`DialError`]; [`DialError::Refused`] carries the status when the server answered something else
    /// than 101.
    pub async fn websocket(&self, url: &Uri, headers: &HeaderMap) -> Result<WebSocket, DialError> {
        let endpoint = Endpoint::of(url)?;
        let mut builder = ClientBuilder::from_uri(url.clone())
            .config(Config::default().flush_threshold(QUEUED_BYTES))
            .limits(Limits::default().max_payload_len(Some(MESSAGE_BYTES_MAX)));
        for (name, value) in headers {
            builder = builder.add_header(name.clone(), value.clone()).map_err(|_| DialError::Url {
                url: url.to_string(),
                problem: "a header belongs to the websocket handshake itself",
            })?;
        }
        if let Some(stream) = self.take_idle(&endpoint) {
            match self.upgrade(&endpoint, &builder, stream).await {
                // A server may close an idle connection whenever it likes; a new one tells what is wrong.
                Err(DialError::Request { .. }) => {}
                result => return result,
            }
        }
        let stream = self.dialer().connect(&endpoint).await?;
        self.upgrade(&endpoint, &builder, stream).await
    }

    async fn upgrade(
        &self,
        endpoint: &Endpoint,
        builder: &ClientBuilder<'_>,
        stream: Stream,
    ) -> Result<WebSocket, DialError> {
        let host = endpoint.authority();
        let handshake = async {
            match builder.connect_on(stream).await {
                Ok((websocket, _)) => Ok(websocket),
                Err(WebSocketError::Upgrade(upgrade::Error::DidNotSwitchProtocols(status))) => {
                    Err(DialError::Refused { host: host.to_owned(), status })
                }
                Err(error) => Err(DialError::Request { host: host.to_owned(), source: error.into() }),
            }
        };
        self.dialer().limits().apply(Step::Upgrade, host, handshake).await
    }
}
