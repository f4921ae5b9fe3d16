//! Sessions that forward connections of a listening client.

use postern_protocol::payload::Flag;
use postern_protocol::smux::{StreamId, data_head, fin, syn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A client that knows no multiplexing.
const OLD_PLUGIN: &str = "1.1.61.0";
const THREE: StreamId = StreamId(3);
const FIVE: StreamId = StreamId(5);

fn document(host: &str, port: u16) -> Value {
    let properties = json!({"portNumber": port.to_string(), "type": "LocalPortForwarding", "host": host});
    json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": properties})
}

async fn started(host: &str, port: u16, version: &'static str) -> (Node, Client) {
    let mut node = Node::start().await;
    let socket = node.session("alice-1", document(host, port)).await;
    let mut client = Client::new(socket, version);
    client.attach(Some("id"), Some(SIZE)).await;
    client.until(|client| client.handshakes == 1).await;
    (node, client)
}

async fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn data(id: StreamId, bytes: &[u8]) -> Vec<u8> {
    [&data_head(id, bytes.len().try_into().unwrap())[..], bytes].concat()
}

#[tokio::test]
async fn each_stream_is_a_connection() {
    let (listener, port) = listening().await;
    let (mut node, mut client) = started("127.0.0.1", port, PLUGIN).await;
    let opening = [&syn(THREE)[..], &data(THREE, b"one"), &syn(FIVE), &data(FIVE, b"two")].concat();
    client.send(PayloadType::Output, opening);
    client.until(|client| client.channel.is_drained()).await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        let (mut far, _) = limited(listener.accept()).await.unwrap();
        let mut word = [0; 3];
        limited(far.read_exact(&mut word)).await.unwrap();
        far.write_all(&word).await.unwrap();
        heard.push((word, far));
    }
    heard.sort_by_key(|(word, _)| *word);
    assert_eq!((&heard[0].0, &heard[1].0), (b"one", b"two"));
    client.until(|client| client.output.len() >= 22).await;
    for frame in [data(THREE, b"one"), data(FIVE, b"two")] {
        assert!(client.output.windows(frame.len()).any(|window| window == frame));
    }
    // A connection ends; the other does not notice.
    client.output.clear();
    drop(heard.pop());
    client.until(|client| client.output == fin(FIVE)).await;
    client.send(PayloadType::Output, [&data(THREE, b"more")[..], &fin(THREE)].concat());
    client.until(|client| client.channel.is_drained()).await;
    let mut rest = String::new();
    limited(heard[0].1.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "more");
    client.send(PayloadType::Flag, Flag::TerminateSession.to_payload());
    client.until_closed().await;
    assert_eq!(node.acknowledged_result().await.0, "Success");
}

#[tokio::test]
async fn a_destination_that_refuses_ends_its_stream_and_not_the_session() {
    let (listener, port) = listening().await;
    drop(listener);
    let (_node, mut client) = started("", port, PLUGIN).await;
    client.send(PayloadType::Output, Bytes::copy_from_slice(&syn(THREE)));
    client.until(|client| client.output == fin(THREE)).await;
    assert_eq!(client.flags, [Flag::ConnectToPortError]);
    let _listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    client.output.clear();
    client.send(PayloadType::Output, [&syn(FIVE)[..], &data(FIVE, b"x"), &fin(FIVE)].concat());
    client.until(|client| client.output == fin(FIVE)).await;
    assert_eq!(client.flags, [Flag::ConnectToPortError]);
}

#[tokio::test]
async fn a_forbidden_destination_is_told_in_words() {
    let mut node = Node::start().await;
    let socket = node.session("alice-1", document("::ffff:169.254.169.254", 80)).await;
    let mut client = Client::new(socket, PLUGIN);
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("Forwarding to IP address ::ffff:169.254.169.254 is forbidden."), "{output}");
}

#[tokio::test]
async fn what_is_not_smux_ends_the_session() {
    let (_listener, port) = listening().await;
    let (mut node, mut client) = started("", port, PLUGIN).await;
    client.send(PayloadType::Output, "GET / HTTP/1.1\r\n\r\n");
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("a frame has version 71 instead of 1"), "{output}");
}

#[tokio::test]
async fn clients_without_multiplexing_have_one_connection_after_the_other() {
    let (listener, port) = listening().await;
    let (mut node, mut client) = started("", port, OLD_PLUGIN).await;
    for round in ["first", "second"] {
        client.send(PayloadType::Output, round);
        client.until(|client| client.channel.is_drained()).await;
        let (mut far, _) = limited(listener.accept()).await.unwrap();
        let mut heard = vec![0; round.len()];
        limited(far.read_exact(&mut heard)).await.unwrap();
        assert_eq!(heard, round.as_bytes());
        far.write_all(round.as_bytes()).await.unwrap();
        client.until_text(round).await;
        client.send(PayloadType::Flag, Flag::DisconnectToPort.to_payload());
        client.until(|client| client.channel.is_drained()).await;
        assert_eq!(limited(far.read(&mut heard)).await.unwrap(), 0);
    }
    // The far end closes: the session lives, and the next data connects again.
    client.send(PayloadType::Output, "third");
    client.until(|client| client.channel.is_drained()).await;
    drop(limited(listener.accept()).await.unwrap());
    client.send(PayloadType::Flag, Flag::DisconnectToPort.to_payload());
    client.send(PayloadType::Output, "fourth");
    client.until(|client| client.channel.is_drained()).await;
    let (mut far, _) = limited(listener.accept()).await.unwrap();
    let mut heard = [0; 6];
    limited(far.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"fourth");
    client.send(PayloadType::Flag, Flag::TerminateSession.to_payload());
    client.until_closed().await;
    assert_eq!(node.acknowledged_result().await.0, "Success");
}
