//! The receiving half of a data channel: it puts messages in order, drops duplicates, and says which to
//! acknowledge.
//!
//! A message is acknowledged once the application has consumed it, so acknowledgements tell the sender how fast the
//! receiver is. Everything that does not fit is dropped without an acknowledgement: its sender will send it again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;

use crate::message::{AgentMessage, PayloadType};

/// How long a cumulative acknowledgement may wait for more to stand for: less than any sender waits before it sends again.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(25);
/// How many bytes it may stand for: little of the window of a tunnel.
const ACKNOWLEDGED_BYTES_MAX: usize = 256 * 1024;

/// How much an [`Inbox`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxLimits {
    /// Messages that wait for an earlier one.
    pub out_of_order_messages_max: usize,
    /// Their payloads.
    pub out_of_order_bytes_max: usize,
    /// Messages in order that the application has not consumed.
    pub unconsumed_messages_max: usize,
    /// Their payloads.
    pub unconsumed_bytes_max: usize,
}

/// A message of the stream, in its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamMessage {
    /// Its position; to be acknowledged when it is consumed.
    pub sequence_number: i64,
    /// How to read the payload.
    pub payload_type: PayloadType,
    /// The content.
    pub payload: Bytes,
}

/// An acknowledgement that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Number of the message to acknowledge.
    pub sequence_number: i64,
    /// ID of the message to acknowledge.
    pub message_id: Uuid,
    /// Whether all messages before it are acknowledged with it.
    pub is_cumulative: bool,
}

/// Stream messages from their arrival to their consumption.
#[derive(Debug)]
pub struct Inbox {
    limits: InboxLimits,
    /// In order, consumed or not, from the first that is not consumed.
    delivered: VecDeque<Delivered>,
    /// The number of the first of them, or the next expected number if there is none.
    first: i64,
    delivered_bytes: usize,
    /// Messages that came too early.
    early: BTreeMap<i64, Early>,
    early_bytes: usize,
    due: VecDeque<Due>,
    is_cumulative: bool,
    /// Of what was consumed since the last acknowledgement: how much, and until when it may wait.
    waiting_bytes: usize,
    waiting_until: Option<Instant>,
    /// Something came again: its acknowledgement was lost, or late.
    is_urgent: bool,
}

#[derive(Debug)]
struct Delivered {
    message_id: Uuid,
    payload_bytes: usize,
    consumed: bool,
}

#[derive(Debug)]
struct Early {
    message_id: Uuid,
    payload_type: PayloadType,
    payload: Bytes,
}

impl Inbox {
    /// An inbox that expects number 0.
    #[must_use]
    pub fn new(limits: InboxLimits) -> Self {
        Self {
            limits,
            delivered: VecDeque::new(),
            first: 0,
            delivered_bytes: 0,
            early: BTreeMap::new(),
            early_bytes: 0,
            due: VecDeque::new(),
            is_cumulative: false,
            waiting_bytes: 0,
            waiting_until: None,
            is_urgent: false,
        }
    }

    /// From now on one acknowledgement stands for all messages up to its own, and `limits` are these.
    pub fn acknowledge_cumulatively(&mut self, limits: InboxLimits) {
        self.limits = limits;
        self.is_cumulative = true;
    }

    /// Takes a stream message, and passes those whose turn it is to `deliver`.
    pub fn handle_message(&mut self, message: AgentMessage, mut deliver: impl FnMut(StreamMessage)) {
        let sequence_number = message.sequence_number;
        let expected = self.expected();
        if sequence_number < expected {
            self.handle_duplicate(sequence_number, message.message_id);
            return;
        }
        let early = Early {
            message_id: message.message_id,
            payload_type: message.payload_type,
            payload: message.payload,
        };
        if sequence_number > expected {
            self.keep(sequence_number, early);
            return;
        }
        if !self.has_room() {
            return;
        }
        deliver(self.deliver(early));
        while let Some(early) = self.early.remove(&self.expected()) {
            self.early_bytes -= early.payload.len();
            deliver(self.deliver(early));
        }
    }

    /// The application consumed that message: its acknowledgement is due. Twice changes nothing.
    pub fn consume(&mut self, sequence_number: i64) {
        let Some(delivered) = self.index(sequence_number).and_then(|index| self.delivered.get_mut(index))
        else {
            return;
        };
        if std::mem::replace(&mut delivered.consumed, true) {
            return;
        }
        self.delivered_bytes -= delivered.payload_bytes;
        self.waiting_bytes += delivered.payload_bytes;
        let message_id = delivered.message_id;
        while self.delivered.front().is_some_and(|delivered| delivered.consumed) {
            self.delivered.pop_front();
            self.first += 1;
        }
        self.make_due(Due { sequence_number, message_id, is_cumulative: false });
    }

    /// The next acknowledgement to send. One that is cumulative waits a little for more to stand for: whoever answers a
    /// question should not be held up by saying that it was heard.
    pub fn poll_due(&mut self, now: Instant) -> Option<Due> {
        if self.is_cumulative && !self.due.is_empty() && !self.is_urgent {
            let until = *self.waiting_until.get_or_insert(now + ACKNOWLEDGED_WITHIN);
            if now < until && self.waiting_bytes < ACKNOWLEDGED_BYTES_MAX {
                return None;
            }
        }
        let mut due = self.due.pop_front()?;
        self.waiting_bytes = 0;
        self.waiting_until = None;
        if !self.is_cumulative || due.sequence_number >= self.first {
            return Some(due);
        }
        while let Some(next) = self.due.pop_front_if(|next| next.sequence_number < self.first) {
            due = if next.sequence_number > due.sequence_number { next } else { due };
        }
        self.is_urgent = false;
        Some(Due { is_cumulative: true, ..due })
    }

    /// When to call [`Self::poll_due`] if nothing else happens first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting_until
    }

    /// Whether the next message in order would be taken. The last one may exceed the limit in bytes.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.delivered.len() < self.limits.unconsumed_messages_max
            && self.delivered_bytes < self.limits.unconsumed_bytes_max
    }

    fn expected(&self) -> i64 {
        self.first + self.delivered.len() as i64
    }

    fn index(&self, sequence_number: i64) -> Option<usize> {
        usize::try_from(sequence_number.checked_sub(self.first)?).ok()
    }

    /// Acknowledges again what was consumed: its acknowledgement got lost. What is still to be consumed will be
    /// acknowledged then.
    fn handle_duplicate(&mut self, sequence_number: i64, message_id: Uuid) {
        let delivered = self.index(sequence_number).and_then(|index| self.delivered.get(index));
        let is_consumed = delivered.is_none_or(|delivered| delivered.consumed);
        if is_consumed && sequence_number >= 0 {
            self.is_urgent = true;
            self.make_due(Due { sequence_number, message_id, is_cumulative: false });
        }
    }

    fn keep(&mut self, sequence_number: i64, early: Early) {
        let bytes = self.early_bytes.saturating_add(early.payload.len());
        let has_room = self.early.len() < self.limits.out_of_order_messages_max
            && bytes <= self.limits.out_of_order_bytes_max;
        if has_room && !self.early.contains_key(&sequence_number) {
            self.early.insert(sequence_number, early);
            self.early_bytes = bytes;
        }
    }

    fn deliver(&mut self, message: Early) -> StreamMessage {
        let sequence_number = self.expected();
        let payload_bytes = message.payload.len();
        self.delivered_bytes += payload_bytes;
        self.delivered.push_back(Delivered {
            message_id: message.message_id,
            payload_bytes,
            consumed: false,
        });
        StreamMessage { sequence_number, payload_type: message.payload_type, payload: message.payload }
    }

    /// An acknowledgement for which there is no room is forgotten: the sender will ask for it by a duplicate.
    fn make_due(&mut self, due: Due) {
        if self.due.len() < self.limits.unconsumed_messages_max {
            self.due.push_back(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Flags, MessageType};

    const LIMITS: InboxLimits = InboxLimits {
        out_of_order_messages_max: 2,
        out_of_order_bytes_max: 100,
        unconsumed_messages_max: 4,
        unconsumed_bytes_max: 1000,
    };

    fn message(sequence_number: i64, payload: &'static str) -> AgentMessage {
        AgentMessage {
            message_type: MessageType::InputStreamData,
            created_ms: 1,
            sequence_number,
            flags: Flags::NONE,
            message_id: Uuid::from_u128(sequence_number as u128),
            payload_type: PayloadType::Output,
            payload: payload.into(),
        }
    }

    fn handle(inbox: &mut Inbox, sequence_number: i64, payload: &'static str) -> Vec<i64> {
        let mut delivered = Vec::new();
        inbox.handle_message(message(sequence_number, payload), |message| {
            delivered.push(message.sequence_number)
        });
        delivered
    }

    #[test]
    fn one_cumulative_acknowledgement_stands_for_all_that_was_consumed() {
        let mut inbox = Inbox::new(LIMITS);
        inbox.acknowledge_cumulatively(LIMITS);
        (0..4).for_each(|number| _ = handle(&mut inbox, number, "x"));
        [0, 1, 3].into_iter().for_each(|number| inbox.consume(number));
        let start = Instant::now();
        let later = start + ACKNOWLEDGED_WITHIN;
        let due =
            |inbox: &mut Inbox, now| inbox.poll_due(now).map(|due| (due.sequence_number, due.is_cumulative));
        assert_eq!(due(&mut inbox, start), None, "more may come");
        assert_eq!(inbox.poll_timeout(), Some(later));
        assert_eq!(due(&mut inbox, later), Some((1, true)));
        assert_eq!((due(&mut inbox, later), inbox.poll_timeout()), (None, Some(later + ACKNOWLEDGED_WITHIN)));
        let later = later + ACKNOWLEDGED_WITHIN;
        assert_eq!(due(&mut inbox, later), Some((3, false)), "2 has not been consumed");
        inbox.consume(2);
        assert_eq!(due(&mut inbox, later), None);
        assert_eq!(due(&mut inbox, later + ACKNOWLEDGED_WITHIN), Some((2, true)));
        assert_eq!((due(&mut inbox, later), inbox.poll_timeout()), (None, None));
        handle(&mut inbox, 0, "x");
        assert_eq!(due(&mut inbox, later), Some((0, true)), "its acknowledgement was lost");
    }

    #[test]
    fn an_acknowledgement_does_not_wait_while_much_is_on_its_way() {
        let limits = InboxLimits { unconsumed_bytes_max: usize::MAX, ..LIMITS };
        let mut inbox = Inbox::new(limits);
        inbox.acknowledge_cumulatively(limits);
        let now = Instant::now();
        let large = AgentMessage { payload: vec![0; ACKNOWLEDGED_BYTES_MAX].into(), ..message(0, "") };
        inbox.handle_message(large, |_| {});
        inbox.consume(0);
        assert_eq!(inbox.poll_due(now).map(|due| due.sequence_number), Some(0));
    }

    fn due(inbox: &mut Inbox) -> Vec<i64> {
        std::iter::from_fn(|| inbox.poll_due(Instant::now())).map(|due| due.sequence_number).collect()
    }

    #[test]
    fn messages_are_delivered_in_order_and_acknowledged_when_consumed() {
        let mut inbox = Inbox::new(LIMITS);
        assert_eq!(handle(&mut inbox, 1, "b"), [0; 0]);
        assert_eq!(handle(&mut inbox, 0, "a"), [0, 1]);
        assert_eq!(due(&mut inbox), [0; 0]);
        inbox.consume(1);
        inbox.consume(0);
        inbox.consume(0);
        assert_eq!(due(&mut inbox), [1, 0]);
    }

    #[test]
    fn a_duplicate_is_acknowledged_again_only_after_it_was_consumed() {
        let mut inbox = Inbox::new(LIMITS);
        handle(&mut inbox, 0, "a");
        assert_eq!(handle(&mut inbox, 0, "a"), [0; 0]);
        assert_eq!(due(&mut inbox), [0; 0]);
        inbox.consume(0);
        assert_eq!(due(&mut inbox), [0]);
        assert_eq!(handle(&mut inbox, 0, "a"), [0; 0]);
        assert_eq!(due(&mut inbox), [0]);
    }

    #[test]
    fn what_comes_too_early_is_kept_within_limits() {
        let mut inbox = Inbox::new(LIMITS);
        for number in [3, 2, 2, 1] {
            handle(&mut inbox, number, "x");
        }
        assert_eq!(handle(&mut inbox, 0, "x"), [0], "the third early message found no room");
        assert_eq!(handle(&mut inbox, 1, "x"), [1, 2, 3]);

        let mut inbox = Inbox::new(InboxLimits { out_of_order_bytes_max: 3, ..LIMITS });
        handle(&mut inbox, 1, "long");
        assert_eq!(handle(&mut inbox, 0, "x"), [0], "the early message was too long");
    }

    #[test]
    fn the_room_for_early_messages_is_free_again_after_their_turn() {
        let mut inbox = Inbox::new(InboxLimits { out_of_order_bytes_max: 4, ..LIMITS });
        for number in (0..20).step_by(2) {
            handle(&mut inbox, number + 1, "four");
            assert_eq!(handle(&mut inbox, number, "x"), [number, number + 1]);
            inbox.consume(number);
            inbox.consume(number + 1);
        }
    }

    #[test]
    fn what_the_application_does_not_consume_is_bounded() {
        let mut inbox = Inbox::new(LIMITS);
        let delivered: Vec<_> = (0..6).flat_map(|number| handle(&mut inbox, number, "x")).collect();
        assert_eq!(delivered, [0, 1, 2, 3]);
        assert!(!inbox.has_room());
        inbox.consume(0);
        assert_eq!(handle(&mut inbox, 4, "x"), [4, 5]);
    }

    #[test]
    fn hostile_numbers_change_nothing() {
        let mut inbox = Inbox::new(LIMITS);
        for number in [i64::MIN, -1, i64::MAX] {
            assert_eq!(handle(&mut inbox, number, "x"), [0; 0]);
            inbox.consume(number);
        }
        assert_eq!(due(&mut inbox), [0; 0]);
        assert_eq!(handle(&mut inbox, 0, "x"), [0]);
    }
}
