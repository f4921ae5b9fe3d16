//! What a client has open.

use std::collections::HashMap;
use std::fs::{File, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use postern_sftp::{HANDLES_MAX, StatusCode};

use super::Refusal;
use super::listing::Entry;
use crate::random;

/// Names in one reply.
const NAMES_MAX: usize = 100;

/// Nobody can guess one: a request cannot come before the reply to the open that it needs.
type Handle = [u8; 16];

/// Open files and directories by their handles.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: HashMap<Handle, Open>,
}

#[derive(Debug)]
enum Open {
    File(File),
    Directory(Directory),
}

/// A directory that is being listed.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    entries: ReadDir,
}

impl Handles {
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.open.len() >= HANDLES_MAX {
            return Err(io::Error::other("too many open files").into());
        }
        Ok(())
    }

    pub(super) fn insert_file(&mut self, file: File) -> Result<Handle, Refusal> {
        self.insert(Open::File(file))
    }

    pub(super) fn insert_directory(&mut self, directory: Directory) -> Result<Handle, Refusal> {
        self.insert(Open::Directory(directory))
    }

    fn insert(&mut self, open: Open) -> Result<Handle, Refusal> {
        self.check_room()?;
        let handle = *random::uuid().as_bytes();
        self.open.insert(handle, open);
        Ok(handle)
    }

    pub(super) fn close(&mut self, handle: &[u8]) -> Result<(), Refusal> {
        let closed = <Handle>::try_from(handle).ok().and_then(|handle| self.open.remove(&handle));
        closed.map(drop).ok_or_else(unknown)
    }

    pub(super) fn file(&self, handle: &[u8]) -> Result<&File, Refusal> {
        match <Handle>::try_from(handle).ok().and_then(|handle| self.open.get(&handle)) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(unknown()),
        }
    }

    pub(super) fn directory(&mut self, handle: &[u8]) -> Result<&mut Directory, Refusal> {
        match <Handle>::try_from(handle).ok().and_then(|handle| self.open.get_mut(&handle)) {
            Some(Open::Directory(directory)) => Ok(directory),
            _ => Err(unknown()),
        }
    }
}

fn unknown() -> Refusal {
    Refusal::Status(StatusCode::Failure)
}

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), entries: std::fs::read_dir(path)? })
    }

    /// The next names; none at the end. What vanished meanwhile is left out.
    pub(super) fn next_entries(&mut self) -> io::Result<Vec<Entry>> {
        let mut found = Vec::new();
        while found.len() < NAMES_MAX {
            let Some(entry) = self.entries.next().transpose()? else { break };
            let name = entry.file_name();
            match std::fs::symlink_metadata(self.path.join(&name)) {
                Ok(metadata) => found.push(Entry::new(name, &metadata)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // It can be listed and not looked at.
                Err(_) => found.push(Entry::unknown(name)),
            }
        }
        Ok(found)
    }
}
