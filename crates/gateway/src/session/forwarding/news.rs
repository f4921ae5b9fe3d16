//! What is to be told of connections after a batch of messages, and before they go on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use postern_store::ConnectionChanges;

use super::lines;
use crate::authorizer::ConnectionDenied;
use crate::forwarded::{Connection, ConnectionEnd, Forwarded};
use crate::witness::SessionEvent;

/// See the [module's documentation](self).
pub(super) struct News {
    at: Timestamp,
    events: Vec<SessionEvent>,
    lines: Vec<String>,
    is_changed: bool,
    is_needed: bool,
    open: BTreeMap<u32, Vec<u8>>,
    closed: BTreeSet<u32>,
}

impl News {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            at,
            events: Vec::new(),
            lines: Vec::new(),
            is_changed: false,
            is_needed: false,
            open: BTreeMap::new(),
            closed: BTreeSet::new(),
        }
    }

    /// When all of it happened.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// How connections are carried has changed. The next process could not guess that.
    pub(super) fn carriage(&mut self) {
        self.is_changed = true;
        self.is_needed = true;
    }

    /// Whether nothing may go on before it is written.
    pub(super) fn is_needed_by_next_process(&self) -> bool {
        self.is_needed
    }

    pub(super) fn opened(&mut self, connection: Connection) {
        self.lines.push(lines::opened(&connection));
        self.changed(&connection);
        self.events.push(SessionEvent::ConnectionOpened(connection));
    }

    pub(super) fn denied(&mut self, connection: Connection, denied: ConnectionDenied) {
        self.lines.push(lines::denied(&connection, &denied));
        self.is_changed = true;
        self.events.push(SessionEvent::ConnectionDenied(connection, denied));
    }

    /// More is known of one that is open.
    pub(super) fn changed(&mut self, connection: &Connection) {
        let content = serde_json::to_vec(connection).expect("it has text keys and plain values");
        self.open.insert(connection.id, content);
        self.closed.remove(&connection.id);
    }

    pub(super) fn closed(&mut self, connection: Connection, end: ConnectionEnd) {
        self.forgotten(connection.id);
        self.end(connection, end);
    }

    /// It is over on record, and remembered until both sides know.
    pub(super) fn revoked(&mut self, connection: Connection) {
        self.changed(&connection);
        self.end(connection, ConnectionEnd::Revoked);
    }

    fn end(&mut self, connection: Connection, end: ConnectionEnd) {
        self.lines.push(lines::closed(&connection, &end));
        self.events.push(SessionEvent::ConnectionClosed { connection, at: self.at, end });
    }

    pub(super) fn forgotten(&mut self, id: u32) {
        self.open.remove(&id);
        self.closed.insert(id);
    }

    /// The events, and what the store is to remember, if that has changed. The lines go behind those that are there.
    pub(super) fn into_parts(
        self,
        forwarded: &Forwarded,
        lines: &mut Vec<String>,
    ) -> (Vec<SessionEvent>, Option<ConnectionChanges>) {
        lines.extend(self.lines);
        let is_changed = self.is_changed || !self.open.is_empty() || !self.closed.is_empty();
        let carriage = forwarded.remembered().filter(|_| is_changed);
        let changes = carriage.map(|carriage| ConnectionChanges {
            carriage: serde_json::to_vec(&carriage).expect("it has text keys and plain values"),
            open: self.open.into_iter().collect(),
            closed: self.closed.into_iter().collect(),
        });
        (self.events, changes)
    }
}
