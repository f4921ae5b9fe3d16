//! Where recordings are read from.

use std::fs::File;
use std::io::{self, Read as _};

use postern_ids::SessionId;
use postern_recording::RecordingDirectory;

use crate::failure::Failure;

/// Bytes that are read of a file at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where recordings are read from.
pub(super) enum Source {
    /// Files of this machine.
    Directory(RecordingDirectory),
}

impl Source {
    /// The recording of a session.
    pub(super) async fn open(&self, session: &SessionId) -> Result<Cast, Failure> {
        let Self::Directory(directory) = self;
        let recording = directory.recording(session)?.ok_or_else(|| {
            Failure::new(format!("there is no recording of {session} in {}", directory.path().display()))
                .with_hint("`postern recordings list` shows what there is")
        })?;
        let path = recording.cast_path();
        let name = path.display().to_string();
        let file =
            File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        Ok(Cast { name, file })
    }
}

/// An asciicast v3, read from its beginning.
pub(super) struct Cast {
    name: String,
    file: File,
}

impl Cast {
    /// What errors call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// More of it, cut anywhere. `None`: there is no more.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut bytes = vec![0; CHUNK_BYTES];
        let length = self.file.read(&mut bytes)?;
        bytes.truncate(length);
        Ok((length > 0).then_some(bytes))
    }
}
