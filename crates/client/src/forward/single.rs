//! One connection after the other, as agents want it that do not multiplex.
//!
//! What the agent sends belongs to the connection that there is; while there is none it waits.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use postern_tunnel::Socket;
use postern_tunnel::smux::Happened;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Single {
    socket: Option<Socket>,
    /// Messages that are not written, bounded by what the channel delivers unacknowledged.
    pending: VecDeque<(i64, Bytes)>,
    acknowledged: VecDeque<i64>,
    has_ended: bool,
    buffer: Vec<u8>,
}

impl Single {
    /// Whether there is no connection.
    pub(crate) fn is_free(&self) -> bool {
        self.socket.is_none() && !self.has_ended
    }

    pub(crate) fn connect(&mut self, socket: Socket) {
        self.socket = Some(socket);
    }

    /// Whether the connection has just ended, which the agent is to be told.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The agent has been told.
    pub(crate) fn settle(&mut self) {
        self.has_ended = false;
    }

    pub(crate) fn receive(&mut self, number: i64, payload: Bytes) {
        if payload.is_empty() {
            self.acknowledged.push_back(number);
        } else {
            self.pending.push_back((number, payload));
        }
    }

    pub(crate) fn poll_acknowledge(&mut self) -> Option<i64> {
        self.acknowledged.pop_front()
    }

    /// Waits for what happens next; the connection is read only with `room`, because its end is to be told, too.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, room: Option<usize>) -> Poll<Happened> {
        let Some(socket) = &mut self.socket else { return Poll::Pending };
        if let Some((number, payload)) = self.pending.front_mut()
            && let Poll::Ready(written) = socket.poll_write(cx, payload)
        {
            match written {
                Ok(count) => payload.advance(count.min(payload.len())),
                // Nobody takes it any more; the end is met where it is read.
                Err(_) => payload.clear(),
            }
            if payload.is_empty() {
                self.acknowledged.push_back(*number);
                self.pending.pop_front();
            }
            return Poll::Ready(Happened::Moved);
        }
        let Some(room) = room else { return Poll::Pending };
        self.buffer.resize(room, 0);
        match ready!(socket.poll_read(cx, &mut self.buffer)) {
            Ok(count) if count > 0 => {
                let data = self.buffer.get(..count).unwrap_or_default();
                Poll::Ready(Happened::Message(Bytes::copy_from_slice(data)))
            }
            Ok(_) | Err(_) => {
                self.socket = None;
                self.has_ended = true;
                self.acknowledged.extend(self.pending.drain(..).map(|(number, _)| number));
                Poll::Ready(Happened::Moved)
            }
        }
    }
}
