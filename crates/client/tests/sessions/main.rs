//! Whole sessions against a scripted server that plays gateway and agent.
#![expect(clippy::unwrap_used, reason = "helpers of tests may end at the first surprise")]

mod tunnel;

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use postern_client::{
    Api, CredentialError, CredentialSource, Ended, Layout, Notice, SessionError, SessionStart, Stdio, run,
};
use postern_dial::{Credentials, Dialer, Http, Proxies, Trust};
use postern_protocol::handshake::{HandshakeComplete, HandshakeRequest, HandshakeResponse, RequestedAction};
use postern_protocol::payload::{ChannelClosed, Flag, OpenDataChannel, exit_code_text};
use postern_protocol::smux::{StreamId, data_head, fin, syn};
use postern_protocol::{ChannelLimits, DataChannel, Event, PayloadType, Role, Stamp, Stamps};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};
use uuid::Uuid;

const SESSION_ID: &str = "alice-1";

struct Key;

#[async_trait::async_trait]
impl CredentialSource for Key {
    async fn credentials(&self) -> Result<Credentials, CredentialError> {
        Ok(Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: None,
        })
    }
}

fn stamp() -> Stamp {
    Stamp { message_id: Uuid::new_v4(), created_ms: 1 }
}

/// The server's door: API calls are answered in passing, until a websocket is opened.
struct Server {
    listener: TcpListener,
    /// What ResumeSession answers.
    resume_token: Option<&'static str>,
    /// The operations called, in order.
    calls: Mutex<Vec<String>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, resume_token: Some("second token"), calls: Mutex::default() }
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.listener.local_addr().unwrap())
    }

    /// Waits for the next websocket and its OpenDataChannel.
    async fn accept(&self) -> (WebSocketStream<TcpStream>, OpenDataChannel) {
        loop {
            let (tcp, _) = self.listener.accept().await.unwrap();
            if let Some(opened) = self.serve(tcp).await {
                return opened;
            }
        }
    }

    /// Answers calls on one connection, which may become a websocket.
    async fn serve(&self, mut tcp: TcpStream) -> Option<(WebSocketStream<TcpStream>, OpenDataChannel)> {
        loop {
            let mut first = [0];
            if tcp.peek(&mut first).await.unwrap() == 0 {
                return None;
            }
            if &first == b"G" {
                let (_, mut websocket) = ServerBuilder::new().accept(tcp).await.unwrap();
                let text = websocket.next().await.unwrap().unwrap();
                let open = OpenDataChannel::from_json(text.as_payload()).unwrap();
                return Some((websocket, open));
            }
            let operation = self.answer(&mut tcp).await;
            self.calls.lock().unwrap().push(operation);
        }
    }

    async fn answer(&self, tcp: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let header =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let mut body = vec![0; header("content-length:").parse().unwrap()];
        tcp.read_exact(&mut body).await.unwrap();
        let operation = header("x-amz-target:").trim_start_matches("amazonssm.").to_owned();
        let answer = match self.resume_token {
            Some(token) if operation == "resumesession" => format!(r#"{{"TokenValue":"{token}"}}"#),
            _ => "{}".to_owned(),
        };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        tcp.write_all(answer.as_bytes()).await.unwrap();
        operation
    }

    /// Answers calls until the client is done.
    async fn serve_calls(&self) {
        loop {
            let (tcp, _) = self.listener.accept().await.unwrap();
            assert!(self.serve(tcp).await.is_none(), "no further websocket");
        }
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// The agent's end of the data channel.
struct Agent {
    channel: DataChannel,
    websocket: WebSocketStream<TcpStream>,
}

impl Agent {
    fn new(websocket: WebSocketStream<TcpStream>) -> Self {
        let mut agent = Self { channel: DataChannel::new(Role::Agent, ChannelLimits::default()), websocket };
        agent.channel.handle_connected(Instant::now());
        agent
    }

    async fn send(&mut self, payload_type: PayloadType, payload: impl Into<Bytes>) {
        self.channel.send(payload_type, payload.into(), stamp(), Instant::now()).unwrap();
        self.flush().await;
    }

    async fn flush(&mut self) {
        let stamps: &mut dyn Stamps = &mut stamp;
        while let Some(frame) = self.channel.poll_transmit(Instant::now(), stamps) {
            self.websocket.send(Message::binary(frame)).await.unwrap();
        }
    }

    /// The next stream message of the client, acknowledged.
    async fn receive(&mut self) -> (PayloadType, Bytes) {
        loop {
            if let Some(Event::Stream { sequence_number, payload_type, payload }) = self.channel.poll_event()
            {
                self.channel.acknowledge(sequence_number);
                self.flush().await;
                return (payload_type, payload);
            }
            self.receive_frame().await;
        }
    }

    async fn receive_frame(&mut self) {
        let message = self.websocket.next().await.unwrap().unwrap();
        if message.is_binary() {
            self.channel.handle_frame(message.into_payload().into(), Instant::now()).unwrap();
            self.flush().await;
        }
    }

    /// Waits until the client has consumed everything.
    async fn drain(&mut self) {
        while !self.channel.is_drained() {
            self.receive_frame().await;
        }
    }

    async fn shake_hands(&mut self, session_type: &str) {
        let action = RequestedAction::SessionType {
            session_type: session_type.into(),
            properties: serde_json::Value::Null,
        };
        let request =
            HandshakeRequest { agent_version: "3.3.0.0".into(), requested_client_actions: vec![action] };
        self.send(PayloadType::HandshakeRequest, request.to_json()).await;
        let (payload_type, payload) = self.receive().await;
        assert_eq!(payload_type, PayloadType::HandshakeResponse);
        assert_eq!(HandshakeResponse::from_json(&payload).unwrap().failure(), None);
        self.send(PayloadType::HandshakeComplete, HandshakeComplete::default().to_json()).await;
    }

    async fn close(mut self, output: &str, exit_code: Option<i32>) {
        self.drain().await;
        let closed = ChannelClosed { output: output.into(), exit_code, ..ChannelClosed::default() };
        self.websocket.send(Message::binary(closed.into_message(stamp()).encode())).await.unwrap();
    }
}

/// The user's side: pipes instead of a terminal.
struct User {
    stdin: Option<PipeWriter>,
    stdout: Option<PipeReader>,
    stderr: PipeReader,
    inner: (PipeReader, PipeWriter, PipeWriter),
}

impl User {
    fn new() -> Self {
        let (stdin, stdin_writer) = std::io::pipe().unwrap();
        let (stdout_reader, stdout) = std::io::pipe().unwrap();
        let (stderr_reader, stderr) = std::io::pipe().unwrap();
        Self {
            stdin: Some(stdin_writer),
            stdout: Some(stdout_reader),
            stderr: stderr_reader,
            inner: (stdin, stdout, stderr),
        }
    }

    async fn run(&self, server: &Server, notify: &dyn Fn(Notice<'_>)) -> Result<Ended, SessionError> {
        let (api, start) = start(server);
        let (stdin, stdout, stderr) = &self.inner;
        let stdio = Stdio { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        run(&api, &start, stdio, notify).await
    }

    /// Everything that was printed.
    fn printed(self) -> (String, String) {
        drop(self.inner);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.unwrap().read_to_string(&mut stdout).unwrap();
        let mut reader = self.stderr;
        reader.read_to_string(&mut stderr).unwrap();
        (stdout, stderr)
    }
}

/// How a session at that server begins.
fn start(server: &Server) -> (Api, SessionStart) {
    let http = Http::new(Dialer::new(Trust::native(), Proxies::none()));
    let api = Api::new(http, server.url("http", "").parse().unwrap(), "us-east-1".into(), Box::new(Key));
    let start = SessionStart {
        session_id: SESSION_ID.into(),
        target: "mi-0123456789abcdef0".into(),
        stream_url: server.url("ws", "/v1/data-channel/alice-1?role=publish_subscribe"),
        token_value: "first token".into(),
        client_version: "postern/0.0.0".into(),
        layout: Layout::Apart,
        feeds_commands: false,
    };
    (api, start)
}

/// Runs the client against a script, and answers calls after it until the client is done.
async fn play(server: &Server, user: &User, script: impl Future<Output = ()>) -> Result<Ended, SessionError> {
    let script = async {
        script.await;
        server.serve_calls().await;
    };
    tokio::select! { ended = user.run(server, &|_| {}) => ended, () = script => unreachable!("it serves for ever") }
}

fn closed(exit_code: Option<i32>) -> Ended {
    Ended::Closed { reason: String::new(), exit_code }
}

#[tokio::test]
async fn only_output_is_printed() {
    let server = Server::start().await;
    let user = User::new();
    let script = async {
        let (websocket, _) = server.accept().await;
        let mut agent = Agent::new(websocket);
        agent.shake_hands("NonInteractiveCommands").await;
        for payload_type in [
            PayloadType::Size,
            PayloadType::Parameter,
            PayloadType::HandshakeResponse,
            PayloadType::EncChallengeRequest,
            PayloadType::EncChallengeResponse,
            PayloadType::Flag,
            PayloadType::Unknown(99),
        ] {
            agent.send(payload_type, format!("{payload_type:?}")).await;
        }
        agent.send(PayloadType::Output, "output").await;
        agent.send(PayloadType::Error, "error").await;
        agent.send(PayloadType::StdErr, "stderr").await;
        agent.close("", Some(0)).await;
        server.serve_calls().await;
    };
    let ended = tokio::select! {
        ended = user.run(&server, &|_| {}) => ended.unwrap(),
        () = script => unreachable!("calls are served for ever"),
    };
    assert!(matches!(ended, Ended::Closed { exit_code: Some(0), .. }), "{ended:?}");
    assert_eq!(user.printed(), ("output".to_owned(), "errorstderr".to_owned()));
}

#[tokio::test]
async fn a_piped_shell_gets_its_input_and_its_end_and_prints_everything() {
    let server = Server::start().await;
    let mut user = User::new();
    user.stdin.take().unwrap().write_all(b"ls\n").unwrap();
    let script = async {
        let (websocket, open) = server.accept().await;
        assert_eq!(open.token_value, "first token");
        assert_eq!(open.client_version.as_deref(), Some("postern/0.0.0"));
        assert!(open.client_id.is_some() && open.size.is_some());
        let mut agent = Agent::new(websocket);
        agent.shake_hands("Standard_Stream").await;
        assert_eq!(agent.receive().await.0, PayloadType::Size);
        assert_eq!(agent.receive().await, (PayloadType::Output, Bytes::from_static(b"ls\n")));
        assert_eq!(agent.receive().await, (PayloadType::Output, Bytes::from_static(b"\x04")));
        agent.send(PayloadType::Output, "file\r\n").await;
        agent.close("", Some(7)).await;
    };
    assert_eq!(play(&server, &user, script).await.unwrap(), closed(Some(7)));
    assert_eq!(user.printed(), ("file\r\n".into(), String::new()));
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn an_agent_that_does_not_shake_hands_runs_a_shell() {
    let server = Server::start().await;
    let user = User::new();
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        agent.send(PayloadType::Output, "$ ").await;
        assert_eq!(agent.receive().await.0, PayloadType::Size);
        agent.close("", None).await;
    };
    assert_eq!(play(&server, &user, script).await.unwrap(), closed(None));
    assert_eq!(user.printed().0, "$ ");
}

#[tokio::test]
async fn a_command_keeps_errors_apart_tells_its_exit_code_and_leaves_the_input_alone() {
    let server = Server::start().await;
    let mut user = User::new();
    user.stdin.as_mut().unwrap().write_all(b"for the next command\n").unwrap();
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        agent.shake_hands("NonInteractiveCommands").await;
        agent.send(PayloadType::Output, "out").await;
        agent.send(PayloadType::StdErr, "err").await;
        agent.send(PayloadType::ExitCode, exit_code_text(3)).await;
        agent.close("", None).await;
    };
    assert_eq!(play(&server, &user, script).await.unwrap(), closed(Some(3)));
    drop(user.stdin.take());
    let mut left = String::new();
    (&user.inner.0).read_to_string(&mut left).unwrap();
    assert_eq!(left, "for the next command\n");
    assert_eq!(user.printed(), ("out".into(), "err".into()));
}

#[tokio::test]
async fn a_lost_connection_is_resumed_and_nothing_is_lost_or_printed_twice() {
    let server = Server::start().await;
    let user = User::new();
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        agent.shake_hands("Standard_Stream").await;
        agent.send(PayloadType::Output, "one ").await;
        agent.drain().await;
        agent.send(PayloadType::Output, "two ").await;
        // The connection goes while "two" is on its way.
        let Agent { mut channel, websocket } = agent;
        drop(websocket);
        channel.handle_disconnected();
        let (websocket, open) = server.accept().await;
        assert_eq!(open.token_value, "second token");
        channel.handle_connected(Instant::now());
        let mut agent = Agent { channel, websocket };
        agent.send(PayloadType::Output, "three").await;
        agent.close("", Some(0)).await;
    };
    assert_eq!(play(&server, &user, script).await.unwrap(), closed(Some(0)));
    assert_eq!(user.printed().0, "one two three");
    assert_eq!(server.calls(), ["resumesession"]);
}

#[tokio::test]
async fn a_session_that_the_server_forgot_has_timed_out() {
    let server = Server { resume_token: None, ..Server::start().await };
    let user = User::new();
    let script = async { drop(server.accept().await) };
    assert_eq!(play(&server, &user, script).await.unwrap(), Ended::TimedOut);
    assert_eq!(server.calls(), ["resumesession"]);
}

#[tokio::test]
async fn nobody_reading_ends_the_session() {
    let server = Server::start().await;
    let mut user = User::new();
    drop(user.stdout.take());
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        agent.send(PayloadType::Output, "hello").await;
    };
    assert_eq!(play(&server, &user, script).await.unwrap(), Ended::OutputClosed);
    assert_eq!(server.calls(), ["terminatesession"]);
}

#[tokio::test]
async fn the_reason_of_an_end_from_outside_is_told() {
    let server = Server::start().await;
    let user = User::new();
    let script = async { Agent::new(server.accept().await.0).close("terminated by bob", None).await };
    let expected = Ended::Closed { reason: "terminated by bob".into(), exit_code: None };
    assert_eq!(play(&server, &user, script).await.unwrap(), expected);
}

/// The handshake of a session that forwards connections.
async fn forwarding(server: &Server, agent_version: &str, mut properties: serde_json::Value) -> Agent {
    let mut agent = Agent::new(server.accept().await.0);
    properties["type"] = "LocalPortForwarding".into();
    let action = RequestedAction::SessionType { session_type: "Port".into(), properties };
    let agent_version = agent_version.to_owned();
    let request = HandshakeRequest { agent_version, requested_client_actions: vec![action] };
    agent.send(PayloadType::HandshakeRequest, request.to_json()).await;
    assert_eq!(agent.receive().await.0, PayloadType::HandshakeResponse);
    agent.send(PayloadType::HandshakeComplete, HandshakeComplete::default().to_json()).await;
    agent
}

/// Runs the client of a session that forwards connections; the script gets the port on which it listens.
async fn forward<S: Future<Output = ()>>(
    server: &Server,
    agent_version: &str,
    properties: serde_json::Value,
    script: impl FnOnce(Agent, u16) -> S,
) -> Result<Ended, SessionError> {
    let user = User::new();
    let (told, mut listening) = tokio::sync::mpsc::unbounded_channel();
    let notify = move |notice: Notice<'_>| {
        if let Notice::Listening { place, .. } = notice {
            told.send(place.rsplit(' ').next().unwrap().parse().unwrap_or(0)).unwrap();
        }
    };
    let script = async {
        let agent = forwarding(server, agent_version, properties).await;
        tokio::select! {
            port = listening.recv() => script(agent, port.unwrap()).await,
            () = server.serve_calls() => {}
        }
        server.serve_calls().await;
    };
    tokio::select! { ended = user.run(server, &notify) => ended, () = script => unreachable!("it serves for ever") }
}

#[tokio::test]
async fn connections_are_multiplexed() {
    let server = Server::start().await;
    let ended = forward(&server, "3.3.0.0", serde_json::json!({}), async |mut agent: Agent, port| {
        let mut one = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut heard = agent.receive().await.1.to_vec();
        one.write_all(b"hello").await.unwrap();
        while heard.len() < 21 {
            heard.extend(agent.receive().await.1);
        }
        let three = StreamId(3);
        assert_eq!(heard, [&syn(three)[..], &data_head(three, 5), b"hello"].concat());
        // An end of the far end's, cut anywhere.
        let answer = [&data_head(three, 3)[..], b"bye", &fin(three)].concat();
        for piece in answer.chunks(5) {
            agent.send(PayloadType::Output, Bytes::copy_from_slice(piece)).await;
        }
        let mut rest = String::new();
        one.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bye");
        let (_, last) = agent.receive().await;
        assert_eq!(last, &fin(three)[..]);
        agent.close("", None).await;
    });
    assert_eq!(ended.await.unwrap(), closed(None));
}

#[tokio::test]
async fn old_agents_get_one_connection_after_the_other() {
    let server = Server::start().await;
    let ended = forward(&server, "3.0.196.0", serde_json::json!({}), async |mut agent: Agent, port| {
        for _ in 0..2 {
            let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            connection.write_all(b"ping").await.unwrap();
            assert_eq!(agent.receive().await, (PayloadType::Output, Bytes::from_static(b"ping")));
            agent.send(PayloadType::Output, "pong").await;
            let mut heard = [0; 4];
            connection.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"pong");
            drop(connection);
            let flag = (PayloadType::Flag, Flag::DisconnectToPort.to_payload());
            assert_eq!(agent.receive().await, flag);
        }
        agent.close("", None).await;
    });
    assert_eq!(ended.await.unwrap(), closed(None));
}

#[tokio::test]
async fn a_local_port_in_use_is_told_and_ends_the_session() {
    let server = Server::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let properties = serde_json::json!({"localPortNumber": port});
    let ended = forward(&server, "3.3.0.0", properties, async |_agent, _port| {}).await;
    let error = ended.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on localhost:{port}"));
    assert_eq!(server.calls(), ["terminatesession"]);
}

#[tokio::test]
async fn a_socket_file_is_the_owners_alone_and_goes_with_the_session() {
    use std::os::unix::fs::PermissionsExt as _;

    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let properties = serde_json::json!({"localConnectionType": "unix", "localUnixSocket": path});
    let ended = forward(&server, "3.3.0.0", properties, async |mut agent: Agent, _port| {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let _connection = tokio::net::UnixStream::connect(&path).await.unwrap();
        assert_eq!(agent.receive().await.1, &syn(StreamId(3))[..]);
        agent.close("", None).await;
    });
    assert_eq!(ended.await.unwrap(), closed(None));
    assert!(!path.exists());
}

#[tokio::test]
async fn an_agent_that_speaks_something_else_ends_the_session() {
    let server = Server::start().await;
    let ended = forward(&server, "3.3.0.0", serde_json::json!({}), async |mut agent: Agent, _port| {
        agent.send(PayloadType::Output, "HTTP/1.1 200 OK\r\n\r\n").await;
    });
    assert!(matches!(ended.await, Err(SessionError::Smux(_))));
    assert_eq!(server.calls(), ["terminatesession"]);
}
