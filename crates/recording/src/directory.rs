//! The directory that recordings are in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use postern_ids::SessionId;

use crate::asciicast::Timeline;
use crate::disk::{self, Disk, Durability, Files, Paths};
use crate::position::Position;
use crate::reader::Recording;
use crate::recorder::{self, Recorder};
use crate::summary::{RecordingEnd, RecordingInfo, RecordingStatus, RecordingSummary};

/// The directory that recordings are in.
#[derive(Debug, Clone)]
pub struct RecordingDirectory {
    path: PathBuf,
    durability: Durability,
    bytes_max: u64,
}

/// What is in the directory.
#[derive(Debug)]
pub struct Listing {
    /// The recordings, the oldest first.
    pub recordings: Vec<RecordingSummary>,
    /// Side files that cannot be read, and why.
    pub unreadable: Vec<io::Error>,
}

impl RecordingDirectory {
    /// Opens the directory to write recordings to. It is created, for its owner only, if it does not exist.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = Self::read(path);
        disk::create_directory(&directory.path)?;
        Ok(directory)
    }

    /// The directory, to read from: nothing is created.
    pub fn read(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), durability: Durability::default(), bytes_max: u64::MAX }
    }

    /// What output that is recorded from now on survives.
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// The most bytes of a recording; one that would become larger ends as if the disk was full.
    #[must_use]
    pub fn with_bytes_max(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// What output that is recorded from now on survives.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// There is one of this session already, or the files cannot be written. Then the session must not begin.
    pub fn create(&self, info: &RecordingInfo) -> io::Result<Recorder> {
        let paths = Paths::new(&self.path, &info.session_id);
        let position = Position::start(Timeline::starting(info.started_at));
        let mut files = Files::create(&paths, &info.session_id, &position)?;
        // `Files::create` leaves the second record the newer one.
        let position = Position { generation: 1, ..position };
        let summary = RecordingSummary::running(info.clone());
        let prepared = recorder::write_summary(&paths, &summary, self.durability).and_then(|()| {
            if self.durability == Durability::PowerFailure {
                files.sync_position()?;
                disk::sync_directory(&self.path)?;
            }
            Ok(())
        });
        if let Err(error) = prepared {
            // Should this fail too, `unfinished` will find what is left.
            let _ = paths.remove();
            return Err(error);
        }
        Ok(self.recorder(paths, info.clone(), files, position))
    }

    /// Goes on with a recording that another process began: what that one had not completed is cut off.
    ///
    /// # Errors
    /// There is none, it has ended, or its files do not fit together. Then the session must end.
    pub fn reopen(&self, session: &SessionId) -> io::Result<Recorder> {
        let paths = Paths::new(&self.path, session);
        let summary = read_summary(&paths.side)?;
        if summary.status != RecordingStatus::Running {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{}: the recording has ended", paths.side.display()),
            ));
        }
        let records = fs::read(&paths.position).map_err(|error| disk::named(&paths.position, error))?;
        let position = Position::newest(&records, session).ok_or_else(|| {
            let text = format!("{}: neither record of the position is complete", paths.position.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?;
        let mut files = Files::open(&paths)?;
        if files.cast_bytes()? < position.cast_bytes {
            let text = format!("{}: the end of the recording is lost", paths.cast.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        // Nothing is written to a file that is as it should be.
        if files.cast_bytes()? > position.cast_bytes {
            files.truncate(position.cast_bytes)?;
        }
        Ok(self.recorder(paths, summary.info, files, position))
    }

    fn recorder(&self, paths: Paths, info: RecordingInfo, files: Files, position: Position) -> Recorder {
        Recorder::new(self.path.clone(), paths, info, self.durability, self.bytes_max, files, position)
    }

    /// The sessions whose recordings were not completed when the server stopped, to be [reopened](Self::reopen) or
    /// [interrupted](Self::interrupt). Remains of recordings that had not begun, or were complete, are cleared away.
    ///
    /// # Errors
    /// The directory cannot be read, or the remains cannot be removed.
    pub fn unfinished(&self) -> io::Result<Vec<SessionId>> {
        let mut sessions = Vec::new();
        for session in self.sessions_with(".position")? {
            let paths = Paths::new(&self.path, &session);
            match read_summary(&paths.side) {
                Ok(summary) if summary.status != RecordingStatus::Running => {
                    disk::remove_if_there(&paths.position)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => paths.remove()?,
                Ok(_) | Err(_) => sessions.push(session),
            }
        }
        Ok(sessions)
    }

    /// Completes the recording of a session that cannot go on. What can be read of it stays.
    ///
    /// # Errors
    /// Its files cannot be read or written.
    pub fn interrupt(&self, session: &SessionId, end: &RecordingEnd) -> io::Result<()> {
        match self.reopen(session) {
            Ok(recorder) => recorder.interrupt(end),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => self.interrupt_damaged(session, end),
            Err(error) => Err(error),
        }
    }

    /// Completes a recording whose position is lost: with all its complete lines.
    fn interrupt_damaged(&self, session: &SessionId, end: &RecordingEnd) -> io::Result<()> {
        let paths = Paths::new(&self.path, session);
        let info = read_summary(&paths.side)?.info;
        let mut files = Files::open(&paths)?;
        let cast = fs::read(&paths.cast).map_err(|error| disk::named(&paths.cast, error))?;
        let complete = cast.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        let cast_bytes = u64::try_from(complete).expect("a length fits 64 bits");
        files.truncate(cast_bytes)?;
        // The time of the last event is not known; that of the exit event, if any, is the only one that follows it.
        let position = Position { cast_bytes, ..Position::start(Timeline::starting(end.at)) };
        self.recorder(paths, info, files, position).interrupt(end)
    }

    /// The recordings with what is known about them.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing { recordings: Vec::new(), unreadable: Vec::new() };
        for session in self.sessions_with(".json")? {
            match read_summary(&Paths::new(&self.path, &session).side) {
                Ok(summary) => listing.recordings.push(summary),
                Err(error) => listing.unreadable.push(error),
            }
        }
        listing.recordings.sort_by(|one, other| {
            (one.info.started_at, &one.info.session_id).cmp(&(other.info.started_at, &other.info.session_id))
        });
        Ok(listing)
    }

    /// The recording of a session; `None` if there is none.
    ///
    /// # Errors
    /// Its side file cannot be read.
    pub fn recording(&self, session: &SessionId) -> io::Result<Option<Recording>> {
        let paths = Paths::new(&self.path, session);
        match read_summary(&paths.side) {
            Ok(summary) => Ok(Some(Recording::new(summary, paths))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a recording of a session.
    #[must_use]
    pub fn has_recording(&self, session: &SessionId) -> bool {
        Paths::new(&self.path, session).side.exists()
    }

    /// The sessions that have a file with this ending.
    pub(crate) fn sessions_with(&self, ending: &str) -> io::Result<Vec<SessionId>> {
        let mut sessions = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|error| disk::named(&self.path, error))? {
            let name = entry.map_err(|error| disk::named(&self.path, error))?.file_name();
            let session = name.to_str().and_then(|name| name.strip_suffix(ending)?.parse().ok());
            sessions.extend(session);
        }
        sessions.sort();
        Ok(sessions)
    }
}

pub(crate) fn read_summary(path: &Path) -> io::Result<RecordingSummary> {
    let contents = fs::read(path).map_err(|error| disk::named(path, error))?;
    serde_json::from_slice(&contents).map_err(|error| disk::named(path, error.into()))
}
