//! What is removed from a trail, and said on it first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chain::{Class, Hash};
use crate::record::Record;

/// The event that tells of a removal of records and log files.
pub const EVENT_NAME: &str = "AuditRecordsRemoved";
/// The event that tells of a removal of recordings.
pub const RECORDINGS_EVENT_NAME: &str = "SessionRecordingsRemoved";
/// Entries of one tombstone. A removal of more has several.
pub const ENTRIES_MAX: usize = 200;

/// What is removed. A line of the kind `tombstone` is a record of the event [`EVENT_NAME`] or [`RECORDINGS_EVENT_NAME`]
/// whose `serviceEventDetails` are this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// Who ordered it: an ARN.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The beginning of the chain, whole segments of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<RemovedSegments>,
    /// The bodies of records of a class in a segment; the lines stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RemovedRecords>,
    /// Log files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<RemovedFile>,
    /// Recordings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<RemovedRecording>,
}

/// The beginning of the chain that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedSegments {
    /// The first line that was there.
    pub first_sequence: u64,
    /// The last line that is removed.
    pub last_sequence: u64,
    /// Its hash, which the next line follows.
    pub last_hash: Hash,
    /// How many records were shown of it.
    pub records: u64,
}

/// Records of one class in one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedRecords {
    /// The class.
    pub class: Class,
    /// The first line.
    pub first_sequence: u64,
    /// The last line.
    pub last_sequence: u64,
    /// How many lines of the class lie between them.
    pub count: u64,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedFile {
    /// Its name.
    pub name: String,
    /// The hash of what it held.
    pub hash_value: Hash,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedRecording {
    /// The session.
    pub session_id: String,
    /// Whose it was: an ARN.
    pub owner: String,
    /// The node it ran on.
    pub target: String,
    /// When it started.
    pub start_time: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// When the removal was ordered.
    pub ordered_time: Timestamp,
    /// The name of the asciicast file.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The hash of what it held.
    pub hash_value: Hash,
}

impl Tombstone {
    /// The event's details.
    #[must_use]
    pub fn to_details(&self) -> Value {
        json!(self)
    }

    /// What a record tells.
    ///
    /// # Errors
    /// It is not the record of a tombstone.
    pub fn from_record(record: &Record) -> Result<Self, serde_json::Error> {
        serde_json::from_value(record.service_event_details.clone().unwrap_or_default())
    }
}
