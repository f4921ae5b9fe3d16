//! Removing a recording, in steps between which a crash can come.
//!
//! First a file beside the recording says that it is to go, on whose order, and what it was. Then whoever keeps account
//! of removals is told. Only then do the files go, and that first one last: what is found of a removal when the server
//! starts again is done then.

use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use postern_ids::{Arn, SessionId};
use serde::{Deserialize, Serialize};

use crate::directory::{RecordingDirectory, read_summary};
use crate::disk::{self, Durability, Paths};
use crate::recorder::{Recorded, recorded_in};
use crate::summary::{RecordingStatus, RecordingSummary};

/// On whose order a recording goes, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovalOrder {
    /// Who: an ARN.
    pub by: Arn,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why a recording cannot be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is none.
    #[error("there is no recording of session {session}")]
    Unknown {
        /// The session.
        session: SessionId,
    },
    /// It is being written.
    #[error("session {session} is still being recorded")]
    Running {
        /// The session.
        session: SessionId,
    },
    /// Its files cannot be read, or the order cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What is written down of a removal before anything goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    order: RemovalOrder,
    recorded: Recorded,
    recording: RecordingSummary,
}

/// A recording that is about to go: its order is on the disk, its files are still there.
#[derive(Debug)]
#[must_use = "a removal that was begun is completed or cancelled"]
pub struct Removal {
    directory: PathBuf,
    paths: Paths,
    order: Order,
    /// An earlier order lay there, of which somebody may have been told.
    is_renewed: bool,
}

impl RecordingDirectory {
    /// Begins to remove a recording that is complete. Its file is read to know what goes. An order that was given
    /// before and not carried out is replaced, and the removal stays begun whatever becomes of the new one.
    ///
    /// # Errors
    /// [`RemoveError`]; nothing is changed.
    pub fn begin_removal(&self, session: &SessionId, order: RemovalOrder) -> Result<Removal, RemoveError> {
        let paths = Paths::new(self.path(), session);
        let recording = match read_summary(&paths.side) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RemoveError::Unknown { session: session.clone() });
            }
            summary => summary?,
        };
        if recording.status == RecordingStatus::Running {
            return Err(RemoveError::Running { session: session.clone() });
        }
        let recorded = recorded_in(&paths.cast)?;
        let order = Order { order, recorded, recording };
        let contents = serde_json::to_vec_pretty(&order).map_err(io::Error::other)?;
        let is_renewed = paths.removal.try_exists()?;
        disk::replace(&paths.removal, &paths.removal_new, &contents, Durability::PowerFailure)?;
        disk::sync_directory(self.path())?;
        Ok(Removal { directory: self.path().to_owned(), paths, order, is_renewed })
    }

    /// Whether the removal of a recording was begun, or has taken place.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn is_going(&self, session: &SessionId) -> io::Result<bool> {
        let paths = Paths::new(self.path(), session);
        Ok(paths.removal.try_exists()? || !paths.cast.try_exists()?)
    }

    /// The removals that were begun and neither completed nor cancelled, as when the server stopped in between. An order
    /// that cannot be read does not keep the others from being carried out.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn unfinished_removals(&self) -> io::Result<Vec<io::Result<Removal>>> {
        let removal = |session| {
            let paths = Paths::new(self.path(), &session);
            let contents = fs::read(&paths.removal).map_err(|error| disk::named(&paths.removal, error))?;
            let order = serde_json::from_slice(&contents)
                .map_err(|error| disk::named(&paths.removal, error.into()))?;
            Ok(Removal { directory: self.path().to_owned(), paths, order, is_renewed: true })
        };
        Ok(self.sessions_with(".removal")?.into_iter().map(removal).collect())
    }
}

impl Removal {
    /// On whose order, and why.
    #[must_use]
    pub fn order(&self) -> &RemovalOrder {
        &self.order.order
    }

    /// What is known about the recording.
    #[must_use]
    pub fn recording(&self) -> &RecordingSummary {
        &self.order.recording
    }

    /// The length and hash of its file, as it was when the removal began.
    #[must_use]
    pub fn recorded(&self) -> &Recorded {
        &self.order.recorded
    }

    /// Removes the files. To be called when the removal has been accounted for.
    ///
    /// # Errors
    /// A file cannot be removed; the removal stays begun.
    pub fn complete(self) -> io::Result<()> {
        self.paths.remove()?;
        // The order must not be gone before the files are.
        disk::sync_directory(&self.directory)?;
        self.forget()
    }

    /// Leaves the recording where it is, unless an earlier order was not carried out either: of that somebody may have
    /// been told, so the removal stays begun.
    ///
    /// # Errors
    /// The order cannot be removed; it would be carried out at the next start.
    pub fn cancel(self) -> io::Result<()> {
        if self.is_renewed { Ok(()) } else { self.forget() }
    }

    fn forget(&self) -> io::Result<()> {
        disk::remove_if_there(&self.paths.removal_new)?;
        disk::remove_if_there(&self.paths.removal)?;
        disk::sync_directory(&self.directory)
    }
}
