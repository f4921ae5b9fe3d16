//! Connections of every kind through two ends of a session.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::tunnel::{Destination, Listen, Open, Reason, WINDOW_BYTES_MAX};
use postern_tunnel::{Datagrams, Happened, LINGER_MAX, Pipes, Socket, UDP_IDLE_MAX};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixListener};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::joined::{Joined, pair, tcp, udp};

/// Something that no shift or repetition leaves the same.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[tokio::test]
async fn each_direction_carries_everything_and_ends_for_itself() {
    let mut joined = Joined::new();
    let (id, mut program, mut far) = joined.connect().await;
    let (up, down) = (noise(30_000_000), noise(20_000_001));
    let (sent, answered) = (up.clone(), down.clone());
    let talk = async {
        let asked = async {
            program.write_all(&sent).await.unwrap();
            program.shutdown().await.unwrap();
            let mut got = Vec::new();
            program.read_to_end(&mut got).await.unwrap();
            got
        };
        let answering = async {
            let mut got = Vec::new();
            far.read_to_end(&mut got).await.unwrap();
            // Only after the other direction has ended.
            far.write_all(&answered).await.unwrap();
            far.shutdown().await.unwrap();
            got
        };
        tokio::join!(asked, answering)
    };
    let (at_program, at_far) = joined.carry(talk).await;
    assert!(at_program == down && at_far == up, "{} and {} bytes", at_program.len(), at_far.len());
    joined.until_closed().await;
    let (sent, received) = (up.len() as u64, down.len() as u64);
    assert!(
        matches!(&joined.at_client[0], Happened::Opened { id: opened, address: Some(_) } if *opened == id)
    );
    assert_eq!(joined.at_client[1], Happened::Closed { id, sent, received, message: None });
    assert_eq!(joined.at_node[1], Happened::Closed { id, sent: received, received: sent, message: None });
    assert_eq!(joined.client.traffic().sent, sent);
}

#[tokio::test]
async fn the_far_end_may_end_first() {
    let mut joined = Joined::new();
    let (_, mut program, mut far) = joined.connect().await;
    let talk = async {
        far.write_all(b"bye").await.unwrap();
        far.shutdown().await.unwrap();
        let mut got = String::new();
        program.read_to_string(&mut got).await.unwrap();
        program.write_all(b"one more thing").await.unwrap();
        drop(program);
        let mut last = String::new();
        far.read_to_string(&mut last).await.unwrap();
        (got, last)
    };
    assert_eq!(joined.carry(talk).await, ("bye".to_owned(), "one more thing".to_owned()));
    joined.until_closed().await;
}

#[tokio::test]
async fn who_breaks_off_is_seen_to_break_off() {
    for breaks_at_far in [true, false] {
        let mut joined = Joined::new();
        let (_, mut program, mut far) = joined.connect().await;
        joined.carry(async { program.write_all(b"x").await.unwrap() }).await;
        joined.carry(async { far.read_u8().await.unwrap() }).await;
        let (broken, other) = if breaks_at_far { (far, &mut program) } else { (program, &mut far) };
        broken.set_zero_linger().unwrap();
        drop(broken);
        let error = joined.carry(other.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        joined.until_closed().await;
        for happened in [joined.at_client.last(), joined.at_node.last()] {
            let is_told = matches!(happened, Some(Happened::Closed { message: Some(text), .. }) if text.contains("reset"));
            assert!(is_told, "{happened:?}");
        }
    }
}

#[tokio::test]
async fn a_session_that_ends_breaks_what_is_open() {
    let mut joined = Joined::new();
    let (_, mut program, mut far) = joined.connect().await;
    joined.settle().await;
    drop(joined);
    for end in [&mut program, &mut far] {
        assert_eq!(end.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_program() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut joined = Joined::new();
    let (mut program, socket) = pair().await;
    program.write_all(b"early").await.unwrap();
    let id = joined.open(tcp(nobody), socket);
    joined.until_client(|happened| matches!(happened, Happened::Refused { .. })).await;
    let Happened::Refused { id: refused_id, refused } = &joined.at_client[0] else { panic!() };
    assert_eq!((*refused_id, refused.reason), (id, Reason::RefusedByPeer));
    assert_eq!(program.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);

    let (mut program, socket) = pair().await;
    let answers: postern_tunnel::Answers =
        Box::new(|outcome| Bytes::from(format!("{:?}", outcome.unwrap_err().reason)));
    joined.client.open(tcp(nobody), socket.into(), Some(answers), Instant::now()).unwrap();
    let mut got = String::new();
    joined.carry(program.read_to_string(&mut got)).await.unwrap();
    assert_eq!(got, "RefusedByPeer");
    assert_eq!(joined.client.count() + joined.node.count(), 0);
}

#[tokio::test]
async fn an_answer_goes_before_the_data() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut joined = Joined::new();
    let (mut program, socket) = pair().await;
    let answers: postern_tunnel::Answers = Box::new(|outcome| {
        assert!(outcome.unwrap().address.is_some());
        Bytes::from_static(b"granted ")
    });
    let open = tcp(listener.local_addr().unwrap());
    joined.client.open(open, socket.into(), Some(answers), Instant::now()).unwrap();
    let (mut far, _) = joined.carry(listener.accept()).await.unwrap();
    let talk = async {
        far.write_all(b"hello").await.unwrap();
        let mut got = [0; 13];
        program.read_exact(&mut got).await.unwrap();
        got
    };
    assert_eq!(&joined.carry(talk).await, b"granted hello");
}

#[tokio::test]
async fn a_reader_that_stopped_holds_up_only_itself() {
    let mut joined = Joined::new();
    let (_, mut stuck, unread) = joined.connect().await;
    let (_, mut program, mut far) = joined.connect().await;
    let data = noise(1024 * 1024);
    let mut taken = 0;
    while let Ok(count) = joined.carry(timeout(Duration::from_millis(300), stuck.write(&data))).await {
        taken += count.unwrap();
    }
    // What the two sockets hold is the kernel's; the window never grows for a reader that does not read.
    assert!(taken < WINDOW_BYTES_MAX, "{taken} bytes wait for nobody");
    let (count, started) = (64, Instant::now());
    let talk = async {
        let write = async {
            for _ in 0..count {
                program.write_all(&data).await.unwrap();
            }
        };
        let read = async {
            let mut got = vec![0; data.len()];
            for _ in 0..count {
                far.read_exact(&mut got).await.unwrap();
            }
            assert!(got == data);
        };
        tokio::join!(write, read)
    };
    joined.carry(talk).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // And the other still has all of it.
    drop(stuck);
    let mut unread = unread;
    let mut got = Vec::new();
    joined.carry(unread.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got.len(), taken);
}

/// Says something without end.
async fn flood(mut to: TcpStream) {
    let data = vec![0; 64 * 1024];
    while to.write_all(&data).await.is_ok() {}
}

/// Counts what comes.
async fn count(mut from: TcpStream, counted: Arc<AtomicUsize>) {
    let mut data = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut data).await {
        counted.fetch_add(count, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_hundred_streams_have_the_same_share() {
    const COUNT: usize = 100;
    /// Many messages for each, once the windows have grown.
    const EACH_BYTES: usize = 8 * 1024 * 1024;
    let mut joined = Joined::new();
    let (mut programs, mut counts) = (JoinSet::new(), Vec::new());
    let mut ends = Vec::new();
    for _ in 0..COUNT {
        let (_, program, far) = joined.connect().await;
        ends.push((program, far));
    }
    for (program, far) in ends {
        let counted = Arc::new(AtomicUsize::new(0));
        programs.spawn(count(far, Arc::clone(&counted)));
        programs.spawn(flood(program));
        counts.push(counted);
    }
    let now = || counts.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let until = async |all_bytes| {
        while now().iter().sum::<usize>() < all_bytes {
            sleep(Duration::from_millis(10)).await;
        }
        now()
    };
    let before = joined.carry(until(COUNT * EACH_BYTES)).await;
    let after = joined.carry(until(COUNT * EACH_BYTES * 2)).await;
    let shares: Vec<usize> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let (least, most) = (*shares.iter().min().unwrap(), *shares.iter().max().unwrap());
    let mean = shares.iter().sum::<usize>() / COUNT;
    // The programs have one thread, together with the session: on a busy machine not all of them always have something to say.
    assert!(least * 10 >= mean * 7 && most * 10 <= mean * 13, "{least} to {most}, {mean} in the middle");
}

#[tokio::test]
async fn the_node_listens_for_the_client() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut joined = Joined::leading_to(Some(target.local_addr().unwrap()));
    let id = joined.client.listen(Listen { host: String::new(), port: 0 }, Instant::now()).unwrap();
    joined.until_client(|happened| matches!(happened, Happened::Opened { .. })).await;
    let Happened::Opened { address: Some(address), .. } = &joined.at_client[0] else { panic!() };
    let address = address.clone();
    let mut outside = TcpStream::connect(&address).await.unwrap();
    outside.write_all(b"knock").await.unwrap();
    let (mut inside, _) = joined.carry(target.accept()).await.unwrap();
    let talk = async {
        let mut got = [0; 5];
        inside.read_exact(&mut got).await.unwrap();
        inside.write_all(b"who").await.unwrap();
        drop(inside);
        let mut answer = String::new();
        outside.read_to_string(&mut answer).await.unwrap();
        (got, answer)
    };
    assert_eq!(joined.carry(talk).await, (*b"knock", "who".to_owned()));
    let source = outside.local_addr().unwrap().to_string();
    let accepted = joined.at_client.iter().find(|happened| matches!(happened, Happened::Accepted { .. }));
    let Some(Happened::Accepted { listener, source: told, .. }) = accepted else { panic!("nobody") };
    assert_eq!((*listener, told), (id, &source));
    drop(outside);
    joined.until_closed().await;

    joined.client.reset(id, "cancelled");
    joined.settle().await;
    assert_eq!(TcpStream::connect(&address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let closed =
        |happened: &Happened| matches!(happened, Happened::Closed { id: closed, .. } if *closed == id);
    assert!(joined.at_client.iter().any(closed) && joined.at_node.iter().any(closed));
}

#[tokio::test]
async fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut joined = Joined::new();
    joined.client.listen(Listen { host: String::new(), port }, Instant::now()).unwrap();
    let refused = joined.until_client(|happened| matches!(happened, Happened::Refused { .. })).await;
    assert!(matches!(refused, Happened::Refused { refused, .. } if refused.reason == Reason::InUse));
}

#[tokio::test]
async fn datagrams_keep_their_bounds_and_an_idle_conversation_ends() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut joined = Joined::new();
    let (mut program, socket) = Datagrams::pair();
    joined.open(udp(server.local_addr().unwrap()), Socket::Datagrams(socket));
    let talk = async {
        let mut buffer = vec![0; 70_000];
        for datagram in [&b"one"[..], b"", &noise(65_507), b"four"] {
            program.outgoing.send(Bytes::copy_from_slice(datagram)).await.unwrap();
            let (count, from) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..count], datagram);
            server.send_to(datagram, from).await.unwrap();
            assert_eq!(program.incoming.recv().await.unwrap(), datagram);
        }
    };
    joined.carry(talk).await;
    let start = Instant::now();
    joined.client.handle_timeout(start);
    joined.client.handle_timeout(start + UDP_IDLE_MAX / 2);
    assert_eq!(joined.client.count(), 1);
    assert!(joined.client.poll_timeout().unwrap() <= start + UDP_IDLE_MAX);
    joined.client.handle_timeout(start + UDP_IDLE_MAX);
    joined.until_closed().await;
    let closed = joined.at_client.last();
    assert!(
        matches!(closed, Some(Happened::Closed { message: Some(text), .. }) if text == "idle"),
        "{closed:?}"
    );
    assert_eq!(program.incoming.recv().await, None);
}

#[tokio::test]
async fn a_flood_of_datagrams_is_lost_and_not_kept() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut joined = Joined::new();
    let (program, socket) = Datagrams::pair();
    joined.open(udp(server.local_addr().unwrap()), Socket::Datagrams(socket));
    let flood = async {
        let datagram = Bytes::from(noise(1200));
        for _ in 0..20_000 {
            program.outgoing.send(datagram.clone()).await.unwrap();
        }
        sleep(Duration::from_millis(50)).await;
    };
    joined.carry(flood).await;
    assert_eq!(joined.client.count(), 1, "it is still alive");
}

#[tokio::test]
async fn a_socket_file_is_as_good_as_a_port() {
    let directory = std::env::temp_dir().join(format!("postern-tunnel-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("x.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut joined = Joined::new();
    let (mut program, socket) = pair().await;
    let destination = Destination::Unix { path: path.to_str().unwrap().to_owned() };
    joined.open(Open { destination, source: String::new() }, socket);
    let (mut far, _) = joined.carry(listener.accept()).await.unwrap();
    let talk = async {
        program.write_all(b"hello").await.unwrap();
        program.shutdown().await.unwrap();
        let mut got = String::new();
        far.read_to_string(&mut got).await.unwrap();
        drop(far);
        program.read_u8().await.unwrap_err().kind()
    };
    assert_eq!(joined.carry(talk).await, ErrorKind::UnexpectedEof);
    joined.until_closed().await;
    std::fs::remove_dir_all(&directory).unwrap();
}

/// A program that has said all, and reads nothing.
#[derive(Debug)]
struct Stuck;

impl Pipes for Stuck {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn close_write(&mut self) {}
}

#[tokio::test]
async fn the_last_words_are_not_waited_for_for_ever() {
    let mut joined = Joined::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    joined.open(tcp(listener.local_addr().unwrap()), Socket::Pipes(Box::new(Stuck)));
    let (mut far, _) = joined.carry(listener.accept()).await.unwrap();
    far.write_all(b"the last words").await.unwrap();
    drop(far);
    joined.settle().await;
    assert_eq!((joined.client.count(), joined.node.count()), (1, 0));
    let start = Instant::now();
    joined.client.handle_timeout(start);
    assert_eq!((joined.client.count(), joined.client.poll_timeout()), (1, Some(start + LINGER_MAX)));
    joined.client.handle_timeout(start + LINGER_MAX);
    assert_eq!(joined.client.count(), 0);
}
