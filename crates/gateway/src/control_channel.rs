//! The control channel of one node, from its first frame to its end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postern_ids::{NodeId, SessionId};
use postern_protocol::control::{AgentTaskAcknowledge, AgentTaskComplete};
use postern_protocol::payload::{OpenControlChannel, Stamps as _, publication};
use postern_protocol::{AgentMessage, KeepAlive, MessageType, Silence};
use postern_store::CloseReason;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_websockets::CloseCode;

use crate::gateway::Shared;
use crate::nodes::ControlCommand;
use crate::session::Command;
use crate::socket::{Closed, Incoming, Socket};
use crate::stamps::SystemStamps;
use crate::token::{self, Grant};

/// The largest frame of AWS's agent is 142,000 bytes (agent/session/contracts).
const FRAME_BYTES_MAX: usize = 256 * 1024;
/// AWS's agent sends its first frame right after the upgrade.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A node that takes no byte in for as long is treated as one that vanished.
const WRITE_WITHIN: Duration = Duration::from_secs(45);
/// What a close frame may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The error text of AWS's agent for a failed session begins with this.
const ERROR_HEADING: &str = "\n----------ERROR-------\n";

/// Private use close codes (RFC 6455, 7.4.2), so that postern-agent knows when not to come back at once.
pub(crate) const CLOSE_REPLACED: u16 = 4001;
pub(crate) const CLOSE_DEREGISTERED: u16 = 4003;

/// Carries the channel until either side closes it.
pub(crate) async fn serve(shared: &Arc<Shared>, mut socket: Socket, node: NodeId) {
    let admitted = timeout(HELLO_WITHIN, admit(shared, &mut socket, &node)).await;
    let Ok(Some(hello)) = admitted else {
        tracing::info!(node.id = %node, "refused a control channel of {node}: no valid token in its first frame");
        shared.nodes.connections().handle_refused(&node, shared.clock.now());
        close(&mut socket, CloseCode::POLICY_VIOLATION, "no valid token").await;
        return;
    };
    socket.allow_messages_of(FRAME_BYTES_MAX);
    let (generation, commands) = shared.nodes.connect(&node, shared.clock.now());
    tracing::info!(node.id = %node, agent.version = hello.agent_version, "node {node} is connected");
    for session in shared.sessions.on_node(&node) {
        // A session whose queue is full is being told things that matter more.
        let _ = session.commands.try_send(Command::NodeReturned);
    }
    let mut channel = ControlChannel { shared, socket, node: node.clone(), generation, commands };
    if hello.require_acknowledgement == Some(true) {
        let ready = publication(MessageType::ControlChannelReady, SystemStamps::new(&*shared.clock).stamp());
        let _ = channel.socket.send(ready.encode());
    }
    let why = channel.run().await;
    shared.nodes.disconnect(&node, generation, why.reason, shared.clock.now());
    tracing::info!(node.id = %node, "node {node} is disconnected: {}", why.text);
}

/// Why a channel ended.
#[derive(Debug, Clone, Copy)]
struct Why {
    reason: CloseReason,
    /// For the log.
    text: &'static str,
}

impl Why {
    const CONNECTION_CLOSED: Self = Self { reason: CloseReason::Closed, text: "its connection was closed" };
    const SILENT: Self = Self { reason: CloseReason::NoAnswer, text: "it has been silent for too long" };
    const TAKES_NOTHING: Self = Self { reason: CloseReason::NoAnswer, text: "it takes nothing in" };
    const REPLACED: Self =
        Self { reason: CloseReason::Replaced, text: "a newer connection of the same node took its place" };
    /// Of a node that is gone, no reason is kept.
    const DEREGISTERED: Self = Self { reason: CloseReason::Closed, text: "it was de-registered" };
    const SERVER_STOPS: Self = Self { reason: CloseReason::ServerStopped, text: "the server is stopping" };
}

/// Waits for the frame with the token.
async fn admit(shared: &Shared, socket: &mut Socket, node: &NodeId) -> Option<OpenControlChannel> {
    let hello = loop {
        match socket.receive().await? {
            Incoming::Text(text) | Incoming::Binary(text) => {
                break OpenControlChannel::from_json(&text).ok()?;
            }
            Incoming::Ping | Incoming::Pong(_) => {}
        }
    };
    let grant = shared.tokens().redeem(&token::hash(&hello.token_value), Instant::now())?;
    (grant == Grant::ControlChannel(node.clone())).then_some(hello)
}

struct ControlChannel<'a> {
    shared: &'a Arc<Shared>,
    socket: Socket,
    node: NodeId,
    generation: u64,
    commands: mpsc::Receiver<ControlCommand>,
}

impl ControlChannel<'_> {
    async fn run(&mut self) -> Why {
        let mut keep_alive = KeepAlive::new(Instant::now());
        loop {
            let outcome = tokio::select! {
                () = self.shared.stop.cancelled() => {
                    close(&mut self.socket, CloseCode::GOING_AWAY, "the server is restarting, reconnect").await;
                    return Why::SERVER_STOPS;
                }
                incoming = self.socket.receive() => match incoming {
                    None => return Why::CONNECTION_CLOSED,
                    Some(incoming) => {
                        let now = Instant::now();
                        keep_alive.handle_heard(now);
                        self.shared.nodes.handle_heard(&self.node, self.generation, now);
                        self.handle_incoming(incoming).await
                    }
                },
                command = self.commands.recv() => self.handle_command(command).await,
                () = sleep_until(keep_alive.poll_timeout()) => match keep_alive.poll(Instant::now()) {
                    Some(Silence::Gone) => return Why::SILENT,
                    Some(Silence::Ping) => {
                        let _ = self.socket.ping(Bytes::from_static(b"keepalive"));
                        self.flush().await
                    }
                    None => ControlFlow::Continue(()),
                },
            };
            if let ControlFlow::Break(why) = outcome {
                return why;
            }
        }
    }

    async fn handle_command(&mut self, command: Option<ControlCommand>) -> ControlFlow<Why> {
        match command {
            Some(ControlCommand::Send(frame)) => self.send(frame).await,
            Some(ControlCommand::Deregistered) => {
                close(&mut self.socket, close_code(CLOSE_DEREGISTERED), "the node was de-registered").await;
                ControlFlow::Break(Why::DEREGISTERED)
            }
            Some(ControlCommand::Replaced) | None => {
                let reason = "another agent with this node's identity has connected";
                close(&mut self.socket, close_code(CLOSE_REPLACED), reason).await;
                ControlFlow::Break(Why::REPLACED)
            }
        }
    }

    async fn handle_incoming(&mut self, incoming: Incoming) -> ControlFlow<Why> {
        let Incoming::Binary(frame) = incoming else { return self.flush().await };
        let message = match AgentMessage::decode(frame) {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(node.id = %self.node, %error, "dropped a frame of the control channel of {}", self.node);
                return ControlFlow::Continue(());
            }
        };
        match message.message_type {
            MessageType::AgentTaskComplete => self.handle_task_complete(&message).await,
            // Run Command is not offered, and telemetry is nobody's business.
            _ => ControlFlow::Continue(()),
        }
    }

    /// A session is over on the node. A failed one reports twice; the first counts.
    async fn handle_task_complete(&mut self, message: &AgentMessage) -> ControlFlow<Why> {
        let Ok(complete) = AgentTaskComplete::from_json(&message.payload) else {
            return ControlFlow::Continue(());
        };
        let session = complete.task_id.parse::<SessionId>().ok().and_then(|id| self.shared.sessions.get(&id));
        if let Some(session) = session.filter(|session| session.node == self.node)
            && session.commands.try_send(Command::TaskComplete { error: error_text(&complete) }).is_err()
            && !session.commands.is_closed()
        {
            // Not acknowledged, so the node says it again.
            return ControlFlow::Continue(());
        }
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        let acknowledge = AgentTaskAcknowledge::of(message.message_id, complete.task_id);
        self.send(acknowledge.to_message(stamp).encode()).await
    }

    async fn send(&mut self, frame: Bytes) -> ControlFlow<Why> {
        match self.socket.send(frame) {
            Ok(()) => self.flush().await,
            Err(Closed) => ControlFlow::Break(Why::CONNECTION_CLOSED),
        }
    }

    async fn flush(&mut self) -> ControlFlow<Why> {
        match timeout(WRITE_WITHIN, self.socket.flush()).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(Closed)) => ControlFlow::Break(Why::CONNECTION_CLOSED),
            Err(_) => ControlFlow::Break(Why::TAKES_NOTHING),
        }
    }
}

/// The cause of a failed session, for the person at the client.
fn error_text(complete: &AgentTaskComplete) -> Option<String> {
    /// AWS's agent cuts it at 2,500 bytes.
    const CHARS_MAX: usize = 2_500;
    if complete.final_task_status != "Failed" && complete.final_task_status != "TimedOut" {
        return None;
    }
    let text = complete.output.strip_prefix(ERROR_HEADING).unwrap_or(&complete.output).trim();
    let text = if text.is_empty() { "The node reports that the session failed." } else { text };
    // It is shown in a terminal: only what prints may reach it.
    Some(text.chars().filter(|c| !c.is_control() || *c == '\n').take(CHARS_MAX).collect())
}

fn close_code(code: u16) -> CloseCode {
    CloseCode::try_from(code).expect("private use codes are valid")
}

pub(crate) async fn close(socket: &mut Socket, code: CloseCode, reason: &str) {
    let _ = socket.close(code, reason);
    // A peer that does not take it finds its connection closed instead.
    let _ = timeout(CLOSE_WITHIN, socket.flush()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(status: &str, output: &str) -> AgentTaskComplete {
        AgentTaskComplete {
            final_task_status: status.into(),
            output: output.into(),
            ..AgentTaskComplete::default()
        }
    }

    #[test]
    fn only_failures_have_an_error_text() {
        assert_eq!(error_text(&complete("Success", "")), None);
        assert_eq!(error_text(&complete("Cancelled", "x")), None);
        let failed = complete("Failed", "\n----------ERROR-------\nUnable to start command: no such user\n");
        assert_eq!(error_text(&failed).as_deref(), Some("Unable to start command: no such user"));
    }

    #[test]
    fn an_error_text_cannot_play_with_the_terminal() {
        let hostile = complete("Failed", "a\x1b]52;c;aGk=\x07b\r\nc");
        assert_eq!(error_text(&hostile).as_deref(), Some("a]52;c;aGk=b\nc"));
    }
}
