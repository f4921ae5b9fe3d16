//! Two ends of a data channel over a link that loses, duplicates, delays, reorders and disconnects, in virtual time:
//! everything arrives once and in order, in both directions.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::{AgentMessage, ChannelLimits, DataChannel, Event, Full, PayloadType, Role, Stamp};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

/// What the link does with one frame.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives {
        after_ms: u16,
    },
    ArrivesTwice {
        after_ms: u16,
        again_after_ms: u16,
    },
    IsLost,
    /// The connection breaks, with everything on its way, and comes back.
    Disconnects {
        for_ms: u16,
    },
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0..300_u16).prop_map(|after_ms| Fate::Arrives { after_ms }),
        1 => (0..300_u16, 0..900_u16)
            .prop_map(|(after_ms, again_after_ms)| Fate::ArrivesTwice { after_ms, again_after_ms }),
        2 => Just(Fate::IsLost),
        1 => (0..3000_u16).prop_map(|for_ms| Fate::Disconnects { for_ms }),
    ]
}

/// One end with its application.
struct End {
    channel: DataChannel,
    to_send: VecDeque<Bytes>,
    received: Vec<Bytes>,
    /// Messages that the application holds, with the time when it will have consumed them.
    holds: Vec<(Instant, i64)>,
}

impl End {
    fn new(role: Role, limits: ChannelLimits, payloads: &[Vec<u8>]) -> Self {
        let to_send = payloads.iter().map(|payload| Bytes::copy_from_slice(payload)).collect();
        Self { channel: DataChannel::new(role, limits), to_send, received: Vec::new(), holds: Vec::new() }
    }

    fn is_done(&self) -> bool {
        self.to_send.is_empty() && self.channel.is_drained()
    }

    /// Sends what there is room for, and consumes what has been held long enough.
    fn run(&mut self, now: Instant, consume_after: Duration) {
        while let Some(payload) = self.to_send.pop_front() {
            let stamp = Stamp { message_id: Uuid::nil(), created_ms: 1 };
            if let Err(Full(payload)) = self.channel.send(PayloadType::Output, payload, stamp, now) {
                self.to_send.push_front(payload);
                break;
            }
        }
        while let Some(event) = self.channel.poll_event() {
            let Event::Stream { sequence_number, payload, .. } = event else { panic!("{event:?}") };
            self.received.push(payload);
            self.holds.push((now + consume_after, sequence_number));
        }
        let (consumed, holds) = self.holds.iter().partition(|(at, _)| *at <= now);
        self.holds = holds;
        let consumed: Vec<(Instant, i64)> = consumed;
        consumed.iter().for_each(|(_, sequence_number)| self.channel.acknowledge(*sequence_number));
    }
}

struct Link {
    ends: [End; 2],
    /// Arrival, receiving end, frame.
    on_the_way: Vec<(Instant, usize, Bytes)>,
    connects_at: Option<Instant>,
    fates: VecDeque<Fate>,
    consume_after: Duration,
    now: Instant,
}

impl Link {
    const LATENCY: Duration = Duration::from_millis(20);

    fn run(&mut self) {
        let start = self.now;
        self.ends.iter_mut().for_each(|end| end.channel.handle_connected(start));
        while !self.ends.iter().all(End::is_done) {
            self.step();
            assert!(self.now - start < Duration::from_secs(3600), "nothing gets through any more");
        }
    }

    fn step(&mut self) {
        if self.connects_at.is_some_and(|at| at <= self.now) {
            self.connects_at = None;
            self.ends.iter_mut().for_each(|end| end.channel.handle_connected(self.now));
        }
        self.on_the_way.sort_by_key(|(at, ..)| *at);
        let arrived = self.on_the_way.partition_point(|(at, ..)| *at <= self.now);
        for (_, to, frame) in self.on_the_way.drain(..arrived) {
            self.ends[to].channel.handle_frame(frame, self.now).expect("the link changes no bytes");
        }
        for from in 0..2 {
            self.ends[from].run(self.now, self.consume_after);
            self.transmit(from);
        }
        self.now = self.next().unwrap_or(self.now);
    }

    fn transmit(&mut self, from: usize) {
        let mut stamps = || Stamp { message_id: Uuid::nil(), created_ms: 1 };
        while let Some(frame) = self.ends[from].channel.poll_transmit(self.now, &mut stamps) {
            let ms = |milliseconds: u16| Duration::from_millis(milliseconds.into());
            let mut arrive = |after| self.on_the_way.push((self.now + after, 1 - from, frame.clone()));
            match self.fates.pop_front() {
                None => arrive(Self::LATENCY),
                Some(Fate::Arrives { after_ms }) => arrive(ms(after_ms)),
                Some(Fate::ArrivesTwice { after_ms, again_after_ms }) => {
                    arrive(ms(after_ms));
                    arrive(ms(again_after_ms));
                }
                Some(Fate::IsLost) => {}
                Some(Fate::Disconnects { for_ms }) => {
                    self.on_the_way.clear();
                    self.connects_at = Some(self.now + ms(for_ms));
                    self.ends.iter_mut().for_each(|end| end.channel.handle_disconnected());
                }
            }
        }
    }

    /// When something happens next.
    fn next(&self) -> Option<Instant> {
        let arrivals = self.on_the_way.iter().map(|(at, ..)| *at);
        let holds = self.ends.iter().flat_map(|end| end.holds.iter().map(|(at, _)| *at));
        let timeouts = self.ends.iter().filter_map(|end| end.channel.poll_timeout());
        arrivals.chain(holds).chain(timeouts).chain(self.connects_at).min()
    }
}

fn carry(
    payloads: [&[Vec<u8>]; 2],
    limits: ChannelLimits,
    fates: Vec<Fate>,
    consume_after: Duration,
) -> Link {
    let [input, output] = payloads;
    let ends = [End::new(Role::Client, limits, input), End::new(Role::Agent, limits, output)];
    carry_between(ends, fates, consume_after)
}

fn carry_between(ends: [End; 2], fates: Vec<Fate>, consume_after: Duration) -> Link {
    let fates = fates.into();
    let mut link =
        Link { ends, on_the_way: vec![], connects_at: None, fates, consume_after, now: Instant::now() };
    link.run();
    link
}

/// Limits so small that all of them are reached.
const NARROW: ChannelLimits = ChannelLimits {
    unacknowledged_bytes_max: 2000,
    unacknowledged_messages_max: 8,
    unsent_bytes_max: usize::MAX,
    out_of_order_messages_max: 3,
    out_of_order_bytes_max: 100,
    unconsumed_messages_max: 5,
    unconsumed_bytes_max: 200,
};

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..80), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bad_link_delivers_all_once_in_order(
        input in payloads(),
        output in payloads(),
        fates in vec(fate(), 0..300),
        consume_after_ms in prop_oneof![Just(0_u64), 0..2000_u64],
        narrow in any::<bool>(),
    ) {
        let limits = if narrow { NARROW } else { ChannelLimits::default() };
        let link = carry([&input, &output], limits, fates, Duration::from_millis(consume_after_ms));
        let [client, agent] = link.ends;
        prop_assert_eq!(client.received, output);
        prop_assert_eq!(agent.received, input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn so_does_a_tunnel_whose_acknowledgements_stand_for_many(
        input in payloads(),
        output in payloads(),
        fates in vec(fate(), 0..300),
        consume_after_ms in prop_oneof![Just(0_u64), 0..2000_u64],
    ) {
        let limits = ChannelLimits::default();
        let mut ends = [End::new(Role::Client, limits, &input), End::new(Role::Agent, limits, &output)];
        ends.iter_mut().for_each(|end| end.channel.begin_tunnel());
        let [client, agent] = carry_between(ends, fates, Duration::from_millis(consume_after_ms)).ends;
        prop_assert_eq!(client.received, output);
        prop_assert_eq!(agent.received, input);
    }
}

#[test]
fn after_a_lost_connection_everything_is_there_one_latency_after_the_next() {
    let output: Vec<Vec<u8>> = (0..1000_u16).map(|number| number.to_be_bytes().to_vec()).collect();
    let mut fates = vec![Fate::IsLost; 999];
    fates.push(Fate::Disconnects { for_ms: 500 });
    let start = Instant::now();
    let link = carry([&[], &output], ChannelLimits::default(), fates, Duration::ZERO);
    assert_eq!(link.ends[0].received.len(), 1000);
    assert!(link.now - start < Duration::from_millis(600), "took {:?}", link.now - start);
}

#[test]
fn an_idle_channel_needs_no_timer() {
    let link = carry([&[vec![1]], &[vec![2]]], ChannelLimits::default(), vec![], Duration::ZERO);
    assert!(link.ends.iter().all(|end| end.channel.poll_timeout().is_none()));
}

#[test]
fn a_good_link_carries_each_message_once() {
    let mut agent = DataChannel::new(Role::Agent, ChannelLimits::default());
    let now = Instant::now();
    let mut stamps = || Stamp { message_id: Uuid::nil(), created_ms: 1 };
    agent.handle_connected(now);
    for _ in 0..100 {
        agent.send(PayloadType::Output, "x".into(), stamps(), now).unwrap();
    }
    let frames = std::iter::from_fn(|| agent.poll_transmit(now, &mut stamps));
    let numbers = frames.map(|frame| AgentMessage::decode(frame).unwrap().sequence_number);
    assert!(numbers.eq(0..100));
}
