//! Sessions through a whole gateway, with its store and recordings, over pipes in memory.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use postern_gateway::{
    ClientToken, Clock, EndReason, Gateway, GatewayConfig, NewSession, NoDataKeys, NodeDescription, Resumed,
    StartSessionError,
};
use postern_ids::{NodeId, SessionId};
use postern_protocol::channel::{ChannelLimits, DataChannel, Event, Role};
use postern_protocol::control::{AgentTaskComplete, InteractiveShell};
use postern_protocol::payload::{OpenControlChannel, OpenDataChannel, SessionState, Stamp, State};
use postern_protocol::{AgentMessage, MessageType, PayloadType};
use postern_recording::{Durability, RecordingDirectory};
use postern_store::{
    AccessType, Activation, ActivationStore as _, MasterKey, NodeStore as _, Registration, SessionRecord,
    SessionStatus, SessionStore as _, SqliteOptions, SqliteStore,
};
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};
use uuid::Uuid;

use self::forwarded::Book;

#[path = "sessions/connected.rs"]
mod connected;
#[path = "sessions/connections.rs"]
mod connections;
#[path = "sessions/following.rs"]
mod following;
#[path = "sessions/forwarded.rs"]
mod forwarded;

/// Nothing here takes as long; what does not come within it will not come.
const PATIENCE: Duration = Duration::from_secs(10);

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn stamp() -> Stamp {
    Stamp { message_id: Uuid::from_u128(u128::from(fastrand_u64())), created_ms: 1 }
}

/// Message identifiers only have to differ.
fn fastrand_u64() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A gateway over a directory that outlives it, and the tasks that carry its channels.
struct World {
    durability: Durability,
    directory: TempDir,
    store: Arc<SqliteStore>,
    gateway: Gateway,
    node: NodeId,
    channels: JoinSet<()>,
    book: Arc<Book>,
}

impl World {
    async fn new() -> Self {
        Self::of(Durability::ServerCrash).await
    }

    async fn of(durability: Durability) -> Self {
        let directory = TempDir::new().unwrap();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let store = open_store(&directory).await;
        register(&store, &node).await;
        let book = Arc::default();
        let gateway = open_gateway(&directory, &store, &book, durability).await;
        Self { durability, directory, store, gateway, node, channels: JoinSet::new(), book }
    }

    /// As after SIGKILL: every connection is cut, nothing is tidied up.
    async fn restart(&mut self) {
        self.channels.shutdown().await;
        self.gateway.drain().await;
        self.store.close().await;
        self.store = open_store(&self.directory).await;
        self.gateway = open_gateway(&self.directory, &self.store, &self.book, self.durability).await;
    }

    async fn connect_node(&mut self) -> End {
        let token = self.gateway.control_channel_token(&self.node);
        let hello = OpenControlChannel {
            cookie: None,
            message_schema_version: "1.0".into(),
            request_id: String::new(),
            token_value: token,
            agent_version: "3.3.0.0".into(),
            platform_type: "linux".into(),
            require_acknowledgement: None,
        };
        let (io, gateway, node) = self.pipe();
        self.channels.spawn(async move { gateway.serve_control_channel(io.1, node).await });
        let mut end = End::new(io.0, Role::Agent);
        end.socket.send(Message::text(text(hello.to_json()))).await.unwrap();
        eventually(|| self.gateway.presence(&self.node).is_some()).await;
        end
    }

    fn pipe(&self) -> ((DuplexStream, DuplexStream), Gateway, NodeId) {
        (tokio::io::duplex(64 * 1024), self.gateway.clone(), self.node.clone())
    }

    async fn start(&self) -> Result<(SessionId, ClientToken), StartSessionError> {
        let (id, new) = self.new_session();
        Ok((id, self.gateway.start_session(new).await?))
    }

    fn new_session(&self) -> (SessionId, NewSession) {
        let id = SessionId::from_random("alice", std::array::from_fn(|_| fastrand_u64() as u8));
        let now = SystemClock.now();
        let record = SessionRecord {
            id: id.clone(),
            node: self.node.clone(),
            owner_arn: "arn:aws:iam::000000000000:user/alice".parse().unwrap(),
            owner_user_id: "AIDAAAAAAAAAAAAAAAAAA".into(),
            document_name: "SSM-SessionManagerRunShell".into(),
            session_type: "Standard_Stream".into(),
            reason: None,
            access_type: AccessType::Standard,
            status: SessionStatus::Connecting,
            status_since: now,
            started_at: now,
            ended_at: None,
            end_reason: None,
            details: None,
            exit_code: None,
            parameters: serde_json::json!({}),
            max_session_duration_minutes: None,
            idle_timeout_minutes: 20,
            client_ip: None,
            authority: None,
        };
        let new = NewSession {
            record,
            document: serde_json::json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream"}),
            parameters: serde_json::Map::new(),
            run_as_user: String::new(),
            encrypted_recording: None,
            recorded_node: NodeDescription::default(),
        };
        (id, new)
    }

    async fn open_client(&mut self, session: &SessionId, token: &str) -> End {
        self.open(session, token, Some("client"), None, Role::Client).await
    }

    async fn open_agent(&mut self, session: &SessionId) -> End {
        let token = self.gateway.data_channel_token(&self.node, session).unwrap();
        let node = self.node.clone();
        self.open(session, &token, None, Some(node), Role::Agent).await
    }

    async fn open(
        &mut self,
        session: &SessionId,
        token: &str,
        client_id: Option<&str>,
        node: Option<NodeId>,
        role: Role,
    ) -> End {
        let mut end = End::new(self.open_pipe(session, node), role);
        let hello = OpenDataChannel {
            message_schema_version: "1.0".into(),
            request_id: String::new(),
            token_value: token.into(),
            client_instance_id: None,
            client_id: client_id.map(Into::into),
            client_version: None,
            size: None,
            takes_over: false,
        };
        end.socket.send(Message::text(text(hello.to_json()))).await.unwrap();
        end
    }

    fn open_pipe(&mut self, session: &SessionId, node: Option<NodeId>) -> DuplexStream {
        let (io, gateway, _) = self.pipe();
        let session = session.clone();
        self.channels.spawn(async move { gateway.serve_data_channel(io.1, session, node).await });
        io.0
    }

    async fn status(&self, session: &SessionId) -> SessionStatus {
        self.store.session(session).await.unwrap().unwrap().status
    }

    async fn wait_for(&self, session: &SessionId, status: SessionStatus) {
        let wait = async {
            while self.status(session).await != status {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("the session is never {status}"));
    }

    fn recording(&self, session: &SessionId) -> String {
        fs::read_to_string(self.directory.path().join(format!("recordings/{session}.cast"))).unwrap()
    }
}

async fn open_store(directory: &TempDir) -> Arc<SqliteStore> {
    let options = SqliteOptions::new(directory.path().join("postern.db"));
    Arc::new(SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap())
}

async fn open_gateway(
    directory: &TempDir,
    store: &Arc<SqliteStore>,
    book: &Arc<Book>,
    durability: Durability,
) -> Gateway {
    let path = directory.path().join("recordings");
    let recordings = RecordingDirectory::open(&path).unwrap().with_durability(durability);
    let gateway = Gateway::new(
        GatewayConfig {
            agent_returns_within: PATIENCE,
            sessions_max: 100,
            recording_vouched_within: Duration::from_secs(60),
        },
        store.clone(),
        Arc::new(recordings),
        Arc::new(SystemClock),
        book.clone(),
        Arc::new(NoDataKeys),
        book.clone(),
    );
    gateway.restore().await.unwrap();
    gateway
}

async fn register(store: &SqliteStore, node: &NodeId) {
    let now = SystemClock.now();
    let activation = Activation {
        id: postern_ids::ActivationId::from_random([1; 16]),
        code_hash: [0; 32],
        description: None,
        default_instance_name: None,
        role: "PosternNode".parse().unwrap(),
        registration_limit: 1,
        registrations_count: 0,
        expires_at: now + Duration::from_secs(60),
        created_at: now,
        tags: Vec::new(),
    };
    store.create_activation(&activation).await.unwrap();
    let registration = Registration {
        id: node.clone(),
        activation_id: activation.id,
        fingerprint: "f".into(),
        public_key_der: vec![1],
        at: now,
    };
    store.register_node(&registration).await.unwrap();
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it never holds");
}

/// Waits until the agent has been told that its client is there.
async fn eventually_attached(agent: &mut End) {
    while !matches!(agent.event().await, Some(Event::StartPublication(_))) {}
}

fn text(json: Bytes) -> String {
    String::from_utf8(json.to_vec()).unwrap()
}

/// A client or an agent, over a connection that may be replaced.
struct End {
    socket: WebSocketStream<DuplexStream>,
    channel: DataChannel,
}

impl End {
    fn new(io: DuplexStream, role: Role) -> Self {
        let mut channel = DataChannel::new(role, ChannelLimits::default());
        channel.handle_connected(std::time::Instant::now());
        Self { socket: ClientBuilder::new().take_over(io), channel }
    }

    /// The same end over the connection of `other`.
    fn move_to(mut self, other: Self) -> Self {
        self.channel.handle_disconnected();
        self.channel.handle_connected(std::time::Instant::now());
        Self { socket: other.socket, channel: self.channel }
    }

    async fn send(&mut self, payload: &[u8]) {
        self.send_typed(PayloadType::Output, payload).await;
    }

    async fn send_typed(&mut self, payload_type: PayloadType, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.channel.send(payload_type, payload, stamp(), std::time::Instant::now()).unwrap();
        self.transmit().await;
    }

    async fn send_state(&mut self, state: State, exit_code: Option<i32>) {
        let state = SessionState { exit_code, ..SessionState::new(state, "") };
        self.channel.send_control(state.to_message(stamp()));
        self.transmit().await;
    }

    async fn transmit(&mut self) {
        while let Some(frame) = self.channel.poll_transmit(std::time::Instant::now(), &mut stamp) {
            self.socket.send(Message::binary(frame)).await.unwrap();
        }
    }

    /// The next event. Stream events are acknowledged at once.
    async fn event(&mut self) -> Option<Event> {
        timeout(PATIENCE, async {
            loop {
                if let Some(event) = self.channel.poll_event() {
                    if let Event::Stream { sequence_number, .. } = event {
                        self.channel.acknowledge(sequence_number);
                        self.transmit().await;
                    }
                    return Some(event);
                }
                let message = self.socket.next().await?.ok()?;
                if message.is_binary() {
                    self.channel
                        .handle_frame(message.into_payload().into(), std::time::Instant::now())
                        .unwrap();
                }
            }
        })
        .await
        .expect("nothing comes")
    }

    async fn output(&mut self) -> Bytes {
        loop {
            match self.event().await {
                Some(Event::Stream { payload, .. }) => return payload,
                Some(Event::StartPublication(_) | Event::PausePublication) => {}
                other => panic!("not output: {other:?}"),
            }
        }
    }

    /// The text of `channel_closed`, which must come next.
    async fn closed(&mut self) -> (String, Option<i32>) {
        loop {
            match self.event().await {
                Some(Event::Closed(closed)) => return (closed.output, closed.exit_code),
                Some(Event::StartPublication(_) | Event::PausePublication) => {}
                other => panic!("not closed: {other:?}"),
            }
        }
    }

    /// A message of a control channel.
    async fn control(&mut self) -> AgentMessage {
        loop {
            let message =
                timeout(PATIENCE, self.socket.next()).await.expect("nothing comes").unwrap().unwrap();
            if message.is_binary() {
                return AgentMessage::decode(message.into_payload().into()).unwrap();
            }
        }
    }
}

/// A world with one session that runs.
async fn running() -> (World, SessionId, End, End, End) {
    let mut world = World::new().await;
    let mut control = world.connect_node().await;
    let (session, token) = world.start().await.unwrap();
    let task = control.control().await;
    assert_eq!(task.message_type, MessageType::InteractiveShell);
    let task = InteractiveShell::from_json(&task.payload).unwrap();
    assert_eq!(task.content.session_id, session);
    let agent = world.open_agent(&session).await;
    let client = world.open_client(&session, token.expose_secret()).await;
    world.wait_for(&session, SessionStatus::Connected).await;
    (world, session, control, agent, client)
}

#[tokio::test]
async fn a_session_from_start_to_exit() {
    let (world, session, _control, mut agent, mut client) = running().await;
    assert!(
        matches!(agent.event().await, Some(Event::StartPublication(Some(hello))) if hello.client_id.as_deref() == Some("client"))
    );
    agent.send(b"$ ").await;
    assert_eq!(client.output().await, "$ ");
    client.send(b"ls\r").await;
    assert_eq!(agent.output().await, "ls\r");
    agent.send(b"bye").await;
    agent.send_state(State::Terminating, Some(3)).await;
    assert_eq!(client.output().await, "bye");
    assert_eq!(client.closed().await, (String::new(), Some(3)));
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    let record = world.store.session(&session).await.unwrap().unwrap();
    assert_eq!((record.end_reason.as_deref(), record.exit_code), (Some("shell-exit"), Some(3)));
    let recording = world.recording(&session);
    assert!(recording.contains(r#""o","$ ""#) && recording.contains(r#""o","bye""#), "{recording}");
    assert!(!recording.contains(r"ls\r"), "input is not recorded: {recording}");
}

#[tokio::test]
async fn a_node_that_is_not_connected_starts_nothing() {
    let world = World::new().await;
    assert!(matches!(world.start().await, Err(StartSessionError::TargetNotConnected { .. })));
    assert!(world.store.live_sessions().await.unwrap().is_empty());
    assert_eq!(fs::read_dir(world.directory.path().join("recordings")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_token_opens_its_session_once_on_its_side() {
    let (mut world, session, _control, _agent, _client) = running().await;
    let (other, token) = world.start().await.unwrap();
    let refused = "The data channel was refused: its token is not valid, was used, or has expired.";
    // For another session; unknown; a node's token without the node's signature.
    assert_eq!(world.open_client(&session, token.expose_secret()).await.closed().await.0, refused);
    assert_eq!(world.open_client(&session, "nonsense").await.closed().await.0, refused);
    let agents = world.gateway.data_channel_token(&world.node, &other).unwrap();
    assert_eq!(world.open_client(&other, &agents).await.closed().await.0, refused);
    // It was used up by the attempt above.
    assert_eq!(world.open_client(&other, token.expose_secret()).await.closed().await.0, refused);
}

#[tokio::test]
async fn a_node_gets_no_token_for_a_session_of_another() {
    let (world, session, ..) = running().await;
    let other: NodeId = "mi-fffffffffffffffff".parse().unwrap();
    assert_eq!(world.gateway.data_channel_token(&other, &session), None);
}

#[tokio::test]
async fn a_start_whose_caller_goes_away_is_brought_to_its_end() {
    let mut world = World::new().await;
    let mut control = world.connect_node().await;
    let (session, new) = world.new_session();
    {
        let mut start = std::pin::pin!(world.gateway.start_session(new));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(start.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
    let task = InteractiveShell::from_json(&control.control().await.payload).unwrap();
    assert_eq!(task.content.session_id, session);
    assert!(matches!(world.gateway.resume_session(&session).await.unwrap(), Resumed::Live(_)));
}

/// A session whose client reads and acknowledges nothing, and whose agent has sent until nobody read it any more. Time
/// is stopped from then on, and goes on by itself when everybody waits.
async fn held_back() -> HeldBack {
    let (world, _session, control, mut agent, mut client) = running().await;
    tokio::time::pause();
    let mut others = JoinSet::new();
    // Reading answers pings.
    let (relent, mut relents) = tokio::sync::oneshot::channel();
    others.spawn(async move {
        let mut frames = Vec::new();
        loop {
            let message = tokio::select! {
                _ = &mut relents => break,
                message = client.socket.next() => message.unwrap().unwrap(),
            };
            frames.extend(message.is_binary().then(|| Bytes::from(message.into_payload())));
        }
        for frame in frames {
            client.channel.handle_frame(frame, std::time::Instant::now()).unwrap();
        }
        let mut count = 0;
        while let Ok(Some(event)) = timeout(Duration::from_secs(5), client.event()).await {
            count += usize::from(matches!(event, Event::Stream { .. }));
        }
        count
    });
    let (vanish, vanished) = tokio::sync::oneshot::channel::<()>();
    others.spawn(async move {
        let mut control = control;
        let answering = async { while let Some(Ok(_)) = control.socket.next().await {} };
        tokio::select! {
            () = answering => 0,
            // Nothing is closed then.
            _ = vanished => std::future::pending().await,
        }
    });
    let limits = ChannelLimits {
        unacknowledged_bytes_max: 64 << 20,
        unacknowledged_messages_max: 1 << 20,
        ..ChannelLimits::default()
    };
    agent.channel = DataChannel::new(Role::Agent, limits);
    agent.channel.handle_connected(std::time::Instant::now());
    let mut sent = 0;
    while timeout(Duration::from_secs(1), agent.send(&[b'x'; 32 << 10])).await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "it is read for ever");
    }
    assert!(sent > 200, "{sent}");
    HeldBack { _world: world, agent, sent, relent, vanish, others }
}

struct HeldBack {
    _world: World,
    agent: End,
    /// Messages that the agent has sent, and one more that it has begun to send.
    sent: usize,
    /// Has the client acknowledge what it got. It then goes on until nothing comes, and tells how much it was.
    relent: tokio::sync::oneshot::Sender<()>,
    /// Has the control channel answer nothing any more.
    vanish: tokio::sync::oneshot::Sender<()>,
    others: JoinSet<usize>,
}

#[tokio::test]
async fn a_node_that_vanishes_while_its_output_is_held_back_is_noticed() {
    let HeldBack { mut agent, _world, others: _others, relent: _relent, vanish: _vanish, .. } =
        held_back().await;
    // A second has passed before it was clear that nobody reads. Nothing is read in time, so no ping is answered.
    tokio::time::sleep(Duration::from_millis(44_500)).await;
    let rest = async { while let Some(Ok(_)) = agent.socket.next().await {} };
    timeout(Duration::from_secs(1), rest).await.expect("it is still believed to be there");
}

#[tokio::test]
async fn a_node_whose_output_is_held_back_for_long_keeps_its_connection() {
    let HeldBack { mut agent, sent, relent, mut others, _world, vanish: _vanish } = held_back().await;
    let mut answers = std::pin::pin!(async { while let Some(Ok(_)) = agent.socket.next().await {} });
    assert!(timeout(Duration::from_secs(600), answers.as_mut()).await.is_err(), "it was cut off");
    // Nothing of what was held back meanwhile is lost.
    relent.send(()).unwrap();
    let received = tokio::select! {
        () = answers => panic!("it was cut off"),
        received = others.join_next() => received.unwrap().unwrap(),
    };
    assert_eq!(received, sent + 1);
}

#[tokio::test]
async fn a_node_that_vanishes_behind_more_than_is_read_of_it_is_noticed_as_soon() {
    // When it vanishes, in relation to the pings on its channels.
    for phase_s in [1, 7, 13, 19] {
        let HeldBack { mut agent, vanish, _world, others: _others, relent: _relent, .. } = held_back().await;
        // AWS's agent goes on sending: more than is read in the search for its answer.
        let mut ahead_bytes = 0;
        while timeout(Duration::from_secs(30), agent.send(&[b'x'; 32 << 10])).await.is_ok() {
            ahead_bytes += 32 << 10;
        }
        // With what stood in the pipe before.
        assert!(ahead_bytes + (128 << 10) > 4 << 20, "{ahead_bytes}");
        let mut rest = std::pin::pin!(async { while let Some(Ok(_)) = agent.socket.next().await {} });
        let alive = Duration::from_secs(300 + phase_s);
        assert!(timeout(alive, rest.as_mut()).await.is_err(), "it was cut off");
        vanish.send(()).unwrap();
        timeout(Duration::from_secs(46), rest).await.expect("it is still believed to be there");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_client_resumes_and_misses_nothing() {
    let (mut world, session, _control, mut agent, mut client) = running().await;
    client.send(b"size").await;
    agent.output().await;
    agent.send(b"one").await;
    assert_eq!(client.output().await, "one");
    client.socket.get_mut(); // The connection is cut below, without a close frame.
    let cut = std::mem::replace(&mut client.socket, ClientBuilder::new().take_over(tokio::io::duplex(1).0));
    drop(cut);
    world.wait_for(&session, SessionStatus::Disconnected).await;
    agent.send(b"two").await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else {
        panic!("it lives")
    };
    let mut client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    assert_eq!(client.output().await, "two");
    world.wait_for(&session, SessionStatus::Connected).await;
}

#[tokio::test]
async fn a_restart_of_the_server_loses_nothing_in_either_direction() {
    let (mut world, session, _control, mut agent, mut client) = running().await;
    agent.send(b"one").await;
    assert_eq!(client.output().await, "one");
    world.restart().await;
    // Both write while the server is away.
    agent.channel.handle_disconnected();
    client.channel.handle_disconnected();
    let now = std::time::Instant::now();
    agent.channel.send(PayloadType::Output, Bytes::from_static(b"two"), stamp(), now).unwrap();
    client.channel.send(PayloadType::Output, Bytes::from_static(b"x"), stamp(), now).unwrap();
    world.connect_node().await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else {
        panic!("it lives")
    };
    let mut client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    let mut agent = agent.move_to(world.open_agent(&session).await);
    agent.transmit().await;
    client.transmit().await;
    assert_eq!(client.output().await, "two");
    assert_eq!(agent.output().await, "x");
    agent.send_state(State::Terminating, None).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    let recording = world.recording(&session);
    assert_eq!(recording.matches("\"o\"").count(), 2, "each once: {recording}");
}

#[tokio::test]
async fn terminate_reaches_both_sides() {
    let (world, session, mut control, _agent, mut client) = running().await;
    world.gateway.end_session(&session, EndReason::Terminated).await.unwrap();
    assert_eq!(client.closed().await.0, "");
    let closed = control.control().await;
    assert_eq!(closed.message_type, MessageType::ChannelClosed);
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    assert!(matches!(world.gateway.resume_session(&session).await.unwrap(), Resumed::Over));
}

#[tokio::test]
async fn a_failure_on_the_node_is_shown_to_the_client_and_acknowledged() {
    let (world, session, mut control, _agent, mut client) = running().await;
    let complete = AgentTaskComplete {
        task_id: session.to_string(),
        final_task_status: "Failed".into(),
        output: "Unable to start command: no such user".into(),
        ..AgentTaskComplete::default()
    };
    control.socket.send(Message::binary(complete.to_message(stamp()).encode())).await.unwrap();
    assert_eq!(control.control().await.message_type, MessageType::AgentTaskAcknowledge);
    assert_eq!(client.closed().await.0, "Unable to start command: no such user");
    drop(client);
    world.wait_for(&session, SessionStatus::Failed).await;
}

#[tokio::test]
async fn last_output_that_cannot_be_recorded_is_not_passed_over() {
    let (mut world, session, _control, mut agent, mut client) = running().await;
    world.restart().await;
    let cast = world.directory.path().join(format!("recordings/{session}.cast"));
    fs::remove_file(&cast).unwrap();
    std::os::unix::fs::symlink("/dev/full", &cast).unwrap();
    world.restart().await;
    world.connect_node().await;
    let resumed = world.gateway.resume_session(&session).await.unwrap();
    let Resumed::Live(token) = resumed else { panic!("it lives until it writes") };
    client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    agent = agent.move_to(world.open_agent(&session).await);
    eventually_attached(&mut agent).await;
    // The end overtakes the output, and so is known when the output fails.
    let now = std::time::Instant::now();
    agent.channel.send(PayloadType::Output, Bytes::from_static(b"bye"), stamp(), now).unwrap();
    agent.send_state(State::Terminating, Some(0)).await;
    let (notice, exit_code) = client.closed().await;
    assert!(notice.contains("its recording cannot be written"), "{notice}");
    assert_eq!(exit_code, None);
    drop(client);
    world.wait_for(&session, SessionStatus::Failed).await;
}

#[tokio::test]
async fn a_session_that_failed_before_its_client_came_can_be_terminated() {
    let mut world = World::new().await;
    let mut control = world.connect_node().await;
    let (session, _token) = world.start().await.unwrap();
    control.control().await;
    let complete = AgentTaskComplete {
        task_id: session.to_string(),
        final_task_status: "Failed".into(),
        output: "no".into(),
        ..AgentTaskComplete::default()
    };
    control.socket.send(Message::binary(complete.to_message(stamp()).encode())).await.unwrap();
    world.wait_for(&session, SessionStatus::Terminating).await;
    world.gateway.end_session(&session, EndReason::Terminated).await.unwrap();
    world.wait_for(&session, SessionStatus::Failed).await;
}

#[tokio::test]
async fn the_newer_of_two_agents_with_one_identity_wins() {
    let mut world = World::new().await;
    let mut older = world.connect_node().await;
    let _newer = world.connect_node().await;
    let close = timeout(PATIENCE, older.socket.next()).await.unwrap().unwrap().unwrap();
    assert!(close.as_close().is_some_and(|(code, _)| u16::from(code) == 4001), "{close:?}");
    assert!(world.gateway.presence(&world.node).is_some());
}

#[tokio::test]
async fn a_peer_that_sends_nonsense_is_cut_off_and_the_session_lives() {
    let (mut world, session, _control, mut agent, mut client) = running().await;
    for _ in 0..100 {
        if client.socket.send(Message::binary(Bytes::from_static(b"nonsense"))).await.is_err() {
            break;
        }
    }
    world.wait_for(&session, SessionStatus::Disconnected).await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else {
        panic!("it lives")
    };
    let mut client = world.open_client(&session, token.expose_secret()).await;
    agent.send(b"still here").await;
    assert_eq!(client.output().await, "still here");
}

#[tokio::test]
async fn deregistering_a_node_ends_its_sessions_and_its_connection() {
    let (world, session, mut control, _agent, mut client) = running().await;
    world.gateway.deregister_node(&world.node);
    assert_eq!(client.closed().await.0, "The session was ended: the node was de-registered.");
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    loop {
        let message = timeout(PATIENCE, control.socket.next()).await.unwrap().unwrap().unwrap();
        if let Some((code, _)) = message.as_close() {
            assert_eq!(u16::from(code), 4003);
            break;
        }
    }
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_ends_the_session_and_only_that() {
    let (mut world, session, mut control, mut agent, mut client) = running().await;
    // The disk is full under this one recording.
    let cast = world.directory.path().join(format!("recordings/{session}.cast"));
    assert!(cast.exists());
    world.restart().await;
    fs::remove_file(&cast).unwrap();
    std::os::unix::fs::symlink("/dev/full", &cast).unwrap();
    world.restart().await;
    control = control.move_to(world.connect_node().await);
    let resumed = world.gateway.resume_session(&session).await.unwrap();
    let Resumed::Live(token) = resumed else { panic!("it lives until it writes") };
    client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    agent = agent.move_to(world.open_agent(&session).await);
    eventually_attached(&mut agent).await;
    agent.send(b"unrecorded").await;
    let (notice, _) = client.closed().await;
    assert!(notice.contains("its recording cannot be written"), "{notice}");
    drop((client, agent));
    world.wait_for(&session, SessionStatus::Failed).await;
    assert_eq!(control.control().await.message_type, MessageType::ChannelClosed);
    // The next one is fine, once the disk is.
    let (next, _token) = world.start().await.unwrap();
    assert_ne!(next, session);
    while control.control().await.message_type != MessageType::InteractiveShell {}
}
