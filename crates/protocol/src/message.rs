//! The agent message: the one frame format of control channels and data channels.
//!
//! Source: `ClientMessage` in aws/session-manager-plugin, src/message/messageparser.go, and `AgentMessage` in
//! aws/amazon-ssm-agent, agent/session/contracts/agentmessage.go. All integers are big-endian.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Where each field stands, derived from the sizes of those before it.
mod offset {
    use std::ops::Range;

    const fn after(previous: &Range<usize>, size: usize) -> Range<usize> {
        previous.end..previous.end + size
    }

    pub(super) const HEADER_LENGTH: Range<usize> = 0..4;
    pub(super) const MESSAGE_TYPE: Range<usize> = after(&HEADER_LENGTH, 32);
    pub(super) const SCHEMA_VERSION: Range<usize> = after(&MESSAGE_TYPE, 4);
    pub(super) const CREATED_DATE: Range<usize> = after(&SCHEMA_VERSION, 8);
    pub(super) const SEQUENCE_NUMBER: Range<usize> = after(&CREATED_DATE, 8);
    pub(super) const FLAGS: Range<usize> = after(&SEQUENCE_NUMBER, 8);
    pub(super) const MESSAGE_ID: Range<usize> = after(&FLAGS, 16);
    pub(super) const PAYLOAD_DIGEST: Range<usize> = after(&MESSAGE_ID, 32);
    pub(super) const PAYLOAD_TYPE: Range<usize> = after(&PAYLOAD_DIGEST, 4);
    pub(super) const PAYLOAD_LENGTH: Range<usize> = after(&PAYLOAD_TYPE, 4);
}

/// Bytes before the payload-length field, and the value that we write into the header-length field.
pub const HEADER_LENGTH: usize = offset::PAYLOAD_LENGTH.start;
const _: () = assert!(HEADER_LENGTH == 116);

/// Bytes before the payload of a message that we write.
pub const PAYLOAD_OFFSET: usize = offset::PAYLOAD_LENGTH.end;

/// AWS's service sends `channel_closed` with a header that ends before the payload type. We never do.
const HEADER_LENGTH_MIN: usize = offset::PAYLOAD_TYPE.start;

/// Room for fields that a later version may add. No known writer exceeds 116.
const HEADER_LENGTH_MAX: usize = 4096;

/// Size of the payload-length field, which follows the header whatever its length.
const PAYLOAD_LENGTH_BYTES: usize = 4;

const SCHEMA_VERSION: u32 = 1;

/// One frame of a control channel or a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentMessage {
    /// What the message is for.
    pub message_type: MessageType,
    /// When its writer made it, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Position in its direction of the stream; 0 for messages that are not part of the stream.
    pub sequence_number: i64,
    /// Decoration: no reader of AWS looks at it.
    pub flags: Flags,
    /// Random, never used twice except in a resent message, which is the same bytes again.
    pub message_id: Uuid,
    /// How to read the payload of a stream message.
    pub payload_type: PayloadType,
    /// The content, encrypted already if the session is.
    pub payload: Bytes,
}

impl AgentMessage {
    /// Reads one frame. The payload is a slice of `frame`: nothing is copied.
    ///
    /// Readers of AWS take the payload from `HeaderLength + 4` to the end of the frame, whatever `PayloadLength` says;
    /// so does this one. The digest is verified for stream messages and acknowledgements only, because AWS's service
    /// sends its own messages with wrong digests. An empty payload needs no digest.
    ///
    /// # Errors
    /// The frame must be dropped, without an answer, and never forwarded: AWS's programs crash on some of these.
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        Self::decode_with(frame, PayloadDigest::Needed)
    }

    /// As [`Self::decode`], where the digest of stream messages may be missing.
    ///
    /// # Errors
    /// As for [`Self::decode`].
    pub fn decode_with(frame: Bytes, needed: PayloadDigest) -> Result<Self, DecodeError> {
        let reader = Reader(&frame);
        let header_length = u32::from_be_bytes(reader.array("HeaderLength", offset::HEADER_LENGTH)?);
        let message_type = message_type(reader.slice("MessageType", offset::MESSAGE_TYPE)?)?;
        let created_ms = u64::from_be_bytes(reader.array("CreatedDate", offset::CREATED_DATE)?);
        let sequence_number = i64::from_be_bytes(reader.array("SequenceNumber", offset::SEQUENCE_NUMBER)?);
        let flags = Flags(u64::from_be_bytes(reader.array("Flags", offset::FLAGS)?));
        let message_id = swap_halves(reader.array("MessageId", offset::MESSAGE_ID)?);
        let digest: [u8; 32] = reader.array("PayloadDigest", offset::PAYLOAD_DIGEST)?;

        let payload_start = match usize::try_from(header_length) {
            Ok(length @ HEADER_LENGTH_MIN..=HEADER_LENGTH_MAX) => length + PAYLOAD_LENGTH_BYTES,
            _ => return Err(DecodeError::HeaderLength(header_length)),
        };
        let has_payload_type = payload_start >= PAYLOAD_OFFSET;
        let payload_type = if has_payload_type {
            PayloadType::from(u32::from_be_bytes(reader.array("PayloadType", offset::PAYLOAD_TYPE)?))
        } else {
            PayloadType::None
        };
        if frame.len() < payload_start {
            return Err(DecodeError::TooShort { field: "PayloadLength" });
        }
        // Both are so in AWS's readers; its plugin lets publication messages pass without any check.
        if created_ms == 0 && !message_type.is_publication() {
            return Err(DecodeError::CreatedDateZero);
        }
        let payload = frame.slice(payload_start..);
        let may_lack = needed == PayloadDigest::Spared && message_type.is_stream() && digest == NO_DIGEST;
        let needs_digest = message_type.is_stream() || message_type == MessageType::Acknowledge;
        if needs_digest
            && !may_lack
            && !payload.is_empty()
            && sha256(&payload) != digest
            && !is_hexadecimal_text(&digest)
        {
            return Err(DecodeError::PayloadDigest);
        }
        Ok(Self {
            message_type,
            created_ms,
            sequence_number,
            flags,
            message_id: Uuid::from_bytes(message_id),
            payload_type,
            payload,
        })
    }

    /// Writes the frame, with schema version 1 and the digest of the payload.
    ///
    /// AWS's agent dislikes a frame without payload; give control messages at least `{}`.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        self.encode_with(PayloadDigest::Needed)
    }

    /// As [`Self::encode`], with or without the digest of a stream message.
    #[must_use]
    pub fn encode_with(&self, digest: PayloadDigest) -> Bytes {
        let is_spared = digest == PayloadDigest::Spared && self.message_type.is_stream();
        let digest = if is_spared { NO_DIGEST } else { sha256(&self.payload) };
        let payload_length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut frame = BytesMut::with_capacity(PAYLOAD_OFFSET + self.payload.len());
        frame.put_u32(HEADER_LENGTH as u32);
        frame.put_slice(&padded_name(&self.message_type));
        frame.put_u32(SCHEMA_VERSION);
        frame.put_u64(self.created_ms);
        frame.put_i64(self.sequence_number);
        frame.put_u64(self.flags.0);
        frame.put_slice(&swap_halves(self.message_id.into_bytes()));
        frame.put_slice(&digest);
        frame.put_u32(self.payload_type.into());
        frame.put_u32(payload_length);
        frame.put_slice(&self.payload);
        frame.freeze()
    }
}

/// Whether stream messages carry the SHA-256 digest of their payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadDigest {
    /// As AWS's programs need it.
    Needed,
    /// In tunnels, where both ends are Postern's: TLS guards each leg, the digest has no key, and making and checking it three
    /// times takes a third of all work. There are zeros in its place.
    Spared,
}

const NO_DIGEST: [u8; 32] = [0; 32];

/// What a message is for. The names are AWS's, where they do not say that they are ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Client to agent: part of the stream, numbered and acknowledged.
    InputStreamData,
    /// Agent to client: part of the stream, numbered and acknowledged.
    OutputStreamData,
    /// The receiver of one stream message has taken it.
    Acknowledge,
    /// The session is over.
    ChannelClosed,
    /// The other side is there.
    StartPublication,
    /// The other side is away.
    PausePublication,
    /// Agent to server: the session began, or is about to end.
    AgentSessionState,
    /// Ours, server to client, for Postern's own clients: a text for the user that is no part of the stream.
    Notice,
    /// Ours, server to client, to one that takes a session over: where the input stands.
    InputPlace,
    /// Control channel: start a session.
    InteractiveShell,
    /// Control channel, agent to server: result of a session.
    AgentTaskComplete,
    /// Control channel: the result has arrived.
    AgentTaskAcknowledge,
    /// Defined by AWS, never sent.
    AgentTaskReply,
    /// Control channel: run a command, or cancel one.
    AgentJob,
    /// Control channel, agent to server: the job was taken, or why not.
    AgentJobAck,
    /// Control channel, agent to server: progress or result of a job.
    AgentJobReply,
    /// Control channel: the reply has arrived.
    AgentJobReplyAck,
    /// Control channel, agent to server: counters.
    AgentTelemetry,
    /// Control channel, agent to server: counters of newer agents.
    AgentTelemetryV2,
    /// Control channel, agent to server: the agent replaced itself.
    AgentUpdateResult,
    /// Control channel, server to agent: sent only to those who asked for it.
    ControlChannelReady,
    /// A name that we do not know, at most 32 visible ASCII characters.
    Unknown(String),
}

/// Each known type with its name.
const NAMES: [(MessageType, &str); 21] = [
    (MessageType::InputStreamData, "input_stream_data"),
    (MessageType::OutputStreamData, "output_stream_data"),
    (MessageType::Acknowledge, "acknowledge"),
    (MessageType::ChannelClosed, "channel_closed"),
    (MessageType::StartPublication, "start_publication"),
    (MessageType::PausePublication, "pause_publication"),
    (MessageType::AgentSessionState, "agent_session_state"),
    (MessageType::Notice, "postern_notice"),
    (MessageType::InputPlace, "postern_input_place"),
    (MessageType::InteractiveShell, "interactive_shell"),
    (MessageType::AgentTaskComplete, "agent_task_complete"),
    (MessageType::AgentTaskAcknowledge, "agent_task_acknowledge"),
    (MessageType::AgentTaskReply, "agent_task_reply"),
    (MessageType::AgentJob, "agent_job"),
    (MessageType::AgentJobAck, "agent_job_ack"),
    (MessageType::AgentJobReply, "agent_job_reply"),
    (MessageType::AgentJobReplyAck, "agent_job_reply_ack"),
    (MessageType::AgentTelemetry, "agent_telemetry"),
    (MessageType::AgentTelemetryV2, "agent_telemetry_v2"),
    (MessageType::AgentUpdateResult, "agent_update_result"),
    (MessageType::ControlChannelReady, "control_channel_ready"),
];

impl MessageType {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Unknown(name) = self {
            return name;
        }
        NAMES.iter().find(|(known, _)| known == self).map_or("", |(_, name)| name)
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map_or_else(|| Self::Unknown(name.to_owned()), |(known, _)| known.clone())
    }

    /// Whether messages of this type are numbered and acknowledged.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::InputStreamData | Self::OutputStreamData)
    }

    fn is_publication(&self) -> bool {
        matches!(self, Self::StartPublication | Self::PausePublication)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How to read the payload of a stream message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadType {
    /// JSON of a message outside the stream.
    None,
    /// Bytes of the terminal or the connection, in both directions.
    Output,
    /// Defined by AWS, never sent.
    Error,
    /// The client's terminal has this size.
    Size,
    /// Defined by AWS, never sent.
    Parameter,
    /// The agent asks the client to prepare.
    HandshakeRequest,
    /// The client has prepared.
    HandshakeResponse,
    /// The session may begin.
    HandshakeComplete,
    /// The agent proves that it has the session's key.
    EncChallengeRequest,
    /// The client proves that it has the session's key.
    EncChallengeResponse,
    /// A number with a meaning of its own, see [`crate::payload::Flag`].
    Flag,
    /// Bytes of a command's standard error.
    StdErr,
    /// Text `EXIT_CODE: n`.
    ExitCode,
    /// A number that we do not know.
    Unknown(u32),
}

impl From<u32> for PayloadType {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Output,
            2 => Self::Error,
            3 => Self::Size,
            4 => Self::Parameter,
            5 => Self::HandshakeRequest,
            6 => Self::HandshakeResponse,
            7 => Self::HandshakeComplete,
            8 => Self::EncChallengeRequest,
            9 => Self::EncChallengeResponse,
            10 => Self::Flag,
            11 => Self::StdErr,
            12 => Self::ExitCode,
            unknown => Self::Unknown(unknown),
        }
    }
}

impl From<PayloadType> for u32 {
    fn from(payload_type: PayloadType) -> Self {
        match payload_type {
            PayloadType::None => 0,
            PayloadType::Output => 1,
            PayloadType::Error => 2,
            PayloadType::Size => 3,
            PayloadType::Parameter => 4,
            PayloadType::HandshakeRequest => 5,
            PayloadType::HandshakeResponse => 6,
            PayloadType::HandshakeComplete => 7,
            PayloadType::EncChallengeRequest => 8,
            PayloadType::EncChallengeResponse => 9,
            PayloadType::Flag => 10,
            PayloadType::StdErr => 11,
            PayloadType::ExitCode => 12,
            PayloadType::Unknown(number) => number,
        }
    }
}

/// The flags field: bit 0 is SYN, bit 1 is FIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u64);

impl Flags {
    /// Most messages.
    pub const NONE: Self = Self(0);
    /// AWS's agent sets it on its first stream message.
    pub const SYN: Self = Self(1);
    /// Acknowledgements and session states.
    pub const SYN_FIN: Self = Self(3);
}

/// Why a frame is not an agent message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame ends before or inside a field.
    #[error("frame ends before the end of {field}")]
    TooShort {
        /// AWS's name of the field.
        field: &'static str,
    },
    /// The header-length field is not one that a writer would send.
    #[error("HeaderLength {0} is not in {HEADER_LENGTH_MIN}..={HEADER_LENGTH_MAX}")]
    HeaderLength(u32),
    /// The message type is empty, or holds more than visible ASCII characters.
    #[error("MessageType is not a name")]
    MessageType,
    /// AWS's programs refuse such a message, so we do not let it pass either.
    #[error("CreatedDate is zero")]
    CreatedDateZero,
    /// The payload was changed on its way.
    #[error("payload does not have the SHA-256 digest that PayloadDigest gives")]
    PayloadDigest,
    /// The message is sound, but the payload is not what its type promises.
    #[error("payload of {message_type} cannot be read")]
    Payload {
        /// The type of the message.
        message_type: MessageType,
        /// What is wrong with the payload.
        #[source]
        source: crate::PayloadError,
    },
}

/// Reads fields at fixed places and names the one that is missing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn slice(&self, field: &'static str, at: std::ops::Range<usize>) -> Result<&'a [u8], DecodeError> {
        self.0.get(at).ok_or(DecodeError::TooShort { field })
    }

    fn array<const N: usize>(
        &self,
        field: &'static str,
        at: std::ops::Range<usize>,
    ) -> Result<[u8; N], DecodeError> {
        self.slice(field, at)?.try_into().map_err(|_| DecodeError::TooShort { field })
    }
}

/// Writers pad with spaces, AWS's service with NULs: readers trim NULs first, then white space. Readers of AWS would
/// take any characters; a name that cannot be printed safely is of no use to anybody.
fn message_type(padded: &[u8]) -> Result<MessageType, DecodeError> {
    let name = std::str::from_utf8(padded).map_err(|_| DecodeError::MessageType)?;
    let name = name.trim_matches('\0').trim();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(DecodeError::MessageType);
    }
    Ok(MessageType::from_name(name))
}

/// npm's `ssm-session` writes the first 32 hexadecimal digits of the digest instead of its 32 bytes, and for some
/// payloads those of another text. There is nothing to verify then, as in AWS's agent, which verifies no digest.
/// A digest of bytes looks like this once in 10^38 times.
fn is_hexadecimal_text(digest: &[u8; 32]) -> bool {
    digest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name longer than the field cannot be written; it is cut.
fn padded_name(message_type: &MessageType) -> [u8; 32] {
    let mut padded = [b' '; 32];
    for (to, from) in padded.iter_mut().zip(message_type.as_str().bytes()) {
        *to = from;
    }
    padded
}

/// A message ID is written low half first: bytes 8..16 of the UUID, then bytes 0..8.
fn swap_halves(mut id: [u8; 16]) -> [u8; 16] {
    id.rotate_left(8);
    id
}

fn sha256(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(message_type: MessageType) -> AgentMessage {
        AgentMessage {
            message_type,
            created_ms: 1,
            sequence_number: 0,
            flags: Flags::NONE,
            message_id: Uuid::nil(),
            payload_type: PayloadType::Output,
            payload: "hello".into(),
        }
    }

    #[test]
    fn a_digest_may_be_missing_only_where_that_is_agreed() {
        let stream = message(MessageType::InputStreamData).encode_with(PayloadDigest::Spared);
        assert_eq!(AgentMessage::decode(stream.clone()), Err(DecodeError::PayloadDigest));
        assert_eq!(
            AgentMessage::decode_with(stream.clone(), PayloadDigest::Spared),
            Ok(message(MessageType::InputStreamData))
        );
        let mut wrong = stream.to_vec();
        wrong[offset::PAYLOAD_DIGEST.start] = 1;
        let wrong = AgentMessage::decode_with(wrong.into(), PayloadDigest::Spared);
        assert_eq!(wrong, Err(DecodeError::PayloadDigest), "one that is there must be right");
        let acknowledge = message(MessageType::Acknowledge);
        assert_eq!(acknowledge.encode_with(PayloadDigest::Spared), acknowledge.encode());
    }

    #[test]
    fn reading_copies_no_payload() {
        let frame = message(MessageType::OutputStreamData).encode();
        let read = AgentMessage::decode(frame.clone()).unwrap();
        assert_eq!(read.payload.as_ptr(), frame[PAYLOAD_OFFSET..].as_ptr());
    }

    #[test]
    fn every_name_fits_its_field_and_comes_back() {
        for (message_type, name) in NAMES {
            assert!(name.len() <= offset::MESSAGE_TYPE.len(), "{name}");
            let read = AgentMessage::decode(message(message_type.clone()).encode()).unwrap();
            assert_eq!(read.message_type, message_type);
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut() {
        let read = AgentMessage::decode(message(MessageType::Unknown("n".repeat(40))).encode()).unwrap();
        assert_eq!(read.message_type, MessageType::Unknown("n".repeat(32)));
    }

    #[test]
    fn every_payload_type_comes_back() {
        for number in (0..20).chain([u32::MAX]) {
            assert_eq!(u32::from(PayloadType::from(number)), number);
        }
    }
}
