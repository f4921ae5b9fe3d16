//! What stands between the two ends of a session: it validates frames, keeps those that wait for an
//! acknowledgement, sends them again to a client or agent that comes back, and repairs what AWS's programs
//! do to each other. It does no I/O and reads no clock.
//!
//! Sequence numbers, acknowledgements and resends run end to end between client and agent. The relay only
//! shortens the way back after a loss, so everything it holds both ends could rebuild without it; a server
//! that restarts with an empty relay loses nothing.
//!
//! The driver's loop: after any `handle_*`, take what is to be recorded ([`Relay::take_unrecorded`]), give it
//! back once it is on disk ([`Relay::handle_recorded`]), then drain [`Relay::poll_transmit`] of both sides.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use postern_protocol::payload::{Acknowledge, Acknowledged, SessionState, Stamps};
use postern_protocol::{AgentMessage, DecodeError, MessageType, PayloadDigest, PayloadType};

use crate::sequence_set::SequenceSet;

/// One end of a session, as the relay sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where the user sits.
    Client,
    /// The node.
    Agent,
}

impl Side {
    /// The end across.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Agent,
            Self::Agent => Self::Client,
        }
    }
}

/// What to write to a websocket next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// A binary message.
    Frame(Bytes),
    /// A websocket ping that carries this number; report its pong with [`Relay::handle_pong`].
    Fence(u64),
}

/// A frame of output that may go to the client once it is on the record, or one of input that may go to the agent once
/// it is examined.
#[derive(Debug, Clone)]
pub struct Recordable {
    /// Its number in its direction.
    pub sequence_number: i64,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// The payload, a slice of the frame.
    pub payload: Bytes,
    frame: Bytes,
}

impl Recordable {
    /// Has another payload go on in the place of this one, under its number and with its ID.
    pub(crate) fn replace_payload(&mut self, payload: Bytes) -> Result<(), DecodeError> {
        let message = AgentMessage::decode_with(self.frame.clone(), PayloadDigest::Spared)?;
        self.frame = AgentMessage { payload: payload.clone(), ..message }.encode();
        self.payload = payload;
        Ok(())
    }
}

#[cfg(test)]
impl Recordable {
    /// Without a frame, for tests of what becomes of the payload.
    pub(crate) fn of_payload(payload_type: PayloadType, payload: Bytes) -> Self {
        Self { sequence_number: 0, payload_type, payload, frame: Bytes::new() }
    }
}

/// What a frame meant to the session.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A new stream message: the session is in use. Carries the payload of what the recording shows besides output.
    Stream {
        /// What the payload is.
        payload_type: PayloadType,
        /// The payload.
        payload: Bytes,
    },
    /// The agent says how its session stands.
    SessionState(SessionState),
    /// Nothing that the session has to know of: an acknowledgement, a repetition, a type that is not relayed.
    Nothing,
}

/// Whether messages are put in order, which whoever looks into them needs.
#[derive(Debug)]
enum Order {
    /// As [`Self::Strict`] from the first frame that comes: an earlier process passed on what came before.
    Resumed,
    /// Frames are passed on in sequence; those that come early wait.
    Strict { next: i64, early: BTreeMap<i64, AgentFrame>, early_bytes: usize },
    /// Frames are passed on as they come; the receiver puts them in order.
    Loose,
}

#[derive(Debug)]
struct AgentFrame {
    payload_type: PayloadType,
    payload: Bytes,
    frame: Bytes,
}

/// A frame that its receiver has not acknowledged.
#[derive(Debug)]
struct Held {
    frame: Bytes,
    /// It waits in the receiver's queue.
    is_queued: bool,
    /// An earlier connection of the receiver may have consumed it.
    is_doubtful: bool,
    /// The fence that follows its last transmission.
    fence: Option<u64>,
}

/// One direction of the stream.
#[derive(Debug)]
struct Lane {
    order: Order,
    held: BTreeMap<i64, Held>,
    held_bytes: usize,
    acknowledged: SequenceSet,
}

/// The way to one side.
#[derive(Debug, Default)]
struct Leg {
    is_attached: bool,
    /// In the order of arrival, so that an acknowledgement does not fall behind the data it preceded.
    queue: VecDeque<Queued>,
    queue_bytes: usize,
}

#[derive(Debug)]
enum Queued {
    Control(Bytes),
    /// A stream message; the frame itself is in the lane's `held`.
    Stream(i64),
}

/// How far the client of a session with connections is. AWS's plugin goes deaf if anything comes in the millisecond in which it
/// sets itself up for many connections: after the end of the handshake, which is the number.
/// Source: the data channel of aws/session-manager-plugin, src/sessionmanagerplugin/session/portsession/.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetUp {
    Done,
    NotBegun,
    AfterOutput(i64),
    Busy,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub struct Relay {
    /// From the client to the agent.
    input: Lane,
    /// From the agent to the client.
    output: Lane,
    client: Leg,
    agent: Leg,
    unrecorded: VecDeque<Recordable>,
    /// Input in order that is to be examined before the agent may have it.
    unexamined: VecDeque<Recordable>,
    /// Input below the first frame that came is passed on unexamined: an earlier process has examined it.
    passes_earlier: bool,
    /// The client may have had any output that it has not acknowledged: an earlier process may have sent it.
    all_is_doubtful: bool,
    /// Output below this number may have reached the client before this relay existed.
    restored_next: i64,
    /// The client has sent a stream message, so it handles what it is sent.
    client_is_set_up: bool,
    set_up: SetUp,
    next_fence: u64,
    fence_is_due: bool,
    held_bytes_max: usize,
    digest: PayloadDigest,
    /// The first number of input that no client has used; unknown as long as only an earlier process has seen some.
    next_input: Option<i64>,
    /// Numbers beyond it that may have been used all the same.
    input_slack: i64,
}

impl Relay {
    /// Bytes queued towards one side before the other side is no longer read: back-pressure runs from the
    /// slow reader through the websocket to the program that writes. A few round trips' worth.
    const QUEUE_BYTES_MAX: usize = 1 << 20;
    /// Bytes held for a receiver that is away, or has not acknowledged. Postern's ends stop by themselves below
    /// this; AWS's have no window, so what comes beyond is dropped and their resend timers bring it back.
    const HELD_BYTES_MAX: usize = 8 << 20;
    /// The same of connections by AWS's plugin, which keeps 10,000 messages of 1 KiB and repeats only the oldest: none of them is
    /// to be dropped.
    const HELD_BYTES_OF_PLUGIN_MAX: usize = 12 << 20;
    /// The same in a tunnel, whose ends stop at 16 MiB and a message.
    const HELD_BYTES_OF_TUNNEL_MAX: usize = 24 << 20;
    /// Early frames kept, in messages and bytes: AWS's plugin keeps 10,000.
    const EARLY_MESSAGES_MAX: usize = 10_000;
    const EARLY_BYTES_MAX: usize = 8 << 20;
    /// What a client repeats first after a restart is not always the last that it had sent: acknowledgements overtake each
    /// other by a few. Numbers too many are filled in by whoever takes over; one too few would be lost.
    const INPUT_SLACK: i64 = 64;

    /// The relay of a new session.
    #[must_use]
    pub fn new() -> Self {
        Self::restored(0)
    }

    /// The relay of a session that an earlier process carried, whose recording goes on with output
    /// number `next_output`.
    #[must_use]
    pub fn restored(next_output: i64) -> Self {
        Self {
            input: Lane::new(Order::Loose),
            output: Lane::new(Order::strict(next_output)),
            client: Leg::default(),
            agent: Leg::default(),
            unrecorded: VecDeque::new(),
            unexamined: VecDeque::new(),
            passes_earlier: false,
            all_is_doubtful: false,
            restored_next: next_output,
            client_is_set_up: next_output > 0,
            set_up: SetUp::Done,
            next_fence: 0,
            fence_is_due: false,
            held_bytes_max: Self::HELD_BYTES_MAX,
            digest: PayloadDigest::Needed,
            next_input: Some(0),
            input_slack: 0,
        }
    }

    /// The relay of a session with connections, both of whose directions are followed in order.
    #[must_use]
    pub fn followed() -> Self {
        let held_bytes_max = Self::HELD_BYTES_OF_PLUGIN_MAX;
        Self { set_up: SetUp::NotBegun, held_bytes_max, ..Self::examined() }
    }

    /// The same of a session that an earlier process carried: the first message of each side says where its order goes on.
    /// AWS's plugin begins with new ones and repeats the others later; where that can do no harm (`passes_earlier`), it may.
    #[must_use]
    pub fn followed_on(passes_earlier: bool) -> Self {
        Self {
            input: Lane::new(Order::Resumed),
            output: Lane::new(Order::Resumed),
            set_up: SetUp::Done,
            passes_earlier,
            all_is_doubtful: true,
            client_is_set_up: true,
            ..Self::followed()
        }
    }

    /// The relay of a new session whose input is examined too, message by message in order, before the agent has it.
    #[must_use]
    pub fn examined() -> Self {
        Self { input: Lane::new(Order::strict(0)), ..Self::new() }
    }

    /// An earlier process has carried the session: how far its input is, what comes will tell.
    #[must_use]
    pub fn with_unknown_input(self) -> Self {
        Self { next_input: None, input_slack: Self::INPUT_SLACK, ..self }
    }

    /// The ends have agreed on the frames of a tunnel, on its windows, and to spare the digest.
    pub fn begin_tunnel(&mut self) {
        self.passes_earlier = false;
        self.digest = PayloadDigest::Spared;
        self.held_bytes_max = Self::HELD_BYTES_OF_TUNNEL_MAX;
    }

    /// Nobody examines the input any more.
    pub fn pass_earlier(&mut self) {
        self.passes_earlier = true;
    }

    /// Where the input stands, for a client that takes the session over: the first number that the agent may not have,
    /// and the first that was never used. `None` while that is not known.
    #[must_use]
    pub fn input_place(&self) -> Option<(i64, i64)> {
        let next = self.next_input?;
        let held = self.input.held.keys().next().copied();
        let first = held.into_iter().chain(self.input.acknowledged.first_missing()).min().unwrap_or(next);
        Some((first.min(next), next.saturating_add(self.input_slack)))
    }

    /// A websocket of `side` is open; a former one is gone. Everything unacknowledged is due again.
    pub fn handle_attached(&mut self, side: Side) {
        self.handle_detached(side);
        self.leg_mut(side).is_attached = true;
        let (lane, leg) = self.lane_towards(side);
        for (&number, held) in &mut lane.held {
            held.is_queued = true;
            leg.queue.push_back(Queued::Stream(number));
            leg.queue_bytes += held.frame.len();
        }
    }

    /// The websocket of `side` is gone.
    pub fn handle_detached(&mut self, side: Side) {
        let (lane, leg) = self.lane_towards(side);
        leg.is_attached = false;
        leg.queue.clear();
        leg.queue_bytes = 0;
        for held in lane.held.values_mut() {
            // What never left the queue is not in doubt.
            held.is_doubtful |= !held.is_queued;
            held.is_queued = false;
            held.fence = None;
        }
    }

    /// Whether a websocket of `side` is open.
    #[must_use]
    pub fn is_attached(&self, side: Side) -> bool {
        self.leg(side).is_attached
    }

    /// Whether what `side` sends is put in order, for whoever looks into it.
    #[must_use]
    pub fn is_ordered(&self, side: Side) -> bool {
        let lane = match side {
            Side::Client => &self.input,
            Side::Agent => &self.output,
        };
        !matches!(lane.order, Order::Loose)
    }

    /// A binary message from `side`.
    ///
    /// # Errors
    /// The frame is not an agent message or is corrupt. It is dropped: the other side never sees it.
    pub fn handle_frame(
        &mut self,
        side: Side,
        frame: Bytes,
        stamps: &mut dyn Stamps,
    ) -> Result<Received, DecodeError> {
        let message = AgentMessage::decode_with(frame.clone(), self.digest)?;
        Ok(match (side, &message.message_type) {
            (Side::Client, MessageType::InputStreamData) => self.handle_input(message, frame, stamps),
            (Side::Agent, MessageType::OutputStreamData) => self.handle_output(message, frame, stamps),
            (_, MessageType::Acknowledge) => self.handle_acknowledge(side, &message.payload, frame),
            (Side::Agent, MessageType::AgentSessionState) => {
                SessionState::from_json(&message.payload).map_or(Received::Nothing, Received::SessionState)
            }
            // Anything else is not for the other side: some clients break off at a type they do not know.
            _ => Received::Nothing,
        })
    }

    fn handle_input(&mut self, message: AgentMessage, frame: Bytes, stamps: &mut dyn Stamps) -> Received {
        let number = message.sequence_number;
        self.client_is_set_up = true;
        if message.payload_type != PayloadType::HandshakeResponse {
            self.set_up = SetUp::Done;
        }
        if number < 0 {
            return Received::Nothing;
        }
        self.next_input = Some(self.next_input.unwrap_or(0).max(number.saturating_add(1)));
        if self.input.acknowledged.contains(number) {
            self.answer(Side::Client, &message, stamps);
            return Received::Nothing;
        }
        self.input.order.go_on_at(number);
        if matches!(self.input.order, Order::Strict { .. }) {
            return self.examine(message, frame);
        }
        if !self.hold(Side::Agent, number, frame, false) {
            return Received::Nothing;
        }
        Received::Stream { payload_type: message.payload_type, payload: message.payload }
    }

    /// Puts input in order and keeps it for whoever examines it. What was examined once is what the agent gets: of a
    /// repetition only the number counts.
    fn examine(&mut self, message: AgentMessage, frame: Bytes) -> Received {
        let number = message.sequence_number;
        let has_room = self.input.held_bytes + frame.len() <= self.held_bytes_max;
        let Order::Strict { next, .. } = &self.input.order else { return Received::Nothing };
        if number < *next {
            if self.input.held.contains_key(&number) || (self.passes_earlier && has_room) {
                self.hold(Side::Agent, number, frame, false);
            }
            return Received::Nothing;
        }
        // What finds no room comes again.
        if !has_room {
            return Received::Nothing;
        }
        let AgentMessage { payload_type, payload, .. } = message;
        let frame = AgentFrame { payload_type, payload: payload.clone(), frame };
        if self.input.order.put_in(number, frame, &mut self.unexamined) {
            Received::Stream { payload_type, payload }
        } else {
            Received::Nothing
        }
    }

    fn handle_output(&mut self, message: AgentMessage, frame: Bytes, stamps: &mut dyn Stamps) -> Received {
        let number = message.sequence_number;
        if number < 0 {
            return Received::Nothing;
        }
        if self.output.acknowledged.contains(number) {
            self.answer(Side::Agent, &message, stamps);
            return Received::Nothing;
        }
        let AgentMessage { payload_type, payload, .. } = message;
        if payload_type == PayloadType::HandshakeComplete && self.set_up == SetUp::NotBegun {
            self.set_up = SetUp::AfterOutput(number);
        }
        // While the client is there it is slowed down instead (`wants_frames`).
        let has_room = self.client.is_attached || self.output.held_bytes < self.held_bytes_max;
        self.output.order.go_on_at(number);
        let Order::Strict { next, .. } = &self.output.order else {
            let is_new = self.hold(Side::Client, number, frame, self.all_is_doubtful);
            return if is_new { Received::Stream { payload_type, payload } } else { Received::Nothing };
        };
        if number < *next {
            // On the record already. The client may have had it, if it was connected before.
            if !self.unrecorded.iter().any(|recordable| recordable.sequence_number == number) {
                self.hold(Side::Client, number, frame, self.all_is_doubtful || number < self.restored_next);
            }
            return Received::Nothing;
        }
        if number == *next && !has_room {
            return Received::Nothing;
        }
        let frame = AgentFrame { payload_type, payload: payload.clone(), frame };
        if self.output.order.put_in(number, frame, &mut self.unrecorded) {
            Received::Stream { payload_type, payload }
        } else {
            Received::Nothing
        }
    }

    fn handle_acknowledge(&mut self, side: Side, payload: &[u8], frame: Bytes) -> Received {
        let Ok(acknowledged) = Acknowledge::acknowledged(payload) else { return Received::Nothing };
        let number = acknowledged.sequence_number();
        // `side` acknowledges what was sent towards it.
        let (lane, _) = self.lane_towards(side);
        let was_never_sent =
            number < 0 || matches!(&lane.order, Order::Strict { next, .. } if number >= *next);
        if was_never_sent {
            return Received::Nothing;
        }
        match acknowledged {
            Acknowledged::One(number) => _ = lane.settle(number),
            Acknowledged::Through(number) => lane.settle_through(number),
        }
        self.send_control(side.other(), frame);
        Received::Nothing
    }

    /// Takes the output that must be on the record before the client may see it, in order.
    pub fn take_unrecorded(&mut self) -> VecDeque<Recordable> {
        std::mem::take(&mut self.unrecorded)
    }

    /// What [`Self::take_unrecorded`] gave is on the record.
    pub fn handle_recorded(&mut self, recorded: impl IntoIterator<Item = Recordable>) {
        for Recordable { sequence_number, frame, .. } in recorded {
            self.hold(Side::Client, sequence_number, frame, self.all_is_doubtful);
        }
    }

    /// Takes the input that must be examined before the agent may have it, in order. None of what is not given back goes on.
    pub fn take_unexamined(&mut self) -> VecDeque<Recordable> {
        std::mem::take(&mut self.unexamined)
    }

    /// What [`Self::take_unexamined`] gave may go on.
    pub fn handle_examined(&mut self, examined: impl IntoIterator<Item = Recordable>) {
        for Recordable { sequence_number, frame, .. } in examined {
            self.hold(Side::Agent, sequence_number, frame, false);
        }
    }

    /// Keeps `frame` until `receiver` acknowledges it, and queues it. Whether it was new.
    fn hold(&mut self, receiver: Side, number: i64, frame: Bytes, is_doubtful: bool) -> bool {
        let held_bytes_max = self.held_bytes_max;
        let (lane, leg) = self.lane_towards(receiver);
        let is_new = !lane.held.contains_key(&number);
        // An attached receiver is slowed down by its queue; one that is away, by this limit.
        let is_ordered = !matches!(lane.order, Order::Loose);
        let is_examined = receiver == Side::Agent && is_ordered;
        if is_new && !leg.is_attached && !is_examined && lane.held_bytes + frame.len() > held_bytes_max {
            return false;
        }
        if is_new {
            // The client cannot be left unread to slow it down, as its acknowledgements would be too. Nothing that was
            // examined is forgotten, as another message could come in its place.
            if receiver == Side::Agent && !is_examined {
                lane.forget_beyond(held_bytes_max.saturating_sub(frame.len()));
            }
            lane.held_bytes += frame.len();
            lane.held.insert(number, Held { frame, is_queued: false, is_doubtful, fence: None });
        }
        let held = lane.held.get_mut(&number).expect("it is there, or was just inserted");
        if leg.is_attached && !held.is_queued {
            held.is_queued = true;
            leg.queue_bytes += held.frame.len();
            leg.queue.push_back(Queued::Stream(number));
        }
        is_new
    }

    /// Acknowledges a repeated message to its sender in the receiver's place: AWS's plugin never
    /// acknowledges a duplicate, and AWS's programs may miss the first acknowledgement.
    fn answer(&mut self, sender: Side, message: &AgentMessage, stamps: &mut dyn Stamps) {
        // Whoever repeats itself without reading the answers gets no more of them.
        if self.leg(sender).queue_bytes >= Self::QUEUE_BYTES_MAX {
            return;
        }
        let acknowledge = Acknowledge::of(&message.message_type, message.message_id, message.sequence_number);
        self.send_control(sender, acknowledge.to_message(stamps.stamp()).encode());
    }

    /// Queues a message that is not part of the stream for `side`; it is dropped if that is away.
    pub fn send_control(&mut self, side: Side, frame: Bytes) {
        let leg = self.leg_mut(side);
        if leg.is_attached {
            leg.queue_bytes += frame.len();
            leg.queue.push_back(Queued::Control(frame));
        }
    }

    /// Whether the client, once it has the end of the handshake, gets nothing until it sends something or
    /// [`Self::handle_set_up`] says so.
    #[must_use]
    pub fn waits_for_set_up(&self) -> bool {
        matches!(self.set_up, SetUp::AfterOutput(_) | SetUp::Busy)
    }

    /// Whether what is queued for the client waits for that.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.set_up == SetUp::Busy && !self.client.queue.is_empty()
    }

    /// The client has had time enough to set itself up.
    pub fn handle_set_up(&mut self) {
        self.set_up = SetUp::Done;
    }

    /// The next thing to write to the websocket of `side`.
    pub fn poll_transmit(&mut self, side: Side) -> Option<Transmit> {
        let next_fence = self.next_fence;
        let set_up = self.set_up;
        if side == Side::Client && set_up == SetUp::Busy {
            return None;
        }
        let mut is_busy_now = false;
        let (lane, leg) = self.lane_towards(side);
        let mut has_doubt = false;
        let next = loop {
            match leg.queue.pop_front() {
                None => break None,
                Some(Queued::Control(frame)) => {
                    leg.queue_bytes -= frame.len();
                    break Some(Transmit::Frame(frame));
                }
                // It was acknowledged while it waited.
                Some(Queued::Stream(number)) if !lane.held.contains_key(&number) => {}
                Some(Queued::Stream(number)) => {
                    let held = lane.held.get_mut(&number).expect("checked above");
                    leg.queue_bytes -= held.frame.len();
                    held.is_queued = false;
                    is_busy_now = side == Side::Client && set_up == SetUp::AfterOutput(number);
                    if held.is_doubtful {
                        held.fence = Some(next_fence);
                        has_doubt = true;
                    }
                    break Some(Transmit::Frame(held.frame.clone()));
                }
            }
        };
        if is_busy_now {
            self.set_up = SetUp::Busy;
        }
        if side == Side::Agent {
            return next;
        }
        self.fence_is_due |= has_doubt;
        if next.is_none() && self.fence_is_due && self.client_is_set_up && self.client.is_attached {
            self.fence_is_due = false;
            self.next_fence += 1;
            return Some(Transmit::Fence(next_fence));
        }
        next
    }

    /// The client answered the ping `fence`, so it has handled all that was sent before it. What it has not
    /// acknowledged, of that which an earlier connection may have brought, it had already: AWS's plugin says
    /// nothing to a duplicate. The relay acknowledges it to the agent, which would resend it for ever.
    pub fn handle_pong(&mut self, fence: u64, stamps: &mut dyn Stamps) {
        let settled: Vec<i64> = self
            .output
            .held
            .iter()
            .filter(|(_, held)| !held.is_queued && held.fence.is_some_and(|of_held| of_held <= fence))
            .map(|(&number, _)| number)
            .collect();
        for number in settled {
            let held = self.output.settle(number).expect("it was listed as held");
            if let Ok(message) = AgentMessage::decode_with(held.frame, self.digest) {
                self.answer(Side::Agent, &message, stamps);
            }
        }
    }

    /// Whether a frame of `side` would find room on its way. If not, do not read its websocket.
    #[must_use]
    pub fn wants_frames(&self, side: Side) -> bool {
        if self.leg(side.other()).queue_bytes >= Self::QUEUE_BYTES_MAX {
            return false;
        }
        // A client that reads but does not acknowledge holds the agent up too. Its own websocket is read all
        // the same, since the acknowledgements come through it.
        side == Side::Client || !self.client.is_attached || self.output.held_bytes < self.held_bytes_max
    }

    /// Whether the client has acknowledged all output that the agent sent.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.output.held.is_empty() && self.unrecorded.is_empty()
    }

    /// Whether nothing waits to be written to `side`.
    #[must_use]
    pub fn is_flushed(&self, side: Side) -> bool {
        self.leg(side).queue.is_empty()
    }

    fn leg(&self, side: Side) -> &Leg {
        match side {
            Side::Client => &self.client,
            Side::Agent => &self.agent,
        }
    }

    fn leg_mut(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::Client => &mut self.client,
            Side::Agent => &mut self.agent,
        }
    }

    /// The lane whose receiver is `side`, and the way there.
    fn lane_towards(&mut self, side: Side) -> (&mut Lane, &mut Leg) {
        match side {
            Side::Client => (&mut self.output, &mut self.client),
            Side::Agent => (&mut self.input, &mut self.agent),
        }
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self::new()
    }
}

impl Order {
    fn strict(next: i64) -> Self {
        Self::Strict { next, early: BTreeMap::new(), early_bytes: 0 }
    }

    /// Begins with `number`, if it has not begun.
    fn go_on_at(&mut self, number: i64) {
        if matches!(self, Self::Resumed) {
            *self = Self::strict(number);
        }
    }

    /// Puts a frame that is not below the next number in its place: behind `ordered` with all that waited for it, or among
    /// those that wait. Whether it was the next one.
    fn put_in(&mut self, number: i64, frame: AgentFrame, ordered: &mut VecDeque<Recordable>) -> bool {
        let Self::Strict { next, early, early_bytes } = self else { return false };
        if number > *next {
            let bytes = frame.frame.len();
            let fits =
                early.len() < Relay::EARLY_MESSAGES_MAX && *early_bytes + bytes <= Relay::EARLY_BYTES_MAX;
            if fits && !early.contains_key(&number) {
                *early_bytes += bytes;
                early.insert(number, frame);
            }
            return false;
        }
        let mut frame = frame;
        loop {
            let AgentFrame { payload_type, payload, frame: bytes } = frame;
            ordered.push_back(Recordable { sequence_number: *next, payload_type, payload, frame: bytes });
            *next += 1;
            let Some(following) = early.remove(next) else { return true };
            *early_bytes -= following.frame.len();
            frame = following;
        }
    }
}

impl Lane {
    fn new(order: Order) -> Self {
        Self { order, held: BTreeMap::new(), held_bytes: 0, acknowledged: SequenceSet::default() }
    }

    /// The receiver has `number`.
    fn settle(&mut self, number: i64) -> Option<Held> {
        self.acknowledged.insert(number);
        let held = self.held.remove(&number)?;
        self.held_bytes -= held.frame.len();
        Some(held)
    }

    /// The receiver has `number` and all before it.
    fn settle_through(&mut self, number: i64) {
        self.acknowledged.insert_through(number);
        while let Some(first) = self.held.first_entry().filter(|first| *first.key() <= number) {
            self.held_bytes -= first.remove().frame.len();
        }
    }

    /// Forgets the oldest frames that were sent, until at most `bytes` are held. Their sender still has them.
    fn forget_beyond(&mut self, bytes: usize) {
        while self.held_bytes > bytes {
            let Some((&number, held)) = self.held.iter().next() else { return };
            if held.is_queued {
                return;
            }
            self.held_bytes -= held.frame.len();
            self.held.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests;
