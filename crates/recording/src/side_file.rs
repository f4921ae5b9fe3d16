//! The file beside a recording: who, where, when, and why it ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use postern_ids::{Arn, NodeId, SessionId};
use serde::{Deserialize, Serialize};

/// What is known of a session when its recording begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingInfo {
    /// The session.
    pub session_id: SessionId,
    /// Who started it.
    pub owner: Arn,
    /// Where it runs.
    pub node: NodeId,
    /// The node's name, or its host name.
    pub node_name: Option<String>,
    /// The session document.
    pub document: String,
    /// Its session type.
    pub session_type: String,
    /// The reason that the owner gave.
    pub reason: Option<String>,
    /// When the session started.
    pub started_at: Timestamp,
}

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingEnd {
    /// When.
    pub at: Timestamp,
    /// Why, as a session's end reason.
    pub reason: String,
    /// What the program exited with, if that is known.
    pub exit_code: Option<i32>,
}

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordingStatus {
    /// The session runs, or the server that recorded it was killed.
    Running,
    /// Complete.
    Finished,
    /// It could not be written to its end; the session ended for that.
    Interrupted,
}

/// Content of `<session>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideFile {
    /// What was known at the start.
    #[serde(flatten)]
    pub info: RecordingInfo,
    /// How far the recording is.
    pub status: RecordingStatus,
    /// When the session ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub end_reason: Option<String>,
    /// What its program exited with.
    pub exit_code: Option<i32>,
    /// Length of the finished cast.
    pub cast_bytes: Option<u64>,
    /// SHA-256 of the finished cast, in hexadecimal digits.
    pub cast_sha256: Option<String>,
}

impl SideFile {
    /// The side file of a recording that begins.
    pub(crate) fn running(info: RecordingInfo) -> Self {
        Self {
            info,
            status: RecordingStatus::Running,
            ended_at: None,
            end_reason: None,
            exit_code: None,
            cast_bytes: None,
            cast_sha256: None,
        }
    }

    /// Reads a side file.
    ///
    /// # Errors
    /// It cannot be read, or is not one.
    pub fn read(path: &Path) -> io::Result<Self> {
        let json = fs::read(path)?;
        serde_json::from_slice(&json).map_err(|error| {
            let message = format!("{} is not the side file of a recording: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// Replaces the file at once: a reader finds the old content or the new.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut json = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        json.push(b'\n');
        let temporary = path.with_extension("json.new");
        let mut file = create_private(&temporary)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    }
}

/// Creates or empties a file that only its owner may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
