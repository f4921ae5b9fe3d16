//! Where recordings are read from: the server, or files of this machine.

use std::fs::File;
use std::io::{self, Read as _};

use postern_api::postern::GetSessionRecordingInput;
use postern_client::Api;
use postern_ids::SessionId;
use postern_recording::RecordingDirectory;

use crate::failure::Failure;

/// Bytes that are read of a file at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where recordings are read from.
pub(super) enum Source {
    /// A server, which asks policies and records who reads.
    Server(Box<Api>),
    /// Files of this machine.
    Directory(RecordingDirectory),
}

/// An asciicast v3, read from its beginning.
pub(super) enum Cast<'a> {
    Remote(Remote<'a>),
    File { name: String, file: File },
}

/// A recording on a server.
pub(super) struct Remote<'a> {
    api: &'a Api,
    request: GetSessionRecordingInput,
    /// What has come and is not taken yet.
    content: Vec<u8>,
    is_complete: bool,
}

impl Source {
    /// The recording of a session.
    pub(super) async fn open(&self, session: &SessionId) -> Result<Cast<'_>, Failure> {
        match self {
            Self::Server(api) => Ok(Cast::Remote(Remote::open(api, session).await?)),
            Self::Directory(directory) => open_file(directory, session),
        }
    }
}

fn open_file<'a>(directory: &RecordingDirectory, session: &SessionId) -> Result<Cast<'a>, Failure> {
    let recording = directory.recording(session)?.ok_or_else(|| {
        Failure::new(format!("there is no recording of {session} in {}", directory.path().display()))
            .with_hint("`postern recordings list` shows what there is")
    })?;
    let path = recording.cast_path();
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    Ok(Cast::File { name, file })
}

impl Cast<'_> {
    /// What errors call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Remote(remote) => format!("the recording of {}", remote.request.session_id),
            Self::File { name, .. } => name.clone(),
        }
    }

    /// More of it, cut anywhere. `None`: there is no more, or, of a session that runs, not yet.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Remote(remote) => remote.next().await,
            Self::File { file, .. } => {
                let mut bytes = vec![0; CHUNK_BYTES];
                let length = file.read(&mut bytes)?;
                bytes.truncate(length);
                Ok((length > 0).then_some(bytes))
            }
        }
    }
}

impl<'a> Remote<'a> {
    /// Asks for the beginning at once: what is refused is refused before anything else happens.
    async fn open(api: &'a Api, session: &SessionId) -> Result<Self, Failure> {
        let session_id = session.to_string();
        let request = GetSessionRecordingInput { session_id, offset: None, max_bytes: None };
        let mut remote = Self { api, request, content: Vec::new(), is_complete: false };
        remote.fetch().await?;
        Ok(remote)
    }

    async fn fetch(&mut self) -> Result<(), Failure> {
        let answer = self.api.call(&self.request).await?;
        self.content = answer.content.unwrap_or_default().0;
        self.is_complete = answer.complete.unwrap_or(true);
        self.request.offset = answer.next_offset;
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.content.is_empty() && !self.is_complete {
            self.fetch().await?;
        }
        let content = std::mem::take(&mut self.content);
        Ok((!content.is_empty()).then_some(content))
    }
}
