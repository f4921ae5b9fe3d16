//! Frames as bytes, both ways, and what is none.

use bytes::{Bytes, BytesMut};

use super::*;

const THREE: StreamId = StreamId(3);

fn frames(payload: impl Into<Bytes>) -> Result<Vec<Frame>, TunnelError> {
    Frames::new(payload.into()).collect()
}

fn raw(kind: u8, id: u32, length: u32, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &id.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

fn tcp(host: &str, port: u16) -> Destination {
    Destination::Tcp { host: host.to_owned(), port }
}

#[test]
fn frames_are_what_they_are_written_as() {
    let refused = Refused::new(Reason::RefusedByPeer, "nobody listens");
    for (content, kind, body) in [
        (
            Content::Open(Open { destination: tcp("db.internal", 5432), source: "127.0.0.1:40000".into() }),
            0x10,
            &br#"{"Protocol":"tcp","Host":"db.internal","Port":5432,"Source":"127.0.0.1:40000"}"#[..],
        ),
        (
            Content::Open(Open {
                destination: Destination::Udp { host: "fd00::1".into(), port: 53 },
                source: String::new(),
            }),
            0x10,
            br#"{"Protocol":"udp","Host":"fd00::1","Port":53}"#,
        ),
        (
            Content::Open(Open {
                destination: Destination::Unix { path: "/run/x.sock".into() },
                source: String::new(),
            }),
            0x10,
            br#"{"Protocol":"unix","Path":"/run/x.sock"}"#,
        ),
        (
            Content::Listen(Listen { host: "0.0.0.0".into(), port: 0 }),
            0x11,
            br#"{"Protocol":"tcp","Host":"0.0.0.0","Port":0}"#,
        ),
        (
            Content::Accepted(Accepted { listener: 5, source: "192.0.2.1:4711".into() }),
            0x12,
            br#"{"Listener":5,"Source":"192.0.2.1:4711"}"#,
        ),
        (Content::Opened(Opened::default()), 0x13, b"{}"),
        (
            Content::Opened(Opened { address: Some("10.0.0.5:5432".into()) }),
            0x13,
            br#"{"Address":"10.0.0.5:5432"}"#,
        ),
        (
            Content::Refused(refused.clone()),
            0x14,
            br#"{"Reason":"RefusedByPeer","Message":"nobody listens"}"#,
        ),
        (Content::Denied(refused), 0x15, br#"{"Reason":"RefusedByPeer","Message":"nobody listens"}"#),
        (Content::Data(Bytes::from_static(b"hello")), 0x20, b"hello"),
        (Content::Data(Bytes::new()), 0x20, b""),
        (Content::End, 0x21, b""),
        (Content::Reset(Reset::new("broken")), 0x22, br#"{"Message":"broken"}"#),
        (Content::Credit(65_536), 0x23, &[0, 1, 0, 0]),
    ] {
        let frame = Frame::new(THREE, content);
        assert_eq!(frame.content.kind(), kind);
        let bytes = raw(kind, 3, u32::try_from(body.len()).unwrap(), body);
        assert_eq!(frame.to_bytes(), bytes, "{frame:?}");
        assert_eq!(frames(bytes).unwrap(), [frame]);
    }
}

#[test]
fn a_message_holds_frames_of_several_streams_and_copies_no_data() {
    let mut payload = BytesMut::new();
    let all = [
        Frame::new(THREE, Content::Data(Bytes::from_static(b"abc"))),
        Frame::new(StreamId(5), Content::End),
        Frame::new(THREE, Content::Credit(7)),
        Frame::new(StreamId(2), Content::Data(Bytes::from_static(b"d"))),
    ];
    for frame in &all {
        frame.write_to(&mut payload);
    }
    let payload = payload.freeze();
    let read = frames(payload.clone()).unwrap();
    assert_eq!(read, all);
    let Some(Frame { content: Content::Data(data), .. }) = read.first() else { panic!("no data") };
    assert_eq!(data.as_ptr(), payload[HEAD_BYTES..].as_ptr());
    assert_eq!(data_head(THREE, 3), payload[..HEAD_BYTES]);
}

#[test]
fn lies_about_lengths_are_errors() {
    for (payload, expected) in [
        (Vec::new(), TunnelError::Empty),
        (raw(0x20, 3, 0, b"")[..8].to_vec(), TunnelError::Cut),
        (raw(0x20, 3, 4, b"abc"), TunnelError::Cut),
        (raw(0x20, 3, u32::MAX, b"abc"), TunnelError::Cut),
        (raw(0x20, 3, 2, b"abc"), TunnelError::Cut),
        (raw(0x21, 3, 1, b"x"), TunnelError::Length { kind: 0x21, length: 1 }),
        (raw(0x23, 3, 3, b"abc"), TunnelError::Length { kind: 0x23, length: 3 }),
        (raw(0x22, 3, 5000, &[b' '; 5000]), TunnelError::Length { kind: 0x22, length: 5000 }),
        (vec![0x20; TUNNEL_MESSAGE_BYTES + 1], TunnelError::MessageTooLong(TUNNEL_MESSAGE_BYTES + 1)),
    ] {
        assert_eq!(frames(payload.clone()), Err(expected), "{:?}", &payload[..payload.len().min(20)]);
    }
}

#[test]
fn what_is_no_frame_is_an_error_and_nothing_follows() {
    assert_eq!(frames(raw(1, 3, 0, b"")), Err(TunnelError::Kind(1)), "smux");
    assert_eq!(frames(raw(0x24, 3, 0, b"")), Err(TunnelError::Kind(0x24)));
    assert_eq!(frames(raw(0x20, 0, 1, b"x")), Err(TunnelError::NoStream));
    let mut both = Frames::new([raw(0x24, 3, 0, b""), raw(0x21, 3, 0, b"")].concat().into());
    assert!(both.next().unwrap().is_err());
    assert!(both.next().is_none());
}

#[test]
fn what_opens_something_is_alone_in_its_message() {
    let open = Frame::new(THREE, Content::Listen(Listen { host: String::new(), port: 80 })).to_bytes();
    let end = Frame::new(THREE, Content::End).to_bytes();
    for payload in [[open.clone(), end.clone()].concat(), [end, open].concat()] {
        let error = Frames::new(payload.into()).find_map(Result::err);
        assert_eq!(error, Some(TunnelError::NotAlone(THREE)));
    }
}

#[test]
fn bodies_are_read_strictly() {
    let long = format!(r#"{{"Message":"{}"}}"#, "x".repeat(600));
    let deep_path = format!(r#"{{"Protocol":"unix","Path":"/{}"}}"#, "x".repeat(107));
    for (kind, body) in [
        (0x10, r#"{"Protocol":"tcp","Host":"db"}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Port":0}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"","Port":1}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"a b","Port":1}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"[::1]","Port":1}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Port":65536}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Port":1,"Path":"/x"}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Port":1,"Via":"x"}"#),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Host":"dc","Port":1}"#),
        (0x10, r#"{"Protocol":"sctp","Host":"db","Port":1}"#),
        (0x10, r#"{"Protocol":"unix","Path":"x"}"#),
        (0x10, r#"{"Protocol":"unix","Path":"/x\u0000y"}"#),
        (0x10, &deep_path),
        (0x10, r#"{"Protocol":"tcp","Host":"db","Port":1} "x""#),
        (0x11, r#"{"Protocol":"udp","Port":1}"#),
        (0x12, r#"{"Listener":-1,"Source":""}"#),
        (0x13, "null"),
        (0x13, ""),
        (0x14, r#"{"Reason":"Bored"}"#),
        (0x22, &long),
        (0x23, "\0\0\0\0"),
    ] {
        let payload = raw(kind, 3, u32::try_from(body.len()).unwrap(), body.as_bytes());
        assert!(matches!(frames(payload), Err(TunnelError::Body { .. })), "{body}");
    }
}

#[test]
fn texts_for_people_are_cut_between_characters() {
    let refused = Refused::new(Reason::Failed, "é".repeat(400));
    assert_eq!(refused.message.len(), 512);
    let reset = Reset::new(format!("x{}", "é".repeat(400)));
    assert_eq!(reset.message.len(), 511);
    assert!(frames(Frame::new(THREE, Content::Reset(reset)).to_bytes()).is_ok());
}

#[test]
fn numbers_say_who_gave_them() {
    assert_eq!(End::giver_of(End::Client.first_id()), End::Client);
    assert_eq!(End::giver_of(End::Node.first_id()), End::Node);
    assert_eq!(End::Client.peer(), End::Node);
}

#[test]
fn destinations_are_shown_as_people_write_them() {
    let shown =
        [tcp("db", 1), tcp("::1", 2), Destination::Unix { path: "/x".into() }].map(|to| to.to_string());
    assert_eq!(shown, ["db:1", "[::1]:2", "/x"]);
}
