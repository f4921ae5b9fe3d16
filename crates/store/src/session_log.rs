//! Logs of sessions that the server writes to a bucket or a log group: where they go, and how far they are.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::SessionId;

use crate::{StoreError, text_enum};

text_enum!(
    /// What kind of place a log goes to.
    SessionLogSink,
    "a kind of session log" {
        /// An object in a bucket.
        S3 = "S3",
        /// Events in a log group.
        CloudWatch = "CloudWatch",
        /// Records that are posted to an address.
        Webhook = "Webhook",
        /// Messages to a collector of syslog.
        Syslog = "Syslog",
        /// Records for a collector of OpenTelemetry.
        Otlp = "OTLP",
    }
);

text_enum!(
    /// What has become of a log.
    SessionLogState,
    "a state of a session log" {
        /// It is not there whole.
        Waiting = "Waiting",
        /// It is there.
        Delivered = "Delivered",
        /// It never came there whole, and is not tried any more.
        Abandoned = "Abandoned",
    }
);

/// The log of a session at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionLog {
    /// The session.
    pub session: SessionId,
    /// The kind of place. A session has one log of each.
    pub sink: SessionLogSink,
    /// The place, in the words of whoever delivers.
    pub destination: serde_json::Value,
    /// What has become of it.
    pub state: SessionLogState,
    /// How far it is, in the words of whoever delivers. `None`: nothing is there yet.
    pub cursor: Option<serde_json::Value>,
    /// Attempts that failed since something was delivered last.
    pub attempts: u32,
    /// When the first of these was.
    pub failing_since: Option<Timestamp>,
    /// Not before then is it tried again.
    pub next_attempt_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What an attempt that failed leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLogFailure {
    /// Attempts that failed since something was delivered last.
    pub attempts: u32,
    /// When the first of these was.
    pub failing_since: Timestamp,
    /// Not before then is it tried again.
    pub next_attempt_at: Timestamp,
    /// Why.
    pub error: String,
}

/// Logs of sessions. One process delivers; what it works on it has claimed.
#[async_trait]
pub trait SessionLogStore: Send + Sync {
    /// Remembers logs to be delivered: all or none. Nobody has claimed them.
    async fn add_session_logs(&self, logs: &[SessionLog]) -> Result<(), StoreError>;

    /// The logs of a session, whatever has become of them.
    async fn session_logs(&self, session: &SessionId) -> Result<Vec<SessionLog>, StoreError>;

    /// Forgets the logs of a session that did not come about.
    async fn forget_session_logs(&self, session: &SessionId) -> Result<(), StoreError>;

    /// Gives all claims up: those of an earlier process.
    async fn release_session_logs(&self) -> Result<(), StoreError>;

    /// Claims the waiting logs of a session that nobody has claimed.
    async fn claim_session_logs(&self, session: &SessionId) -> Result<Vec<SessionLog>, StoreError>;

    /// Claims at most `limit` waiting logs that nobody has claimed and whose time has come at `at`, those that wait
    /// longest first.
    async fn claim_due_session_logs(
        &self,
        sink: SessionLogSink,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionLog>, StoreError>;

    /// Something was delivered, up to `cursor`.
    async fn advance_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        cursor: &serde_json::Value,
    ) -> Result<(), StoreError>;

    /// An attempt failed, and the claim is given up.
    async fn postpone_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        failure: &SessionLogFailure,
    ) -> Result<(), StoreError>;

    /// A log is delivered, or given up for a reason.
    async fn end_session_log(
        &self,
        session: &SessionId,
        sink: SessionLogSink,
        state: SessionLogState,
        error: Option<&str>,
    ) -> Result<(), StoreError>;
}
