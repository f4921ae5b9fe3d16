//! From bytes to frames, wherever they are cut.

use bytes::{Buf, Bytes};

use super::{FIN, HEAD_BYTES, NOP, PSH, SYN, SmuxError, StreamId, UPD, UPD_BYTES, VERSION};

/// A frame that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Opens a stream.
    Syn(StreamId),
    /// Closes one.
    Fin(StreamId),
    /// A piece of what a frame holds.
    Data(StreamId, Bytes),
}

/// The frames of one direction, for whoever stands between the two sides. It holds what is known of a frame that has begun.
#[derive(Debug, Default)]
pub struct Decoder {
    head: [u8; HEAD_BYTES],
    /// How much of the head is there.
    filled: usize,
    /// Where the rest of the frame's data belongs, and how much it is.
    rest: Option<(Owner, usize)>,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Stream(StreamId),
    /// It is read and ignored.
    Nobody,
}

impl Decoder {
    /// The next frame in `input`. `None`: all of it is taken.
    ///
    /// # Errors
    /// The sender does not keep to the protocol.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Frame>, SmuxError> {
        while !input.is_empty() {
            let frame = match self.rest.take() {
                Some((owner, length)) => self.take_data(owner, length, input),
                None => self.take_head(input)?,
            };
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    fn take_data(&mut self, owner: Owner, length: usize, input: &mut Bytes) -> Option<Frame> {
        let piece = input.split_to(length.min(input.len()));
        let rest = length - piece.len();
        self.rest = (rest > 0).then_some((owner, rest));
        match owner {
            Owner::Stream(id) => Some(Frame::Data(id, piece)),
            Owner::Nobody => None,
        }
    }

    fn take_head(&mut self, input: &mut Bytes) -> Result<Option<Frame>, SmuxError> {
        let count = input.len().min(HEAD_BYTES - self.filled);
        if let Some(space) = self.head.get_mut(self.filled..self.filled + count) {
            input.copy_to_slice(space);
        }
        self.filled += count;
        if self.filled < HEAD_BYTES {
            return Ok(None);
        }
        self.filled = 0;
        let [version, command, l0, l1, i0, i1, i2, i3] = self.head;
        if version != VERSION {
            return Err(SmuxError::Version(version));
        }
        let length = u16::from_le_bytes([l0, l1]);
        let id = StreamId(u32::from_le_bytes([i0, i1, i2, i3]));
        match (command, length) {
            (SYN, 0) => Ok(Some(Frame::Syn(id))),
            (FIN, 0) => Ok(Some(Frame::Fin(id))),
            (NOP, 0) | (PSH, 0) => Ok(None),
            (PSH, _) => {
                self.rest = Some((Owner::Stream(id), length.into()));
                Ok(None)
            }
            (UPD, UPD_BYTES) => {
                self.rest = Some((Owner::Nobody, length.into()));
                Ok(None)
            }
            (SYN | FIN | NOP | UPD, _) => Err(SmuxError::Length { command, length }),
            (unknown, _) => Err(SmuxError::Command(unknown)),
        }
    }
}
