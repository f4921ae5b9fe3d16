//! The files of a recording that is being written.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use postern_ids::SessionId;
use postern_private_files::private;
pub(crate) use postern_private_files::{create_directory, named, remove_if_there, sync_directory};

use crate::position::Position;

/// What recorded output survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A crash of the server.
    #[default]
    ServerCrash,
    /// Also a power failure or a crash of the machine; every batch waits for the disk.
    PowerFailure,
}

/// Where the files of one recording are.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) cast: PathBuf,
    pub(crate) side: PathBuf,
    pub(crate) side_new: PathBuf,
    pub(crate) position: PathBuf,
    /// The order to remove all of them.
    pub(crate) removal: PathBuf,
    pub(crate) removal_new: PathBuf,
}

impl Paths {
    /// A session ID is safe in a file name.
    pub(crate) fn new(directory: &Path, session: &SessionId) -> Self {
        let path = |suffix| directory.join(format!("{session}.{suffix}"));
        Self {
            cast: path("cast"),
            side: path("json"),
            side_new: path("json.new"),
            position: path("position"),
            removal: path("removal"),
            removal_new: path("removal.new"),
        }
    }

    /// Removes whatever there is of the recording.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for path in [&self.side_new, &self.side, &self.cast, &self.position] {
            remove_if_there(path)?;
        }
        Ok(())
    }
}

/// What a recorder does to its files; a seam, so that tests can fill the disk.
pub(crate) trait Disk: fmt::Debug + Send {
    /// Adds to the cast.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the cast.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Waits until the cast is on the disk.
    fn sync_cast(&mut self) -> io::Result<()>;
    /// Writes one record of the position.
    fn write_position(&mut self, offset: u64, record: &[u8]) -> io::Result<()>;
    /// Waits until the position is on the disk.
    fn sync_position(&mut self) -> io::Result<()>;
}

/// The files themselves.
#[derive(Debug)]
pub(crate) struct Files {
    cast: File,
    position: File,
    paths: Paths,
}

impl Files {
    /// Creates both files, which must not exist.
    pub(crate) fn create(paths: &Paths, session: &SessionId, start: &Position) -> io::Result<Self> {
        let cast = private().append(true).create_new(true).open(&paths.cast);
        let cast = cast.map_err(|error| named(&paths.cast, error))?;
        let position = private().write(true).create_new(true).open(&paths.position);
        let position = position.map_err(|error| named(&paths.position, error))?;
        let mut files = Self { cast, position, paths: paths.clone() };
        // Both records, so that the file has its full length before anything depends on it.
        let second = Position { generation: 1, ..start.clone() };
        for record in [&second, start] {
            files.write_position(record.offset(), &record.encode(session))?;
        }
        Ok(files)
    }

    /// Opens both files, which must exist.
    pub(crate) fn open(paths: &Paths) -> io::Result<Self> {
        let cast = OpenOptions::new().append(true).open(&paths.cast);
        let cast = cast.map_err(|error| named(&paths.cast, error))?;
        let position = OpenOptions::new().write(true).open(&paths.position);
        let position = position.map_err(|error| named(&paths.position, error))?;
        Ok(Self { cast, position, paths: paths.clone() })
    }

    /// The length of the cast.
    pub(crate) fn cast_bytes(&self) -> io::Result<u64> {
        self.cast.metadata().map(|metadata| metadata.len()).map_err(|error| named(&self.paths.cast, error))
    }
}

impl Disk for Files {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.cast.write_all(bytes).map_err(|error| named(&self.paths.cast, error))
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.cast.set_len(length).map_err(|error| named(&self.paths.cast, error))
    }

    fn sync_cast(&mut self) -> io::Result<()> {
        self.cast.sync_data().map_err(|error| named(&self.paths.cast, error))
    }

    fn write_position(&mut self, offset: u64, record: &[u8]) -> io::Result<()> {
        write_all_at(&mut self.position, offset, record).map_err(|error| named(&self.paths.position, error))
    }

    fn sync_position(&mut self) -> io::Result<()> {
        self.position.sync_data().map_err(|error| named(&self.paths.position, error))
    }
}

#[cfg(unix)]
fn write_all_at(file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_all_at(file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    io::Seek::seek(file, io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Puts a file in place of the one before, or leaves that one as it was.
pub(crate) fn replace(path: &Path, new: &Path, contents: &[u8], durability: Durability) -> io::Result<()> {
    let written = private().write(true).create(true).truncate(true).open(new).and_then(|mut file| {
        file.write_all(contents)?;
        if durability == Durability::PowerFailure { file.sync_data() } else { Ok(()) }
    });
    written.map_err(|error| named(new, error))?;
    fs::rename(new, path).map_err(|error| named(path, error))
}
