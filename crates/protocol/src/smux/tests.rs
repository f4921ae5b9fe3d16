//! What each side makes of what the other sends.

use super::*;

fn all(smux: &mut Smux, input: impl Into<Bytes>) -> Result<Vec<Received>, SmuxError> {
    let mut input = input.into();
    let mut received = Vec::new();
    while let Some(next) = smux.receive(&mut input)? {
        received.push(next);
    }
    Ok(received)
}

fn bytes(frames: &[&[u8]]) -> Vec<u8> {
    frames.concat()
}

const THREE: StreamId = StreamId(3);
const FIVE: StreamId = StreamId(5);

#[test]
fn streams_open_carry_and_close() {
    let mut server = Smux::new(Side::Server, 10);
    let input = bytes(&[&syn(THREE), &data_head(THREE, 5), b"hello", &nop(), &fin(THREE)]);
    let expected = [Received::Opened(THREE), Received::Data(THREE, "hello".into()), Received::Closed(THREE)];
    assert_eq!(all(&mut server, input).unwrap(), expected);
    assert!(!server.is_open(THREE));
}

#[test]
fn a_client_counts_as_awss_plugin_does() {
    let mut client = Smux::new(Side::Client, 3);
    let ids: Vec<_> = std::iter::from_fn(|| client.open()).collect();
    assert_eq!(ids, [THREE, FIVE, StreamId(7)]);
    assert!(client.close(FIVE) && !client.close(FIVE));
    assert_eq!(client.open(), Some(StreamId(9)), "no number comes again");
    assert_eq!(Smux::new(Side::Server, 3).open(), None);
}

#[test]
fn a_frame_may_span_messages() {
    let mut server = Smux::new(Side::Server, 10);
    let input = bytes(&[&syn(THREE), &data_head(THREE, 3), b"abc", &syn(FIVE), &fin(THREE)]);
    let mut received = Vec::new();
    for byte in input {
        received.extend(all(&mut server, vec![byte]).unwrap());
    }
    let piece = |text: &'static str| Received::Data(THREE, text.into());
    let expected = [
        Received::Opened(THREE),
        piece("a"),
        piece("b"),
        piece("c"),
        Received::Opened(FIVE),
        Received::Closed(THREE),
    ];
    assert_eq!(received, expected);
}

#[test]
fn what_belongs_to_no_stream_is_dropped() {
    let mut server = Smux::new(Side::Server, 10);
    let input = bytes(&[&data_head(THREE, 3), b"abc", &fin(FIVE), &[1, UPD, 8, 0, 3, 0, 0, 0], &[9; 8]]);
    assert_eq!(all(&mut server, input).unwrap(), []);
    let input = bytes(&[&syn(THREE), &syn(THREE), &data_head(THREE, 0), &fin(THREE), &fin(THREE)]);
    assert_eq!(all(&mut server, input).unwrap(), [Received::Opened(THREE), Received::Closed(THREE)]);
    let input = bytes(&[&data_head(THREE, 1), b"x", &syn(THREE)]);
    assert_eq!(all(&mut server, input).unwrap(), [Received::Opened(THREE)], "closed, and opened anew");
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let mut server = Smux::new(Side::Server, 1);
    let input = bytes(&[&syn(THREE), &syn(FIVE), &data_head(FIVE, 1), b"x"]);
    assert_eq!(all(&mut server, input).unwrap(), [Received::Opened(THREE), Received::Refused(FIVE)]);
    let input = bytes(&[&fin(THREE), &syn(FIVE)]);
    assert_eq!(all(&mut server, input).unwrap(), [Received::Closed(THREE), Received::Opened(FIVE)]);
}

#[test]
fn a_node_opens_no_streams() {
    let mut client = Smux::new(Side::Client, 10);
    assert_eq!(all(&mut client, syn(StreamId(2)).to_vec()).unwrap(), [Received::Refused(StreamId(2))]);
}

#[test]
fn what_is_not_smux_is_an_error_for_good() {
    for (head, expected) in [
        ([2, SYN, 0, 0, 3, 0, 0, 0], SmuxError::Version(2)),
        (*b"GET / HT", SmuxError::Version(b'G')),
        ([1, 5, 0, 0, 3, 0, 0, 0], SmuxError::Command(5)),
        ([1, SYN, 1, 0, 3, 0, 0, 0], SmuxError::Length { command: SYN, length: 1 }),
        ([1, FIN, 0xff, 0xff, 3, 0, 0, 0], SmuxError::Length { command: FIN, length: 0xffff }),
        ([1, UPD, 9, 0, 3, 0, 0, 0], SmuxError::Length { command: UPD, length: 9 }),
    ] {
        let mut server = Smux::new(Side::Server, 10);
        assert_eq!(all(&mut server, head.to_vec()), Err(expected));
        assert_eq!(all(&mut server, syn(THREE).to_vec()), Err(expected));
    }
}
