//! The side file of a recording: who, where, when, and why it ended.

use jiff::Timestamp;
use postern_ids::{Arn, NodeId, SessionId};
use serde::{Deserialize, Serialize};

/// What is known when a recording begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingInfo {
    /// The session.
    pub session_id: SessionId,
    /// Who started it.
    pub owner: Arn,
    /// Where.
    pub node: NodeId,
    /// The node's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// The session document.
    pub document: String,
    /// The session type, such as `Standard_Stream`.
    pub session_type: String,
    /// Why, in the owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub started_at: Timestamp,
}

impl RecordingInfo {
    /// What a player shows above the recording.
    pub(crate) fn title(&self) -> String {
        match &self.node_name {
            Some(name) => format!("{} on {name} ({})", self.session_id, self.node),
            None => format!("{} on {}", self.session_id, self.node),
        }
    }
}

/// What is known when a recording ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingEnd {
    /// When.
    pub at: Timestamp,
    /// Why, in the words of the session's end: `user`, `shell-exit`, `idle`, …
    pub reason: String,
    /// The remote program's exit code, where it had one.
    pub exit_code: Option<i32>,
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordingStatus {
    /// It is being written, or was when the server last stopped.
    Running,
    /// It is complete.
    Finished,
    /// It is complete up to the point where it could not go on.
    Interrupted,
}

/// A recording's side file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingSummary {
    /// What was known at the beginning.
    #[serde(flatten)]
    pub info: RecordingInfo,
    /// What became of it.
    pub status: RecordingStatus,
    /// When the session ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// The remote program's exit code, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Length of the cast in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 of the cast, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl RecordingSummary {
    /// The side file of a recording that begins.
    pub(crate) fn running(info: RecordingInfo) -> Self {
        Self {
            info,
            status: RecordingStatus::Running,
            ended_at: None,
            end_reason: None,
            exit_code: None,
            bytes: None,
            sha256: None,
        }
    }
}
