//! smux: the shared vectors in both directions, and the same streams however the bytes are cut.

use bytes::Bytes;
use postern_protocol::smux::{Received, Side, Smux, SmuxError, StreamId, data_head, fin, nop, syn};
use proptest::prelude::*;
use serde::Deserialize;

const VECTORS: &str = include_str!("../../../vectors/data-channel/smux.json");

#[derive(Deserialize)]
struct Vectors {
    frames: Vec<Frame>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Frame {
    name: String,
    command: String,
    stream: u32,
    #[serde(default)]
    data: String,
    bytes: String,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    bytes: String,
}

fn received(smux: &mut Smux, input: &[u8]) -> Result<Vec<Received>, SmuxError> {
    let mut input = Bytes::copy_from_slice(input);
    let mut all = Vec::new();
    while let Some(next) = smux.receive(&mut input)? {
        all.push(next);
    }
    Ok(all)
}

#[test]
fn frames_are_written_and_read_as_aws_does() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    for frame in vectors.frames {
        let (id, data) = (StreamId(frame.stream), hex::decode(&frame.data).unwrap());
        let mut server = Smux::new(Side::Server, 10);
        if frame.command != "SYN" {
            received(&mut server, &syn(id)).unwrap();
        }
        let (written, expected) = match frame.command.as_str() {
            "SYN" => (syn(id).to_vec(), vec![Received::Opened(id)]),
            "FIN" => (fin(id).to_vec(), vec![Received::Closed(id)]),
            "NOP" => (nop().to_vec(), vec![]),
            "PSH" => {
                let head = data_head(id, data.len().try_into().unwrap());
                ([&head, data.as_slice()].concat(), vec![Received::Data(id, data.into())])
            }
            other => panic!("{other}"),
        };
        assert_eq!(hex::encode(written), frame.bytes, "{}", frame.name);
        let bytes = hex::decode(&frame.bytes).unwrap();
        assert_eq!(received(&mut server, &bytes).unwrap(), expected, "{}", frame.name);
    }
    for refused in vectors.refused {
        let bytes = hex::decode(&refused.bytes).unwrap();
        assert!(received(&mut Smux::new(Side::Server, 10), &bytes).is_err(), "{}", refused.name);
    }
}

/// With the pieces of data put together.
fn joined(pieces: Vec<Received>) -> Vec<(u32, Vec<u8>, &'static str)> {
    let mut all: Vec<(u32, Vec<u8>, &'static str)> = Vec::new();
    for piece in pieces {
        match piece {
            Received::Data(id, data) => match all.last_mut() {
                Some((last, before, "data")) if *last == id.0 => before.extend_from_slice(&data),
                _ => all.push((id.0, data.to_vec(), "data")),
            },
            Received::Opened(id) => all.push((id.0, vec![], "opened")),
            Received::Closed(id) => all.push((id.0, vec![], "closed")),
            Received::Refused(id) => all.push((id.0, vec![], "refused")),
        }
    }
    all
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        frames in proptest::collection::vec((0_u8..4, 0_u32..6, proptest::collection::vec(any::<u8>(), 0..20)), 0..40),
        size in 1_usize..30,
    ) {
        let mut input = Vec::new();
        for (command, stream, data) in frames {
            let id = StreamId(stream);
            match command {
                0 => input.extend(syn(id)),
                1 => input.extend(fin(id)),
                2 => {
                    input.extend(data_head(id, data.len() as u16));
                    input.extend(data);
                }
                _ => input.extend(nop()),
            }
        }
        let whole = received(&mut Smux::new(Side::Server, 3), &input).unwrap();
        let mut smux = Smux::new(Side::Server, 3);
        let cut = input.chunks(size).flat_map(|piece| received(&mut smux, piece).unwrap()).collect();
        prop_assert_eq!(joined(cut), joined(whole));
    }
}
