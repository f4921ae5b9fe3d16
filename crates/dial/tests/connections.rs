//! Connections to real servers on this machine: trust, pins, reuse, websockets, proxies, time limits.
#![expect(clippy::unwrap_used, reason = "helpers of tests may end at the first surprise")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Uri};
use postern_dial::{DialError, Dialer, Fingerprint, Http, Limits, Message, Proxies, Step, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A CA, a certificate of `localhost` from it, and the CA in a file.
struct Pki {
    ca: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    ca_file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Pki {
    fn new(names: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, issuer.pem()).unwrap();
        let ca = issuer.der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Self { ca, leaf: leaf.der().clone(), key, ca_file, _dir: dir }
    }

    /// A server that presents its certificate and, maybe, the CA's.
    async fn serve(&self, chain: Vec<CertificateDer<'static>>) -> Server {
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, self.key.clone_key())
        .unwrap();
        Server::start(Some(TlsAcceptor::from(Arc::new(config)))).await
    }
}

/// Answers each request with the number of its connection and the body.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let tls = tls.clone();
                served.spawn(async move {
                    match tls {
                        None => serve(tcp, number).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(tcp).await {
                                serve(stream, number).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, connections, _tasks: tasks }
    }

    fn url(&self, scheme: &str, path: &str) -> Uri {
        format!("{scheme}://localhost:{}{path}", self.address.port()).parse().unwrap()
    }
}

async fn serve<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut stream: S, number: usize) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        if head.starts_with("get /close ") {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
                .await
                .unwrap();
            stream.shutdown().await.unwrap();
            return;
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let answer = format!("{number}:{}", String::from_utf8(body).unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

fn http(trust: Trust) -> Http {
    Http::new(Dialer::new(trust, Proxies::none()))
}

fn post(url: Uri, body: &'static str) -> Request<Bytes> {
    Request::post(url).body(Bytes::from(body)).unwrap()
}

fn is_untrusted<T>(result: &Result<T, DialError>) -> bool {
    matches!(result, Err(error @ DialError::Tls { .. }) if !error.is_transient())
}

#[tokio::test]
async fn requests_share_a_connection_until_it_is_closed() {
    let server = Server::start(None).await;
    let http = http(Trust::native());
    for expected in ["1:a", "1:b"] {
        let body = &expected[2..];
        let request =
            Request::post(server.url("http", "/x")).body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        assert_eq!(http.send(request).await.unwrap().body(), expected);
    }
    assert_eq!(
        http.send(Request::get(server.url("http", "/close")).body(Bytes::new()).unwrap())
            .await
            .unwrap()
            .body(),
        "ok"
    );
    assert_eq!(http.send(post(server.url("http", "/"), "c")).await.unwrap().body(), "2:c");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_ca_file_is_all_that_is_trusted() {
    let pki = Pki::new(&["localhost"]);
    let server = pki.serve(vec![pki.leaf.clone()]).await;
    let answer =
        http(Trust::only_ca_file(&pki.ca_file)).send(post(server.url("https", "/"), "x")).await.unwrap();
    assert_eq!(answer.body(), "1:x");
    let other = Pki::new(&["localhost"]);
    let refused = http(Trust::only_ca_file(&other.ca_file)).send(post(server.url("https", "/"), "x")).await;
    assert!(is_untrusted(&refused), "{refused:?}");
    let extra = http(Trust::native_and_ca_file(&pki.ca_file)).send(post(server.url("https", "/"), "x")).await;
    assert!(extra.is_ok(), "{extra:?}");
}

#[tokio::test]
async fn a_pin_accepts_the_ca_or_the_certificate_itself_and_nothing_else() {
    let pki = Pki::new(&["localhost"]);
    let with_ca = pki.serve(vec![pki.leaf.clone(), pki.ca.clone()]).await;
    let without_ca = pki.serve(vec![pki.leaf.clone()]).await;
    let (ca, leaf) = (Fingerprint::of(&pki.ca), Fingerprint::of(&pki.leaf));
    let other = Fingerprint::of(&Pki::new(&["localhost"]).ca);
    for (name, pin, server, good) in [
        ("the CA, presented", ca, &with_ca, true),
        ("the CA, not presented", ca, &without_ca, false),
        ("the certificate", leaf, &without_ca, true),
        ("the certificate with its CA", leaf, &with_ca, true),
        ("another", other, &with_ca, false),
    ] {
        let result = http(Trust::pinned(pin)).send(post(server.url("https", "/"), "x")).await;
        assert_eq!(result.is_ok(), good, "{name}: {result:?}");
        assert!(good || is_untrusted(&result), "{name}: {result:?}");
    }
}

#[tokio::test]
async fn a_pin_does_not_excuse_a_wrong_host_name() {
    let pki = Pki::new(&["elsewhere.example"]);
    let server = pki.serve(vec![pki.leaf.clone(), pki.ca.clone()]).await;
    for pin in [Fingerprint::of(&pki.ca), Fingerprint::of(&pki.leaf)] {
        let refused = http(Trust::pinned(pin)).send(post(server.url("https", "/"), "x")).await;
        assert!(is_untrusted(&refused), "{refused:?}");
    }
}

#[tokio::test]
async fn a_websocket_refused_names_the_status() {
    let server = Server::start(None).await;
    let refused = http(Trust::native()).websocket(&server.url("ws", "/x"), &HeaderMap::new()).await;
    assert!(matches!(refused, Err(DialError::Refused { status: 200, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_websocket_carries_messages_over_an_idle_connection_or_a_new_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url =
        |scheme: &str| format!("{scheme}://{}/", listener.local_addr().unwrap()).parse::<Uri>().unwrap();
    let http = http(Trust::native());
    let (ws_url, http_url) = (url("ws"), url("http"));
    let echo = async {
        // One connection: a request, then a websocket.
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await.unwrap());
        }
        tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let (_, mut websocket) = tokio_websockets::ServerBuilder::new().accept(tcp).await.unwrap();
        while let Some(Ok(message)) = websocket.next().await {
            if message.is_binary() {
                websocket.send(message).await.unwrap();
            }
        }
    };
    let client = async {
        http.send(Request::get(http_url).body(Bytes::new()).unwrap()).await.unwrap();
        let mut websocket = http.websocket(&ws_url, &HeaderMap::new()).await.unwrap();
        let payload = Bytes::from(vec![7; 100_000]);
        websocket.send(Message::binary(payload.clone())).await.unwrap();
        let echoed = websocket.next().await.unwrap().unwrap();
        assert_eq!(&echoed.as_payload()[..], &payload[..]);
        websocket.close().await.unwrap();
    };
    tokio::join!(echo, client);
}

#[tokio::test]
async fn a_proxy_carries_the_connection_and_its_refusal_is_told() {
    let pki = Pki::new(&["postern.test"]);
    let server = pki.serve(vec![pki.leaf.clone()]).await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxies = || Proxies::new(&format!("http://user:pass@{}", proxy.local_addr().unwrap()), "");
    let tunnel = async {
        let (mut downstream, _) = proxy.accept().await.unwrap();
        let request = read_head(&mut downstream).await;
        assert!(request.starts_with("CONNECT postern.test:443 HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"), "{request}");
        downstream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut upstream = TcpStream::connect(server.address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut downstream, &mut upstream).await;
    };
    let client = async {
        let http = Http::new(Dialer::new(Trust::only_ca_file(&pki.ca_file), proxies()));
        http.send(post(Uri::from_static("https://postern.test/"), "x")).await.unwrap().into_body()
    };
    let answer =
        tokio::select! { answer = client => answer, () = tunnel => unreachable!("the client ends first") };
    assert_eq!(answer, "1:x");

    let refusal = async {
        let (mut downstream, _) = proxy.accept().await.unwrap();
        read_head(&mut downstream).await;
        downstream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
    };
    let http = Http::new(Dialer::new(Trust::only_ca_file(&pki.ca_file), proxies()));
    let (refused, ()) =
        tokio::join!(http.send(post(Uri::from_static("https://postern.test/"), "x")), refusal);
    assert!(
        matches!(&refused, Err(DialError::Proxy { problem, .. }) if problem.contains("403")),
        "{refused:?}"
    );
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_silent_server_does_not_hold_anyone_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = Duration::from_millis(20);
    let limits = Limits { tls: short, request: short, ..Limits::default() };
    let dialer = || Dialer::new(Trust::native(), Proxies::none()).with_limits(limits);
    for (scheme, expected) in [("http", Step::Request), ("https", Step::Tls)] {
        let url = format!("{scheme}://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let result = Http::new(dialer()).send(post(url, "x")).await;
        assert!(matches!(&result, Err(DialError::TimedOut { step, .. }) if *step == expected), "{result:?}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_not_read() {
    let server = Server::start(None).await;
    let bounded = |bytes| http(Trust::native()).with_answer_bytes_max(bytes);
    let answer = bounded(6).send(post(server.url("http", "/"), "1234")).await.unwrap();
    assert_eq!(answer.into_body(), "1:1234");
    let refused = bounded(6).send(post(server.url("http", "/"), "12345")).await;
    assert!(matches!(refused, Err(DialError::Request { .. })), "{refused:?}");
}
