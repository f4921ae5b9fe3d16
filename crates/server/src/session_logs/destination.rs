//! Where a log goes, as the store keeps it.

use jiff::Timestamp;
use postern_ids::SessionId;
use postern_store::{SessionLog, SessionLogSink, SessionLogState};
use serde::{Deserialize, Serialize};

/// Where a log goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum Destination {
    /// An object, when the session is over.
    S3 { bucket: String, key: String },
    /// Events in a stream.
    CloudWatch { log_group: String, log_stream: String, form: EventForm, run_as_user: String },
    /// Records for the collector of a kind that the settings name, while the session runs.
    Collector { collector: CollectorKind, run_as_user: String },
}

/// A kind of collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CollectorKind {
    Webhook,
    Syslog,
    Otlp,
}

impl CollectorKind {
    pub(crate) fn sink(self) -> SessionLogSink {
        match self {
            Self::Webhook => SessionLogSink::Webhook,
            Self::Syslog => SessionLogSink::Syslog,
            Self::Otlp => SessionLogSink::Otlp,
        }
    }
}

/// What the events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum EventForm {
    /// Records of lines, while the session runs.
    Streaming,
    /// The text, when it is over.
    AtEnd,
}

impl Destination {
    pub(crate) fn sink(&self) -> SessionLogSink {
        match self {
            Self::S3 { .. } => SessionLogSink::S3,
            Self::CloudWatch { .. } => SessionLogSink::CloudWatch,
            Self::Collector { collector, .. } => collector.sink(),
        }
    }

    /// The log of a session that is about to start. `due`: when somebody else is to take it up, should nobody have.
    pub(crate) fn log(&self, session: &SessionId, at: Timestamp, due: Timestamp) -> SessionLog {
        SessionLog {
            session: session.clone(),
            sink: self.sink(),
            destination: serde_json::to_value(self).expect("texts are always JSON"),
            state: SessionLogState::Waiting,
            cursor: None,
            attempts: 0,
            failing_since: None,
            next_attempt_at: due,
            last_error: None,
            created_at: at,
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::CloudWatch { log_group, log_stream, .. } => {
                write!(f, "log group {log_group}, stream {log_stream}")
            }
            Self::Collector { collector, .. } => write!(f, "the collector of the kind {}", collector.sink()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_destination_is_stored_as_it_will_be_read() {
        let cloud_watch = Destination::CloudWatch {
            log_group: "/sessions".to_owned(),
            log_stream: "one".to_owned(),
            form: EventForm::AtEnd,
            run_as_user: String::new(),
        };
        let collector =
            Destination::Collector { collector: CollectorKind::Otlp, run_as_user: "ops".to_owned() };
        let s3 = Destination::S3 { bucket: "logs".to_owned(), key: "team/one.log".to_owned() };
        for (destination, stored) in [
            (collector, json!({"collector": "otlp", "runAsUser": "ops"})),
            (s3, json!({"bucket": "logs", "key": "team/one.log"})),
            (
                cloud_watch,
                json!({"logGroup": "/sessions", "logStream": "one", "form": "atEnd", "runAsUser": ""}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&destination).unwrap(), stored);
            assert_eq!(serde_json::from_value::<Destination>(stored).unwrap(), destination);
        }
    }
}
