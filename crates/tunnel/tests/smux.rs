//! Two ends of a session, joined in memory, with real sockets outside.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use postern_protocol::smux::{StreamId, data_head, fin, syn};
use postern_tunnel::Socket;
use postern_tunnel::smux::{BUFFERED_BYTES_MAX, Happened, Opening, STALL_MAX, Tunnel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const CHUNK: usize = 32 * 1024;
const SOON: Duration = Duration::from_secs(20);

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (dialled, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

/// A server that sends back what it gets, for as long as the set lives.
async fn echoing() -> (std::net::SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    (address, server)
}

fn node(address: std::net::SocketAddr) -> Tunnel {
    Tunnel::of_node(
        1024,
        Box::new(move || -> Opening {
            Box::pin(async move {
                let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
                Ok(Socket::from(stream))
            })
        }),
    )
}

/// A message on its way to each end, and the number of the next.
#[derive(Default)]
struct Way {
    messages: VecDeque<Bytes>,
    next: i64,
}

impl Way {
    fn deliver(&mut self, to: &mut Tunnel) {
        while let Some(message) = self.messages.pop_front() {
            to.receive(self.next, message, Instant::now()).unwrap();
            self.next += 1;
        }
        while to.poll_acknowledge().is_some() {}
    }
}

/// Carries messages between the two until `done` is.
async fn carry<T>(client: &mut Tunnel, node: &mut Tunnel, done: impl Future<Output = T>) -> T {
    let (mut up, mut down) = (Way::default(), Way::default());
    let mut done = std::pin::pin!(done);
    loop {
        let happened = tokio::select! {
            result = &mut done => return result,
            happened = poll_fn(|cx| client.poll(cx, Some(CHUNK))) => (happened, true),
            happened = poll_fn(|cx| node.poll(cx, Some(CHUNK))) => (happened, false),
        };
        match happened {
            (Happened::Message(message), true) => up.messages.push_back(message),
            (Happened::Message(message), false) => down.messages.push_back(message),
            _ => {}
        }
        up.deliver(node);
        down.deliver(client);
    }
}

#[tokio::test]
async fn a_hundred_connections_carry_their_own_bytes() {
    let mut client = Tunnel::of_client(1024);
    let (address, _server) = echoing().await;
    let mut node = node(address);
    let mut applications = JoinSet::new();
    for n in 0..100_u32 {
        let (application, accepted) = pair().await;
        client.add(accepted.into(), Instant::now()).unwrap();
        applications.spawn(async move {
            let sent: Vec<u8> = (0..50_000_u32).flat_map(|i| (i ^ n).to_le_bytes()).collect();
            let (mut reader, mut writer) = application.into_split();
            let mut back = vec![0; sent.len()];
            let (read, written) = tokio::join!(reader.read_exact(&mut back), writer.write_all(&sent));
            read.unwrap();
            written.unwrap();
            back == sent
        });
    }
    let all = async {
        let mut equal = 0;
        while let Some(done) = applications.join_next().await {
            equal += usize::from(done.unwrap());
        }
        equal
    };
    assert_eq!(timeout(SOON, carry(&mut client, &mut node, all)).await.unwrap(), 100);
}

#[tokio::test]
async fn the_end_of_a_connection_is_met_on_the_other_side() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Tunnel::of_client(10);
    let mut node = node(listener.local_addr().unwrap());
    let (mut application, accepted) = pair().await;
    client.add(accepted.into(), Instant::now()).unwrap();
    let story = async {
        let (mut far, _) = listener.accept().await.unwrap();
        far.write_all(b"the last word").await.unwrap();
        drop(far);
        let mut heard = Vec::new();
        application.read_to_end(&mut heard).await.unwrap();
        heard
    };
    assert_eq!(timeout(SOON, carry(&mut client, &mut node, story)).await.unwrap(), b"the last word");
    // The node's answer to the answer is still on its way to nobody.
    assert_eq!((client.count(), node.count()), (0, 0));
}

#[tokio::test]
async fn a_refused_connection_closes_its_stream_alone() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut node = node(closed);
    node.receive(0, Bytes::copy_from_slice(&syn(StreamId(3))), Instant::now()).unwrap();
    let happened = timeout(SOON, poll_fn(|cx| node.poll(cx, Some(CHUNK)))).await.unwrap();
    assert!(matches!(happened, Happened::NotOpened(_)), "{happened:?}");
    let happened = poll_fn(|cx| node.poll(cx, Some(CHUNK))).await;
    assert_eq!(happened, Happened::Message(Bytes::copy_from_slice(&fin(StreamId(3)))));
}

#[tokio::test]
async fn a_connection_that_takes_nothing_holds_up_the_sender_and_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut node = node(listener.local_addr().unwrap());
    let mut number = 0;
    let mut receive = |node: &mut Tunnel, message: Vec<u8>| {
        node.receive(number, message.into(), Instant::now()).unwrap();
        number += 1;
    };
    receive(&mut node, syn(StreamId(3)).to_vec());
    assert_eq!(poll_fn(|cx| node.poll(cx, None)).now_or_pending(), None, "nothing is opened without room");
    assert_eq!(timeout(SOON, poll_fn(|cx| node.poll(cx, Some(CHUNK)))).await.unwrap(), Happened::Opened);
    let (_never_reads, _) = listener.accept().await.unwrap();
    let frame = [&data_head(StreamId(3), 32_000)[..], &[7; 32_000]].concat();
    let mut given = 0;
    // What the kernel takes is not waited for.
    while given < 4 * BUFFERED_BYTES_MAX {
        receive(&mut node, frame.clone());
        given += frame.len();
        while poll_fn(|cx| node.poll(cx, None)).now_or_pending().is_some() {}
        while node.poll_acknowledge().is_some() {}
        if node.poll_timeout().is_some() {
            break;
        }
    }
    let due = node.poll_timeout().expect("the sender waits, and there is an end to it");
    assert!(given < 4 * BUFFERED_BYTES_MAX);
    assert_eq!(node.poll_acknowledge(), None);
    assert_eq!(node.handle_timeout(due - Duration::from_millis(1)), 0);
    assert!(due <= Instant::now() + STALL_MAX);
    assert_eq!(node.handle_timeout(due), 1);
    assert!(node.poll_acknowledge().is_some(), "the others go on");
    let happened = poll_fn(|cx| node.poll(cx, Some(CHUNK))).await;
    assert_eq!(happened, Happened::Message(Bytes::copy_from_slice(&fin(StreamId(3)))));
}

#[tokio::test]
async fn streams_that_nobody_may_open_are_answered_and_bounded() {
    let mut node = Tunnel::of_node(2, Box::new(|| Box::pin(std::future::pending())));
    let flood: Vec<u8> = (0..100_000_u32).flat_map(|n| syn(StreamId(n))).collect();
    for number in 0..8 {
        node.receive(number, flood.clone().into(), Instant::now()).unwrap();
    }
    assert_eq!(node.count(), 2);
    let mut acknowledged = std::iter::from_fn(|| node.poll_acknowledge()).count();
    assert!(acknowledged < 8, "answers that are not taken hold up the questions");
    while poll_fn(|cx| node.poll(cx, Some(CHUNK))).now_or_pending().is_some() {}
    acknowledged += std::iter::from_fn(|| node.poll_acknowledge()).count();
    assert_eq!(acknowledged, 8);
}

trait NowOrPending: Future + Sized {
    fn now_or_pending(self) -> Option<Self::Output> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(self).poll(&mut cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}

impl<F: Future> NowOrPending for F {}
