//! Who may connect to what inside a session: asked for each connection, answered by whoever knows the policies.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_store::SessionRecord;
use serde_json::Value;

use crate::forwarded::Route;

/// Decides about the connections inside port sessions.
#[async_trait]
pub trait ConnectionAuthorizer: Send + Sync + 'static {
    /// Where all connections of a session lead, if its start settled that.
    fn settled_route(&self, session: &SessionRecord) -> Option<Route>;

    /// Whether a connection of the session may lead there, or its node listen there; the answer is the same place in the form in
    /// which policies know it.
    async fn authorize(&self, session: &SessionRecord, route: &Route) -> Result<Route, ConnectionDenied>;

    /// Which of these may not any more, by number. Each is asked for with the time of its beginning, so that only changes of what
    /// was granted count.
    ///
    /// # Errors
    /// It cannot be told.
    async fn review(
        &self,
        session: &SessionRecord,
        open: &[OpenRoute],
    ) -> Result<Vec<u32>, ConnectionsUndecided>;
}

/// Where a connection that is open leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRoute {
    /// The connection's number.
    pub id: u32,
    /// Where it leads.
    pub route: Route,
    /// Since when.
    pub opened_at: Timestamp,
}

/// A connection that may not be.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionDenied {
    /// Where it was to lead, in the form in which policies know it.
    pub route: Route,
    /// Why, for people.
    pub message: String,
    /// The decision, for records.
    pub decision: Option<Value>,
}

/// It cannot be told whether connections may go on. Whoever could not tell has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be told whether connections may go on")]
pub struct ConnectionsUndecided;

/// Lets everything pass: for those who have no policies.
#[derive(Debug, Clone, Copy, Default)]
pub struct EveryConnection;

#[async_trait]
impl ConnectionAuthorizer for EveryConnection {
    fn settled_route(&self, _: &SessionRecord) -> Option<Route> {
        None
    }

    async fn authorize(&self, _: &SessionRecord, route: &Route) -> Result<Route, ConnectionDenied> {
        Ok(route.clone())
    }

    async fn review(&self, _: &SessionRecord, _: &[OpenRoute]) -> Result<Vec<u32>, ConnectionsUndecided> {
        Ok(Vec::new())
    }
}
