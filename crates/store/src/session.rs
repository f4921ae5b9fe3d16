//! Sessions: who, where, when, why they ended; and the tokens that open their channels.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{Arn, NodeId, SessionId};

use crate::{Page, Paged, StoreError, Tag, TokenGrant, TokenHash, TokenScope, text_enum};

/// How long `DescribeSessions` shows a session after its end.
/// Source: AWS SSM API reference, `DescribeSessions`.
pub const HISTORY_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

text_enum!(
    /// The state of a session, as AWS spells it.
    SessionStatus,
    "a session status" {
        /// Created; not both ends are there yet.
        Connecting = "Connecting",
        /// Both ends are there.
        Connected = "Connected",
        /// The client is away and may resume.
        Disconnected = "Disconnected",
        /// Being ended.
        Terminating = "Terminating",
        /// Ended.
        Terminated = "Terminated",
        /// Ended before it worked.
        Failed = "Failed",
    }
);

impl SessionStatus {
    /// Whether the session has not ended yet.
    #[must_use]
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Terminated | Self::Failed)
    }
}

text_enum!(
    /// How the right to the session came about.
    AccessType,
    "an access type" {
        /// By policy.
        Standard = "Standard",
        /// By an approved request.
        JustInTime = "JustInTime",
    }
);

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// The identifier.
    pub id: SessionId,
    /// The node it runs on, which may have been deregistered since.
    pub node: NodeId,
    /// Who started it.
    pub owner_arn: Arn,
    /// The owner's `aws:userid`.
    pub owner_user_id: String,
    /// The session document.
    pub document_name: String,
    /// The document's session type, such as `Standard_Stream`.
    pub session_type: String,
    /// The reason the owner gave.
    pub reason: Option<String>,
    /// How the right to it came about.
    pub access_type: AccessType,
    /// Its state.
    pub status: SessionStatus,
    /// Since when it is in that state: a client that is away may resume until the idle timeout after it left.
    pub status_since: Timestamp,
    /// When it was created.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended: `user`, `shell-exit`, `idle`, `max-duration`, `failed:<cause>`, …
    pub end_reason: Option<String>,
    /// The end in words for people.
    pub details: Option<String>,
    /// The remote program's exit code, where it had one.
    pub exit_code: Option<i32>,
    /// The document's parameters as given.
    pub parameters: serde_json::Value,
    /// The longest it may last.
    pub max_session_duration_minutes: Option<u32>,
    /// The longest it may be idle, in minutes; 0 is for as long as its client is there.
    pub idle_timeout_minutes: u32,
    /// Where the owner called from.
    pub client_ip: Option<String>,
    /// What the right to it rested on when it started, in the words of whoever authorised it.
    pub authority: Option<serde_json::Value>,
}

/// A session that has not ended, as far as the right to it is concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionClaim {
    /// The session.
    pub id: SessionId,
    /// The node it runs on.
    pub node: NodeId,
    /// The owner's `aws:userid`.
    pub owner_user_id: String,
    /// See [`SessionRecord::authority`].
    pub authority: Option<serde_json::Value>,
    /// The node's tags, ordered by key. `None`: the node is registered no longer.
    pub node_tags: Option<Vec<Tag>>,
}

text_enum!(
    /// How a session ends.
    EndStatus,
    "an end status" {
        /// It worked.
        Terminated = "Terminated",
        /// It never worked.
        Failed = "Failed",
    }
);

impl From<EndStatus> for SessionStatus {
    fn from(status: EndStatus) -> Self {
        match status {
            EndStatus::Terminated => Self::Terminated,
            EndStatus::Failed => Self::Failed,
        }
    }
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// How.
    pub status: EndStatus,
    /// Why, in one of the words of [`SessionRecord::end_reason`].
    pub reason: String,
    /// In words for people.
    pub details: Option<String>,
    /// The remote program's exit code, where it had one.
    pub exit_code: Option<i32>,
    /// When.
    pub at: Timestamp,
}

/// Which sessions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Those that have not ended.
    Active,
    /// Those that ended within [`HISTORY_KEPT`] before `now`.
    History {
        /// The time.
        now: Timestamp,
    },
    /// All there ever were.
    Any,
}

/// A condition on listed sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionFilter {
    /// Started then or later.
    InvokedAfter(Timestamp),
    /// Started earlier.
    InvokedBefore(Timestamp),
    /// On this node.
    Target(NodeId),
    /// Started by this principal.
    Owner(Arn),
    /// In this state.
    Status(SessionStatus),
    /// This session.
    SessionId(SessionId),
    /// With this kind of access.
    AccessType(AccessType),
}

/// Where a page of sessions ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SessionCursor {
    /// The last session's start.
    pub started_at: Timestamp,
    /// The last session.
    pub id: SessionId,
}

/// A page of sessions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionQuery {
    /// Active ones, past ones, or both.
    pub state: SessionState,
    /// All must match.
    pub filters: Vec<SessionFilter>,
    /// Which page.
    pub page: Page<SessionCursor>,
}

/// Why a session was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateSessionError {
    /// The node does not exist (any more).
    #[error("{node} does not exist")]
    NodeUnknown {
        /// The node.
        node: NodeId,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sessions and the tokens that open their channels.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Remembers a new session, whose identifier is random and thus new, together with the token that its client
    /// opens it with: both or none.
    ///
    /// # Errors
    /// Refuses a node that does not exist, so that no session begins while its node is being deregistered.
    async fn create_session(
        &self,
        session: &SessionRecord,
        client_token: &TokenGrant,
    ) -> Result<(), CreateSessionError>;

    /// The session with this identifier.
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// A page of sessions, newest start first, those of one instant by identifier.
    async fn sessions(&self, query: &SessionQuery)
    -> Result<Paged<SessionRecord, SessionCursor>, StoreError>;

    /// Every session that has not ended, oldest first: what a server takes up again after a restart.
    async fn live_sessions(&self) -> Result<Vec<SessionRecord>, StoreError>;

    /// At most `limit` sessions that have not ended, those after `after` by identifier: all of them, page by page.
    async fn session_claims(
        &self,
        after: Option<&SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionClaim>, StoreError>;

    /// `Connecting` or `Disconnected` becomes `Connected`. `false`: the session was in another state, or unknown.
    async fn mark_connected(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError>;

    /// `Connected` becomes `Disconnected`. `false`: the session was in another state, or unknown.
    async fn mark_disconnected(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError>;

    /// Any live state becomes `Terminating`. `true` only for the one call that made the change.
    async fn begin_termination(&self, id: &SessionId, at: Timestamp) -> Result<bool, StoreError>;

    /// Any live state becomes `Terminated` or `Failed`, and the session's unredeemed tokens are gone. The first end
    /// wins and stays: `true` only for the one call that made the change.
    async fn finish_session(&self, id: &SessionId, end: &SessionEnd) -> Result<bool, StoreError>;

    /// Remembers a token, and forgets those that expired before `at`. One for a session that has ended or a node
    /// that is gone is not issued: `false`.
    async fn issue_token(&self, grant: &TokenGrant, at: Timestamp) -> Result<bool, StoreError>;

    /// What the token opens, once: of any number of calls with one token exactly one gets it. `None` for a token that
    /// is unknown, used, expired at `at`, or whose session ended or node is gone.
    async fn redeem_token(&self, hash: &TokenHash, at: Timestamp) -> Result<Option<TokenScope>, StoreError>;
}
