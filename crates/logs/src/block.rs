//! Events of one stream in one compressed piece.
//!
//! A block holds, for each event, what its time, its number and the time it came differ by from those of the event
//! before, then its message: small numbers and like texts, of which little is left when they are compressed.

use crate::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, BATCH_SPAN_MS, EVENT_OVERHEAD_BYTES, Event};

/// zstd's own choice: some 300 MB/s on one core.
const COMPRESSION_LEVEL: i32 = 3;
/// A varint of 64 bits has at most this many bytes.
const VARINT_BYTES_MAX: usize = 10;

/// An event in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) timestamp_ms: i64,
    /// Its number, less that of the block's first.
    pub(crate) number: i64,
    pub(crate) ingested_at_ms: i64,
    pub(crate) message: String,
}

/// A block, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) events: usize,
    /// How long the content is.
    pub(crate) raw_bytes: usize,
    /// The content, compressed.
    pub(crate) data: Vec<u8>,
}

/// A block cannot be read, or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Block {
    /// Of entries that are ordered by time and number. `None`: there are none, or they cannot be compressed.
    pub(crate) fn new(entries: &[Entry]) -> Option<Self> {
        let (first, last) = (entries.first()?, entries.last()?);
        let content = encode(entries);
        let data = zstd::bulk::compress(&content, COMPRESSION_LEVEL).ok()?;
        Some(Self {
            first_ms: first.timestamp_ms,
            last_ms: last.timestamp_ms,
            events: entries.len(),
            raw_bytes: content.len(),
            data,
        })
    }
}

/// The blocks of events that have just come, which get their numbers in this order.
pub(crate) fn of_events(mut events: Vec<Event>, ingested_at_ms: i64) -> Option<(Vec<Block>, Vec<Event>)> {
    events.sort_by_key(|event| event.timestamp_ms);
    let mut blocks = Vec::new();
    let mut rest = events.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        let entry = |(number, event): (usize, &Event)| Entry {
            timestamp_ms: event.timestamp_ms,
            number: i64::try_from(number).unwrap_or(i64::MAX),
            ingested_at_ms,
            message: event.message.clone(),
        };
        blocks.push(Block::new(&now.iter().enumerate().map(entry).collect::<Vec<_>>())?);
        rest = later;
    }
    Some((blocks, events))
}

/// How many of the events fit into one block: at least one.
fn fitting(events: &[Event]) -> usize {
    let first_ms = events.first().map_or(0, |event| event.timestamp_ms);
    let mut bytes = 0;
    let fits = |event: &&Event| {
        bytes += event.message.len() + EVENT_OVERHEAD_BYTES;
        bytes <= BATCH_BYTES_MAX && event.timestamp_ms.saturating_sub(first_ms) <= BATCH_SPAN_MS
    };
    events.iter().take(BATCH_EVENTS_MAX).take_while(fits).count().max(1)
}

/// The entries of a block whose content is `raw_bytes` long.
pub(crate) fn decode(data: &[u8], raw_bytes: usize, events: usize) -> Result<Vec<Entry>, Unreadable> {
    let content = zstd::bulk::decompress(data, raw_bytes).map_err(|_| Unreadable)?;
    let mut rest = content.as_slice();
    // Each entry has at least four bytes: a wrong count allocates nothing large.
    let mut entries: Vec<Entry> = Vec::with_capacity(events.min(raw_bytes / 4 + 1));
    let (mut timestamp_ms, mut number, mut ingested_at_ms) = (0_i64, 0_i64, 0_i64);
    while !rest.is_empty() {
        timestamp_ms = timestamp_ms.wrapping_add(signed(&mut rest)?);
        number = number.wrapping_add(signed(&mut rest)?);
        ingested_at_ms = ingested_at_ms.wrapping_add(signed(&mut rest)?);
        let length = usize::try_from(unsigned(&mut rest)?).map_err(|_| Unreadable)?;
        let (message, after) = rest.split_at_checked(length).ok_or(Unreadable)?;
        let message = std::str::from_utf8(message).map_err(|_| Unreadable)?.to_owned();
        entries.push(Entry { timestamp_ms, number, ingested_at_ms, message });
        rest = after;
    }
    if entries.len() == events { Ok(entries) } else { Err(Unreadable) }
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let messages: usize = entries.iter().map(|entry| entry.message.len() + 8).sum();
    let mut content = Vec::with_capacity(messages);
    let (mut timestamp_ms, mut number, mut ingested_at_ms) = (0_i64, 0_i64, 0_i64);
    for entry in entries {
        put_signed(&mut content, entry.timestamp_ms.wrapping_sub(timestamp_ms));
        put_signed(&mut content, entry.number.wrapping_sub(number));
        put_signed(&mut content, entry.ingested_at_ms.wrapping_sub(ingested_at_ms));
        put_unsigned(&mut content, u64::try_from(entry.message.len()).unwrap_or(u64::MAX));
        content.extend_from_slice(entry.message.as_bytes());
        (timestamp_ms, number, ingested_at_ms) = (entry.timestamp_ms, entry.number, entry.ingested_at_ms);
    }
    content
}

/// Seven bits a byte, the lowest first; small negative numbers are small, too.
fn put_signed(content: &mut Vec<u8>, value: i64) {
    put_unsigned(content, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn put_unsigned(content: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        content.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    content.push((value & 0x7f) as u8);
}

fn signed(rest: &mut &[u8]) -> Result<i64, Unreadable> {
    let value = unsigned(rest)?;
    Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

fn unsigned(rest: &mut &[u8]) -> Result<u64, Unreadable> {
    let mut value = 0;
    for position in 0..VARINT_BYTES_MAX {
        let (byte, after) = rest.split_first().ok_or(Unreadable)?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Unreadable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_block_holds_what_was_put_in(
            parts in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<i64>(), ".{0,40}"), 1..40),
        ) {
            let entry = |(timestamp_ms, number, ingested_at_ms, message): (i64, i64, i64, String)| {
                Entry { timestamp_ms, number, ingested_at_ms, message }
            };
            let entries: Vec<Entry> = parts.into_iter().map(entry).collect();
            let block = Block::new(&entries).unwrap();
            prop_assert_eq!(decode(&block.data, block.raw_bytes, block.events), Ok(entries));
            prop_assert_eq!(decode(&block.data, block.raw_bytes, block.events + 1), Err(Unreadable));
        }

        #[test]
        fn a_damaged_block_is_noticed_or_read(at in 0_usize..200, flip in 1_u8..) {
            let events = (0..20).map(|n| Event { timestamp_ms: n, message: format!("event {n}") }).collect();
            let (blocks, _) = of_events(events, 7).unwrap();
            let mut data = blocks[0].data.clone();
            let at = at % data.len();
            data[at] ^= flip;
            let _ = decode(&data, blocks[0].raw_bytes, 20);
            let _ = decode(&data[..at], blocks[0].raw_bytes, 20);
        }
    }

    #[test]
    fn large_batches_become_several_blocks_in_order() {
        let event = |timestamp_ms, bytes| Event { timestamp_ms, message: "m".repeat(bytes) };
        let events =
            vec![event(5, 600_000), event(1, 600_000), event(2 + BATCH_SPAN_MS, 1), event(9, 3 << 20)];
        let (blocks, sorted) = of_events(events, 0).unwrap();
        let spans: Vec<_> = blocks.iter().map(|block| (block.first_ms, block.last_ms)).collect();
        assert_eq!(spans, [(1, 1), (5, 5), (9, 9), (2 + BATCH_SPAN_MS, 2 + BATCH_SPAN_MS)]);
        assert!(sorted.is_sorted_by_key(|event| event.timestamp_ms));
        let many = (0..25_000).map(|n| event(n, 1)).collect();
        assert_eq!(of_events(many, 0).unwrap().0.len(), 3);
    }
}
