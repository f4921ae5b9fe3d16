//! What came for a connection and is not written yet.
//!
//! A large piece stays where it came in. Small ones are copied together: else each of them would keep the whole message
//! that it came in, and the other end decide how much memory a window is.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// What is shorter is copied.
const KEPT_BYTES_MIN: usize = 4 * 1024;
/// Pieces that are written at once.
const SLICES_MAX: usize = 16;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct Pending {
    pieces: VecDeque<Bytes>,
    /// Behind the pieces.
    small: BytesMut,
    bytes: usize,
}

impl Pending {
    /// How much it is.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds data that came in a message of so many bytes.
    pub(super) fn push(&mut self, data: Bytes, message_bytes: usize) {
        self.bytes += data.len();
        if is_worth_keeping(&data, message_bytes) {
            self.seal();
            self.pieces.push_back(data);
        } else {
            self.small.extend_from_slice(&data);
        }
    }

    /// Adds a datagram, which stays one.
    pub(super) fn push_datagram(&mut self, data: Bytes, message_bytes: usize) {
        self.bytes += data.len();
        let is_kept = is_worth_keeping(&data, message_bytes);
        self.pieces.push_back(if is_kept { data } else { Bytes::copy_from_slice(&data) });
    }

    /// Puts this before everything else.
    pub(super) fn push_front(&mut self, data: Bytes) {
        self.bytes += data.len();
        self.pieces.push_front(data);
    }

    fn seal(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.small).freeze());
        }
    }

    /// Gives what is to be written next, some pieces of it, to `write`.
    pub(super) fn next<T>(&mut self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        self.seal();
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        write(slices.get(..count).unwrap_or_default())
    }

    /// So much of it was written.
    pub(super) fn advance(&mut self, mut count: usize) {
        count = count.min(self.bytes);
        self.bytes -= count;
        while let Some(piece) = self.pieces.front_mut() {
            if piece.len() > count {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.pieces.pop_front();
        }
    }

    /// The datagram that is to be sent next.
    pub(super) fn next_datagram(&self) -> Option<&Bytes> {
        self.pieces.front()
    }

    /// It was.
    pub(super) fn pop_datagram(&mut self) -> Option<Bytes> {
        let datagram = self.pieces.pop_front()?;
        self.bytes -= datagram.len();
        Some(datagram)
    }

    /// Forgets all of it; returns how much it was.
    pub(super) fn clear(&mut self) -> usize {
        let bytes = self.bytes;
        *self = Self::default();
        bytes
    }
}

/// Whether it is most of what it would keep.
fn is_worth_keeping(data: &Bytes, message_bytes: usize) -> bool {
    data.len() >= KEPT_BYTES_MIN && data.len() * 2 >= message_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pending: &mut Pending) -> (Vec<u8>, usize) {
        pending.next(|slices| {
            let bytes = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            (bytes, slices.len())
        })
    }

    #[test]
    fn small_pieces_become_one_and_large_ones_stay() {
        let mut pending = Pending::default();
        let large = Bytes::from(vec![b'l'; KEPT_BYTES_MIN]);
        for piece in ["a", "b"] {
            pending.push(Bytes::from_static(piece.as_bytes()), 1);
        }
        pending.push(large.clone(), large.len());
        pending.push(Bytes::from_static(b"c"), 1);
        pending.push(large.clone(), large.len() * 3);
        let expected = [b"ab", &large[..], b"c", &large[..]].concat();
        assert_eq!(all(&mut pending), (expected.clone(), 3));
        pending.advance(1);
        pending.push_front(Bytes::from_static(b"!"));
        assert_eq!(all(&mut pending).0, [b"!", &expected[1..]].concat());
        pending.advance(2 + large.len());
        assert_eq!(all(&mut pending).0, [b"c", &large[..]].concat());
        assert_eq!(pending.bytes(), 1 + large.len());
    }

    #[test]
    fn datagrams_keep_their_bounds() {
        let mut pending = Pending::default();
        for datagram in ["ab", "", "c"] {
            pending.push_datagram(Bytes::from_static(datagram.as_bytes()), 100);
        }
        let all: Vec<_> = std::iter::from_fn(|| pending.pop_datagram()).collect();
        assert_eq!(all, ["ab", "", "c"]);
        assert_eq!(pending.bytes(), 0);
    }
}
