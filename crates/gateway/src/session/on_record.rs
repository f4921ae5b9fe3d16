//! What goes through a session goes on record first, and is understood first where it has to be.

use std::collections::VecDeque;

use postern_protocol::PayloadType;
use postern_sftp::NotUnderstood;
use tokio::time::Instant;

use super::{EndReason, SessionTask};
use crate::relay::{Recordable, Side};

impl SessionTask {
    /// Puts what came in on the record, and lets it go on.
    pub(super) async fn record(&mut self) {
        let mut input = self.relay.take_unexamined();
        let mut output = self.relay.take_unrecorded();
        if input.is_empty() && output.is_empty() {
            return;
        }
        for (side, batch) in [(Side::Client, &input), (Side::Agent, &output)] {
            self.traffic.count(side, batch.iter().map(|recordable| recordable.payload.len()).sum());
        }
        let mut lines = Vec::new();
        let understood = match self.follow_files(&input, &output, &mut lines) {
            Ok(()) => self.follow_connections(&mut input, &mut output, &mut lines).await,
            Err(error) => {
                lines.push(format!("This cannot be understood, and the session ends: {error}."));
                Err(EndReason::NotUnderstood(error.to_string()))
            }
        };
        let at = self.shared.clock.now();
        let recorded = match self.recorder.note(lines, at).await {
            Ok(()) => self.recorder.record(output, at).await,
            Err(error) => Err(error),
        };
        match (recorded, understood) {
            (Ok(output), Ok(())) => {
                self.relay.handle_examined(input);
                self.relay.handle_recorded(output);
                self.recorded_bytes.send_replace(self.recorder.recorded_bytes());
                if self.recorder.is_on() && self.recorded_due.is_none() {
                    self.recorded_due = Some(Instant::now() + self.shared.config.recording_vouched_within);
                }
            }
            (Ok(_), Err(reason)) => {
                let why = reason.notice();
                tracing::warn!(session.id = %self.id, why, "cannot tell what session {} does; ending it", self.id);
                self.end(reason, Instant::now()).await;
            }
            (Err(error), _) => {
                tracing::error!(session.id = %self.id, %error, "cannot write the recording of session {}; ending it", self.id);
                self.end(EndReason::RecordingFailed(error.to_string()), Instant::now()).await;
            }
        }
    }

    /// Reads what is done with files, if that is what the session is for. Requests come before the replies to them.
    fn follow_files(
        &mut self,
        input: &VecDeque<Recordable>,
        output: &VecDeque<Recordable>,
        lines: &mut Vec<String>,
    ) -> Result<(), NotUnderstood> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let data = |recordable: &&Recordable| recordable.payload_type == PayloadType::Output;
        input.iter().filter(data).try_for_each(|message| journal.client(&message.payload, lines))?;
        output.iter().filter(data).try_for_each(|message| journal.node(&message.payload, lines))
    }
}
