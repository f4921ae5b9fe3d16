//! Sessions that carry one connection.

use postern_protocol::payload::Flag;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const POSTERN: &str = "postern/0.1.0";

fn port(number: u16) -> Value {
    json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": number.to_string()}})
}

/// A session whose connection has come about.
async fn connected(version: &'static str) -> (Node, Client, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut node = Node::start().await;
    let socket = node.session("alice-1", port(listener.local_addr().unwrap().port())).await;
    let mut client = Client::new(socket, version);
    client.attach(Some("id"), Some(SIZE)).await;
    client.until(|client| client.handshakes == 1).await;
    client.send(PayloadType::Output, "hello");
    client.until(|client| client.channel.is_drained()).await;
    let (mut far, _) = limited(listener.accept()).await.unwrap();
    let mut heard = [0; 5];
    limited(far.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"hello");
    (node, client, far)
}

#[tokio::test]
async fn the_end_of_the_far_end_is_the_end_for_awss_plugin() {
    let (mut node, mut client, mut far) = connected(PLUGIN).await;
    far.write_all(b"welcome and goodbye").await.unwrap();
    drop(far);
    client.until_text("goodbye").await;
    client.until_closed().await;
    assert_eq!(client.flags, []);
    assert_eq!(node.acknowledged_result().await.0, "Success");
}

#[tokio::test]
async fn each_direction_ends_by_itself_between_our_own_ends() {
    let (mut node, mut client, mut far) = connected(POSTERN).await;
    far.write_all(b"bye").await.unwrap();
    far.shutdown().await.unwrap();
    client.until(|client| client.flags == [Flag::EndOfStream]).await;
    assert_eq!(client.text(), "bye");
    client.send(PayloadType::Output, "still here");
    client.send(PayloadType::Flag, Flag::EndOfStream.to_payload());
    client.until_closed().await;
    let mut rest = String::new();
    limited(far.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "still here");
    assert_eq!(node.acknowledged_result().await.0, "Success");
}

#[tokio::test]
async fn flags_of_the_client_close_the_connection_or_the_session() {
    let (mut node, mut client, mut far) = connected(PLUGIN).await;
    let port = far.local_addr().unwrap().port();
    client.send(PayloadType::Flag, Flag::DisconnectToPort.to_payload());
    client.until(|client| client.channel.is_drained()).await;
    let mut rest = Vec::new();
    limited(far.read_to_end(&mut rest)).await.unwrap();
    // The next data connects again, which nobody takes any more.
    drop(far);
    client.send(PayloadType::Output, "again");
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    let expected = format!("Unable to connect to specified port: dial tcp 127.0.0.1:{port}: ");
    assert!(output.contains(&expected), "{output}");

    let (mut node, mut client, mut far) = connected(PLUGIN).await;
    client.send(PayloadType::Flag, Flag::TerminateSession.to_payload());
    client.until_closed().await;
    limited(far.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(node.acknowledged_result().await.0, "Success");
}

#[tokio::test]
async fn the_server_ends_the_connection_with_the_session() {
    let (mut node, _client, mut far) = connected(PLUGIN).await;
    node.close("alice-1").await;
    let mut rest = Vec::new();
    limited(far.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(node.acknowledged_result().await.0, "Cancelled");
}
