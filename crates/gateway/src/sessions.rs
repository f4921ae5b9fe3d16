//! The sessions that are carried by this process, and the way to their tasks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use postern_ids::{NodeId, SessionId};
use tokio::sync::{mpsc, watch};

use crate::session::Command;

/// How to reach a session's task.
#[derive(Debug, Clone)]
pub(crate) struct SessionHandle {
    pub(crate) node: NodeId,
    pub(crate) commands: mpsc::Sender<Command>,
    /// How many bytes of the recording are on record; closed when the session is over.
    pub(crate) recorded: watch::Receiver<u64>,
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    handles: Mutex<HashMap<SessionId, SessionHandle>>,
}

impl Sessions {
    pub(crate) fn insert(&self, id: SessionId, handle: SessionHandle) {
        self.lock().insert(id, handle);
    }

    pub(crate) fn remove(&self, id: &SessionId) {
        self.lock().remove(id);
    }

    pub(crate) fn get(&self, id: &SessionId) -> Option<SessionHandle> {
        self.lock().get(id).cloned()
    }

    /// The sessions on `node`.
    pub(crate) fn on_node(&self, node: &NodeId) -> Vec<SessionHandle> {
        self.lock().values().filter(|handle| handle.node == *node).cloned().collect()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, SessionHandle>> {
        // A map is consistent between any two of the calls above.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
