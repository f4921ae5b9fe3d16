//! How the control channel of each node stands and why its last one closed, over restarts.
//!
//! What is asked is answered from memory, which holds one entry for each registered node. A task writes down what has
//! changed, some time after: a thousand nodes that come back at once are one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postern_ids::NodeId;
use postern_store::{
    CloseReason, LastClose, NodeConnection, NodeConnectionStatus, NodeConnectionStore, StoreError,
};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::gateway::Shared;

/// How long changes are gathered before they are written. A server that is killed loses as much.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
/// After a failure to write, how long until it is tried again.
const RETRIED_AFTER: Duration = Duration::from_secs(30);

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Connections {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<NodeId, NodeConnection>,
    /// Those of which something is not written down yet.
    unwritten: HashSet<NodeId>,
}

/// Whether the channel that closed was the node's present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It was: the node is away now.
    Present,
    /// A newer one has its place.
    Former,
}

impl Connections {
    /// Takes up what an earlier process wrote down. What was open then ended with it; this process cannot tell when, and
    /// counts from `now`.
    pub(crate) async fn restore(
        &self,
        store: &dyn NodeConnectionStore,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stored = store.node_connections().await?;
        self.lock().known.extend(stored);
        self.handle_server_stopped(now);
        Ok(())
    }

    pub(crate) fn of(&self, node: &NodeId) -> Option<NodeConnection> {
        self.lock().known.get(node).copied()
    }

    pub(crate) fn handle_connected(&self, node: &NodeId, at: Timestamp) {
        self.change(node, |known| {
            let last_close = known.and_then(|known| known.last_close);
            Some(NodeConnection { status: NodeConnectionStatus::Online, since: at, last_close })
        });
    }

    /// A node that has been forgotten stays so: its channel closes because it was.
    pub(crate) fn handle_closed(&self, node: &NodeId, which: Closed, reason: CloseReason, at: Timestamp) {
        self.change(node, |known| {
            let last_close = Some(LastClose { reason, at });
            let known = known.filter(|known| known.status == NodeConnectionStatus::Online)?;
            Some(match which {
                Closed::Present => {
                    NodeConnection { status: NodeConnectionStatus::Away, since: at, last_close }
                }
                Closed::Former => NodeConnection { last_close, ..known },
            })
        });
    }

    /// The first refusal counts: a node may try every few seconds.
    pub(crate) fn handle_refused(&self, node: &NodeId, at: Timestamp) {
        self.change(node, |known| {
            let last_close = Some(LastClose { reason: CloseReason::Refused, at });
            match known {
                None => Some(NodeConnection { status: NodeConnectionStatus::Away, since: at, last_close }),
                Some(NodeConnection { status: NodeConnectionStatus::Online, .. }) => None,
                Some(NodeConnection {
                    last_close: Some(LastClose { reason: CloseReason::Refused, .. }),
                    ..
                }) => None,
                Some(known) => Some(NodeConnection { last_close, ..known }),
            }
        });
    }

    /// No channel is open any more.
    pub(crate) fn handle_server_stopped(&self, at: Timestamp) {
        let last_close = Some(LastClose { reason: CloseReason::ServerStopped, at });
        let mut state = self.lock();
        let State { known, unwritten } = &mut *state;
        for (node, connection) in known {
            if connection.status == NodeConnectionStatus::Online {
                *connection = NodeConnection { status: NodeConnectionStatus::Away, since: at, last_close };
                unwritten.insert(node.clone());
            }
        }
    }

    /// The node was de-registered.
    pub(crate) fn forget(&self, node: &NodeId) {
        let mut state = self.lock();
        state.known.remove(node);
        state.unwritten.remove(node);
    }

    fn change(&self, node: &NodeId, changed: impl FnOnce(Option<NodeConnection>) -> Option<NodeConnection>) {
        let mut state = self.lock();
        if let Some(connection) = changed(state.known.get(node).copied()) {
            state.known.insert(node.clone(), connection);
            state.unwritten.insert(node.clone());
            self.changed.notify_one();
        }
    }

    /// Writes down what has changed. What could not be written is tried again with what changes next.
    pub(crate) async fn write(&self, store: &dyn NodeConnectionStore) -> Result<(), StoreError> {
        let changes: Vec<_> = {
            let mut state = self.lock();
            let State { known, unwritten } = &mut *state;
            unwritten.drain().filter_map(|node| Some((node.clone(), *known.get(&node)?))).collect()
        };
        if changes.is_empty() {
            return Ok(());
        }
        let written = store.record_node_connections(&changes).await;
        if written.is_err() {
            let mut state = self.lock();
            let State { known, unwritten } = &mut *state;
            unwritten
                .extend(changes.into_iter().map(|(node, _)| node).filter(|node| known.contains_key(node)));
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements above.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what changes until the server stops, and then that it has.
pub(crate) async fn write_changes(shared: Arc<Shared>) {
    let connections = shared.nodes.connections();
    let mut pause = WRITTEN_WITHIN;
    loop {
        let is_over = tokio::select! {
            () = shared.stop.cancelled() => true,
            () = async { connections.changed.notified().await; sleep(pause).await } => false,
        };
        if is_over {
            connections.handle_server_stopped(shared.clock.now());
        }
        pause = match connections.write(&*shared.store).await {
            Ok(()) => WRITTEN_WITHIN,
            Err(error) => {
                let cause: &dyn std::error::Error = &error;
                tracing::warn!(error = cause, "cannot write down how nodes are connected");
                connections.changed.notify_one();
                RETRIED_AFTER
            }
        };
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeId {
        "mi-0123456789abcdef0".parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    type Told = (&'static str, i64, Option<(&'static str, i64)>);

    /// Status, since when, why and when the last channel closed.
    fn told(connections: &Connections) -> Option<Told> {
        let known = connections.of(&node())?;
        let closed = known.last_close.map(|closed| (closed.reason.as_str(), closed.at.as_second()));
        Some((known.status.as_str(), known.since.as_second(), closed))
    }

    #[test]
    fn a_node_comes_and_goes_and_why_is_kept() {
        let connections = Connections::default();
        assert_eq!(told(&connections), None);
        connections.handle_connected(&node(), at(1));
        assert_eq!(told(&connections), Some(("Online", 1, None)));
        connections.handle_closed(&node(), Closed::Present, CloseReason::NoAnswer, at(2));
        assert_eq!(told(&connections), Some(("Away", 2, Some(("NoAnswer", 2)))));
        connections.handle_connected(&node(), at(3));
        assert_eq!(told(&connections), Some(("Online", 3, Some(("NoAnswer", 2)))));
    }

    #[test]
    fn a_channel_that_was_replaced_leaves_the_node_online() {
        let connections = Connections::default();
        connections.handle_connected(&node(), at(1));
        connections.handle_connected(&node(), at(2));
        connections.handle_closed(&node(), Closed::Former, CloseReason::Replaced, at(3));
        assert_eq!(told(&connections), Some(("Online", 2, Some(("Replaced", 3)))));
    }

    #[test]
    fn refusals_do_not_move_the_time_since_when_a_node_is_away() {
        let connections = Connections::default();
        connections.handle_connected(&node(), at(1));
        connections.handle_refused(&node(), at(2));
        assert_eq!(told(&connections), Some(("Online", 1, None)), "its channel stands");
        connections.handle_closed(&node(), Closed::Present, CloseReason::Closed, at(3));
        for second in 4..7 {
            connections.handle_refused(&node(), at(second));
            assert_eq!(told(&connections), Some(("Away", 3, Some(("Refused", 4)))));
        }
    }

    #[test]
    fn nothing_is_kept_of_a_node_that_was_deregistered() {
        let connections = Connections::default();
        connections.handle_connected(&node(), at(1));
        connections.forget(&node());
        connections.handle_closed(&node(), Closed::Former, CloseReason::Closed, at(2));
        assert_eq!(told(&connections), None);
        assert!(connections.lock().unwritten.is_empty());
    }
}
