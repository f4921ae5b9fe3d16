//! From bytes to frames and back.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Accepted, BODY_BYTES_MAX, HEAD_BYTES, Listen, Open, Opened, Refused, Reset, StreamId,
    TUNNEL_MESSAGE_BYTES, TunnelError,
};

const OPEN: u8 = 0x10;
const LISTEN: u8 = 0x11;
const ACCEPTED: u8 = 0x12;
const OPENED: u8 = 0x13;
const REFUSED: u8 = 0x14;
const DENIED: u8 = 0x15;
const DATA: u8 = 0x20;
const END: u8 = 0x21;
const RESET: u8 = 0x22;
const CREDIT: u8 = 0x23;

/// What is said of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number; never 0.
    pub id: StreamId,
    /// What is said.
    pub content: Content,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Client to node: connect to this. Data may follow at once, and is dropped if nothing comes of it.
    Open(Open),
    /// Client to node: listen there. The number is the listener's.
    Listen(Listen),
    /// Node to client: this one connected to a listener. Data may follow at once.
    Accepted(Accepted),
    /// It is open: answers those three.
    Opened(Opened),
    /// It is not, and the stream is over: answers those three.
    Refused(Refused),
    /// Server to node, in the place of `Open` or `Listen`: it is to be refused with this.
    Denied(Refused),
    /// Bytes of the stream, at least one; of UDP one datagram, which may be empty.
    Data(Bytes),
    /// Nothing follows in this direction.
    End,
    /// Nothing follows in either direction. Also takes a listener away.
    Reset(Reset),
    /// So many more bytes may be sent, at least one.
    Credit(u32),
}

impl Content {
    /// The first byte of its frame.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => OPEN,
            Self::Listen(_) => LISTEN,
            Self::Accepted(_) => ACCEPTED,
            Self::Opened(_) => OPENED,
            Self::Refused(_) => REFUSED,
            Self::Denied(_) => DENIED,
            Self::Data(_) => DATA,
            Self::End => END,
            Self::Reset(_) => RESET,
            Self::Credit(_) => CREDIT,
        }
    }
}

fn head(kind: u8, id: StreamId, length: usize) -> [u8; HEAD_BYTES] {
    let [i0, i1, i2, i3] = id.0.to_be_bytes();
    // Nothing is that long: the reader would say so.
    let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [kind, i0, i1, i2, i3, l0, l1, l2, l3]
}

/// What stands before `length` bytes of data.
#[must_use]
pub fn data_head(id: StreamId, length: usize) -> [u8; HEAD_BYTES] {
    head(DATA, id, length)
}

impl Frame {
    /// Of that stream.
    #[must_use]
    pub fn new(id: StreamId, content: Content) -> Self {
        Self { id, content }
    }

    /// Alone, as a payload.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        self.write_to(&mut bytes);
        bytes.freeze()
    }

    /// Writes it behind what is there.
    pub fn write_to(&self, to: &mut BytesMut) {
        match &self.content {
            Content::Open(open) => self.write_json(open, to),
            Content::Listen(listen) => self.write_json(listen, to),
            Content::Accepted(accepted) => self.write_json(accepted, to),
            Content::Opened(opened) => self.write_json(opened, to),
            Content::Refused(refused) | Content::Denied(refused) => self.write_json(refused, to),
            Content::Reset(reset) => self.write_json(reset, to),
            Content::Data(data) => self.write_body(data, to),
            Content::End => self.write_body(&[], to),
            Content::Credit(bytes) => self.write_body(&bytes.to_be_bytes(), to),
        }
    }

    fn write_json(&self, body: &impl Serialize, to: &mut BytesMut) {
        // Texts, numbers and enums can always be written; the reader would refuse what is empty.
        self.write_body(&serde_json::to_vec(body).unwrap_or_default(), to);
    }

    fn write_body(&self, body: &[u8], to: &mut BytesMut) {
        to.reserve(HEAD_BYTES + body.len());
        to.put_slice(&head(self.content.kind(), self.id, body.len()));
        to.put_slice(body);
    }
}

/// The frames of one payload, one after another; data is not copied. Nothing follows an error.
#[derive(Debug)]
pub struct Frames {
    rest: Bytes,
    is_first: bool,
}

impl Frames {
    /// Those of this payload.
    #[must_use]
    pub fn new(payload: Bytes) -> Self {
        Self { rest: payload, is_first: true }
    }

    fn take(&mut self) -> Result<Frame, TunnelError> {
        if self.rest.is_empty() {
            return Err(TunnelError::Empty);
        }
        if self.is_first && self.rest.len() > TUNNEL_MESSAGE_BYTES {
            return Err(TunnelError::MessageTooLong(self.rest.len()));
        }
        let Some((&[kind, i0, i1, i2, i3, l0, l1, l2, l3], _)) = self.rest.split_first_chunk::<HEAD_BYTES>()
        else {
            return Err(TunnelError::Cut);
        };
        let id = StreamId(u32::from_be_bytes([i0, i1, i2, i3]));
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        self.rest.advance(HEAD_BYTES);
        if length > self.rest.len() {
            return Err(TunnelError::Cut);
        }
        let body = self.rest.split_to(length);
        if id.0 == 0 {
            return Err(TunnelError::NoStream);
        }
        let is_alone = self.is_first && self.rest.is_empty();
        self.is_first = false;
        match kind {
            OPEN | LISTEN | ACCEPTED | DENIED if !is_alone => Err(TunnelError::NotAlone(id)),
            _ => Ok(Frame { id, content: content(kind, body)? }),
        }
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, TunnelError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() && !self.is_first {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            self.rest.clear();
            self.is_first = false;
        }
        Some(taken)
    }
}

fn content(kind: u8, body: Bytes) -> Result<Content, TunnelError> {
    let length = body.len();
    match kind {
        OPEN => json(kind, &body).map(Content::Open),
        LISTEN => json(kind, &body).map(Content::Listen),
        ACCEPTED => json(kind, &body).map(Content::Accepted),
        OPENED => json(kind, &body).map(Content::Opened),
        REFUSED => json(kind, &body).map(Content::Refused),
        DENIED => json(kind, &body).map(Content::Denied),
        RESET => json(kind, &body).map(Content::Reset),
        DATA => Ok(Content::Data(body)),
        END if body.is_empty() => Ok(Content::End),
        CREDIT => match <[u8; 4]>::try_from(body.as_ref()).map(u32::from_be_bytes) {
            Ok(0) => Err(TunnelError::Body { kind, error: "no credit at all".to_owned() }),
            Ok(bytes) => Ok(Content::Credit(bytes)),
            Err(_) => Err(TunnelError::Length { kind, length }),
        },
        END => Err(TunnelError::Length { kind, length }),
        unknown => Err(TunnelError::Kind(unknown)),
    }
}

fn json<T: DeserializeOwned>(kind: u8, body: &[u8]) -> Result<T, TunnelError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(TunnelError::Length { kind, length: body.len() });
    }
    serde_json::from_slice(body).map_err(|error| TunnelError::Body { kind, error: error.to_string() })
}
