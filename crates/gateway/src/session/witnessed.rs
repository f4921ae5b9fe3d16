//! What a session tells its witness, and waits for.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{EndReason, Phase, SessionTask};
use crate::relay::Side;
use crate::witness::{RecordingEnded, SessionEnded, SessionEvent};

impl SessionTask {
    /// Tells the witness, and ends the session if that cannot write it down.
    pub(super) async fn tell(&mut self, event: SessionEvent) {
        if self.shared.witness.witness(&self.record, event).await.is_err() {
            self.end(EndReason::NotWitnessed, Instant::now()).await;
        }
    }

    pub(super) async fn tell_recorded(&mut self) {
        match self.recorder.recorded().await {
            Ok(Some(recorded)) => self.tell(SessionEvent::Recorded(recorded)).await,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(session.id = %self.id, %error, "cannot read the recording of session {}; ending it", self.id);
                self.end(EndReason::RecordingFailed(error.to_string()), Instant::now()).await;
            }
        }
    }

    /// A connection that is gone before the session is over is worth a note; what follows from its end is not.
    pub(super) async fn tell_detached(&mut self, side: Side) {
        if matches!(self.phase, Phase::Live) {
            let witnessed =
                self.shared.witness.witness(&self.record, SessionEvent::Disconnected { side }).await;
            if witnessed.is_err() {
                self.end(EndReason::NotWitnessed, Instant::now()).await;
            }
        }
    }

    pub(super) async fn tell_ended(&mut self, at: Timestamp, reason: &EndReason, is_recorded: bool) {
        let recording = if is_recorded { Some(self.recording_ended().await) } else { None };
        let ended = SessionEnded {
            at,
            reason: reason.code(),
            details: reason.notice(),
            exit_code: self.exit_code,
            bytes: self.traffic,
            counted_since: self.counted_since,
            recording,
        };
        // Logged by the witness; the session is over in any case.
        let _ = self.shared.witness.witness(&self.record, SessionEvent::Ended(Box::new(ended))).await;
    }

    async fn recording_ended(&mut self) -> RecordingEnded {
        let (recordings, id) = (Arc::clone(&self.shared.recordings), self.id.clone());
        let read = tokio::task::spawn_blocking(move || recordings.recording(&id)).await;
        match read {
            Ok(Ok(Some(recording))) => RecordingEnded::Complete(Box::new(recording.summary.clone())),
            Ok(Ok(None) | Err(_)) | Err(_) => RecordingEnded::Failed,
        }
    }
}
