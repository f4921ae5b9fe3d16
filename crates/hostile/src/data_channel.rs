//! A hostile peer and an application in any state: the stream stays in order and memory within limits.

use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use postern_protocol::{
    AgentMessage, ChannelLimits, DataChannel, Event, Flags, MessageType, PayloadType, Role, Stamp,
};
use uuid::Uuid;

#[derive(Debug, Arbitrary)]
enum Action {
    Frame(Vec<u8>),
    /// A frame whose digest is right.
    Message {
        message_type: u8,
        sequence_number: i8,
        payload_type: u8,
        payload: Vec<u8>,
    },
    Acknowledgement {
        sequence_number: i16,
    },
    Send(Vec<u8>),
    Consume(i8),
    Transmit,
    Wait {
        milliseconds: u16,
    },
    Connect,
    Disconnect,
}

const TYPES: [MessageType; 9] = [
    MessageType::InputStreamData,
    MessageType::OutputStreamData,
    MessageType::Acknowledge,
    MessageType::ChannelClosed,
    MessageType::StartPublication,
    MessageType::PausePublication,
    MessageType::AgentSessionState,
    MessageType::Notice,
    MessageType::AgentJob,
];

/// Small, so that all are reached.
const LIMITS: ChannelLimits = ChannelLimits {
    unacknowledged_bytes_max: 1000,
    unacknowledged_messages_max: 6,
    unsent_bytes_max: usize::MAX,
    out_of_order_messages_max: 4,
    out_of_order_bytes_max: 40,
    unconsumed_messages_max: 5,
    unconsumed_bytes_max: 100,
};

fn stamp() -> Stamp {
    Stamp { message_id: Uuid::nil(), created_ms: 1 }
}

fn message(
    message_type: MessageType,
    sequence_number: i64,
    payload_type: u8,
    payload: Vec<u8>,
) -> AgentMessage {
    AgentMessage {
        message_type,
        created_ms: 1,
        sequence_number,
        flags: Flags::NONE,
        message_id: Uuid::nil(),
        payload_type: PayloadType::from(u32::from(payload_type)),
        payload: payload.into(),
    }
}

pub(crate) fn run(input: &[u8]) {
    let Some((is_client, actions)) = crate::value::<(bool, Vec<Action>)>(input) else { return };
    let mut now = Instant::now();
    let mut channel = DataChannel::new(if is_client { Role::Client } else { Role::Agent }, LIMITS);
    let (mut expected, mut sent) = (0, 0);
    for action in actions {
        match action {
            Action::Frame(frame) => _ = channel.handle_frame(frame.into(), now),
            Action::Message { message_type, sequence_number, payload_type, payload } => {
                let message_type = TYPES[usize::from(message_type) % TYPES.len()].clone();
                let message = message(message_type, sequence_number.into(), payload_type, payload);
                _ = channel.handle_frame(message.encode(), now);
            }
            Action::Acknowledgement { sequence_number } => {
                let payload = format!("{{\"AcknowledgedMessageSequenceNumber\":{sequence_number}}}");
                let message = message(MessageType::Acknowledge, 0, 0, payload.into());
                channel.handle_frame(message.encode(), now).expect("a sound acknowledgement");
            }
            Action::Send(payload) => {
                let (has_room, bytes) = (channel.has_room(), payload.len());
                match channel.send(PayloadType::Output, payload.into(), stamp(), now) {
                    Ok(number) => {
                        assert!(has_room && number == sent, "number {number}");
                        sent += 1;
                        assert!(
                            channel.unacknowledged_bytes() < LIMITS.unacknowledged_bytes_max + 120 + bytes
                        );
                    }
                    Err(_full) => assert!(!has_room),
                }
            }
            Action::Consume(number) => channel.acknowledge(number.into()),
            Action::Transmit => {
                let frames = std::iter::from_fn(|| channel.poll_transmit(now, &mut stamp)).count();
                assert!(frames <= 32, "{frames} frames at once");
                assert!(channel.poll_timeout().is_none_or(|at| at > now));
            }
            Action::Wait { milliseconds } => now += Duration::from_millis(milliseconds.into()),
            Action::Connect => channel.handle_connected(now),
            Action::Disconnect => channel.handle_disconnected(),
        }
        while let Some(event) = channel.poll_event() {
            if let Event::Stream { sequence_number, .. } = event {
                assert_eq!(sequence_number, expected);
                expected += 1;
            }
        }
    }
}
