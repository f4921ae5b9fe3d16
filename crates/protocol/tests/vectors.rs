//! The shared test vectors, in both directions: `vectors/data-channel/`.

use bytes::Bytes;
use postern_protocol::control::{
    AgentJob, AgentJobAck, AgentJobReply, AgentJobReplyAck, AgentTaskAcknowledge, AgentTaskComplete,
    InteractiveShell,
};
use postern_protocol::handshake::{HandshakeComplete, HandshakeRequest, HandshakeResponse};
use postern_protocol::payload::{
    Acknowledge, ChannelClosed, ClientAttached, OpenControlChannel, OpenDataChannel, SessionState, Size,
};
use postern_protocol::{AgentMessage, DecodeError, Flags, MessageType, PayloadError, PayloadType};
use serde::Deserialize;

const AGENT_MESSAGES: &str = include_str!("../../../vectors/data-channel/agent-messages.json");
const PAYLOADS: &str = include_str!("../../../vectors/data-channel/payloads.json");

#[derive(Deserialize)]
struct AgentMessages {
    messages: Vec<MessageVector>,
    refused: Vec<RefusedVector>,
}

#[derive(Deserialize)]
struct MessageVector {
    name: String,
    writes: bool,
    message: MessageValue,
    frame: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageValue {
    message_type: String,
    created_ms: Number,
    sequence_number: Number,
    flags: Number,
    message_id: String,
    payload_type: u32,
    payload_text: Option<String>,
    payload_hex: Option<String>,
}

/// A number, or text of one that JavaScript could not hold.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Small(i64),
    Large(String),
}

impl Number {
    fn value(&self) -> i128 {
        match self {
            Self::Small(number) => (*number).into(),
            Self::Large(text) => text.parse().expect("a number"),
        }
    }
}

#[derive(Deserialize)]
struct RefusedVector {
    name: String,
    error: String,
    frame: String,
}

#[derive(Deserialize)]
struct Payloads {
    payloads: Vec<PayloadVector>,
}

#[derive(Deserialize)]
struct PayloadVector {
    r#type: String,
    writes: bool,
    json: String,
}

impl MessageValue {
    fn message(&self) -> AgentMessage {
        let payload = match (&self.payload_text, &self.payload_hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => hex::decode(text).expect("hexadecimal digits"),
            _ => panic!("a payload is either text or hexadecimal"),
        };
        AgentMessage {
            message_type: MessageType::from_name(&self.message_type),
            created_ms: self.created_ms.value().try_into().expect("an unsigned number"),
            sequence_number: self.sequence_number.value().try_into().expect("a signed number"),
            flags: Flags(self.flags.value().try_into().expect("an unsigned number")),
            message_id: self.message_id.parse().expect("a UUID"),
            payload_type: PayloadType::from(self.payload_type),
            payload: payload.into(),
        }
    }
}

#[test]
fn every_frame_is_read_and_ours_are_written() {
    let vectors: AgentMessages = serde_json::from_str(AGENT_MESSAGES).unwrap();
    for MessageVector { name, writes, message, frame } in vectors.messages {
        let frame: String = frame.into_iter().map(|(_label, bytes)| bytes).collect();
        let frame = Bytes::from(hex::decode(frame).unwrap());
        let message = message.message();
        assert_eq!(AgentMessage::decode(frame.clone()).as_ref(), Ok(&message), "reading {name}");
        if writes {
            assert_eq!(hex::encode(message.encode()), hex::encode(frame), "writing {name}");
        }
    }
}

#[test]
fn bad_frames_are_refused() {
    let vectors: AgentMessages = serde_json::from_str(AGENT_MESSAGES).unwrap();
    for RefusedVector { name, error, frame } in vectors.refused {
        let refused = AgentMessage::decode(hex::decode(frame).unwrap().into()).expect_err(&name);
        let kind = match refused {
            DecodeError::TooShort { .. } => "TooShort",
            DecodeError::HeaderLength(_) => "HeaderLength",
            DecodeError::MessageType => "MessageType",
            DecodeError::CreatedDateZero => "CreatedDateZero",
            DecodeError::PayloadDigest => "PayloadDigest",
            DecodeError::Payload { .. } => "Payload",
        };
        assert_eq!(kind, error, "{name}");
    }
}

#[test]
fn every_payload_is_read_and_ours_are_written() {
    macro_rules! rewrite {
        ($vector:expr, $($name:ident),+ $(,)?) => {
            match $vector.r#type.as_str() {
                $(stringify!($name) => $name::from_json($vector.json.as_bytes()).map(|payload| payload.to_json()),)+
                other => panic!("no payload type {other}"),
            }
        };
    }
    let vectors: Payloads = serde_json::from_str(PAYLOADS).unwrap();
    for vector in vectors.payloads {
        let rewritten: Result<Bytes, PayloadError> = rewrite!(
            vector,
            Size,
            Acknowledge,
            ChannelClosed,
            SessionState,
            ClientAttached,
            OpenDataChannel,
            OpenControlChannel,
            HandshakeRequest,
            HandshakeResponse,
            HandshakeComplete,
            InteractiveShell,
            AgentTaskComplete,
            AgentTaskAcknowledge,
            AgentJob,
            AgentJobAck,
            AgentJobReply,
            AgentJobReplyAck,
        );
        let rewritten = rewritten.unwrap_or_else(|error| panic!("{}: {error}", vector.json));
        if vector.writes {
            assert_eq!(rewritten, vector.json);
        }
    }
}
