//! The other end of a data channel, in the place of server and client.

use std::pin::pin;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use postern_protocol::channel::{ChannelLimits, DataChannel, Event, Role};
use postern_protocol::handshake::{HandshakeRequest, HandshakeResponse, ProcessedAction};
use postern_protocol::message::PayloadDigest;
use postern_protocol::payload::{ClientAttached, Flag, SessionState, Size, Stamp};
use postern_protocol::tunnel::{Frame, Frames};
use postern_protocol::{AgentMessage, MessageType, PayloadType};
use serde_json::{Value, json};
use tokio_websockets::Message;

use crate::scripted::{Socket, limited};

/// What a client is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledging {
    Yes,
    /// Takes output in and never says so.
    Never,
}

/// See the [module's documentation](self).
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) channel: DataChannel,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: Vec<u8>,
    pub(crate) exit_code_text: Option<String>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) states: Vec<SessionState>,
    pub(crate) handshakes: usize,
    pub(crate) longest: usize,
    pub(crate) version: &'static str,
    /// Whether it takes up the dialect of tunnels.
    pub(crate) speaks_dialect: bool,
    /// The frames that it got in it.
    pub(crate) frames: Vec<Frame>,
    pub(crate) acknowledging: Acknowledging,
    pub(crate) is_closed: bool,
}

impl Client {
    pub(crate) fn new(socket: Socket, version: &'static str) -> Self {
        let mut channel = DataChannel::new(Role::Client, ChannelLimits::default());
        channel.handle_connected(Instant::now());
        Self {
            socket,
            channel,
            output: Vec::new(),
            errors: Vec::new(),
            exit_code_text: None,
            flags: Vec::new(),
            states: Vec::new(),
            handshakes: 0,
            longest: 0,
            version,
            speaks_dialect: false,
            frames: Vec::new(),
            acknowledging: Acknowledging::Yes,
            is_closed: false,
        }
    }

    /// As Postern's server does when a client has come.
    pub(crate) async fn attach(&mut self, client_id: Option<&str>, size: Option<Size>) {
        let version = (!self.version.is_empty()).then(|| self.version.to_owned());
        let attached =
            ClientAttached { client_id: client_id.map(str::to_owned), client_version: version, size };
        self.socket.send(Message::binary(attached.to_message(stamp()).encode())).await.unwrap();
    }

    pub(crate) fn send(&mut self, payload_type: PayloadType, payload: impl Into<Bytes>) {
        self.channel.send(payload_type, payload.into(), stamp(), Instant::now()).unwrap();
    }

    pub(crate) fn type_text(&mut self, text: &str) {
        self.send(PayloadType::Output, text.to_owned());
    }

    /// Another connection of the same session.
    pub(crate) fn reconnect(&mut self, socket: Socket) {
        self.socket = socket;
        self.is_closed = false;
        self.channel.handle_disconnected();
        self.channel.handle_connected(Instant::now());
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Carries frames until `is_done`.
    pub(crate) async fn until(&mut self, is_done: impl Fn(&Self) -> bool) {
        limited(async {
            loop {
                self.transmit().await;
                if is_done(self) {
                    return;
                }
                assert!(
                    !self.is_closed,
                    "the agent closed the channel after {:?} {:?}",
                    self.text(),
                    self.states
                );
                self.receive().await;
            }
        })
        .await;
    }

    pub(crate) async fn until_text(&mut self, text: &str) {
        self.until(|client| client.text().contains(text)).await;
    }

    /// Until the agent has nothing more to say.
    pub(crate) async fn until_closed(&mut self) {
        self.until(|client| client.is_closed).await;
    }

    async fn transmit(&mut self) {
        while let Some(frame) = self.channel.poll_transmit(Instant::now(), &mut stamp) {
            if self.socket.send(Message::binary(frame)).await.is_err() {
                return;
            }
        }
    }

    async fn receive(&mut self) {
        let resend_at = self
            .channel
            .poll_timeout()
            .unwrap_or_else(|| Instant::now() + std::time::Duration::from_secs(3600));
        let timer = pin!(tokio::time::sleep_until(resend_at.into()));
        let message = match select(self.socket.next(), timer).await {
            Either::Left((message, _)) => message,
            Either::Right(_) => return,
        };
        let Some(Ok(message)) = message else {
            self.is_closed = true;
            return;
        };
        if message.is_close() {
            self.is_closed = true;
            // The answer was queued when the close was read.
            let _ = self.socket.flush().await;
        }
        if !message.is_binary() {
            return;
        }
        let frame = Bytes::from(message.into_payload());
        let decoded = AgentMessage::decode_with(frame.clone(), PayloadDigest::Spared).unwrap();
        if decoded.message_type == MessageType::OutputStreamData {
            self.longest = self.longest.max(decoded.payload.len());
        }
        self.channel.handle_frame(frame, Instant::now()).unwrap();
        while let Some(event) = self.channel.poll_event() {
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::SessionState(state) => self.states.push(state),
            Event::Stream { sequence_number, payload_type, payload } => {
                match payload_type {
                    PayloadType::Output if self.speaks_dialect => {
                        self.frames.extend(Frames::new(payload).map(Result::unwrap));
                    }
                    PayloadType::Output => self.output.extend_from_slice(&payload),
                    PayloadType::StdErr => self.errors.extend_from_slice(&payload),
                    PayloadType::ExitCode => {
                        self.exit_code_text = Some(String::from_utf8_lossy(&payload).into_owned())
                    }
                    PayloadType::Flag => self.flags.push(Flag::from_payload(&payload).unwrap()),
                    PayloadType::HandshakeRequest => self.answer(&payload),
                    PayloadType::HandshakeComplete => self.handshakes += 1,
                    other => panic!("{other:?}"),
                }
                if self.acknowledging == Acknowledging::Yes {
                    self.channel.acknowledge(sequence_number);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, request: &[u8]) {
        let request = HandshakeRequest::from_json(request).unwrap();
        let response = HandshakeResponse {
            client_version: self.version.to_owned(),
            processed_client_actions: request
                .requested_client_actions
                .iter()
                .map(|action| ProcessedAction {
                    action_result: if self.speaks_dialect {
                        json!({"posternTunnel": "1"})
                    } else {
                        Value::Null
                    },
                    ..action.succeeded()
                })
                .collect(),
            errors: None,
        };
        self.send(PayloadType::HandshakeResponse, response.to_json());
        if self.speaks_dialect {
            self.channel.begin_tunnel();
        }
    }
}

pub(crate) fn stamp() -> Stamp {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    Stamp { message_id: uuid::Uuid::from_u64_pair(number, number), created_ms: number }
}
