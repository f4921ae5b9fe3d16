//! The task that carries one session: it owns both websockets, the relay between them and the recording.
//!
//! It lives from `StartSession` to the end of the session, whether or not anybody is connected.

mod connection;
mod encryption;
mod end;
pub(crate) mod forwarding;
mod on_record;
mod recorder;
mod take_over;
mod warning;
mod witnessed;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use postern_documents::Recording;
use postern_ids::{NodeId, SessionId};
use postern_protocol::notice::{self, InputPlace, Notice};
use postern_protocol::payload::{
    ChannelClosed, ClientAttached, SessionState, Size, Stamps as _, State, publication,
};
use postern_protocol::version::ClientVersion;
use postern_protocol::{DecodeError, MessageType, PayloadType, Silence};
use postern_sftp::Journal;
use postern_store::SessionRecord;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_websockets::CloseCode;

pub(crate) use self::encryption::Encryption;
pub use self::end::EndReason;
pub(crate) use self::recorder::{Kept, SessionRecorder};
pub(crate) use self::take_over::Claim;

use self::connection::{Connection, Life};
use self::encryption::{CLOSED_NOTE, Sight, Unrecordable};
use self::take_over::{Displaced, RESUMED_ELSEWHERE, TurnedAway};
use self::warning::{Warning, Warnings};
use crate::forwarded::Forwarded;
use crate::gateway::{Shared, session_end};
use crate::relay::{Received, Relay, Side};
use crate::socket::{Incoming, Socket};
use crate::stamps::SystemStamps;
use crate::witness::{SessionEvent, Traffic};

/// What a session is asked from outside. The queue in front of it holds [`COMMANDS_MAX`].
pub(crate) enum Command {
    /// A client has opened its data channel.
    AttachClient(Socket, ClientAttached, Claim),
    /// The node has opened its data channel.
    AttachAgent(Socket),
    /// The node reports on its control channel that the session is over there.
    TaskComplete { error: Option<String> },
    /// The node has opened a control channel.
    NodeReturned,
    /// Policies have changed: connections inside it may not be allowed any more.
    ReviewConnections,
    /// The session must end.
    End(EndReason),
}

/// Commands that may wait for a session: it takes them between two batches of frames.
pub(crate) const COMMANDS_MAX: usize = 16;

/// How long a session may do what.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without input or output; from the session document, 20 minutes if that says nothing. `None`: for as long as
    /// its client is there.
    pub idle: Option<Duration>,
    /// From start to end; from the session document.
    pub max_duration: Option<Duration>,
}

/// A node answers `interactive_shell` within a second or two; AWS's agent retries its data channel for
/// some ten seconds.
const AGENT_ARRIVES_WITHIN: Duration = Duration::from_secs(60);
/// Once its control channel is open again a node that still has the session opens its data channel too:
/// postern-agent pauses 30 s at most between two attempts. If it does not, its agent was started anew, without the session.
const AGENT_FOLLOWS_NODE_WITHIN: Duration = Duration::from_secs(45);
/// The token of `StartSession` is good for as long.
const CLIENT_ARRIVES_WITHIN: Duration = Duration::from_secs(60);
/// After the agent's end, the longest pause between two signs that the client still takes output in.
const DELIVERY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// After the agent's end, the longest that the last output waits for a client that is away.
const CLIENT_RETURNS_WITHIN: Duration = Duration::from_secs(120);
/// After an end from outside, what the client gets to take in the last output.
const LAST_OUTPUT_WITHIN: Duration = Duration::from_secs(1);
/// After `channel_closed`, what the client gets to close its connection.
const CLIENT_CLOSES_WITHIN: Duration = Duration::from_secs(3);
/// What AWS's plugin gets to set itself up for connections; it takes about a millisecond.
const SETS_UP_WITHIN: Duration = Duration::from_millis(100);
/// How long a session that may be idle for ever waits for a client that went away: the longest that AWS has.
const CLIENT_AWAY_MAX: Duration = Duration::from_secs(60 * 60);
/// On a drain, what a peer gets to take in what is queued.
const DRAIN_WITHIN: Duration = Duration::from_millis(500);
/// Frames that cannot be read before the connection they come from is closed. Every one of AWS's programs
/// and the known third-party clients sends none.
const INVALID_FRAMES_MAX: u32 = 64;
/// Messages taken from the websockets before they are recorded and passed on together.
const BATCH_MESSAGES_MAX: usize = 64;
/// Bytes likewise.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Where a session stands in its life.
#[derive(Debug)]
enum Phase {
    Live,
    /// Over, but the client has not had all output.
    Delivering {
        reason: EndReason,
        until: Instant,
        at_latest: Instant,
    },
    /// `channel_closed` is on its way to the client.
    Closing {
        reason: EndReason,
        until: Instant,
    },
}

/// Messages with the side that they came from; `None` stands for the end of its connection.
type Batch = VecDeque<(Side, Option<Incoming>)>;

/// What happened next.
enum Step {
    Received(Batch),
    Lost(Side),
    Commanded(Box<Command>),
    Timer,
    Drain,
    /// What happened to connections cannot be written down.
    NotWritten(EndReason),
}

/// See the [module's documentation](self).
pub(crate) struct SessionTask {
    shared: Arc<Shared>,
    id: SessionId,
    node: NodeId,
    /// As it was stored when it started.
    record: Box<SessionRecord>,
    /// What went through this process, since `counted_since`.
    traffic: Traffic,
    counted_since: Timestamp,
    /// When the witness is to be told about the recording, which has grown.
    recorded_due: Option<Instant>,
    /// Until when the client of a session with connections may be setting itself up.
    set_up_until: Option<Instant>,
    limits: SessionLimits,
    is_pausable: bool,
    relay: Relay,
    recorder: SessionRecorder,
    /// Of a session that is to be encrypted, or is.
    encryption: Option<Encryption>,
    /// What is done with files, if that is what the session is for.
    journal: Option<Journal>,
    /// The connections inside it, if it has any.
    forwarded: Option<Forwarded>,
    /// Writes down what happens to them.
    chronicle: Option<forwarding::Chronicle>,
    /// When to ask once more whether they may go on, as it could not be told.
    review_due: Option<Instant>,
    /// Wakes whoever follows the recording; nobody waits for them.
    recorded_bytes: watch::Sender<u64>,
    client: Option<Connection>,
    agent: Option<Connection>,
    hello: Option<ClientAttached>,
    /// Clients from which others have taken the session over.
    displaced: Displaced,
    commands: mpsc::Receiver<Command>,
    phase: Phase,
    started_at: Instant,
    active_at: Instant,
    /// What the client was told of its time.
    warnings: Warnings,
    /// Since when the side is away.
    client_left_at: Instant,
    agent_left_at: Instant,
    /// When the node came back, while the agent's data channel is not there.
    node_returned_at: Option<Instant>,
    client_was_here: bool,
    agent_was_here: bool,
    agent_is_done: bool,
    exit_code: Option<i32>,
    timer: Pin<Box<Sleep>>,
}

/// What a new or restored session begins with.
pub(crate) struct Beginning {
    pub(crate) record: SessionRecord,
    pub(crate) limits: SessionLimits,
    /// AWS's agent breaks off a session with separate output streams when it is told to pause.
    pub(crate) is_pausable: bool,
    pub(crate) recorder: SessionRecorder,
    pub(crate) encryption: Option<Encryption>,
    /// Of a session with connections.
    pub(crate) forwarded: Option<Forwarded>,
    /// Told how many bytes of the recording are on record.
    pub(crate) recorded_bytes: watch::Sender<u64>,
    /// Time that has passed since the session started.
    pub(crate) age: Duration,
    pub(crate) origin: Origin,
}

/// Where a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `StartSession`.
    Started,
    /// It ran before this process began; its client and node are on their way back.
    Restored,
}

impl SessionTask {
    pub(crate) fn new(shared: Arc<Shared>, beginning: Beginning, commands: mpsc::Receiver<Command>) -> Self {
        let Beginning {
            record,
            limits,
            is_pausable,
            recorder,
            encryption,
            forwarded,
            recorded_bytes,
            age,
            origin,
        } = beginning;
        let now = Instant::now();
        let counted_since = shared.clock.now();
        let kept = Kept::of(&record);
        let relay = match kept {
            Kept::Output => Relay::restored(recorder.next_sequence_number()),
            Kept::Traffic if origin == Origin::Restored => {
                forwarding::relay_of_restored(forwarded.as_ref().and_then(Forwarded::carriage))
            }
            Kept::Traffic => Relay::followed(),
            Kept::Files => Relay::examined(),
        };
        let relay = if origin == Origin::Restored { relay.with_unknown_input() } else { relay };
        let chronicle = forwarded.is_some().then(|| forwarding::Chronicle::begin(&shared, &record));
        Self {
            shared,
            id: record.id.clone(),
            node: record.node.clone(),
            record: Box::new(record),
            traffic: Traffic::default(),
            counted_since,
            recorded_due: None,
            set_up_until: None,
            limits,
            is_pausable,
            relay,
            recorder,
            encryption,
            journal: (kept == Kept::Files).then(Journal::default),
            forwarded,
            chronicle,
            review_due: None,
            recorded_bytes,
            client: None,
            agent: None,
            hello: None,
            displaced: Displaced::default(),
            commands,
            phase: Phase::Live,
            started_at: now.checked_sub(age).unwrap_or(now),
            active_at: now,
            warnings: Warnings::default(),
            client_left_at: now,
            agent_left_at: now,
            node_returned_at: None,
            client_was_here: origin == Origin::Restored,
            agent_was_here: origin == Origin::Restored,
            agent_is_done: false,
            exit_code: None,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// Carries the session to its end, or until the server stops; then the session waits for the next process.
    pub(crate) async fn run(mut self) {
        loop {
            match self.next_step().await {
                Step::Received(batch) => self.handle_batch(batch).await,
                Step::Lost(side) => self.detach(side).await,
                Step::Commanded(command) => self.handle_command(*command).await,
                Step::Timer => self.handle_time(Instant::now()).await,
                Step::Drain => return self.drain().await,
                Step::NotWritten(reason) => self.end(reason, Instant::now()).await,
            }
            self.record().await;
            self.advance(Instant::now());
            if let Phase::Closing { reason, until } = &self.phase
                && (self.client.is_none() || Instant::now() >= *until)
            {
                let reason = reason.clone();
                return self.finish(reason).await;
            }
        }
    }

    /// Writes what may be written, then waits for the first thing that happens.
    async fn next_step(&mut self) -> Step {
        let deadline = self.deadline();
        // The timer may be early, never late: moving it for each frame would cost more than a vain wake-up.
        if deadline < self.timer.deadline() || self.timer.is_elapsed() {
            self.timer.as_mut().reset(deadline);
        }
        let shared = Arc::clone(&self.shared);
        let mut drain = std::pin::pin!(shared.stop.cancelled());
        poll_fn(|cx| {
            if let Some(lost) = self.transmit(cx) {
                return Poll::Ready(Step::Lost(lost));
            }
            let batch = self.receive(cx);
            if !batch.is_empty() {
                return Poll::Ready(Step::Received(batch));
            }
            if let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) {
                return Poll::Ready(Step::Commanded(Box::new(command)));
            }
            if drain.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Drain);
            }
            if let Some(chronicle) = &mut self.chronicle
                && let Poll::Ready(reason) = chronicle.poll_failed(cx)
            {
                return Poll::Ready(Step::NotWritten(reason));
            }
            self.timer.as_mut().poll(cx).map(|()| Step::Timer)
        })
        .await
    }

    /// Moves what is queued to the websockets. The side whose connection turned out to be over, if any.
    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Side> {
        for side in [Side::Client, Side::Agent] {
            let connection = match side {
                Side::Client => &mut self.client,
                Side::Agent => &mut self.agent,
            };
            let Some(connection) = connection else { continue };
            if connection.transmit(side, &mut self.relay, cx).is_err() {
                return Some(side);
            }
        }
        None
    }

    /// Takes what has come in, as far as there is room for it on the other side.
    fn receive(&mut self, cx: &mut Context<'_>) -> Batch {
        let mut batch = VecDeque::new();
        let mut bytes = 0;
        for (side, connection) in [(Side::Client, &mut self.client), (Side::Agent, &mut self.agent)] {
            let Some(connection) = connection else { continue };
            if !self.relay.wants_frames(side) {
                let now = Instant::now();
                match connection.look_for_life(cx, now) {
                    Life::Watched => {}
                    Life::Unknown => {
                        // A node that cannot be heard here can be heard on its control channel.
                        let heard_at = match side {
                            Side::Client => Some(now),
                            Side::Agent => self.shared.nodes.heard_at(&self.node),
                        };
                        heard_at.into_iter().for_each(|at| connection.keep_alive.handle_heard(at));
                    }
                    Life::Over => batch.extend(last_of(side, connection)),
                }
                continue;
            }
            while batch.len() < BATCH_MESSAGES_MAX && bytes < BATCH_BYTES_MAX {
                let Poll::Ready(incoming) = connection.poll_receive(cx) else { break };
                if let Some(Incoming::Binary(frame)) = &incoming {
                    bytes += frame.len();
                }
                let is_over = incoming.is_none();
                batch.push_back((side, incoming));
                if is_over {
                    break;
                }
            }
        }
        batch
    }

    async fn handle_batch(&mut self, batch: Batch) {
        let now = Instant::now();
        for (side, incoming) in batch {
            let Some(incoming) = incoming else {
                // What came before the end of the connection goes on the record before that is dealt with.
                self.record().await;
                self.detach(side).await;
                continue;
            };
            if let Some(connection) = self.connection_mut(side) {
                connection.keep_alive.handle_heard(now);
            }
            match incoming {
                Incoming::Binary(frame) => self.handle_frame(side, frame, now).await,
                Incoming::Pong(payload) if side == Side::Client => self.handle_pong(&payload),
                Incoming::Pong(_) | Incoming::Ping | Incoming::Text(_) => {}
            }
        }
    }

    async fn handle_frame(&mut self, side: Side, frame: Bytes, now: Instant) {
        let shared = Arc::clone(&self.shared);
        let mut stamps = SystemStamps::new(&*shared.clock);
        match self.relay.handle_frame(side, frame, &mut stamps) {
            Ok(Received::Stream { payload_type, payload }) => {
                if payload_type != notice::PAYLOAD_TYPE {
                    self.active_at = now;
                }
                // What is put in order is counted when it is: it may come early, and twice.
                if !self.relay.is_ordered(side) {
                    self.traffic.count(side, payload.len());
                }
                if side == Side::Client
                    && payload_type == PayloadType::Size
                    && let Ok(size) = Size::from_json(&payload)
                {
                    self.recorder.resize(size, self.shared.clock.now());
                }
                match (side, payload_type) {
                    (Side::Agent, PayloadType::HandshakeRequest) => self.handle_encryption_asked(&payload),
                    (Side::Agent, PayloadType::HandshakeComplete) if self.relay.waits_for_set_up() => {
                        self.set_up_until = Some(now + SETS_UP_WITHIN);
                    }
                    (Side::Client, PayloadType::HandshakeResponse) => {
                        self.handle_encryption_answered(&payload, now).await;
                    }
                    _ => {}
                }
            }
            Ok(Received::SessionState(state)) => self.handle_session_state(&state, now).await,
            Ok(Received::Nothing) => {
                if let Phase::Delivering { until, at_latest, .. } = &mut self.phase
                    && side == Side::Client
                {
                    *until = (now + DELIVERY_PAUSE_MAX).min(*at_latest);
                }
            }
            Err(error) => self.handle_invalid_frame(side, &error).await,
        }
    }

    fn handle_encryption_asked(&mut self, payload: &[u8]) {
        // Of a session that its document does not want encrypted nobody has permitted that it is not recorded.
        let encryption = self.encryption.get_or_insert_with(|| Encryption::new(Recording::Required));
        encryption.handle_request(payload);
    }

    /// Settles what the recording sees, before the answer goes to the agent and anything encrypted comes back.
    async fn handle_encryption_answered(&mut self, payload: &[u8], now: Instant) {
        let encryption = self.encryption.get_or_insert_with(|| Encryption::new(Recording::Required));
        if !encryption.handle_response(payload) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let stored = encryption.store(&shared, &self.record).await;
        let sight = match stored {
            Ok(()) => encryption.sight(&shared, &self.record).await,
            Err(error) => Err(Unrecordable(error.to_string())),
        };
        match sight {
            Ok(sight) => {
                let is_closed = matches!(sight, Sight::Closed);
                self.recorder.see(sight);
                let notes = is_closed.then(|| CLOSED_NOTE.to_owned()).into_iter().collect();
                if let Err(error) = self.recorder.note(notes, shared.clock.now()).await {
                    self.end(EndReason::RecordingFailed(error.to_string()), now).await;
                }
            }
            Err(Unrecordable(cause)) => {
                tracing::warn!(session.id = %self.id, cause, "session {} is encrypted and cannot be recorded; ending it", self.id);
                self.recorder.see(Sight::Barred);
                self.end(EndReason::Unrecordable(cause), now).await;
            }
        }
    }

    async fn handle_invalid_frame(&mut self, side: Side, error: &DecodeError) {
        let Some(connection) = self.connection_mut(side) else { return };
        connection.invalid_frames += 1;
        let count = connection.invalid_frames;
        tracing::debug!(session.id = %self.id, ?side, %error, "dropped a frame");
        if count > INVALID_FRAMES_MAX {
            tracing::warn!(session.id = %self.id, ?side, %error, "closing a data channel after {count} invalid frames");
            self.detach(side).await;
        }
    }

    fn handle_pong(&mut self, payload: &Bytes) {
        let shared = Arc::clone(&self.shared);
        let mut stamps = SystemStamps::new(&*shared.clock);
        if let Some(fence) = connection::parse_fence(payload) {
            self.relay.handle_pong(fence, &mut stamps);
        }
    }

    async fn handle_session_state(&mut self, state: &SessionState, now: Instant) {
        if state.state == State::Terminating {
            self.agent_is_done = true;
            self.exit_code = state.exit_code.or(self.exit_code);
            self.end(EndReason::Exited, now).await;
        }
    }

    async fn handle_command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::AttachClient(socket, hello, claim) => {
                self.attach_client(socket, hello, claim, now).await;
            }
            Command::AttachAgent(socket) => self.attach_agent(socket, now).await,
            Command::TaskComplete { error } => {
                self.agent_is_done = true;
                self.end(error.map_or(EndReason::Exited, EndReason::Failed), now).await;
            }
            Command::NodeReturned => self.node_returned_at = Some(now),
            Command::ReviewConnections => self.review_connections(now).await,
            Command::End(reason) => self.end(reason, now).await,
        }
    }

    async fn attach_client(&mut self, socket: Socket, hello: ClientAttached, claim: Claim, now: Instant) {
        let place = match self.admit(&hello, claim) {
            Ok(place) => place,
            Err(refusal) => {
                return self.turn_away(socket, &refusal, now);
            }
        };
        let client_version = hello.client_version.clone();
        self.tell(SessionEvent::Connected { side: Side::Client, client_version }).await;
        let is_same_client = self.hello.as_ref().is_some_and(|former| former.client_id == hello.client_id);
        if let Some(mut former) = self.client.take()
            && !is_same_client
        {
            let closed = self.channel_closed(RESUMED_ELSEWHERE);
            former.say_goodbye(closed, CloseCode::NORMAL_CLOSURE, "resumed elsewhere");
        }
        if !is_same_client {
            self.displaced.insert(self.hello.take());
        }
        tracing::info!(session.id = %self.id, node.id = %self.node, client.version = ?hello.client_version, "client connected to session {}", self.id);
        self.client = Some(Connection::new(socket, now));
        self.client_was_here = true;
        self.hello = Some(hello);
        self.warnings = Warnings::default();
        self.relay.handle_attached(Side::Client);
        if let Some(place) = place {
            let stamp = SystemStamps::new(&*self.shared.clock).stamp();
            self.relay.send_control(Side::Client, place.to_message(stamp).encode());
        }
        self.start_publication();
        self.note_connected().await;
    }

    /// Whether the client may have the session, and what it has to know then.
    fn admit(&self, hello: &ClientAttached, claim: Claim) -> Result<Option<InputPlace>, TurnedAway> {
        if claim == Claim::GoesOn {
            let is_displaced = self.displaced.contains(hello);
            return if is_displaced { Err(TurnedAway::Displaced) } else { Ok(None) };
        }
        let is_encrypted = self.encryption.as_ref().is_some_and(Encryption::has_key);
        take_over::place(&self.record.session_type, is_encrypted, &self.relay)
            .map(Some)
            .map_err(TurnedAway::NotTaken)
    }

    /// Lets a client go, and leaves the session to whoever has it.
    fn turn_away(&self, socket: Socket, why: &TurnedAway, now: Instant) {
        tracing::info!(session.id = %self.id, ?why, "turned a client of session {} away", self.id);
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        let (frame, reason) = match why {
            TurnedAway::Displaced => (self.channel_closed(RESUMED_ELSEWHERE), "resumed elsewhere"),
            TurnedAway::NotTaken(text) => {
                (InputPlace::Refused(text.clone()).to_message(stamp).encode(), "not taken over")
            }
        };
        Connection::new(socket, now).say_goodbye(frame, CloseCode::NORMAL_CLOSURE, reason);
    }

    async fn attach_agent(&mut self, socket: Socket, now: Instant) {
        self.tell(SessionEvent::Connected { side: Side::Agent, client_version: None }).await;
        tracing::info!(session.id = %self.id, node.id = %self.node, "node {} connected to session {}", self.node, self.id);
        self.agent = Some(Connection::new(socket, now));
        self.agent_was_here = true;
        self.node_returned_at = None;
        self.relay.handle_attached(Side::Agent);
        if self.client.is_some() {
            self.start_publication();
        }
        self.note_connected().await;
    }

    /// Tells the agent that its client is there. AWS's agent only takes note that it may send.
    fn start_publication(&mut self) {
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        let hello = self.hello.clone().unwrap_or_default();
        self.relay.send_control(Side::Agent, hello.to_message(stamp).encode());
    }

    async fn note_connected(&mut self) {
        if self.client.is_some() && self.agent.is_some() {
            let noted = self.shared.store.mark_connected(&self.id, self.shared.clock.now()).await;
            self.log_store_failure(noted.err());
        }
    }

    async fn detach(&mut self, side: Side) {
        let Some(_gone) = self.take_connection(side) else { return };
        self.relay.handle_detached(side);
        tracing::info!(session.id = %self.id, ?side, "lost a data channel of session {}", self.id);
        self.tell_detached(side).await;
        let now = Instant::now();
        match side {
            Side::Client => {
                self.client_left_at = now;
                if self.is_pausable {
                    let stamp = SystemStamps::new(&*self.shared.clock).stamp();
                    let pause = publication(MessageType::PausePublication, stamp);
                    self.relay.send_control(Side::Agent, pause.encode());
                }
            }
            Side::Agent => {
                self.agent_left_at = now;
                self.node_returned_at = None;
            }
        }
        if matches!(self.phase, Phase::Live) && side == Side::Client {
            let noted = self.shared.store.mark_disconnected(&self.id, self.shared.clock.now()).await;
            self.log_store_failure(noted.err());
        }
        if let Phase::Delivering { reason, until, at_latest } = &mut self.phase
            && side == Side::Client
            && reason.is_from_agent()
        {
            // Somebody whose connection broke just now may still come back for the last output.
            *until = now + CLIENT_RETURNS_WITHIN;
            *at_latest = *until;
        }
    }

    /// Begins the end. The first reason stays, unless the last output turns out not to be on record; a reason from
    /// outside cuts the wait for a client short.
    async fn end(&mut self, reason: EndReason, now: Instant) {
        match &mut self.phase {
            Phase::Live => {}
            // That it could not be recorded is why what it shows was held back.
            Phase::Delivering { reason: first, .. }
                if matches!(reason, EndReason::RecordingFailed(_))
                    && !matches!(first, EndReason::Unrecordable(_)) =>
            {
                *first = reason;
                self.exit_code = None;
                return;
            }
            Phase::Delivering { until, at_latest, .. } if !reason.is_from_agent() => {
                *until = (*until).min(now + LAST_OUTPUT_WITHIN);
                *at_latest = *until;
                return;
            }
            Phase::Delivering { .. } | Phase::Closing { .. } => return,
        }
        tracing::info!(session.id = %self.id, node.id = %self.node, end.reason = reason.code(), "session {} is ending", self.id);
        let noted = self.shared.store.begin_termination(&self.id, self.shared.clock.now()).await;
        self.log_store_failure(noted.err());
        let patience = match (reason.is_from_agent(), self.client.is_some()) {
            (true, true) => DELIVERY_PAUSE_MAX,
            (true, false) if self.client_was_here => CLIENT_RETURNS_WITHIN,
            (true, false) => CLIENT_ARRIVES_WITHIN,
            (false, _) => LAST_OUTPUT_WITHIN,
        };
        let at_latest = if reason.is_from_agent() { now + CLIENT_RETURNS_WITHIN } else { now + patience };
        if !reason.is_from_agent() {
            self.tell_agent();
        }
        self.phase = Phase::Delivering { reason, until: now + patience, at_latest };
    }

    /// Tells the node that the session is over, on both channels: either may be broken.
    fn tell_agent(&mut self) {
        let closed = self.channel_closed("");
        self.relay.send_control(Side::Agent, closed.clone());
        self.shared.nodes.send(&self.node, closed);
    }

    fn channel_closed(&self, output: &str) -> Bytes {
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        let closed = ChannelClosed {
            destination_id: self.node.to_string(),
            session_id: self.id.to_string(),
            output: output.to_owned(),
            exit_code: self.exit_code,
            ..ChannelClosed::default()
        };
        closed.into_message(stamp).encode()
    }

    /// Goes from one phase to the next when its time has come.
    fn advance(&mut self, now: Instant) {
        let Phase::Delivering { reason, until, .. } = &self.phase else { return };
        let is_delivered = self.client.is_some() && self.relay.is_delivered();
        if !is_delivered && now < *until {
            return;
        }
        let reason = reason.clone();
        let closed = self.channel_closed(&reason.notice());
        self.relay.send_control(Side::Client, closed);
        if let Some(client) = &mut self.client {
            client.close_when_flushed();
        }
        self.phase = Phase::Closing { reason, until: now + CLIENT_CLOSES_WITHIN };
    }

    async fn handle_time(&mut self, now: Instant) {
        for side in [Side::Client, Side::Agent] {
            let is_read = self.relay.wants_frames(side);
            let Some(connection) = self.connection_mut(side) else { continue };
            match connection.keep_alive.poll(now) {
                Some(Silence::Ping) => {
                    connection.ping();
                    if !is_read {
                        connection.begin_probe();
                    }
                }
                Some(Silence::Gone) => {
                    let last = last_of(side, connection);
                    self.handle_batch(last).await;
                }
                None => {}
            }
        }
        if self.set_up_until.is_some_and(|until| until <= now) {
            self.set_up_until = None;
            self.relay.handle_set_up();
        }
        if self.recorded_due.is_some_and(|due| due <= now) {
            self.recorded_due = None;
            self.tell_recorded().await;
        }
        if self.review_due.is_some_and(|due| due <= now) {
            self.review_connections(now).await;
        }
        self.warn(now);
        if let Some(reason) = self.overdue(now) {
            self.end(reason, now).await;
        }
    }

    /// Has the user told that the time is nearly up. It is none of the node's output, and not on the recording unless the agent has
    /// to say it.
    fn warn(&mut self, now: Instant) {
        let Some((warning, side)) = self.warning().filter(|(warning, _)| warning.due <= now) else { return };
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        let notice = Notice { text: warning.text(now) };
        self.relay.send_control(side, notice.to_message(stamp).encode());
        self.warnings.given(&warning);
    }

    /// What the user is to be told next, and by whom: AWS's plugin shows only what is in the stream, which the agent makes.
    /// AWS's agent does not know such a word.
    fn warning(&self) -> Option<(Warning, Side)> {
        self.client.as_ref()?;
        let version = ClientVersion(self.hello.as_ref()?.client_version.as_deref()?);
        let teller = if version.is_postern() {
            Side::Client
        } else if version.is_plugin() && take_over::has_terminal(&self.record.session_type) {
            self.agent.as_ref().map(|_| Side::Agent)?
        } else {
            return None;
        };
        Some((self.warnings.next(self.limits())?, teller))
    }

    /// The limits of a live session: when each is reached, and what that means.
    fn limits(&self) -> impl Iterator<Item = (Instant, EndReason)> {
        let is_live = matches!(self.phase, Phase::Live);
        let agent_limit = match (&self.agent, self.agent_was_here) {
            (Some(_), _) => None,
            (None, true) => {
                let away = self.agent_left_at + self.shared.config.agent_returns_within;
                let back = self.node_returned_at.map(|at| at + AGENT_FOLLOWS_NODE_WITHIN);
                Some((back.map_or(away, |back| back.min(away)), EndReason::AgentLost))
            }
            (None, false) => Some((
                self.agent_left_at + AGENT_ARRIVES_WITHIN,
                EndReason::Failed(format!("{} did not open the session's data channel in time.", self.node)),
            )),
        };
        let client_limit = (self.client.is_none() && !self.client_was_here)
            .then(|| (self.client_left_at + CLIENT_ARRIVES_WITHIN, EndReason::ClientLost));
        let idle = match &self.client {
            Some(_) => self.limits.idle.map(|idle| (idle, EndReason::Idle(idle))),
            None => Some((self.limits.idle.unwrap_or(CLIENT_AWAY_MAX), EndReason::ClientLost)),
        };
        let idle_limit = idle.map(|(idle, reason)| (self.active_at.max(self.client_left_at) + idle, reason));
        let max_limit =
            self.limits.max_duration.map(|max| (self.started_at + max, EndReason::MaxDuration(max)));
        [agent_limit, client_limit, idle_limit, max_limit].into_iter().flatten().filter(move |_| is_live)
    }

    fn overdue(&self, now: Instant) -> Option<EndReason> {
        self.limits().filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at).map(|(_, reason)| reason)
    }

    /// When to look at the clock again.
    fn deadline(&self) -> Instant {
        let phase = match &self.phase {
            Phase::Live => None,
            Phase::Delivering { until, .. } | Phase::Closing { until, .. } => Some(*until),
        };
        let keep_alive =
            [&self.client, &self.agent].into_iter().flatten().map(|c| c.keep_alive.poll_timeout());
        phase
            .into_iter()
            .chain(keep_alive)
            .chain(self.limits().map(|(at, _)| at))
            .chain(self.warning().map(|(warning, _)| warning.due))
            .chain(self.recorded_due)
            .chain(self.set_up_until)
            .chain(self.review_due)
            .min()
            .expect("a live session has a client to ping or to wait for, another a phase that ends")
    }

    /// Closes the connections without ending the session: the next process carries it on.
    async fn drain(mut self) {
        self.record().await;
        let until = Instant::now() + DRAIN_WITHIN;
        for side in [Side::Client, Side::Agent] {
            let Some(mut connection) = self.take_connection(side) else { continue };
            let flushed = poll_fn(|cx| connection.flush(side, &mut self.relay, cx));
            let _ = tokio::time::timeout_at(until, flushed).await;
            connection.close(CloseCode::GOING_AWAY, "the server is restarting, reconnect");
            let _ = tokio::time::timeout_at(until, connection.socket.flush()).await;
        }
        if let Some(mut chronicle) = self.chronicle.take() {
            // What could not be written is in the log.
            let _ = chronicle.close().await;
        }
    }

    /// Writes down how the session ended.
    async fn finish(mut self, reason: EndReason) {
        if !self.agent_is_done && !reason.is_from_agent() {
            self.tell_agent();
            self.flush_agent().await;
        }
        let now = self.shared.clock.now();
        let is_recorded = self.recorder.is_on();
        let mut last = self.close_connections(now).await;
        last.extend(self.last_lines());
        if let Err(error) = self.recorder.finish(now, &reason, self.exit_code, last).await {
            tracing::error!(session.id = %self.id, %error, "cannot finish the recording of session {}", self.id);
        }
        let end = session_end(&reason, self.exit_code, now);
        let finished = self.shared.store.finish_session(&self.id, &end).await;
        self.log_store_failure(finished.err());
        if self.encryption.is_some() {
            let forgotten = self.shared.store.delete_session_encryption(&self.id).await;
            self.log_store_failure(forgotten.err());
        }
        if self.forwarded.is_some() {
            let forgotten = self.shared.store.delete_session_connections(&self.id).await;
            self.log_store_failure(forgotten.err());
        }
        self.tell_ended(now, &reason, is_recorded).await;
        self.shared.sessions.remove(&self.id);
        tracing::info!(session.id = %self.id, node.id = %self.node, end.reason = reason.code(), "session {} has ended", self.id);
    }

    /// What a recording that holds no output ends with.
    fn last_lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(journal) = &mut self.journal {
            journal.finish(&mut lines);
        }
        if Kept::of(&self.record) != Kept::Output {
            let Traffic { input, output } = self.traffic;
            lines.push(format!("The end. {input} bytes to the node, {output} bytes from it."));
        }
        lines
    }

    async fn flush_agent(&mut self) {
        let until = Instant::now() + DRAIN_WITHIN;
        if let Some(agent) = &mut self.agent {
            let flushed = poll_fn(|cx| agent.flush(Side::Agent, &mut self.relay, cx));
            let _ = tokio::time::timeout_at(until, flushed).await;
        }
    }

    fn connection_mut(&mut self, side: Side) -> Option<&mut Connection> {
        match side {
            Side::Client => self.client.as_mut(),
            Side::Agent => self.agent.as_mut(),
        }
    }

    fn take_connection(&mut self, side: Side) -> Option<Connection> {
        match side {
            Side::Client => self.client.take(),
            Side::Agent => self.agent.take(),
        }
    }

    /// A session's bytes do not stop flowing because its status cannot be written.
    fn log_store_failure(&self, error: Option<postern_store::StoreError>) {
        if let Some(error) = error {
            let error: &dyn std::error::Error = &error;
            tracing::error!(session.id = %self.id, error, "cannot write the status of session {}", self.id);
        }
    }
}

/// What was held back of a connection that is over, and its end.
fn last_of(side: Side, connection: &mut Connection) -> Batch {
    let held_back = connection.take_held_back().into_iter().map(|incoming| (side, Some(incoming)));
    held_back.chain([(side, None)]).collect()
}
