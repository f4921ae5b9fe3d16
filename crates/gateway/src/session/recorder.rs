//! The recording of one session, written away from the threads that relay.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use postern_documents::SFTP_DOCUMENT_NAME;
use postern_protocol::encryption::is_encrypted;
use postern_protocol::handshake::HandshakeComplete;
use postern_protocol::payload::{Size, exit_code_from_text};
use postern_protocol::{PayloadType, Role};
use postern_recording::{Durability, Entry, Recorded, Recorder, RecordingEnd, RecordingInfo};
use postern_store::SessionRecord;
use tokio::task::spawn_blocking;

use super::EndReason;
use super::encryption::Sight;
use crate::gateway::{NodeDescription, PORT, Shared};
use crate::relay::Recordable;

/// See the [module's documentation](self).
pub(crate) enum SessionRecorder {
    /// The session began before sessions of its type were recorded.
    Off,
    /// The recorder comes back from each write; after one that failed there is none.
    On {
        recorder: Option<Box<Recorder>>,
        resizes: Vec<Entry>,
        durability: Durability,
        kept: Kept,
        sight: Sight,
    },
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// What the terminal shows.
    Output,
    /// How much went each way: what goes over a connection is nobody's business, as on AWS.
    Traffic,
    /// What is done with files.
    Files,
}

impl Kept {
    pub(crate) fn of(session: &SessionRecord) -> Self {
        if session.session_type != PORT {
            Self::Output
        } else if session.document_name == SFTP_DOCUMENT_NAME {
            Self::Files
        } else {
            Self::Traffic
        }
    }

    /// What its recording begins with.
    fn introduction(self) -> Option<&'static str> {
        match self {
            Self::Output => None,
            Self::Traffic => Some("A connection. What goes over it is not recorded."),
            Self::Files => {
                Some("A transfer of files. What is done with them is recorded, not what they hold.")
            }
        }
    }
}

/// A batch of at most this many bytes is written by the thread that relays it, unless it must reach the disk: it goes
/// into the page cache in microseconds, while a change of threads and back takes as long as the rest of a
/// keystroke's way through the server.
const INLINE_BYTES_MAX: usize = 4 * 1024;

impl SessionRecorder {
    /// Begins a recording.
    pub(crate) async fn create(
        shared: &Arc<Shared>,
        session: &SessionRecord,
        node: NodeDescription,
    ) -> io::Result<Self> {
        let kept = Kept::of(session);
        let info = RecordingInfo {
            session_id: session.id.clone(),
            owner: session.owner_arn.clone(),
            node: session.node.clone(),
            node_name: node.name.or(node.computer_name),
            document: session.document_name.clone(),
            session_type: session.session_type.clone(),
            reason: session.reason.clone(),
            started_at: session.started_at,
        };
        let recordings = Arc::clone(&shared.recordings);
        let recorder = blocking(move || recordings.create(&info)).await?;
        let mut begun = Self::on(recorder, shared, kept);
        begun.note(kept.introduction().into_iter().map(str::to_owned).collect(), session.started_at).await?;
        Ok(begun)
    }

    /// Goes on with the recording of a session that an earlier process carried.
    pub(crate) async fn reopen(shared: &Arc<Shared>, session: &SessionRecord) -> io::Result<Self> {
        let kept = Kept::of(session);
        let recordings = Arc::clone(&shared.recordings);
        let id = session.id.clone();
        match blocking(move || recordings.reopen(&id)).await {
            Ok(recorder) => Ok(Self::on(recorder, shared, kept)),
            Err(error) if kept == Kept::Traffic && error.kind() == io::ErrorKind::NotFound => Ok(Self::Off),
            Err(error) => Err(error),
        }
    }

    fn on(recorder: Recorder, shared: &Shared, kept: Kept) -> Self {
        let durability = shared.recordings.durability();
        let sight = Sight::Clear;
        Self::On { recorder: Some(Box::new(recorder)), resizes: Vec::new(), durability, kept, sight }
    }

    /// What is seen of encrypted output from now on.
    pub(crate) fn see(&mut self, seen: Sight) {
        if let Self::On { sight, .. } = self {
            *sight = seen;
        }
    }

    /// Whether there is anything to record.
    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// The number of the first output message that is not on the record.
    pub(crate) fn next_sequence_number(&self) -> i64 {
        match self {
            Self::On { recorder: Some(recorder), .. } => recorder.next_sequence(),
            Self::On { recorder: None, .. } | Self::Off => 0,
        }
    }

    /// How many bytes are on record.
    pub(crate) fn recorded_bytes(&self) -> u64 {
        match self {
            Self::On { recorder: Some(recorder), .. } => recorder.recorded_bytes(),
            Self::On { recorder: None, .. } | Self::Off => 0,
        }
    }

    /// Notes a new size of the client's terminal; it goes on the record with the next output.
    pub(crate) fn resize(&mut self, size: Size, at: Timestamp) {
        if let Self::On { resizes, .. } = self {
            // Only the last of those without output in between would be seen.
            resizes.clear();
            resizes.push(Entry::Resize { cols: size.cols, rows: size.rows, at });
        }
    }

    /// Writes output down and gives it back once that is done.
    ///
    /// # Errors
    /// It could not be written, so nobody may see it. The recording is over.
    pub(crate) async fn record(
        &mut self,
        batch: VecDeque<Recordable>,
        at: Timestamp,
    ) -> io::Result<VecDeque<Recordable>> {
        let Self::On { kept: Kept::Output, resizes, sight, .. } = self else { return Ok(batch) };
        let mut entries = std::mem::take(resizes);
        for recordable in &batch {
            entries.push(entry(recordable, sight, at)?);
        }
        let bytes: usize = batch.iter().map(|recordable| recordable.payload.len()).sum();
        self.append(entries, bytes).await?;
        Ok(batch)
    }

    /// Writes lines down, and returns once that is done.
    ///
    /// # Errors
    /// They could not be written, so what they are about may not happen. The recording is over.
    pub(crate) async fn note(&mut self, lines: Vec<String>, at: Timestamp) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let bytes = lines.iter().map(String::len).sum();
        self.append(lines.into_iter().map(|text| Entry::Note { text, at }).collect(), bytes).await
    }

    async fn append(&mut self, entries: Vec<Entry>, bytes: usize) -> io::Result<()> {
        let Self::On { recorder, durability, .. } = self else { return Ok(()) };
        let Some(mut writer) = recorder.take() else {
            return Err(io::Error::other("an earlier write to the recording failed"));
        };
        let is_inline = bytes <= INLINE_BYTES_MAX && *durability == Durability::ServerCrash;
        let append = move || writer.append(&entries).map(|()| writer);
        // A recorder that failed has closed its recording as interrupted; there is nothing left to finish.
        *recorder = Some(if is_inline { append()? } else { blocking(append).await? });
        Ok(())
    }

    /// How much is on record, and its hash. `None`: there is no recording, or none any more.
    pub(crate) async fn recorded(&mut self) -> io::Result<Option<Recorded>> {
        let Self::On { recorder, .. } = self else { return Ok(None) };
        let Some(mut writer) = recorder.take() else { return Ok(None) };
        let (writer, recorded) = blocking(move || {
            let recorded = writer.recorded();
            Ok((writer, recorded))
        })
        .await?;
        *recorder = Some(writer);
        recorded.map(Some)
    }

    /// Completes the recording.
    pub(crate) async fn finish(
        &mut self,
        at: Timestamp,
        reason: &EndReason,
        exit_code: Option<i32>,
        last: Vec<String>,
    ) -> io::Result<()> {
        if matches!(self, Self::On { recorder: Some(_), .. }) {
            self.note(last, at).await?;
        }
        let Self::On { recorder, .. } = self else { return Ok(()) };
        let Some(writer) = recorder.take() else { return Ok(()) };
        let end = RecordingEnd { at, reason: reason.code(), exit_code };
        blocking(move || writer.finish(&end)).await
    }

    /// Removes the recording of a session that did not come about.
    pub(crate) async fn discard(self) {
        if let Self::On { recorder: Some(writer), .. } = self
            && let Err(error) = blocking(move || writer.discard()).await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot remove the recording of a session that did not start"
            );
        }
    }
}

/// What of a message the recording keeps: all that a client may show. Its number in any case, so that the recording
/// knows how far the session is.
fn entry(recordable: &Recordable, sight: &Sight, at: Timestamp) -> io::Result<Entry> {
    let payload_type = recordable.payload_type;
    let bytes = match sight {
        Sight::Opened(cipher) if is_encrypted(Role::Agent, payload_type) => {
            shown(payload_type, &cipher.open(&recordable.payload).map_err(io::Error::other)?)
        }
        Sight::Closed if is_encrypted(Role::Agent, payload_type) => Bytes::new(),
        Sight::Barred => return Err(io::Error::other("what it shows is encrypted")),
        Sight::Clear | Sight::Opened(_) | Sight::Closed => shown(payload_type, &recordable.payload),
    };
    Ok(Entry::Output { sequence_number: recordable.sequence_number, bytes, at })
}

/// AWS's plugin writes the payload of any message to the terminal but those of the handshake.
fn shown(payload_type: PayloadType, payload: &Bytes) -> Bytes {
    match payload_type {
        PayloadType::HandshakeComplete => match HandshakeComplete::from_json(payload) {
            Ok(complete) if !complete.customer_message.is_empty() => {
                Bytes::from(format!("{}\n", complete.customer_message))
            }
            _ => Bytes::new(),
        },
        PayloadType::HandshakeRequest
        | PayloadType::HandshakeResponse
        | PayloadType::EncChallengeRequest
        | PayloadType::EncChallengeResponse
        | PayloadType::Flag => Bytes::new(),
        // The exit code stands in the recording as such.
        PayloadType::ExitCode if exit_code_from_text(payload).is_some() => Bytes::new(),
        _ => payload.clone(),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_client_may_show_is_recorded() {
        let text = Bytes::from_static(b"text");
        let types = [
            PayloadType::Output,
            PayloadType::StdErr,
            PayloadType::Error,
            PayloadType::Parameter,
            PayloadType::ExitCode,
            PayloadType::Unknown(99),
        ];
        for payload_type in types {
            assert_eq!(shown(payload_type, &text), text, "{payload_type:?}");
        }
        let complete = br#"{"HandshakeTimeToComplete":1,"CustomerMessage":"hello"}"#;
        assert_eq!(shown(PayloadType::HandshakeComplete, &Bytes::from_static(complete)), "hello\n");
        assert_eq!(shown(PayloadType::HandshakeRequest, &text), "");
        assert_eq!(shown(PayloadType::ExitCode, &Bytes::from_static(b"EXIT_CODE: 3")), "");
    }

    #[test]
    fn of_encrypted_output_what_is_in_it_is_recorded_or_nothing_or_it_is_not_shown() {
        let cipher = |end| postern_cipher::SessionCipher::new(end, &[7; 64]).unwrap();
        let recorded = |sight: &Sight, payload_type, payload: &[u8]| {
            let recordable = Recordable::of_payload(payload_type, Bytes::copy_from_slice(payload));
            match entry(&recordable, sight, Timestamp::UNIX_EPOCH) {
                Ok(Entry::Output { bytes, .. }) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                Ok(other) => panic!("{other:?}"),
                Err(_) => None,
            }
        };
        let sealed = cipher(Role::Agent).seal(b"hello").unwrap();
        let opened = Sight::Opened(Box::new(cipher(Role::Client)));
        for (sight, payload_type, payload, expected) in [
            (&opened, PayloadType::Output, &*sealed, Some("hello")),
            (&opened, PayloadType::StdErr, &sealed, Some("hello")),
            (&opened, PayloadType::Output, b"in clear", None),
            (&opened, PayloadType::Error, b"in clear", Some("in clear")),
            (&Sight::Closed, PayloadType::Output, &sealed, Some("")),
            (&Sight::Closed, PayloadType::Error, b"in clear", Some("in clear")),
            (&Sight::Barred, PayloadType::Output, &sealed, None),
            (&Sight::Clear, PayloadType::Output, b"in clear", Some("in clear")),
        ] {
            assert_eq!(
                recorded(sight, payload_type, payload).as_deref(),
                expected,
                "{payload_type:?} {sight:?}"
            );
        }
    }
}
