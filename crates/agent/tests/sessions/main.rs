//! A whole agent against a scripted control plane: registration, sessions of every kind, lost connections, ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod client;
mod dialect;
mod forwarding;
mod ports;
mod scripted;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use postern_agent::destinations::Destinations;
use postern_agent::register::{self, Existing};
use postern_agent::run;
use postern_agent::state::{StateDirectory, StoredTrust};
use postern_protocol::control::{AgentTaskAcknowledge, AgentTaskComplete, InteractiveShell, SessionTask};
use postern_protocol::payload::{ChannelClosed, Size, State};
use postern_protocol::{AgentMessage, MessageType, PayloadType};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_websockets::Message;

use client::{Acknowledging, Client, stamp};
use scripted::{ControlPlane, Socket, limited};

const PLUGIN: &str = "1.2.707.0";
const SIZE: Size = Size { cols: 132, rows: 43 };

/// A node whose control channel is open.
struct Node {
    plane: ControlPlane,
    control: Socket,
    stop: CancellationToken,
    agent: JoinSet<()>,
    _state: tempfile::TempDir,
}

impl Node {
    async fn start() -> Self {
        Self::with_sessions_max(10).await
    }

    async fn with_sessions_max(sessions_max: usize) -> Self {
        let mut plane = ControlPlane::start().await;
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(directory.path()).unwrap();
        register::register(&state, &registration(&plane, Existing::Keep)).await.unwrap();
        let stop = CancellationToken::new();
        let mut agent = JoinSet::new();
        let stopped = stop.clone();
        agent.spawn(async move {
            let options =
                run::Options { sessions_max, session_user: None, destinations: Destinations::default() };
            run::run(state, options, stopped).await.unwrap();
        });
        let (path, mut control) = plane.websocket().await;
        assert_eq!(path, "/v1/control-channel/mi-0123456789abcdef0?role=subscribe&stream=input");
        let hello = limited(control.next()).await.unwrap().unwrap();
        assert!(hello.as_text().is_some_and(|text| text.contains(r#""TokenValue":"token""#)));
        Self { plane, control, stop, agent, _state: directory }
    }

    /// Asks for a session and returns its data channel.
    async fn session(&mut self, id: &str, document: Value) -> Socket {
        self.ask(id, document).await;
        let (path, mut socket) = self.plane.websocket().await;
        assert_eq!(path, format!("/v1/data-channel/{id}?role=publish_subscribe"));
        let hello = limited(socket.next()).await.unwrap().unwrap();
        assert!(hello.as_text().is_some_and(|text| text.contains("mi-0123456789abcdef0")));
        socket
    }

    async fn ask(&mut self, id: &str, document: Value) {
        let shell = InteractiveShell::new(SessionTask {
            document_name: "a document".to_owned(),
            document_content: document,
            session_id: id.parse().unwrap(),
            parameters: serde_json::Map::new(),
            run_as_user: String::new(),
            session_owner: "arn:aws:iam::000000000000:user/alice".to_owned(),
        });
        self.send(shell.to_message(stamp())).await;
    }

    async fn close(&mut self, id: &str) {
        let closed = ChannelClosed { session_id: id.to_owned(), ..ChannelClosed::default() };
        self.send(closed.into_message(stamp())).await;
    }

    async fn send(&mut self, message: AgentMessage) {
        self.control.send(Message::binary(message.encode())).await.unwrap();
    }

    /// The next result, with the ID of its message.
    async fn result(&mut self) -> (AgentTaskComplete, AgentMessage) {
        loop {
            let message = limited(self.control.next()).await.unwrap().unwrap();
            if message.is_binary() {
                let message = AgentMessage::decode(Bytes::from(message.into_payload())).unwrap();
                assert_eq!(message.message_type, MessageType::AgentTaskComplete);
                return (AgentTaskComplete::from_json(&message.payload).unwrap(), message);
            }
        }
    }

    /// The next result, acknowledged: status and text.
    async fn acknowledged_result(&mut self) -> (String, String) {
        let (complete, message) = self.result().await;
        self.send(AgentTaskAcknowledge::of(message.message_id, complete.task_id).to_message(stamp())).await;
        (complete.final_task_status, complete.output)
    }
}

fn registration(plane: &ControlPlane, existing: Existing) -> register::Options {
    register::Options {
        endpoint: format!("http://{}", plane.address).parse().unwrap(),
        trust: StoredTrust::System,
        activation_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        activation_code: "AbCdEfGhIjKlMnOpQrSt".to_owned(),
        region: "us-east-1".parse().unwrap(),
        existing,
    }
}

fn shell() -> Value {
    json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"shellProfile": {"linux": "unset PS1; echo pro''file"}}})
}

fn document(session_type: &str, properties: Value) -> Value {
    json!({
        "schemaVersion": "1.0", "sessionType": session_type,
        "properties": {"linux": properties, "macos": properties},
    })
}

fn terminating_code(client: &Client) -> Option<i32> {
    client.states.iter().find(|state| state.state == State::Terminating).and_then(|state| state.exit_code)
}

fn is_running(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The process ID that a session printed after `marker`.
fn pid_after(text: &str, marker: &str) -> i32 {
    text.rsplit(marker).next().unwrap().lines().next().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_machine_registers_once_unless_it_is_forced() {
    let plane = ControlPlane::start().await;
    let directory = tempfile::tempdir().unwrap();
    let state = StateDirectory::open(directory.path()).unwrap();
    register::register(&state, &registration(&plane, Existing::Keep)).await.unwrap();
    let first = state.existing_registration().unwrap();
    let error = register::register(&state, &registration(&plane, Existing::Keep)).await.unwrap_err();
    assert!(error.to_string().contains("is registered already, as mi-0123456789abcdef0"), "{error}");
    register::register(&state, &registration(&plane, Existing::Replace)).await.unwrap();
    let second = state.existing_registration().unwrap();
    assert_eq!(second.fingerprint, first.fingerprint);
    assert_ne!(second.private_key.public_key_base64(), first.private_key.public_key_base64());
    let mut nobody_there = registration(&plane, Existing::Replace);
    drop(plane);
    nobody_there.endpoint = "http://127.0.0.1:9".parse().unwrap();
    register::register(&state, &nobody_there).await.unwrap_err();
    let kept = state.existing_registration().unwrap();
    assert_eq!(kept.private_key.public_key_base64(), second.private_key.public_key_base64());
}

#[tokio::test]
async fn a_shell_has_the_size_of_the_client_and_reports_its_exit_code() {
    let mut node = Node::start().await;
    let mut client = Client::new(node.session("alice-1", shell()).await, PLUGIN);
    client.attach(Some("id"), None).await;
    client.until(|client| client.handshakes == 1).await;
    assert!(client.output.is_empty(), "the plugin is not ready for output yet");
    client.send(PayloadType::Size, SIZE.to_json());
    client.until_text("profile\r\n").await;
    client.type_text("stty size; echo $TERM $0 grün; exit 7\r");
    client.until_closed().await;
    let text = client.text();
    assert!(text.contains("43 132\r\nxterm-256color -"), "{text}");
    assert!(text.contains("grün\r\n"), "{text}");
    assert_eq!(client.states[0].state, State::Connected);
    assert_eq!(terminating_code(&client), Some(7));
    assert_eq!(node.acknowledged_result().await, ("Success".to_owned(), String::new()));
}

#[tokio::test]
async fn a_client_without_an_id_sees_no_handshake_and_gets_small_messages() {
    let mut node = Node::start().await;
    let command = document(
        "InteractiveCommands",
        json!({"commands": "stty size; head -c 100000 /dev/zero | tr '\\0' x"}),
    );
    let mut client = Client::new(node.session("alice-1", command).await, "");
    client.attach(None, None).await;
    client.until_closed().await;
    assert!(client.text().starts_with("24 80\r\nxxx"), "{:.100}", client.text());
    assert_eq!(client.output.len(), "24 80\r\n".len() + 100_000);
    assert_eq!((client.handshakes, client.longest), (0, 1024));
}

#[tokio::test]
async fn no_byte_is_lost_when_the_connection_is() {
    let mut node = Node::start().await;
    let command = document("InteractiveCommands", json!({"commands": "seq 1 200000"}));
    let mut client = Client::new(node.session("alice-1", command).await, PLUGIN);
    client.attach(Some("id"), Some(SIZE)).await;
    for received in [10_000, 500_000, 900_000] {
        client.until(|client| client.output.len() > received).await;
        let (path, mut socket) = {
            // Whatever is on its way is gone.
            drop(std::mem::replace(&mut client.socket, dead_socket().await));
            node.plane.websocket().await
        };
        assert_eq!(path, "/v1/data-channel/alice-1?role=publish_subscribe");
        limited(socket.next()).await.unwrap().unwrap();
        client.reconnect(socket);
    }
    client.until_closed().await;
    let expected: String = (1..=200_000).map(|number| format!("{number}\r\n")).collect();
    assert!(client.text() == expected, "{} bytes of {}", client.output.len(), expected.len());
    assert_eq!(client.states.iter().filter(|state| state.state == State::Connected).count(), 1);
}

/// A websocket to nowhere.
async fn dead_socket() -> Socket {
    let boxed: Box<dyn scripted::Io> = Box::new(tokio::io::duplex(16).0);
    tokio_websockets::ServerBuilder::new().serve(boxed)
}

#[tokio::test]
async fn ctrl_c_ends_a_flood_that_nobody_reads() {
    let mut node = Node::start().await;
    let command = document(
        "InteractiveCommands",
        json!({"commands": "trap 'echo; echo stopped; exit 3' INT; while :; do seq 1 1000; done"}),
    );
    let mut client = Client::new(node.session("alice-1", command).await, PLUGIN);
    client.acknowledging = Acknowledging::Never;
    client.attach(Some("id"), Some(SIZE)).await;
    client.until(|client| client.handshakes == 1).await;
    client.send(PayloadType::Size, SIZE.to_json());
    client.until(|client| client.output.len() > 900_000).await;
    client.type_text("\x03");
    client.until(|client| client.channel.is_drained()).await;
    // What was on its way is within the limit, which the last message may pass; now everything is acknowledged.
    assert!(client.output.len() <= (1024 + 32) * 1024, "{}", client.output.len());
    client.acknowledging = Acknowledging::Yes;
    for number in 0..2000 {
        client.channel.acknowledge(number);
    }
    client.until_closed().await;
    assert!(client.text().ends_with("stopped\r\n"));
    assert_eq!(terminating_code(&client), Some(3));
    assert!(client.output.len() < 3 * 1024 * 1024, "{}", client.output.len());
}

#[tokio::test]
async fn input_that_nobody_reads_does_not_hold_up_output() {
    let mut node = Node::start().await;
    let command = document(
        "InteractiveCommands",
        json!({"commands": "stty raw -echo; echo go; sleep 0.3; echo still here; head -c 200000 | wc -c"}),
    );
    let mut client = Client::new(node.session("alice-1", command).await, PLUGIN);
    client.attach(Some("id"), Some(SIZE)).await;
    client.until_text("go").await;
    for _ in 0..200 {
        client.type_text(&"y".repeat(1000));
    }
    client.until_text("still here").await;
    client.until_closed().await;
    assert!(client.text().trim_end().ends_with("200000"), "{:?}", client.text());
}

#[tokio::test]
async fn a_command_without_terminal_has_its_streams_apart() {
    let mut node = Node::start().await;
    let command = json!({
        "commands": "sh -c 'echo out; echo err >&2; exit 5'", "separateOutputStream": true,
        "stdOutSeparatorPrefix": "o:", "stdErrSeparatorPrefix": "e:",
    });
    let socket = node.session("alice-1", document("NonInteractiveCommands", command)).await;
    let mut client = Client::new(socket, PLUGIN);
    client.attach(Some("id"), None).await;
    client.until_closed().await;
    assert_eq!((client.text().as_str(), client.errors.as_slice()), ("o:out\n", &b"e:err\n"[..]));
    assert_eq!(client.exit_code_text.as_deref(), Some("EXIT_CODE: 5"));
    assert_eq!(terminating_code(&client), Some(5));
}

#[tokio::test]
async fn streams_are_together_except_for_posterns_client() {
    let command =
        || document("NonInteractiveCommands", json!({"commands": "sh -c 'echo out; echo err >&2'"}));
    let mut node = Node::start().await;
    let mut client = Client::new(node.session("alice-1", command()).await, PLUGIN);
    client.attach(Some("id"), None).await;
    client.until_closed().await;
    assert_eq!((client.text().as_str(), client.errors.as_slice()), ("out\nerr\n", &b""[..]));
    assert_eq!((client.exit_code_text.as_deref(), terminating_code(&client)), (None, Some(0)));
    node.acknowledged_result().await;

    let mut client = Client::new(node.session("alice-2", command()).await, "postern/0.1.0");
    client.attach(Some("id"), None).await;
    client.until_closed().await;
    assert_eq!((client.text().as_str(), client.errors.as_slice()), ("out\n", &b"err\n"[..]));
}

#[tokio::test]
async fn ctrl_c_interrupts_a_command_without_terminal() {
    let mut node = Node::start().await;
    let command = document("NonInteractiveCommands", json!({"commands": "sh -c 'echo go; exec sleep 1000'"}));
    let mut client = Client::new(node.session("alice-1", command).await, PLUGIN);
    client.attach(Some("id"), None).await;
    client.until_text("go").await;
    client.type_text("\x03");
    client.until_closed().await;
    assert_eq!(terminating_code(&client), Some(130));
}

#[tokio::test]
async fn a_command_that_cannot_start_says_why_to_user_and_server() {
    let mut node = Node::start().await;
    let command = json!({"commands": "no-such-command", "separateOutputStream": true});
    let socket = node.session("alice-1", document("NonInteractiveCommands", command)).await;
    let mut client = Client::new(socket, PLUGIN);
    client.attach(Some("id"), None).await;
    client.until_closed().await;
    let errors = String::from_utf8(client.errors.clone()).unwrap();
    assert!(
        errors.starts_with("Unable to start command: cannot run no-such-command: No such file"),
        "{errors}"
    );
    assert_eq!(client.exit_code_text.as_deref(), Some("EXIT_CODE: 1"));
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.starts_with("\n----------ERROR-------\nUnable to start command: "), "{output}");
}

#[tokio::test]
async fn the_server_ends_a_session_with_everything_in_it() {
    let mut node = Node::start().await;
    let command =
        "trap '' HUP; setsid sleep 1000 </dev/null & echo bg=$!; echo fg=$$; while :; do sleep 1; done";
    let socket = node.session("alice-1", document("InteractiveCommands", json!({"commands": command}))).await;
    let mut client = Client::new(socket, PLUGIN);
    client.attach(Some("id"), Some(SIZE)).await;
    client.until(|client| client.text().contains("fg=") && client.text().ends_with('\n')).await;
    let text = client.text();
    let pids = [pid_after(&text, "bg="), pid_after(&text, "fg=")];
    node.close("alice-1").await;
    assert_eq!(node.acknowledged_result().await.0, "Cancelled");
    assert!(!pids.iter().any(|&pid| is_running(pid)), "{pids:?} are left of {text:?}");
}

#[tokio::test]
async fn a_result_is_repeated_on_the_next_control_channel() {
    let mut node = Node::start().await;
    node.ask(
        "alice-1",
        json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "x"}}),
    )
    .await;
    let (first, _) = node.result().await;
    assert!(first.output.ends_with("Port number is not valid: \"x\""));
    node.control = {
        drop(std::mem::replace(&mut node.control, dead_socket().await));
        let (_, mut control) = node.plane.websocket().await;
        limited(control.next()).await.unwrap().unwrap();
        control
    };
    let (second, _) = node.result().await;
    assert_eq!((second.task_id.as_str(), second.retry_number), ("alice-1", first.retry_number + 1));
}

#[tokio::test]
async fn unreadable_and_too_many_sessions_are_refused() {
    let mut node = Node::with_sessions_max(1).await;
    let payload = Bytes::from_static(br#"{"TaskId":"alice-1","Content":"{"}"#);
    let mut message = InteractiveShell::new(SessionTask {
        document_name: String::new(),
        document_content: Value::Null,
        session_id: "alice-1".parse().unwrap(),
        parameters: serde_json::Map::new(),
        run_as_user: String::new(),
        session_owner: String::new(),
    })
    .to_message(stamp());
    message.payload = payload;
    node.send(message).await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("The node cannot read what session is to start"), "{output}");

    let _first = node.session("alice-2", shell()).await;
    node.ask("alice-3", shell()).await;
    let (_, output) = node.acknowledged_result().await;
    assert!(output.contains("This node runs 1 sessions already"), "{output}");
}

#[tokio::test]
async fn a_stopping_agent_tells_its_users_and_its_server() {
    let mut node = Node::start().await;
    let socket = node
        .session("alice-1", document("InteractiveCommands", json!({"commands": "echo go; sleep 1000"})))
        .await;
    let mut client = Client::new(socket, PLUGIN);
    client.attach(Some("id"), Some(SIZE)).await;
    client.until_text("go").await;
    node.stop.cancel();
    client.until_text("The agent of this node was stopped.").await;
    client.until_closed().await;
    let (status, output) = node.acknowledged_result().await;
    assert_eq!(status, "Failed");
    assert!(output.contains("The agent of this node was stopped."));
    limited(node.agent.join_next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_agent_that_has_nothing_to_do_stops_at_once() {
    let mut node = Node::start().await;
    node.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), node.agent.join_next()).await.unwrap().unwrap().unwrap();
}
