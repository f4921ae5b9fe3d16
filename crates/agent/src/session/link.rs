//! The connection of one session's data channel: opened again for as long as the session lives.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use postern_dial::Backoff;
use postern_ids::SessionId;
use postern_protocol::channel::DataChannel;
use postern_protocol::payload::{MESSAGE_SCHEMA_VERSION, OpenDataChannel};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::encryption::SealedKey;
use crate::backoff;
use crate::control_plane::{CallError, ControlPlane};
use crate::credentials::CredentialSource;
use crate::socket::{Closed, Incoming, Socket};
use crate::stamps::SystemStamps;
use crate::{network, random};

/// A session that cannot reach its server for this long is not coming back to anybody: servers end sessions that
/// are idle for an hour at most.
const AWAY_MAX: Duration = Duration::from_secs(70 * 60);
/// Frames that are not agent messages, in a row of one connection, before it is given up.
const INVALID_FRAMES_MAX: u32 = 64;

type Connecting = Pin<Box<dyn Future<Output = Result<Socket, CallError>> + Send>>;

/// What happened on the link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// A connection is open; `true` for the first one.
    Connected { is_first: bool },
    /// A frame was given to the data channel, which may have events now.
    Received,
    /// The session cannot go on; the text is for the user.
    Over(Over),
}

/// Why a session has no server any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Over {
    /// The server says that the session has ended.
    Terminated,
    /// The server was away for too long.
    Lost,
}

/// See the [module's documentation](self).
pub(super) struct Link {
    plane: Arc<ControlPlane>,
    credentials: CredentialSource,
    session: SessionId,
    socket: Option<Socket>,
    connecting: Option<Connecting>,
    backoff: Backoff,
    was_connected: bool,
    lost_at: Instant,
    opened_at: Instant,
    invalid_frames: u32,
    is_full: bool,
}

/// A data key on its way.
pub(super) type Fetching = Pin<Box<dyn Future<Output = Result<Zeroizing<Vec<u8>>, CallError>> + Send>>;

impl Link {
    pub(super) fn new(plane: Arc<ControlPlane>, credentials: CredentialSource, session: SessionId) -> Self {
        let now = Instant::now();
        let mut link = Self {
            plane,
            credentials,
            session,
            socket: None,
            connecting: None,
            backoff: backoff::for_connections(),
            was_connected: false,
            lost_at: now,
            opened_at: now,
            invalid_frames: 0,
            is_full: false,
        };
        link.connect_after(Duration::ZERO);
        link
    }

    /// The data key of the session, decrypted for this node.
    pub(super) fn data_key(&self, sealed: &SealedKey) -> Fetching {
        let (plane, mut credentials) = (Arc::clone(&self.plane), self.credentials.clone());
        let input = sealed.decrypt_input(&self.session, plane.node_id().as_str());
        Box::pin(async move {
            let current = credentials.get().await;
            plane.decrypt(&current, &input).await
        })
    }

    /// Whether what becomes due can be sent: there is a connection and it is not full.
    pub(super) fn is_ready(&self) -> bool {
        self.socket.is_some() && !self.is_full
    }

    /// Sends what the data channel has to send, takes what comes in, and keeps the connection.
    pub(super) fn poll(&mut self, channel: &mut DataChannel, cx: &mut Context<'_>) -> Poll<LinkEvent> {
        loop {
            match &mut self.socket {
                Some(_) => match self.poll_socket(channel, cx) {
                    Poll::Ready(Ok(event)) => return Poll::Ready(event),
                    Poll::Ready(Err(closed)) => self.lose(channel, &closed),
                    Poll::Pending => return Poll::Pending,
                },
                None => match self.poll_connecting(channel, cx) {
                    Poll::Ready(Some(event)) => return Poll::Ready(event),
                    Poll::Ready(None) => {}
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Instant {
        self.socket.as_ref().map_or(self.lost_at + AWAY_MAX, Socket::keep_alive_at)
    }

    pub(super) fn handle_timeout(&mut self, channel: &mut DataChannel, now: Instant) -> Option<Over> {
        match &mut self.socket {
            Some(socket) => {
                if let Err(closed) = socket.keep_alive(now) {
                    self.lose(channel, &closed);
                }
                None
            }
            None if now >= self.lost_at + AWAY_MAX => {
                self.lost_at = now;
                Some(Over::Lost)
            }
            None => None,
        }
    }

    /// Writes what is queued and says goodbye.
    pub(super) async fn close(mut self, channel: &mut DataChannel) {
        let Some(mut socket) = self.socket.take() else { return };
        let flushed = std::future::poll_fn(|cx| transmit(&mut socket, channel, cx));
        if let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(2), flushed).await {
            socket.close().await;
        }
    }

    fn poll_socket(
        &mut self,
        channel: &mut DataChannel,
        cx: &mut Context<'_>,
    ) -> Poll<Result<LinkEvent, Closed>> {
        let Some(socket) = &mut self.socket else { return Poll::Pending };
        self.is_full = match transmit(socket, channel, cx) {
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(closed)) => return Poll::Ready(Err(closed)),
            Poll::Pending => true,
        };
        loop {
            match socket.poll_receive(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(closed)) => return Poll::Ready(Err(closed)),
                Poll::Ready(Ok(Incoming::SignOfLife)) => {}
                Poll::Ready(Ok(Incoming::Frame(frame))) => {
                    // Stream messages beyond the channel's limit are dropped and come again. They are read all the same:
                    // input that nobody takes must not hold up the acknowledgements of output.
                    match channel.handle_frame(frame, std::time::Instant::now()) {
                        Ok(()) => return Poll::Ready(Ok(LinkEvent::Received)),
                        Err(error) => {
                            tracing::debug!(session.id = %self.session, %error, "dropped a frame");
                            self.invalid_frames += 1;
                            if self.invalid_frames >= INVALID_FRAMES_MAX {
                                let reason = "too many frames cannot be read".to_owned();
                                return Poll::Ready(Err(Closed { code: None, reason }));
                            }
                        }
                    }
                }
            }
        }
    }

    fn poll_connecting(
        &mut self,
        channel: &mut DataChannel,
        cx: &mut Context<'_>,
    ) -> Poll<Option<LinkEvent>> {
        let Some(connecting) = &mut self.connecting else { return Poll::Pending };
        let result = std::task::ready!(connecting.as_mut().poll(cx));
        self.connecting = None;
        match result {
            Ok(socket) => {
                self.socket = Some(socket);
                self.opened_at = Instant::now();
                self.invalid_frames = 0;
                channel.handle_connected(std::time::Instant::now());
                let is_first = !std::mem::replace(&mut self.was_connected, true);
                tracing::info!(session.id = %self.session, "the data channel of session {} is open", self.session);
                Poll::Ready(Some(LinkEvent::Connected { is_first }))
            }
            Err(error) if error.is_session_over() => Poll::Ready(Some(LinkEvent::Over(Over::Terminated))),
            Err(error) => {
                if error.is_about_credentials() {
                    self.credentials.renew();
                }
                let pause = self.backoff.next_pause();
                tracing::warn!(
                    session.id = %self.session, error = &error as &dyn std::error::Error,
                    "cannot open the data channel of session {}; trying again in {pause:.1?}", self.session
                );
                self.connect_after(pause);
                Poll::Ready(None)
            }
        }
    }

    fn lose(&mut self, channel: &mut DataChannel, closed: &Closed) {
        tracing::info!(session.id = %self.session, reason = closed.reason, "lost the data channel of session {}", self.session);
        self.socket = None;
        channel.handle_disconnected();
        let now = Instant::now();
        self.lost_at = now;
        if now.duration_since(self.opened_at) >= Duration::from_secs(10) {
            self.backoff.reset();
        }
        let pause = self.backoff.next_pause();
        self.connect_after(pause);
    }

    fn connect_after(&mut self, pause: Duration) {
        let (plane, credentials) = (Arc::clone(&self.plane), self.credentials.clone());
        self.connecting = Some(Box::pin(connect(plane, credentials, self.session.clone(), pause)));
    }
}

/// Writes as much as the socket takes; ready when nothing is left.
fn transmit(
    socket: &mut Socket,
    channel: &mut DataChannel,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Closed>> {
    while socket.poll_ready(cx)?.is_ready() {
        match channel.poll_transmit(std::time::Instant::now(), &mut SystemStamps) {
            Some(frame) => socket.send(frame)?,
            None => return socket.poll_flush(cx),
        }
    }
    Poll::Pending
}

async fn connect(
    plane: Arc<ControlPlane>,
    mut credentials: CredentialSource,
    session: SessionId,
    pause: Duration,
) -> Result<Socket, CallError> {
    if !pause.is_zero() {
        tokio::select! {
            () = sleep(pause) => {}
            () = network::changed() => {}
        }
    }
    let current = credentials.get().await;
    let token_value = plane.create_data_channel(&current, &session).await?;
    let mut socket = Socket::new(plane.open_data_websocket(&current, &session).await?);
    let hello = OpenDataChannel {
        message_schema_version: MESSAGE_SCHEMA_VERSION.to_owned(),
        request_id: random::uuid().to_string(),
        token_value,
        client_instance_id: Some(plane.node_id().to_string()),
        client_id: Some(String::new()),
        client_version: None,
        size: None,
        takes_over: false,
    };
    let lost =
        |_: Closed| CallError::Answer { operation: "the opening of a data channel", missing: "a connection" };
    let hello: Bytes = hello.to_json();
    socket.say_hello(hello).await.map_err(lost)?;
    Ok(socket)
}
