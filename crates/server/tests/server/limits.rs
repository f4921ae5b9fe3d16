//! What a stranger may make the server do.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{TestServer, signed};

/// The status line of the answer to bytes sent as they are; empty if the connection was just closed.
async fn answer_to(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = server.connect(b"http/1.1").await;
    let mut answer = Vec::new();
    if stream.write_all(bytes).await.is_ok() {
        let mut buffer = [0; 1024];
        if let Ok(length) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_or_not_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(directory, |config| config.limits.body_bytes_max = 4096).await.unwrap();
    let announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
    assert!(answer_to(&server, announced).await.contains(" 413 "));
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let grown = format!("{head}2000\r\n{}\r\n", "x".repeat(0x2000));
    assert!(answer_to(&server, grown.as_bytes()).await.contains(" 413 "));

    let admin = server.admin();
    let input = json!({"NotOfThisModel": "x".repeat(8192)});
    let answer = server.call(&admin, "AmazonSSM.ListDocuments", &input).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(server.call(&admin, "AmazonSSM.ListDocuments", &json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn bodies_that_strangers_leave_half_sent_are_bounded_together() {
    let directory = tempfile::tempdir().unwrap();
    let change = |config: &mut postern_server::config::Config| {
        config.limits.body_bytes_max = 8192;
        config.limits.held_body_bytes_max = 8192;
    };
    let server = TestServer::start_in(directory, change).await.unwrap();
    let admin = server.admin();
    let listed = async || server.call(&admin, "AmazonSSM.ListDocuments", &json!({})).await;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8192\r\n\r\n";
    // Announcing costs nothing.
    let mut stranger = server.connect(b"http/1.1").await;
    stranger.write_all(head).await.unwrap();
    assert_eq!(listed().await.status, StatusCode::OK);
    // Our own call may have what little there is at the very moment in which the stranger needs it: then it is the stranger
    // who is refused, and another one comes.
    eventually(async || {
        stranger = server.connect(b"http/1.1").await;
        stranger.write_all(&[head.as_slice(), &[b'x'; 8191]].concat()).await.unwrap();
        stranger.flush().await.unwrap();
        listed().await.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let answer = listed().await;
    assert_eq!(answer.code(), "ServiceUnavailableException", "{answer:?}");
    drop(stranger);
    eventually(async || listed().await.status == StatusCode::OK).await;
}

#[tokio::test]
async fn connections_are_counted_by_address() {
    let directory = tempfile::tempdir().unwrap();
    let change = |config: &mut postern_server::config::Config| config.limits.connections_per_address_max = 2;
    let server = TestServer::start_in(directory, change).await.unwrap();
    let first = server.connect(b"http/1.1").await;
    let _second = server.connect(b"http/1.1").await;
    assert!(is_refused(&server, "127.0.0.1:0").await);
    assert!(!is_refused(&server, "127.0.0.2:0").await, "another address has a share of its own");
    drop(first);
    eventually(async || !is_refused(&server, "127.0.0.1:0").await).await;
}

/// Whether a connection from `source` is closed without a word.
async fn is_refused(server: &TestServer, source: &str) -> bool {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(source.parse().unwrap()).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    // What is no TLS is answered by an alert.
    let _ = stream.write_all(b"this is no TLS at all").await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer.is_empty()
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it never holds");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = TestServer::start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(80 << 10));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Y: z\r\n".repeat(100));
    for head in [long, many] {
        let answer = answer_to(&server, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    }
    assert!(answer_to(&server, b"\x00\xff\r\n\r\n").await.contains(" 400 "));
    assert!(answer_to(&server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.contains(" 404 "));
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let change = |config: &mut postern_server::config::Config| {
        config.limits.request_time_max = Duration::from_millis(100);
    };
    let server = TestServer::start_in(directory, change).await.unwrap();
    let half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf";
    assert!(answer_to(&server, half).await.contains(" 408 "));
}

#[tokio::test]
async fn unsigned_calls_are_counted_by_address() {
    let directory = tempfile::tempdir().unwrap();
    let change =
        |config: &mut postern_server::config::Config| config.limits.unsigned_calls_per_minute_max = 2;
    let server = TestServer::start_in(directory, change).await.unwrap();
    let register = || async {
        let input = json!({
            "ActivationId": "11111111-2222-3333-4444-555555555555", "ActivationCode": "A".repeat(20),
            "PublicKey": "A".repeat(392), "PublicKeyType": "Rsa", "Fingerprint": "f",
        });
        server.send(server.json_request("AmazonSSM.RegisterManagedInstance", &input)).await.code()
    };
    assert_eq!(register().await, "InvalidActivation");
    assert_eq!(register().await, "InvalidActivation");
    assert_eq!(register().await, "TooManyUpdates");
    let signed_call = server.call(&server.admin(), "AmazonSSM.ListDocuments", &json!({})).await;
    assert_eq!(signed_call.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_websocket_is_told_so() {
    let server = TestServer::start().await;
    let plain = server.request("GET", "/v1/data-channel/admin-x").body(Bytes::new()).unwrap();
    let answer = server.send(plain).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("<BadRequest>"), "{}", answer.text());
    for path in ["/v1/data-channel/%2e%2e%2f", "/v1/control-channel/mi-x", "/v1/data-channel/"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = server.send(server.request(method, path).body(Bytes::new()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn unsigned_websockets_are_refused_when_the_operator_wants_it() {
    let directory = tempfile::tempdir().unwrap();
    let change =
        |config: &mut postern_server::config::Config| config.sessions.allow_unsigned_data_channels = false;
    let server = TestServer::start_in(directory, change).await.unwrap();
    let request = || {
        server
            .request("GET", "/v1/data-channel/admin-x?role=publish_subscribe")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(server.send(request()).await.status, StatusCode::FORBIDDEN);
    let answer = server.send(signed(request(), &server.admin(), "ssmmessages")).await;
    assert_eq!(answer.status, StatusCode::SWITCHING_PROTOCOLS, "{answer:?}");
    assert_eq!(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
