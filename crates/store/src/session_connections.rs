//! What is known of the connections inside live port sessions.

use async_trait::async_trait;
use postern_ids::SessionId;

use crate::StoreError;

/// What changed of the connections of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionChanges {
    /// How connections are carried, in place of what was known.
    pub carriage: Vec<u8>,
    /// Connections that are open, by number, in place of what was known of them.
    pub open: Vec<(u32, Vec<u8>)>,
    /// Those that are not any more.
    pub closed: Vec<u32>,
}

/// What is known of the connections of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownConnections {
    /// How they are carried.
    pub carriage: Vec<u8>,
    /// Those that are open, by number.
    pub open: Vec<Vec<u8>>,
}

/// What the next process must know of a port session to go on following its connections.
#[async_trait]
pub trait SessionConnectionStore: Send + Sync {
    /// Takes note of what changed, all at once.
    async fn change_session_connections(
        &self,
        session: &SessionId,
        changes: &ConnectionChanges,
    ) -> Result<(), StoreError>;

    /// What is known of a session's connections; `None`: nothing.
    async fn session_connections(&self, session: &SessionId) -> Result<Option<KnownConnections>, StoreError>;

    /// Forgets it.
    async fn delete_session_connections(&self, session: &SessionId) -> Result<(), StoreError>;
}
