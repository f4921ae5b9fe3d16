//! Whatever the other side of a multiplexed port session sends, it is understood the same way however it is cut, and opens
//! no more streams than it may.

use std::collections::BTreeSet;

use bytes::Bytes;
use postern_protocol::smux::{Received, Side, Smux, SmuxError, StreamId, data_head, fin, nop, syn};

const STREAMS_MAX: usize = 4;

/// What came of a stream: how much data each time, without the cuts.
fn outcome(side: Side, input: &[u8], size: usize) -> (Vec<(StreamId, usize)>, Option<SmuxError>) {
    let mut smux = Smux::new(side, STREAMS_MAX);
    let own: BTreeSet<_> = std::iter::from_fn(|| smux.open()).collect();
    let (mut open, mut told) = (own, Vec::new());
    for piece in input.chunks(size) {
        let mut piece = Bytes::copy_from_slice(piece);
        loop {
            match smux.receive(&mut piece) {
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(smux.receive(&mut piece), Err(error), "it stays broken");
                    return (told, Some(error));
                }
                Ok(Some(Received::Opened(id))) => {
                    assert!(side == Side::Server && open.insert(id), "{id:?} was open");
                    told.push((id, 0));
                }
                Ok(Some(Received::Refused(id))) => {
                    assert!(!open.contains(&id), "{id:?} is open");
                    told.push((id, 0));
                }
                Ok(Some(Received::Closed(id))) => {
                    assert!(open.remove(&id), "{id:?} was not open");
                    told.push((id, 0));
                }
                Ok(Some(Received::Data(id, data))) => {
                    assert!(open.contains(&id) && !data.is_empty(), "data for nobody");
                    match told.last_mut() {
                        Some((last, length)) if *last == id && *length > 0 => *length += data.len(),
                        _ => told.push((id, data.len())),
                    }
                }
            }
            assert!(open.len() <= STREAMS_MAX && open.iter().all(|&id| smux.is_open(id)));
        }
        assert!(piece.is_empty(), "nothing is left behind");
    }
    (told, None)
}

pub(crate) fn run(input: &[u8]) {
    for side in [Side::Client, Side::Server] {
        let whole = outcome(side, input, input.len().max(1));
        for size in [1, 3, 64] {
            assert_eq!(outcome(side, input, size), whole, "in pieces of {size}");
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let (three, five) = (StreamId(3), StreamId(5));
    let opened = [&syn(three)[..], &data_head(three, 5), b"hello", &syn(five), &nop(), &fin(three)].concat();
    let reused =
        [&syn(three)[..], &syn(three), &fin(three), &data_head(three, 1), b"x", &syn(three)].concat();
    let many = (0..8).flat_map(|n| syn(StreamId(n))).collect();
    let lying = [&syn(three)[..], &data_head(three, u16::MAX), b"short", &[1, 4, 8, 0, 3, 0, 0, 0]].concat();
    vec![opened, reused, many, lying]
}
