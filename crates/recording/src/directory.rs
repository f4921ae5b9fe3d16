//! The directory of all recordings.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use postern_ids::SessionId;

use crate::position::Position;
use crate::recorder::Recorder;
use crate::side_file::{RecordingInfo, RecordingStatus, SideFile, create_private};

/// When an entry counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the operating system has it: it survives the end of the process.
    #[default]
    Process,
    /// When the disk has it: it survives the end of the machine.
    Machine,
}

/// See the [module's documentation](self).
#[derive(Debug, Clone)]
pub struct RecordingDirectory {
    path: PathBuf,
    durability: Durability,
}

/// The files of one recording.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) cast: PathBuf,
    pub(crate) side_file: PathBuf,
    pub(crate) position: PathBuf,
}

impl Paths {
    pub(crate) fn of(directory: &Path, session: &SessionId) -> Self {
        // A session identifier is safe as a file name. It may hold dots, so no extension is replaced.
        let file = |extension: &str| directory.join(format!("{session}.{extension}"));
        Self { cast: file("cast"), side_file: file("json"), position: file("position") }
    }
}

impl RecordingDirectory {
    /// Opens the directory; makes it, readable by its owner only, if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path, durability: Durability) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self { path: path.to_owned(), durability })
    }

    /// Begins the recording of a session.
    ///
    /// # Errors
    /// It cannot be written, or there is one of that session. Nothing is left behind.
    pub fn create(&self, info: &RecordingInfo) -> io::Result<Recorder> {
        let paths = Paths::of(&self.path, &info.session_id);
        // The cast comes first and must be new: no recording is ever overwritten.
        let cast = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&paths.cast)?;
        let begin = || {
            let position = create_private(&paths.position)?;
            let recorder = Recorder::begin(info.clone(), paths.clone(), cast, position, self.durability)?;
            SideFile::running(info.clone()).write(&paths.side_file)?;
            Ok(recorder)
        };
        begin().inspect_err(|_| remove(&paths))
    }

    /// Goes on with the recording of a session that an earlier process carried: cuts off what was never
    /// finished.
    ///
    /// # Errors
    /// There is none, it has ended, or its position cannot be read.
    pub fn reopen(&self, session: &SessionId) -> io::Result<Recorder> {
        let paths = Paths::of(&self.path, session);
        let side_file = SideFile::read(&paths.side_file)?;
        if side_file.status != RecordingStatus::Running {
            return Err(invalid(format!("the recording of {session} has ended")));
        }
        let position = Position::decode(&fs::read(&paths.position)?)
            .ok_or_else(|| invalid(format!("{} is damaged", paths.position.display())))?;
        let cast = OpenOptions::new().write(true).open(&paths.cast)?;
        if cast.metadata()?.len() < position.cast_bytes {
            return Err(invalid(format!("{} is shorter than it was", paths.cast.display())));
        }
        cast.set_len(position.cast_bytes)?;
        let position_file = OpenOptions::new().write(true).open(&paths.position)?;
        Ok(Recorder::resume(side_file.info, paths, cast, position_file, position, self.durability))
    }

    /// The directory's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the files of a recording that did not come about.
pub(crate) fn remove(paths: &Paths) {
    for path in [&paths.position, &paths.side_file, &paths.cast] {
        // What is not there need not be removed; what cannot be removed is found by whoever lists recordings.
        let _ = fs::remove_file(path);
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
