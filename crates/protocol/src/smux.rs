//! Many connections over one stream: smux, version 1, as AWS's plugin and agent speak it in port sessions.
//!
//! The payloads of one direction, put together, are a stream of frames: a head of eight bytes (version, command, length
//! as u16, stream as u32, little-endian), then as many bytes of data as it says. Frames begin and end anywhere in the
//! payloads. Source: frame.go and session.go of github.com/xtaci/smux, 1.5.
//!
//! Version 1 has no window for each stream, and no way to close one half of a connection: whoever says FIN has closed
//! both. So a receiver that one connection holds up holds up all of them, or gives that one up.

mod decoder;

use std::collections::BTreeSet;

use bytes::Bytes;

pub use self::decoder::{Decoder, Frame};

/// Before the data of each frame.
pub const HEAD_BYTES: usize = 8;

/// The most data in one frame. AWS's programs write no more, and read twice that.
pub const DATA_BYTES_MAX: usize = 32 * 1024;

/// Streams of one session at once: what AWS's agent lets wait to be accepted, and as many descriptors as a process may
/// usually have.
pub const STREAMS_MAX: usize = 1024;

const VERSION: u8 = 1;
const SYN: u8 = 0;
const FIN: u8 = 1;
const PSH: u8 = 2;
const NOP: u8 = 3;
/// Windows, in version 2; AWS's programs read and ignore it in version 1.
const UPD: u8 = 4;
/// What an UPD has behind its head.
const UPD_BYTES: u16 = 8;
/// The first stream of a client. One is never used: the library counts up before it takes a number.
const FIRST_OF_CLIENT: u32 = 3;

/// The number of a stream: odd if the client opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// The peer does not speak smux, version 1; nothing that it sends has a meaning any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmuxError {
    /// Another version.
    #[error("a frame has version {0} instead of 1")]
    Version(u8),
    /// A command that version 1 does not have.
    #[error("a frame has the unknown command {0}")]
    Command(u8),
    /// Data where none can be.
    #[error("a frame with command {command} says that it has {length} bytes of data")]
    Length {
        /// SYN, FIN, NOP or UPD.
        command: u8,
        /// What it said.
        length: u16,
    },
}

/// What came from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The peer opened a stream.
    Opened(StreamId),
    /// The peer opened a stream that it may not: there are too many, or it is the wrong side. To be answered with
    /// [`fin`].
    Refused(StreamId),
    /// Data of an open stream, at least one byte; the data of one frame may come in pieces.
    Data(StreamId, Bytes),
    /// The peer closed a stream. It is no more, and to be answered with [`fin`].
    Closed(StreamId),
}

/// Which side of the session this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It opens streams.
    Client,
    /// It has streams opened: the node's.
    Server,
}

/// The streams of one session, as one of its sides sees them.
#[derive(Debug)]
pub struct Smux {
    side: Side,
    streams_max: usize,
    decoder: Decoder,
    open: BTreeSet<StreamId>,
    next: Option<StreamId>,
    broken: Option<SmuxError>,
}

impl Smux {
    /// A session without streams, of which there may be `streams_max`.
    #[must_use]
    pub fn new(side: Side, streams_max: usize) -> Self {
        Self {
            side,
            streams_max,
            decoder: Decoder::default(),
            open: BTreeSet::new(),
            next: (side == Side::Client).then_some(StreamId(FIRST_OF_CLIENT)),
            broken: None,
        }
    }

    /// The next that `input` holds; `None` when all of it is taken. What is not understood as yet waits here: never more
    /// than the head of a frame.
    ///
    /// # Errors
    /// The peer does not keep to the protocol. It stays that way.
    pub fn receive(&mut self, input: &mut Bytes) -> Result<Option<Received>, SmuxError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        loop {
            let frame = match self.decoder.next(input) {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.broken = Some(error);
                    return Err(error);
                }
            };
            if let Some(received) = self.handle(frame) {
                return Ok(Some(received));
            }
        }
    }

    fn handle(&mut self, frame: Frame) -> Option<Received> {
        match frame {
            // A second SYN says nothing new.
            Frame::Syn(id) if self.open.contains(&id) => None,
            Frame::Syn(id) if self.side == Side::Client || !self.has_room() => Some(Received::Refused(id)),
            Frame::Syn(id) => {
                self.open.insert(id);
                Some(Received::Opened(id))
            }
            // What comes for a stream that is no more was on its way when it was closed.
            Frame::Data(id, data) => self.open.contains(&id).then_some(Received::Data(id, data)),
            Frame::Fin(id) => self.open.remove(&id).then_some(Received::Closed(id)),
        }
    }

    /// Whether another stream may be opened.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.open.len() < self.streams_max
    }

    /// Opens a stream, which the peer learns from [`syn`]. `None`: there are too many, or this side opens none.
    pub fn open(&mut self) -> Option<StreamId> {
        let id = self.next.filter(|_| self.has_room())?;
        self.next = id.0.checked_add(2).map(StreamId);
        self.open.insert(id);
        Some(id)
    }

    /// Closes a stream, which the peer learns from [`fin`]. `false`: there is none of that number, and nothing to be told.
    pub fn close(&mut self, id: StreamId) -> bool {
        self.open.remove(&id)
    }

    /// Whether the stream is open on both sides.
    #[must_use]
    pub fn is_open(&self, id: StreamId) -> bool {
        self.open.contains(&id)
    }
}

fn head(command: u8, length: u16, id: StreamId) -> [u8; HEAD_BYTES] {
    let [l0, l1] = length.to_le_bytes();
    let [i0, i1, i2, i3] = id.0.to_le_bytes();
    [VERSION, command, l0, l1, i0, i1, i2, i3]
}

/// Opens a stream.
#[must_use]
pub fn syn(id: StreamId) -> [u8; HEAD_BYTES] {
    head(SYN, 0, id)
}

/// Closes a stream.
#[must_use]
pub fn fin(id: StreamId) -> [u8; HEAD_BYTES] {
    head(FIN, 0, id)
}

/// What stands before `length` bytes of data.
#[must_use]
pub fn data_head(id: StreamId, length: u16) -> [u8; HEAD_BYTES] {
    head(PSH, length, id)
}

/// A sign of life.
#[must_use]
pub fn nop() -> [u8; HEAD_BYTES] {
    head(NOP, 0, StreamId(0))
}

#[cfg(test)]
mod tests;
