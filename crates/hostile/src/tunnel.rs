//! Whatever the other end of a tunnel sends, its frames mean what they would be written as, and no end has more streams
//! than it may, or goes on after it was lied to.

use std::future::pending;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use postern_protocol::tunnel::{
    Accepted, Content, Destination, Frame, Frames, Listen, Open, Opened, Reason, Refused, Reset, STREAMS_MAX,
    StreamId,
};
use postern_tunnel::{Far, Listening, Opening, Streams};

/// Nothing is ever there.
struct Nothing;

impl Far for Nothing {
    fn connect(&mut self, _: &Open) -> Opening {
        Box::pin(pending())
    }

    fn accept(&mut self, _: StreamId, _: &Accepted) -> Opening {
        Box::pin(pending())
    }

    fn listen(&mut self, _: &Listen) -> Listening {
        Box::pin(pending())
    }
}

/// The frames of one payload, of which nothing may be lost.
fn check_frames(payload: &Bytes) {
    let mut frames = Frames::new(payload.clone());
    let mut read = BytesMut::new();
    for frame in frames.by_ref() {
        let Ok(frame) = frame else {
            assert!(frames.next().is_none(), "nothing follows an error");
            return;
        };
        let written = frame.to_bytes();
        assert_eq!(Frames::new(written.clone()).collect::<Result<Vec<_>, _>>(), Ok(vec![frame]));
        read.extend_from_slice(&written);
    }
    // The same JSON can be written in several ways.
    assert!(payload.contains(&b'{') || read == payload, "a byte was read as nothing");
}

/// The input as payloads, each behind its length.
fn payloads(mut input: &[u8]) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    while let Some((&[high, low], rest)) = input.split_first_chunk() {
        let (payload, rest) = rest.split_at(rest.len().min(u16::from_be_bytes([high, low]).into()));
        payloads.push(Bytes::copy_from_slice(payload));
        input = rest;
    }
    payloads
}

fn check_end(mut streams: Streams, payloads: &[Bytes]) {
    let now = Instant::now();
    for payload in payloads {
        if let Err(error) = streams.receive(payload.clone(), now) {
            assert_eq!(streams.receive(payload.clone(), now), Err(error), "it stays broken");
            return;
        }
        assert!(streams.count() <= STREAMS_MAX);
    }
}

pub(crate) fn run(input: &[u8]) {
    check_frames(&Bytes::copy_from_slice(input));
    let payloads = payloads(input);
    payloads.iter().for_each(check_frames);
    check_end(Streams::of_node(Box::new(Nothing)), &payloads);
    let mut client = Streams::of_client(Box::new(Nothing));
    client.listen(Listen { host: String::new(), port: 0 }, Instant::now());
    check_end(client, &payloads);
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let open = |destination| Content::Open(Open { destination, source: "127.0.0.1:1".to_owned() });
    let to_node = [
        (1, open(Destination::Tcp { host: "db.internal".to_owned(), port: 5432 })),
        (1, Content::Data(Bytes::from_static(b"hello"))),
        (3, open(Destination::Udp { host: "fd00::1".to_owned(), port: 53 })),
        (3, Content::Data(Bytes::new())),
        (5, open(Destination::Unix { path: "/run/x.sock".to_owned() })),
        (7, Content::Listen(Listen { host: "0.0.0.0".to_owned(), port: 0 })),
        (9, Content::Denied(Refused::new(Reason::Denied, "no"))),
        (1, Content::Credit(1)),
        (1, Content::End),
        (1, Content::Reset(Reset::new("gone"))),
    ];
    let to_client = [
        (1, Content::Opened(Opened { address: Some("127.0.0.1:80".to_owned()) })),
        (2, Content::Accepted(Accepted { listener: 1, source: "192.0.2.1:4711".to_owned() })),
        (2, Content::Data(Bytes::from_static(b"hello"))),
        (1, Content::Refused(Refused::new(Reason::InUse, "taken"))),
    ];
    let session = |frames: &[(u32, Content)]| {
        let payloads =
            frames.iter().map(|(id, content)| Frame::new(StreamId(*id), content.clone()).to_bytes());
        payloads.flat_map(|payload| [&(payload.len() as u16).to_be_bytes(), &payload[..]].concat()).collect()
    };
    let mut together = BytesMut::new();
    for (id, content) in
        [(1, Content::End), (3, Content::Credit(9)), (1, Content::Data(Bytes::from_static(b"x")))]
    {
        Frame::new(StreamId(id), content).write_to(&mut together);
    }
    vec![session(&to_node), session(&to_client), together.to_vec()]
}
