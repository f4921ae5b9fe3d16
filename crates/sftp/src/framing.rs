//! From a stream of bytes to packets.

use crate::wire::WireError;

/// The longest packet that is taken, without its length: OpenSSH's limit.
pub const PACKET_BYTES_MAX: u32 = 256 * 1024;

/// Cuts a stream into packets. Holds one packet at most, beside what was pushed at once.
#[derive(Debug, Default)]
pub struct Packets {
    buffer: Vec<u8>,
    start: usize,
}

impl Packets {
    /// Adds what came in.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet, from its type on, if it is complete.
    ///
    /// # Errors
    /// Its length cannot be; nothing after it can be understood.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>, WireError> {
        let Some((length, rest)) = self.buffer[self.start..].split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = checked_length(u32::from_be_bytes(*length))?;
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + 4;
        self.start = from + length;
        Ok(Some(&self.buffer[from..self.start]))
    }
}

/// A length that a packet may have.
pub(crate) fn checked_length(length: u32) -> Result<usize, WireError> {
    // A type and a number: nothing is shorter.
    const PACKET_BYTES_MIN: u32 = 5;
    if !(PACKET_BYTES_MIN..=PACKET_BYTES_MAX).contains(&length) {
        return Err(WireError::Length(length));
    }
    usize::try_from(length).map_err(|_| WireError::Length(length))
}

/// What is needed of a packet to know what it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    /// Its first bytes, from the type on.
    pub(crate) bytes: &'a [u8],
    /// How long it is.
    pub(crate) length: usize,
}

/// Cuts a stream into packets, of which it keeps the heads only.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// The length, then the packet's beginning.
    kept: Vec<u8>,
    /// Bytes of the packet that are past, its length not included.
    seen: usize,
}

impl Heads {
    /// Takes the stream's next bytes and hands out each packet that is complete with them. `most` says how much of a
    /// packet of a type is worth keeping.
    pub(crate) fn push<E: From<WireError>>(
        &mut self,
        mut bytes: &[u8],
        most: impl Fn(u8) -> usize,
        mut take: impl FnMut(Head<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.kept.len() < 4 {
                let (now, rest) = bytes.split_at(bytes.len().min(4 - self.kept.len()));
                self.kept.extend_from_slice(now);
                bytes = rest;
            }
            let Some(length) = self.kept.first_chunk::<4>() else { continue };
            let length = checked_length(u32::from_be_bytes(*length))?;
            let (now, rest) = bytes.split_at(bytes.len().min(length - self.seen));
            bytes = rest;
            self.seen += now.len();
            // The type is the first byte, here or from before.
            let packet_type = self.kept.get(4).or(now.first()).copied().unwrap_or_default();
            let room = most(packet_type).saturating_sub(self.kept.len() - 4);
            self.kept.extend_from_slice(&now[..now.len().min(room)]);
            if self.seen == length {
                take(Head { bytes: &self.kept[4..], length })?;
                self.kept.clear();
                self.seen = 0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let packet = |length: u8, fill: u8| [vec![0, 0, 0, length], vec![fill; length.into()]].concat();
        [packet(5, 1), packet(9, 2), packet(200, 3)].concat()
    }

    #[test]
    fn packets_are_the_same_however_the_stream_is_cut() {
        for size in [1, 2, 3, 7, 1000] {
            let (mut packets, mut found) = (Packets::default(), Vec::new());
            let (mut heads, mut lengths) = (Heads::default(), Vec::new());
            for piece in stream().chunks(size) {
                packets.push(piece);
                while let Some(packet) = packets.next_packet().unwrap() {
                    found.push((packet[0], packet.len()));
                }
                let take = |head: Head<'_>| {
                    lengths.push((head.bytes[0], head.length, head.bytes.len()));
                    Ok::<(), WireError>(())
                };
                heads.push(piece, |_| 9, take).unwrap();
            }
            assert_eq!(found, [(1, 5), (2, 9), (3, 200)], "in pieces of {size}");
            assert_eq!(lengths, [(1, 5, 5), (2, 9, 9), (3, 200, 9)], "in pieces of {size}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for length in [0, 4, PACKET_BYTES_MAX + 1, u32::MAX] {
            let mut packets = Packets::default();
            packets.push(&length.to_be_bytes());
            assert_eq!(packets.next_packet().unwrap_err(), WireError::Length(length));
            let mut heads = Heads::default();
            let refused = heads.push(&[&length.to_be_bytes()[..], b"x"].concat(), |_| 9, |_| Ok(()));
            assert_eq!(refused, Err(WireError::Length(length)));
        }
    }
}
