//! How far a recording goes: what a new process needs to go on with it.
//!
//! The file holds two records, written in turn, each with a checksum: should the newer one be torn, the older one is
//! still there. A record is written after the data that it counts.

use postern_ids::SessionId;
use sha2::{Digest, Sha256};

use crate::asciicast::{TERMINAL_DEFAULT, Timeline};
use crate::events::Terminal;
use crate::text::Carry;

/// Bytes of a record.
pub(crate) const RECORD_LENGTH: usize = 64;
/// Where the second record begins: in another sector than the first.
const SECOND_OFFSET: u64 = 4096;
/// The first bytes of a record: format 1.
const MAGIC: &[u8; 4] = b"PRP\x01";
/// Everything before the checksum.
const BODY_LENGTH: usize = 4 + 8 + 8 + 8 + 8 + 2 + 2 + 1 + 3;
/// As much of a SHA-256 as finds a torn record.
const CHECKSUM_LENGTH: usize = 8;
const _: () = assert!(BODY_LENGTH + CHECKSUM_LENGTH <= RECORD_LENGTH);

/// How far a recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// Counts the records; the greater of two is the newer.
    pub(crate) generation: u64,
    /// The sequence number of the next output to record.
    pub(crate) next_sequence: i64,
    /// Length of the cast in bytes. 0: the header is not written yet.
    pub(crate) cast_bytes: u64,
    /// The time of the last event.
    pub(crate) timeline: Timeline,
    /// The terminal's size as the recording has it.
    pub(crate) terminal: Terminal,
    /// The beginning of a character that is not in the cast yet.
    pub(crate) carry: Carry,
}

impl Position {
    /// The beginning.
    pub(crate) fn start(timeline: Timeline) -> Self {
        Self {
            generation: 0,
            next_sequence: 0,
            cast_bytes: 0,
            timeline,
            terminal: TERMINAL_DEFAULT,
            carry: Carry::default(),
        }
    }

    /// Where in the file this record belongs.
    pub(crate) fn offset(&self) -> u64 {
        (self.generation % 2) * SECOND_OFFSET
    }

    /// The record. Integers are big-endian. The checksum covers the session, so that a file of another one is refused.
    pub(crate) fn encode(&self, session: &SessionId) -> [u8; RECORD_LENGTH] {
        let mut carried = [0; 3];
        carried[..self.carry.as_bytes().len()].copy_from_slice(self.carry.as_bytes());
        let parts: [&[u8]; 9] = [
            MAGIC,
            &self.generation.to_be_bytes(),
            &self.next_sequence.to_be_bytes(),
            &self.cast_bytes.to_be_bytes(),
            &self.timeline.last_ms.to_be_bytes(),
            &self.terminal.cols.to_be_bytes(),
            &self.terminal.rows.to_be_bytes(),
            &[u8::try_from(self.carry.as_bytes().len()).expect("at most 3")],
            &carried,
        ];
        let body = parts.concat();
        let mut record = [0; RECORD_LENGTH];
        record[..BODY_LENGTH].copy_from_slice(&body);
        record[BODY_LENGTH..][..CHECKSUM_LENGTH].copy_from_slice(&checksum(&body, session));
        record
    }

    /// The record, if it is complete and of this session.
    fn decode(record: &[u8], session: &SessionId) -> Option<Self> {
        let (body, rest) = record.split_at_checked(BODY_LENGTH)?;
        if rest.get(..CHECKSUM_LENGTH)? != checksum(body, session) {
            return None;
        }
        let mut fields = body;
        let magic: [u8; 4] = take(&mut fields)?;
        let generation = u64::from_be_bytes(take(&mut fields)?);
        let next_sequence = i64::from_be_bytes(take(&mut fields)?);
        let cast_bytes = u64::from_be_bytes(take(&mut fields)?);
        let last_ms = i64::from_be_bytes(take(&mut fields)?);
        let cols = u16::from_be_bytes(take(&mut fields)?);
        let rows = u16::from_be_bytes(take(&mut fields)?);
        let [carried]: [u8; 1] = take(&mut fields)?;
        let carry = Carry::new(fields.get(..usize::from(carried))?)?;
        (magic == *MAGIC).then_some(Self {
            generation,
            next_sequence,
            cast_bytes,
            timeline: Timeline { last_ms },
            terminal: Terminal { cols, rows },
            carry,
        })
    }

    /// The newer of the records in a file, if any is complete.
    pub(crate) fn newest(file: &[u8], session: &SessionId) -> Option<Self> {
        let second = usize::try_from(SECOND_OFFSET).expect("4096 fits");
        [0, second]
            .into_iter()
            .filter_map(|offset| Self::decode(file.get(offset..)?, session))
            .max_by_key(|position| position.generation)
    }
}

fn take<const N: usize>(fields: &mut &[u8]) -> Option<[u8; N]> {
    let (field, rest) = fields.split_first_chunk::<N>()?;
    *fields = rest;
    Some(*field)
}

fn checksum(body: &[u8], session: &SessionId) -> [u8; CHECKSUM_LENGTH] {
    let digest = Sha256::new().chain_update(body).chain_update(session.as_str()).finalize();
    *digest.first_chunk().expect("a SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(generation: u64) -> Position {
        Position {
            generation,
            next_sequence: 7,
            cast_bytes: 1234,
            timeline: Timeline { last_ms: -5 },
            terminal: Terminal { cols: 132, rows: 50 },
            carry: Carry::new(b"\xe2\x82").unwrap(),
        }
    }

    fn session() -> SessionId {
        "alice-1".parse().unwrap()
    }

    fn file(first: &Position, second: &Position) -> Vec<u8> {
        let mut file = vec![0; 4096 + RECORD_LENGTH];
        for position in [first, second] {
            let offset = usize::try_from(position.offset()).unwrap();
            file[offset..][..RECORD_LENGTH].copy_from_slice(&position.encode(&session()));
        }
        file
    }

    #[test]
    fn the_newest_complete_record_counts() {
        let file = file(&position(4), &position(5));
        assert_eq!(Position::newest(&file, &session()), Some(position(5)));
        for torn in 4096..4096 + BODY_LENGTH + CHECKSUM_LENGTH {
            let mut file = file.clone();
            file[torn] ^= 1;
            assert_eq!(Position::newest(&file, &session()), Some(position(4)), "byte {torn}");
        }
        assert_eq!(Position::newest(&file[..4096], &session()), Some(position(4)));
        assert_eq!(Position::newest(&file[..10], &session()), None);
        assert_eq!(Position::newest(&[], &session()), None);
        assert_eq!(Position::newest(&file, &"alice-2".parse().unwrap()), None);
    }
}
