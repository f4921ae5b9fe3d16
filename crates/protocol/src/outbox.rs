//! The sending half of a data channel: it numbers messages, keeps each until the peer acknowledges it, and says
//! what to send next.
//!
//! A message is here before it is sent, so its acknowledgement always finds it. (AWS's programs do it the other way
//! round and lose acknowledgements that are fast.)

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::message::{AgentMessage, Flags, MessageType, PayloadDigest, PayloadType};
use crate::payload::{Acknowledged, Stamp};
use crate::rto::Rto;

/// AWS's plugin drops what arrives in the moment between HandshakeComplete and the set-up of its shell; so for a
/// second we do not wait the whole timeout.
const HASTE: Duration = Duration::from_secs(1);

/// Between the 50 and 100 ms in which the plugin is surely ready.
const RESEND_AFTER_IN_HASTE: Duration = Duration::from_millis(75);

/// What awaits acknowledgement is at its limit; here is the payload again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too much awaits acknowledgement")]
pub struct Full(pub Bytes);

/// How much an [`Outbox`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Frames that are not acknowledged.
    pub bytes_max: usize,
    /// The same, in messages.
    pub messages_max: usize,
    /// Frames of these that the connection has not taken.
    pub unsent_bytes_max: usize,
}

/// Stream messages from their making to their acknowledgement.
#[derive(Debug)]
pub struct Outbox {
    message_type: MessageType,
    limits: OutboxLimits,
    digest: PayloadDigest,
    /// The oldest first; the first of them is not acknowledged.
    entries: VecDeque<Entry>,
    /// The number of the first entry, or of the next message if there is none.
    first: i64,
    /// Entries from here on have not been sent on this connection.
    unsent: usize,
    /// Their size.
    unsent_bytes: usize,
    bytes: usize,
    connected: bool,
    rto: Rto,
    haste_until: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    /// Empty once acknowledged.
    frame: Bytes,
    sent: Option<Sent>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    /// First time on this connection.
    first: Instant,
    last: Instant,
}

impl Outbox {
    /// An outbox for messages of the type `message_type`. It has no connection yet.
    #[must_use]
    pub fn new(message_type: MessageType, limits: OutboxLimits) -> Self {
        Self {
            message_type,
            limits,
            digest: PayloadDigest::Needed,
            entries: VecDeque::new(),
            first: 0,
            unsent: 0,
            unsent_bytes: 0,
            bytes: 0,
            connected: false,
            rto: Rto::default(),
            haste_until: None,
        }
    }

    /// With other limits from now on, and messages without digest.
    pub fn begin_tunnel(&mut self, limits: OutboxLimits) {
        self.limits = limits;
        self.digest = PayloadDigest::Spared;
    }

    /// Whether [`Self::push`] would take a message. The last one may exceed the limits in bytes.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let OutboxLimits { bytes_max, messages_max, unsent_bytes_max } = self.limits;
        self.bytes < bytes_max && self.entries.len() < messages_max && self.unsent_bytes < unsent_bytes_max
    }

    /// Numbers a payload and keeps it for sending.
    ///
    /// # Errors
    /// Too much awaits acknowledgement.
    pub fn push(
        &mut self,
        payload_type: PayloadType,
        payload: Bytes,
        stamp: Stamp,
        now: Instant,
    ) -> Result<i64, Full> {
        if !self.has_room() {
            return Err(Full(payload));
        }
        let is_from_agent = self.message_type == MessageType::OutputStreamData;
        let sequence_number = self.first + self.entries.len() as i64;
        let message = AgentMessage {
            message_type: self.message_type.clone(),
            created_ms: stamp.created_ms,
            sequence_number,
            flags: if is_from_agent && sequence_number == 0 { Flags::SYN } else { Flags::NONE },
            message_id: stamp.message_id,
            payload_type,
            payload,
        };
        let frame = message.encode_with(self.digest);
        self.bytes += frame.len();
        self.unsent_bytes += frame.len();
        self.entries.push_back(Entry { frame, sent: None });
        if payload_type == PayloadType::HandshakeComplete {
            self.haste_until = Some(now + HASTE);
        }
        Ok(sequence_number)
    }

    /// Forgets what is acknowledged. Late and repeated acknowledgements are normal and change nothing; nor do those of
    /// messages that were never sent.
    pub fn handle_acknowledge(&mut self, acknowledged: Acknowledged, now: Instant) {
        let number = acknowledged.sequence_number();
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some((index, entry)) = index.and_then(|index| Some((index, self.entries.get(index)?))) else {
            return;
        };
        let Some(sent) = entry.sent.filter(|_| !entry.is_acknowledged()) else { return };
        // From the first sending, as the plugin does: after a resend nobody knows which one was acknowledged, and a
        // slow link is never mistaken for a fast one this way.
        self.rto.handle_sample(now.saturating_duration_since(sent.first));
        match acknowledged {
            Acknowledged::One(_) => self.forget(index),
            Acknowledged::Through(_) => (0..=index).for_each(|index| self.forget(index)),
        }
        while self.entries.front().is_some_and(Entry::is_acknowledged) {
            self.entries.pop_front();
            self.first += 1;
            self.unsent = self.unsent.saturating_sub(1);
        }
    }

    fn forget(&mut self, index: usize) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let bytes = std::mem::take(&mut entry.frame).len();
        self.bytes -= bytes;
        if index >= self.unsent {
            self.unsent_bytes -= bytes;
        }
    }

    /// The next message that is due: those never sent on this connection, then the oldest one if it waited too long.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        if !self.connected {
            return None;
        }
        while let Some(entry) = self.entries.get_mut(self.unsent) {
            self.unsent += 1;
            if !entry.is_acknowledged() {
                self.unsent_bytes -= entry.frame.len();
                entry.sent = Some(Sent { first: now, last: now });
                return Some(entry.frame.clone());
            }
        }
        if now < self.poll_timeout()? {
            return None;
        }
        let head = self.entries.front_mut()?;
        head.sent.as_mut()?.last = now;
        Some(head.frame.clone())
    }

    /// When the oldest message is to be resent.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let is_sent = self.connected && self.unsent > 0;
        let last = self.entries.front().filter(|_| is_sent)?.sent?.last;
        let resend_after = self.rto.resend_after();
        let is_hasty = self.haste_until.is_some_and(|until| last < until);
        Some(last + if is_hasty { RESEND_AFTER_IN_HASTE.min(resend_after) } else { resend_after })
    }

    /// A new connection is there: everything is due again, in order.
    pub fn handle_connected(&mut self) {
        self.connected = true;
        self.unsent = 0;
        self.unsent_bytes = self.bytes;
    }

    /// Nothing is due until there is a connection.
    pub fn handle_disconnected(&mut self) {
        self.connected = false;
    }

    /// Whether everything was acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Size of the frames that await acknowledgement.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Entry {
    fn is_acknowledged(&self) -> bool {
        self.frame.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const STAMP: Stamp = Stamp { message_id: Uuid::from_u128(7), created_ms: 1 };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn limits(bytes_max: usize, messages_max: usize) -> OutboxLimits {
        OutboxLimits { bytes_max, messages_max, unsent_bytes_max: usize::MAX }
    }

    fn acknowledge(outbox: &mut Outbox, number: i64, now: Instant) {
        outbox.handle_acknowledge(Acknowledged::One(number), now);
    }

    fn connected() -> Outbox {
        let mut outbox = Outbox::new(MessageType::OutputStreamData, limits(1 << 20, 100));
        outbox.handle_connected();
        outbox
    }

    fn push(outbox: &mut Outbox, payload: &'static str, now: Instant) -> i64 {
        outbox.push(PayloadType::Output, payload.into(), STAMP, now).unwrap()
    }

    fn sent(outbox: &mut Outbox, now: Instant) -> Vec<i64> {
        let frames = std::iter::from_fn(|| outbox.poll_transmit(now));
        frames.map(|frame| AgentMessage::decode(frame).unwrap().sequence_number).collect()
    }

    #[test]
    fn messages_are_sent_once_in_order_and_only_the_oldest_is_resent() {
        let (mut outbox, start) = (connected(), Instant::now());
        (0..3).for_each(|_| _ = push(&mut outbox, "x", start));
        assert_eq!(sent(&mut outbox, start), [0, 1, 2]);
        assert_eq!(sent(&mut outbox, start + ms(199)), [0; 0]);
        assert_eq!(outbox.poll_timeout(), Some(start + ms(200)));
        assert_eq!(sent(&mut outbox, start + ms(200)), [0]);
        acknowledge(&mut outbox, 0, start + ms(210));
        assert_eq!(sent(&mut outbox, start + ms(500)), [1]);
    }

    #[test]
    fn a_resent_message_is_the_same_bytes() {
        let (mut outbox, start) = (connected(), Instant::now());
        push(&mut outbox, "x", start);
        let first = outbox.poll_transmit(start);
        assert_eq!(outbox.poll_transmit(start + ms(1000)), first);
    }

    #[test]
    fn a_new_connection_makes_everything_unacknowledged_due_at_once() {
        let (mut outbox, start) = (connected(), Instant::now());
        (0..4).for_each(|_| _ = push(&mut outbox, "x", start));
        sent(&mut outbox, start);
        acknowledge(&mut outbox, 2, start);
        outbox.handle_disconnected();
        assert_eq!((sent(&mut outbox, start + ms(900)), outbox.poll_timeout()), (vec![], None));
        outbox.handle_connected();
        assert_eq!(sent(&mut outbox, start + ms(900)), [0, 1, 3]);
        assert_eq!(outbox.poll_timeout(), Some(start + ms(900) + outbox.rto.resend_after()));
    }

    #[test]
    fn acknowledgements_in_any_order_free_the_room() {
        let (mut outbox, start) = (connected(), Instant::now());
        (0..3).for_each(|_| _ = push(&mut outbox, "x", start));
        sent(&mut outbox, start);
        for number in [2, 0, 0, 1, 1, -1, 3, i64::MAX, i64::MIN] {
            acknowledge(&mut outbox, number, start);
        }
        assert!(outbox.is_empty());
        assert_eq!((outbox.bytes(), outbox.poll_timeout()), (0, None));
        assert_eq!(push(&mut outbox, "x", start), 3);
    }

    #[test]
    fn a_cumulative_acknowledgement_stands_for_all_before_it() {
        let (mut outbox, start) = (connected(), Instant::now());
        (0..4).for_each(|_| _ = push(&mut outbox, "x", start));
        sent(&mut outbox, start);
        acknowledge(&mut outbox, 1, start);
        outbox.handle_disconnected();
        outbox.handle_connected();
        outbox.handle_acknowledge(Acknowledged::Through(2), start);
        assert_eq!(sent(&mut outbox, start), [3]);
        outbox.handle_acknowledge(Acknowledged::Through(i64::MAX), start);
        assert!(!outbox.is_empty(), "it was never sent");
        outbox.handle_acknowledge(Acknowledged::Through(3), start);
        assert_eq!((outbox.is_empty(), outbox.bytes(), outbox.unsent_bytes), (true, 0, 0));
    }

    #[test]
    fn no_more_is_taken_while_the_connection_takes_too_little() {
        let mut outbox = Outbox::new(MessageType::InputStreamData, limits(usize::MAX, 100));
        let start = Instant::now();
        outbox.begin_tunnel(OutboxLimits { unsent_bytes_max: 2 * 121, ..limits(usize::MAX, 100) });
        (0..2).for_each(|_| _ = push(&mut outbox, "x", start));
        assert!(!outbox.has_room());
        outbox.handle_connected();
        assert!(outbox.poll_transmit(start).is_some());
        assert!(outbox.has_room());
        outbox.handle_connected();
        assert!(!outbox.has_room(), "all of it is to be sent again");
        acknowledge(&mut outbox, 0, start);
        assert!(outbox.has_room());
    }

    #[test]
    fn the_acknowledgement_of_an_unsent_message_is_ignored() {
        let (mut outbox, start) = (connected(), Instant::now());
        push(&mut outbox, "x", start);
        acknowledge(&mut outbox, 0, start);
        assert_eq!(sent(&mut outbox, start), [0]);
    }

    #[test]
    fn a_full_outbox_gives_the_payload_back() {
        let now = Instant::now();
        let mut by_count = Outbox::new(MessageType::InputStreamData, limits(usize::MAX, 1));
        let mut by_bytes = Outbox::new(MessageType::InputStreamData, limits(121, usize::MAX));
        for outbox in [&mut by_count, &mut by_bytes] {
            outbox.push(PayloadType::Output, "x".into(), STAMP, now).unwrap();
            let full = outbox.push(PayloadType::Output, "back".into(), STAMP, now);
            assert_eq!(full, Err(Full("back".into())));
        }
    }

    #[test]
    fn only_the_agents_first_message_carries_syn() {
        let flags = |message_type| {
            let mut outbox = Outbox::new(message_type, limits(1000, 10));
            outbox.handle_connected();
            (0..2).for_each(|_| _ = push(&mut outbox, "x", Instant::now()));
            let frames = std::iter::from_fn(|| outbox.poll_transmit(Instant::now()));
            frames.map(|frame| AgentMessage::decode(frame).unwrap().flags).collect::<Vec<_>>()
        };
        assert_eq!(flags(MessageType::OutputStreamData), [Flags::SYN, Flags::NONE]);
        assert_eq!(flags(MessageType::InputStreamData), [Flags::NONE, Flags::NONE]);
    }

    #[test]
    fn for_a_second_after_handshake_complete_the_oldest_is_resent_sooner() {
        let (mut outbox, start) = (connected(), Instant::now());
        outbox.push(PayloadType::HandshakeComplete, "{}".into(), STAMP, start).unwrap();
        sent(&mut outbox, start);
        acknowledge(&mut outbox, 0, start + ms(1));
        push(&mut outbox, "prompt", start + ms(1));
        sent(&mut outbox, start + ms(1));
        assert_eq!(sent(&mut outbox, start + ms(76)), [1]);
        assert_eq!(sent(&mut outbox, start + ms(1100)), [1]);
        assert_eq!(outbox.poll_timeout(), Some(start + ms(1100) + outbox.rto.resend_after()));
    }
}
