//! Any bytes are an agent message or an error, and a message is read the same after it was written.

use postern_protocol::{AgentMessage, Flags, MessageType, PayloadType};
use uuid::Uuid;

pub(crate) fn run(frame: &[u8]) {
    if let Ok(message) = AgentMessage::decode(frame.to_vec().into()) {
        assert_eq!(AgentMessage::decode(message.encode()), Ok(message));
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let message = |message_type, payload: &'static [u8]| AgentMessage {
        message_type,
        created_ms: 1_700_000_000_000,
        sequence_number: 7,
        flags: Flags::NONE,
        message_id: Uuid::from_u128(0x1234_5678_9abc_def0),
        payload_type: PayloadType::Output,
        payload: payload.into(),
    };
    [
        message(MessageType::InputStreamData, b"ls\r"),
        message(MessageType::Acknowledge, br#"{"AcknowledgedMessageSequenceNumber":3}"#),
        message(MessageType::StartPublication, b""),
    ]
    .map(|message| message.encode().to_vec())
    .into()
}
