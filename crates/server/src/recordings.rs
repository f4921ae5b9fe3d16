//! Recordings, as operations read and remove them.

mod check;
mod indexing;
mod removal;
mod retention;

use std::io;
use std::sync::Arc;

use postern_ids::SessionId;
use postern_recording::{Part, Recording, RecordingDirectory, RecordingSummary};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

pub(crate) use check::{check, check_on};
pub(crate) use indexing::index;
pub(crate) use removal::{NotRemoved, remove};
pub(crate) use retention::tend;

/// The recordings of this server. The gateway writes them.
pub(crate) struct Recordings {
    directory: Arc<RecordingDirectory>,
    /// Held by whoever removes one.
    removing: Mutex<()>,
    /// How many removals were begun: whoever shows a recording looks whether it is one of those.
    removals_begun: watch::Sender<u64>,
}

impl Recordings {
    pub(crate) fn new(directory: Arc<RecordingDirectory>) -> Self {
        Self { directory, removing: Mutex::default(), removals_begun: watch::Sender::new(0) }
    }

    /// At most so many bytes of a recording, and what is known about it. `None`: there is none.
    pub(crate) async fn part(
        &self,
        session: &SessionId,
        from: u64,
        bytes_max: u64,
    ) -> io::Result<Option<(RecordingSummary, Part)>> {
        let session = session.clone();
        self.blocking(move |directory| {
            let Some(recording) = directory.recording(&session)? else { return Ok(None) };
            let part = recording.part(from, bytes_max)?;
            Ok(Some((recording.summary, part)))
        })
        .await
    }

    /// What is known about the recordings of some sessions. Without those that have none, or whose description cannot be
    /// read.
    pub(crate) async fn summaries(&self, sessions: Vec<SessionId>) -> io::Result<Vec<RecordingSummary>> {
        self.blocking(move |directory| {
            let found = sessions.iter().filter_map(|session| match directory.recording(session) {
                Ok(recording) => recording.map(|recording| recording.summary),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, session.id = %session, "the description of the recording of {session} cannot be read");
                    None
                }
            });
            Ok(found.collect())
        })
        .await
    }

    /// The recording of a session. `None`: there is none.
    pub(crate) async fn open(&self, session: &SessionId) -> io::Result<Option<Recording>> {
        let session = session.clone();
        self.blocking(move |directory| directory.recording(&session)).await
    }

    /// Comes about when the removal of a recording is begun, or has been, or when that cannot be told.
    pub(crate) async fn is_going(&self, session: &SessionId) {
        let mut begun = self.removals_begun.subscribe();
        loop {
            begun.borrow_and_update();
            let asked = session.clone();
            match self.blocking(move |directory| directory.is_going(&asked)).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, session.id = %session, "it cannot be told whether the recording of {session} is being removed");
                    return;
                }
            }
            if begun.changed().await.is_err() {
                // The recordings are there as long as the server is.
                return std::future::pending().await;
            }
        }
    }

    /// Those of some sessions that have a recording.
    pub(crate) async fn existing(&self, sessions: Vec<SessionId>) -> io::Result<Vec<SessionId>> {
        self.blocking(move |directory| {
            Ok(sessions.into_iter().filter(|session| directory.has_recording(session)).collect())
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RecordingDirectory) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let directory = Arc::clone(&self.directory);
        spawn_blocking(move || work(&directory)).await.map_err(io::Error::other)?
    }
}
