//! Frames from a peer that means harm: no panic, and memory stays within the limits.

use std::time::Instant;

use bytes::Bytes;
use postern_protocol::payload::Acknowledge;
use postern_protocol::{
    AgentMessage, ChannelLimits, DataChannel, Event, Flags, MessageType, PayloadType, Role, Stamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

fn stamp() -> Stamp {
    Stamp { message_id: Uuid::nil(), created_ms: 1 }
}

fn message_type() -> impl Strategy<Value = MessageType> {
    prop_oneof![
        3 => Just(MessageType::InputStreamData),
        3 => Just(MessageType::OutputStreamData),
        2 => Just(MessageType::Acknowledge),
        1 => Just(MessageType::ChannelClosed),
        1 => Just(MessageType::StartPublication),
        1 => Just(MessageType::PausePublication),
        1 => Just(MessageType::AgentSessionState),
        1 => ".{0,40}".prop_map(MessageType::Unknown),
    ]
}

fn sequence_number() -> impl Strategy<Value = i64> {
    prop_oneof![0..20_i64, any::<i64>(), Just(i64::MAX), Just(i64::MIN)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        sequence_number().prop_map(|number| {
            Acknowledge::of(&MessageType::OutputStreamData, Uuid::nil(), number).to_json().to_vec()
        }),
        "\\{\"[A-Za-z]{1,12}\":(null|1|\"x\"|\\[\\]|\\{\\})\\}".prop_map(String::into_bytes),
    ]
}

/// A message that is well made, with some of its bytes changed perhaps.
fn frame() -> impl Strategy<Value = Bytes> {
    let message = (message_type(), any::<u64>(), sequence_number(), any::<u32>(), payload()).prop_map(
        |(message_type, created_ms, sequence_number, payload_type, payload)| AgentMessage {
            message_type,
            created_ms,
            sequence_number,
            flags: Flags::NONE,
            message_id: Uuid::nil(),
            payload_type: PayloadType::from(payload_type),
            payload: payload.into(),
        },
    );
    let changes = prop_oneof![3 => Just(vec![]), 1 => vec((any::<usize>(), any::<u8>()), 1..4)];
    (message, changes, prop_oneof![5 => Just(usize::MAX), 1 => 0..200_usize]).prop_map(
        |(message, changes, length)| {
            let mut frame = message.encode().to_vec();
            for (at, byte) in changes {
                let at = at % frame.len();
                frame[at] = byte;
            }
            frame.truncate(length);
            frame.into()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
        _ = AgentMessage::decode(bytes.into());
    }

    #[test]
    fn what_was_read_is_read_the_same_after_writing(frame in frame()) {
        if let Ok(message) = AgentMessage::decode(frame) {
            prop_assert_eq!(AgentMessage::decode(message.encode()), Ok(message));
        }
    }

    #[test]
    fn hostile_frames_never_panic_and_never_reorder(
        frames in vec(frame(), 0..100),
        is_client in any::<bool>(),
        consumes in any::<bool>(),
    ) {
        let now = Instant::now();
        let role = if is_client { Role::Client } else { Role::Agent };
        let mut channel = DataChannel::new(role, ChannelLimits::default());
        channel.handle_connected(now);
        let mut expected = 0;
        for frame in frames {
            _ = channel.send(PayloadType::Output, "x".into(), stamp(), now);
            _ = channel.handle_frame(frame, now);
            while let Some(event) = channel.poll_event() {
                if let Event::Stream { sequence_number, .. } = event {
                    prop_assert_eq!(sequence_number, expected);
                    expected += 1;
                    if consumes {
                        channel.acknowledge(sequence_number);
                    }
                }
            }
            while channel.poll_transmit(now, &mut stamp).is_some() {}
        }
    }
}

fn message(message_type: MessageType, sequence_number: i64, payload: Bytes) -> Bytes {
    let message = AgentMessage {
        message_type,
        created_ms: 1,
        sequence_number,
        flags: Flags::NONE,
        message_id: Uuid::nil(),
        payload_type: PayloadType::Output,
        payload,
    };
    message.encode()
}

/// Sends `frames` to an agent whose application and socket are stuck, and counts what it holds.
fn flood(frames: impl Iterator<Item = Bytes>) -> (usize, usize) {
    let now = Instant::now();
    let mut agent = DataChannel::new(Role::Agent, ChannelLimits::default());
    agent.handle_connected(now);
    for frame in frames {
        agent.handle_frame(frame, now).expect("these frames are sound");
    }
    let events = std::iter::from_fn(|| agent.poll_event()).count();
    let frames = std::iter::from_fn(|| agent.poll_transmit(now, &mut stamp)).count();
    (events, frames)
}

#[test]
fn floods_are_bounded() {
    let limits = ChannelLimits::default();
    let input = |number| message(MessageType::InputStreamData, number, "x".into());
    assert_eq!(flood((0..40_000).map(input)), (limits.unconsumed_messages_max, 0));

    let large = Bytes::from(vec![0; 1 << 20]);
    let large_input = |number| message(MessageType::InputStreamData, number, large.clone());
    assert_eq!(flood((0..40).map(large_input)).0, limits.unconsumed_bytes_max >> 20);

    let early = (0..40_000).rev().map(input);
    assert_eq!(flood(early), (1, 0), "the early ones that were kept are not those that follow number 0");

    let paused = (0..40_000).map(|_| message(MessageType::PausePublication, 0, "{}".into()));
    assert!(flood(paused).0 < 100);

    let closed = (0..40_000).map(|_| message(MessageType::ChannelClosed, 0, "nonsense".into()));
    assert_eq!(flood(closed).0, 1);
}

#[test]
fn repeated_duplicates_do_not_pile_up_acknowledgements() {
    let now = Instant::now();
    let mut agent = DataChannel::new(Role::Agent, ChannelLimits::default());
    agent.handle_connected(now);
    let input = message(MessageType::InputStreamData, 0, "x".into());
    agent.handle_frame(input.clone(), now).unwrap();
    agent.acknowledge(0);
    for _ in 0..40_000 {
        agent.handle_frame(input.clone(), now).unwrap();
    }
    let acknowledgements = std::iter::from_fn(|| agent.poll_transmit(now, &mut stamp)).count();
    assert!(acknowledgements <= ChannelLimits::default().unconsumed_messages_max);
}

#[test]
fn frames_of_the_wrong_direction_are_ignored() {
    let output = message(MessageType::OutputStreamData, 0, "x".into());
    assert_eq!(flood(std::iter::once(output)), (0, 0));
}
