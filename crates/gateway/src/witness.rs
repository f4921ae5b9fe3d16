//! What happens to sessions, told to whoever keeps a record of it before it goes on.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_recording::{Recorded, RecordingSummary};
use postern_store::SessionRecord;

use crate::authorizer::ConnectionDenied;
use crate::forwarded::{Connection, ConnectionEnd};
pub use crate::relay::Side;

/// Keeps a record of what happens to sessions.
///
/// A session waits for its witness: nothing that cannot be witnessed happens. A connection is not used, and a session whose
/// witness fails is ended.
#[async_trait]
pub trait Witness: Send + Sync + 'static {
    /// Takes note of something that happened to `session`, as it was stored when it started.
    ///
    /// # Errors
    /// It could not be written down.
    async fn witness(&self, session: &SessionRecord, event: SessionEvent) -> Result<(), NotWitnessed>;
}

/// The record cannot be written. Whoever keeps it has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what happened to a session could not be written down")]
pub struct NotWitnessed;

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionEvent {
    /// A side has opened its data channel, and nothing has gone over it yet.
    Connected {
        /// The side.
        side: Side,
        /// The version that a client says to have.
        client_version: Option<String>,
    },
    /// A side's data channel is gone. The session goes on.
    Disconnected {
        /// The side.
        side: Side,
    },
    /// A connection inside it begins, or its node listens; nothing of that has gone on yet.
    ConnectionOpened(Connection),
    /// One was asked for that may not be.
    ConnectionDenied(Connection, ConnectionDenied),
    /// One is over.
    ConnectionClosed {
        /// As it was last.
        connection: Connection,
        /// When.
        at: Timestamp,
        /// Why.
        end: ConnectionEnd,
    },
    /// So much of its recording cannot be changed unnoticed any more.
    Recorded(Recorded),
    /// It is over.
    Ended(Box<SessionEnded>),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionEnded {
    /// When.
    pub at: Timestamp,
    /// Why, in the words of [`EndReason::code`](crate::EndReason::code).
    pub reason: String,
    /// The same for people; empty where the reason says it.
    pub details: String,
    /// The remote program's exit code, where it had one.
    pub exit_code: Option<i32>,
    /// Payload bytes since `counted_since`.
    pub bytes: Traffic,
    /// When this process took the session up: what went through another before is not counted.
    pub counted_since: Timestamp,
    /// What became of the recording. `None`: there is none, because the session carried no terminal.
    pub recording: Option<RecordingEnded>,
}

/// What became of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingEnded {
    /// It is complete; its side file says how long it is and what its hash is.
    Complete(Box<RecordingSummary>),
    /// It could not be completed, or not be read.
    Failed,
}

/// Payload bytes, each counted once however often it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From the client to the node.
    pub input: u64,
    /// From the node to the client.
    pub output: u64,
}

impl Traffic {
    pub(crate) fn count(&mut self, from: Side, bytes: usize) {
        let counter = match from {
            Side::Client => &mut self.input,
            Side::Agent => &mut self.output,
        };
        *counter = counter.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

/// Takes note of nothing: for those who need no record.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWitness;

#[async_trait]
impl Witness for NoWitness {
    async fn witness(&self, _: &SessionRecord, _: SessionEvent) -> Result<(), NotWitnessed> {
        Ok(())
    }
}
