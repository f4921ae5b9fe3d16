//! The door to everything live: starting, resuming and ending sessions, and taking channels over.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use postern_documents::Recording;
use postern_ids::{NodeId, SessionId};
use postern_protocol::control::{InteractiveShell, SessionTask as StartTask};
use postern_protocol::payload::Stamps as _;
use postern_recording::{RecordingDirectory, RecordingEnd};
use postern_store::{
    ChannelSide, CreateSessionError, EndStatus, NodeConnection, NodeConnectionStore, SessionConnectionStore,
    SessionEncryptionStore, SessionEnd, SessionRecord, SessionStatus, SessionStore, StoreError, TokenGrant,
    TokenHash, TokenScope,
};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::forwarded::Forwarded;
use crate::nodes::{Nodes, Presence};
use crate::session::{
    Beginning, COMMANDS_MAX, Command, Encryption, EndReason, Kept, Origin, SessionLimits, SessionRecorder,
    SessionTask, forwarding,
};
use crate::sessions::{SessionHandle, Sessions};
use crate::stamps::{SystemStamps, random};
use crate::token::{self, Grant, TokenTable};
use crate::{
    Clock, ConnectionAuthorizer, DataKeys, SessionEnded, SessionEvent, Traffic, Witness, connections,
    control_channel, data_channel, socket,
};

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// How long a session waits for a node whose connection was lost.
    pub agent_returns_within: Duration,
    /// Sessions that may be live at once in this process.
    pub sessions_max: usize,
    /// How long output may be on record before the witness is told the hash of what is there.
    pub recording_vouched_within: Duration,
}

/// What the gateway remembers in the store.
pub trait GatewayStore:
    SessionStore + SessionEncryptionStore + SessionConnectionStore + NodeConnectionStore
{
}

impl<T> GatewayStore for T where
    T: SessionStore + SessionEncryptionStore + SessionConnectionStore + NodeConnectionStore
{
}

/// What all tasks of the gateway share.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) store: Arc<dyn GatewayStore>,
    pub(crate) recordings: Arc<RecordingDirectory>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) data_keys: Arc<dyn DataKeys>,
    pub(crate) authorizer: Arc<dyn ConnectionAuthorizer>,
    pub(crate) nodes: Nodes,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: std::sync::Mutex<TokenTable>,
    /// Set once the server stops: every task closes its connections and ends; sessions stay for the next process.
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// See the [module's documentation](self).
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// A session to start; the caller may do so and the document's parameters are checked.
#[derive(Debug)]
pub struct NewSession {
    /// The session as it is to be stored, `Connecting`.
    pub record: SessionRecord,
    /// The session document.
    pub document: Value,
    /// Values for its parameters, texts where the document wants a text.
    pub parameters: Map<String, Value>,
    /// The user on the node that the caller's tag names, or empty.
    pub run_as_user: String,
    /// What the recording does if client and node are to encrypt the session; `None`: they are not.
    pub encrypted_recording: Option<Recording>,
    /// Facts for the recording.
    pub recorded_node: NodeDescription,
}

/// The node as its recordings show it.
#[derive(Debug, Clone, Default)]
pub struct NodeDescription {
    /// The node's name, from its activation.
    pub name: Option<String>,
    /// Its host name.
    pub computer_name: Option<String>,
}

/// A token that opens the client's side of one session once.
#[derive(Clone)]
pub struct ClientToken(String);

impl ClientToken {
    /// How long a client may take to use it.
    pub const LIFETIME: Duration = Duration::from_secs(60);

    /// The token as it goes over the wire.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientToken(…)")
    }
}

/// Why a session did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartSessionError {
    /// The node has no open control channel.
    #[error("{node} is not connected.")]
    TargetNotConnected {
        /// The node.
        node: NodeId,
    },
    /// As many sessions are live as this server carries.
    #[error("the server carries its maximum of {limit} sessions; end some, or raise the limit")]
    TooManySessions {
        /// The limit.
        limit: usize,
    },
    /// The session must be recorded and cannot be.
    #[error("the recording of the session cannot be written")]
    Recording(#[source] std::io::Error),
    /// Storage failed.
    #[error("storage failed")]
    Store(#[source] StoreError),
}

/// What `ResumeSession` found.
#[derive(Debug, Clone)]
pub enum Resumed {
    /// The session lives; this opens it again.
    Live(ClientToken),
    /// The session is over.
    Over,
}

/// Why a session could not be resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeSessionError {
    /// There never was such a session.
    #[error("session {session} does not exist")]
    Unknown {
        /// The session.
        session: SessionId,
    },
    /// Storage failed.
    #[error("storage failed")]
    Store(#[from] StoreError),
}

impl Gateway {
    /// A gateway that carries no session yet; see [`Self::restore`].
    #[must_use]
    pub fn new(
        config: GatewayConfig,
        store: Arc<dyn GatewayStore>,
        recordings: Arc<RecordingDirectory>,
        clock: Arc<dyn Clock>,
        witness: Arc<dyn Witness>,
        data_keys: Arc<dyn DataKeys>,
        authorizer: Arc<dyn ConnectionAuthorizer>,
    ) -> Self {
        let shared = Shared {
            config,
            store,
            recordings,
            clock,
            witness,
            data_keys,
            authorizer,
            nodes: Nodes::default(),
            sessions: Sessions::default(),
            tokens: std::sync::Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes up the sessions that an earlier process left behind, and what it knew of its nodes. Clients and nodes come
    /// back by themselves. Recordings of sessions that are over are completed.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn restore(&self) -> Result<usize, StoreError> {
        let now = self.shared.clock.now();
        self.shared.nodes.connections().restore(&*self.shared.store, now).await?;
        self.shared.tasks.spawn(connections::write_changes(Arc::clone(&self.shared)));
        let records = self.shared.store.live_sessions().await?;
        let count = records.len();
        for record in records {
            if Kept::of(&record) == Kept::Files {
                let cause =
                    "the server was started anew, and what is done can only be told from the beginning";
                self.give_up(&record, EndReason::NotUnderstood(cause.to_owned())).await;
                continue;
            }
            match self.reopened(&record).await? {
                Ok((mut recorder, encryption)) => {
                    let forwarded = forwarding::restored(&self.shared, &record, &mut recorder).await?;
                    self.carry(&record, recorder, encryption, forwarded, Origin::Restored);
                }
                Err(reason) => self.give_up(&record, reason).await,
            }
        }
        self.complete_recordings().await;
        Ok(count)
    }

    /// The recording of a session that an earlier process carried, which sees of it what it saw before.
    async fn reopened(
        &self,
        record: &SessionRecord,
    ) -> Result<Result<(SessionRecorder, Option<Encryption>), EndReason>, StoreError> {
        let encryption = Encryption::stored(&self.shared, record).await?;
        let mut recorder = match SessionRecorder::reopen(&self.shared, record).await {
            Ok(recorder) => recorder,
            Err(error) => return Ok(Err(EndReason::RecordingFailed(error.to_string()))),
        };
        if let Some(encryption) = &encryption {
            match encryption.sight(&self.shared, record).await {
                Ok(sight) => recorder.see(sight),
                Err(unrecordable) => return Ok(Err(EndReason::Unrecordable(unrecordable.0))),
            }
        }
        Ok(Ok((recorder, encryption)))
    }

    /// Completes the recordings that nobody writes any more: their sessions ended, or could not go on.
    async fn complete_recordings(&self) {
        let shared = Arc::clone(&self.shared);
        let completed = tokio::task::spawn_blocking(move || {
            let end = RecordingEnd {
                at: shared.clock.now(),
                reason: "failed:recording".to_owned(),
                exit_code: None,
            };
            let unfinished = shared.recordings.unfinished()?;
            let abandoned = unfinished.iter().filter(|session| shared.sessions.get(session).is_none());
            for session in abandoned {
                tracing::warn!(session.id = %session, "completing the recording of session {session}, which is over");
                shared.recordings.interrupt(session, &end)?;
            }
            Ok(())
        });
        // They can still be played, and the next start tries again.
        let outcome: Result<(), std::io::Error> =
            completed.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(error) = outcome {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot complete a recording that an earlier process left"
            );
        }
    }

    /// Ends a session whose recording cannot go on: it must not run unrecorded.
    async fn give_up(&self, record: &SessionRecord, reason: EndReason) {
        tracing::error!(session.id = %record.id, "cannot go on with session {}; ending it: {}", record.id, reason.notice());
        let end = session_end(&reason, None, self.shared.clock.now());
        if let Err(error) = self.shared.store.finish_session(&record.id, &end).await {
            tracing::error!(session.id = %record.id, error = &error as &dyn std::error::Error, "cannot end session {}", record.id);
        }
        if let Err(error) = self.shared.store.delete_session_connections(&record.id).await {
            tracing::error!(session.id = %record.id, error = &error as &dyn std::error::Error, "cannot forget the connections of session {}", record.id);
        }
        self.witness_end(record, end).await;
    }

    /// The end of a session that no task carries.
    async fn witness_end(&self, record: &SessionRecord, end: SessionEnd) {
        let ended = SessionEnded {
            at: end.at,
            reason: end.reason,
            details: end.details.unwrap_or_default(),
            exit_code: end.exit_code,
            bytes: Traffic::default(),
            counted_since: end.at,
            recording: None,
        };
        // Logged by the witness; the session is over in any case.
        let _ = self.shared.witness.witness(record, SessionEvent::Ended(Box::new(ended))).await;
    }

    /// Since when `node` is connected, if it is.
    #[must_use]
    pub fn presence(&self, node: &NodeId) -> Option<Presence> {
        self.shared.nodes.presence(node)
    }

    /// How the control channel of `node` stands, and why its last one closed. `None`: it never had one.
    #[must_use]
    pub fn node_connection(&self, node: &NodeId) -> Option<NodeConnection> {
        self.shared.nodes.connection(node)
    }

    /// Starts a session: stores it, begins its recording, tells the node, and gives what its client needs. Whoever
    /// asked may be gone meanwhile: what is begun is brought to its end, and the session waits for its client.
    ///
    /// # Errors
    /// Nothing is left behind when it fails.
    pub async fn start_session(&self, new: NewSession) -> Result<ClientToken, StartSessionError> {
        let gateway = self.clone();
        let started = self.shared.tasks.spawn(async move { gateway.begin_session(new).await });
        match started.await.map_err(JoinError::try_into_panic) {
            Ok(outcome) => outcome,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is going, and this with it.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    async fn begin_session(&self, new: NewSession) -> Result<ClientToken, StartSessionError> {
        let NewSession { record, document, parameters, run_as_user, encrypted_recording, recorded_node } =
            new;
        let not_connected = || StartSessionError::TargetNotConnected { node: record.node.clone() };
        if self.presence(&record.node).is_none() {
            return Err(not_connected());
        }
        let limit = self.shared.config.sessions_max;
        if self.shared.sessions.count() >= limit {
            return Err(StartSessionError::TooManySessions { limit });
        }
        let recorder = SessionRecorder::create(&self.shared, &record, recorded_node)
            .await
            .map_err(StartSessionError::Recording)?;
        let (token, grant) = self.client_grant(&record.id);
        if let Err(error) = self.shared.store.create_session(&record, &grant).await {
            recorder.discard().await;
            return Err(match error {
                CreateSessionError::NodeUnknown { .. } => not_connected(),
                CreateSessionError::Store(error) => StartSessionError::Store(error),
            });
        }
        let encryption = encrypted_recording.map(Encryption::new);
        if let Some(encryption) = &encryption
            && let Err(error) = encryption.store(&self.shared, &record).await
        {
            self.give_up(&record, EndReason::Failed("The session could not be stored.".to_owned())).await;
            return Err(StartSessionError::Store(error));
        }
        let id = record.id.clone();
        let node = record.node.clone();
        let task = InteractiveShell::new(StartTask {
            document_name: record.document_name.clone(),
            document_content: document,
            session_id: id.clone(),
            parameters,
            run_as_user,
            session_owner: record.owner_arn.to_string(),
        });
        let forwarded = forwarding::begun(&self.shared, &record);
        self.carry(&record, recorder, encryption, forwarded, Origin::Started);
        let stamp = SystemStamps::new(&*self.shared.clock).stamp();
        if !self.shared.nodes.send(&node, task.to_message(stamp).encode()) {
            let reason = EndReason::Failed(format!("{node} is not connected."));
            self.command(&id, Command::End(reason)).await;
            return Err(StartSessionError::TargetNotConnected { node });
        }
        Ok(token)
    }

    /// Spawns the task that carries a session.
    fn carry(
        &self,
        record: &SessionRecord,
        recorder: SessionRecorder,
        encryption: Option<Encryption>,
        forwarded: Option<Forwarded>,
        origin: Origin,
    ) {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (recorded_bytes, recorded) = watch::channel(recorder.recorded_bytes());
        let minutes = |count: u32| Duration::from_secs(60 * u64::from(count));
        let age = self.shared.clock.now().duration_since(record.started_at);
        let beginning = Beginning {
            record: record.clone(),
            recorded_bytes,
            limits: SessionLimits {
                idle: (record.idle_timeout_minutes > 0).then(|| minutes(record.idle_timeout_minutes)),
                max_duration: record.max_session_duration_minutes.map(minutes),
            },
            is_pausable: record.session_type != NON_INTERACTIVE_COMMANDS,
            recorder,
            encryption,
            forwarded,
            age: age.try_into().unwrap_or_default(),
            origin,
        };
        let handle = SessionHandle { node: record.node.clone(), commands, recorded };
        self.shared.sessions.insert(record.id.clone(), handle);
        let task = SessionTask::new(Arc::clone(&self.shared), beginning, receiver);
        let listed = Listed { shared: Arc::clone(&self.shared), id: record.id.clone() };
        self.shared.tasks.spawn(async move {
            task.run().await;
            drop(listed);
        });
    }

    /// Whether a session is carried here: it has not come to its end, or that is not written down yet.
    #[must_use]
    pub fn carries(&self, session: &SessionId) -> bool {
        self.shared.sessions.get(session).is_some()
    }

    /// How many bytes of a session's recording are on record, as they become more; it ends with the session. `None`: the
    /// session is not carried here.
    #[must_use]
    pub fn recorded(&self, session: &SessionId) -> Option<watch::Receiver<u64>> {
        self.shared.sessions.get(session).map(|handle| handle.recorded)
    }

    /// Gives the client of a live session a fresh token.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn resume_session(&self, session: &SessionId) -> Result<Resumed, ResumeSessionError> {
        let Some(record) = self.shared.store.session(session).await? else {
            return Err(ResumeSessionError::Unknown { session: session.clone() });
        };
        let is_over = matches!(record.status, SessionStatus::Terminated | SessionStatus::Failed);
        if is_over || self.shared.sessions.get(session).is_none() {
            return Ok(Resumed::Over);
        }
        let (token, grant) = self.client_grant(session);
        let is_issued = self.shared.store.issue_token(&grant, self.shared.clock.now()).await?;
        Ok(if is_issued { Resumed::Live(token) } else { Resumed::Over })
    }

    /// Ends a session, if it is live.
    ///
    /// # Errors
    /// It has no task any more, and its end cannot be stored.
    pub async fn end_session(&self, session: &SessionId, reason: EndReason) -> Result<(), StoreError> {
        if self.shared.sessions.get(session).is_some() {
            self.command(session, Command::End(reason)).await;
            return Ok(());
        }
        // One that was stored and never carried, or whose task broke; of one that has ended nothing changes.
        let end = session_end(&reason, None, self.shared.clock.now());
        self.shared.store.finish_session(session, &end).await.map(drop)
    }

    /// Has the connections inside a session looked at again: policies have changed.
    pub async fn review_connections(&self, session: &SessionId) {
        self.command(session, Command::ReviewConnections).await;
    }

    /// Disconnects a node that was de-registered and ends its sessions. Whoever asked may be gone meanwhile: all of it
    /// happens.
    pub fn deregister_node(&self, node: &NodeId) {
        self.shared.tokens().revoke(node);
        for session in self.shared.sessions.on_node(node) {
            self.shared.tasks.spawn(async move {
                // A session that is gone meanwhile has ended.
                let _ = session.commands.send(Command::End(EndReason::NodeDeregistered)).await;
            });
        }
        self.shared.nodes.deregister(node);
    }

    async fn command(&self, session: &SessionId, command: Command) {
        if let Some(handle) = self.shared.sessions.get(session) {
            let _ = handle.commands.send(command).await;
        }
    }

    /// A token for the control channel of `node`, which must have proved who it is.
    #[must_use]
    pub fn control_channel_token(&self, node: &NodeId) -> String {
        self.node_token(Grant::ControlChannel(node.clone()))
    }

    /// A token for the node's side of a session's data channel. `None`: the session is over, or not on this node.
    #[must_use]
    pub fn data_channel_token(&self, node: &NodeId, session: &SessionId) -> Option<String> {
        let handle = self.shared.sessions.get(session)?;
        (handle.node == *node).then(|| self.node_token(Grant::DataChannel(node.clone(), session.clone())))
    }

    fn node_token(&self, grant: Grant) -> String {
        let token = BASE64_STANDARD.encode(random::<32>());
        self.shared.tokens().insert(token::hash(&token), grant, Instant::now());
        token
    }

    fn client_grant(&self, session: &SessionId) -> (ClientToken, TokenGrant) {
        let token = ClientToken(BASE64_STANDARD.encode(random::<48>()));
        let scope = TokenScope::DataChannel { session: session.clone(), side: ChannelSide::Client };
        let expires_at = self.shared.clock.now() + ClientToken::LIFETIME;
        let grant = TokenGrant { hash: TokenHash(token::hash(&token.0)), scope, expires_at };
        (token, grant)
    }

    /// Carries the control channel of `node` over `io` until either side closes it.
    pub async fn serve_control_channel(&self, io: impl socket::Io, node: NodeId) {
        control_channel::serve(&self.shared, socket::Socket::new(io), node).await;
    }

    /// Hands the data channel over to its session, once its first frame shows a token for it.
    ///
    /// `node` is who signed the websocket request, if a node did: a node's token is good only for itself.
    pub async fn serve_data_channel(&self, io: impl socket::Io, session: SessionId, node: Option<NodeId>) {
        data_channel::serve(&self.shared, socket::Socket::new(io), session, node).await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Closes every connection, leaves the sessions for the next process, and waits until all tasks have ended.
    pub async fn drain(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// Takes a session off the list however its task ends.
struct Listed {
    shared: Arc<Shared>,
    id: SessionId,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.sessions.remove(&self.id);
    }
}

/// The session type that carries connections rather than a terminal.
pub(crate) const PORT: &str = "Port";
/// The session type without a terminal.
const NON_INTERACTIVE_COMMANDS: &str = "NonInteractiveCommands";

impl Shared {
    pub(crate) fn tokens(&self) -> std::sync::MutexGuard<'_, TokenTable> {
        // A table of tokens is consistent between any two of its operations.
        self.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The end of a session as it is stored.
pub(crate) fn session_end(reason: &EndReason, exit_code: Option<i32>, at: Timestamp) -> SessionEnd {
    let notice = reason.notice();
    SessionEnd {
        status: if reason.is_failure() { EndStatus::Failed } else { EndStatus::Terminated },
        reason: reason.code(),
        details: (!notice.is_empty()).then_some(notice),
        exit_code,
        at,
    }
}
