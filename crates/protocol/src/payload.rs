//! Payloads of data channels, and the text frames that open channels.
//!
//! Source: aws/session-manager-plugin, src/message/clientmessage.go and src/service/openDataChannelInput.go;
//! aws/amazon-ssm-agent, agent/session/contracts/. Fields marked *ours* are written and read by Postern's programs
//! only: AWS's ignore them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::json::{self, json_payload};
use crate::message::MessageType;
use crate::{AgentMessage, Flags, PayloadError, PayloadType};

/// The version of the schema that opens channels.
pub const MESSAGE_SCHEMA_VERSION: &str = "1.0";

/// What a new message needs from outside: an ID and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// A random (version 4) UUID, never used before.
    pub message_id: Uuid,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// A source of stamps: a clock and a random number generator.
pub trait Stamps {
    /// The next stamp.
    fn stamp(&mut self) -> Stamp;
}

impl<F: FnMut() -> Stamp> Stamps for F {
    fn stamp(&mut self) -> Stamp {
        self()
    }
}

/// The client's terminal in characters: payload type Size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Characters in a row.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// Far from the numbers that AWS may still give away.
const END_OF_STREAM: u32 = 0x506f_7374;

/// What an agent adds to the properties of a port session if it understands [`Flag::EndOfStream`].
pub const END_OF_STREAM_PROPERTY: &str = "posternEndOfStream";

/// What an agent adds to the properties of a command without a terminal if it can give the command standard input, for
/// Postern's own clients; and such a client to its result of the action `SessionType` if it will send some. It ends with
/// [`Flag::EndOfStream`].
pub const STANDARD_INPUT_PROPERTY: &str = "posternStandardInput";

/// A number with a meaning: payload type Flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// Client to agent, a port session with one connection: the local connection ended.
    DisconnectToPort,
    /// Client to agent, port sessions: the user wants to end the session.
    TerminateSession,
    /// Agent to client, multiplexed port session: the destination refused.
    ConnectToPortError,
    /// Either way, a port session with one connection or a command with input, between Postern's own ends only: nothing
    /// follows in this direction, as TCP says by closing one half. Who sends it knows that the other side understands it: the client from
    /// [`END_OF_STREAM_PROPERTY`], the agent from the client's version.
    EndOfStream,
    /// A number that we do not know; ignore it.
    Unknown(u32),
}

impl Flag {
    /// Reads the payload.
    ///
    /// # Errors
    /// It is not four bytes long.
    pub fn from_payload(payload: &[u8]) -> Result<Self, PayloadError> {
        let bytes = payload.try_into().map_err(|_| PayloadError::new("a flag is not four bytes long"))?;
        Ok(match u32::from_be_bytes(bytes) {
            1 => Self::DisconnectToPort,
            2 => Self::TerminateSession,
            3 => Self::ConnectToPortError,
            END_OF_STREAM => Self::EndOfStream,
            unknown => Self::Unknown(unknown),
        })
    }

    /// Writes the payload.
    #[must_use]
    pub fn to_payload(self) -> Bytes {
        let number: u32 = match self {
            Self::DisconnectToPort => 1,
            Self::TerminateSession => 2,
            Self::ConnectToPortError => 3,
            Self::EndOfStream => END_OF_STREAM,
            Self::Unknown(number) => number,
        };
        Bytes::copy_from_slice(&number.to_be_bytes())
    }
}

/// Payload of `acknowledge`. Senders match the sequence number only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The type of the acknowledged message.
    #[serde(rename = "AcknowledgedMessageType", default)]
    pub message_type: String,
    /// Its ID, as text because nobody needs it to be valid.
    #[serde(rename = "AcknowledgedMessageId", default)]
    pub message_id: String,
    /// Its sequence number.
    #[serde(rename = "AcknowledgedMessageSequenceNumber")]
    pub sequence_number: i64,
    /// Always true.
    #[serde(rename = "IsSequentialMessage", default)]
    pub is_sequential_message: bool,
    /// Ours, in tunnels: all messages before it are acknowledged, too.
    #[serde(rename = "PosternIsCumulative", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cumulative: bool,
}

/// Which messages the peer need not keep any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The one of that number.
    One(i64),
    /// That one and all before it.
    Through(i64),
}

impl Acknowledged {
    /// The number that is named.
    #[must_use]
    pub fn sequence_number(self) -> i64 {
        let (Self::One(number) | Self::Through(number)) = self;
        number
    }
}

impl Acknowledge {
    /// The acknowledgement of a stream message.
    #[must_use]
    pub fn of(message_type: &MessageType, message_id: Uuid, sequence_number: i64) -> Self {
        Self {
            message_type: message_type.as_str().to_owned(),
            message_id: message_id.to_string(),
            sequence_number,
            is_sequential_message: true,
            is_cumulative: false,
        }
    }

    /// Reads only what senders look at: what is acknowledged.
    ///
    /// # Errors
    /// The payload is not JSON, or lacks the number.
    pub fn acknowledged(json: &[u8]) -> Result<Acknowledged, PayloadError> {
        /// Finds the number without allocating, in the spelling that everyone uses.
        #[derive(Deserialize)]
        struct Exact {
            #[serde(rename = "AcknowledgedMessageSequenceNumber")]
            sequence_number: i64,
            #[serde(rename = "PosternIsCumulative", default)]
            is_cumulative: bool,
        }
        let (number, is_cumulative) = match serde_json::from_slice::<Exact>(json) {
            Ok(exact) => (exact.sequence_number, exact.is_cumulative),
            Err(_) => Self::from_json(json).map(|known| (known.sequence_number, known.is_cumulative))?,
        };
        Ok(if is_cumulative { Acknowledged::Through(number) } else { Acknowledged::One(number) })
    }

    /// The whole message.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        AgentMessage {
            message_type: MessageType::Acknowledge,
            created_ms: stamp.created_ms,
            sequence_number: 0,
            flags: Flags::SYN_FIN,
            message_id: stamp.message_id,
            payload_type: PayloadType::None,
            payload: self.to_json(),
        }
    }
}

/// Payload of `channel_closed`, on data channels and control channels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChannelClosed {
    /// The ID of the message that carries this, as text.
    pub message_id: String,
    /// Milliseconds since the Unix epoch, or a date; as text.
    pub created_date: String,
    /// The node or the client.
    pub destination_id: String,
    /// The session. On a data channel informational; on a control channel the one to end.
    pub session_id: String,
    /// Always `channel_closed`.
    pub message_type: String,
    /// Always 1.
    pub schema_version: u32,
    /// Why, for the user; often empty. Always written, because one browser client needs it.
    pub output: String,
    /// Ours: what the remote command exited with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

impl ChannelClosed {
    /// The whole message; fills in what repeats the message's header.
    #[must_use]
    pub fn into_message(mut self, stamp: Stamp) -> AgentMessage {
        let message_type = MessageType::ChannelClosed;
        self.message_id = stamp.message_id.to_string();
        self.created_date = stamp.created_ms.to_string();
        self.message_type = message_type.as_str().to_owned();
        self.schema_version = 1;
        AgentMessage {
            message_type,
            created_ms: stamp.created_ms,
            sequence_number: 0,
            flags: Flags::NONE,
            message_id: stamp.message_id,
            payload_type: PayloadType::None,
            payload: self.to_json(),
        }
    }
}

/// Payload of `agent_session_state`, agent to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionState {
    /// Always 1.
    #[serde(default)]
    pub schema_version: u32,
    /// How far the session is.
    #[serde(rename = "SessionState")]
    pub state: State,
    /// The session that this data channel belongs to.
    #[serde(default)]
    pub session_id: String,
    /// Ours: what the session's process exited with, when `Terminating`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// How far a session is, in the agent's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum State {
    /// The data channel is open for the first time.
    Connected,
    /// The session's process has ended by itself.
    Terminating,
    /// A state that we do not know.
    Unknown(String),
}

impl From<String> for State {
    fn from(text: String) -> Self {
        match text.as_str() {
            "Connected" => Self::Connected,
            "Terminating" => Self::Terminating,
            _ => Self::Unknown(text),
        }
    }
}

impl From<State> for String {
    fn from(state: State) -> Self {
        match state {
            State::Connected => "Connected".to_owned(),
            State::Terminating => "Terminating".to_owned(),
            State::Unknown(text) => text,
        }
    }
}

impl SessionState {
    /// The state `state` of a session.
    #[must_use]
    pub fn new(state: State, session_id: impl Into<String>) -> Self {
        Self { schema_version: 1, state, session_id: session_id.into(), exit_code: None }
    }

    /// The whole message.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        AgentMessage {
            message_type: MessageType::AgentSessionState,
            created_ms: stamp.created_ms,
            sequence_number: 0,
            flags: Flags::SYN_FIN,
            message_id: stamp.message_id,
            payload_type: PayloadType::None,
            payload: self.to_json(),
        }
    }
}

/// Ours: payload of the `start_publication` that the server sends an agent each time a client attaches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ClientAttached {
    /// As in the client's [`OpenDataChannel`]. A client that sends one can shake hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// As in the client's [`OpenDataChannel`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// As in the client's [`OpenDataChannel`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

impl ClientAttached {
    /// The `start_publication` that carries this.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        AgentMessage {
            message_type: MessageType::StartPublication,
            created_ms: stamp.created_ms,
            sequence_number: 0,
            flags: Flags::SYN_FIN,
            message_id: stamp.message_id,
            payload_type: PayloadType::None,
            payload: self.to_json(),
        }
    }
}

/// First text frame of a data channel, from client or agent. Only the token is required.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OpenDataChannel {
    /// [`MESSAGE_SCHEMA_VERSION`].
    #[serde(default)]
    pub message_schema_version: String,
    /// A new UUID for each connection.
    #[serde(default)]
    pub request_id: String,
    /// What admits the sender: from StartSession, ResumeSession or CreateDataChannel.
    pub token_value: String,
    /// Agents: the node's ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_instance_id: Option<String>,
    /// Clients: a UUID of the process. AWS's agent sends an empty text; simple clients send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Clients: the version, since plugin 1.2.677.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// Ours: the client's terminal, so that the shell starts with the right size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Ours: the client takes the session over from another one, and waits to be told where the input stands
    /// ([`InputPlace`](crate::notice::InputPlace)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
}

/// First text frame of a control channel. Only the token is required.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OpenControlChannel {
    /// Always null.
    #[serde(default)]
    pub cookie: Option<serde_json::Value>,
    /// [`MESSAGE_SCHEMA_VERSION`].
    #[serde(default)]
    pub message_schema_version: String,
    /// A new UUID for each connection.
    #[serde(default)]
    pub request_id: String,
    /// What admits the node, from CreateControlChannel.
    pub token_value: String,
    /// Four numbers.
    #[serde(default)]
    pub agent_version: String,
    /// `linux`, `windows` or `macos`.
    #[serde(default)]
    pub platform_type: String,
    /// Some agents ask for a `control_channel_ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_acknowledgement: Option<bool>,
}

json_payload!(
    Size,
    Acknowledge,
    ChannelClosed,
    SessionState,
    ClientAttached,
    OpenDataChannel,
    OpenControlChannel
);

/// A `start_publication` or `pause_publication` without content.
#[must_use]
pub fn publication(message_type: MessageType, stamp: Stamp) -> AgentMessage {
    AgentMessage {
        message_type,
        created_ms: stamp.created_ms,
        sequence_number: 0,
        flags: Flags::SYN_FIN,
        message_id: stamp.message_id,
        payload_type: PayloadType::None,
        payload: json::EMPTY,
    }
}

/// Payload of type ExitCode.
#[must_use]
pub fn exit_code_text(exit_code: i32) -> Bytes {
    format!("EXIT_CODE: {exit_code}").into()
}

/// The number in a payload of type ExitCode.
#[must_use]
pub fn exit_code_from_text(payload: &[u8]) -> Option<i32> {
    std::str::from_utf8(payload).ok()?.trim().strip_prefix("EXIT_CODE:")?.trim().parse().ok()
}

impl std::fmt::Debug for OpenDataChannel {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenDataChannel")
            .field("request_id", &self.request_id)
            .field("client_instance_id", &self.client_instance_id)
            .field("client_id", &self.client_id)
            .field("client_version", &self.client_version)
            .field("size", &self.size)
            .field("takes_over", &self.takes_over)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OpenControlChannel {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenControlChannel")
            .field("request_id", &self.request_id)
            .field("agent_version", &self.agent_version)
            .field("platform_type", &self.platform_type)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_four_bytes() {
        let table = [
            (Flag::DisconnectToPort, [0, 0, 0, 1]),
            (Flag::TerminateSession, [0, 0, 0, 2]),
            (Flag::ConnectToPortError, [0, 0, 0, 3]),
            (Flag::EndOfStream, *b"Post"),
            (Flag::Unknown(0x0102_0304), [1, 2, 3, 4]),
        ];
        for (flag, bytes) in table {
            assert_eq!(flag.to_payload(), &bytes[..]);
            assert_eq!(Flag::from_payload(&bytes), Ok(flag));
        }
        assert!(Flag::from_payload(&[0, 0, 2]).is_err());
        assert!(Flag::from_payload(&[0, 0, 0, 2, 0]).is_err());
    }

    #[test]
    fn exit_codes_are_text() {
        assert_eq!(exit_code_text(-1), "EXIT_CODE: -1");
        let table: [(&[u8], Option<i32>); 5] = [
            (b"EXIT_CODE: 3", Some(3)),
            (b"EXIT_CODE: 255\n", Some(255)),
            (b"EXIT_CODE: ", None),
            (b"3", None),
            (b"\xff", None),
        ];
        for (payload, exit_code) in table {
            assert_eq!(exit_code_from_text(payload), exit_code, "{payload:?}");
        }
    }

    #[test]
    fn the_token_is_required_and_never_printed() {
        assert!(OpenDataChannel::from_json(br#"{"MessageSchemaVersion":"1.0"}"#).is_err());
        let open = OpenDataChannel::from_json(br#"{"TokenValue":"SECRET","ClientId":"c"}"#).unwrap();
        assert!(!format!("{open:?}").contains("SECRET"));
        let open = OpenControlChannel::from_json(br#"{"TokenValue":"SECRET"}"#).unwrap();
        assert!(!format!("{open:?}").contains("SECRET"));
    }

    #[test]
    fn the_acknowledged_number_is_found_in_any_spelling() {
        for json in [
            r#"{"AcknowledgedMessageSequenceNumber":7}"#,
            r#"{"acknowledgedMessageSequenceNumber":7,"AcknowledgedMessageId":"not a UUID"}"#,
        ] {
            assert_eq!(Acknowledge::acknowledged(json.as_bytes()), Ok(Acknowledged::One(7)), "{json}");
        }
        let json = r#"{"AcknowledgedMessageSequenceNumber":7,"PosternIsCumulative":true}"#;
        assert_eq!(Acknowledge::acknowledged(json.as_bytes()), Ok(Acknowledged::Through(7)));
        for json in ["", "{}", r#"{"AcknowledgedMessageSequenceNumber":"7"}"#] {
            assert!(Acknowledge::acknowledged(json.as_bytes()).is_err(), "{json}");
        }
    }
}
