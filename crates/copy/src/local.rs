//! Files of this machine.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use postern_sftp::Times;
use rustix::fs::{OFlags, Timespec, Timestamps};

use crate::names::partial_path;
use crate::transfer::{Digest, fill};

pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

pub(crate) fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Opens a file to be sent. A pipe or device would be read for ever, or waited for.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// A file that is being received, under its other name.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    target: PathBuf,
}

impl Partial {
    /// Goes on with what an earlier copy left, if this user did.
    pub(crate) fn resume(target: &Path) -> io::Result<Option<Self>> {
        let path = path(&partial_path(bytes(target))).to_owned();
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // A link, or somebody else's: it is in the way and none of ours.
            Err(_) => return Ok(None),
        };
        let metadata = file.metadata()?;
        let is_ours = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        Ok(is_ours.then(|| Self { file, path, target: target.to_owned() }))
    }

    /// A new one; what has the name is removed.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let path = path(&partial_path(bytes(target))).to_owned();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Nobody else may read it before it has its mode.
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, target: target.to_owned() })
    }

    /// The digest of what is there, if it is no longer than `size`; the file is at its end then.
    pub(crate) fn digest(&mut self, size: u64) -> io::Result<Option<(u64, Digest)>> {
        let length = self.file.metadata()?.len();
        if length > size {
            return Ok(None);
        }
        let mut digest = Digest::new();
        digest_of(&mut self.file, length, &mut digest)?;
        Ok(Some((length, digest)))
    }

    /// Gives it its mode, times and name.
    pub(crate) fn finish(self, mode: u32, times: Option<Times>) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode))?;
        if let Some(times) = times {
            rustix::fs::futimens(&self.file, &timestamps(times))?;
        }
        std::fs::rename(&self.path, &self.target)
    }

    /// It is of no use.
    pub(crate) fn remove(self) {
        // If it stays, the next copy takes its name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Reads `length` bytes into `digest`; whether there were as many.
pub(crate) fn digest_of(file: &mut File, length: u64, digest: &mut Digest) -> io::Result<bool> {
    let mut block = vec![0; 256 * 1024];
    let mut rest = file.take(length);
    let mut read = 0;
    loop {
        let count = fill(&mut rest, &mut block)?;
        if count == 0 {
            return Ok(read == length);
        }
        digest.update(&block[..count]);
        read += u64::try_from(count).unwrap_or_default();
    }
}

pub(crate) fn set_times(path: &Path, times: Times) -> io::Result<()> {
    Ok(rustix::fs::utimensat(rustix::fs::CWD, path, &timestamps(times), rustix::fs::AtFlags::empty())?)
}

pub(crate) fn times(metadata: &Metadata) -> Times {
    let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
    Times { accessed: seconds(metadata.atime()), modified: seconds(metadata.mtime()) }
}

fn timestamps(times: Times) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
    Timestamps { last_access: at(times.accessed), last_modification: at(times.modified) }
}

/// The mode of a new file: that of the original, less what this user takes from new files.
#[cfg_attr(
    target_os = "linux",
    expect(clippy::useless_conversion, reason = "modes have 16 bits on other systems")
)]
pub(crate) fn masked(mode: u32) -> u32 {
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    mode & 0o777 & !u32::from(mask.bits())
}
