//! What the appender does to its files; a seam, so that tests can fill the disk and count.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use postern_audit_format::segment;
pub(crate) use postern_private_files::{create_directory, named, private, remove_if_there, sync_directory};

/// The chain's files, of which the last is written to.
pub(crate) trait Disk: fmt::Debug + Send {
    /// Begins a segment with its first line, durably, and writes to it from now on. On an error nothing has changed.
    fn begin_segment(&mut self, first: u64, line: &[u8]) -> io::Result<()>;
    /// Adds to the segment.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the segment is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the segment, durably.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// The files themselves.
#[derive(Debug)]
pub(crate) struct ChainFiles {
    directory: PathBuf,
    path: PathBuf,
    file: File,
}

impl ChainFiles {
    /// Begins a chain in a directory that has none.
    pub(crate) fn create(directory: &Path, first: u64, line: &[u8]) -> io::Result<Self> {
        let (path, file) = create_segment(directory, first, line)?;
        Ok(Self { directory: directory.to_owned(), path, file })
    }

    /// Goes on with a segment.
    pub(crate) fn open(directory: &Path, first: u64) -> io::Result<Self> {
        let path = directory.join(segment::file_name(first));
        let file = OpenOptions::new().append(true).open(&path).map_err(|error| named(&path, error))?;
        Ok(Self { directory: directory.to_owned(), path, file })
    }
}

fn create_segment(directory: &Path, first: u64, line: &[u8]) -> io::Result<(PathBuf, File)> {
    let path = directory.join(segment::file_name(first));
    let created = private().append(true).create_new(true).open(&path);
    let mut file = created.map_err(|error| named(&path, error))?;
    let written = file.write_all(line).and_then(|()| file.sync_all()).map_err(|error| named(&path, error));
    if let Err(error) = written.and_then(|()| sync_directory(directory)) {
        // What is left has no complete line; opening the chain clears it away, should this fail.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((path, file))
}

impl Disk for ChainFiles {
    fn begin_segment(&mut self, first: u64, line: &[u8]) -> io::Result<()> {
        (self.path, self.file) = create_segment(&self.directory, first, line)?;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).map_err(|error| named(&self.path, error))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data().map_err(|error| named(&self.path, error))
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file
            .set_len(length)
            .and_then(|()| self.file.sync_all())
            .map_err(|error| named(&self.path, error))
    }
}

/// Writes a whole file durably, though not yet under its name.
pub(crate) fn write_aside(path: &Path, contents: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    let opened = private().write(true).create(true).truncate(true).open(&aside);
    let written = opened.and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()));
    written.map_err(|error| named(&aside, error))
}

/// Gives a file that was written aside its name, durably.
pub(crate) fn put_in_place(path: &Path) -> io::Result<()> {
    fs::rename(aside(path), path).map_err(|error| named(path, error))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// What the file is called until it is complete.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
