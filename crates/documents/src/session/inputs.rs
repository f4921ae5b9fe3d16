//! `inputs`: the preferences of a session.
//!
//! Source: "Session document schema" of the AWS Systems Manager User Guide.

mod check;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::switch::Switch;
use super::{DocumentError, SessionType, TimeLimits};
use crate::substitute::{has_reference, substitute};

pub(super) const FIELDS: &[&str] = &[
    "s3BucketName",
    "s3KeyPrefix",
    "s3EncryptionEnabled",
    "cloudWatchLogGroupName",
    "cloudWatchEncryptionEnabled",
    "cloudWatchStreamingEnabled",
    "kmsKeyId",
    super::recording::FIELD,
    "runAsEnabled",
    "runAsDefaultUser",
    "idleSessionTimeout",
    "maxSessionDuration",
    "shellProfile",
];
pub(super) const SHELL_FIELDS: &[&str] = &["linux", "windows"];

/// Minutes without input or output after which a session ends: AWS's default.
const IDLE_MINUTES_DEFAULT: u32 = 20;

/// The preferences as a document writes them: any of them may be a reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Inputs {
    s3_bucket_name: String,
    s3_key_prefix: String,
    s3_encryption_enabled: Switch,
    cloud_watch_log_group_name: String,
    cloud_watch_encryption_enabled: Switch,
    cloud_watch_streaming_enabled: Switch,
    kms_key_id: String,
    run_as_enabled: Switch,
    run_as_default_user: String,
    idle_session_timeout: String,
    max_session_duration: String,
    shell_profile: ShellProfile,
}

/// What a shell is told when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ShellProfile {
    /// On Linux and macOS.
    pub linux: String,
    /// On Windows.
    pub windows: String,
}

/// The preferences of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Where the log goes when the session is over.
    pub s3_bucket_name: Option<String>,
    /// What the log's key begins with.
    pub s3_key_prefix: Option<String>,
    /// Whether the bucket must be encrypted.
    pub s3_encryption_enabled: bool,
    /// Where the log goes, line by line or when the session is over.
    pub cloud_watch_log_group_name: Option<String>,
    /// Whether the log group must be encrypted.
    pub cloud_watch_encryption_enabled: bool,
    /// Whether the log goes there while the session runs.
    pub cloud_watch_streaming_enabled: bool,
    /// The key for encryption between client and node.
    pub kms_key_id: Option<String>,
    /// Whether the session runs as a user that the document or the caller's tags name.
    pub run_as_enabled: bool,
    /// That user, if the tags name none.
    pub run_as_default_user: Option<String>,
    /// Minutes without input or output until the session ends.
    pub idle_timeout_minutes: Option<u32>,
    /// Minutes until the session ends in any case.
    pub max_session_duration_minutes: Option<u32>,
    /// What the shell is told when it starts.
    pub shell_profile: ShellProfile,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            s3_bucket_name: String::new(),
            s3_key_prefix: String::new(),
            s3_encryption_enabled: Switch::Plain(true),
            cloud_watch_log_group_name: String::new(),
            cloud_watch_encryption_enabled: Switch::Plain(true),
            cloud_watch_streaming_enabled: Switch::Plain(false),
            kms_key_id: String::new(),
            run_as_enabled: Switch::Plain(false),
            run_as_default_user: String::new(),
            idle_session_timeout: IDLE_MINUTES_DEFAULT.to_string(),
            max_session_duration: String::new(),
            shell_profile: ShellProfile::default(),
        }
    }
}

impl Inputs {
    /// Reads preferences; `null` and absent ones take their defaults.
    pub(super) fn read(inputs: Option<&Value>, limits: TimeLimits) -> Result<Self, DocumentError> {
        let Some(inputs) = inputs.filter(|inputs| !inputs.is_null()) else { return Ok(Self::default()) };
        let Some(members) = inputs.as_object() else {
            return Err(DocumentError::field("inputs", "not an object"));
        };
        let present = members.iter().filter(|(_, value)| !value.is_null());
        let present: Map<String, Value> =
            present.map(|(name, value)| (name.clone(), value.clone())).collect();
        check::types(&present)?;
        let inputs: Self =
            serde_json::from_value(present.into()).map_err(|error| DocumentError::json("inputs", &error))?;
        for (name, switch) in inputs.switches() {
            switch.check(&format!("inputs.{name}"))?;
        }
        if !has_reference(&inputs.idle_session_timeout) {
            inputs.idle_timeout_minutes(limits)?;
        }
        if !has_reference(&inputs.max_session_duration) {
            inputs.max_session_duration_minutes(limits)?;
        }
        Ok(inputs)
    }

    /// What whoever writes a document is told, and whoever receives one is not.
    pub(super) fn check(&self, session_type: SessionType) -> Result<(), DocumentError> {
        check::values(self, session_type)
    }

    fn switches(&self) -> [(&'static str, &Switch); 4] {
        [
            ("s3EncryptionEnabled", &self.s3_encryption_enabled),
            ("cloudWatchEncryptionEnabled", &self.cloud_watch_encryption_enabled),
            ("cloudWatchStreamingEnabled", &self.cloud_watch_streaming_enabled),
            ("runAsEnabled", &self.run_as_enabled),
        ]
    }

    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts, booleans and one structure of texts")
    }

    /// The preferences with references replaced. Numbers become texts, as which documents write them.
    pub(super) fn substituted(&self, arguments: &Map<String, Value>) -> Value {
        let mut inputs = substitute(&self.to_value(), arguments);
        for value in inputs.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if value.is_number() {
                *value = Value::String(value.to_string());
            }
        }
        inputs
    }

    /// The preferences, once references have been replaced.
    pub(super) fn resolved(self, limits: TimeLimits) -> Result<Preferences, DocumentError> {
        let idle_timeout_minutes = self.idle_timeout_minutes(limits)?;
        let max_session_duration_minutes = self.max_session_duration_minutes(limits)?;
        let text = |text: String| (!text.is_empty()).then_some(text);
        Ok(Preferences {
            s3_bucket_name: text(self.s3_bucket_name),
            s3_key_prefix: text(self.s3_key_prefix),
            s3_encryption_enabled: self.s3_encryption_enabled.resolved("inputs.s3EncryptionEnabled")?,
            cloud_watch_log_group_name: text(self.cloud_watch_log_group_name),
            cloud_watch_encryption_enabled: self
                .cloud_watch_encryption_enabled
                .resolved("inputs.cloudWatchEncryptionEnabled")?,
            cloud_watch_streaming_enabled: self
                .cloud_watch_streaming_enabled
                .resolved("inputs.cloudWatchStreamingEnabled")?,
            kms_key_id: text(self.kms_key_id),
            run_as_enabled: self.run_as_enabled.resolved("inputs.runAsEnabled")?,
            run_as_default_user: text(self.run_as_default_user),
            idle_timeout_minutes,
            max_session_duration_minutes,
            shell_profile: self.shell_profile,
        })
    }

    /// `None`: the session may be idle for ever.
    fn idle_timeout_minutes(&self, limits: TimeLimits) -> Result<Option<u32>, DocumentError> {
        if self.idle_session_timeout.is_empty() {
            return Ok(Some(IDLE_MINUTES_DEFAULT));
        }
        minutes("inputs.idleSessionTimeout", &self.idle_session_timeout, limits.idle_minutes_max)
    }

    fn max_session_duration_minutes(&self, limits: TimeLimits) -> Result<Option<u32>, DocumentError> {
        if self.max_session_duration.is_empty() {
            return Ok(None);
        }
        minutes("inputs.maxSessionDuration", &self.max_session_duration, limits.duration_minutes_max)
    }
}

/// Minutes from 1 to `max`. Where there is no `max`, `0` is no limit: `None`.
fn minutes(place: &str, text: &str, max: Option<u32>) -> Result<Option<u32>, DocumentError> {
    let found = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    match (found, max) {
        (Some(0), None) => Ok(None),
        (Some(minutes), None) => Ok(Some(minutes)),
        (Some(minutes), Some(max)) if (1..=max).contains(&minutes) => Ok(Some(minutes)),
        (_, Some(max)) => {
            Err(DocumentError::field(place, format!("{text:?} is not a number of minutes from 1 to {max}")))
        }
        (None, None) => Err(DocumentError::field(
            place,
            format!("{text:?} is not a number of minutes; \"0\" is no limit"),
        )),
    }
}
