//! What is to be said, other than data, in the order in which it was.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use postern_protocol::tunnel::{Content, Frame, StreamId};

/// Frames up to this size leave in one message.
const BATCH_BYTES_MAX: usize = 8 * 1024;

/// What may wait to be said: the answers to 50,000 questions, of which no honest end asks a tenth without listening.
pub(super) const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    messages: VecDeque<Message>,
    bytes: usize,
}

#[derive(Debug)]
enum Message {
    Alone(Bytes),
    Together(BytesMut),
}

impl Outgoing {
    pub(super) fn push(&mut self, id: StreamId, content: Content) {
        let is_alone = matches!(content, Content::Open(_) | Content::Listen(_) | Content::Accepted(_));
        let frame = Frame::new(id, content).to_bytes();
        self.bytes += frame.len();
        match self.messages.back_mut() {
            _ if is_alone => self.messages.push_back(Message::Alone(frame)),
            Some(Message::Together(frames)) if frames.len() + frame.len() <= BATCH_BYTES_MAX => {
                frames.extend_from_slice(&frame);
            }
            _ => self.messages.push_back(Message::Together(BytesMut::from(&frame[..]))),
        }
    }

    /// Whether the other end asks on without listening.
    pub(super) fn is_unheard(&self) -> bool {
        self.bytes > WAITING_BYTES_MAX
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let message = match self.messages.pop_front()? {
            Message::Alone(message) => message,
            Message::Together(frames) => frames.freeze(),
        };
        self.bytes -= message.len();
        Some(message)
    }
}
