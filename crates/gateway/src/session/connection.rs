//! One websocket of a session.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use postern_protocol::KeepAlive;
use tokio::time::Instant;
use tokio_websockets::CloseCode;

use crate::relay::{Relay, Side, Transmit};
use crate::socket::{Closed, Incoming, Socket};

/// What every ping carries that is not a fence; AWS's programs send the same.
const PING_PAYLOAD: &[u8] = b"keepalive";
/// What is read of a peer that may send nothing at the moment, to find the pong behind it. Postern's ends have at most
/// 2 MiB on their way; AWS's agent may have more.
const HELD_BACK_BYTES_MAX: usize = 4 << 20;
/// What a message that is held back takes besides its payload.
const HELD_BACK_OVERHEAD_BYTES: usize = 64;

/// See the [module's documentation](self).
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) keep_alive: KeepAlive<Instant>,
    pub(super) invalid_frames: u32,
    ending: Ending,
    /// Read while the other side was slow, and not passed on yet.
    held_back: VecDeque<Incoming>,
    held_back_bytes: usize,
    probe: Option<Probe>,
}

/// The search for a sign of life of a peer that is not read otherwise.
#[derive(Debug, Default)]
struct Probe {
    /// All that had come before the ping is read: whatever comes now was sent after it.
    is_past_backlog: bool,
}

/// What is known of a peer whose frames are not wanted at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Its silence counts, and tells.
    Watched,
    /// More stands before its answer than may be held: its silence here means nothing.
    Unknown,
    /// The connection is over.
    Over,
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Open,
    /// Close once everything queued is written.
    WhenFlushed,
    Closed,
}

impl Connection {
    pub(super) fn new(socket: Socket, now: Instant) -> Self {
        Self {
            socket,
            keep_alive: KeepAlive::new(now),
            invalid_frames: 0,
            ending: Ending::Open,
            held_back: VecDeque::new(),
            held_back_bytes: 0,
            probe: None,
        }
    }

    /// The next message, those that were held back first; `None` when the connection is over.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.probe = None;
        match self.held_back.pop_front() {
            Some(first) => {
                self.held_back_bytes -= held_bytes(&first);
                Poll::Ready(Some(first))
            }
            None => self.socket.poll_receive(cx),
        }
    }

    /// Takes what was held back.
    pub(super) fn take_held_back(&mut self) -> VecDeque<Incoming> {
        self.held_back_bytes = 0;
        std::mem::take(&mut self.held_back)
    }

    /// Looks for a sign of life although the peer's frames are not wanted at the moment. Nothing is read before its
    /// silence has been pinged ([`Self::begin_probe`]), so that an ordinary back-pressure stays one. Then it is read
    /// up to the pong, and what stands before that is held back.
    pub(super) fn look_for_life(&mut self, cx: &mut Context<'_>, now: Instant) -> Life {
        loop {
            if self.held_back_bytes >= HELD_BACK_BYTES_MAX {
                self.probe = None;
                return Life::Unknown;
            }
            let Some(probe) = &mut self.probe else { return Life::Watched };
            let Poll::Ready(incoming) = self.socket.poll_receive(cx) else {
                probe.is_past_backlog = true;
                return Life::Watched;
            };
            let Some(incoming) = incoming else { return Life::Over };
            let is_pong = matches!(&incoming, Incoming::Pong(payload) if **payload == *PING_PAYLOAD);
            if is_pong || probe.is_past_backlog {
                self.keep_alive.handle_heard(now);
            }
            if is_pong {
                self.probe = None;
            } else {
                self.held_back_bytes += held_bytes(&incoming);
                self.held_back.push_back(incoming);
            }
        }
    }

    /// From now on [`Self::look_for_life`] reads, for a ping was sent.
    pub(super) fn begin_probe(&mut self) {
        self.probe = Some(Probe::default());
    }

    /// Writes what the relay has for this side, as far as the connection takes it.
    pub(super) fn transmit(
        &mut self,
        side: Side,
        relay: &mut Relay,
        cx: &mut Context<'_>,
    ) -> Result<(), Closed> {
        let is_flushed =
            self.flush(side, relay, cx)?.is_ready() && !(side == Side::Client && relay.is_held_up());
        if is_flushed && self.ending == Ending::WhenFlushed {
            self.close(CloseCode::NORMAL_CLOSURE, "the session has ended");
            let _ = self.socket.poll_flush(cx)?;
        }
        Ok(())
    }

    /// As [`Self::transmit`]; ready when nothing is left.
    pub(super) fn flush(
        &mut self,
        side: Side,
        relay: &mut Relay,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        if self.ending != Ending::Closed {
            while self.socket.poll_ready(cx)?.is_ready() {
                match relay.poll_transmit(side) {
                    Some(Transmit::Frame(frame)) => self.socket.send(frame)?,
                    Some(Transmit::Fence(fence)) => self.socket.ping(fence_payload(fence))?,
                    None => return self.socket.poll_flush(cx),
                }
            }
        }
        let flushed = self.socket.poll_flush(cx)?;
        if self.ending == Ending::Closed { flushed.map(Ok) } else { Poll::Pending }
    }

    /// Asks a silent peer for a sign of life. A connection that cannot take the ping is noticed when it is read.
    pub(super) fn ping(&mut self) {
        let _ = self.socket.ping(Bytes::from_static(PING_PAYLOAD));
    }

    /// Closes the connection as soon as everything queued is written.
    pub(super) fn close_when_flushed(&mut self) {
        self.ending = Ending::WhenFlushed;
    }

    /// Queues a close frame; nothing is sent after it.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) {
        if self.ending != Ending::Closed {
            self.ending = Ending::Closed;
            let _ = self.socket.close(code, reason);
        }
    }

    /// Sends a last frame and the close frame to a peer that is not waited for.
    pub(super) fn say_goodbye(&mut self, frame: Bytes, code: CloseCode, reason: &str) {
        let _ = self.socket.send(frame);
        self.close(code, reason);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let _ = self.socket.poll_flush(&mut cx);
    }
}

fn held_bytes(incoming: &Incoming) -> usize {
    let payload_bytes = match incoming {
        Incoming::Binary(payload) | Incoming::Text(payload) | Incoming::Pong(payload) => payload.len(),
        Incoming::Ping => 0,
    };
    payload_bytes + HELD_BACK_OVERHEAD_BYTES
}

fn fence_payload(fence: u64) -> Bytes {
    Bytes::copy_from_slice(format!("fence {fence}").as_bytes())
}

/// The fence that a pong answers, if it answers one.
pub(super) fn parse_fence(payload: &[u8]) -> Option<u64> {
    std::str::from_utf8(payload).ok()?.strip_prefix("fence ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_survives_the_round_trip() {
        assert_eq!(parse_fence(&fence_payload(u64::MAX)), Some(u64::MAX));
        for other in [b"keepalive".as_slice(), b"", b"fence ", b"fence -1", b"\xff"] {
            assert_eq!(parse_fence(other), None);
        }
    }
}
