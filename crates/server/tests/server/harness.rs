//! A server, and callers that sign as AWS's clients do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern_server::config::Config;
use postern_server::{Server, StartError};
use postern_sigv4::{PayloadHash, Signing, SigningTime};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// A server that runs until it is stopped or dropped.
pub(crate) struct TestServer {
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    running: JoinSet<()>,
}

/// Credentials of a user, or temporary ones of a role.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an error in the JSON protocol.
    pub(crate) fn code(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) fn config(directory: &Path) -> Config {
    Config::for_tests(directory.join("data"))
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), |_| {}).await.unwrap()
    }

    pub(crate) async fn start_in(
        directory: TempDir,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, StartError> {
        let mut config = config(directory.path());
        change(&mut config);
        let shutdown = CancellationToken::new();
        let server = Server::start(config, shutdown.clone()).await?;
        let address = server.address();
        let mut running = JoinSet::new();
        running.spawn(async move { server.run().await.unwrap() });
        Ok(Self { directory, address, shutdown, running })
    }

    /// Drains, and gives the directory back.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.shutdown.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
        self.directory
    }

    /// Tells it to stop, and waits for nothing.
    pub(crate) fn begin_to_stop(&self) {
        self.shutdown.cancel();
    }

    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    /// The administrator's keys, as the first start wrote them.
    pub(crate) fn admin(&self) -> Keys {
        let text = std::fs::read_to_string(self.data("bootstrap/credentials")).unwrap();
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once(" = ").unwrap().1.to_owned()
        };
        Keys { id: value("aws_access_key_id"), secret: value("aws_secret_access_key"), token: None }
    }

    /// A TLS connection that trusts the server's authority and nothing else.
    pub(crate) async fn connect(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.data("tls/ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![alpn.to_vec()];
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        TlsConnector::from(Arc::new(tls)).connect(name, tcp).await.unwrap()
    }

    /// Sends one request over HTTP/1.1 on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        let io = TokioIo::new(self.connect(b"http/1.1").await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        read(sender.send_request(request.map(Full::new)).await.unwrap()).await
    }

    /// The same over HTTP/2.
    pub(crate) async fn send_http2(&self, mut request: Request<Bytes>) -> Answer {
        let io = TokioIo::new(self.connect(b"h2").await);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        // The authority stands in the place of the header.
        request.headers_mut().remove("host");
        *request.version_mut() = Version::HTTP_2;
        let uri = format!("https://{}{}", self.address, request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        read(sender.send_request(request.map(Full::new)).await.unwrap()).await
    }

    /// Calls an operation of `ssm` or `ec2messages`.
    pub(crate) async fn call(&self, keys: &Keys, target: &str, input: &Value) -> Answer {
        let service = if target.starts_with("AmazonSSM") { "ssm" } else { "ec2messages" };
        let request = signed(self.json_request(target, input), keys, service);
        self.send(request).await
    }

    pub(crate) fn json_request(&self, target: &str, input: &Value) -> Request<Bytes> {
        self.request("POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(Bytes::from(input.to_string()))
            .unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header("host", self.address.to_string())
    }
}

/// Signs all headers there are.
pub(crate) fn signed(request: Request<Bytes>, keys: &Keys, service: &str) -> Request<Bytes> {
    let prepared = prepared(&request, &keys.id, keys.token.as_deref(), service);
    with_headers(request, prepared.sign(&keys.secret))
}

/// Signs with a signature made elsewhere, as a node does with its RSA key.
pub(crate) fn signed_by(
    request: Request<Bytes>,
    access_key_id: &str,
    sign: impl FnOnce(&str) -> String,
) -> Request<Bytes> {
    let prepared = prepared(&request, access_key_id, None, "ssm");
    let signature = sign(prepared.string_to_sign());
    with_headers(request, prepared.with_signature(signature))
}

fn prepared(
    request: &Request<Bytes>,
    access_key_id: &str,
    session_token: Option<&str>,
    service: &str,
) -> postern_sigv4::Prepared {
    let headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let time = SigningTime::from_unix_seconds(unix_seconds());
    let signing = Signing { access_key_id, session_token, region: "us-east-1", service, time };
    let plain = postern_sigv4::Request {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        headers: &headers,
    };
    signing.prepare(&plain, &PayloadHash::of(request.body())).unwrap()
}

fn with_headers(mut request: Request<Bytes>, headers: Vec<(&'static str, String)>) -> Request<Bytes> {
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

pub(crate) fn unix_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

async fn read(response: Response<hyper::body::Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}
