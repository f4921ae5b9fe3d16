//! How recordings join the chain: their hashes are in the records of their sessions.

use serde::{Deserialize, Serialize};

use crate::chain::Hash;
use crate::record::Record;

/// The event of a session's end. Its `serviceEventDetails.recording` are the files of the recording, complete.
pub const SESSION_ENDED: &str = "SessionEnded";
/// The event that vouches for a part of a recording while it grows: `serviceEventDetails.recording` are the files up
/// to the length that is given.
pub const SESSION_RECORDING_PROGRESS: &str = "SessionRecordingProgress";

/// A file of a recording, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedFile {
    /// What it is: `asciicast` or `description`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name in the directory of recordings.
    pub file: String,
    /// How many bytes from its beginning.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Hash,
}

/// The details that matter here; the events have more.
#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    recording: Vec<RecordedFile>,
}

impl RecordedFile {
    /// The files that a record vouches for, and whether they are complete. `None` for records of other events.
    ///
    /// # Errors
    /// The details cannot be read.
    pub(crate) fn of(record: &Record) -> Option<Result<(Vec<Self>, bool), serde_json::Error>> {
        let is_final = match record.event_name.as_str() {
            SESSION_ENDED => true,
            SESSION_RECORDING_PROGRESS => false,
            _ => return None,
        };
        let details = record.service_event_details.clone().unwrap_or_default();
        Some(serde_json::from_value(details).map(|Details { recording }| (recording, is_final)))
    }
}
