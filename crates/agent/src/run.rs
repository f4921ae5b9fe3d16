//! `postern-agent run`: everything a registered node does.

use std::sync::Arc;
use std::time::Duration;

use postern_dial::{DialError, Dialer, Endpoint, Http, Proxies};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::AGENT_VERSION;
use crate::control_channel::ControlChannel;
use crate::control_plane::ControlPlane;
use crate::credentials::CredentialKeeper;
use crate::destinations::Destinations;
use crate::health;
use crate::session::{Sessions, Settings};
use crate::state::{StateDirectory, StateError};

/// What sessions and their results get when the agent is to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How to run.
#[derive(Debug)]
pub struct Options {
    /// How many sessions may run at once.
    pub sessions_max: usize,
    /// Whom sessions run as if their document does not say; the agent's own user if this is not set.
    pub session_user: Option<String>,
    /// Where the connections of port sessions may lead.
    pub destinations: Destinations,
}

/// Why the agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The address in the registration.
    #[error("the registration's endpoint cannot be used")]
    Endpoint(#[from] DialError),
}

/// Runs until `stop`, then ends all sessions and reports their ends.
///
/// # Errors
/// If this machine is not registered, or another agent runs with the same state.
pub async fn run(state: StateDirectory, options: Options, stop: CancellationToken) -> Result<(), RunError> {
    let _lock = state.lock()?;
    let registration = state.existing_registration()?;
    let endpoint: Endpoint = registration.endpoint.parse()?;
    let http = Http::new(Dialer::new(state.trust(&registration.trust)?, Proxies::from_env()));
    let node_id = registration.node_id.clone();
    tracing::info!(node.id = %node_id, agent.version = AGENT_VERSION, "postern-agent runs as node {node_id} of {endpoint}");
    let plane = Arc::new(ControlPlane::new(http, endpoint, registration.region.clone(), node_id));
    let (keeper, credentials) = CredentialKeeper::new(Arc::clone(&plane), state, registration);
    let settings = Settings {
        sessions_max: options.sessions_max,
        session_user: options.session_user,
        destinations: Arc::new(options.destinations),
    };
    let sessions = Sessions::new(Arc::clone(&plane), credentials.clone(), settings);
    let channel = ControlChannel::new(Arc::clone(&plane), credentials.clone(), sessions, stop.clone());

    // Neither of these has anything to finish: they are aborted with the set.
    let mut background = JoinSet::new();
    background.spawn(keeper.run());
    background.spawn(health::report(plane, credentials));
    let mut channel = std::pin::pin!(channel.run());
    tokio::select! {
        () = &mut channel => return Ok(()),
        () = stop.cancelled() => tracing::info!("stopping: ending all sessions"),
    }
    if tokio::time::timeout(STOP_WITHIN, channel).await.is_err() {
        tracing::warn!("stopped before all sessions had ended and been reported");
    }
    Ok(())
}
