//! What the other end of a session must not say.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use postern_protocol::tunnel::{
    Accepted, Content, Destination, End, Frame, Frames, INITIAL_WINDOW_BYTES, Listen, Open, Opened, Reason,
    Refused, Reset, STREAMS_MAX, StreamId, TUNNEL_MESSAGE_BYTES, TunnelError, WINDOW_BYTES_MAX,
};
use postern_tunnel::{Far, Happened, Listening, Opening, Socket, Streams};

use super::joined::{Joined, pair, tcp};

/// Makes nothing, ever, and counts how often it was asked to.
#[derive(Default)]
struct Never(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Never {
    fn asked(&self) -> Opening {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

impl Far for Never {
    fn connect(&mut self, _: &Open) -> Opening {
        self.asked()
    }

    fn accept(&mut self, _: StreamId, _: &Accepted) -> Opening {
        self.asked()
    }

    fn listen(&mut self, _: &Listen) -> Listening {
        Box::pin(std::future::pending())
    }
}

fn end(end: End) -> Streams {
    match end {
        End::Client => Streams::of_client(Box::new(Never::default())),
        End::Node => Streams::of_node(Box::new(Never::default())),
    }
}

fn open() -> Content {
    let destination = Destination::Tcp { host: "db".to_owned(), port: 1 };
    Content::Open(Open { destination, source: String::new() })
}

fn open_udp() -> Content {
    let destination = Destination::Udp { host: "db".to_owned(), port: 1 };
    Content::Open(Open { destination, source: String::new() })
}

fn listen() -> Content {
    Content::Listen(Listen { host: String::new(), port: 0 })
}

fn data(count: usize) -> Content {
    Content::Data(Bytes::from(vec![0; count]))
}

fn denied() -> Content {
    Content::Denied(Refused::new(Reason::Denied, "no"))
}

fn say(to: &mut Streams, id: u32, content: Content) -> Result<(), TunnelError> {
    to.receive(Frame::new(StreamId(id), content).to_bytes(), Instant::now())
}

/// All that it has to say now, as frames, and what happened.
async fn said(by: &mut Streams) -> (Vec<Frame>, Vec<Happened>) {
    let (mut frames, mut all) = (Vec::new(), Vec::new());
    poll_fn(|cx| {
        while let Poll::Ready(happened) = by.poll(cx, Some(TUNNEL_MESSAGE_BYTES)) {
            match happened {
                Happened::Message(message) => frames.extend(Frames::new(message).map(Result::unwrap)),
                happened => all.push(happened),
            }
        }
        Poll::Ready(())
    })
    .await;
    (frames, all)
}

fn half() -> Content {
    data(INITIAL_WINDOW_BYTES / 2)
}

/// Something that is said to an end before the frame that matters.
type Said = &'static [(u32, fn() -> Content)];

#[test]
fn lies_end_the_session() {
    let rest = data(INITIAL_WINDOW_BYTES / 2 + 1);
    let one = StreamId(1);
    let misplaced = |content: Content, id| TunnelError::Misplaced { kind: content.kind(), id: StreamId(id) };
    let opened = || Content::Opened(Opened::default());
    let reset = || Content::Reset(Reset::new("x"));
    let accepted = || Content::Accepted(Accepted { listener: 1, source: String::new() });
    let cases: Vec<(End, Said, u32, Content, TunnelError)> = vec![
        // Numbers that were used before, or are somebody else's.
        (End::Node, &[(1, open)], 1, open(), TunnelError::Reused(one)),
        (End::Node, &[(1, open), (3, open)], 1, listen(), TunnelError::Reused(one)),
        (End::Node, &[(3, open)], 1, open(), TunnelError::Reused(one)),
        (End::Node, &[(1, denied)], 1, open(), TunnelError::Reused(one)),
        (End::Node, &[(1, open)], 1, denied(), TunnelError::Reused(one)),
        (End::Node, &[], 2, open(), misplaced(open(), 2)),
        (End::Client, &[], 1, accepted(), misplaced(accepted(), 1)),
        // What only the other may say.
        (End::Client, &[], 1, open(), misplaced(open(), 1)),
        (End::Client, &[], 1, denied(), misplaced(denied(), 1)),
        (End::Node, &[], 2, accepted(), misplaced(accepted(), 2)),
        // Streams and listeners that never were.
        (End::Node, &[], 1, data(1), TunnelError::NeverOpened(one)),
        (End::Node, &[(1, open)], 3, Content::End, TunnelError::NeverOpened(StreamId(3))),
        (End::Node, &[(1, open)], 2, reset(), TunnelError::NeverOpened(StreamId(2))),
        (End::Client, &[], 1, opened(), TunnelError::NeverOpened(one)),
        (End::Client, &[], 2, accepted(), TunnelError::NeverOpened(one)),
        // Answers that nobody waits for.
        (End::Node, &[(1, open)], 1, opened(), misplaced(opened(), 1)),
        (
            End::Node,
            &[(1, open)],
            1,
            Content::Refused(Refused::new(Reason::Failed, "")),
            misplaced(Content::Refused(Refused::new(Reason::Failed, "")), 1),
        ),
        // Windows.
        (End::Node, &[(1, open)], 1, data(INITIAL_WINDOW_BYTES + 1), TunnelError::BeyondWindow(one)),
        (End::Node, &[(1, open), (1, half)], 1, rest, TunnelError::BeyondWindow(one)),
        (End::Node, &[(1, open_udp), (1, half)], 1, half(), TunnelError::BeyondWindow(one)),
        (
            End::Node,
            &[(1, open)],
            1,
            Content::Credit(u32::try_from(WINDOW_BYTES_MAX).unwrap()),
            TunnelError::WindowTooLarge(one),
        ),
        (End::Node, &[(1, open)], 1, Content::Credit(u32::MAX), TunnelError::WindowTooLarge(one)),
        // After the end.
        (End::Node, &[(1, open), (1, || Content::End)], 1, data(1), TunnelError::AfterEnd(one)),
        (End::Node, &[(1, open), (1, || Content::End)], 1, Content::End, TunnelError::AfterEnd(one)),
        // What a stream of that kind does not have.
        (End::Node, &[(1, open)], 1, data(0), TunnelError::Length { kind: 0x20, length: 0 }),
        (End::Node, &[(1, open_udp)], 1, Content::End, misplaced(Content::End, 1)),
        (End::Node, &[(1, listen)], 1, data(1), misplaced(data(1), 1)),
        (End::Node, &[(1, listen)], 1, Content::Credit(1), misplaced(Content::Credit(1), 1)),
    ];
    for (who, before, id, content, expected) in cases {
        let mut streams = end(who);
        for (id, content) in before {
            say(&mut streams, *id, content()).unwrap();
        }
        let name = format!("{who:?}: {id} {content:?}");
        assert_eq!(say(&mut streams, id, content), Err(expected.clone()), "{name}");
        assert_eq!(say(&mut streams, 99, open()), Err(expected), "it stays that way: {name}");
    }
}

#[tokio::test]
async fn whoever_has_not_answered_says_nothing_else() {
    for content in [data(1), Content::End, Content::Credit(1), Content::Reset(Reset::new("x"))] {
        let mut client = end(End::Client);
        let (_program, socket) = pair().await;
        let to = tcp("192.0.2.1:1".parse().unwrap());
        let id = client.open(to, socket.into(), None, Instant::now()).unwrap();
        let expected = TunnelError::Misplaced { kind: content.kind(), id };
        assert_eq!(say(&mut client, id.0, content), Err(expected));
    }
    let mut client = end(End::Client);
    let id = client.listen(Listen { host: String::new(), port: 0 }, Instant::now()).unwrap();
    let accepted = Content::Accepted(Accepted { listener: id.0, source: String::new() });
    assert!(matches!(say(&mut client, 2, accepted), Err(TunnelError::Misplaced { .. })));
}

#[tokio::test]
async fn what_was_on_its_way_to_a_stream_that_is_over_is_ignored() {
    let mut node = end(End::Node);
    say(&mut node, 5, open()).unwrap();
    node.reset(StreamId(5), "enough");
    let late = [data(INITIAL_WINDOW_BYTES), data(INITIAL_WINDOW_BYTES), Content::Credit(1), Content::End];
    for content in late.into_iter().chain([Content::Reset(Reset::new("x"))]) {
        say(&mut node, 5, content.clone()).unwrap();
        say(&mut node, 3, content).unwrap();
    }
    let (frames, happened) = said(&mut node).await;
    assert!(matches!(&frames[..], [Frame { id: StreamId(5), content: Content::Refused(_) }]), "{frames:?}");
    assert!(matches!(&happened[..], [Happened::Closed { .. }]), "{happened:?}");
}

#[tokio::test]
async fn what_the_server_denies_is_not_connected_to() {
    let never = Never::default();
    let asked = never.0.clone();
    let mut node = Streams::of_node(Box::new(never));
    say(&mut node, 1, denied()).unwrap();
    // On its way before the client heard of it.
    say(&mut node, 1, data(1000)).unwrap();
    let (frames, happened) = said(&mut node).await;
    let refused = Refused::new(Reason::Denied, "no");
    assert_eq!(frames, [Frame::new(StreamId(1), Content::Refused(refused.clone()))]);
    assert_eq!(happened, [Happened::Refused { id: StreamId(1), refused }]);
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn streams_that_are_never_closed_are_refused_beyond_the_limit() {
    let mut node = end(End::Node);
    for number in 0..=u32::try_from(STREAMS_MAX).unwrap() {
        say(&mut node, number * 2 + 1, open()).unwrap();
    }
    let last = u32::try_from(STREAMS_MAX).unwrap() * 2 + 1;
    let (frames, _) = said(&mut node).await;
    let [Frame { id, content: Content::Refused(refused) }] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!((id.0, refused.reason), (last, Reason::TooMany));
    assert_eq!(node.count(), STREAMS_MAX);
    // One that ends makes room.
    say(&mut node, 1, Content::Reset(Reset::new("x"))).unwrap();
    say(&mut node, last + 2, open()).unwrap();
    assert_eq!(node.count(), STREAMS_MAX);
}

#[test]
fn questions_without_end_whose_answers_nobody_takes_end_the_session() {
    let mut node = end(End::Node);
    let mut asked = 0_u32;
    let error = loop {
        match say(&mut node, asked * 2 + 1, denied()) {
            Ok(()) => asked += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, TunnelError::Unheard);
    assert!(asked > 10_000, "{asked}");
}

#[test]
fn nothing_is_understood_in_pieces() {
    let mut node = end(End::Node);
    let frame = Frame::new(StreamId(1), open()).to_bytes();
    let cut = node.receive(frame.slice(..frame.len() - 1), Instant::now());
    assert_eq!(cut, Err(TunnelError::Cut));
    let mut two = BytesMut::from(&frame[..]);
    Frame::new(StreamId(1), Content::End).write_to(&mut two);
    assert_eq!(end(End::Node).receive(two.freeze(), Instant::now()), Err(TunnelError::NotAlone(StreamId(1))));
}

#[tokio::test]
async fn a_client_of_too_many_opens_none() {
    let mut joined = Joined::new();
    let to = tcp("192.0.2.1:1".parse().unwrap());
    for _ in 0..STREAMS_MAX {
        let (_, socket) = postern_tunnel::Datagrams::pair();
        joined.open(to.clone(), Socket::Datagrams(socket));
    }
    assert!(!joined.client.has_room());
    let (_, socket) = postern_tunnel::Datagrams::pair();
    assert_eq!(joined.client.open(to, Socket::Datagrams(socket), None, Instant::now()), None);
    assert_eq!(joined.client.listen(Listen { host: String::new(), port: 0 }, Instant::now()), None);
}
