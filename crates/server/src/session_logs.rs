//! The logs of sessions that their documents ask for: written by the server, where no node reaches.
//!
//! A log is a reader of the session's recording, which is on the disk before anybody sees anything: nothing waits for a
//! log, and what was not delivered when a sink was away or the server stopped is read again. Where each log goes and how
//! far it is stands in the store. A task a log follows its session; what fails after the end is tried again by
//! [`tend`].

mod again;
mod collectors;
mod delivery;
mod destination;
mod events;
mod failure;
mod object;
mod private_file;
mod sinks;
mod tend;

use std::collections::HashMap;
use std::sync::Arc;

use postern_ids::SessionId;
use postern_store::{SessionLogSink, StoreError};
use tokio::sync::Semaphore;

pub(crate) use collectors::Collectors;
pub(crate) use delivery::follow;
pub(crate) use destination::{CollectorKind, Destination, EventForm};
pub(crate) use sinks::{SinkError, Sinks};
pub(crate) use tend::tend;

use crate::app::App;
use crate::config;

/// Whether the server writes the log of a session of that kind, or has: then it is nobody else's to write.
pub(crate) async fn is_servers(
    app: &App,
    session: &SessionId,
    sink: SessionLogSink,
) -> Result<bool, StoreError> {
    Ok(app.store.session_logs(session).await?.iter().any(|log| log.sink == sink))
}

/// Writes to one sink at a time.
const WRITES_MAX: usize = 8;
/// Logs of sessions that are over, tried again at a time.
const RETRIES_MAX: usize = 8;

/// What all deliveries share.
pub(crate) struct SessionLogs {
    config: config::SessionLogs,
    pub(crate) sinks: Sinks,
    pub(crate) collectors: Collectors,
    /// Of each kind of sink.
    bounds: HashMap<SessionLogSink, Bounds>,
}

/// How much goes on at a time. Each kind of sink has its own, so that one that is away does not keep the other waiting.
struct Bounds {
    writes: Arc<Semaphore>,
    retries: Arc<Semaphore>,
    /// Reading and cleaning takes a processor: one at a time does, and not all the time.
    reads: Arc<Semaphore>,
}

impl SessionLogs {
    pub(crate) fn new(config: config::SessionLogs, sinks: Sinks, collectors: Collectors) -> Self {
        let bounds = SessionLogSink::ALL.iter().map(|sink| (*sink, Bounds::new())).collect();
        Self { config, sinks, collectors, bounds }
    }

    fn bounds(&self, sink: SessionLogSink) -> &Bounds {
        self.bounds.get(&sink).expect("each kind has its bounds")
    }
}

impl Bounds {
    fn new() -> Self {
        Self {
            writes: Arc::new(Semaphore::new(WRITES_MAX)),
            retries: Arc::new(Semaphore::new(RETRIES_MAX)),
            reads: Arc::new(Semaphore::new(1)),
        }
    }
}
