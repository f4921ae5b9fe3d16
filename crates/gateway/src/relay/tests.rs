//! The relay in virtual time: no sockets, no clock.

use std::collections::BTreeMap;

use postern_protocol::payload::{Stamp, State};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn stamps() -> impl FnMut() -> Stamp {
    let mut next = 0;
    move || {
        next += 1;
        Stamp { message_id: Uuid::from_u128(next), created_ms: 1 }
    }
}

fn stream(from: Side, number: i64, payload: &[u8]) -> Bytes {
    frame_of(from, number, PayloadType::Output, payload)
}

fn typed(from: Side, number: i64, payload_type: PayloadType) -> Bytes {
    frame_of(from, number, payload_type, b"{}")
}

fn frame_of(from: Side, number: i64, payload_type: PayloadType, payload: &[u8]) -> Bytes {
    let message_type = match from {
        Side::Client => MessageType::InputStreamData,
        Side::Agent => MessageType::OutputStreamData,
    };
    AgentMessage {
        message_type,
        created_ms: 1,
        sequence_number: number,
        flags: postern_protocol::Flags::NONE,
        message_id: Uuid::from_u128(0xabc),
        payload_type,
        payload: Bytes::copy_from_slice(payload),
    }
    .encode()
}

fn acknowledgement(of: &Bytes) -> Bytes {
    let message = AgentMessage::decode(of.clone()).unwrap();
    let acknowledge = Acknowledge::of(&message.message_type, message.message_id, message.sequence_number);
    acknowledge.to_message(Stamp { message_id: Uuid::from_u128(0xdef), created_ms: 1 }).encode()
}

fn number_acknowledged(frame: &Bytes) -> i64 {
    let message = AgentMessage::decode(frame.clone()).unwrap();
    assert_eq!(message.message_type, MessageType::Acknowledge);
    Acknowledge::acknowledged(&message.payload).unwrap().sequence_number()
}

/// Hands a frame in and, as the driver does, records what must be recorded.
fn handle(relay: &mut Relay, side: Side, frame: &Bytes) -> Received {
    let received = relay.handle_frame(side, frame.clone(), &mut stamps()).unwrap();
    let recorded = relay.take_unrecorded();
    relay.handle_recorded(recorded);
    received
}

fn drain(relay: &mut Relay, side: Side) -> Vec<Transmit> {
    std::iter::from_fn(|| relay.poll_transmit(side)).collect()
}

fn attached() -> Relay {
    let mut relay = Relay::new();
    relay.handle_attached(Side::Client);
    relay.handle_attached(Side::Agent);
    relay
}

#[test]
fn frames_pass_unchanged_and_are_held_until_they_are_acknowledged() {
    let mut relay = attached();
    let frame = stream(Side::Agent, 0, b"hello");
    assert!(matches!(handle(&mut relay, Side::Agent, &frame), Received::Stream { .. }));
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(frame.clone())]);
    assert!(!relay.is_delivered());
    let acknowledge = acknowledgement(&frame);
    handle(&mut relay, Side::Client, &acknowledge);
    assert!(relay.is_delivered());
    assert_eq!(drain(&mut relay, Side::Agent), [Transmit::Frame(acknowledge)]);
}

#[test]
fn output_waits_until_it_is_on_the_record() {
    let mut relay = attached();
    let frame = stream(Side::Agent, 0, b"secret");
    relay.handle_frame(Side::Agent, frame.clone(), &mut stamps()).unwrap();
    assert_eq!(drain(&mut relay, Side::Client), []);
    let recorded = relay.take_unrecorded();
    assert_eq!(recorded[0].payload, b"secret".as_slice());
    relay.handle_recorded(recorded);
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(frame)]);
}

#[test]
fn what_was_acknowledged_is_answered_in_the_receivers_place() {
    let mut relay = attached();
    let frame = stream(Side::Agent, 0, b"hello");
    handle(&mut relay, Side::Agent, &frame);
    drain(&mut relay, Side::Client);
    handle(&mut relay, Side::Client, &acknowledgement(&frame));
    drain(&mut relay, Side::Agent);
    // AWS's agent missed the acknowledgement and repeats itself. The plugin would say nothing.
    assert_eq!(handle(&mut relay, Side::Agent, &frame), Received::Nothing);
    assert_eq!(drain(&mut relay, Side::Client), []);
    let [Transmit::Frame(answer)] = &drain(&mut relay, Side::Agent)[..] else { panic!("one answer") };
    assert_eq!(number_acknowledged(answer), 0);
}

#[test]
fn a_repetition_of_what_is_not_acknowledged_is_passed_on() {
    // AWS's plugin throws output away that comes before it is set up; only a repetition brings it back.
    let mut relay = attached();
    let frame = stream(Side::Agent, 0, b"hello");
    handle(&mut relay, Side::Agent, &frame);
    drain(&mut relay, Side::Client);
    handle(&mut relay, Side::Agent, &frame);
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(frame)]);
}

#[test]
fn early_output_waits_for_the_gap_to_be_filled() {
    let mut relay = attached();
    let frames: Vec<Bytes> = (0..3).map(|number| stream(Side::Agent, number, b"x")).collect();
    handle(&mut relay, Side::Agent, &frames[2]);
    handle(&mut relay, Side::Agent, &frames[1]);
    assert_eq!(drain(&mut relay, Side::Client), []);
    handle(&mut relay, Side::Agent, &frames[0]);
    let expected: Vec<Transmit> = frames.into_iter().map(Transmit::Frame).collect();
    assert_eq!(drain(&mut relay, Side::Client), expected);
}

#[test]
fn a_client_that_comes_back_gets_what_it_missed_at_once() {
    let mut relay = attached();
    handle(&mut relay, Side::Client, &stream(Side::Client, 0, b"x"));
    let first = stream(Side::Agent, 0, b"a");
    handle(&mut relay, Side::Agent, &first);
    drain(&mut relay, Side::Client);
    relay.handle_detached(Side::Client);
    let second = stream(Side::Agent, 1, b"b");
    handle(&mut relay, Side::Agent, &second);
    assert_eq!(drain(&mut relay, Side::Client), []);
    relay.handle_attached(Side::Client);
    let [a, b, fence] = &drain(&mut relay, Side::Client)[..] else { panic!("two frames and a fence") };
    assert_eq!((a, b), (&Transmit::Frame(first.clone()), &Transmit::Frame(second.clone())));
    let Transmit::Fence(fence) = fence else { panic!("{fence:?}") };
    // It had the first one, whose acknowledgement was lost with the connection, and says nothing to it.
    handle(&mut relay, Side::Client, &acknowledgement(&second));
    drain(&mut relay, Side::Agent);
    relay.handle_pong(*fence, &mut stamps());
    let [Transmit::Frame(answer)] = &drain(&mut relay, Side::Agent)[..] else { panic!("one answer") };
    assert_eq!(number_acknowledged(answer), 0);
    assert!(relay.is_delivered());
}

#[test]
fn no_fence_before_the_client_is_set_up() {
    let mut relay = attached();
    handle(&mut relay, Side::Agent, &stream(Side::Agent, 0, b"a"));
    drain(&mut relay, Side::Client);
    relay.handle_attached(Side::Client);
    assert!(drain(&mut relay, Side::Client).iter().all(|transmit| matches!(transmit, Transmit::Frame(_))));
    // Once it is, the doubt is settled.
    handle(&mut relay, Side::Client, &stream(Side::Client, 0, b"x"));
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Fence(0)]);
}

#[test]
fn after_a_restart_the_agents_repetitions_are_passed_on_but_not_recorded_again() {
    let mut relay = Relay::restored(5);
    relay.handle_attached(Side::Client);
    relay.handle_attached(Side::Agent);
    let old = stream(Side::Agent, 4, b"old");
    relay.handle_frame(Side::Agent, old.clone(), &mut stamps()).unwrap();
    assert!(relay.take_unrecorded().is_empty());
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(old), Transmit::Fence(0)]);
    let new = stream(Side::Agent, 5, b"new");
    relay.handle_frame(Side::Agent, new, &mut stamps()).unwrap();
    assert_eq!(relay.take_unrecorded().len(), 1);
}

#[test]
fn a_slow_client_slows_the_agent_down() {
    let mut relay = attached();
    let payload = vec![b'x'; 64 * 1024];
    let mut number = 0;
    while relay.wants_frames(Side::Agent) {
        handle(&mut relay, Side::Agent, &stream(Side::Agent, number, &payload));
        number += 1;
    }
    assert!((16..=17).contains(&number), "a MiB is queued: {number}");
    assert!(relay.wants_frames(Side::Client), "acknowledgements still come in");
    drain(&mut relay, Side::Client);
    assert!(relay.wants_frames(Side::Agent));
}

#[test]
fn a_client_that_never_acknowledges_is_bounded() {
    let mut relay = attached();
    let payload = vec![b'x'; 64 * 1024];
    let mut number = 0;
    while relay.wants_frames(Side::Agent) {
        handle(&mut relay, Side::Agent, &stream(Side::Agent, number, &payload));
        drain(&mut relay, Side::Client);
        number += 1;
        assert!(number < 1_000, "unbounded");
    }
    assert!(relay.output.held_bytes <= Relay::HELD_BYTES_MAX + payload.len() + 200);
}

#[test]
fn while_the_client_is_away_the_agent_is_read_and_held_frames_are_bounded() {
    let mut relay = attached();
    relay.handle_detached(Side::Client);
    let payload = vec![b'x'; 64 * 1024];
    for number in 0..1_000 {
        assert!(relay.wants_frames(Side::Agent));
        handle(&mut relay, Side::Agent, &stream(Side::Agent, number, &payload));
    }
    assert!(relay.output.held_bytes <= Relay::HELD_BYTES_MAX + payload.len() + 200);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_goes_nowhere() {
    let mut relay = attached();
    for number in [-1, 0, i64::MAX] {
        handle(&mut relay, Side::Client, &acknowledgement(&stream(Side::Agent, number, b"x")));
    }
    assert_eq!(drain(&mut relay, Side::Agent), []);
    assert!(matches!(
        handle(&mut relay, Side::Agent, &stream(Side::Agent, 0, b"x")),
        Received::Stream { .. }
    ));
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    let mut relay = attached();
    let frame = stream(Side::Agent, 0, b"hello");
    handle(&mut relay, Side::Agent, &frame);
    handle(&mut relay, Side::Client, &acknowledgement(&frame));
    for _ in 0..10_000 {
        handle(&mut relay, Side::Agent, &frame);
    }
    assert!(relay.agent.queue_bytes <= Relay::QUEUE_BYTES_MAX + 1024);
}

#[test]
fn an_acknowledgement_of_the_last_number_there_is_does_no_harm() {
    let mut relay = attached();
    handle(&mut relay, Side::Agent, &acknowledgement(&stream(Side::Client, i64::MAX, b"x")));
    assert!(matches!(
        handle(&mut relay, Side::Client, &stream(Side::Client, 0, b"x")),
        Received::Stream { .. }
    ));
}

#[test]
fn what_is_not_of_the_stream_stays_here() {
    let mut relay = attached();
    let stamp = Stamp { message_id: Uuid::from_u128(1), created_ms: 1 };
    let state = SessionState::new(State::Terminating, "alice-1");
    let received = handle(&mut relay, Side::Agent, &state.to_message(stamp).encode());
    assert_eq!(received, Received::SessionState(state.clone()));
    // A client has no session state to report, nor may it speak as the agent.
    assert_eq!(handle(&mut relay, Side::Client, &state.to_message(stamp).encode()), Received::Nothing);
    assert_eq!(handle(&mut relay, Side::Client, &stream(Side::Agent, 0, b"x")), Received::Nothing);
    assert_eq!(handle(&mut relay, Side::Agent, &stream(Side::Client, 0, b"x")), Received::Nothing);
    assert_eq!(drain(&mut relay, Side::Client), []);
    assert_eq!(drain(&mut relay, Side::Agent), []);
}

/// One step of a run against two model ends.
#[derive(Debug, Clone)]
enum Act {
    AgentSends,
    ClientReads,
    AgentReads,
    ClientReconnects,
    AgentReconnects,
    ServerRestarts,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::AgentSends),
        6 => Just(Act::ClientReads),
        6 => Just(Act::AgentReads),
        1 => Just(Act::ClientReconnects),
        1 => Just(Act::AgentReconnects),
        1 => Just(Act::ServerRestarts),
    ]
}

/// An agent that resends, AWS's plugin, which is silent to duplicates, and what the recording holds.
#[derive(Default)]
struct World {
    relay: Relay,
    sent: i64,
    unacknowledged: BTreeMap<i64, Bytes>,
    received: Vec<i64>,
    recorded: Vec<i64>,
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        world.relay.handle_attached(Side::Client);
        world.relay.handle_attached(Side::Agent);
        world.frame(Side::Client, &stream(Side::Client, 0, b"size"));
        world
    }

    fn frame(&mut self, side: Side, frame: &Bytes) {
        self.relay.handle_frame(side, frame.clone(), &mut stamps()).unwrap();
        let recorded = self.relay.take_unrecorded();
        self.recorded.extend(recorded.iter().map(|recordable| recordable.sequence_number));
        self.relay.handle_recorded(recorded);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::AgentSends => {
                let frame = stream(Side::Agent, self.sent, &self.sent.to_be_bytes());
                self.unacknowledged.insert(self.sent, frame.clone());
                self.sent += 1;
                self.frame(Side::Agent, &frame);
            }
            Act::ClientReads => match self.relay.poll_transmit(Side::Client) {
                Some(Transmit::Frame(frame)) => {
                    let message = AgentMessage::decode(frame.clone()).unwrap();
                    if message.sequence_number == self.received.len() as i64 {
                        self.received.push(message.sequence_number);
                        self.frame(Side::Client, &acknowledgement(&frame));
                    }
                }
                Some(Transmit::Fence(fence)) => self.relay.handle_pong(fence, &mut stamps()),
                None => {}
            },
            Act::AgentReads => {
                if let Some(Transmit::Frame(frame)) = self.relay.poll_transmit(Side::Agent)
                    && AgentMessage::decode(frame.clone()).unwrap().message_type == MessageType::Acknowledge
                {
                    self.unacknowledged.remove(&number_acknowledged(&frame));
                }
            }
            Act::ClientReconnects => self.relay.handle_attached(Side::Client),
            Act::AgentReconnects => self.reconnect_agent(),
            Act::ServerRestarts => {
                self.relay = Relay::restored(self.recorded.len() as i64);
                self.relay.handle_attached(Side::Client);
                self.reconnect_agent();
            }
        }
    }

    fn reconnect_agent(&mut self) {
        self.relay.handle_attached(Side::Agent);
        for frame in self.unacknowledged.clone().into_values() {
            self.frame(Side::Agent, &frame);
        }
    }
}

proptest! {
    #[test]
    fn whatever_breaks_all_output_arrives_once_in_order_and_is_recorded_once(acts in proptest::collection::vec(act(), 0..200)) {
        let mut world = World::new();
        acts.iter().for_each(|act| world.act(act));
        // Then everything works for a while; the agent's timer resends.
        world.reconnect_agent();
        for _ in 0..10 * (world.sent + 10) {
            world.act(&Act::ClientReads);
            world.act(&Act::AgentReads);
        }
        let all: Vec<i64> = (0..world.sent).collect();
        prop_assert_eq!(&world.received, &all);
        prop_assert_eq!(&world.recorded, &all);
        prop_assert!(world.unacknowledged.is_empty(), "the agent would resend {:?} for ever", world.unacknowledged.keys());
        prop_assert!(world.relay.is_delivered());
    }
}

#[test]
fn input_that_is_examined_goes_on_in_order_and_once() {
    let mut relay = Relay::examined();
    relay.handle_attached(Side::Client);
    relay.handle_attached(Side::Agent);
    let frames: Vec<Bytes> = (0..3).map(|number| stream(Side::Client, number, &[number as u8])).collect();
    let put = |relay: &mut Relay, frame: &Bytes| {
        relay.handle_frame(Side::Client, frame.clone(), &mut stamps()).unwrap();
    };
    for number in [2, 0, 0, 1] {
        put(&mut relay, &frames[number]);
    }
    assert_eq!(drain(&mut relay, Side::Agent), [], "nobody has examined it");
    let examined = relay.take_unexamined();
    assert_eq!(examined.iter().map(|message| message.sequence_number).collect::<Vec<_>>(), [0, 1, 2]);
    relay.handle_examined(examined);
    let expected: Vec<Transmit> = frames.iter().cloned().map(Transmit::Frame).collect();
    assert_eq!(drain(&mut relay, Side::Agent), expected);
    // A repetition is passed on as it was examined, whatever it holds.
    put(&mut relay, &stream(Side::Client, 1, b"something else"));
    assert!(relay.take_unexamined().is_empty());
    assert_eq!(drain(&mut relay, Side::Agent), [Transmit::Frame(frames[1].clone())]);
    handle(&mut relay, Side::Agent, &acknowledgement(&frames[1]));
    drain(&mut relay, Side::Client);
    put(&mut relay, &frames[1]);
    assert_eq!(drain(&mut relay, Side::Agent), [], "the agent has it");
}

#[test]
fn what_was_not_given_back_never_goes_on() {
    let mut relay = Relay::examined();
    relay.handle_attached(Side::Agent);
    let frame = stream(Side::Client, 0, b"hidden");
    relay.handle_frame(Side::Client, frame.clone(), &mut stamps()).unwrap();
    drop(relay.take_unexamined());
    relay.handle_frame(Side::Client, frame, &mut stamps()).unwrap();
    assert!(relay.take_unexamined().is_empty());
    assert_eq!(drain(&mut relay, Side::Agent), []);
}

/// Handles a frame of input and lets it go on.
fn handle_examined(relay: &mut Relay, frame: &Bytes) {
    handle(relay, Side::Client, frame);
    let examined = relay.take_unexamined();
    relay.handle_examined(examined);
}

#[test]
fn after_a_restart_the_first_message_of_each_side_says_where_it_goes_on() {
    let mut relay = Relay::followed_on(false);
    relay.handle_attached(Side::Client);
    relay.handle_attached(Side::Agent);
    let frame = stream(Side::Agent, 500, b"x");
    assert!(matches!(handle(&mut relay, Side::Agent, &frame), Received::Stream { .. }));
    // An earlier process may have sent it, so a fence follows.
    assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(frame), Transmit::Fence(0)]);
    relay.handle_pong(0, &mut stamps());
    assert!(relay.is_delivered());
    assert_eq!(drain(&mut relay, Side::Agent).len(), 1, "the answer in the client's place");
    let frames: Vec<Bytes> = [70, 72, 71].iter().map(|&number| stream(Side::Client, number, b"x")).collect();
    frames.iter().for_each(|frame| handle_examined(&mut relay, frame));
    let expected = [0, 2, 1].map(|place| Transmit::Frame(frames[place].clone()));
    assert_eq!(drain(&mut relay, Side::Agent), expected);
}

#[test]
fn what_an_earlier_process_examined_may_come_late_where_that_does_no_harm() {
    for (passes_earlier, expected) in [(true, 2), (false, 1)] {
        let mut relay = Relay::followed_on(passes_earlier);
        relay.handle_attached(Side::Agent);
        handle_examined(&mut relay, &stream(Side::Client, 70, b"new"));
        handle_examined(&mut relay, &stream(Side::Client, 69, b"old"));
        assert_eq!(drain(&mut relay, Side::Agent).len(), expected, "{passes_earlier}");
    }
}

#[test]
fn what_is_examined_may_go_on_as_something_else() {
    let mut relay = Relay::followed();
    relay.handle_attached(Side::Agent);
    let frame = stream(Side::Client, 0, b"asks");
    handle(&mut relay, Side::Client, &frame);
    let mut examined = relay.take_unexamined();
    examined[0].replace_payload(Bytes::from_static(b"denied")).unwrap();
    relay.handle_examined(examined);
    // Nor does its repetition bring back what it was.
    handle_examined(&mut relay, &frame);
    let sent = drain(&mut relay, Side::Agent);
    let [Transmit::Frame(sent)] = sent.as_slice() else { panic!("{sent:?}") };
    let (sent, asked) = (AgentMessage::decode(sent.clone()).unwrap(), AgentMessage::decode(frame).unwrap());
    assert_eq!((sent.sequence_number, sent.message_id), (0, asked.message_id));
    assert_eq!(sent.payload, "denied");
}

#[test]
fn a_client_that_sets_itself_up_for_connections_is_left_alone() {
    let done = |number| typed(Side::Agent, number, PayloadType::HandshakeComplete);
    for by_input in [true, false] {
        let mut relay = Relay::followed();
        relay.handle_attached(Side::Client);
        relay.handle_attached(Side::Agent);
        handle(&mut relay, Side::Agent, &typed(Side::Agent, 0, PayloadType::HandshakeRequest));
        drain(&mut relay, Side::Client);
        let response = typed(Side::Client, 0, PayloadType::HandshakeResponse);
        handle_examined(&mut relay, &response);
        handle(&mut relay, Side::Agent, &done(1));
        let late = acknowledgement(&response);
        handle(&mut relay, Side::Agent, &late);
        assert!(relay.waits_for_set_up());
        assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(done(1))]);
        if by_input {
            handle_examined(&mut relay, &stream(Side::Client, 1, b"SYN"));
        } else {
            relay.handle_set_up();
        }
        assert!(!relay.waits_for_set_up());
        assert_eq!(drain(&mut relay, Side::Client), [Transmit::Frame(late)]);
    }
}

#[test]
fn whoever_takes_over_is_told_where_the_input_stands() {
    let mut relay = attached();
    assert_eq!(relay.input_place(), Some((0, 0)));
    let frames: Vec<Bytes> = (0..5).map(|number| stream(Side::Client, number, b"x")).collect();
    for frame in &frames {
        handle(&mut relay, Side::Client, frame);
    }
    assert_eq!(relay.input_place(), Some((0, 5)));
    for frame in &frames[..3] {
        handle(&mut relay, Side::Agent, &acknowledgement(frame));
    }
    assert_eq!(relay.input_place(), Some((3, 5)));
    handle(&mut relay, Side::Agent, &acknowledgement(&frames[4]));
    assert_eq!(relay.input_place(), Some((3, 5)), "one in between is on its way");
    handle(&mut relay, Side::Agent, &acknowledgement(&frames[3]));
    assert_eq!(relay.input_place(), Some((5, 5)));
    handle(&mut relay, Side::Client, &frames[1]);
    assert_eq!(relay.input_place(), Some((5, 5)), "a repetition tells nothing new");
}

#[test]
fn after_a_restart_only_what_comes_tells_where_the_input_stands() {
    let mut relay = Relay::restored(9).with_unknown_input();
    relay.handle_attached(Side::Client);
    relay.handle_attached(Side::Agent);
    assert_eq!(relay.input_place(), None);
    let frame = stream(Side::Client, 41, b"x");
    handle(&mut relay, Side::Client, &frame);
    assert_eq!(relay.input_place(), Some((41, 42 + 64)), "others may have been used");
    handle(&mut relay, Side::Agent, &acknowledgement(&frame));
    assert_eq!(relay.input_place(), Some((42, 42 + 64)));
}
