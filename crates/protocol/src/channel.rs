//! One end of a data channel: numbering, acknowledging, resending and putting in order, over any number of
//! connections.
//!
//! The driver owns the websocket and the clock. After every `handle_*`, `send` and `acknowledge` it drains
//! [`DataChannel::poll_event`] and [`DataChannel::poll_transmit`], then waits for a frame, its own data or
//! [`DataChannel::poll_timeout`].
//!
//! - It reads its source (terminal, process) only while [`DataChannel::has_room`].
//! - It calls [`DataChannel::acknowledge`] when a stream message has reached its destination.
//! - Both limits hold across a lost connection: the driver just connects again.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::inbox::{Due, Inbox, InboxLimits, StreamMessage};
use crate::message::{AgentMessage, DecodeError, MessageType, PayloadDigest, PayloadType};
use crate::notice::Notice;
use crate::outbox::{Full, Outbox, OutboxLimits};
use crate::payload::{Acknowledge, ChannelClosed, ClientAttached, SessionState, Stamp, Stamps};

/// The peer controls how many of these arrive. More than a few pending ones say nothing new.
const CONTROL_EVENTS_MAX: usize = 32;

/// Session states are all that is sent outside the stream: two in a session.
const CONTROL_MESSAGES_MAX: usize = 8;

/// Which end of the data channel this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user's side: sends input, receives output.
    Client,
    /// The node's side: sends output, receives input.
    Agent,
}

impl Role {
    fn sends(self) -> MessageType {
        match self {
            Self::Client => MessageType::InputStreamData,
            Self::Agent => MessageType::OutputStreamData,
        }
    }

    fn receives(self) -> MessageType {
        match self {
            Self::Client => MessageType::OutputStreamData,
            Self::Agent => MessageType::InputStreamData,
        }
    }
}

/// How much one end keeps in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Frames that were sent or wait to be, and are not acknowledged.
    pub unacknowledged_bytes_max: usize,
    /// The same, in messages.
    pub unacknowledged_messages_max: usize,
    /// Frames of these that the connection has not taken.
    pub unsent_bytes_max: usize,
    /// Messages that wait for an earlier one.
    pub out_of_order_messages_max: usize,
    /// Their payloads.
    pub out_of_order_bytes_max: usize,
    /// Messages in order that the application has not acknowledged.
    pub unconsumed_messages_max: usize,
    /// Their payloads.
    pub unconsumed_bytes_max: usize,
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self {
            // As OpenSSH's window of a session: 40 MB/s over 50 ms, and little to wait for after Ctrl-C.
            unacknowledged_bytes_max: 2 * 1024 * 1024,
            // Below the 10,000 messages that AWS's plugin keeps for sending, and for putting in order.
            unacknowledged_messages_max: 8192,
            unsent_bytes_max: usize::MAX,
            // Twice what a sender with the limits above can have on its way.
            out_of_order_messages_max: 16_384,
            out_of_order_bytes_max: 4 * 1024 * 1024,
            // AWS's plugin may have 10,000 messages of 1 KiB on their way, its agent more.
            unconsumed_messages_max: 16_384,
            unconsumed_bytes_max: 16 * 1024 * 1024,
        }
    }
}

impl ChannelLimits {
    /// Of a tunnel (see [`DataChannel::begin_tunnel`]).
    const TUNNEL: Self = Self {
        // 80 MB/s over 200 ms.
        unacknowledged_bytes_max: 16 * 1024 * 1024,
        unacknowledged_messages_max: 8192,
        // What is unsent is what a keystroke beside a large transfer waits for: some milliseconds.
        unsent_bytes_max: 512 * 1024,
        out_of_order_messages_max: 16_384,
        out_of_order_bytes_max: 32 * 1024 * 1024,
        unconsumed_messages_max: 16_384,
        unconsumed_bytes_max: 32 * 1024 * 1024,
    };

    fn outbox(&self) -> OutboxLimits {
        OutboxLimits {
            bytes_max: self.unacknowledged_bytes_max,
            messages_max: self.unacknowledged_messages_max,
            unsent_bytes_max: self.unsent_bytes_max,
        }
    }

    fn inbox(&self) -> InboxLimits {
        InboxLimits {
            out_of_order_messages_max: self.out_of_order_messages_max,
            out_of_order_bytes_max: self.out_of_order_bytes_max,
            unconsumed_messages_max: self.unconsumed_messages_max,
            unconsumed_bytes_max: self.unconsumed_bytes_max,
        }
    }
}

/// What happened, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next message of the stream; to be acknowledged when it is consumed.
    Stream {
        /// What to acknowledge.
        sequence_number: i64,
        /// How to read the payload.
        payload_type: PayloadType,
        /// The content.
        payload: Bytes,
    },
    /// The session is over.
    Closed(ChannelClosed),
    /// The other side is there; from our server, with what is known of the client.
    StartPublication(Option<ClientAttached>),
    /// The other side is away. Nothing needs to be done: the connection's back-pressure does it.
    PausePublication,
    /// The agent says how far the session is.
    SessionState(SessionState),
    /// The server tells the user something.
    Notice(Notice),
}

/// One end of a data channel.
#[derive(Debug)]
pub struct DataChannel {
    role: Role,
    digest: PayloadDigest,
    outbox: Outbox,
    inbox: Inbox,
    events: VecDeque<Event>,
    control_events: usize,
    control_messages: VecDeque<AgentMessage>,
    connected: bool,
    closed: bool,
}

impl DataChannel {
    /// A data channel without a connection: tell it by [`Self::handle_connected`].
    #[must_use]
    pub fn new(role: Role, limits: ChannelLimits) -> Self {
        Self {
            role,
            digest: PayloadDigest::Needed,
            outbox: Outbox::new(role.sends(), limits.outbox()),
            inbox: Inbox::new(limits.inbox()),
            events: VecDeque::new(),
            control_events: 0,
            control_messages: VecDeque::new(),
            connected: false,
            closed: false,
        }
    }

    /// Both ends have agreed on tunnel frames: windows are those of a tunnel from now on, acknowledgements are
    /// cumulative, so that a message is to be acknowledged as soon as it is read, and messages need no digest. An end sends
    /// nothing of its own between the agreement and HandshakeComplete, so that server and other end know of it before.
    pub fn begin_tunnel(&mut self) {
        self.outbox.begin_tunnel(ChannelLimits::TUNNEL.outbox());
        self.inbox.acknowledge_cumulatively(ChannelLimits::TUNNEL.inbox());
        self.digest = PayloadDigest::Spared;
    }

    /// Whether [`Self::send`] would take a message. While it would not, do not read the source.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Adds a message to the stream and returns its number. It is kept until it is acknowledged.
    ///
    /// # Errors
    /// Too much awaits acknowledgement; the error holds the payload.
    pub fn send(
        &mut self,
        payload_type: PayloadType,
        payload: Bytes,
        stamp: Stamp,
        now: Instant,
    ) -> Result<i64, Full> {
        self.outbox.push(payload_type, payload, stamp, now)
    }

    /// Sends a message outside the stream, such as a [`SessionState`], ahead of waiting stream messages. It is not
    /// repeated if it is lost. The oldest is dropped if more wait than a session needs.
    pub fn send_control(&mut self, message: AgentMessage) {
        if self.control_messages.len() == CONTROL_MESSAGES_MAX {
            self.control_messages.pop_front();
        }
        self.control_messages.push_back(message);
    }

    /// Whether the application keeps up with the stream. While it does not, leave frames in the socket if you can; a
    /// stream message that is handled all the same is dropped, and sent again by the peer.
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        self.inbox.has_room()
    }

    /// Takes a binary frame from the websocket.
    ///
    /// Types that have no business here are ignored, as AWS's programs do.
    ///
    /// # Errors
    /// The frame cannot be read. It changed nothing; note it and go on.
    pub fn handle_frame(&mut self, frame: Bytes, now: Instant) -> Result<(), DecodeError> {
        let message = AgentMessage::decode_with(frame, self.digest)?;
        match &message.message_type {
            stream if *stream == self.role.receives() => self.handle_stream(message),
            MessageType::Acknowledge => {
                let acknowledged = Acknowledge::acknowledged(&message.payload);
                let acknowledged =
                    acknowledged.map_err(|source| payload_error(MessageType::Acknowledge, source))?;
                self.outbox.handle_acknowledge(acknowledged, now);
            }
            MessageType::ChannelClosed => {
                // The end is the message; AWS's plugin takes unreadable content for none.
                self.handle_closed(ChannelClosed::from_json(&message.payload).unwrap_or_default());
            }
            MessageType::StartPublication => {
                let attached = ClientAttached::from_json(&message.payload).ok();
                let attached = attached.filter(|attached| *attached != ClientAttached::default());
                self.push_control_event(Event::StartPublication(attached));
            }
            MessageType::PausePublication => self.push_control_event(Event::PausePublication),
            MessageType::Notice => {
                let notice = Notice::from_json(&message.payload);
                let notice = notice.map_err(|source| payload_error(MessageType::Notice, source))?;
                self.push_control_event(Event::Notice(notice));
            }
            MessageType::AgentSessionState => {
                let state = SessionState::from_json(&message.payload);
                let state = state.map_err(|source| payload_error(MessageType::AgentSessionState, source))?;
                self.push_control_event(Event::SessionState(state));
            }
            _ => {}
        }
        Ok(())
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if !matches!(event, Event::Stream { .. }) {
            self.control_events -= 1;
        }
        Some(event)
    }

    /// The application consumed the stream message of that number. The peer takes this as the sign to send more.
    pub fn acknowledge(&mut self, sequence_number: i64) {
        self.inbox.consume(sequence_number);
    }

    /// The next frame to write: acknowledgements first, then messages outside the stream, then the stream.
    pub fn poll_transmit(&mut self, now: Instant, stamps: &mut dyn Stamps) -> Option<Bytes> {
        if !self.connected {
            return None;
        }
        if let Some(Due { sequence_number, message_id, is_cumulative }) = self.inbox.poll_due(now) {
            let acknowledge = Acknowledge::of(&self.role.receives(), message_id, sequence_number);
            let acknowledge = Acknowledge { is_cumulative, ..acknowledge };
            return Some(acknowledge.to_message(stamps.stamp()).encode());
        }
        if let Some(message) = self.control_messages.pop_front() {
            return Some(message.encode());
        }
        self.outbox.poll_transmit(now)
    }

    /// When to call [`Self::poll_transmit`] again if nothing else happens first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let acknowledgement = self.inbox.poll_timeout().filter(|_| self.connected);
        [self.outbox.poll_timeout(), acknowledgement].into_iter().flatten().min()
    }

    /// A new connection is open: everything unacknowledged is due again, in order.
    pub fn handle_connected(&mut self, _now: Instant) {
        self.connected = true;
        self.outbox.handle_connected();
    }

    /// The connection is lost: nothing is due until the next one.
    pub fn handle_disconnected(&mut self) {
        self.connected = false;
        self.outbox.handle_disconnected();
    }

    /// Whether the peer acknowledged everything that was sent.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Size of the frames that await acknowledgement.
    #[must_use]
    pub fn unacknowledged_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    fn handle_stream(&mut self, message: AgentMessage) {
        let events = &mut self.events;
        self.inbox.handle_message(message, |StreamMessage { sequence_number, payload_type, payload }| {
            events.push_back(Event::Stream { sequence_number, payload_type, payload });
        });
    }

    fn handle_closed(&mut self, closed: ChannelClosed) {
        if !std::mem::replace(&mut self.closed, true) {
            self.control_events += 1;
            self.events.push_back(Event::Closed(closed));
        }
    }

    fn push_control_event(&mut self, event: Event) {
        if self.control_events < CONTROL_EVENTS_MAX {
            self.control_events += 1;
            self.events.push_back(event);
        }
    }
}

fn payload_error(message_type: MessageType, source: crate::PayloadError) -> DecodeError {
    DecodeError::Payload { message_type, source }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::payload::{Size, State, publication};

    fn stamp() -> Stamp {
        Stamp { message_id: Uuid::from_u128(9), created_ms: 1_503_434_274_948 }
    }

    fn pair(now: Instant) -> (DataChannel, DataChannel) {
        let channel = |role| {
            let mut channel = DataChannel::new(role, ChannelLimits::default());
            channel.handle_connected(now);
            channel
        };
        (channel(Role::Client), channel(Role::Agent))
    }

    fn next_message(channel: &mut DataChannel, now: Instant) -> Option<AgentMessage> {
        channel.poll_transmit(now, &mut stamp).map(|frame| AgentMessage::decode(frame).unwrap())
    }

    #[test]
    fn a_message_is_acknowledged_once_it_is_consumed() {
        let now = Instant::now();
        let (mut client, mut agent) = pair(now);
        client.send(PayloadType::Output, "ls\r".into(), stamp(), now).unwrap();
        let frame = client.poll_transmit(now, &mut stamp).unwrap();
        agent.handle_frame(frame, now).unwrap();
        let payload_type = PayloadType::Output;
        let stream = Event::Stream { sequence_number: 0, payload_type, payload: "ls\r".into() };
        assert_eq!((agent.poll_event(), agent.poll_event()), (Some(stream), None));
        assert_eq!(next_message(&mut agent, now), None, "nothing was consumed");

        agent.acknowledge(0);
        let acknowledge = next_message(&mut agent, now).unwrap();
        assert_eq!(acknowledge.message_type, MessageType::Acknowledge);
        assert_eq!(acknowledge.flags, crate::Flags::SYN_FIN);
        assert_eq!(
            acknowledge.payload,
            r#"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageId":"00000000-0000-0000-0000-000000000009","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}"#
        );
        assert!(!client.is_drained());
        client.handle_frame(acknowledge.encode(), now).unwrap();
        assert!(client.is_drained());
        assert_eq!(client.unacknowledged_bytes(), 0);
    }

    #[test]
    fn acknowledgements_and_states_go_before_the_stream() {
        let now = Instant::now();
        let (mut client, mut agent) = pair(now);
        client.send(PayloadType::Output, "x".into(), stamp(), now).unwrap();
        agent.send(PayloadType::Output, "y".into(), stamp(), now).unwrap();
        agent.send_control(SessionState::new(State::Connected, "alice-1").to_message(stamp()));
        agent.handle_frame(client.poll_transmit(now, &mut stamp).unwrap(), now).unwrap();
        agent.acknowledge(0);
        let types = std::iter::from_fn(|| next_message(&mut agent, now)).map(|message| message.message_type);
        let expected =
            [MessageType::Acknowledge, MessageType::AgentSessionState, MessageType::OutputStreamData];
        assert!(types.eq(expected));
    }

    #[test]
    fn without_a_connection_nothing_is_due_and_nothing_is_lost() {
        let now = Instant::now();
        let mut agent = DataChannel::new(Role::Agent, ChannelLimits::default());
        agent.send(PayloadType::Output, "x".into(), stamp(), now).unwrap();
        agent.send_control(SessionState::new(State::Connected, "alice-1").to_message(stamp()));
        assert_eq!((next_message(&mut agent, now), agent.poll_timeout()), (None, None));
        agent.handle_connected(now);
        assert_eq!(std::iter::from_fn(|| next_message(&mut agent, now)).count(), 2);
    }

    #[test]
    fn events_outside_the_stream_are_told() {
        let now = Instant::now();
        let (mut client, mut agent) = pair(now);
        let size = Some(Size { cols: 132, rows: 43 });
        let attached = ClientAttached { client_id: Some("c".to_owned()), client_version: None, size };
        let state = SessionState::new(State::Terminating, "alice-1");
        let messages = [
            attached.to_message(stamp()),
            publication(MessageType::StartPublication, stamp()),
            publication(MessageType::PausePublication, stamp()),
            state.to_message(stamp()),
            AgentMessage {
                message_type: MessageType::Unknown("new".to_owned()),
                ..state.to_message(stamp())
            },
        ];
        for message in messages {
            agent.handle_frame(message.encode(), now).unwrap();
        }
        let events: Vec<_> = std::iter::from_fn(|| agent.poll_event()).collect();
        let started = [Event::StartPublication(Some(attached)), Event::StartPublication(None)];
        let rest = [Event::PausePublication, Event::SessionState(state)];
        assert_eq!(events, [started, rest].concat());

        let closed = ChannelClosed { output: "bye".to_owned(), ..ChannelClosed::default() };
        client.handle_frame(closed.into_message(stamp()).encode(), now).unwrap();
        let Some(Event::Closed(closed)) = client.poll_event() else { panic!("not closed") };
        assert_eq!((closed.output.as_str(), closed.created_date.as_str()), ("bye", "1503434274948"));
    }

    #[test]
    fn an_unreadable_acknowledgement_is_an_error_that_changes_nothing() {
        let now = Instant::now();
        let (mut client, _) = pair(now);
        client.send(PayloadType::Output, "x".into(), stamp(), now).unwrap();
        next_message(&mut client, now);
        let message = AgentMessage {
            message_type: MessageType::Acknowledge,
            payload: "{}".into(),
            ..publication(MessageType::Acknowledge, stamp())
        };
        let error = client.handle_frame(message.encode(), now).unwrap_err();
        assert!(matches!(error, DecodeError::Payload { message_type: MessageType::Acknowledge, .. }));
        assert!(!client.is_drained());
    }
}
