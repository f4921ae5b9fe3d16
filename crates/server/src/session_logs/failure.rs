//! Why a log is not where it should be.

use std::io;

use postern_store::StoreError;

use super::SinkError;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The sink did not take it.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// There is nothing to read any more.
    #[error("there is no recording of the session")]
    RecordingGone,
    /// Nobody records the session, and the recording has not been completed.
    #[error("the recording of the session is not complete")]
    RecordingIncomplete,
    /// It cannot be read now.
    #[error("the recording of the session cannot be read")]
    Recording(#[from] io::Error),
    /// How far it is cannot be read or written.
    #[error("storage failed")]
    Store(#[from] StoreError),
    /// What the store has of it is of no version that is known.
    #[error("what is stored of the log cannot be read")]
    Stored(#[source] serde_json::Error),
}

impl Failure {
    /// Whether another attempt makes no sense.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::RecordingGone | Self::Stored(_))
    }

    /// What happened, with its causes, in one line.
    pub(super) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
