//! Which nodes are connected: the control channels that are open in this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use postern_ids::NodeId;
use postern_store::{CloseReason, NodeConnection};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::connections::{Closed, Connections};

/// What a control channel is told.
#[derive(Debug)]
pub(crate) enum ControlCommand {
    /// Write this frame.
    Send(Bytes),
    /// A newer connection of the same node takes over.
    Replaced,
    /// The node no longer belongs here.
    Deregistered,
}

/// Messages that may wait for a node. A thousand sessions may start or end on it at once; what does not fit is
/// a node that takes nothing in.
pub(crate) const COMMANDS_MAX: usize = 64;

/// A connected node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// When its control channel was opened.
    pub since: Timestamp,
}

#[derive(Debug)]
struct Entry {
    /// Tells this connection of the node from a later one.
    generation: u64,
    presence: Presence,
    /// When something came on it last.
    heard_at: Instant,
    commands: mpsc::Sender<ControlCommand>,
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    state: Mutex<State>,
    /// Changed while the state is held, so that both say the same.
    connections: Connections,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<NodeId, Entry>,
    next_generation: u64,
}

impl Nodes {
    /// Notes that a control channel of `node` is open. The newer one wins; the older is told.
    pub(crate) fn connect(&self, node: &NodeId, since: Timestamp) -> (u64, mpsc::Receiver<ControlCommand>) {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let mut state = self.lock();
        let generation = state.next_generation;
        state.next_generation += 1;
        self.connections.handle_connected(node, since);
        let entry = Entry { generation, presence: Presence { since }, heard_at: Instant::now(), commands };
        if let Some(older) = state.entries.insert(node.clone(), entry) {
            // If its queue is full it takes nothing in, and notices when the sender is dropped.
            let _ = older.commands.try_send(ControlCommand::Replaced);
        }
        (generation, receiver)
    }

    /// Notes that something came on the control channel with this generation.
    pub(crate) fn handle_heard(&self, node: &NodeId, generation: u64, now: Instant) {
        let mut state = self.lock();
        if let Some(entry) = state.entries.get_mut(node).filter(|entry| entry.generation == generation) {
            entry.heard_at = now;
        }
    }

    /// When something came on the control channel of `node` last, if it has one.
    pub(crate) fn heard_at(&self, node: &NodeId) -> Option<Instant> {
        self.lock().entries.get(node).map(|entry| entry.heard_at)
    }

    /// Notes that the control channel with this generation is gone, and why.
    pub(crate) fn disconnect(&self, node: &NodeId, generation: u64, why: CloseReason, at: Timestamp) {
        let mut state = self.lock();
        let which = if state.entries.get(node).is_some_and(|entry| entry.generation == generation) {
            state.entries.remove(node);
            Closed::Present
        } else {
            Closed::Former
        };
        self.connections.handle_closed(node, which, why, at);
    }

    /// Sends a frame to `node`. Whether it is on its way.
    pub(crate) fn send(&self, node: &NodeId, frame: Bytes) -> bool {
        self.command(node, ControlCommand::Send(frame))
    }

    /// Closes the control channel of a node that was de-registered.
    pub(crate) fn deregister(&self, node: &NodeId) {
        self.command(node, ControlCommand::Deregistered);
        let mut state = self.lock();
        state.entries.remove(node);
        self.connections.forget(node);
    }

    fn command(&self, node: &NodeId, command: ControlCommand) -> bool {
        self.lock().entries.get(node).is_some_and(|entry| entry.commands.try_send(command).is_ok())
    }

    /// Since when `node` is connected, if it is.
    pub(crate) fn presence(&self, node: &NodeId) -> Option<Presence> {
        self.lock().entries.get(node).map(|entry| entry.presence)
    }

    /// How the control channel of `node` stands, if there ever was one.
    pub(crate) fn connection(&self, node: &NodeId) -> Option<NodeConnection> {
        self.connections.of(node)
    }

    /// What is remembered of each node's channels.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements above.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_connection_wins_and_the_older_is_told() {
        let nodes = Nodes::default();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let (first, mut first_commands) = nodes.connect(&node, Timestamp::UNIX_EPOCH);
        let (_, mut second_commands) = nodes.connect(&node, Timestamp::UNIX_EPOCH);
        assert!(matches!(first_commands.try_recv(), Ok(ControlCommand::Replaced)));
        nodes.disconnect(&node, first, CloseReason::Replaced, Timestamp::UNIX_EPOCH);
        assert!(nodes.presence(&node).is_some(), "the older connection cannot take the newer's place away");
        assert!(nodes.send(&node, Bytes::from_static(b"x")));
        assert!(matches!(second_commands.try_recv(), Ok(ControlCommand::Send(_))));
    }

    #[test]
    fn a_node_that_takes_nothing_in_does_not_hold_anyone_up() {
        let nodes = Nodes::default();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let (_, _commands) = nodes.connect(&node, Timestamp::UNIX_EPOCH);
        let sent = (0..COMMANDS_MAX + 1).filter(|_| nodes.send(&node, Bytes::new())).count();
        assert_eq!(sent, COMMANDS_MAX);
    }
}
