//! The sessions of this node: their start, their end, and what is reported of them.

mod carry;
mod encryption;
mod environment;
mod input;
mod link;
mod output;
mod port;
mod program;
mod results;
mod start;
mod task;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use postern_ids::SessionId;
use postern_protocol::PayloadError;
use postern_protocol::control::SessionTask;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::carry::Carrier;
use self::port::{PortCarrier, PortTask};
use self::results::Results;
use self::task::{Task, TaskError};
use crate::control_plane::ControlPlane;
use crate::credentials::CredentialSource;
use crate::destinations::Destinations;

/// What all sessions have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How many run at once.
    pub(crate) sessions_max: usize,
    /// Whom sessions run as if their document does not say; the agent's own user if this is not set.
    pub(crate) session_user: Option<String>,
    /// Where the connections of port sessions may lead.
    pub(crate) destinations: Arc<Destinations>,
}

/// Why a session is to end before its program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndCommand {
    /// The server says so.
    Closed,
    /// The agent stops.
    AgentStops,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// Its program ended by itself.
    Success,
    /// It was ended from outside.
    Cancelled,
    /// It could not run, or not to its end; the text is for the user.
    Failed(String),
}

/// What a session is to do.
enum Work {
    /// Run a program.
    Program(Task),
    /// Carry a connection.
    Port(PortTask),
}

impl Work {
    fn parse(task: SessionTask) -> Result<Self, TaskError> {
        match PortTask::parse(&task)? {
            Some(port) => Ok(Self::Port(port)),
            None => Task::parse(task).map(Self::Program),
        }
    }
}

struct Running {
    commands: mpsc::Sender<EndCommand>,
}

/// The running sessions, and the results of those that ended.
pub(crate) struct Sessions {
    plane: Arc<ControlPlane>,
    credentials: CredentialSource,
    settings: Settings,
    running: HashMap<SessionId, Running>,
    tasks: JoinSet<(SessionId, Outcome)>,
    results: Results,
}

impl Sessions {
    pub(crate) fn new(plane: Arc<ControlPlane>, credentials: CredentialSource, settings: Settings) -> Self {
        let results = Results::new(plane.node_id().clone());
        Self { plane, credentials, settings, running: HashMap::new(), tasks: JoinSet::new(), results }
    }

    pub(crate) fn results(&mut self) -> &mut Results {
        &mut self.results
    }

    /// Starts the session of `task`, or reports why not.
    pub(crate) fn start(&mut self, task: SessionTask) {
        let id = task.session_id.clone();
        if self.running.contains_key(&id) {
            tracing::debug!(session.id = %id, "session {id} runs already");
            return;
        }
        tracing::info!(
            session.id = %id, document.name = task.document_name, session.owner = task.session_owner,
            "session {id} is asked for"
        );
        let work = match Work::parse(task) {
            Ok(work) => work,
            Err(error) => return self.finish(&id, Outcome::Failed(error.to_string())),
        };
        if self.running.len() >= self.settings.sessions_max {
            let limit = self.settings.sessions_max;
            let error = format!(
                "This node runs {limit} sessions already, as many as it may. Try again when one has ended."
            );
            return self.finish(&id, Outcome::Failed(error));
        }
        let (commands, receiver) = mpsc::channel(2);
        let user = self.settings.session_user.clone();
        let (plane, credentials) = (Arc::clone(&self.plane), self.credentials.clone());
        self.running.insert(id.clone(), Running { commands });
        match work {
            Work::Program(task) => {
                let carrier = Carrier::new(plane, credentials, task, user, receiver);
                self.tasks.spawn(async move { (id, carrier.run().await) });
            }
            Work::Port(task) => {
                let destinations = Arc::clone(&self.settings.destinations);
                let carrier = PortCarrier::new(plane, credentials, task, user, destinations, receiver);
                self.tasks.spawn(async move { (id, carrier.run().await) });
            }
        }
    }

    /// Reports that a task cannot be read, if it says at least which session it is about.
    pub(crate) fn refuse_unreadable(&mut self, payload: &[u8], error: &PayloadError) {
        tracing::warn!(%error, "cannot read what session is to start");
        let Some(id) = task::session_id(payload).filter(|id| !self.running.contains_key(id)) else { return };
        self.finish(&id, Outcome::Failed(format!("The node cannot read what session is to start: {error}")));
    }

    /// Ends a session. One that is not known has ended already.
    pub(crate) fn end(&mut self, session_id: &str) {
        let running = session_id.parse::<SessionId>().ok().and_then(|id| self.running.get(&id));
        if let Some(running) = running {
            // Full means that the session is about to end anyway.
            let _ = running.commands.try_send(EndCommand::Closed);
        }
    }

    /// Cleans up after a session that ended. Waits for one; for ever if none runs.
    pub(crate) async fn reap(&mut self) {
        std::future::poll_fn(|cx| self.poll_reap(cx)).await;
    }

    /// As [`Self::reap`].
    pub(crate) fn poll_reap(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.tasks.poll_join_next(cx) {
            Poll::Ready(Some(Ok((id, outcome)))) => {
                self.running.remove(&id);
                self.finish(&id, outcome);
                Poll::Ready(())
            }
            Poll::Ready(Some(Err(error))) => {
                // Nothing in a session is meant to panic; if it does, the node and its other sessions go on.
                tracing::error!(error = &error as &dyn std::error::Error, "a session broke down");
                self.finish_broken();
                Poll::Ready(())
            }
            // Nothing runs. Whoever starts something polls again.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn finish_broken(&mut self) {
        let is_broken = |running: &Running| running.commands.is_closed();
        let broken: Vec<SessionId> =
            self.running.iter().filter(|(_, running)| is_broken(running)).map(|(id, _)| id.clone()).collect();
        for id in broken {
            self.running.remove(&id);
            self.finish(
                &id,
                Outcome::Failed("The session broke down on the node; its log says how.".to_owned()),
            );
        }
    }

    /// Asks all sessions to end, because the agent stops.
    pub(crate) fn begin_end_all(&mut self) {
        for running in self.running.values() {
            let _ = running.commands.try_send(EndCommand::AgentStops);
        }
    }

    /// As [`Self::begin_end_all`], and waits for them.
    pub(crate) async fn end_all(&mut self) {
        self.begin_end_all();
        while !self.running.is_empty() {
            self.reap().await;
        }
    }

    /// Whether no session runs and all results have arrived.
    pub(crate) fn is_done(&self) -> bool {
        self.running.is_empty() && self.results.is_empty()
    }

    fn finish(&mut self, id: &SessionId, outcome: Outcome) {
        match &outcome {
            Outcome::Success => tracing::info!(session.id = %id, "session {id} has ended"),
            Outcome::Cancelled => tracing::info!(session.id = %id, "session {id} was ended"),
            Outcome::Failed(error) => tracing::warn!(session.id = %id, "session {id} failed: {error}"),
        }
        self.results.add(id, outcome);
    }
}
