//! What is known of one connection inside a session.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NotFollowed, Route};
use crate::relay::Side;
use crate::witness::Traffic;

/// A connection, or what a node listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its number in the session.
    pub id: u32,
    /// Whether the node listens there; the connections that come of it have numbers of their own.
    #[serde(default)]
    pub is_listener: bool,
    /// Of a connection that came of a listener, the listener's number.
    #[serde(default)]
    pub listener: Option<u32>,
    /// Where it leads. `None`: nothing tells.
    pub route: Option<Route>,
    /// Who connected, as that end says.
    #[serde(default)]
    pub source: String,
    /// What the node connected to, once it has said so.
    #[serde(default)]
    pub address: Option<String>,
    /// When.
    pub opened_at: Timestamp,
    /// Payload bytes since `counted_since`.
    #[serde(skip)]
    pub bytes: Traffic,
    /// Since when they are counted, if not from the beginning.
    #[serde(skip)]
    pub counted_since: Option<Timestamp>,
    /// The client says nothing more.
    #[serde(default)]
    pub(super) client_has_ended: bool,
    /// Nor does the node.
    #[serde(default)]
    pub(super) node_has_ended: bool,
    /// Policies do not allow it any more: nothing of it passes.
    #[serde(default)]
    pub(super) is_revoked: bool,
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// Both sides said all they had to say; this one was the first.
    Closed(Side),
    /// Broken off by that side, with its words.
    Reset(Side, String),
    /// It never came about: the node's, or client's, reason and words.
    Refused {
        /// For programs.
        reason: String,
        /// For people.
        message: String,
    },
    /// Policies do not allow it any more.
    Revoked,
    /// Its session ended.
    SessionEnded,
}

impl ConnectionEnd {
    /// The short form, for records.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Closed(Side::Client) => "client".to_owned(),
            Self::Closed(Side::Agent) => "node".to_owned(),
            Self::Reset(Side::Client, _) => "client-reset".to_owned(),
            Self::Reset(Side::Agent, _) => "node-reset".to_owned(),
            Self::Refused { reason, .. } => format!("refused:{reason}"),
            Self::Revoked => "permission-revoked".to_owned(),
            Self::SessionEnded => "session-ended".to_owned(),
        }
    }

    /// What there is to say besides, by those who ended it; may be empty.
    #[must_use]
    pub fn details(&self) -> &str {
        match self {
            Self::Reset(_, message) | Self::Refused { message, .. } => message,
            Self::Closed(_) | Self::Revoked | Self::SessionEnded => "",
        }
    }
}

impl Connection {
    pub(super) fn new(id: u32, route: Option<Route>, opened_at: Timestamp) -> Self {
        Self {
            id,
            is_listener: false,
            listener: None,
            route,
            source: String::new(),
            address: None,
            opened_at,
            bytes: Traffic::default(),
            counted_since: None,
            client_has_ended: false,
            node_has_ended: false,
            is_revoked: false,
        }
    }

    /// Whether policies do not allow it any more.
    pub(super) fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    /// That side says nothing more; whether neither does.
    pub(super) fn end(&mut self, side: Side) -> bool {
        match side {
            Side::Client => self.client_has_ended = true,
            Side::Agent => self.node_has_ended = true,
        }
        self.client_has_ended && self.node_has_ended
    }

    /// Whether that side has said so.
    pub(super) fn has_ended(&self, side: Side) -> bool {
        match side {
            Side::Client => self.client_has_ended,
            Side::Agent => self.node_has_ended,
        }
    }
}

/// The connections that are open, by number. It has a bound.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<u32, Connection>);

impl Open {
    /// Twice what a session may have at the node, which refuses the others: those that wait for that count, too.
    const MAX: usize = 2 * postern_protocol::tunnel::STREAMS_MAX;

    pub(super) fn insert(&mut self, connection: Connection) -> Result<(), NotFollowed> {
        if self.0.len() >= Self::MAX {
            return Err(NotFollowed::TooMany);
        }
        self.0.insert(connection.id, connection);
        Ok(())
    }

    /// As an earlier process left it.
    pub(super) fn restore(&mut self, connection: Connection, at: Timestamp) {
        self.0.insert(connection.id, Connection { counted_since: Some(at), ..connection });
    }

    pub(super) fn get(&self, id: u32) -> Option<&Connection> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Connection> {
        self.0.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Connection> {
        self.0.remove(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.0.values()
    }

    /// All of them, which are no more.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Connection> + use<> {
        std::mem::take(&mut self.0).into_values()
    }
}
