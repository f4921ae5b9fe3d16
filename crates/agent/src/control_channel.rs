//! The control channel: the connection on which the server asks this node to start and end sessions.
//!
//! Sessions do not depend on it. They go on, and their results wait, while it is being opened again.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use postern_dial::{Backoff, jittered};
use postern_protocol::control::{AgentTaskAcknowledge, InteractiveShell};
use postern_protocol::payload::{ChannelClosed, MESSAGE_SCHEMA_VERSION, OpenControlChannel};
use postern_protocol::{AgentMessage, MessageType};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::backoff;
use crate::control_plane::{CallError, ControlPlane};
use crate::credentials::CredentialSource;
use crate::session::Sessions;
use crate::socket::{Closed, Incoming, Socket};
use crate::{AGENT_VERSION, network, random};

/// The server's close code for "another agent with this node's identity has connected" (the gateway's control channel).
const CLOSE_REPLACED: u16 = 4001;
/// The server's close code for "the node was de-registered".
const CLOSE_DEREGISTERED: u16 = 4003;
/// Two agents with one identity must not take the channel from each other all the time.
const REPLACED_PAUSE: Duration = Duration::from_secs(15 * 60);
/// A channel that lived this long was a good one: its loss is followed by a quick retry.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// Opens the channel again and again, and does what comes through it.
pub(crate) struct ControlChannel {
    plane: Arc<ControlPlane>,
    credentials: CredentialSource,
    sessions: Sessions,
    stop: CancellationToken,
}

impl ControlChannel {
    pub(crate) fn new(
        plane: Arc<ControlPlane>,
        credentials: CredentialSource,
        sessions: Sessions,
        stop: CancellationToken,
    ) -> Self {
        Self { plane, credentials, sessions, stop }
    }

    /// Runs until the agent stops; then ends all sessions and reports their ends.
    pub(crate) async fn run(mut self) {
        let mut backoff = backoff::for_connections();
        loop {
            let opened = open(&self.plane, &mut self.credentials);
            let (wait, listen) = match alongside(&mut self.sessions, &self.stop, opened).await {
                None => return self.sessions.end_all().await,
                Some(Err(error)) => {
                    let pause = backoff.next_pause();
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot open the control channel; trying again in {pause:.1?}"
                    );
                    if error.is_about_credentials() {
                        self.credentials.renew();
                    }
                    (pause, true)
                }
                Some(Ok(socket)) => {
                    let opened_at = Instant::now();
                    tracing::info!(node.id = %self.plane.node_id(), "node {} is connected to {}", self.plane.node_id(), self.plane.endpoint());
                    let Some(closed) = self.serve(socket).await else { return };
                    if opened_at.elapsed() >= GOOD_LIFE {
                        backoff.reset();
                    }
                    self.pause_after(&closed, &mut backoff)
                }
            };
            let pause = async {
                tokio::select! {
                    () = sleep(wait) => {}
                    () = network::changed(), if listen => tracing::info!("the network has changed: trying again"),
                }
            };
            if alongside(&mut self.sessions, &self.stop, pause).await.is_none() {
                return self.sessions.end_all().await;
            }
        }
    }

    /// How long to wait after the end of a channel, and whether a change of the network ends the wait.
    fn pause_after(&self, closed: &Closed, backoff: &mut Backoff) -> (Duration, bool) {
        let node_id = self.plane.node_id();
        match closed.code {
            Some(CLOSE_REPLACED) => {
                tracing::error!(
                    node.id = %node_id,
                    "another agent with the identity of node {node_id} has connected: is this machine a copy of another one? \
                     Register one of them again with --force. This agent waits a quarter of an hour"
                );
                (jittered(REPLACED_PAUSE), false)
            }
            Some(CLOSE_DEREGISTERED) => {
                tracing::error!(node.id = %node_id, "node {node_id} was de-registered");
                // The answer to that decides how to go on.
                self.credentials.renew();
                (backoff.next_pause(), false)
            }
            _ => {
                let pause = backoff.next_pause();
                let reason =
                    if closed.reason.is_empty() { "its connection was lost" } else { &closed.reason };
                tracing::warn!("the control channel ended: {reason}. Opening it again in {pause:.1?}");
                (pause, true)
            }
        }
    }

    /// Carries an open channel to its end; `None` if the agent is to stop, after all is said.
    async fn serve(&mut self, mut socket: Socket) -> Option<Closed> {
        self.sessions.results().handle_connected();
        let stop = self.stop.clone();
        let mut is_stopping = false;
        loop {
            let wake_at = socket.keep_alive_at().min(
                self.sessions
                    .results()
                    .poll_timeout()
                    .unwrap_or_else(|| Instant::now() + Duration::from_secs(3600)),
            );
            let outcome = tokio::select! {
                () = stop.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    self.sessions.begin_end_all();
                    ControlFlow::Continue(())
                }
                received = poll_fn(|cx| self.sessions.poll_channel(&mut socket, cx)) => match received {
                    Ok(Some(Incoming::Frame(frame))) => self.handle_frame(frame),
                    Ok(Some(Incoming::SignOfLife) | None) => ControlFlow::Continue(()),
                    Err(closed) => ControlFlow::Break(closed),
                },
                () = sleep_until(wake_at) => match socket.keep_alive(Instant::now()) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(closed) => ControlFlow::Break(closed),
                },
            };
            if let ControlFlow::Break(closed) = outcome {
                if is_stopping {
                    self.sessions.end_all().await;
                    return None;
                }
                return Some(closed);
            }
            if is_stopping && self.sessions.is_done() {
                socket.close().await;
                return None;
            }
        }
    }

    fn handle_frame(&mut self, frame: Bytes) -> ControlFlow<Closed> {
        let message = match AgentMessage::decode(frame) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "dropped a frame of the control channel");
                return ControlFlow::Continue(());
            }
        };
        match message.message_type {
            MessageType::InteractiveShell => match InteractiveShell::from_json(&message.payload) {
                Ok(shell) => self.sessions.start(shell.content),
                Err(error) => self.sessions.refuse_unreadable(&message.payload, &error),
            },
            MessageType::ChannelClosed => match ChannelClosed::from_json(&message.payload) {
                Ok(closed) => self.sessions.end(&closed.session_id),
                Err(error) => tracing::warn!(%error, "cannot read which session is to end"),
            },
            MessageType::AgentTaskAcknowledge => {
                if let Ok(acknowledge) = AgentTaskAcknowledge::from_json(&message.payload) {
                    self.sessions.results().acknowledge(&acknowledge.task_id);
                }
            }
            other => tracing::debug!("ignored a message of type {other} on the control channel"),
        }
        ControlFlow::Continue(())
    }
}

impl Sessions {
    /// Sends results that are due, then waits for something to come in, or for a session to end (`None`).
    fn poll_channel(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming>, Closed>> {
        if self.poll_reap(cx).is_ready() {
            return Poll::Ready(Ok(None));
        }
        while socket.poll_ready(cx)?.is_ready() {
            match self.results().poll_transmit(Instant::now()) {
                Some(frame) => socket.send(frame)?,
                None => break,
            }
        }
        let _ = socket.poll_flush(cx)?;
        socket.poll_receive(cx).map_ok(Some)
    }
}

/// Gets a token, connects, and shows it.
async fn open(plane: &ControlPlane, credentials: &mut CredentialSource) -> Result<Socket, CallError> {
    let current = credentials.get().await;
    let token_value = plane.create_control_channel(&current).await?;
    let mut socket = Socket::new(plane.open_control_websocket(&current).await?);
    let hello = OpenControlChannel {
        cookie: None,
        message_schema_version: MESSAGE_SCHEMA_VERSION.to_owned(),
        request_id: random::uuid().to_string(),
        token_value,
        agent_version: AGENT_VERSION.to_owned(),
        platform_type: std::env::consts::OS.to_owned(),
        require_acknowledgement: None,
    };
    let lost = |_: Closed| CallError::Answer {
        operation: "the opening of the control channel",
        missing: "a connection",
    };
    socket.say_hello(hello.to_json()).await.map_err(lost)?;
    Ok(socket)
}

/// Does `work` while sessions end and are cleaned up; `None` if the agent is to stop before it is done.
async fn alongside<T>(
    sessions: &mut Sessions,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            () = sessions.reap() => {}
            value = &mut work => return Some(value),
        }
    }
}
