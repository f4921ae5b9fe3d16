//! Up to where a running recording is sound: a record of fixed size that is overwritten after each append.

use sha2::{Digest, Sha256};

use crate::cast::Carry;

/// The position of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number of the first output message that is not on the record.
    pub(crate) next_sequence: i64,
    /// Length of the cast; what follows was never finished.
    pub(crate) cast_bytes: u64,
    /// When the last event happened, in microseconds since the Unix epoch.
    pub(crate) last_us: i64,
    /// The beginning of a character that is not in the cast yet.
    pub(crate) carry: Carry,
}

/// Names the format and its version.
const MAGIC: [u8; 8] = *b"PSTNPOS1";
const CHECKSUM_BYTES: usize = 8;
const BODY_BYTES: usize = MAGIC.len() + 8 + 8 + 8 + 4;
/// Size of the record.
pub(crate) const POSITION_BYTES: usize = BODY_BYTES + CHECKSUM_BYTES;
const _: () = assert!(POSITION_BYTES == 44, "one write of this size is not torn by the end of a process");

impl Position {
    pub(crate) fn encode(&self) -> [u8; POSITION_BYTES] {
        let mut record = Vec::with_capacity(POSITION_BYTES);
        record.extend_from_slice(&MAGIC);
        record.extend_from_slice(&self.next_sequence.to_be_bytes());
        record.extend_from_slice(&self.cast_bytes.to_be_bytes());
        record.extend_from_slice(&self.last_us.to_be_bytes());
        record.push(self.carry.length);
        record.extend_from_slice(&self.carry.bytes);
        let checksum = checksum(&record);
        record.extend_from_slice(&checksum);
        record.try_into().expect("the parts add up to the size of the record")
    }

    /// Reads a record; `None` if it is not a sound one.
    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let (body, claimed) = record.split_at_checked(BODY_BYTES)?;
        if claimed != checksum(body) {
            return None;
        }
        let body = body.strip_prefix(&MAGIC)?;
        let (next_sequence, body) = body.split_first_chunk()?;
        let (cast_bytes, body) = body.split_first_chunk()?;
        let (last_us, body) = body.split_first_chunk()?;
        let (&[length, a, b, c], []) = body.split_first_chunk()? else { return None };
        (length <= 3).then(|| Self {
            next_sequence: i64::from_be_bytes(*next_sequence),
            cast_bytes: u64::from_be_bytes(*cast_bytes),
            last_us: i64::from_be_bytes(*last_us),
            carry: Carry { bytes: [a, b, c], length },
        })
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    *Sha256::digest(body).first_chunk().expect("a SHA-256 is longer")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Position = Position {
        next_sequence: 42,
        cast_bytes: 1_000,
        last_us: 1_795_560_408_000_001,
        carry: Carry { bytes: [0xe2, 0x82, 0], length: 2 },
    };

    #[test]
    fn a_position_survives_the_round_trip() {
        assert_eq!(Position::decode(&POSITION.encode()), Some(POSITION));
    }

    #[test]
    fn a_damaged_record_is_none() {
        let record = POSITION.encode();
        for at in 0..record.len() {
            let mut damaged = record;
            damaged[at] ^= 1;
            assert_eq!(Position::decode(&damaged), None, "byte {at}");
            assert_eq!(Position::decode(&record[..at]), None, "cut at {at}");
        }
        assert_eq!(Position::decode(&[record.as_slice(), &[0]].concat()), None, "too long");
    }
}
