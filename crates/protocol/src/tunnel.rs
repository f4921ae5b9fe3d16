//! Many connections in one session, between Postern's own ends: the tunnel dialect.
//!
//! The agent offers it by [`TUNNEL_PROPERTY`] in the handshake, the client accepts it with the same. From then on each
//! payload of type Output holds one or more whole frames, in both directions: a head of nine bytes (kind as u8, stream as
//! u32, length of the body as u32, big-endian), then the body. No kind is 1, which is how smux begins.
//!
//! Each direction of a stream has a window of its own, in bytes of data; the receiver widens it by [`Content::Credit`]. So a
//! connection that is not read holds up nothing but itself. Each direction also ends of its own, as those of TCP do.
//!
//! Frames that open something stand alone in their message, so that a server between the two can put
//! [`Content::Denied`] in their place.

mod body;
mod frame;

use std::fmt;

pub use self::body::{Accepted, Destination, Listen, Open, Opened, Protocol, Reason, Refused, Reset};
pub use self::frame::{Content, Frame, Frames, data_head};

/// What an agent adds to the properties of a port session if it speaks the dialect, and a client to its result of the
/// action `SessionType` if it will.
pub const TUNNEL_PROPERTY: &str = "posternTunnel";

/// The version of the dialect, the value of [`TUNNEL_PROPERTY`].
pub const TUNNEL_VERSION: &str = "1";

/// Before the body of each frame.
pub const HEAD_BYTES: usize = 1 + 4 + 4;
const _: () = assert!(HEAD_BYTES == 9);

/// The longest message of frames: as much as TLS and websockets carry with little overhead, and little enough that others
/// need not wait long for it.
pub const TUNNEL_MESSAGE_BYTES: usize = 128 * 1024;

/// The most data in one frame.
pub const DATA_BYTES_MAX: usize = TUNNEL_MESSAGE_BYTES - HEAD_BYTES;

/// The longest body that is JSON.
pub const BODY_BYTES_MAX: usize = 4 * 1024;

/// How much may be on its way in each direction of a new stream. The longest UDP datagram fits.
pub const INITIAL_WINDOW_BYTES: usize = 64 * 1024;

/// How much may ever be on its way in one direction of a stream: 80 MB/s over 200 ms.
pub const WINDOW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What all windows of one side together may have more than those of new streams.
pub const SESSION_GROWTH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Streams and listeners of one session at once: as many descriptors as a process may usually have.
pub const STREAMS_MAX: usize = 1024;

/// The number of a stream or listener: odd if the client chose it, even if the node did. No number comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which end of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user's: it opens streams and has the node listen.
    Client,
    /// The node's: it connects, and says what its listeners accepted.
    Node,
}

impl End {
    /// The first number that this end gives.
    #[must_use]
    pub fn first_id(self) -> StreamId {
        match self {
            Self::Client => StreamId(1),
            Self::Node => StreamId(2),
        }
    }

    /// Who gave that number.
    #[must_use]
    pub fn giver_of(id: StreamId) -> Self {
        if id.0 % 2 == 1 { Self::Client } else { Self::Node }
    }

    /// The other one.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Node,
            Self::Node => Self::Client,
        }
    }
}

/// The peer does not keep to the dialect; nothing that it sends has a meaning any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TunnelError {
    /// A message without any frame.
    #[error("a message holds no frame")]
    Empty,
    /// A message beyond [`TUNNEL_MESSAGE_BYTES`].
    #[error("a message has {0} bytes, which is too many")]
    MessageTooLong(usize),
    /// A frame whose head is cut, or says that there is more than there is.
    #[error("a frame reaches beyond its message")]
    Cut,
    /// A kind of frame that the dialect does not have.
    #[error("a frame has the unknown kind {0:#04x}")]
    Kind(u8),
    /// Number 0.
    #[error("a frame belongs to no stream")]
    NoStream,
    /// A body whose length its kind does not have.
    #[error("a frame of kind {kind:#04x} says that it has {length} bytes")]
    Length {
        /// What kind.
        kind: u8,
        /// What it says.
        length: usize,
    },
    /// A body that says something else than its kind may.
    #[error("a frame of kind {kind:#04x} cannot be read: {error}")]
    Body {
        /// What kind.
        kind: u8,
        /// What is wrong with it.
        error: String,
    },
    /// A frame that opens something, with others in its message.
    #[error("a frame that opens stream {0} is not alone in its message")]
    NotAlone(StreamId),
    /// A frame that this end of the session may not send, or not for a stream of this kind.
    #[error("a frame of kind {kind:#04x} has no place in stream {id}")]
    Misplaced {
        /// What kind.
        kind: u8,
        /// Where.
        id: StreamId,
    },
    /// A number that was used before.
    #[error("the number of stream {0} was used before")]
    Reused(StreamId),
    /// A frame for a stream that was never opened.
    #[error("stream {0} was never opened")]
    NeverOpened(StreamId),
    /// More data than the window has room for.
    #[error("stream {0} has more data than its window")]
    BeyondWindow(StreamId),
    /// Data, or an end, after the end.
    #[error("stream {0} goes on after its end")]
    AfterEnd(StreamId),
    /// A window beyond [`WINDOW_BYTES_MAX`].
    #[error("the window of stream {0} is too large")]
    WindowTooLarge(StreamId),
    /// More was asked for than could be answered.
    #[error("too many answers wait to be taken")]
    Unheard,
}

#[cfg(test)]
mod tests;
