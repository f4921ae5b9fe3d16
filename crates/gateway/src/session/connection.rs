//! One websocket of a session.

use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::Instant;
use tokio_websockets::CloseCode;

use crate::keep_alive::KeepAlive;
use crate::relay::{Relay, Side, Transmit};
use crate::socket::{Closed, Socket};

/// What every ping carries that is not a fence; AWS's programs send the same.
const PING_PAYLOAD: &[u8] = b"keepalive";

/// See the [module's documentation](self).
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) keep_alive: KeepAlive,
    pub(super) invalid_frames: u32,
    ending: Ending,
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
        Self { socket, keep_alive: KeepAlive::new(now), invalid_frames: 0, ending: Ending::Open }
    }

    /// Writes what the relay has for this side, as far as the connection takes it.
    pub(super) fn transmit(
        &mut self,
        side: Side,
        relay: &mut Relay,
        cx: &mut Context<'_>,
    ) -> Result<(), Closed> {
        if self.flush(side, relay, cx)?.is_ready() && self.ending == Ending::WhenFlushed {
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
