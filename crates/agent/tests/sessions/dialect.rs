//! Sessions that carry connections in the dialect of Postern's own ends.

use postern_protocol::tunnel::{
    Accepted, Content, Destination, Frame, INITIAL_WINDOW_BYTES, Listen, Open, Opened, Reason, Refused,
    Reset, StreamId,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::*;

const POSTERN: &str = "postern/0.1.0";

fn anywhere() -> Value {
    json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"type": "Tunnel"}})
}

fn to_port(port: u16) -> Value {
    let properties = json!({"portNumber": port.to_string(), "type": "LocalPortForwarding"});
    json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": properties})
}

async fn started(document: Value, speaks_dialect: bool) -> (Node, Client) {
    let mut node = Node::start().await;
    let socket = node.session("alice-1", document).await;
    let mut client = Client::new(socket, POSTERN);
    client.speaks_dialect = speaks_dialect;
    client.attach(Some("id"), Some(SIZE)).await;
    client.until(|client| client.handshakes == 1 || client.is_closed).await;
    (node, client)
}

fn say(client: &mut Client, id: u32, content: Content) {
    client.send(PayloadType::Output, Frame::new(StreamId(id), content).to_bytes());
}

fn tcp(host: &str, port: u16) -> Content {
    let destination = Destination::Tcp { host: host.to_owned(), port };
    Content::Open(Open { destination, source: String::new() })
}

fn udp(host: &str, port: u16) -> Content {
    let destination = Destination::Udp { host: host.to_owned(), port };
    Content::Open(Open { destination, source: String::new() })
}

/// The next frame, which is that stream's.
async fn next(client: &mut Client, id: u32) -> Content {
    client.until(|client| !client.frames.is_empty()).await;
    let frame = client.frames.remove(0);
    assert_eq!(frame.id, StreamId(id), "{frame:?}");
    frame.content
}

async fn refused(client: &mut Client, id: u32) -> Refused {
    match next(client, id).await {
        Content::Refused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

async fn opened(client: &mut Client, id: u32) -> String {
    match next(client, id).await {
        Content::Opened(Opened { address: Some(address) }) => address,
        other => panic!("{other:?}"),
    }
}

fn data(bytes: &'static [u8]) -> Content {
    Content::Data(Bytes::from_static(bytes))
}

#[tokio::test]
async fn each_connection_leads_where_it_is_asked_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut node, mut client) = started(anywhere(), true).await;
    say(&mut client, 1, tcp("localhost", address.port()));
    say(&mut client, 1, data(b"question"));
    say(&mut client, 1, Content::End);
    assert_eq!(opened(&mut client, 1).await, address.to_string());
    let (mut far, _) = limited(listener.accept()).await.unwrap();
    let mut text = String::new();
    limited(far.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "question");
    far.write_all(b"answer").await.unwrap();
    drop(far);
    assert_eq!(next(&mut client, 1).await, data(b"answer"));
    assert_eq!(next(&mut client, 1).await, Content::End);

    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    say(&mut client, 3, udp("127.0.0.1", server.local_addr().unwrap().port()));
    say(&mut client, 3, data(b"datagram"));
    opened(&mut client, 3).await;
    let mut buffer = [0; 100];
    let (count, from) = limited(server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..count], b"datagram");
    server.send_to(b"back", from).await.unwrap();
    assert!(matches!(next(&mut client, 3).await, Content::Credit(_)));
    assert_eq!(next(&mut client, 3).await, data(b"back"));

    client.send(PayloadType::Flag, postern_protocol::payload::Flag::TerminateSession.to_payload());
    client.until_closed().await;
    assert_eq!(node.acknowledged_result().await.0, "Success");
}

#[tokio::test]
async fn what_is_denied_or_forbidden_is_refused_and_the_session_lives() {
    let (_node, mut client) = started(anywhere(), true).await;
    let denied = Refused::new(Reason::Denied, "not by the policies");
    say(&mut client, 1, Content::Denied(denied.clone()));
    assert_eq!(refused(&mut client, 1).await, denied);
    for (id, content) in [
        (3, tcp("169.254.169.254", 80)),
        (5, tcp("::ffff:169.254.169.254", 80)),
        (7, udp("fe80::1", 53)),
        (9, Content::Listen(Listen { host: "0.0.0.0".to_owned(), port: 8080 })),
        (11, Content::Listen(Listen { host: String::new(), port: 80 })),
    ] {
        say(&mut client, id, content.clone());
        assert_eq!(refused(&mut client, id).await.reason, Reason::Forbidden, "{content:?}");
    }
}

#[tokio::test]
async fn the_node_says_what_its_listener_accepts() {
    let (_node, mut client) = started(anywhere(), true).await;
    say(&mut client, 1, Content::Listen(Listen { host: String::new(), port: 0 }));
    let address = opened(&mut client, 1).await;
    let mut outside = TcpStream::connect(&address).await.unwrap();
    let source = outside.local_addr().unwrap().to_string();
    assert_eq!(next(&mut client, 2).await, Content::Accepted(Accepted { listener: 1, source }));
    outside.write_all(b"knock").await.unwrap();
    assert_eq!(next(&mut client, 2).await, data(b"knock"));
    say(&mut client, 2, Content::Opened(Opened::default()));
    say(&mut client, 2, data(b"who"));
    say(&mut client, 2, Content::End);
    let mut text = String::new();
    let read = async { outside.read_to_string(&mut text).await.unwrap() };
    let carried = async {
        client.until(|client| client.channel.is_drained()).await;
        read.await
    };
    limited(carried).await;
    assert_eq!(text, "who");
    say(&mut client, 1, Content::Reset(Reset::new("cancelled")));
    client.until(|client| client.channel.is_drained()).await;
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn a_session_for_one_port_leads_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_node, mut client) = started(to_port(port), true).await;
    say(&mut client, 1, tcp("localhost", port));
    assert_eq!(opened(&mut client, 1).await, format!("127.0.0.1:{port}"));
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    say(&mut client, 3, tcp("localhost", other.local_addr().unwrap().port()));
    assert_eq!(refused(&mut client, 3).await.reason, Reason::Forbidden);
    say(&mut client, 5, Content::Listen(Listen { host: String::new(), port: 0 }));
    assert_eq!(refused(&mut client, 5).await.reason, Reason::Forbidden);
    // The first is as it was.
    say(&mut client, 1, data(b"hello"));
    let (mut far, _) = limited(listener.accept()).await.unwrap();
    client.until(|client| client.channel.is_drained()).await;
    let mut word = [0; 5];
    limited(far.read_exact(&mut word)).await.unwrap();
    assert_eq!(&word, b"hello");
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_told_why_it_ends() {
    let (mut node, mut client) = started(anywhere(), false).await;
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("needs a client that speaks Postern's protocol of tunnels"), "{output}");
}

#[tokio::test]
async fn who_does_not_keep_to_the_dialect_ends_the_session() {
    for (payload, expected) in [
        (Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"), "a frame reaches beyond its message"),
        (Frame::new(StreamId(1), data(b"x")).to_bytes(), "stream 1 was never opened"),
        (Frame::new(StreamId(2), tcp("localhost", 1)).to_bytes(), "has no place in stream 2"),
    ] {
        let (mut node, mut client) = started(anywhere(), true).await;
        client.send(PayloadType::Output, payload);
        client.until_closed().await;
        let (status, output) = node.acknowledged_result().await;
        assert_eq!(status, "Failed");
        assert!(output.contains(expected), "{output}");
    }
}

#[tokio::test]
async fn more_than_the_window_ends_the_session() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut node, mut client) = started(to_port(listener.local_addr().unwrap().port()), true).await;
    say(&mut client, 1, tcp("localhost", listener.local_addr().unwrap().port()));
    let much = Content::Data(Bytes::from(vec![0; INITIAL_WINDOW_BYTES + 1]));
    say(&mut client, 1, much);
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("stream 1 has more data than its window"), "{output}");
}
